"""The peers, one module each, all of the same small interface; one that is not installed is skipped by name."""

from __future__ import annotations

import importlib
from typing import Any, Protocol

from side_by_side.task import Array, Task


class Prepared(Protocol):
    """A peer that stands at the task's start, compiled and with its data in its own form."""

    def run(self) -> None:
        """One pass over the samples in their order, from where the parameters stand; returns when it is done."""

    def parameters(self) -> tuple[list[Array], list[Array]]:
        """W (n_in, n_out) and b of each layer."""


class Peer(Protocol):
    """What each module offers."""

    NAME: str
    VERSION: str

    def nearest(self, task: Task) -> Task | None:
        """The task itself, or the nearest that this peer can do with as many operations; None where there is none."""

    def prepare(self, task: Task, X: Array, R: Array) -> Prepared:
        """Everything that is not part of a pass."""


def load(*modules: str) -> tuple[list[Any], dict[str, str]]:
    """The peers that are installed, and of the others why not."""
    found, missing = [], {}
    for module in modules:
        try:
            found.append(importlib.import_module(f"peers.{module}"))
        except ImportError as error:
            missing[module] = str(error)
            print(f"skipped: {module}: {error}")
    for peer in found:
        print(f"peer: {peer.NAME} {peer.VERSION}")
    return found, missing
