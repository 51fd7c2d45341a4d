"""A run on disk: a model file with more tensors, from which the run goes on to the same bits.

It holds the parameters, what the optimizer remembers, the place in the epoch and its sums, the best epoch so far, the
history, and what the run was called with; written by the rules of the model file, so that the file before is there
until the new one is safe. The order of an epoch follows from (seed, epoch) and needs no place in it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltaprop.arrays import Array, SparseRows
from deltaprop.descent.memory import Pass
from deltaprop.descent.optimizers import optimizer_in
from deltaprop.errors import ModelFileError, ResumeError
from deltaprop.model import Model
from deltaprop.real_numbers import seconds_in
from deltaprop.storage import (
    PathLike,
    check_place,
    finite_json,
    read_model_file,
    rebuilt,
    restored_json,
    write_model_file,
)
from deltaprop.training.history import History

_SECONDS = 60.0
_OTHERS = {"samples": "other samples", "table": "another table, or one whose columns are read otherwise"}


@dataclass
class Run:
    """What of a run changes, beside the model.

    Attributes
    ----------
    first : int
        The epoch that it began with.
    before : ndarray
        theta, dense, at the start of the present epoch.
    at : Pass
        Where in it the run stands.
    history : History
    best, schedule, averages : mapping
        What `BestEpoch`, the schedule of η and the average remember.
    done : bool
        Whether it has come to its end.
    """

    first: int
    before: Array
    at: Pass
    history: History
    best: Mapping[str, Any]
    schedule: Mapping[str, Any]
    averages: Mapping[str, Array]
    done: bool


@dataclass(frozen=True)
class Around:
    """What surrounds the network of a run where it is part of something larger.

    Attributes
    ----------
    header : callable
        history ↦ what the file of the run says beside the network and the run, JSON-able.
    digest : str
        What tells it from others: a run goes on where this is the same.
    rows : callable, optional
        The numbers of samples ↦ their x and r, where a record counts its samples otherwise than the run does.
    """

    header: Callable[[History], Mapping[str, Any]]
    digest: str
    rows: Callable[[Sequence[int]], tuple[Array, Array]] | None = None


class Checkpoint:
    """Where a run is written, and when.

    Parameters
    ----------
    path : path-like
    every : int or str
        Epochs, or seconds as ``"30s"``.
    called_with : mapping
        What the run was called with, JSON-able, and a digest of its samples.
    where : str
        Whose arguments they are, for messages.
    around : Around, optional
    """

    def __init__(
        self, path: PathLike, every: Any, called_with: Mapping[str, Any], where: str, around: Around | None = None
    ) -> None:
        self.path, self.called_with, self.where, self._around = path, dict(called_with), where, around
        if around is not None:
            self.called_with["table"] = around.digest
        self._epochs, self._seconds = _often(every, where)
        self._written, self._epochs_since = time.monotonic(), 0
        if isinstance(path, bool) or not isinstance(path, str | os.PathLike):
            raise TypeError(f"{where}: checkpoint needs the name of a file; got {path!r}.")
        if "\0" in os.fspath(path):
            raise ValueError(f"{where}: checkpoint: no file can have the name {path!r}.")
        check_place(path)

    def refuse_loss(self) -> None:
        """Raise ValueError where a run that has not come to its end, or a stranger's file, would be lost."""
        if not os.path.isfile(self.path) or os.path.getsize(self.path) == 0:
            return
        try:
            run = read_model_file(self.path)[0].get("run")
        except ModelFileError as error:
            raise ValueError(f"{self.where}: checkpoint: there is a file that is no run: {error}") from None
        if run is None:
            raise ValueError(
                f"{self.where}: checkpoint: {self.path} holds a model, which would be lost; name another file."
            )
        if isinstance(run, dict) and not run.get("done"):
            raise ValueError(
                f"{self.where}: {self.path} holds a run that has not come to its end: go on with it by resume=True, or "
                "remove it."
            )

    def due(self, *, epoch_done: bool) -> bool:
        """Whether it is time to write."""
        self._epochs_since += epoch_done
        if self._seconds is not None:
            return time.monotonic() - self._written >= self._seconds
        return epoch_done and self._epochs is not None and self._epochs_since >= self._epochs

    def write(self, model: Model, run: Run) -> None:
        """Write the run as it stands.

        Raises
        ------
        OSError
            If it cannot be written; the file before is as it was, and the training could go on.
        """
        state = model.__getstate__()
        tensors = {"theta": state["theta"], "before": run.before}
        tensors |= {f"state{k}": values for k, values in enumerate(state["states"])}
        tensors |= {f"average {name}": values for name, values in run.averages.items()}
        best = dict(run.best)
        if (kept := best.pop("theta")) is not None:
            tensors["best"] = kept
        if run.history.eta_steps:
            tensors["eta of steps"] = np.array(run.history.eta_steps, np.float64)
        header = {
            **({"kind": "network"} if self._around is None else self._around.header(run.history)),
            "network": model.description(),
            "run": {
                "called with": finite_json(self.called_with),
                "first": run.first,
                "at": [run.at.samples, run.at.E, run.at.weight],
                "optimizer": str(state["optimizer"]),
                "steps": state["steps"],
                "numbers": finite_json(state["numbers"]),
                "best": finite_json(best),
                "schedule": finite_json(run.schedule),
                "history": run.history.as_json(),
                "done": run.done,
            },
        }
        self._written, self._epochs_since = time.monotonic(), 0  # where it fails, too: it is tried again when it is due
        write_model_file(self.path, header, tensors)

    def read(self, model: Model) -> Run | None:
        """Give a model the state of the run that is written there; return the rest, None where there is no file.

        Raises
        ------
        ModelFileError
            If the file is no run, or damaged.
        ResumeError
            If the run was of another network, of other samples, or called with something else; nothing has changed.
        """
        if not os.path.exists(self.path):
            return None
        header, tensors = read_model_file(self.path)
        written = _run_of(header, self.path)
        network = {key: value for key, value in header["network"].items() if key not in ("epoch", "presented")}
        if network != model.config():
            raise ResumeError(f"{self.where}: the run in {self.path} is of another network: {network}.")
        for name, value in restored_json(written["called with"]).items():
            own = self.called_with.get(name)
            if own != value:
                what = _OTHERS.get(name) or f"{name}={value!r}, and here it is {own!r}"
                raise ResumeError(f"{self.where}: the run in {self.path} was called with {what}.")
        state, run = rebuilt(self.path, lambda: _parts_of(header, written, tensors, model, self.where))
        model.take_state(state)
        return run


