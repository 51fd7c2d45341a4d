"""Write the reference of the public names as HTML into a folder."""

import sys
from pathlib import Path

import pdoc

import deltaprop

MODULES = [
    "deltaprop",
    "deltaprop.inspection.drawing",
    "deltaprop.inspection.gradient_check",
    "deltaprop.inspection.pictures",
    "deltaprop.inspection.report",
    "deltaprop.inspection.trace",
    "deltaprop.table_model",
    "deltaprop.textbook",
    "deltaprop.training.history",
]

if __name__ == "__main__":
    deltaprop.TableModel  # noqa: B018  # loaded when used: pdoc shows what is there
    pdoc.render.configure(docformat="numpy", show_source=True)
    pdoc.pdoc(*MODULES, output_directory=Path(sys.argv[1]))
