"""Sparse X: what is taken and refused, and that every verb says what it says of the same numbers with their zeros."""

import re
import types
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from deltaprop import Adam, Network, _engine
from problems import Oracle, Rule, difference, network, samples

Array = np.ndarray[Any, Any]
OPTIMIZERS = ["sgd", "momentum", "nesterov", "adam"]


def sparse_samples(net: Network, n: int = 60, density: float = 0.15) -> tuple[Any, Array, Array]:
    """A csr array with empty rows and an input that is never there, the same with its zeros, and targets."""
    X, R = samples(net, n)
    random = np.random.default_rng(7)
    X[random.uniform(size=X.shape) > density] = 0
    X[[0, 5, n - 1]] = 0
    X[:, 3] = 0
    return sp.csr_array(X), X, R


def unsorted_with_duplicates(dense: Array) -> Any:
    """The same numbers from right to left, each in two halves, with zeros written out; int64 indices."""
    starts, columns, values = [0], [], []
    for row in dense:
        for i in np.flatnonzero(row)[::-1]:
            columns += [i, i]
            values += [row[i] / 2, row[i] / 2]
        columns += [0]
        values += [0.0]
        starts.append(len(columns))
    X = sp.csr_array((np.array(values, dense.dtype), np.array(columns), np.array(starts)), shape=dense.shape)
    assert not X.has_canonical_format
    return X


FORMATS: dict[str, Any] = {
    "csr_array": sp.csr_array,
    "csr_matrix": sp.csr_matrix,
    "csc_array": sp.csc_array,
    "coo_array": sp.coo_array,
    "coo_matrix": sp.coo_matrix,
    "dia_array": sp.dia_array,
    "lil_array": sp.lil_array,
    "unsorted, twice": unsorted_with_duplicates,
}


def parts(X: Any) -> dict[str, Array]:
    """Copies of the arrays that a sparse matrix consists of."""
    return {
        name: getattr(X, name).copy()
        for name in ("data", "indices", "indptr", "row", "col", "offsets")
        if isinstance(getattr(X, name, None), np.ndarray)
    }


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_format_and_every_verb(form: str, dtype: str, instruction_set: str) -> None:
    net, other = network([12, 9, 3], h="tanh", dtype=dtype), network([12, 9, 3], h="tanh", dtype=dtype)
    _, dense, R = sparse_samples(net)
    X = FORMATS[form](dense)
    before = parts(X)
    weights = np.arange(60) % 4
    assert net.predict(X).tobytes() == net.predict(dense).tobytes()
    assert net.E(X, R, weights) == net.E(dense, R, weights)
    assert net.gradient(X, R, weights).tobytes() == net.gradient(dense, R, weights).tobytes()
    for found, expected in zip(net.trace(X, R).layers, net.trace(dense, R).layers, strict=True):
        assert found.a.tobytes() == expected.a.tobytes()
        assert found.dW.tobytes() == expected.dW.tobytes()
    E = net.descend(X, R, 0.1, sample_weight=weights)
    tolerance = {"float64": 1e-12, "float32": 1e-5}[dtype]
    assert pytest.approx(other.descend(dense, R, 0.1, sample_weight=weights), rel=tolerance) == E
    assert difference(net.theta, other.theta) <= tolerance
    history, same = net.fit(X, R, epochs=2, validation=(X, R)), other.fit(dense, R, epochs=2, validation=(dense, R))
    assert history.E_validation == pytest.approx(same.E_validation, rel=tolerance)
    assert difference(net.theta, other.theta) <= tolerance
    for name, array in parts(X).items():
        assert array.dtype == before[name].dtype
        assert array.tobytes() == before[name].tobytes()
    assert X.dtype == dense.dtype


