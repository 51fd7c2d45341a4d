"""fit, descend, predict, E, gradient: what they take, what they refuse, what they return."""

import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from deltaprop import DivergenceError, FormulaError, Network
from deltaprop.training.loop import train
from problems import network, samples

X4, R4 = np.array([[0, 0], [0, 1], [1, 0], [1, 1.0]]), np.array([0, 1, 1, 0.0])


def test_history() -> None:
    net = Network([2, 4, 1])
    history = net.fit(X4, R4, epochs=3, eta=lambda n: 1 / n, validation=(X4, R4))
    assert len(history) == len(history.E) == len(history.E_validation) == len(history.seconds) == 3
    assert history.eta == [1, 1 / 2, 1 / 3]
    assert history.E_validation[-1] == net.E(X4, R4)
    assert all(seconds > 0 for seconds in history.seconds)
    assert repr(history).startswith("History(3 epochs: E ")
    assert repr(net.fit(X4, R4, epochs=0)) == "History(0 epochs)"


def test_history_E_is_the_mean_of_each_samples_E_before_its_update() -> None:
    net, other = Network([2, 4, 1], seed=2), Network([2, 4, 1], seed=2)
    weights = np.array([1, 2, 0, 1.0])
    before = []
    for s in other.epoch_order(4, 1, shuffle=True):
        before.append((weights[s] * other.E(X4[s : s + 1], R4[s : s + 1]), weights[s]))
        other.descend(X4[s : s + 1], R4[s : s + 1], weights[s] * 0.5)
    history = net.fit(X4, R4, epochs=1, eta=0.5, sample_weight=weights)
    assert history.E[0] == pytest.approx(sum(E for E, _ in before) / sum(w for _, w in before), rel=1e-14)


