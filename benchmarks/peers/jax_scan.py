"""JAX: one `lax.scan` over all steps of a pass, jitted, parameters donated, E carried; compiling is not timed.

How XLA's CPU back end compiles a step depends much on how it is written, so each way of writing it is compiled and
tried for each task, and the fastest is the peer: weights as (n_in, n_out) or transposed, products as `@` or as a sum
(online, small layers), scan rolled or unrolled by 4. The gradient is written down from δ_y = y − r; nothing is left to
autodiff.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import measure
from side_by_side.task import Array, Task

NAME, VERSION = "JAX", jax.__version__
TRIALS = 15
_best: dict[Task, tuple[str, bool, int]] = {}


def nearest(task: Task) -> Task | None:
    """Canonical pairs alone."""
    return task if task.loss != "squared_error" else None


def _step(task: Task, how: str, transposed: bool) -> Any:
    online, last = task.batch_size == 1, len(task.layers) - 2

    def forward(z: Any, W: Any) -> Any:
        if how == "sum":
            return (W * z).sum(1) if transposed else (z[:, None] * W).sum(0)
        if online:
            return W @ z if transposed else z @ W
        return z @ (W.T if transposed else W)

    def backward(delta: Any, W: Any) -> Any:
        if how == "sum":
            return (W * delta[:, None]).sum(0) if transposed else (W * delta).sum(1)
        if online:
            return delta @ W if transposed else W @ delta
        return delta @ (W if transposed else W.T)

    def outer(z: Any, delta: Any) -> Any:
        z, delta = (delta, z) if transposed else (z, delta)
        return z[:, None] * delta if online else z.T @ delta

    def step(carry: Any, sample: Any) -> Any:
        theta, state, E = carry
        x, r = sample
        z, gradient = [x], list(theta)
        for layer, (W, b) in enumerate(theta):
            a = forward(z[-1], W) + b
            if layer < last:
                z.append(jax.nn.sigmoid(a) if task.h == "sigmoid" else jax.nn.relu(a))
        if task.output == "softmax":
            delta = jax.nn.softmax(a) - r
            E += -(r * jax.nn.log_softmax(a)).sum()
        else:
            delta = jax.nn.sigmoid(a) - r
            E += (jax.nn.softplus(a) - r * a).sum()
        if not online:
            delta /= task.batch_size
        for layer in reversed(range(last + 1)):
            gradient[layer] = (outer(z[layer], delta), delta if online else delta.sum(0))
            if layer:
                slope = z[layer] * (1 - z[layer]) if task.h == "sigmoid" else z[layer] > 0
                delta = backward(delta, theta[layer][0]) * slope
        if task.optimizer == "sgd":
            theta = jax.tree.map(lambda t, g: t - task.eta * g, theta, tuple(gradient))
        else:
            m, v, n = state
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, tuple(gradient))
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, tuple(gradient))
            m_n, v_n = 1 / (1 - 0.9**n), 1 / (1 - 0.999**n)
            theta = jax.tree.map(
                lambda t, m, v: t - task.eta * m_n * m / (jnp.sqrt(v_n * v) + task.epsilon), theta, m, v
            )
            state = m, v, n + 1
        return (theta, state, E), None

    return step


class _Scan:
    def __init__(self, task: Task, X: Array, R: Array, way: tuple[str, bool, int]) -> None:
        how, self.transposed, unroll = way
        step = _step(task, how, self.transposed)
        shape = () if task.batch_size == 1 else (-1, task.batch_size)
        self.X, self.R = (jnp.array(A.reshape(*shape, A.shape[-1]) if shape else A) for A in (X, R))
        start = zip(*task.start(), strict=True)
        theta = tuple((jnp.array(W.T if self.transposed else W), jnp.array(b)) for W, b in start)
        zeros = partial(jax.tree.map, jnp.zeros_like, theta)
        self.carry = (theta, (zeros(), zeros(), jnp.float32(1)) if task.optimizer == "adam" else (), jnp.float32(0))
        compiled = jax.jit(lambda carry, X, R: jax.lax.scan(step, carry, (X, R), unroll=unroll)[0], donate_argnums=0)
        self.epoch = compiled.lower(self.carry, self.X, self.R).compile()

    def run(self) -> None:
        self.carry = jax.block_until_ready(self.epoch(self.carry, self.X, self.R))

    def parameters(self) -> tuple[list[Array], list[Array]]:
        theta = self.carry[0]
        return [np.asarray(W.T if self.transposed else W) for W, _ in theta], [np.asarray(b) for _, b in theta]


def _fastest(task: Task, X: Array, R: Array, ways: list[tuple[str, bool, int]]) -> tuple[str, bool, int]:
    scans = {way: _Scan(task, X, R, way) for way in ways}
    least = dict.fromkeys(ways, float("inf"))
    for _ in range(TRIALS):
        for way, scan in scans.items():
            least[way] = min(least[way], measure.timed(scan.run))
    return min(ways, key=lambda way: least[way])


def prepare(task: Task, X: Array, R: Array) -> _Scan:
    if task not in _best:
        products = ("@", "sum") if task.batch_size == 1 and max(task.layers) < 100 else ("@",)
        n = min(len(X), max(256, 8 * task.batch_size))
        _best[task] = _fastest(task, X[:n], R[:n], list(product(products, (False, True), (1, 4))))
    return _Scan(task, X, R, _best[task])
