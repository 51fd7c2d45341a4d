"""The record of a run: what it keeps, what it says of it, and the way back to any update, to the bit."""

import copy
import pickle
import re
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from deltaprop import Adam, Momentum, Network, Record
from deltaprop.training import keeping

CASES: dict[str, dict[str, Any]] = {
    "row by row": {"online_block": 1, "eta": 0.05},
    "blocks": {"online_block": 8, "eta": 0.05, "optimizer": "momentum"},
    "blocks of the engine's": {"layers": [30, 20, 2], "eta": 0.02},
    "adam": {"optimizer": "adam", "eta": 0.01, "sample_weight": np.arange(120.0) % 3},
    "batches": {"batch_size": 7, "optimizer": Adam(0.8), "eta": 0.01},
    "a batch larger than all": {"batch_size": 1000, "epochs": 6, "optimizer": "nadam", "eta": 0.01},
    "penalties, decay, float32": {"batch_size": 16, "optimizer": "lion", "eta": 1e-3, "decay": 0.1, "l2": 0.01,
                                  "dtype": "float32"},
    "η of every step": {"optimizer": "nesterov", "eta": "one_cycle:0.05", "eta_per": "step", "batch_size": 3},
    "dropout and noise": {"dropout": [0.2, 0.5], "input_noise": 0.1, "batch_size": 4, "eta": 0.1},
    "held out, the best": {"validation": 0.3, "keep": "best", "batch_size": 5, "eta": 0.3, "patience": 2},
    "an average": {"average": "ema:keep=0.9", "online_block": 1, "eta": 0.05},
    "clipped": {"clip_norm": 0.1, "batch_size": 5, "eta": 0.5, "optimizer": Momentum(0.9)},
    "as they stand": {"shuffle": False, "batch_size": 9, "eta": 0.1},
    "sparse": {"layers": [30, 20, 2], "sparse": True, "optimizer": "momentum", "eta": 0.02},
    "threads": {"layers": [200, 150, 2], "batch_size": 30, "optimizer": "adam", "eta": 0.01},
}  # fmt: skip
OF_THE_NETWORK = ("l2", "dtype", "dropout", "input_noise")


def made(
    layers: tuple[int, ...] | list[int] = (9, 12, 3), sparse: bool = False, **arguments: Any
) -> tuple[Network, Any, Any, dict[str, Any]]:
    own = {name: arguments.pop(name) for name in OF_THE_NETWORK if name in arguments}
    net = Network(list(layers), h="tanh", output="sigmoid", loss="log", seed=3, **own)
    random = np.random.default_rng(1)
    X = random.normal(size=(120, layers[0])) * (random.random((120, layers[0])) < 0.4)
    R = (X[:, : layers[-1]] > 0).astype(float)
    return net, scipy.sparse.csr_array(X) if sparse else X, R, {"epochs": 3, **arguments}


class States:
    """The state after every step that fit lets a caller see."""

    def __init__(self, net: Network) -> None:
        self.net = net
        self.seen: list[Network] = []

    def on_step(self, _: Any) -> None:
        self.seen.append(copy.copy(self.net))


def same(one: Network, other: Network) -> bool:
    memory = (one.memory.state.tobytes(), one.memory.steps) == (other.memory.state.tobytes(), other.memory.steps)
    return memory and one.theta.tobytes() == other.theta.tobytes() and one.presented == other.presented


