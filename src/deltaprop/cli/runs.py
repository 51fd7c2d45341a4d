"""Runs on disk, as the command line begins and resumes them.

The file of a run has a part ``command``: the options that it was begun with. Paths are kept relative to the folder of
the file, so that a folder may move with all that belongs to a run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typer

from deltaprop.cli.output import printable, say
from deltaprop.errors import ModelFileError, OptionError

_PATHS = ("table", "out", "plot", "report")
# What does not change where a run ends, or only how soon: it may be given otherwise when the run goes on.
_MAY_DIFFER = (*_PATHS, "time_budget", "checkpoint", "checkpoint_every", "resume")


def command_of(options: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return what the file of a run at ``path`` keeps of the options, JSON-able."""
    kept = {name: value for name, value in options.items() if name not in ("checkpoint", "resume")}
    folder = os.path.dirname(os.path.realpath(path))
    for name in _PATHS:
        if kept[name] is not None:
            kept[name] = os.path.relpath(os.path.abspath(kept[name]), folder)
    return kept


def resumed(context: typer.Context, path: Path) -> dict[str, Any]:
    """Return the options of the run in ``path``, with those that are given now where they may differ.

    Where there is no such file the run begins now, if a table and a target are given.

    Raises
    ------
    OptionError
        If an option is given otherwise than the run has it.
    ModelFileError
        If the file holds no run, or none that the command line began.
    """
    options = context.params
    given = {name for name in options if getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"}
    checkpoint = options["checkpoint"]
    if checkpoint is not None and os.path.realpath(checkpoint) != os.path.realpath(path):
        raise OptionError(f"--checkpoint {checkpoint} and --resume {path} are two files: a run goes on in its own.")
    if not path.exists():
        if options["table"] is None or options["target"] is None:
            raise OptionError(f"--resume {path}: no such file; with a TABLE and --target a run would begin there.")
        say(f"note: there is no {path} yet: the run begins")
        return {**options, "checkpoint": path}
    kept = _kept(context, path)
    for name in given - set(_MAY_DIFFER):
        if options[name] != kept[name]:
            own = _in_words(name, options[name])
            raise OptionError(
                f"{own}: the run in {path} began with {_in_words(name, kept[name])}, and goes on as it began."
            )
    found = {**kept, **{name: options[name] for name in given & set(_MAY_DIFFER)}, "checkpoint": path}
    # A stranger's file replaces nothing unasked.
    for name, use in (("out", "the model"), ("plot", "the picture"), ("report", "the page")):
        if name not in given and found[name] is not None and not _replaceable(found[name]):
            raise OptionError(f"--{name} {found[name]}, where {path} has {use} go, is there: give --{name} again.")
    return found


def command_to_resume(options: Mapping[str, Any], path: Path) -> str:
    """Return the command that goes on with the run in a file, with the places again of what is there by now."""
    there = [
        (name, options[name]) for name in ("plot", "report") if options[name] is not None and options[name].exists()
    ]
    return " ".join([f"deltaprop fit --resume {path}", *(f"--{name} {place}" for name, place in there)])


def refuse_unfinished(path: Path) -> None:
    """Raise OptionError where a run that has not come to its end would be lost."""
    if unfinished(path):
        raise OptionError(
            f"--checkpoint {path} holds a run that has not come to its end: go on with it by --resume {path}, or "
            "remove it."
        )


def unfinished(path: Path) -> bool:
    """Whether a file holds a run that has not come to its end."""
    from deltaprop.training import run_in

    try:
        run = run_in(path)
    except (ModelFileError, OSError):  # a model, or something else
        return False
    return run is not None and not run.get("done")


def _kept(context: typer.Context, path: Path) -> dict[str, Any]:
    """Return the options in the file of a run, as the command line reads them; its paths as they are from here."""
    from deltaprop.storage import read_model_file

    header = read_model_file(path)[0]
    if "run" not in header:
        raise ModelFileError(f"{path}: holds a model, and no run that could be resumed.")
    command = header.get("command")
    if command is None:
        raise ModelFileError(f"{path}: holds a run that was begun in Python: fit(..., resume=True) goes on with it.")
    try:
        kept = dict(context.command.make_context("fit", _arguments(command, context.params)).params)
    except Exception as error:
        # What the parser of the command line raises has a format_message.
        if not (isinstance(error, ValueError | TypeError | AttributeError) or hasattr(error, "format_message")):
            raise
        raise ModelFileError(f"{path}: its options are not those of this version of deltaprop.") from None
    folder = os.path.dirname(os.path.realpath(path))
    for name in _PATHS:
        if name in command and kept[name] is not None:
            kept[name] = Path(os.path.relpath(os.path.join(folder, kept[name])))
    return kept


def _arguments(command: Mapping[str, Any], known: Mapping[str, Any]) -> list[str]:
    """Return options as they stand on a command line; raise ValueError where they are none of ``known``."""
    if not set(command) <= set(known) - {"checkpoint", "resume"}:
        raise ValueError("options that are not known")
    arguments = []
    for name, value in command.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            arguments.append(option)
        elif name != "table" and value is not None and value is not False:
            arguments += [f"{option}={one}" for one in (value if isinstance(value, list) else [value])]
    return arguments + ([] if command.get("table") is None else ["--", str(command["table"])])


def _replaceable(path: Path) -> bool:
    """Whether nothing is there, or a model file."""
    from deltaprop.storage import read_model_file

    if not path.exists():
        return True
    try:
        read_model_file(path)
    except (ModelFileError, OSError):
        return False
    return True


def _in_words(name: str, value: Any) -> str:
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False or value == []:
        return f"no {option}"
    return option if value is True else f"{option} {printable(','.join(value) if isinstance(value, list) else value)}"
