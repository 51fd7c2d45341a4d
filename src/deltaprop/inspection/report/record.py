"""What a page holds of the engine: traces of samples in one or several states, as text that gives back every bit."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.inspection.trace import LayerTrace, Trace, trace
from deltaprop.model import Model

LITTLE = 4 * 2**20  # bytes of numbers that a page has where nobody says how many samples
MOST = 24 * 2**20  # bytes that it may have at all
_OF_A_SAMPLE = ("a", "z", "dh", "delta", "dW", "db", "W_after", "b_after", "change_W", "change_b")
_OF_A_STATE = ("W", "b", "dW_penalty")

Parts = list[tuple[str, Array]]


@dataclass(frozen=True)
class Recorded:
    """A network at one moment of its training, and what it does with each of the samples.

    Attributes
    ----------
    label : str
        What people call the moment.
    eta : float
    traces : tuple of Trace
        One for each sample, with the step that an update by this sample alone would be.
    """

    label: str
    eta: float
    traces: tuple[Trace, ...]


def recorded(label: str, model: Model, eta: float, samples: Sequence[tuple[Array, Any]], **names: Any) -> Recorded:
    """Return the traces of samples (x, r), each with its own step of η, by the network without dropout and noise."""
    plain = model.without_draws()
    return Recorded(label, eta, tuple(trace(plain, x, r, eta=eta, **names) for x, r in samples))


def size_of(model: Model) -> tuple[int, int]:
    """Return about how many bytes of text a state takes, and how many a sample in it.

    Examples
    --------
    >>> size_of(Model([2, 2, 1]))    # 9 parameters; x, r, E, 3 units' a, z, h′, δ and 3 times the parameters
    (96, 459)
    """
    units = sum(model.layers[1:])
    numbers = model.layers[0] + model.layers[-1] + 1 + 4 * units + 3 * model.n_parameters
    penalties = bool(model.l2 or model.l1) * sum(W.size for W in model.W)
    one = model.dtype.itemsize * 4 / 3
    return round(one * (model.n_parameters + penalties)), round(one * numbers)


def packed(states: Sequence[Recorded]) -> dict[str, Any]:
    """Return states as a JSON-able record: every number in the network's own dtype, its bytes in base64."""
    first = states[0].traces[0]
    return {
        "dtype": first.layers[0].W.dtype.name,
        "stateParts": _sizes(_of_state(first)),
        "sampleParts": _sizes(_of_sample(first)),
        "states": [
            {
                "label": state.label,
                "eta": state.eta,
                "numbers": _text(_of_state(state.traces[0])),
                "largest": [_largest(layer.W) for layer in state.traces[0].layers],
                "E": _base64(np.array([t.E for t in state.traces], "<f8")),
                "samples": [_text(_of_sample(t)) for t in state.traces],
            }
            for state in states
        ],
    }


def _of_state(t: Trace) -> Parts:
    return list(_of_layers(t, _OF_A_STATE))


def _of_sample(t: Trace) -> Parts:
    return [("x", t.x), ("r", t.r), *_of_layers(t, _OF_A_SAMPLE)]


def _of_layers(t: Trace, names: Iterable[str]) -> Iterable[tuple[str, Array]]:
    """Yield arrays of each layer by name, ``a:1`` of the first; softmax's Jacobian is in no step, and left out."""
    for k, layer in enumerate(t.layers, start=1):
        for name in names:
            values = getattr(layer, name)
            if values is not None and not (name == "dh" and _is_jacobian(layer)):
                yield f"{name}:{k}", values


def _largest(W: Array) -> float:
    """Return the largest |w|, by which the lines of a layer are drawn; 1 where that is no length."""
    largest = float(abs(W).max())
    return largest if 0 < largest < np.inf else 1.0


def _is_jacobian(layer: LayerTrace) -> bool:
    return layer.dh.ndim > layer.a.ndim


def _sizes(parts: Parts) -> list[tuple[str, int]]:
    return [(name, values.size) for name, values in parts]


def _text(parts: Parts) -> str:
    numbers = np.concatenate([values.ravel() for _, values in parts])
    return _base64(numbers.astype(numbers.dtype.newbyteorder("<")))


def _base64(numbers: Array) -> str:
    return base64.b64encode(numbers.tobytes()).decode()