def test_eta_belongs_to_the_epoch_counted_since_the_start() -> None:
    net = Network([2, 1])
    assert net.fit(X4, R4, epochs=2, eta=[1, 2, 3, 4]).eta == [1, 2]
    assert net.fit(X4, R4, epochs=2, eta=[1, 2, 3, 4]).eta == [3, 4]
    assert net.epoch == 4
    assert net.fit(X4, R4, epochs=2, eta=lambda n: n / 100).eta == [0.05, 0.06]
    assert net.fit(X4, R4, epochs=1, eta=np.float32(0.5)).eta == [0.5]
    assert net.fit(X4, R4, epochs=1, eta=np.full(9, 0.25)).eta == [0.25]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"eta": -1}, ValueError, "eta needs to be finite in float64 and at least 0; got -1.0"),
        ({"eta": np.nan}, ValueError, "eta needs to be finite"),
        ({"eta": "fast"}, ValueError, "no schedule is called 'fast'"),
        ({"eta": "0.1 + k"}, FormulaError, "eta: no variable is called 'k', column 7 of '0.1 + k'"),
        ({"eta": "cosine:eta=-1"}, ValueError, "cosine: eta needs to be at least 0; got -1.0"),
        ({"eta_per": "row"}, ValueError, "eta_per needs to be 'epoch' or 'step'; got 'row'"),
        ({"eta": True}, TypeError, "eta needs to be a number"),
        ({"eta": [0.1]}, ValueError, "eta has 1 values; epochs 1 to 2 need 2"),
        ({"eta": [0.1, "x"]}, TypeError, "eta[1] needs to be a number"),
        ({"eta": lambda n: None}, TypeError, "eta(1) needs to be a number; got None"),
        ({"epochs": -1}, ValueError, "epochs needs to be at least 0"),
        ({"epochs": 1.0}, TypeError, "epochs needs to be a whole number"),
        ({"batch_size": 0}, ValueError, "batch_size needs to be at least 1"),
        ({"batch_size": None}, TypeError, "batch_size needs to be a whole number"),
        ({"shuffle": 1}, TypeError, "shuffle needs to be True or False"),
        ({"sample_weight": [1, 1, 1]}, ValueError, "sample_weight needs shape (4,), one per row of X; got (3,)"),
        ({"sample_weight": [1, 1, -1, 1]}, ValueError, "sample_weight[2] is -1; weights are at least 0"),
        ({"sample_weight": [0, 0, 0, 0]}, ValueError, "every sample_weight is 0"),
        ({"sample_weight": [1e308] * 4}, ValueError, "sample_weight adds up to inf, too large or too small"),
        ({"sample_weight": [5e-324] * 4}, ValueError, "too large or too small to divide by"),
        ({"eta": 10**400}, ValueError, "eta needs to be finite in float64 and at least 0; got inf"),
        ({"validation": "x"}, TypeError, "validation needs a pair (X, R)"),
        ({"validation": (X4, R4[:3])}, ValueError, "validation: R needs shape (4, 1) or (4,)"),
        ({"validation": (X4[:0], R4[:0])}, ValueError, "validation has no rows"),
        ({"learning_rate": 0.1}, TypeError, "Network.fit: learning_rate: here it is eta"),
        ({"n_epochs": 3}, TypeError, "here it is epochs"),
    ],
)
def test_arguments_that_are_refused_change_nothing(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    net = Network([2, 1])
    before = net.theta
    with pytest.raises(error, match=re.escape(message)):
        net.fit(X4, R4, **{"epochs": 2, **arguments})
    assert (net.theta == before).all()
    assert net.epoch == 0


@pytest.mark.parametrize(
    ("X", "R", "error", "message"),
    [
        (np.zeros((4, 3)), R4, ValueError, "X needs shape (n, 2), a row of 2 inputs per sample; got (4, 3)"),
        (np.zeros(2), R4, ValueError, "For one sample pass X[None, :]"),
        (np.zeros((2, 2, 2)), R4, ValueError, "X needs shape (n, 2)"),
        (X4, R4[:3], ValueError, "R needs shape (4, 1) or (4,), a row per row of X; got (3,)"),
        (X4, np.zeros((4, 2)), ValueError, "R needs shape (4, 1)"),
        (X4, [0, 1, 2, 0], ValueError, "R[2, 0] is 2; targets of loss 'log' are in [0, 1]"),
        ([[0, np.nan]] * 4, R4, ValueError, "X[0, 1] is nan, not a finite number"),
        ([[0, np.inf]] * 4, R4, ValueError, "X[0, 1] is inf, not a finite number"),
        ([["a", "b"]] * 4, R4, TypeError, "X needs real numbers; got dtype <U1"),
        ([["1", 2]] * 4, R4, TypeError, "X needs real numbers; got dtype <U"),
        (np.array([["1", 2]] * 4, object), R4, TypeError, "X needs numbers; got the text '1'"),
        (np.ma.masked_equal(np.ones((4, 2)), 1), R4, ValueError, "X has masked cells"),
        ([[None, 1]] * 4, R4, ValueError, "X[0, 0] is nan, not a finite number"),
        (np.zeros((4, 2), complex), R4, TypeError, "X needs real numbers; got dtype complex128"),
        (np.zeros((0, 2)), [], ValueError, "X has no rows"),
        ([[10**400, 1]] * 4, R4, TypeError, "X needs numbers; int too large"),
        (None, R4, TypeError, "X needs numbers; got None"),
        ([[1, 2], [3]], [0, 1], ValueError, "X needs rows of one length"),
    ],
)
def test_data_that_is_refused(X: Any, R: Any, error: type[Exception], message: str) -> None:
    net = Network([2, 1])
    for verb in (net.fit, net.E, net.gradient, lambda X, R: net.descend(X, R, 0.1), net.check_gradient):
        with pytest.raises(error, match=re.escape(message)):
            verb(X, R)
    assert net == Network([2, 1])


def test_a_number_too_large_for_float32_says_so() -> None:
    with pytest.raises(ValueError, match=re.escape("X[0, 1] is 1e+300, too large for float32")):
        Network([2, 1], dtype="float32").predict([[0, 1e300]])


def test_probabilities_that_do_not_sum_to_one() -> None:
    net = Network([2, 3], output="softmax", loss="cross_entropy")
    with pytest.raises(ValueError, match=re.escape("R[1] sums to 0.9")):
        net.E([[0, 0], [0, 0]], [[1, 0, 0], [0.5, 0.4, 0]])


def test_what_is_taken() -> None:
    net = Network([2, 1])
    y = net.predict(X4)
    assert y.shape == (4, 1)
    assert y.dtype == np.float64
    for X in (X4.tolist(), X4.astype(int), X4.astype(bool), X4.astype("float32"), X4[::1], np.asfortranarray(X4)):
        assert (net.predict(X) == y).all()
    assert net.predict(X4[:0]).shape == (0, 1)
    assert net.E(X4, R4[:, None]) == net.E(X4, R4) == net.E(X4, R4.astype(bool))
    assert Network([2, 1], dtype="float32").predict(X4).dtype == np.float32


def test_data_frames_are_taken() -> None:
    import pandas as pd

    frame = pd.DataFrame(X4, columns=["a", "b"])
    net = Network([2, 1])
    assert (net.predict(frame) == net.predict(X4)).all()
    assert net.E(frame, pd.Series(R4)) == net.E(X4, R4)


def test_descend_is_one_pass_in_the_given_order() -> None:
    net, other = Network([2, 4, 1]), Network([2, 4, 1])
    E = net.descend(X4, R4, 0.5)
    history = other.fit(X4, R4, epochs=1, eta=0.5, shuffle=False)
    assert net.theta.tobytes() == other.theta.tobytes()
    assert history.E == [E]
    assert net.epoch == 0


def test_divergence_names_epoch_layer_and_quantity_and_keeps_the_last_good_epoch() -> None:
    net = Network([1, 2, 1], h="identity", output="identity", loss="squared_error")
    X = np.linspace(-3, 3, 50)[:, None]
    net.fit(X, 2 * X, epochs=3, eta=0.01)
    good = net.theta
    with pytest.raises(
        DivergenceError, match="epoch 4 met a weight of layer 1 that is not finite, with eta 5"
    ) as error:
        net.fit(X, 2 * X, epochs=1, eta=5)
    assert (net.theta == good).all()
    assert net.epoch == 3
    assert "the end of epoch 3" in str(error.value)
    assert isinstance(error.value, ArithmeticError)


def test_descend_that_diverges_leaves_the_network_as_it_was() -> None:
    net = network([3, 5, 4, 2], h="relu", output="identity", loss="squared_error")
    X, R = samples(net, 20)
    before, gradient = net.theta, net.gradient(X, R)
    with pytest.raises(
        DivergenceError, match=r"Network.descend met a weight of layer \d that is not finite, with eta 1e\+80"
    ):
        net.descend(X, R, 1e80)
    assert net.theta.tobytes() == before.tobytes()
    assert net.gradient(X, R).tobytes() == gradient.tobytes()
    with pytest.raises(ValueError, match="eta needs to be finite in float32"):
        Network([2, 1], dtype="float32").descend(X4, R4, 1e39)


def test_validation_that_is_not_finite_is_divergence() -> None:
    net = Network([1, 1], output="identity", loss="squared_error")
    before = net.theta
    with pytest.raises(DivergenceError, match=r"epoch 1 met E of the validation samples \(inf\) that is not finite"):
        net.fit([[1.0]], [1.0], epochs=2, validation=([[1e200]], [0.0]))
    assert (net.theta == before).all()
    assert net.epoch == 0


def test_weights_as_samples() -> None:
    """Samples that are the network's own weights are those it had before training."""
    net, other = network([16, 16, 1], seed=2), network([16, 16, 1], seed=2)
    net.descend(net.W[0], np.ones(16), 0.5)
    other.descend(other.W[0].copy(), np.ones(16), 0.5)
    assert net.theta.tobytes() == other.theta.tobytes()


def test_a_sample_of_weight_0_may_overflow() -> None:
    """0 changes nothing, even where the sample's own numbers are not finite."""
    arguments: dict[str, Any] = {"h": "relu", "output": "identity", "loss": "squared_error", "dtype": "float32"}
    X, R = np.array([[1, 2], [3e38, 3e38], [2, 1]]), np.array([1, 1, 0])
    for batch_size in (1, 3):
        net, other = network([2, 3, 1], **arguments), network([2, 3, 1], **arguments)
        for each in (net, other):
            each.W[0] = [[10, 10, 10]] * 2
        E = net.descend(X, R, 1e-6, batch_size=batch_size, sample_weight=[1, 0, 1])
        assert other.descend(X[[0, 2]], R[[0, 2]], 1e-6 * (2 / 3 if batch_size > 1 else 1), batch_size=batch_size) == E
        np.testing.assert_allclose(net.theta, other.theta, rtol=1e-6)
        assert np.isfinite(net.gradient(X, R, [1, 0, 1])).all()
        assert np.isfinite(net.E(X, R, [1, 0, 1]))


def test_patience_keeps_the_best_epoch_and_stops() -> None:
    net = network([2, 8, 1], h="tanh", seed=1)
    random = np.random.default_rng(0)
    X, V = random.normal(size=(20, 2)), random.normal(size=(200, 2))
    noise = random.uniform(size=20) < 0.3
    R, RV = (X[:, 0] > 0) ^ noise, V[:, 0] > 0
    history = train(net, X, R, epochs=2000, eta=0.5, validation=(V, RV), patience=7)
    best = int(np.argmin(history.E_validation))
    assert history.best_epoch == best + 1
    assert len(history) == best + 1 + 7
    assert net.E(V, RV) == history.E_validation[best]
    with pytest.raises(ValueError, match="metrics needs validation"):
        train(net, X, R, metrics="accuracy")


def test_eight_threads_predict_at_once() -> None:
    net = network([50, 80, 10], h="tanh")
    X, _ = samples(net, 300)
    expected = net.predict(X).tobytes()
    results: list[bytes] = []

    def work() -> None:
        for _ in range(20):
            results.append(net.predict(X).tobytes())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 160


def test_other_threads_go_on_while_the_engine_works() -> None:
    net = network([400, 400, 10], h="tanh")
    X, _ = samples(net, 20_000)
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        net.predict(X)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    ticks = 0
    while not done.wait(0.001):
        ticks += 1
    thread.join()
    assert ticks > 20  # where predict kept the interpreter to itself there would be a few


def test_a_second_fit_at_the_same_time_raises() -> None:
    net = network([50, 80, 1])
    X, R = samples(net, 500)
    inside, stop = threading.Event(), threading.Event()

    def eta(n: int) -> float:
        inside.set()
        stop.wait(10)
        return 0.1

    first = threading.Thread(target=lambda: net.fit(X, R, epochs=1, eta=eta))
    first.start()
    assert inside.wait(10)
    verbs = (
        lambda: net.fit(X, R, epochs=1),
        lambda: net.descend(X, R, 0.1),
        net.reset,
        lambda: setattr(net, "theta", net.theta),
        lambda: setattr(net, "W", list(net.W)),
    )
    for verb in verbs:
        with pytest.raises(RuntimeError, match="being trained by another call"):
            verb()
    stop.set()
    first.join()
    net.fit(X, R, epochs=1)  # afterwards it may
    assert net.epoch == 2


@pytest.fixture
def ctrl_c_interrupts() -> Iterator[None]:
    """Who starts the tests in the background of a shell has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_interrupts")
def test_ctrl_c_comes_after_a_whole_update() -> None:
    """Interrupted at any time, the parameters are those of a whole number of steps, here of blocks."""
    net = network([300, 200, 1], h="tanh")
    X, R = samples(net, 3000)
    begun = threading.Event()

    def eta(n: int) -> float:
        begun.set()
        return 0.01

    def interrupt() -> None:
        begun.wait()
        time.sleep(0.05)
        signal.raise_signal(signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        net.fit(X, R, epochs=1000, eta=eta, shuffle=False, online_block=8)
    assert np.isfinite(net.theta).all()
    other = network([300, 200, 1], h="tanh")
    for _ in range(net.epoch):
        other.descend(X, R, 0.01, online_block=8)
    for s in range(0, len(X), 8):
        if (other.theta == net.theta).all():
            break
        other.descend(X[s : s + 8], R[s : s + 8], 0.01, online_block=8)
    assert (other.theta == net.theta).all()
    net.fit(X[:10], R[:10], epochs=1)  # and the network can be trained again


def test_progress_is_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    Network([2, 1]).fit(X4, R4, epochs=20, validation=(X4, R4), verbose=True)
    out, err = capsys.readouterr()
    assert out == ""
    first, last = err.splitlines()
    assert re.fullmatch(r"epoch 1  E 0\.\d{6}  E_validation 0\.\d{6}", first)
    assert last.startswith("epoch 20  E ")
    Network([2, 1]).fit(X4, R4, epochs=20)
    assert capsys.readouterr() == ("", "")


def test_a_batch_size_beyond_all_samples_is_all_samples() -> None:
    net, other = Network([2, 4, 1]), Network([2, 4, 1])
    net.fit(X4, R4, epochs=3, batch_size=10**400)
    other.fit(X4, R4, epochs=3, batch_size=4)
    assert net == other


def test_long_work_is_done_in_pieces_with_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two pieces a signal is heard."""
    net = network([30, 40, 3], output="softmax", loss="cross_entropy")
    X, R = samples(net, 1000)
    weights = np.random.default_rng(0).uniform(size=1000)
    y, E = net.predict(X), net.E(X, R, weights)
    monkeypatch.setattr(net, "_piece_rows", 64)
    assert len(list(net._pieces(1000))) == 16
    assert net.predict(X).tobytes() == y.tobytes()
    assert net.E(X, R, weights) == E


def test_an_epoch_of_few_samples_is_few_calls() -> None:
    """Work that is the same in every epoch is done once: resolving the names of functions again cost 0.1 ms each."""
    net = Network([2, 4, 1])

    def calls(epochs: int) -> int:
        made = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal made
            made += event == "call"

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            net.fit(X4, R4, epochs=epochs)
        finally:
            sys.setprofile(before)
        return made

    calls(10)
    assert calls(110) - calls(10) < 100 * 40
