"""What the bits promise: the same for any number of threads, for a row alone or in a batch, for an epoch in pieces."""

import itertools
import os
import signal
import subprocess
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deltaprop import Adam, Momentum, Nesterov, Network, _engine
from deltaprop.descent.optimizers import STEP_RULES
from deltaprop.parameters import aligned_zeros
from problems import network, samples

SGD = _engine.Learning("sgd", [])
LEARNING = {name: _engine.Learning(name, rule.numbers) for name, rule in STEP_RULES.items()}
INLINE = ["sgd", "momentum", "nesterov", "adam"]  # with kernels of their own (with_update); the others share one
NETWORKS: list[dict[str, Any]] = [
    {"layers": [9, 33, 17, 5], "h": "relu", "output": "softmax", "loss": "cross_entropy"},
    {"layers": [130, 3], "output": "sigmoid", "loss": "log"},
    {"layers": [20, 64, 1], "h": "tanh", "output": "identity", "loss": "squared_error", "bias": False},
]
# Layers so wide that each thread has columns of its own (engine/share.hpp) and holds them apart (engine/held.hpp);
# and others.
WIDE = {"layers": [100, 250, 72, 3], "h": "tanh", "output": "softmax", "loss": "cross_entropy"}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arguments", [*NETWORKS, WIDE], ids=lambda a: str(a["layers"]))
def test_threads(arguments: dict[str, Any], dtype: str, instruction_set: str) -> None:
    net = network(**arguments, dtype=dtype)
    X, R = samples(net, 701)
    weights = np.random.default_rng(3).uniform(0, 2, 701).astype(dtype)
    weights[::7], X[::7] = 0, np.inf  # samples that nothing is learnt from, whatever they are
    theta, order, eta = net.padded_theta, np.random.default_rng(4).permutation(701), np.array([0.05])

    def everything(threads: int) -> list[bytes]:
        y = np.empty((701, net.layers[-1]), dtype)
        _engine.predict(net._plan, theta, X, y, threads)
        E = np.array(_engine.loss(net._plan, theta, X, R, weights, (0.0, 0.0, 0), threads))
        g = np.empty_like(theta)
        _engine.gradient(net._plan, theta, X, R, g, weights, threads)
        results = [y, E, g]
        ways = [*itertools.product((1, 10, 300), INLINE), *itertools.product((10,), LEARNING)]
        for batch_size, learning in ((size, LEARNING[name]) for size, name in ways):
            moved, state = theta.copy(), aligned_zeros(learning.states * theta.size, net.dtype)
            total = _engine.descend(
                net._plan, learning, moved, state, X, R, weights, order, eta, batch_size, 0, (0.0, 0.0, 0), threads
            )
            results += [moved, state, np.array(total)]
        return [result.tobytes() for result in results]

    one = everything(1)
    for threads in (2, 3, 4):
        assert everything(threads) == one


