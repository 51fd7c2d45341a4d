"""``python -m deltaprop``: the command line."""

from deltaprop.cli import main

if __name__ == "__main__":
    main()
