"""The functions h and E in plain NumPy, and networks with samples: the tests' own side of each comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from deltaprop import Network, textbook
from deltaprop.functions import ACTIVATIONS, LOSSES, check_pair, loss
from formulas import in_numpy, loss_in_numpy

Array = np.ndarray[Any, Any]


def softmax(a: Array) -> Array:
    e = np.exp(a - a.max())
    return e / e.sum()


# The lecture's own and its kin written out, the others by their declared formulas.
H = {name: in_numpy(name)[0] for name, entry in ACTIVATIONS.items() if not entry.output_only} | {
    "identity": lambda a: a,
    "sigmoid": textbook.sigma,
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "softmax": softmax,
}
DH = {name: in_numpy(name)[1] for name, entry in ACTIVATIONS.items() if not entry.output_only} | {
    "identity": np.ones_like,
    "sigmoid": textbook.sigma_prime,
    "tanh": lambda a: 1 / np.cosh(a) ** 2,
    "relu": lambda a: (a > 0).astype(float),
    "softmax": lambda a: np.diag(softmax(a)) - np.outer(softmax(a), softmax(a)),  # ∂z_j/∂a_k
}
E = {name: loss_in_numpy(name)[0] for name in LOSSES} | {
    "log": lambda y, r: -r * np.log(y) - (1 - r) * np.log1p(-y),
    "cross_entropy": lambda y, r: -r * np.log(y),
    "squared_error": lambda y, r: (y - r) ** 2 / 2,
}
DE = {name: loss_in_numpy(name)[1] for name in LOSSES} | {
    "log": lambda y, r: (y - r) / (y * (1 - y)),
    "cross_entropy": lambda y, r: -r / y,
    "squared_error": lambda y, r: y - r,
}


def delta_of(output: str, loss: str) -> Any:
    """δ_o as a function of (a, y, r), by the chain rule alone: no canonical pair."""

    def delta_o(a: Array, y: Array, r: Array) -> Array:
        dE, dy = DE[loss](y, r), DH[output](a)
        return dE @ dy if dy.ndim == 2 else dE * dy

    return delta_o


def pairs() -> list[tuple[str, str]]:
    """Every output and loss that go together."""
    found = []
    for output in ACTIVATIONS.values():
        for entry in LOSSES.values():
            try:
                check_pair(output, entry, 3, where="")
            except ValueError:
                continue
            found.append((output.name, entry.name))
    return found


# The lecture's functions and their kin, which tests of something else try.
LECTURE = ["identity", "sigmoid", "tanh", "relu"]
LECTURE_LOSSES = ["log", "cross_entropy", "squared_error"]
LECTURE_PAIRS = [pair for pair in pairs() if pair[0] in (*LECTURE, "softmax") and pair[1] in LECTURE_LOSSES]


def network(layers: Sequence[int], *, seed: int = 0, **arguments: Any) -> Network:
    """A network whose biases are not 0, with weights that keep a small in wide layers."""
    net = Network(layers, seed=seed, **arguments)
    random = np.random.default_rng(seed)
    for k, W in enumerate(net.W):
        net.W[k] = random.normal(size=W.shape) / np.sqrt(W.shape[0])
        if net.bias:
            net.b[k] = random.normal(size=net.b[k].shape) / 2
    return net


def samples(net: Network, n: int, *, seed: int = 1) -> tuple[Array, Array]:
    """Samples whose numbers the network's dtype holds exactly, in the domain of its loss."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, net.layers[0])).astype(net.dtype)
    n_out = net.layers[-1]
    targets = loss(net.loss, where="test").targets
    R = random.integers(2, size=(n, n_out)).astype(float)
    if targets == "distribution":
        R = np.eye(n_out)[random.integers(n_out, size=n)]
    elif targets == "unit":
        R[::3] = random.uniform(size=R[::3].shape)
    elif targets == "count":
        R = random.integers(4, size=(n, n_out)).astype(float)
    elif targets == "positive":
        R = random.gamma(2, size=(n, n_out)) + 0.1
    elif targets == "real":
        R = random.normal(size=(n, n_out))
    return X, R.astype(net.dtype)


