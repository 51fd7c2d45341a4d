"""Against PyTorch, float64: E, gradients and 50 steps of sgd for every h × output × loss; the other optimizers."""

from typing import Any

import numpy as np
import pytest
import torch

from deltaprop import (
    Adam,
    AdamW,
    AMSGrad,
    Momentum,
    MomentumOutside,
    Nadam,
    Nesterov,
    NesterovOutside,
    Network,
    RMSprop,
)
from deltaprop.descent.schedules import rates
from deltaprop.functions import ACTIVATIONS, LOSSES
from problems import LECTURE, LECTURE_LOSSES, LECTURE_PAIRS, difference, network, pairs, samples

F = torch.nn.functional
H = {
    "identity": lambda a: a,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "softmax": lambda a: torch.softmax(a, dim=1),
    "arctan": torch.atan,
    "celu": F.celu,
    "celu:alpha=2.5": lambda a: F.celu(a, 2.5),
    "elu": F.elu,
    "elu:alpha=0.7": lambda a: F.elu(a, 0.7),
    "exp": torch.exp,
    "gaussian": lambda a: torch.exp(-(a**2)),
    "gelu": F.gelu,
    "gelu_tanh": lambda a: F.gelu(a, approximate="tanh"),
    "hard_sigmoid": lambda a: torch.clamp(a + 3, 0, 6) / 6,  # F.hardsigmoid has 1/6 in float32, whatever the dtype
    "hard_swish": F.hardswish,
    "hard_tanh": F.hardtanh,
    "leaky_relu": F.leaky_relu,
    "leaky_relu:slope=0.3": lambda a: F.leaky_relu(a, 0.3),
    "lecun_tanh": lambda a: 1.7159 * torch.tanh(2 * a / 3),
    "log_sigmoid": F.logsigmoid,
    "mish": F.mish,
    "relu6": F.relu6,
    "selu": F.selu,
    "silu": F.silu,
    "sine": torch.sin,
    "softplus": lambda a: F.softplus(a, threshold=700),
    "softsign": F.softsign,
    "squareplus": lambda a: (a + torch.sqrt(a**2 + 4)) / 2,
}
QS = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
E = {
    "log": lambda y, r: torch.nn.functional.binary_cross_entropy(y, r, reduction="none").sum(1),
    "cross_entropy": lambda y, r: -(r * y.log()).sum(1),
    "squared_error": lambda y, r: ((y - r) ** 2).sum(1) / 2,
    "absolute_error": lambda y, r: F.l1_loss(y, r, reduction="none").sum(1),
    "huber": lambda y, r: F.huber_loss(y, r, reduction="none").sum(1),
    "huber:delta=0.3": lambda y, r: F.huber_loss(y, r, reduction="none", delta=0.3).sum(1),
    "log_cosh": lambda y, r: torch.log(torch.cosh(y - r)).sum(1),
    "quantile": lambda y, r: F.l1_loss(y, r, reduction="none").sum(1) / 2,
    "quantile:q=0.8": lambda y, r: torch.maximum(0.8 * (r - y), -0.2 * (r - y)).sum(1),
    "quantile:q=0.1,0.5,0.9": lambda y, r: torch.maximum(QS * (r - y), (QS - 1) * (r - y)).sum(1),
    "poisson": lambda y, r: F.poisson_nll_loss(y, r, log_input=False, eps=0, reduction="none").sum(1),
    "gamma": lambda y, r: (y.log() + r / y).sum(1),
    "tweedie": lambda y, r: (2 * y.sqrt() + 2 * r / y.sqrt()).sum(1),
    "hinge": lambda y, r: F.relu(1 - (2 * r - 1) * y).sum(1),
    "squared_hinge": lambda y, r: (F.relu(1 - (2 * r - 1) * y) ** 2).sum(1),
    "focal": lambda y, r: -(r * (1 - y) ** 2 * y.log() + (1 - r) * y**2 * torch.log1p(-y)).sum(1),
    "kl": lambda y, r: F.kl_div(y.log(), r, reduction="none").sum(1),
    "cross_entropy:label_smoothing=0.2": lambda y, r: F.cross_entropy(
        y.log(), r, reduction="none", label_smoothing=0.2
    ),
}
HIDDEN = [name for name in H if name != "softmax"]
CASES = [(h, *pair) for h in HIDDEN for pair in pairs() if pair[1] in LECTURE_LOSSES]
CASES += [("tanh", *pair) for pair in pairs() if pair[1] not in LECTURE_LOSSES]
CASES += [("tanh", "identity", loss) for loss in E if loss.startswith(("huber:", "quantile:"))]
CASES += [("tanh", "softmax", "cross_entropy:label_smoothing=0.2")]
STEPS = [(h, *pair) for h in LECTURE for pair in LECTURE_PAIRS] + [(h, "sigmoid", "log") for h in HIDDEN]
STEPS += [("tanh", LOSSES[loss.partition(":")[0]].canonical, loss) for loss in E if loss not in LECTURE_LOSSES]


