"""What a person sees while a network trains: a bar on a terminal, a line now and then elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol, Self

from deltaprop.terminal import say

_LINE_SECONDS = 5.0  # between two lines where there is no terminal


class Progress(Protocol):
    """A context that is told of samples presented and of epochs done."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *error: object) -> None: ...
    def go_on(self, done: int) -> None:
        """Begin where so many epochs are done already."""

    def presented(self, samples: int, n: int) -> None:
        """Show that so many of the epoch's n samples have been presented."""

    def epoch_done(self, epoch: int, E: float, E_validation: float | None) -> None:
        """Show that an epoch ended with this E."""


class _Silent:
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def go_on(self, done: int) -> None:
        return None

    def presented(self, samples: int, n: int) -> None:
        return None

    def epoch_done(self, epoch: int, E: float, E_validation: float | None) -> None:
        return None


def _words(epoch: int, E: float, E_validation: float | None) -> str:
    validation = "" if E_validation is None else f"  E_validation {_short(E_validation)}"
    return f"epoch {epoch}  E {_short(E)}{validation}"


def _short(E: float) -> str:
    return f"{E:.6f}" if E < 1e6 else f"{E:.6g}"


class _Lines(_Silent):
    """The first epoch, the last, and whatever comes some seconds after the line before."""

    def __init__(self) -> None:
        self._next = 0.0
        self._unsaid = ""

    def __exit__(self, *error: object) -> None:
        self._print()

    def epoch_done(self, epoch: int, E: float, E_validation: float | None) -> None:
        self._unsaid = _words(epoch, E, E_validation)
        if time.monotonic() >= self._next:
            self._print()
            self._next = time.monotonic() + _LINE_SECONDS

    def _print(self) -> None:
        if self._unsaid:
            say(self._unsaid)
            self._unsaid = ""


class _Bar(_Silent):
    def __init__(self, epochs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=epochs)
        self._done = 0

    def __enter__(self) -> Self:
        self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if error[0] is None:
            self._bar.update(self._task, total=self._done)  # training may stop before the last epoch
        self._bar.__exit__(*error)

    def go_on(self, done: int) -> None:
        self._done = done
        self._bar.update(self._task, completed=done)

    def presented(self, samples: int, n: int) -> None:
        self._bar.update(self._task, completed=self._done + samples / n)

    def epoch_done(self, epoch: int, E: float, E_validation: float | None) -> None:
        self._done += 1
        self._bar.update(self._task, completed=self._done, description=_words(epoch, E, E_validation))


def progress(verbose: bool, epochs: int) -> Progress:
    """Return what shows ``epochs`` epochs: on standard error, so that standard output stays clean."""
    if not verbose:
        return _Silent()
    return _Bar(epochs) if sys.stderr.isatty() else _Lines()
