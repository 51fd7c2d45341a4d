"""Online descent in blocks takes the steps of the naive order, and every rule is its formula, in batches, too."""

from typing import Any

import numpy as np
import pytest

from deltaprop import Network, _engine, textbook
from problems import Oracle, Rule, difference, network, samples

Array = np.ndarray[Any, Any]
RULES: dict[str, tuple[float, ...]] = {"sgd": (), "momentum": (0.9,), "nesterov": (0.8,), "adam": (0.9, 0.99, 1e-3)}
LINEAR = ["sgd", "momentum", "nesterov"]
TOLERANCE = {"float64": 1e-12, "float32": 2e-5}
BLOCKS = [2, 3, 7, 16, 24, 31, 32]


class Descent:
    """A network's parameters and an optimizer's memory, with the engine's descent on them."""

    def __init__(self, net: Network, optimizer: str, l2: float = 0.0) -> None:
        self.net, self.learning = net, _engine.Learning(optimizer, RULES[optimizer], l2)
        self.theta = net.padded_theta.copy()
        self.state = np.zeros(self.learning.states * len(self.theta), net.dtype)
        self.sums = (0.0, 0.0, 0)

    def copy(self) -> "Descent":
        other = object.__new__(Descent)
        other.__dict__.update(self.__dict__, theta=self.theta.copy(), state=self.state.copy())
        return other

    def run(
        self,
        X: Array,
        R: Array,
        eta: float | Array,
        block: int,
        *,
        batch_size: int = 1,
        weights: Array | None = None,
        order: Array | None = None,
        threads: int = 1,
    ) -> "Descent":
        rates = np.atleast_1d(np.asarray(eta, float))
        self.sums = _engine.descend(
            self.net._plan, self.learning, self.theta, self.state, X, R, weights, order, rates, batch_size, block,
            self.sums, threads,
        )  # fmt: skip
        return self

    @property
    def dense(self) -> Array:
        return self.net._parameters.dense(self.theta)

    @property
    def bits(self) -> list[Any]:
        return [self.theta.tobytes(), self.state.tobytes(), self.sums]


def is_weight(net: Network) -> Array:
    """1 for the weights in theta, 0 for the biases."""
    parts = [(np.ones(W.size), np.zeros(W.shape[1] if net.bias else 0)) for W in net.W]
    return np.concatenate([part for pair in parts for part in pair])


def by_formula(
    net: Network,
    optimizer: str,
    X: Array,
    R: Array,
    eta: float | Array,
    *,
    batch_size: int = 1,
    l2: float = 0.0,
    weights: Array | None = None,
) -> Array:
    """Theta after a pass, from the textbook's gradients and the formula of the rule."""
    oracle, rule, penalised = Oracle(net), Rule(optimizer, *RULES[optimizer]), is_weight(net)
    weights = np.ones(len(X)) if weights is None else weights
    for n, start in enumerate(range(0, len(X), batch_size)):
        part = slice(start, start + batch_size)
        if batch_size == 1 and weights[start] == 0:
            continue
        g = oracle.gradient(X[part], R[part], weights[part]) / len(X[part]) + l2 * penalised * oracle.theta
        oracle.theta = rule.step(oracle.theta, g, float(np.atleast_1d(eta)[n if np.ndim(eta) else 0]))
    return oracle.theta


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("first", [1, 7, 16, 17, 32, 70])
@pytest.mark.parametrize("n_in", [1, 7, 8, 9, 30, 784])
def test_a_block_is_its_naive_order(n_in: int, first: int, dtype: str, instruction_set: str) -> None:
    """From the same parameters and memory at the beginning of every block; the last has 5 samples or fewer."""
    k = n_in + first
    for above in ([], [1], [3], [9, 2]):
        for bias in (True, False):
            net = network([n_in, first, *above], h="tanh", bias=bias, dtype=dtype)
            for optimizer in LINEAR:
                k += 1
                block = BLOCKS[k % len(BLOCKS)]
                X, R = samples(net, 2 * block + min(5, block - 1))
                eta = 0.5 / (n_in + first)
                naive = Descent(net, optimizer)
                for start in range(0, len(X), block):
                    part = slice(start, start + block)
                    before, blocks = naive.dense, naive.copy().run(X[part], R[part], eta, block)
                    naive.run(X[part], R[part], eta, 1)
                    assert difference(blocks.dense, naive.dense) <= TOLERANCE[dtype], (above, bias, optimizer, block)
                    assert difference(naive.dense, before) > 10 * TOLERANCE[dtype]  # which is a thing to miss
                    if len(naive.state):
                        assert difference(blocks.state, naive.state) <= 5 * TOLERANCE[dtype]
                    assert blocks.sums == pytest.approx(naive.sums, rel=TOLERANCE[dtype])


