"""Formulas against PyTorch's automatic differentiation, float64: random ones, and losses from textbooks."""

from typing import Any

import numpy as np
import pytest
import torch

from deltaprop import Network
from problems import network

_TORCH: dict[str, Any] = {
    name: getattr(torch, name)
    for name in ("abs", "atan", "cos", "erf", "exp", "log", "relu", "sigmoid", "sin", "sqrt", "tanh", "where")
} | {"softplus": torch.nn.functional.softplus, "max": lambda x, y: torch.maximum(x, torch.as_tensor(y, dtype=x.dtype))}

_UNARY = ["tanh({})", "sigmoid({})", "softplus({})", "sin({})", "cos({})", "atan({})", "erf({})", "abs({})", "relu({})",
          "sqrt(1 + ({})**2)", "log(1 + ({})**2)", "exp(-({})**2)", "exp(-abs({}))", "-({})", "1 / (1 + ({})**2)",
          "({})**2 / 4", "({})**3 / 9", "exp(tanh({}))"]  # fmt: skip
_BINARY = ["({}) + ({})", "({}) - ({})", "({}) * ({})", "({}) / (2 + cos({}))", "max({}, {})",
           "where(({}) > ({}), a, a / 3)"]  # fmt: skip


def random_formula(rng: np.random.Generator, depth: int) -> str:
    """A formula of a that is finite everywhere."""
    if not depth:
        return str(rng.choice(["a", "a", "0.7 * a", "a - 0.3"]))
    if rng.random() < 0.6:
        return str(rng.choice(_UNARY)).format(random_formula(rng, depth - 1))
    return str(rng.choice(_BINARY)).format(random_formula(rng, depth - 1), random_formula(rng, depth - 1))


def compare(net: Network, R: np.ndarray, h: Any, output: Any, E: Any) -> None:
    """E and the gradient of a network of two layers, ours and by automatic differentiation."""
    X = np.random.default_rng(1).normal(size=(len(R), net.layers[0]))
    layers = [
        tuple(torch.tensor(p.copy(), requires_grad=True) for p in pair) for pair in zip(net.W, net.b, strict=True)
    ]
    (W, b), (V, c) = layers
    mean = E(output(h(torch.tensor(X) @ W + b) @ V + c), torch.tensor(R)).sum(1).mean()
    mean.backward()
    expected = np.concatenate([p.grad.numpy().ravel() for pair in layers for p in pair])
    np.testing.assert_allclose(net.E(X, R), mean.item(), rtol=1e-11)
    np.testing.assert_allclose(net.gradient(X, R), expected, rtol=1e-8, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("seed", range(150))
def test_random_activations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    text = random_formula(rng, int(rng.integers(1, 5)))
    net = network([3, 6, 2], h=text, output="identity", loss="squared_error")
    R = rng.normal(size=(20, 2))

    def h(a: torch.Tensor) -> torch.Tensor:
        return eval(text, {"__builtins__": {}}, {**_TORCH, "a": a}) + 0 * a  # written above

    compare(net, R, h, lambda a: a, lambda y, r: (y - r) ** 2 / 2)


LOSSES = {
    "quartic": "(y - r)**4 / 4",
    "Cauchy": "log(1 + (y - r)**2) / 2",
    "pseudo-Huber": "sqrt(1 + (y - r)**2) - 1",
    "Welsch": "1 - exp(-(y - r)**2 / 2)",
    "Geman and McClure": "(y - r)**2 / (1 + (y - r)**2) / 2",
    "Tukey": "where(abs(y - r) < 2, (1 - (1 - (y - r)**2 / 4)**3) / 6, 0 * y + 1 / 6)",
    "linex": "exp((y - r) / 2) - (y - r) / 2 - 1",
    "relative": "((y - r) / (1 + abs(r)))**2",
    "insensitive": "max(abs(y - r) - 0.1, 0)",
    "expectile": "where(y < r, 0.9 * (y - r)**2, 0.1 * (y - r)**2)",
}
OF_PROBABILITIES = {
    "focal of one class": "-r * (1 - y)**2 * log(y)",
    "polynomial": "-r * log(y) + 1 - r * y",
    "Brier": "(y - r)**2",
    "soft Dice": "1 - (2 * y * r + 1) / (y + r + 1)",
    "generalised": "r * (1 - y**0.7) / 0.7",
    "Hellinger": "(sqrt(y) - sqrt(r))**2 / 2",
}


@pytest.mark.parametrize("text", LOSSES.values(), ids=LOSSES)
def test_losses_of_quantities(text: str) -> None:
    net = network([3, 6, 2], h="tanh", output="identity", loss=text)
    R = np.random.default_rng(0).normal(size=(20, 2))
    compare(net, R, torch.tanh, lambda a: a, lambda y, r: eval(text, {"__builtins__": {}}, {**_TORCH, "y": y, "r": r}))


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("text", OF_PROBABILITIES.values(), ids=OF_PROBABILITIES)
def test_losses_of_probabilities(text: str, output: str) -> None:
    net = network([3, 6, 4], h="tanh", output=output, loss=text)
    R = np.random.default_rng(0).dirichlet(np.ones(4), 20)
    last = torch.sigmoid if output == "sigmoid" else lambda a: torch.softmax(a, 1)
    compare(net, R, torch.tanh, last, lambda y, r: eval(text, {"__builtins__": {}}, {**_TORCH, "y": y, "r": r}))