def test_no_function_is_left_out() -> None:
    assert {name.partition(":")[0] for name in H} == set(ACTIVATIONS)
    assert {name.partition(":")[0] for name in E} == set(LOSSES)


class Peer:
    """The same network in PyTorch, beginning with the same parameters."""

    def __init__(self, net: Network) -> None:
        self.layers = [
            (torch.tensor(W.copy(), requires_grad=True), torch.tensor(b.copy(), requires_grad=True))
            for W, b in zip(net.W, net.b, strict=True)
        ]
        self.functions, self.loss = [*net.h, net.output], net.loss

    @property
    def parameters(self) -> list[torch.Tensor]:
        return [parameter for layer in self.layers for parameter in layer]

    def E(self, X: np.ndarray, R: np.ndarray) -> torch.Tensor:
        z = torch.tensor(X)
        for (W, b), h in zip(self.layers, self.functions, strict=True):
            z = H[h](z @ W + b)
        return E[self.loss](z, torch.tensor(R))

    def dense(self, tensors: list[torch.Tensor]) -> np.ndarray:
        return np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors])


def begun(h: str, output: str, loss: str) -> Network:
    net = network([5, 8, 6, 3], h=h, output=output, loss=loss)
    if h == "exp":  # of exp
        net.theta = net.theta / 4
    return net


@pytest.mark.parametrize(("h", "output", "loss"), CASES)
def test_E_and_gradient(h: str, output: str, loss: str) -> None:
    net = begun(h, output, loss)
    X, R = samples(net, 20)
    weights = np.random.default_rng(0).uniform(0, 2, 20)
    peer = Peer(net)
    mean = (peer.E(X, R) * torch.tensor(weights)).sum() / weights.sum()
    mean.backward()
    np.testing.assert_allclose(net.E(X, R, weights), mean.item(), rtol=1e-12)
    expected = peer.dense([parameter.grad for parameter in peer.parameters])
    np.testing.assert_allclose(net.gradient(X, R, weights), expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize(("h", "output", "loss"), STEPS)
def test_fifty_steps_of_sgd(h: str, output: str, loss: str, batch_size: int) -> None:
    net = begun(h, output, loss)
    X, R = samples(net, 50 * batch_size)
    peer = Peer(net)
    sgd = torch.optim.SGD(peer.parameters, lr=0.02)
    for start in range(0, len(X), batch_size):
        sgd.zero_grad()
        peer.E(X[start : start + batch_size], R[start : start + batch_size]).mean().backward()
        sgd.step()
    net.descend(X, R, 0.02, batch_size=batch_size)
    np.testing.assert_allclose(net.theta, peer.dense(peer.parameters), rtol=1e-9, atol=1e-12)


# PyTorch's momentum has η outside V, which is the same as momentum and nesterov as long as η stays.
OPTIMIZERS = {
    "momentum": (Momentum(0.9), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
    "nesterov": (Nesterov(0.8), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.8, nesterov=True)),
    "adam": (Adam(), lambda p: torch.optim.Adam(p, lr=0.01)),
    "adam with its own": (Adam(0.8, 0.99, 1e-3), lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.8, 0.99), eps=1e-3)),
    "momentum_outside": (MomentumOutside(0.9), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
    "nesterov_outside": (NesterovOutside(), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9, nesterov=True)),
    "adagrad": ("adagrad", lambda p: torch.optim.Adagrad(p, lr=0.01)),
    "rmsprop": ("rmsprop", lambda p: torch.optim.RMSprop(p, lr=0.01)),
    "rmsprop with its own": (RMSprop(0.7, 1e-3), lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.7, eps=1e-3)),
    "adadelta": ("adadelta", lambda p: torch.optim.Adadelta(p, lr=0.01)),
    "amsgrad": ("amsgrad", lambda p: torch.optim.Adam(p, lr=0.01, amsgrad=True)),
    "amsgrad with its own": (
        AMSGrad(0.7, 0.8, 1e-3),
        lambda p: torch.optim.Adam(p, lr=0.01, betas=(0.7, 0.8), eps=1e-3, amsgrad=True),
    ),
    "nadam": ("nadam", lambda p: torch.optim.NAdam(p, lr=0.01)),
    "nadam with its own": (
        Nadam(0.8, 0.95, 1e-4, 0.1),
        lambda p: torch.optim.NAdam(p, lr=0.01, betas=(0.8, 0.95), eps=1e-4, momentum_decay=0.1),
    ),
    "adamw": (AdamW(decay=0.1), lambda p: torch.optim.AdamW(decaying(p, 0.1), lr=0.01)),
}


