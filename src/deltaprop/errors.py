"""The errors that deltaprop raises beyond Python's own, and the words they share."""

from __future__ import annotations

import difflib
import importlib
import sys
import warnings
from collections.abc import Iterable
from typing import Any


class ModelFileError(ValueError):
    """A file that is no model file, is damaged, or was written by a newer version."""


class TableError(ValueError):
    """A table, a column or a target that cannot be used; the message is one line for its owner."""


class FormulaError(ValueError):
    """A text that is no formula, or one that cannot be differentiated or is too large; the message says where."""


class OptionError(ValueError):
    """An option of the command line that cannot be used; the message names it."""


class ResumeError(ValueError):
    """A run on disk that is of other samples or another network, or was called with something else."""


class DivergenceError(ArithmeticError):
    """Training met a value that is not finite; the message names epoch, layer and quantity."""


class NotFittedError(ValueError, AttributeError):
    """A model that has to be fitted first; ValueError and AttributeError, as scikit-learn's."""


class MissingExtraError(ImportError):
    """An optional package is missing; the message names the extra that brings it."""


def warn(message: str) -> None:
    """Warn at the line outside this package from which it was called."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("deltaprop."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known name closest to ``name``, or an empty string.

    Examples
    --------
    >>> did_you_mean("sigmiod", ["sigmoid", "tanh"])
    " Did you mean 'sigmoid'?"
    >>> did_you_mean("cosine", ["sigmoid", "tanh"])
    ''
    """
    close = difflib.get_close_matches(str(name), list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def optional(module: str, extra: str | None = None) -> Any:
    """Return an optional module, imported now; raise MissingExtraError, with what to install, where it is missing.

    That is the extra, or the package itself where no extra has it.

    Examples
    --------
    >>> optional("no_such_module", "table")
    Traceback (most recent call last):
    ...
    deltaprop.errors.MissingExtraError: no_such_module is not installed. Install it with: pip install 'deltaprop[table]'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if error.name != package:
            raise
        what = package if extra is None else f"'deltaprop[{extra}]'"
        message = f"{package} is not installed. Install it with: pip install {what}"
        raise MissingExtraError(message) from None
