"""Every optimizer is its equations: those of the declaration, worked out in NumPy, beside the engine's steps."""

from typing import Any

import numpy as np
import pytest

from deltaprop import Network
from deltaprop.descent.optimizers import OPTIMIZERS, STEP_RULES, Optimizer
from deltaprop.functions.formulas import evaluate, parse
from deltaprop.functions.formulas.program import compiled
from problems import difference, network, samples

RULES = list(STEP_RULES.values())
OTHERS = {"mu": 0.7, "rho": 0.8, "beta1": 0.6, "beta2": 0.9, "epsilon": 1e-3, "psi": 0.3, "decay": 0.2}
VARIED = [entry(**{p.name: OTHERS[p.name] for p in entry.parameters}) for entry in RULES if entry.parameters]


class ByEquations:
    """θ by a declaration's equations, one after the other, in float64; biases do not decay."""

    def __init__(self, entry: Optimizer, net: Network) -> None:
        is_weight = np.concatenate(
            [np.r_[np.ones(W.size), np.zeros(0 if b is None else b.size)] for W, b in zip(net.W, net.b, strict=True)]
        )
        self.entry, self.t = entry, 0
        self.values: dict[str, Any] = {p.name: v for p, v in zip(entry.parameters, entry.numbers, strict=True)}
        if "decay" in self.values:
            self.values["decay"] = self.values["decay"] * is_weight
        self.values |= {name: np.zeros(net.n_parameters) for name, _ in entry.steps if name != "w"}
        self.values |= {"w": net.theta.astype(np.float64)} | ({"P": 1.0} if "P" in self.values else {})

    def step(self, g: np.ndarray, eta: float) -> np.ndarray:
        self.t += 1
        self.values |= {"g": g, "eta": eta, "t": float(self.t)}
        for name, right in self.entry.steps:
            inputs = list(self.values)
            numbers = np.broadcast_arrays(*self.values.values(), np.empty(g.size))[:-1]
            program = compiled(parse(right, inputs, self.entry.name), inputs)
            (self.values[name],) = evaluate(program, *(x.astype(np.float64) for x in numbers))
        return self.values["w"]


@pytest.mark.parametrize("entry", [*RULES, *VARIED], ids=str)
@pytest.mark.parametrize(("dtype", "bound"), [("float64", 1e-12), ("float32", 3e-5)])
@pytest.mark.parametrize("batch_size", [1, 6])
def test_fifty_steps_by_the_equations(
    entry: Optimizer, dtype: str, bound: float, batch_size: int, instruction_set: str
) -> None:
    net = network([4, 5, 3], h="tanh", output="identity", loss="squared_error", dtype=dtype)
    X, R = samples(net, 6)
    # Where the first steps only have the sign of g, what the gradient's rounding is worth shows in float32.
    oracle, same = ByEquations(entry, net), Network.from_description(net.description(), net.theta)
    etas = 0.02 * (1 + np.cos(np.arange(50)))
    for n, eta in enumerate(etas):
        rows = slice(None) if batch_size > 1 else slice(n % 6, n % 6 + 1)
        same.theta = oracle.values["w"]
        expected = oracle.step(same.gradient(X[rows], R[rows]).astype(np.float64), float(eta))
        net.descend(X[rows], R[rows], float(eta), batch_size=batch_size, optimizer=entry, online_block=1)
    assert np.isfinite(expected).all()
    assert difference(net.theta, expected) < bound


def test_every_declaration_is_complete() -> None:
    for entry in OPTIMIZERS.values():
        assert entry.source
        assert entry.word
        assert entry.steps[-1][0] == "w" or entry.name == "lion" or entry.full_batch


@pytest.mark.parametrize("entry", RULES, ids=str)
def test_the_steps_of_no_gradient_are_none(entry: Optimizer) -> None:
    """A dead network stays where it is, and nothing is 0 / 0."""
    net = Network([3, 4, 2], h="relu", output="identity", loss="squared_error")
    net.theta = np.zeros(net.n_parameters)
    net.descend(np.ones((20, 3)), np.zeros((20, 2)), 0.1, optimizer=entry)
    assert not net.theta.any()