def test_a_trace_is_that_of_the_numbers_with_their_zeros() -> None:
    net = network([12, 9, 3])
    X, dense, R = sparse_samples(net)
    t = net.trace(X, R)
    assert (t.x == dense).all()
    assert t.E.tobytes() == net.trace(dense, R).E.tobytes()
    with pytest.raises(ValueError, match=re.escape("X needs shape (n, 12)")):
        net.trace(X[:, :5], R)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_gradient_check(dtype: str) -> None:
    net = network([5, 4, 2], h="tanh", dtype=dtype)
    X, dense, R = sparse_samples(net, 20, 0.4)
    report = net.check_gradient(X, R)
    assert report.ok
    assert report == net.check_gradient(dense, R)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("batch_size", [1, 7, 300])
@pytest.mark.parametrize("optimizer", [*OPTIMIZERS, Adam(0.5, 0.9, 1e-3)], ids=str)
def test_fit(optimizer: Any, batch_size: int, shuffle: bool, bias: bool, instruction_set: str) -> None:
    """With η_n of each epoch, and weights of which some are 0."""
    arguments: dict[str, Any] = {
        "epochs": 3,
        "eta": [0.05, 0.1, 0.02],
        "optimizer": optimizer,
        "batch_size": batch_size,
        "shuffle": shuffle,
        "sample_weight": np.arange(60) % 3,
    }
    net, other = network([12, 17, 2], bias=bias), network([12, 17, 2], bias=bias)
    X, dense, R = sparse_samples(net)
    history, same = net.fit(X, R, **arguments), other.fit(dense, R, online_block=1, **arguments)
    assert difference(net.theta, other.theta) <= 1e-12
    assert pytest.approx(same.E, rel=1e-12) == history.E
    arguments["eta"] = 0.05
    net.fit(X, R, **arguments)  # the memory, too
    other.fit(dense, R, **arguments)
    assert difference(net.theta, other.theta) <= 1e-12


@pytest.mark.parametrize("online_block", [1, 2, 16, 32])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_blocks_of_sparse_rows(optimizer: str, online_block: int, instruction_set: str) -> None:
    net, other = network([30, 17, 2]), network([30, 17, 2])
    X, dense, R = sparse_samples(net)
    net.descend(X, R, 0.05, optimizer=optimizer, online_block=online_block)
    other.descend(dense, R, 0.05, optimizer=optimizer, online_block=1)
    assert difference(net.theta, other.theta) <= 1e-12


@pytest.mark.parametrize("online_block", [0, 1])
@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize(("optimizer", "parameters"), [("sgd", ()), ("momentum", (0.9,)), ("nesterov", (0.8,))])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_rows_that_wait_catch_up(
    dtype: str, optimizer: str, parameters: tuple[float, ...], l2: float, online_block: int, instruction_set: str
) -> None:
    """Where its input is 0 a weight is left to the momentum and the penalty, as the formula says; also as η changes."""
    net = network([12, 9, 2], h="tanh", dtype=dtype)
    X, dense, R = sparse_samples(net, 80)
    learning = _engine.Learning(optimizer, list(parameters), l2)
    for rates in (np.array([0.1]), np.repeat([0.1, 0.05, 0.2, 0.1], 20)):
        theta = net.padded_theta.copy()
        state = np.zeros(learning.states * len(theta), dtype)
        if learning.states:
            net._parameters.assign(np.random.default_rng(1).normal(size=net.n_parameters) / 10, state)
        oracle, rule = Oracle(net), Rule(optimizer, *parameters)
        rule.V = net._parameters.dense(state).astype(float) if learning.states else 0.0
        _engine.descend(
            net._plan, learning, theta, state, (X.indptr.astype(np.int64), X.indices, X.data), R, None, None, rates, 1,
            online_block, (0.0, 0.0, 0),
        )  # fmt: skip
        penalised = np.concatenate([np.repeat([1.0, 0.0], [W.size, W.shape[1]]) for W in net.W])
        for s in range(80):
            g = oracle.gradient(dense[s : s + 1], R[s : s + 1], np.ones(1)) + l2 * penalised * oracle.theta
            oracle.theta = rule.step(oracle.theta, g, rates[s if len(rates) > 1 else 0])
        tolerance = {"float64": 1e-12, "float32": 2e-5}[dtype]
        assert difference(net._parameters.dense(theta), oracle.theta) <= tolerance
        if learning.states:
            assert difference(net._parameters.dense(state), rule.V) <= tolerance


