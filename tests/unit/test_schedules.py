"""η_n: the schedules by hand, per epoch and per step, in descent and in the history."""

import math
from typing import Any

import numpy as np
import pytest

import deltaprop
from deltaprop import FormulaError, Network
from deltaprop.descent.schedules import SCHEDULES, rates
from problems import network, samples


def course(eta: Any, epochs: int) -> list[float]:
    """η of so many epochs from the network's start."""
    rate = rates(eta, 1, epochs, where="fit")
    return [rate(n) for n in range(1, epochs + 1)]


# Of eta 1 over 4 epochs, unless the name says otherwise.
BY_HAND = {
    "constant:1": [1, 1, 1, 1],
    "step:1,every=2": [1, 1, 0.5, 0.5],
    "step:1,factor=0.1,every=1": [1, 0.1, 0.01, 0.001],
    "exponential:1,factor=0.5": [1, 0.5, 0.25, 0.125],
    "linear:1": [1, 0.75, 0.5, 0.25],
    "linear:1,last=0.2": [1, 0.8, 0.6, 0.4],
    "polynomial:1": [1, 9 / 16, 1 / 4, 1 / 16],
    "polynomial:1,power=1,last=0.2": [1, 0.8, 0.6, 0.4],
    "invscaling:1": [1, 1 / math.sqrt(2), 1 / math.sqrt(3), 0.5],
    "cosine:1": [1, (1 + math.sqrt(0.5)) / 2, 0.5, (1 - math.sqrt(0.5)) / 2],
    "cosine:1,last=0.5": [1, 0.75 + math.sqrt(0.5) / 4, 0.75, 0.75 - math.sqrt(0.5) / 4],
    "cosine_restarts:1,period=1": [1, 1, 0.5, 1],  # one epoch, then two, then four
    "cosine_restarts:1,period=2,stretch=1": [1, 0.5, 1, 0.5],
    "one_cycle:1,rise=0.5,start=4,end=10": [0.25, 0.625, 1, (1 + 1 / 40) / 2],
    "coslog4:1": [(1 - math.cos(2 * math.pi * math.log2(x))) / 2 for x in (1, 4.75, 8.5, 12.25)],
    "flat_cos:1,flat=0.5": [1, 1, 1, 0.5],
    "constant:1,warmup=3": [1 / 3, 2 / 3, 1, 1],
    "linear:1,warmup=2": [0.5, 1, 1, 0.5],
    "plateau:1": [1, 1, 1, 1],
}  # fmt: skip


@pytest.mark.parametrize("text", BY_HAND)
def test_by_hand(text: str) -> None:
    assert course(text, 4) == pytest.approx(BY_HAND[text], abs=1e-15)


def test_every_schedule_is_tried_and_is_public() -> None:
    assert {text.partition(":")[0] for text in BY_HAND} == set(SCHEDULES)
    for name, entry in SCHEDULES.items():
        assert getattr(deltaprop, name) is entry
        assert entry.parameters[0].name == "eta"
        assert course(entry(0.3, warmup=2), 6)[0] == pytest.approx(0.15 * course(entry(0.3), 6)[0] / 0.3)


def test_numbers_sequences_functions_and_formulas() -> None:
    assert course(0.5, 3) == course("0.5", 3) == [0.5] * 3
    assert course((1, 0.5, 0.25), 3) == course(np.array([1, 0.5, 0.25]), 3) == [1, 0.5, 0.25]
    assert course(lambda n: 1 / n, 3) == pytest.approx([1, 1 / 2, 1 / 3])
    assert course("0.5 / (1 + 0.01 * n)", 2) == pytest.approx([0.5 / 1.01, 0.5 / 1.02])
    assert course("n", 2) == [1, 2]
    assert course("where(n < 2, 0.1, 0.01)", 3) == [0.1, 0.01, 0.01]