@pytest.mark.parametrize("far", [4, 50, 100_000])
@pytest.mark.parametrize("case", CASES)
def test_every_state_is_that_of_the_run(case: str, far: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept or gone back to: the parameters and the optimizer's memory that the run had, and a record changes no bit."""
    monkeypatch.setattr(keeping, "FAR", far)
    net, X, R, arguments = made(**CASES[case])
    plain, *_ = made(**CASES[case])
    plain.fit(X, R, **arguments)
    watched, *_ = made(**CASES[case])
    states = States(watched)
    start = copy.copy(watched)
    watched.fit(X, R, **arguments, callbacks=[states])
    record = Record(every=5)
    net.fit(X, R, **arguments, record=record)
    assert same(net, plain)
    start.take_up(record.network(0).optimizer)  # which remembers nothing yet
    assert record.steps[0] == 0
    for steps in (record.steps, record.kept):
        assert list(steps) == sorted(set(steps))
    assert len(record.kept) == 2 if far > 1000 else len(record.kept) > 2

    weights = {"sample_weight": arguments.get("sample_weight")}
    stops = np.cumsum([0] + [block_of(case, net, X, R, arguments, k) for k in range(len(states.seen))])
    found = dict(zip(stops.tolist(), [start, *states.seen], strict=True))
    assert max(found) == record.steps[-1] == record.updates
    assert set(record.kept) <= set(found)
    for step in {*record.kept, *list(found)[1::3]}:
        assert same(record.network(step), found[step])
        replayed = net.replay(record, X, R, step, **weights)
        assert same(replayed, found[step])
        assert replayed.average is None


def block_of(case: str, net: Network, X: Any, R: Any, arguments: dict[str, Any], k: int) -> int:
    """How many updates the k-th call of on_step stands for."""
    if arguments.get("batch_size", 1) > 1:
        return 1
    n = 120
    if case == "sparse":
        from deltaprop import _engine

        unit = net._plan.sparse_block(_engine.Learning("momentum", [0.9]), n, X.nnz)
    else:
        unit = arguments.get("online_block") or net._plan.online_block(net._learning(net.optimizer))
    per_epoch = -(-n // unit)
    return min(unit, n - (k % per_epoch) * unit)


def test_it_ends_where_the_run_ended_early() -> None:
    class Stop:
        def __init__(self) -> None:
            self.left = 17

        def on_step(self, _: Any) -> bool:
            self.left -= 1
            return self.left == 0

    net, X, R, arguments = made(batch_size=10, eta=0.1)
    record = Record(every=5)
    net.fit(X, R, **arguments, record=record, callbacks=[Stop()])
    assert record.steps == (0, 5, 10, 15, 17)
    assert same(net.replay(record, X, R, 17), net)
    assert net.replay(record, X, R, 15).epoch == 1
    with pytest.raises(ValueError, match=re.escape("the run has 17 updates; got step=18.")):
        net.replay(record, X, R, 18)


def test_epochs_of_fewer_updates_than_from_state_to_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "FAR", 300)
    net, X, R, arguments = made(batch_size=40, eta=0.1)
    record = Record(every=7)
    net.fit(X, R, **{**arguments, "epochs": 8}, record=record)
    assert record.kept == (0, 9, 18, 24)
    assert record.steps == (0, 7, 14, 21, 24)
    assert [record.network(step).epoch for step in record.steps] == [0, 2, 4, 7, 8]


def test_the_traces_are_those_of_the_network_at_that_update() -> None:
    net, X, R, arguments = made(batch_size=10, eta=0.1, dropout=[0.1, 0.2])
    record = Record(every=10, samples=[3, 0])
    net.fit(X, R, **arguments, record=record)
    for step in record.steps:
        for eta in (None, 0.1):
            own = record.trace(step, eta=eta)
            expected = record.network(step).trace(X[[3, 0]], R[[3, 0]], eta=eta)
            for layer, other in zip(own.layers, expected.layers, strict=True):
                assert layer.delta.tobytes() == other.delta.tobytes()
                assert layer.W.tobytes() == other.W.tobytes()
                assert (layer.W_after is None) is (eta is None)
    assert record.trace(0).E.shape == (2,)


def test_with_too_many_states_every_second_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    net, X, R, arguments = made(batch_size=4, eta=0.1)
    other, *_ = made(batch_size=4, eta=0.1)
    monkeypatch.setattr(keeping, "FAR", 4)
    every = Record()
    other.fit(X, R, **{**arguments, "epochs": 9}, record=every)
    assert len(every.kept) == 9 * 30 + 1
    monkeypatch.setattr(keeping, "MOST_BYTES", 20 * net.padded_theta.nbytes)
    record = Record()
    net.fit(X, R, **{**arguments, "epochs": 9}, record=record)
    assert 8 <= len(record.kept) <= 40
    for step in (*record.kept, 100, 101, 269):
        assert same(record.network(step), every.network(step))


def test_what_a_record_has_is_its_own() -> None:
    net, X, R, arguments = made(batch_size=10, eta=0.1)
    record = Record(every=4)
    net.fit(X, R, **arguments, record=record)
    before = [record.network(step).theta.tobytes() for step in record.steps]
    record.network(4).fit(X, R, epochs=1)
    net.reset()
    assert [record.network(step).theta.tobytes() for step in record.steps] == before
    assert repr(record) == "Record(every=4, samples=[]): 36 updates, 2 states"
    assert len(record) == 10

    restored = pickle.loads(pickle.dumps(record))
    assert restored.network(36).theta.tobytes() == before[-1]
    with pytest.raises(
        ValueError, match=re.escape("and the samples are not here: use net.replay(record, X, R, step).")
    ):
        restored.network(4)
    assert [net.replay(restored, X, R, step).theta.tobytes() for step in restored.steps] == before


def test_samples_that_have_changed_since_are_noticed() -> None:
    net, X, R, arguments = made(batch_size=10, eta=0.1)
    record = Record(every=4)
    net.fit(X, R, **arguments, record=record)
    X[5, 0] += 1
    assert same(record.network(36), net)
    with pytest.raises(ValueError, match=re.escape("Record.network: the record is of a run on other samples")):
        record.network(4)


def test_what_is_refused() -> None:
    net, X, R, arguments = made(batch_size=10, eta=0.1)
    with pytest.raises(TypeError, match=re.escape("Network.fit: record needs a deltaprop.Record; got 100.")):
        net.fit(X, R, **arguments, record=100)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=re.escape("asks for sample 120; X has 120 rows, counted from 0.")):
        net.fit(X, R, **arguments, record=Record(samples=[120]))
    with pytest.raises(ValueError, match="every needs to be at least 1"):
        Record(every=0)
    with pytest.raises(TypeError, match="a sample needs to be a whole number"):
        Record(samples=[0.5])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="lbfgs takes all of them at once"):
        net.fit(X, R, epochs=1, optimizer="lbfgs", record=Record())
    empty = Record()
    assert repr(empty) == "Record(every=100, samples=[]): nothing yet"
    assert empty.steps == ()
    for use in (lambda: net.replay(empty, X, R, 0), lambda: empty.network(0), lambda: empty.trace(0)):
        with pytest.raises(ValueError, match="it holds nothing yet"):
            use()
    record = Record(every=4)
    net.fit(X, R, **arguments, record=record)
    with pytest.raises(ValueError, match="this record holds a run; give each run one of its own"):
        net.fit(X, R, **arguments, record=record)
    with pytest.raises(ValueError, match="it has no samples to trace"):
        record.trace(4)
    for other in (X + 1, X[::-1], X[:, ::-1], X[:-1]):
        with pytest.raises(ValueError, match="the record is of a run on other samples"):
            net.replay(record, other, R[: len(other)], 5)
    with pytest.raises(ValueError, match="the record is of another network"):
        Network([9, 11, 3]).replay(record, X, R, 5)
    with pytest.raises(TypeError, match=re.escape("Network.replay: record needs a deltaprop.Record; got None.")):
        net.replay(None, X, R, 5)  # type: ignore[arg-type]


def test_nothing_is_recorded_of_a_run_that_is_refused() -> None:
    net, X, R, arguments = made(batch_size=10, eta=0.1)
    record = Record(every=4)
    with pytest.raises(ValueError, match="eta"):
        net.fit(X, R, **{**arguments, "eta": -1.0}, record=record)
    assert not record.states
    net.fit(X, R, **arguments, record=record)
    assert record.steps[-1] == 36