def _parts_of(
    header: Mapping[str, Any], written: Mapping[str, Any], tensors: Mapping[str, Array], model: Model, where: str
) -> tuple[dict[str, Any], Run]:
    """Return the state of a network and the rest of a run; raise what a file of other parts may bring about."""
    network, (samples, E, weight) = header["network"], written["at"]
    history = History.from_json(written["history"])
    history.eta_steps = list(tensors.get("eta of steps", ()))
    state = {
        "epoch": network["epoch"],
        "presented": network.get("presented", 0),
        "theta": tensors["theta"],
        "optimizer": optimizer_in(written["optimizer"], where=where, dtype=model.dtype),
        "states": [tensors[f"state{k}"] for k in range(sum(name.startswith("state") for name in tensors))],
        "steps": written["steps"],
        "numbers": restored_json(written["numbers"]),
    }
    run = Run(
        first=written["first"],
        before=tensors["before"],
        at=Pass(samples, E, weight),
        history=history,
        best={**restored_json(written["best"]), "theta": tensors.get("best")},
        schedule=restored_json(written["schedule"]),
        averages={k.removeprefix("average "): v for k, v in tensors.items() if k.startswith("average ")},
        done=written["done"],
    )
    if run.before.shape != (model.n_parameters,) or state["theta"].shape != (model.n_parameters,):
        raise ValueError("the parameters are not the network's")
    return state, run


def run_in(path: PathLike) -> dict[str, Any] | None:
    """Return what a run on disk says of itself; None where there is no file.

    Raises
    ------
    ModelFileError
        If the file is no run, or damaged.
    """
    return _run_of(read_model_file(path)[0], path) if os.path.exists(path) else None


def _run_of(header: Mapping[str, Any], path: PathLike) -> dict[str, Any]:
    run = header.get("run")
    if not isinstance(run, dict):
        raise ModelFileError(f"{path}: holds a model, and no run that could be resumed.")
    return run


def digest(samples: tuple[Any, Array, Array | None], held_out: tuple[Any, Array, Array | None] | None) -> str:
    """Return what tells the samples of a run from others."""
    sum_ = hashlib.blake2b(digest_size=16)
    for part in (*samples, *(held_out or ())):
        arrays = (part.starts, part.columns, part.values) if isinstance(part, SparseRows) else (part,)
        for array in arrays:
            if array is not None:
                sum_.update(repr((array.shape, array.dtype.str)).encode())
                sum_.update(np.ascontiguousarray(array).data)
    return sum_.hexdigest()


def written_out(value: Any) -> Any:
    """Return an argument as a run keeps it: numbers and texts as they are, functions by their name alone."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    try:
        return json.loads(json.dumps(value))
    except TypeError:
        return str(value) if not callable(value) or hasattr(value, "formula") else getattr(value, "__qualname__", "?")


def _often(every: Any, where: str) -> tuple[int | None, float | None]:
    what = f"{where}: checkpoint_every needs to be epochs, as 5, or a time, as '30s' or '5m'"
    if every is None:
        return None, _SECONDS
    if isinstance(every, str):
        seconds = seconds_in(every) if every.strip()[-1:].isalpha() else math.nan
        if not 0 <= seconds < math.inf:
            raise ValueError(f"{what}; got {every!r}.")
        return None, seconds
    if isinstance(every, bool) or not isinstance(every, int | np.integer):
        raise TypeError(f"{what}; got {every!r}.")
    if every < 1:
        raise ValueError(f"{what}; got {every!r}.")
    return int(every), None