@pytest.mark.parametrize(
    ("eta", "error", "message"),
    [
        ("cosin:0.1", ValueError, "fit: eta: no schedule is called 'cosin'. Did you mean 'cosine'?"),
        ("cosine:0.1,warm=3", ValueError, "cosine: no parameter is called 'warm'. Did you mean 'warmup'?"),
        ("cosine:-1", ValueError, "cosine: eta needs to be at least 0; got -1.0."),
        ("step:1,factor=2", ValueError, "step: factor needs to be in (0, 1]; got 2.0."),
        ("1 / m", FormulaError, "fit: eta: no variable is called 'm', column 5 of '1 / m'."),
        ("1 / (2 - n)", ValueError, "eta(2) needs to be finite in float64 and at least 0; got inf."),
        ("-1", ValueError, "eta needs to be finite in float64 and at least 0; got -1.0."),
        ("", ValueError, "a formula is needed; the text is empty."),
        ([0.1], ValueError, "fit: eta has 1 values; epochs 1 to 3 need 3"),
        (b"0.1", TypeError, "eta"),
    ],
)
def test_what_is_refused(eta: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as found:
        course(eta, 3)
    assert message in str(found.value)


def test_per_epoch_in_the_history_and_in_descent() -> None:
    nets = [network([3, 5, 1]) for _ in range(2)]
    X, R = samples(nets[0], 20)
    etas = course("cosine:0.2", 4)
    histories = [net.fit(X, R, epochs=4, eta=eta) for net, eta in zip(nets, (deltaprop.cosine(0.2), etas), strict=True)]
    assert histories[0].eta == histories[1].eta == etas
    assert nets[0].theta.tobytes() == nets[1].theta.tobytes()


@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_per_step(batch_size: int, optimizer: str) -> None:
    """An η for each step is that of so many calls of one step."""
    whole, by_steps = network([30, 5, 1]), network([30, 5, 1])  # 30 inputs: in blocks where batch_size is 1
    X, R = samples(whole, 45)
    history = whole.fit(X, R, epochs=3, eta="linear:0.2", eta_per="step", batch_size=batch_size, shuffle=False,
                        optimizer=optimizer, online_block=1)  # fmt: skip
    steps = -(-45 // batch_size)
    expected = [0.2 * (1 - (epoch + k / steps) / 3) for epoch in range(3) for k in range(steps)]
    assert np.concatenate(history.eta_steps) == pytest.approx(expected)
    assert history.eta == pytest.approx(expected[::steps])
    for epoch in range(3):
        for k in range(steps):
            rows = slice(k * batch_size, (k + 1) * batch_size)
            by_steps.descend(X[rows], R[rows], float(history.eta_steps[epoch][k]), batch_size=batch_size,
                             optimizer=optimizer, online_block=1)  # fmt: skip
    assert whole.theta.tobytes() == by_steps.theta.tobytes()


def test_per_step_in_blocks_is_the_naive_order() -> None:
    nets = [network([40, 20, 1]) for _ in range(2)]
    X, R = samples(nets[0], 200)
    for net, block in zip(nets, (1, 16), strict=True):
        net.fit(X, R, epochs=2, eta="cosine:0.1", eta_per="step", optimizer="nesterov", online_block=block)
    np.testing.assert_allclose(nets[0].theta, nets[1].theta, rtol=1e-9, atol=1e-12)


def test_plateau_falls_where_nothing_gets_better() -> None:
    net = Network([1, 1], output="identity", loss="squared_error", bias=False)
    net.theta = [1]
    history = net.fit(
        [[1.0]], [1], epochs=7, eta="plateau:0.5,factor=0.1,patience=2,least=0.01"
    )  # E is 0 from the start
    # The first epoch's E is the least so far; then two, and two more, bring no lower one.
    assert history.eta == pytest.approx([0.5, 0.5, 0.5, 0.05, 0.05, 0.01, 0.01])
    history = Network([1, 1]).fit([[1.0], [2.0]], [1, 1], epochs=5, eta="plateau:0.5,patience=1")
    assert history.eta == [0.5] * 5  # E falls all the time
    validation = Network([1, 1]).fit([[1.0]], [1], epochs=4, eta="plateau:0.5,patience=1", validation=([[1.0]], [0]))
    assert validation.eta == pytest.approx([0.5, 0.5, 0.25, 0.125])


def test_a_schedule_without_eta_has_the_optimizers() -> None:
    X, R = np.eye(2), np.eye(2)
    for schedule in ("cosine", "cosine:warmup=0", deltaprop.cosine, deltaprop.cosine(last=0.0), "exponential:factor=1"):
        for optimizer, eta in (("sgd", 0.1), ("adam", 0.001)):
            history = Network([2, 2]).fit(X, R, epochs=2, eta=schedule, optimizer=optimizer)
            assert history.eta[0] == eta
    assert Network([2, 2]).fit(X, R, epochs=1, eta="plateau", optimizer="adam").eta == [0.001]
    assert Network([2, 2]).fit(X, R, epochs=1, eta="cosine:0.1", optimizer="adam").eta == [0.1]
    assert (str(deltaprop.cosine), str(deltaprop.cosine(0.1))) == ("cosine", "cosine:eta=0.1")
    assert repr(deltaprop.cosine(warmup=2)) == "cosine(last=0.0, warmup=2.0)"
    with pytest.raises(ValueError, match=r"Network\.fit: decay needs a schedule with its first value: cosine:0\.01\."):
        Network([2, 2]).fit(X, R, epochs=1, decay="cosine")
    with pytest.raises(ValueError, match=r"cosine: eta needs to be at least 0; got nan"):
        deltaprop.cosine(float("nan"))
