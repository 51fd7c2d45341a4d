"""What watches a training run and ends it: validation, metrics, patience, what is kept, goals, time, callbacks."""

import re
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from deltaprop import Network
from deltaprop.training import Now
from deltaprop.training.metrics import METRICS
from problems import network, samples


def noisy(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    return X, (X[:, 0] + random.normal(size=n) > 1).astype(float)


def test_metrics_are_scikit_learns() -> None:
    random = np.random.default_rng(0)
    y, w = random.random((60, 1)).round(1), random.random(60)
    r = (random.random((60, 1)) < y).astype(float)
    share = w / w.sum()
    found = {name: m.measure(y, r, share) for name, m in METRICS.items() if m.measure is not None}
    assert found["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(r, y > 0.5, sample_weight=w))
    assert found["auc"] == pytest.approx(sklearn_metrics.roc_auc_score(r[:, 0], y[:, 0], sample_weight=w))
    assert found["rmse"] == pytest.approx(sklearn_metrics.root_mean_squared_error(r, y, sample_weight=w))
    assert found["mae"] == pytest.approx(sklearn_metrics.mean_absolute_error(r, y, sample_weight=w))
    assert found["r2"] == pytest.approx(sklearn_metrics.r2_score(r, y, sample_weight=w))
    y3, labels = random.random((60, 3)), random.integers(3, size=60)
    accuracy = METRICS["accuracy"].measure(y3, np.eye(3)[labels], share)  # type: ignore[misc]
    assert accuracy == pytest.approx(sklearn_metrics.accuracy_score(labels, y3.argmax(1), sample_weight=w))
    R3 = random.normal(size=(60, 3))
    r2 = METRICS["r2"].measure(y3, R3, share)  # type: ignore[misc]
    assert r2 == pytest.approx(sklearn_metrics.r2_score(R3, y3, sample_weight=w))
    assert np.isnan(METRICS["auc"].measure(y, np.ones((60, 1)), share))  # type: ignore[misc]


@pytest.mark.parametrize("sparse", [False, True])
def test_a_share_of_the_rows_is_held_out_of_each_class_alike(sparse: bool) -> None:
    X, r = noisy()
    weights = np.arange(400.0)
    given: Any = X
    if sparse:
        given = pytest.importorskip("scipy.sparse").csr_matrix(X * (np.abs(X) > 0.5))
        X = given.toarray()
    net = Network([3, 4, 1], seed=5)
    history = net.fit(given, r, epochs=2, validation=0.25, sample_weight=weights, metrics=("accuracy", "auc"))
    from deltaprop.training import hold_out

    rows, held_out = hold_out(400, 0.25, 5, r.astype(int))
    same = Network([3, 4, 1], seed=5)
    held = (given[held_out], r[held_out], weights[held_out])
    own = {"sample_weight": weights[rows], "validation": held, "metrics": ["accuracy", "auc"]}
    other = same.fit(given[rows], r[rows], epochs=2, **own)
    assert same == net
    assert history.E_validation == other.E_validation
    assert history.metrics == other.metrics
    assert history.E_validation[-1] == pytest.approx(net.E(X[held_out], r[held_out], weights[held_out]))
    right = (net.predict(X[held_out])[:, 0] > 0.5) == r[held_out]
    assert history.metrics["accuracy"][-1] == pytest.approx(np.average(right, weights=weights[held_out]))


def test_patience_by_a_metric_with_a_least_gain() -> None:
    X, r = noisy()
    net = Network([3, 20, 1], h="tanh")
    history = net.fit(X, r, epochs=500, eta=0.3, validation=0.3, monitor="auc", patience=6, min_gain=1e-3)
    auc = history.metrics["auc"]
    assert history.stopped == "patience"
    assert len(auc) < 500
    assert history.best_epoch == int(np.argmax(auc)) + 1
    best, since = -np.inf, 0
    for k, value in enumerate(auc):
        best, since = (value, 0) if value > best + 1e-3 else (best, since + 1)
        assert (since == 6) == (k == len(auc) - 1)


def course(keep: str, values: list[float]) -> tuple[list[float], float]:
    """Which θ is kept of a run whose E of validation takes these values: θ_n = n, by its own η."""
    net = Network([1, 1], output="identity", loss="squared_error", bias=False)
    net.theta = [0]
    seen = iter(values)
    import deltaprop.training.validation as validation

    original = validation.Validation.look
    validation.Validation.look = lambda self, model: {"E": next(seen)}  # type: ignore[method-assign]
    try:
        history = net.fit([[1.0]], [1e9], epochs=len(values), eta=lambda n: 1 / (1e9 - n + 1), keep=keep,
                          validation=([[1.0]], [0]))  # fmt: skip
    finally:
        validation.Validation.look = original  # type: ignore[method-assign]
    return history.E_validation, float(net.theta[0])


def test_what_is_kept() -> None:
    values = [3.0, 1.0, 2.0, 1.0, 5.0]
    assert course("last", values)[1] == pytest.approx(5)
    assert course("best", values)[1] == pytest.approx(2)
    assert course("last best", values)[1] == pytest.approx(4)


def test_a_goal_ends_it() -> None:
    X, r = noisy()
    history = Network([3, 8, 1]).fit(X, r, epochs=500, eta=0.5, validation=0.3, monitor="accuracy", goal=0.7)
    assert history.stopped == "goal"
    assert history.metrics["accuracy"][-1] >= 0.7
    assert all(value < 0.7 for value in history.metrics["accuracy"][:-1])
    history = Network([3, 8, 1]).fit(X, r, epochs=500, eta=0.5, goal=0.55)  # the training's own E
    assert history.stopped == "goal"
    assert history.E[-1] <= 0.55


def test_patience_without_validation_goes_by_the_trainings_own_E() -> None:
    history = Network([1, 1], output="identity", loss="squared_error").fit([[1.0]], [0], epochs=99, eta=1.0, patience=3)
    assert history.stopped == "patience"
    assert len(history) < 99


def test_time_ends_it_within_an_epoch_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        now = 0.0

        @classmethod
        def perf_counter(cls) -> float:
            cls.now += 1
            return cls.now

    for module in ("loop", "run"):
        monkeypatch.setattr(f"deltaprop.training.{module}.time", Clock)
    monkeypatch.setattr("deltaprop.model.base.PIECE_SECONDS", 1e-9)
    monkeypatch.setattr("deltaprop.model.descent.PIECE_SECONDS", 1e-9)
    X, r = noisy()
    net = Network([3, 4, 1])
    history = net.fit(X, r, epochs=50, batch_size=10, time_budget=30, shuffle=False)
    assert history.stopped == "time"
    assert len(history) == 1
    assert net.epoch == 0  # part of an epoch
    assert history.E[0] > 0
    same = Network([3, 4, 1])
    for start in range(0, 400, 10):
        same.descend(X[start : start + 10], r[start : start + 10], 0.1, batch_size=10)
        if same == net:
            return
    raise AssertionError("the parameters are those of no whole number of steps")


def test_the_best_epoch_is_kept_where_time_ends_a_worse_one_in_its_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    X, r = noisy()
    best, net = Network([3, 4, 1]), Network([3, 4, 1])
    best.fit(X, r, epochs=1, batch_size=10)
    seen = iter([0.1, 0.9])
    monkeypatch.setattr("deltaprop.training.validation.Validation.look", lambda self, model: {"E": next(seen)})
    stopping = Recorder(stop_at=60)  # in the second epoch
    history = net.fit(X, r, epochs=9, batch_size=10, keep="best", validation=(X, r), callbacks=[stopping])
    assert history.stopped == "callback"
    assert net.theta.tobytes() == best.theta.tobytes()
    assert history.best_epoch == 1


class Recorder:
    def __init__(self, stop_at: int | None = None) -> None:
        self.steps: list[Now] = []
        self.epochs: list[Now] = []
        self.stop_at = stop_at

    def on_step(self, now: Now) -> bool:
        self.steps.append(now)
        return len(self.steps) == self.stop_at

    def on_epoch(self, now: Now) -> None:
        self.epochs.append(now)


def test_callbacks_are_told_and_may_stop() -> None:
    X, r = noisy(100)
    heard: list[tuple[int, float, float]] = []

    def listen(now: Now) -> bool:
        heard.append((now.epoch, now.E, now.validation["E"]))
        assert now.history.E[-1] == now.E
        return now.epoch == 3

    net, recorder = Network([3, 4, 1]), Recorder()
    history = net.fit(X, r, epochs=9, batch_size=30, validation=(X, r), callbacks=[listen, recorder])
    assert history.stopped == "callback"
    assert heard == [(n, E, V) for n, E, V in zip((1, 2, 3), history.E, history.E_validation, strict=True)]
    assert [now.samples for now in recorder.steps] == [30, 60, 90, 100] * 3
    assert [now.epoch for now in recorder.epochs] == [1, 2, 3]
    same = Network([3, 4, 1])
    same.fit(X, r, epochs=3, batch_size=30)
    assert same == net  # being watched changes nothing

    stopped, recorder = Network([3, 4, 1]), Recorder(stop_at=2)
    history = stopped.fit(X, r, epochs=9, batch_size=30, shuffle=False, callbacks=[recorder])
    assert history.stopped == "callback"
    assert stopped.epoch == 0
    again = Network([3, 4, 1])
    again.descend(X[:60], r[:60], 0.1, batch_size=30)
    assert again.theta.tobytes() == stopped.theta.tobytes()


def test_an_error_in_a_callback_leaves_a_network_that_goes_on() -> None:
    X, r = noisy(100)
    net = Network([3, 4, 1])

    def fails(now: Now) -> None:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        net.fit(X, r, epochs=9, callbacks=[fails])
    assert net.epoch == 1
    net.fit(X, r, epochs=1)
    same = Network([3, 4, 1])
    same.fit(X, r, epochs=2)
    assert net == same


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"metrics": "acuracy", "validation": 0.5},
            ValueError,
            "no metric is called 'acuracy'. Did you mean 'accuracy'?",
        ),
        ({"metrics": "accuracy"}, ValueError, "metrics needs validation samples."),
        ({"monitor": "auc"}, ValueError, "monitor needs validation samples."),
        ({"keep": "first"}, ValueError, "keep needs to be one of 'last', 'best', 'last best'; got 'first'."),
        ({"min_gain": -1}, ValueError, "min_gain needs to be finite and at least 0; got -1."),
        ({"time_budget": 0}, ValueError, "time_budget needs to be above 0 seconds; got 0."),
        ({"goal": "low"}, TypeError, "goal needs to be a number; got 'low'"),
        ({"validation": 1.0}, ValueError, "a share of the rows between 0 and 1; got 1.0."),
        ({"validation": "some"}, TypeError, "a share of the rows between 0 and 1; got str."),
        ({"validation": 0.001}, ValueError, "of 20 rows a share of 0.001 holds 0 out and leaves 20."),
        ({"callbacks": print}, TypeError, "callbacks needs a list of functions"),
        ({"callbacks": [3]}, TypeError, "a callback is a function, or an object with on_epoch or on_step; got 3."),
        ({"patience": 0}, ValueError, "patience needs to be at least 1; got 0."),
    ],
)
def test_what_is_refused_changes_nothing(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    net = network([3, 4, 1])
    X, R = samples(net, 20)
    before = net.theta.tobytes()
    with pytest.raises(error, match=re.escape(message)):
        net.fit(X, R, **arguments)
    assert net.theta.tobytes() == before
    with pytest.raises(ValueError, match="auc is of one output; the network has 2"):
        Network([3, 2]).fit(X, np.zeros((20, 2)), validation=0.5, monitor="auc")