def decaying(parameters: list[Any], decay: float) -> list[dict[str, Any]]:
    """Groups of PyTorch's in which the weights decay and the biases do not."""
    weights, biases = ([p for p in parameters if (p.ndim == 2) is kind] for kind in (True, False))
    return [{"params": weights, "weight_decay": decay}, {"params": biases, "weight_decay": 0.0}]


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize(
    ("layers", "arguments"),
    [
        ([5, 8, 6, 3], {"h": "tanh", "output": "softmax", "loss": "cross_entropy"}),
        ([30, 17, 1], {"h": "sigmoid", "output": "sigmoid", "loss": "log"}),
        ([9, 20, 2], {"h": "relu", "output": "identity", "loss": "squared_error"}),
    ],
    ids=str,
)
def test_fifty_steps_of_optimizers(
    layers: list[int], arguments: dict[str, str], optimizer: str, batch_size: int
) -> None:
    net = network(layers, **arguments)
    X, R = samples(net, 50 * batch_size)
    peer = Peer(net)
    ours, make = OPTIMIZERS[optimizer]
    theirs = make(peer.parameters)
    for start in range(0, len(X), batch_size):
        theirs.zero_grad()
        peer.E(X[start : start + batch_size], R[start : start + batch_size]).mean().backward()
        theirs.step()
    net.descend(X, R, 0.01, batch_size=batch_size, optimizer=ours)
    assert difference(net.theta, peer.dense(peer.parameters)) <= 1e-6


# Ours, and PyTorch's over ten epochs with η 0.1.
SCHEDULES = {
    "step:0.1,factor=0.3,every=3": lambda o: torch.optim.lr_scheduler.StepLR(o, 3, 0.3),
    "exponential:0.1,factor=0.7": lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.7),
    "cosine:0.1,last=0.01": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 10, 0.01),
    "cosine_restarts:0.1,period=2": lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 2),
    "polynomial:0.1,power=1.5": lambda o: torch.optim.lr_scheduler.PolynomialLR(o, 10, 1.5),
    "linear:0.1,last=0.02": lambda o: torch.optim.lr_scheduler.LinearLR(o, 1.0, 0.2, 10),
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules(schedule: str) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    theirs, rate = SCHEDULES[schedule](optimizer), rates(schedule, 1, 10, where="fit")
    for n in range(1, 11):
        assert rate(n) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12)
        optimizer.step()
        theirs.step()


