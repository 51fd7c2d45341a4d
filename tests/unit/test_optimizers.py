"""The optimizers: names and parameters, first steps by hand, and what a network remembers between two descents."""

import copy
import math
import pickle
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import deltaprop
from deltaprop import SGD, Adam, DivergenceError, Momentum, Nesterov, Network
from deltaprop.descent.optimizers import OPTIMIZERS, STEP_RULES, Optimizer, optimizer_in
from deltaprop.training.loop import train
from problems import difference, network, samples

X4, R4 = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([0, 1, 1, 0.0])
REMEMBERING = [name for name, entry in STEP_RULES.items() if len(entry.steps) > 1]


def test_names_defaults_and_parameters() -> None:
    assert SGD().numbers == []
    assert Momentum().numbers == Nesterov().numbers == [0.9]
    assert Adam.numbers == Adam().numbers == [0.9, 0.999, 1e-8]
    assert Adam(beta2=0.5, epsilon=2).numbers == [0.9, 0.5, 2.0]
    assert Momentum(0.5) == Momentum(mu=np.float32(0.5)) == Momentum(Fraction(1, 2))
    assert optimizer_in("adam:beta2=0.5,epsilon=2", where="") == Adam(beta2=0.5, epsilon=2)
    assert str(Adam(beta2=0.5)) == "adam:beta2=0.5"
    assert Momentum() != Nesterov()
    assert Momentum(mu=0).mu == 0
    assert repr(Adam(beta1=0.8)) == "Adam(beta1=0.8, beta2=0.999, epsilon=1e-08)"
    with pytest.raises(AttributeError):
        Momentum().mu = 0.5  # type: ignore[misc]
    with pytest.raises(AttributeError, match="Momentum has no parameter 'beta1'"):
        Momentum().beta1  # noqa: B018
    assert {deltaprop.__dict__.get(e.word) or getattr(deltaprop, e.word) for e in OPTIMIZERS.values()} == {
        *OPTIMIZERS.values()
    }


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Momentum(mu=1), ValueError, "momentum: mu needs to be in [0, 1); got 1."),
        (lambda: Nesterov(mu=-0.1), ValueError, "nesterov: mu needs to be in [0, 1); got -0.1."),
        (lambda: Momentum(mu=math.nan), ValueError, "mu needs to be in [0, 1); got nan"),
        (lambda: Momentum(mu=10**400), ValueError, "mu needs to be in [0, 1); got 1000"),
        (lambda: Momentum(mu=True), TypeError, "momentum: mu needs to be a number; got True."),
        (lambda: Momentum(mu="0.9"), TypeError, "mu needs to be a number; got '0.9'"),
        (lambda: Adam(beta1=None), TypeError, "adam: beta1 needs to be a number; got None"),
        (lambda: Adam(beta1=1.5), ValueError, "adam: beta1 needs to be in [0, 1); got 1.5"),
        (lambda: Adam(beta2=1.0), ValueError, "adam: beta2 needs to be in [0, 1); got 1.0"),
        (lambda: Adam(epsilon=0), ValueError, "adam: epsilon needs to be above 0; got 0"),
        (lambda: Adam(epsilon=math.inf), ValueError, "adam: epsilon needs to be above 0; got inf"),
        (lambda: Adam(beta1=1j), TypeError, "beta1 needs to be a number"),
        (lambda: Adam(beta3=0.5), TypeError, "adam: no parameter is called 'beta3'. Did you mean 'beta2'?"),
    ],
)
def test_parameters_that_are_refused(make: Callable[[], Optimizer], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"optimizer": "adm"}, ValueError, "no optimizer is called 'adm'."),
        ({"optimizer": "adm"}, ValueError, "Did you mean 'adam'?"),
        ({"optimizer": "momentun"}, ValueError, "Did you mean 'momentum'?"),
        ({"optimizer": "adam:beta1=2"}, ValueError, "adam: beta1 needs to be in [0, 1); got 2.0"),
        ({"optimizer": "sgd:mu=0.5"}, ValueError, "sgd: no parameter is called 'mu'. It has none."),
        ({"optimizer": None}, TypeError, "optimizer needs to be a name or an optimizer such as Adam(); got None."),
        ({"optimizer": dict}, TypeError, "optimizer needs to be a name or an optimizer such as Adam()"),
        ({"momentum": 0.9}, TypeError, "momentum: here it is optimizer=deltaprop.Momentum(mu)."),
        ({"nesterovs_momentum": True}, TypeError, "here it is optimizer=deltaprop.Nesterov(mu)"),
        ({"solver": "adam"}, TypeError, "solver: here it is optimizer."),
        ({"beta_1": 0.9}, TypeError, "beta_1: here it is optimizer=deltaprop.Adam(beta1=...)."),
        ({"beta_2": 0.9}, TypeError, "beta_2: here it is optimizer=deltaprop.Adam(beta2=...)."),
    ],
)
def test_arguments_that_are_refused_change_nothing(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    net = Network([2, 1])
    net.fit(X4, R4, epochs=1, optimizer="momentum")
    same = copy.deepcopy(net)
    with pytest.raises(error, match="Network.fit: .*" + re.escape(message)):
        net.fit(X4, R4, **arguments)
    with pytest.raises(error, match="Network.descend: .*" + re.escape(message)):
        net.descend(X4, R4, 0.1, **arguments)
    assert net == same
    assert continued(net, "momentum") == continued(same, "momentum")  # what it remembers, too


def continued(net: Network, optimizer: str | Optimizer, **arguments: Any) -> bytes:
    """The bits that a network goes on to."""
    X, R = samples(net, 20, seed=9)
    net.fit(X, R, epochs=2, eta=0.01, optimizer=optimizer, **arguments)
    return net.theta.tobytes()


# y = a = w x + b, E = ½ (y − r)²: with x = 2, r = 0 and no bias, g = ∂E/∂w = 4 w. From w = 1 with η = ⅛ the first
# gradient is 4, and all numbers below are whole parts of powers of 2 or of the optimizer's own parameters.
@pytest.mark.parametrize(
    ("optimizer", "one", "two"),
    [
        ("sgd", 1 / 2, 1 / 4),  # w = 1 − ½; w = ½ − ⅛ · 2
        (Momentum(0.5), 1 / 2, 0.0),  # V = −½; V = −¼ − ⅛ · 2 = −½, w = ½ − ½
        (Nesterov(0.5), 1 / 4, -1 / 16),  # V = −½, w = 1 − ¼ − ½; g = 1, V = −¼ − ⅛ = −⅜, w = ¼ − 3/16 − ⅛
        # M = 2, V = 4; w = 1 − ⅛ (2 / ½) / (√(4 / ¼) + 4) = 15/16; g = 15/4, M = 1 + 15/8, V = 3 + 225/64
        (Adam(0.5, 0.75, 4.0), 15 / 16, 15 / 16 - (23 / 8 / (3 / 4)) / (math.sqrt(417 / 64 / (7 / 16)) + 4) / 8),
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_the_first_two_steps_by_hand(
    optimizer: str | Optimizer, one: float, two: float, dtype: str, batch_size: int, instruction_set: str
) -> None:
    for n_in in (1, 9):  # alone, and beside inputs that are 0, where the block is longer than 1
        net = Network([n_in, 1], output="identity", loss="squared_error", bias=False, dtype=dtype)
        net.theta = np.eye(n_in)[0]
        X, R = 2 * np.eye(n_in)[:1], [0]
        for expected in (one, two):
            net.descend(np.repeat(X, batch_size, axis=0), R * batch_size, 1 / 8, batch_size=batch_size,
                        optimizer=optimizer)  # fmt: skip
            assert net.theta[0] == pytest.approx(expected, rel=4 * float(np.finfo(dtype).eps), abs=1e-7)
            assert not net.theta[1:].any()
        both = Network([n_in, 1], output="identity", loss="squared_error", bias=False, dtype=dtype)
        both.theta = np.eye(n_in)[0]
        both.descend(np.repeat(X, 2, axis=0), R * 2, 1 / 8, optimizer=optimizer)  # two steps in one call
        assert both.theta[0] == pytest.approx(two, rel=4 * float(np.finfo(dtype).eps), abs=1e-7)


def test_the_first_step_of_adam_is_eta_in_every_direction() -> None:
    """M̂ / √V̂ = g / |g| where ε is next to nothing."""
    net = network([3, 5, 2], h="tanh")
    X, R = samples(net, 6)
    before, g = net.theta, net.gradient(X, R)
    net.descend(X, R, 0.01, batch_size=6, optimizer=Adam(epsilon=1e-30))
    np.testing.assert_allclose(net.theta - before, -0.01 * np.sign(g), rtol=1e-12)


def test_without_momentum_it_is_sgd() -> None:
    nets = [network([9, 17, 2]) for _ in range(3)]
    X, R = samples(nets[0], 40)
    for net, optimizer in zip(nets, ("sgd", Momentum(mu=0), Nesterov(mu=0)), strict=True):
        net.descend(X, R, 0.1, optimizer=optimizer)
    for net in nets[1:]:
        assert difference(net.theta, nets[0].theta) <= 1e-13


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("optimizer", ["sgd", *REMEMBERING, Adam(0.8, 0.9, 1e-4)], ids=str)
def test_two_calls_of_fit_are_one_of_twice_the_epochs(optimizer: str | Optimizer, batch_size: int) -> None:
    arguments: dict[str, Any] = {"eta": 0.05, "optimizer": optimizer, "batch_size": batch_size}
    one, two = network([9, 8, 2], seed=4), network([9, 8, 2], seed=4)
    X, R = samples(one, 30)
    together = one.fit(X, R, epochs=6, **arguments)
    first, second = two.fit(X, R, epochs=2, **arguments), two.fit(X, R, epochs=4, **arguments)
    assert one == two
    assert together.E == first.E + second.E


def test_a_name_is_the_optimizer_with_its_defaults() -> None:
    for name, entry in STEP_RULES.items():
        one, two = network([3, 5, 1]), network([3, 5, 1])
        assert continued(one, name) == continued(two, entry())
        assert continued(one, entry()) == continued(two, name)  # the same one: it goes on


def begun_anew(net: Network, optimizer: str | Optimizer) -> bool:
    """Whether the network goes on as one that has its parameters and epochs and remembers nothing."""
    fresh = Network(**net.config())
    fresh.theta = net.theta
    fresh._epoch = net.epoch
    return continued(net, optimizer) == continued(fresh, optimizer)


@pytest.mark.parametrize("optimizer", REMEMBERING)
def test_what_begins_anew_and_what_does_not(optimizer: str, tmp_path: Any) -> None:
    def trained() -> Network:
        net = network([3, 5, 1], h="identity", output="identity", loss="squared_error")
        continued(net, optimizer)
        return net

    X, R = samples(trained(), 20)
    net = trained()
    assert not begun_anew(net, optimizer)

    net = trained()
    net.fit(X, R, epochs=0, optimizer="sgd")  # another one
    assert begun_anew(net, optimizer)

    net = trained()
    assert begun_anew(net, OPTIMIZERS[optimizer](OPTIMIZERS[optimizer].numbers[0] * 0.8))

    net = trained().reset()
    assert net == Network(**net.config())
    assert begun_anew(net, optimizer)

    for diverge in (
        lambda net: net.fit(1e150 * X, 1e160 * R, epochs=1, eta=1e200, optimizer=optimizer),
        lambda net: net.descend(1e150 * X, 1e160 * R, 1e200, optimizer=optimizer),
    ):
        net = trained()
        before = net.theta
        with pytest.raises(DivergenceError):
            diverge(net)
        assert net.theta.tobytes() == before.tobytes()
        assert begun_anew(net, optimizer)

    net = trained()
    net.save(tmp_path / "net.deltaprop")
    loaded = deltaprop.load(tmp_path / "net.deltaprop")
    assert loaded == net
    assert begun_anew(loaded, optimizer)
    assert not begun_anew(net, optimizer)  # saving has changed nothing


def test_the_best_epoch_begins_anew_unless_it_is_the_last() -> None:
    for E_of_validation, anew in ((1.0, True), (-1.0, False)):  # targets of a slope that grows, or falls, with training
        net = Network([1, 1], output="identity", loss="squared_error", bias=False)
        net.theta = [0]
        X = np.array([[1.0]])
        train(net, X, [1], epochs=3, eta=0.1, validation=(X, [-E_of_validation]), patience=5, optimizer="momentum")
        w = net.theta[0]
        net.descend(X, [1], 0.1, optimizer="momentum")
        step = 0.1 * (1 - w)  # − η g
        assert (net.theta[0] - w == pytest.approx(step)) == anew


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", ["sgd", *REMEMBERING, Adam(0.8, 0.9, 1e-4)], ids=str)
@pytest.mark.parametrize(
    "make_copy", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["copy", "deep", "pickle"]
)
def test_copies_carry_what_the_optimizer_remembers(make_copy: Any, optimizer: str | Optimizer, dtype: str) -> None:
    net = network([3, 17, 2], h="tanh", dtype=dtype)
    continued(net, optimizer, batch_size=3)
    other, third = make_copy(net), make_copy(net)
    for _ in range(2):
        bits = continued(net, optimizer, batch_size=3)
        assert continued(other, optimizer, batch_size=3) == bits
    continued(third, "sgd")  # has changed neither of the others
    assert continued(net, optimizer) == continued(other, optimizer)


def test_training_in_another_thread_is_told_and_loses_nothing() -> None:
    net, same = network([3, 5, 1]), network([3, 5, 1])
    continued(net, "adam")
    continued(same, "adam")
    with net.training("here"), pytest.raises(RuntimeError, match="being trained by another call"):
        continued(net, "momentum")
    assert continued(net, "adam") == continued(same, "adam")


def test_xor() -> None:
    """Learnt with each that remembers, in epochs in which sgd with the same η has not come far."""

    def E(optimizer: str, eta: float) -> float:
        net = Network([2, 8, 1], h="tanh", seed=1)
        return net.fit(X4, R4, epochs=300, eta=eta, optimizer=optimizer).E[-1]

    assert E("sgd", 0.05) > 0.2
    for optimizer, eta in (("momentum", 0.05), ("nesterov", 0.05), ("adam", 0.02)):
        assert E(optimizer, eta) < 0.05


def test_an_epsilon_that_float32_makes_0_is_refused() -> None:
    """0 / 0 would be NaN for a weight whose gradient is 0."""
    X, R = [[0.0, 1.0]], [1]
    with pytest.raises(ValueError, match=r"epsilon of Adam.* is 0 in float32"):
        Network([2, 1], dtype="float32").fit(X, R, epochs=1, optimizer=Adam(epsilon=1e-60))
    net = Network([2, 1])
    net.fit(X, R, epochs=1, optimizer=Adam(epsilon=1e-60))
    assert np.isfinite(net.theta).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [1, 8])
@pytest.mark.parametrize("optimizer", [name for name in REMEMBERING if name not in ("adagrad", "amsgrad_uncorrected")])
def test_what_is_remembered_of_weights_without_gradient_becomes_0(
    optimizer: str, batch_size: int, dtype: str, instruction_set: str
) -> None:
    """0.9 V rounds to a subnormal that never becomes 0, and on some machines a step took ten times as long for it."""
    net = network([3, 4, 1], h="relu", dtype=dtype)
    X, R = samples(net, 64)
    net.descend(X, R, 0.1, batch_size=batch_size, optimizer=optimizer)
    assert (net._memory.state[: net.n_parameters] != 0).any()
    net.b[0] = [-1e6] * 4  # dead
    order = np.resize(np.arange(64), 10_000 * batch_size)
    for _ in net.passing(X.astype(dtype), R.astype(dtype), None, order, np.array([1e-6]), batch_size, 0):
        pass
    remembered = np.abs(net._memory.state[net._memory.state != 0])
    assert len(remembered) > 0
    assert remembered.min() >= np.finfo(dtype).tiny


@pytest.mark.parametrize("optimizer", STEP_RULES)
def test_without_an_eta_it_is_the_optimizers(optimizer: str) -> None:
    net, other = network([3, 4, 1]), network([3, 4, 1])
    X, R = samples(net, 20)
    history = net.fit(X, R, epochs=2, optimizer=optimizer)
    rule = STEP_RULES[optimizer]
    assert history.eta == [rule.eta] * 2
    other.fit(X, R, epochs=2, optimizer=rule, eta=rule.eta)
    assert net == other
