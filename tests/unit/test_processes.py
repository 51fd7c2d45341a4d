"""fit in forked and spawned children, in joblib's workers, in threads: the same bits, and each its share of cores."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from threadpoolctl import threadpool_limits

from deltaprop import Network
from deltaprop.plan import engine_config

WORDS = [{"batch_size": 64, "optimizer": "adam", "eta": 1e-3}, {"batch_size": 1, "eta": 0.01}]


def trained(word: int, seed: int = 0) -> Network:
    """A network so wide that several threads are worth it."""
    random = np.random.default_rng(7)
    X, k = random.normal(size=(400, 200)).astype("float32"), random.integers(0, 5, 400)
    net = Network([200, 300, 150, 5], output="softmax", loss="cross_entropy", dtype="float32", seed=seed)
    net.fit(X, k, epochs=2, **WORDS[word])
    return net


def theta_of(word: int, seed: int = 0) -> bytes:
    return trained(word, seed).theta.tobytes()


def threads_and_theta(word: int) -> tuple[int, int, bytes]:
    theta = theta_of(word)
    return os.getpid(), engine_config()["threads"], theta


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize("word", [0, 1])
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_children(method: str, word: int) -> None:
    """After a parent has trained with threads of its own."""
    own = theta_of(word)
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(theta_of, [word] * 3) == [own] * 3


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_joblib(backend: str) -> None:
    own = [theta_of(0, seed) for seed in range(4)]
    assert Parallel(n_jobs=2, backend=backend)(delayed(theta_of)(0, seed) for seed in range(4)) == own


def test_jobs_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """joblib gives each worker its share of the cores, where nothing else says how many, and the engine keeps to it."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    get_reusable_executor().shutdown()
    workers = 2
    told = Parallel(n_jobs=workers, backend="loky")(delayed(threads_and_theta)(0) for _ in range(4))
    assert all(threads <= max(1, (os.cpu_count() or 1) // workers) for _, threads, _ in told)
    assert all(pid != os.getpid() for pid, _, _ in told)


def test_limits_hold() -> None:
    own = theta_of(0)
    with threadpool_limits(1, "openmp"):
        assert engine_config()["threads"] == 1
        assert theta_of(0) == own


def test_threads_of_one_process() -> None:
    """Networks that train at once; how they share the cores is in the engine's own test program."""
    own = [theta_of(0, seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda seed: theta_of(0, seed), range(4))) == own


def test_a_network_is_trained_by_one_call_at_a_time() -> None:
    net = trained(0)
    X, k = np.zeros((5, 200)), np.zeros(5, int)
    with net.training("a test"), pytest.raises(RuntimeError, match="being trained by another call"):
        net.fit(X, k, epochs=1)