def test_one_cycle() -> None:
    """PyTorch's comes to its end with the last step, ours would with the one after: over 9 epochs ours is its 10."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=10, pct_start=4 / 10)
    rate = rates(f"one_cycle:0.1,rise={3 / 9}", 1, 9, where="fit")
    for n in range(1, 10):
        assert rate(n) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12)
        optimizer.step()
        theirs.step()


@pytest.mark.parametrize("optimizer", ["momentum_outside", "adam", "nadam", "rmsprop", "adagrad", "adadelta"])
def test_l2_is_pytorchs_weight_decay_of_the_weights(optimizer: str) -> None:
    net = network([5, 8, 3], h="tanh", output="softmax", loss="cross_entropy")
    net = Network.from_description({**net.description(), "l2": 0.1}, net.theta)
    X, R = samples(net, 400)
    peer = Peer(net)
    theirs = OPTIMIZERS[optimizer][1](decaying(peer.parameters, 0.1))
    for start in range(0, 400, 8):
        theirs.zero_grad()
        peer.E(X[start : start + 8], R[start : start + 8]).mean().backward()
        theirs.step()
    net.descend(X, R, 0.01, batch_size=8, optimizer=OPTIMIZERS[optimizer][0])
    assert difference(net.theta, peer.dense(peer.parameters)) <= 1e-6


@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("optimizer", ["momentum_outside", "adam"])
@pytest.mark.parametrize(("limit", "most"), [("clip_norm", 0.05), ("clip_value", 0.002)])
def test_clipping(limit: str, most: float, optimizer: str, batch_size: int) -> None:
    """PyTorch's factor is c / (norm + 1e-6), ours c / norm."""
    net = begun("tanh", "softmax", "cross_entropy")
    X, R = samples(net, 50 * batch_size)
    peer = Peer(net)
    ours, make = OPTIMIZERS[optimizer]
    theirs = make(peer.parameters)
    clipped = 0
    for start in range(0, len(X), batch_size):
        theirs.zero_grad()
        peer.E(X[start : start + batch_size], R[start : start + batch_size]).mean().backward()
        if limit == "clip_norm":
            clipped += float(torch.nn.utils.clip_grad_norm_(peer.parameters, most)) > most
        else:
            torch.nn.utils.clip_grad_value_(peer.parameters, most)
            clipped += any(float(p.grad.abs().max()) == most for p in peer.parameters)
        theirs.step()
    assert clipped > 25
    net.descend(X, R, 0.01, batch_size=batch_size, optimizer=ours, **{limit: most})
    assert difference(net.theta, peer.dense(peer.parameters)) <= 2e-5 * (limit == "clip_norm") + 1e-9


def test_running_average() -> None:
    net = begun("tanh", "softmax", "cross_entropy")
    X, R = samples(net, 400)
    peer = Peer(net)
    mean = [p.detach().clone() for p in peer.parameters]
    update = torch.optim.swa_utils.get_ema_multi_avg_fn(0.9)
    theirs = torch.optim.SGD(peer.parameters, lr=0.05)
    for start in range(0, 400, 8):
        theirs.zero_grad()
        peer.E(X[start : start + 8], R[start : start + 8]).mean().backward()
        theirs.step()
        update(mean, [p.detach() for p in peer.parameters], None)
    net.fit(X, R, epochs=1, eta=0.05, batch_size=8, shuffle=False, average="ema:0.9")
    assert difference(net.theta, peer.dense(mean)) <= 1e-9


def test_fifty_steps_of_rprop() -> None:
    net = begun("tanh", "softmax", "cross_entropy")
    X, R = samples(net, 60)
    peer = Peer(net)
    theirs = torch.optim.Rprop(peer.parameters, lr=0.5)
    for _ in range(50):
        theirs.zero_grad()
        peer.E(X, R).mean().backward()
        theirs.step()
    net.fit(X, R, epochs=50, optimizer="rprop_minus:start=0.5")
    assert difference(net.theta, peer.dense(peer.parameters)) <= 1e-6