@pytest.mark.parametrize("online_block", [None, 1, 2, 16, 32])
def test_online_block_of_descend(online_block: int | None) -> None:
    net, naive = network([30, 17, 2], bias=True), network([30, 17, 2], bias=True)
    X, R = samples(net, 60)
    E = net.descend(X, R, 0.1, online_block=online_block)
    assert pytest.approx(naive.descend(X, R, 0.1, online_block=1), rel=1e-13) == E
    assert difference(net.theta, naive.theta) <= 1e-12
    assert (net.theta.tobytes() == naive.theta.tobytes()) == (online_block == 1)  # the blocks did run


@pytest.mark.parametrize("value", [0, 33, -1, 1.0, True, "16"])
def test_an_online_block_that_is_refused(value: Any) -> None:
    net = Network([2, 1])
    with pytest.raises((TypeError, ValueError), match="online_block needs to be"):
        net.fit([[1, 2]], [1], online_block=value)
    with pytest.raises((TypeError, ValueError), match="online_block needs to be"):
        net.descend([[1, 2]], [1], 0.1, online_block=value)
    assert net == Network([2, 1])


@pytest.mark.parametrize("online_block", [None, 2, 7, 16, 32])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [[9, 3], [30, 17, 2], [784, 16, 1], [8, 70, 9, 2], [3, 5, 1], [9, 7, 5, 1]], ids=str)
def test_against_the_lectures_nine_lines(
    layers: list[int], bias: bool, online_block: int | None, instruction_set: str
) -> None:
    net = network(layers, bias=bias)
    X, R = samples(net, 37)
    eta = [0.5 / layers[0], 0.25 / layers[0]]
    W, b = textbook.online(list(net.W), list(net.b) if bias else None, X, R, eta, epochs=2)
    net.fit(X, R, epochs=2, eta=eta, shuffle=False, online_block=online_block)
    for l in range(len(W)):
        assert difference(net.W[l], W[l]) <= 1e-12
        assert b is None or difference(net.b[l], b[l]) <= 1e-12


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", LINEAR)
@pytest.mark.parametrize("layers", [[130, 70, 3], [784, 33, 1], [784, 30, 1], [9, 130]], ids=str)
def test_same_bits_for_any_number_of_threads(
    layers: list[int], optimizer: str, dtype: str, instruction_set: str
) -> None:
    net = network(layers, h="tanh", dtype=dtype)
    X, R = samples(net, 75)
    random = np.random.default_rng(3)
    weights, order = random.integers(3, size=75).astype(dtype), random.permutation(75)
    for block, l2 in ((0, 0.0), (32, 0.1)):
        results = [
            Descent(net, optimizer, l2).run(X, R, 0.01, block, weights=weights, order=order, threads=threads).bits
            for threads in (1, 2, 3, 4)
        ]
        assert results == results[:1] * 4


@pytest.mark.parametrize("layers", [[30, 17, 2], [30, 17, 1], [3, 5, 1]], ids=str)
@pytest.mark.parametrize("optimizer", LINEAR)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_order_in_pieces_of_whole_blocks(
    dtype: str, optimizer: str, layers: list[int], instruction_set: str
) -> None:
    net = network(layers, dtype=dtype)
    X, R = samples(net, 100)
    random = np.random.default_rng(5)
    order, weights = random.permutation(100), random.integers(3, size=100).astype(dtype)
    rates = np.linspace(0.1, 0.05, 100)
    for block in (7, 16):
        for eta in (0.1, rates):
            whole = Descent(net, optimizer, 0.01).run(X, R, eta, block, weights=weights, order=order)
            for cuts in ([0, block, 100], [0, 2 * block, 3 * block, 5 * block, 100], list(range(0, 100, block))):
                pieces = Descent(net, optimizer, 0.01)
                for start, stop in zip(cuts, [*cuts[1:], 100], strict=True):
                    of_piece = eta[start:stop] if isinstance(eta, np.ndarray) else eta
                    if stop > start:
                        pieces.run(X, R, of_piece, block, weights=weights, order=order[start:stop])
                assert pieces.bits == whole.bits


