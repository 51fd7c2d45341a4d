"""NumPy with one array operation per equation, in place: what people write who write it themselves. It keeps no E."""

from __future__ import annotations

import numpy as np

from side_by_side.task import Array, Task

NAME, VERSION = "NumPy loop", np.__version__


def nearest(task: Task) -> Task | None:
    """All but squared errors."""
    return task if task.loss != "squared_error" else None


class _Loop:
    def __init__(self, task: Task, X: Array, R: Array) -> None:
        self.task, self.X, self.R = task, X, R
        self.W, self.b = task.start()
        self.steps = 0
        theta = [*self.W, *self.b]
        self.m, self.v = [np.zeros_like(t) for t in theta], [np.zeros_like(t) for t in theta]

    def run(self) -> None:
        step = self._online if self.task.batch_size == 1 else self._batch
        m = self.task.batch_size
        for k in range(0, len(self.X), m):
            at = k if m == 1 else slice(k, k + m)
            step(self.X[at], self.R[at])

    def parameters(self) -> tuple[list[Array], list[Array]]:
        return self.W, self.b

    def _forward(self, x: Array) -> list[Array]:
        z = [x]
        for W, b in zip(self.W[:-1], self.b[:-1], strict=True):
            a = z[-1] @ W + b
            z.append(1 / (1 + np.exp(-a)) if self.task.h == "sigmoid" else np.maximum(a, 0))
        return z

    def _y(self, z: Array) -> Array:
        a = z @ self.W[-1] + self.b[-1]
        e: Array = np.exp(-a if self.task.output == "sigmoid" else a - a.max(-1, keepdims=True))
        return np.asarray(1 / (1 + e) if self.task.output == "sigmoid" else e / e.sum(-1, keepdims=True))

    def _below(self, delta: Array, layer: int, z: Array) -> Array:
        return (delta @ self.W[layer].T) * (z * (1 - z) if self.task.h == "sigmoid" else z > 0)

    def _online(self, x: Array, r: Array) -> None:
        z = self._forward(x)
        delta = self._y(z[-1]) - r
        for layer in reversed(range(len(self.W))):
            below = self._below(delta, layer, z[layer]) if layer else delta
            self.W[layer] -= self.task.eta * np.outer(z[layer], delta)
            self.b[layer] -= self.task.eta * delta
            delta = below

    def _batch(self, X: Array, R: Array) -> None:
        z = self._forward(X)
        delta = (self._y(z[-1]) - R) / np.float32(len(X))
        dW: list[Array] = []
        db: list[Array] = []
        for layer in reversed(range(len(self.W))):
            dW.insert(0, z[layer].T @ delta)
            db.insert(0, delta.sum(0))
            if layer:
                delta = self._below(delta, layer, z[layer])
        self.steps += 1
        for k, (theta, g) in enumerate(zip([*self.W, *self.b], [*dW, *db], strict=True)):
            theta -= self.task.eta * (g if self.task.optimizer == "sgd" else self._adam(k, g))

    def _adam(self, k: int, g: Array) -> Array:
        m, v = self.m[k], self.v[k]
        m += 0.1 * (g - m)
        v += 0.001 * (g * g - v)
        return m / (1 - 0.9**self.steps) / (np.sqrt(v / (1 - 0.999**self.steps)) + self.task.epsilon)


def prepare(task: Task, X: Array, R: Array) -> _Loop:
    return _Loop(task, X, R)