@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_same_bits_however_an_order_is_cut(optimizer: str, l2: float, instruction_set: str) -> None:
    """Looked at after every block, or in pieces of whole blocks; with `online_block=1` row by row, as dense rows."""

    class Look:
        def __init__(self) -> None:
            self.times = 0

        def on_step(self, _: Any) -> None:
            self.times += 1

    def made() -> Network:
        return network([30, 17, 2], dtype="float32", l2=l2)

    X, dense, R = sparse_samples(made(), 600, 0.05)
    weights = np.arange(600) % 4  # also some blocks with few samples
    whole, looked_at = made(), made()
    whole.fit(X, R, epochs=2, eta=0.05, optimizer=optimizer, sample_weight=weights)
    look = Look()
    looked_at.fit(X, R, epochs=2, eta=0.05, optimizer=optimizer, sample_weight=weights, callbacks=[look])
    assert whole == looked_at
    assert whole.theta.tobytes() == looked_at.theta.tobytes()
    assert look.times >= 8

    one, pieces, rows = made(), made(), made()
    weights = weights + 0.5  # a call needs some weight
    one.descend(X, R, 0.05, optimizer=optimizer, sample_weight=weights, online_block=1)
    for s in range(600):
        pieces.descend(X[[s]], R[[s]], 0.05, optimizer=optimizer, sample_weight=weights[[s]], online_block=1)
    rows.descend(dense, R, 0.05, optimizer=optimizer, sample_weight=weights, online_block=1)
    assert one.theta.tobytes() == pieces.theta.tobytes() == rows.theta.tobytes()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_how_fast_the_machine_is_changes_no_bit(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pieces of an epoch go by the clock, but end where rows catch up."""
    results, pieces = [], []
    for room in ("base", "descent"):
        monkeypatch.setattr(f"deltaprop.model.{room}.WORK_PER_SECOND", 5e4)
    descend = _engine.descend
    for tick in (0.0, 1.0):  # no time passes, or a second at every look
        now = iter(np.arange(0, 1e6, tick) if tick else iter(float, 1.0))
        clock = types.SimpleNamespace(perf_counter=lambda now=now: next(now))
        monkeypatch.setattr("deltaprop.model.descent.time", clock)
        counted: list[int] = []

        def counting(*arguments: Any, counted: list[int] = counted) -> Any:
            counted.append(len(arguments[7]))
            return descend(*arguments)

        monkeypatch.setattr(_engine, "descend", counting)
        net = network([30, 17, 2])
        X, _, R = sparse_samples(net, 1500, 0.05)
        net.fit(X, R, epochs=2, eta=0.05, optimizer=optimizer)
        results.append(net.theta.tobytes())
        pieces.append(counted)
    assert results[0] == results[1]
    assert min(map(len, pieces)) > 4


def test_other_kinds_of_numbers() -> None:
    net = network([4, 3, 1])
    whole = np.array([[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 0, 0]])
    y = net.predict(whole).tobytes()
    for dtype in ("int8", "int64", "float32", "float64"):
        assert net.predict(sp.csr_array(whole.astype(dtype))).tobytes() == y
    assert net.predict(sp.csr_array(whole > 0)).tobytes() == net.predict(whole > 0).tobytes()
    long = sp.csr_array(whole)
    long.indptr, long.indices = long.indptr.astype(np.int64), long.indices.astype(np.int64)
    assert net.predict(long).tobytes() == y
    short = sp.csr_array(whole)
    short.indptr, short.indices = short.indptr.astype(np.int32), short.indices.astype(np.int32)
    assert net.predict(short).tobytes() == y
    assert net.predict(sp.csr_array(whole)[::-1])[::-1].tobytes() == y
    assert net.predict(sp.csr_array(whole)[1:]).tobytes() == net.predict(whole[1:]).tobytes()


def test_nothing_but_zeros_and_no_rows() -> None:
    for optimizer in OPTIMIZERS:
        net, other = network([9, 4, 1]), network([9, 4, 1])
        zeros = sp.csr_array((6, 9))
        assert net.predict(zeros).tobytes() == net.predict(np.zeros((6, 9))).tobytes()
        net.fit(zeros, np.ones(6), epochs=2, optimizer=optimizer)
        other.fit(np.zeros((6, 9)), np.ones(6), epochs=2, optimizer=optimizer)
        assert difference(net.theta, other.theta) <= 1e-12
    assert net.predict(sp.csr_array((0, 9))).shape == (0, 1)
    for verb in (net.fit, net.E, net.gradient, lambda X, R: net.descend(X, R, 0.1)):
        with pytest.raises(ValueError, match="X has no rows"):
            verb(sp.csr_array((0, 9)), [])


def with_data(value: float) -> Any:
    return sp.csr_array(([1.0, value], ([0, 1], [2, 0])), shape=(4, 4))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (sp.csr_array((4, 3)), ValueError, "X needs shape (n, 4), a row of 4 inputs per sample; got (4, 3)"),
        (sp.coo_array(np.ones(4)), ValueError, "X needs shape (n, 4), a row of 4 inputs per sample; got (4,)"),
        (with_data(np.nan), ValueError, "X.data[1] is nan, not a finite number"),
        (with_data(-np.inf), ValueError, "X.data[1] is -inf, not a finite number"),
        (sp.csr_array(np.eye(4) * 1j), TypeError, "X.data needs real numbers; got dtype complex128"),
        (sp.csr_array((5, 4)), ValueError, "R needs shape (5, 1) or (5,), a row per row of X; got (4,)"),
    ],
)
def test_what_is_refused(X: Any, error: type[Exception], message: str) -> None:
    net = Network([4, 1])
    for verb in (net.fit, net.E, net.gradient, lambda X, R: net.descend(X, R, 0.1), net.check_gradient):
        with pytest.raises(error, match=re.escape(message)):
            verb(X, [0, 1, 0, 1])
    assert net == Network([4, 1])


def test_a_number_too_large_for_float32_says_so() -> None:
    with pytest.raises(ValueError, match=re.escape("X.data[1] is 1e+300, too large for float32")):
        Network([4, 1], dtype="float32").predict(with_data(1e300))


def test_only_X_may_be_sparse() -> None:
    net = Network([4, 1])
    X, R = sp.csr_array(np.eye(4)), sp.csr_array(np.ones((4, 1)))
    verbs = (net.fit, net.E, net.gradient, lambda X, R: net.descend(X, R, 0.1), net.check_gradient)
    for verb in verbs:
        with pytest.raises(TypeError, match=re.escape("R is a sparse matrix, which only X may be; pass R.toarray().")):
            verb(X, R)
    with pytest.raises(TypeError, match="r is a sparse matrix"):
        net.trace(X, R)
    with pytest.raises(TypeError, match="sample_weight is a sparse matrix"):
        net.fit(X, np.ones(4), sample_weight=R)
    with pytest.raises(ValueError, match=re.escape("validation: X needs shape (n, 4)")):
        net.fit(X, np.ones(4), validation=(X[:, :2], np.ones(4)))


def test_a_sample_of_weight_0_may_overflow() -> None:
    arguments: dict[str, Any] = {"h": "relu", "output": "identity", "loss": "squared_error", "dtype": "float32"}
    X, R = sp.csr_array([[1, 2, 0], [3e38, 3e38, 0], [2, 0, 1]]), np.array([1, 1, 0])
    for optimizer in OPTIMIZERS:
        net, other = network([3, 3, 1], **arguments), network([3, 3, 1], **arguments)
        E = net.descend(X, R, 1e-3, sample_weight=[1, 0, 1], optimizer=optimizer)
        assert other.descend(X[[0, 2]], R[[0, 2]], 1e-3, optimizer=optimizer) == E
        assert net.theta.tobytes() == other.theta.tobytes()