@pytest.mark.parametrize("layers", [[30, 17, 2], [30, 17, 1], [3, 5, 1]], ids=str)
@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("optimizer", LINEAR)
def test_weights_with_zeros(optimizer: str, l2: float, layers: list[int], instruction_set: str) -> None:
    """A sample of weight 0 is no step: blocks of which few, none or all samples count, and more after fewer."""
    net = network(layers)
    X, R = samples(net, 64)
    weights = np.random.default_rng(2).uniform(0.5, 2, 64)
    weights[1:15] = 0  # of the first block of 16 two are left
    weights[32:48] = 0
    weights[50:60:2] = 0
    for eta in (0.05, np.linspace(0.1, 0.01, 64)):
        expected = by_formula(net, optimizer, X, R, eta, weights=weights, l2=l2)
        for block in (1, 3, 16, 32):
            found = Descent(net, optimizer, l2).run(X, R, eta, block, weights=weights)
            assert difference(found.dense, expected) <= 1e-12
            assert found.sums[1:] == (pytest.approx(weights.sum()), np.count_nonzero(weights))


@pytest.mark.parametrize("layers", [[9, 7, 2], [9, 7, 1], [20, 7, 1]], ids=str)
def test_a_sample_of_weight_0_may_overflow_in_a_block(layers: list[int]) -> None:
    net, other = network(layers, dtype="float32"), network(layers, dtype="float32")
    X, R = samples(net, 20)
    kept = np.arange(20) != 5
    other.descend(X[kept], R[kept], 0.1, online_block=1)
    X[5] = 3e38
    net.descend(X, R, 0.1, sample_weight=kept, online_block=16)
    assert difference(net.theta, other.theta) <= 2e-5


@pytest.mark.parametrize("l2", [0.0, 0.1])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("optimizer", RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_rules_are_their_formulas(dtype: str, optimizer: str, bias: bool, l2: float, instruction_set: str) -> None:
    """With η of each step: the naive order, blocks, mini-batches with a smaller last one; biases are not penalised."""
    net = network([9, 17, 3], h="tanh", bias=bias, dtype=dtype)
    X, R = samples(net, 47)
    weights = np.random.default_rng(1).uniform(0.5, 2, 47).astype(dtype)
    for batch_size, block in ((1, 1), (1, 5), (1, 16), (1, 32), (4, 0), (47, 0)):
        eta = np.linspace(0.05, 0.01, -(-47 // batch_size))
        expected = by_formula(net, optimizer, X, R, eta, batch_size=batch_size, l2=l2, weights=weights)
        found = Descent(net, optimizer, l2).run(X, R, eta, block, batch_size=batch_size, weights=weights)
        assert difference(found.dense, expected) <= TOLERANCE[dtype], (batch_size, block)
        assert found.sums[2] == len(eta)


@pytest.mark.parametrize("optimizer", RULES)
def test_steps_of_more_than_one_chunk(optimizer: str, instruction_set: str) -> None:
    """The engine goes through a step in chunks of 256 rows, and moves the parameters once."""
    net = network([5, 9, 2], h="tanh")
    X, R = samples(net, 700)
    expected = by_formula(net, optimizer, X, R, 0.1, batch_size=300)
    assert difference(Descent(net, optimizer).run(X, R, 0.1, 0, batch_size=300).dense, expected) <= 1e-12


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_adam_goes_in_the_naive_order_whatever_the_block(dtype: str, instruction_set: str) -> None:
    net = network([30, 17, 2], dtype=dtype)
    X, R = samples(net, 50)
    naive = Descent(net, "adam").run(X, R, 0.01, 1).bits
    for block in (0, 2, 16, 32):
        assert Descent(net, "adam").run(X, R, 0.01, block).bits == naive


@pytest.mark.parametrize("layers", [[9, 7, 3], [9, 7, 1], [20, 7, 1], [9, 7, 5, 1]], ids=str)
def test_padding_stays_zero(layers: list[int]) -> None:
    net = network(layers, h="sigmoid")
    X, R = samples(net, 40)
    for optimizer in RULES:
        descent = Descent(net, optimizer, 0.1).run(X, R, 0.01, 16)
        for padded in (descent.theta, *np.split(descent.state, descent.learning.states or 1)):
            if len(padded):
                hidden = padded.copy()
                net._parameters.assign(np.zeros(net.n_parameters), hidden)
                assert not hidden.any()