class Oracle:
    """The textbook with a network's functions and a copy of its parameters, in float64."""

    def __init__(self, net: Network) -> None:
        functions = [*net.h, net.output]
        self.loss = net.loss
        self.h = [H[name] for name in functions]
        self.dh = [DH[name] for name in functions]
        self.delta_o = delta_of(net.output, net.loss)
        self.W = [np.array(W, float) for W in net.W]
        self.b = [np.array(b, float) for b in net.b] if net.bias else None

    def passes(self, x: Array, r: Array) -> tuple[list[Array], list[Array], list[Array]]:
        """a, z and δ of one sample."""
        a, z = textbook.forward(self.W, self.b, np.array(x, float), self.h)
        return a, z, textbook.backward(self.W, a, self.delta_o(a[-1], z[-1], np.array(r, float)), self.dh)

    def E(self, X: Array, R: Array) -> Array:
        """E of each sample."""
        return np.array(
            [np.sum(E[self.loss](self.passes(x, r)[1][-1], np.array(r, float))) for x, r in zip(X, R, strict=True)]
        )

    def gradient(self, X: Array, R: Array, weights: Array) -> Array:
        """Σ w ∂E/∂θ over samples, dense, in the order of theta."""
        total = np.zeros_like(self.theta)
        for x, r, w in zip(X, R, weights, strict=True):
            _, z, delta = self.passes(x, r)
            parts = [textbook.gradient(z[l], delta[l]) for l in range(len(self.W))]
            total += w * np.concatenate([p.ravel() for dW, db in parts for p in ((dW, db) if self.b else (dW,))])
        return total

    def descend(self, X: Array, R: Array, eta: float, batch_size: int, weights: Array) -> None:
        """Steps of batch_size samples: θ ← θ − η (1/m) Σ w ∂E/∂θ."""
        for start in range(0, len(X), batch_size):
            part = slice(start, start + batch_size)
            self.theta = self.theta - eta / len(X[part]) * self.gradient(X[part], R[part], weights[part])

    @property
    def theta(self) -> Array:
        layers = zip(self.W, self.b, strict=True) if self.b else ((W,) for W in self.W)
        return np.concatenate([part.ravel() for layer in layers for part in layer])

    @theta.setter
    def theta(self, values: Array) -> None:
        at = 0
        for layer in range(len(self.W)):
            for part in (self.W[layer], self.b[layer]) if self.b else (self.W[layer],):
                part[...] = values[at : at + part.size].reshape(part.shape)
                at += part.size


class Rule:
    """The rules of the optimizers by their formulas, in float64, with what they remember."""

    def __init__(self, name: str, *parameters: float) -> None:
        self.name, self.parameters = name, parameters
        self.M: Any = 0.0
        self.V: Any = 0.0
        self.t = 0

    def step(self, theta: Array, g: Array, eta: float) -> Array:
        """The parameters after a step with gradient g."""
        self.t += 1
        if self.name == "sgd":
            return theta - eta * g
        if self.name == "adam":
            beta1, beta2, epsilon = self.parameters
            self.M = beta1 * self.M + (1 - beta1) * g
            self.V = beta2 * self.V + (1 - beta2) * g**2
            return theta - eta * (self.M / (1 - beta1**self.t)) / (np.sqrt(self.V / (1 - beta2**self.t)) + epsilon)
        (mu,) = self.parameters
        self.V = mu * self.V - eta * g
        return theta + self.V if self.name == "momentum" else theta + mu * self.V - eta * g


def difference(found: Array, expected: Array) -> float:
    """The largest difference, relative to the largest number that was expected."""
    found, expected = np.asarray(found, float), np.asarray(expected, float)
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-300))


TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