@pytest.mark.parametrize("batch_size", [1, 10])
@pytest.mark.parametrize("optimizer", INLINE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layers", [[100, 250, 72, 3], [160, 129, 2], [200, 128]])
def test_columns_that_are_held_apart(
    layers: list[int], dtype: str, optimizer: str, batch_size: int, instruction_set: str
) -> None:
    """In calls of many steps threads hold their columns apart (engine/held.hpp); in those of one W lies as it is."""
    net = network(layers, h="tanh", output="softmax", loss="cross_entropy", dtype=dtype)
    X, R = samples(net, 480)
    learning, eta, order = LEARNING[optimizer], np.array([0.05]), np.random.default_rng(4).permutation(480)
    unit = net._plan.online_block(learning) if batch_size == 1 else batch_size

    def descended(pieces: list[slice], threads: int) -> tuple[bytes, bytes]:
        theta = net.padded_theta.copy()
        state, total = aligned_zeros(learning.states * theta.size, net.dtype), (0.0, 0.0, 0)
        for piece in pieces:
            total = _engine.descend(
                net._plan, learning, theta, state, X, R, None, order[piece], eta, batch_size, 0, total, threads
            )
        return theta.tobytes(), state.tobytes()

    in_blocks = [slice(start, start + unit) for start in range(0, 480, unit)]
    for threads in (1, 2):
        assert descended([slice(0, 480)], threads) == descended(in_blocks, threads)


def rule_in_numpy(optimizer: Any, eta: float, fma: Any) -> Any:
    """A function (g, w, step, memory) → w in float32, rounded where engine/rules.hpp rounds."""
    f = np.float32
    minus_eta = f(-eta)

    def sgd(g: Any, w: Any, t: int, memory: dict[str, Any]) -> Any:
        return fma(g, minus_eta, w)

    def momentum(g: Any, w: Any, t: int, memory: dict[str, Any]) -> Any:
        V = memory["V"] = fma(g, minus_eta, memory.get("V", f(0) * w) * f(optimizer.mu))
        return w + (fma(g, minus_eta, V * f(optimizer.mu)) if optimizer.name == "nesterov" else V)

    def adam(g: Any, w: Any, t: int, memory: dict[str, Any]) -> Any:
        b1, b2 = optimizer.beta1, optimizer.beta2
        M = memory["M"] = fma(g, f(1 - b1), memory.get("M", f(0) * w) * f(b1))
        V = memory["V"] = fma(g * g, f(1 - b2), memory.get("V", f(0) * w) * f(b2))
        step, unbias = f(eta / (1 - b1**t)), f(1 / (1 - b2**t))
        return w - M * step / (np.sqrt(V * unbias) + f(optimizer.epsilon))

    return {"sgd": sgd, "adam": adam}.get(getattr(optimizer, "name", optimizer), momentum)


@pytest.mark.parametrize("batch_size", [8, 50, 300])
@pytest.mark.parametrize("optimizer", ["sgd", Momentum(0.9), Nesterov(0.8), Adam()], ids=str)
def test_the_rule_on_tiles_is_the_rule_on_a_gradient_that_is_kept(
    optimizer: Any, batch_size: int, instruction_set: str
) -> None:
    """`descend` never has a whole gradient; its parameters are those that the rule makes of `gradient`, bit for bit."""

    def fma(x: Any, y: Any, z: Any) -> Any:
        if instruction_set == "baseline":
            return x * y + z
        return (x.astype(np.float64) * np.float64(y) + z.astype(np.float64)).astype(np.float32)

    net = network([9, 33, 17, 5], h="relu", output="softmax", loss="cross_entropy", dtype="float32")
    X, R = samples(net, 3 * batch_size)
    rule, memory, w = rule_in_numpy(optimizer, 0.05, fma), {}, net.theta
    for t in (1, 2, 3):
        rows = slice((t - 1) * batch_size, t * batch_size)
        w = rule(net.gradient(X[rows], R[rows]), w, t, memory)
        net.descend(X[rows], R[rows], 0.05, batch_size=batch_size, optimizer=optimizer)
        assert net.theta.tobytes() == w.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arguments", NETWORKS, ids=lambda a: str(a["layers"]))
def test_a_row_alone_and_in_any_batch(arguments: dict[str, Any], dtype: str, instruction_set: str) -> None:
    net = network(**arguments, dtype=dtype)
    X, R = samples(net, 200)
    y, t = net.predict(X), net.trace(X, R)
    assert t.y.tobytes() == y.tobytes()
    for s in (0, 1, 63, 64, 150, 199):
        assert net.predict(X[s : s + 1]).tobytes() == y[s : s + 1].tobytes()
        assert net.trace(X[s], R[s]).layers[0].delta.tobytes() == t.layers[0].delta[s].tobytes()
    for start, stop in ((0, 7), (5, 70), (64, 200)):
        assert net.predict(X[start:stop]).tobytes() == y[start:stop].tobytes()
    fortran = np.asfortranarray(X)
    assert net.predict(fortran).tobytes() == y.tobytes()
    assert net.predict(X[::-1])[::-1].tobytes() == y.tobytes()


def test_an_unaligned_and_a_read_only_input() -> None:
    net = network([5, 8, 2], dtype="float32")
    X, R = samples(net, 40)
    raw = bytearray(X.nbytes + 4)
    unaligned = np.frombuffer(raw, np.float32, offset=4).reshape(X.shape)
    unaligned[...] = X
    assert unaligned.ctypes.data % 16 == 4 or X.ctypes.data % 16 != 0
    unaligned.flags.writeable = False
    assert net.predict(unaligned).tobytes() == net.predict(X).tobytes()
    assert net.gradient(unaligned, R).tobytes() == net.gradient(X, R).tobytes()


@given(
    layers=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    n=st.integers(1, 80),
    batch_size=st.integers(1, 90),
    cut=st.integers(0, 80),
    seed=st.integers(0, 2**64 - 1),
)
@example(layers=[30, 17, 2], n=9, batch_size=4, cut=8, seed=0)  # the last piece is one sample, and still a batch
@example(layers=[30, 17, 5], n=30, batch_size=9, cut=27, seed=0)  # or is a few, and still one of a large batch_size
@settings(max_examples=60, deadline=None)
def test_an_epoch_in_pieces(layers: list[int], n: int, batch_size: int, cut: int, seed: int) -> None:
    """descend over some whole steps (online: blocks) and then the rest is descend over all."""
    whole, pieces = Network(layers, seed=seed), Network(layers, seed=seed)
    X, R = samples(whole, n)
    whole.descend(X, R, 0.1, batch_size=batch_size)
    unit = whole._plan.online_block(SGD) if batch_size == 1 else batch_size
    steps = min(cut, n) // unit * unit
    for part in (slice(0, steps), slice(steps, n)):
        if len(X[part]):
            pieces.descend(X[part], R[part], 0.1, batch_size=batch_size)
    assert whole.theta.tobytes() == pieces.theta.tobytes()


def test_fit_in_two_calls_is_fit_in_one() -> None:
    one, two = Network([3, 8, 2], seed=4), Network([3, 8, 2], seed=4)
    X, R = samples(one, 50)
    together = one.fit(X, R, epochs=5, batch_size=8)
    first, second = two.fit(X, R, epochs=2, batch_size=8), two.fit(X, R, epochs=3, batch_size=8)
    assert one == two
    assert together.E == first.E + second.E


def test_padding_stays_zero() -> None:
    net = network([5, 7, 3], h="relu")
    X, R = samples(net, 30)
    net.fit(X, R, epochs=3)
    hidden = net.padded_theta.copy()
    for W, b in zip(*net._parameters.views(hidden), strict=True):
        W[...] = 0
        assert b is not None
        b[...] = 0
    assert not hidden.any()


SCRIPT = """
import numpy as np
from deltaprop import Network
net = Network([20, 50, 30, 3], output="softmax", loss="cross_entropy", seed=5, dtype="float32")
random = np.random.default_rng(0)
X, R = random.normal(size=(900, 20)), np.eye(3)[random.integers(3, size=900)]
history = net.fit(X, R, epochs=2, batch_size=64)
print(net.theta.tobytes().hex(), net.predict(X).tobytes().hex(), history.E)
"""


def test_a_whole_run_in_processes_with_different_numbers_of_threads() -> None:
    def run(threads: int) -> str:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        return subprocess.run(
            [sys.executable, "-c", SCRIPT], env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert len({run(threads) for threads in (1, 2, 4)}) == 1


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_in_a_forked_child() -> None:
    """A child that was forked after threads had run neither hangs nor computes other bits."""
    net = network([100, 200, 10], h="tanh")
    X, R = samples(net, 600)
    before = net.gradient(X, R).tobytes()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        asked_for = np.empty_like(net.padded_theta)
        _engine.gradient(net._plan, net.padded_theta, X, R, asked_for, None, 2)  # threads asked for, too
        os.write(write, b"same" if net.gradient(X, R).tobytes() == before else b"other")
        os._exit(0)
    deadline = time.monotonic() + 60
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    os.close(write)
    assert os.read(read, 5) == b"same"  # nothing, where it hung
    os.close(read)


def test_instruction_sets_agree_but_for_rounding() -> None:
    net = network([30, 40, 3], h="tanh", output="softmax", loss="cross_entropy")
    X, R = samples(net, 50)
    results = []
    for name in _engine.config()["instruction_sets"]:
        _engine.use_instruction_set(name)
        results.append(net.gradient(X, R))
    _engine.use_instruction_set("")
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], rtol=1e-10, atol=1e-14)


def test_the_environment_forces_an_instruction_set() -> None:
    def run(name: str) -> subprocess.CompletedProcess[str]:
        code = "import deltaprop; deltaprop.Network([1, 1]).predict([[1]]); deltaprop.show_config()"
        environment = {**os.environ, "DELTAPROP_ISA": name}
        return subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
        )

    for name in _engine.config()["instruction_sets"]:
        assert f"instruction_set   {name}\n" in run(name).stdout
    refused = run("mmx")
    assert refused.returncode == 1
    assert "no instruction set 'mmx' here; there are: baseline" in refused.stderr
