"""A task: a network and how it descends. Its data, its start, its count of operations, and our own run of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

import deltaprop
from deltaprop import Network

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Task:
    """What is trained; the rate is the same for everybody."""

    layers: tuple[int, ...]
    h: str = "sigmoid"
    output: str = "sigmoid"
    loss: str = "log"
    batch_size: int = 1
    optimizer: str = "sgd"
    eta: float = 0.1
    epsilon: float = 1e-8  # Adam's
    dtype: str = "float32"

    @classmethod
    def parse(cls, words: str) -> Task:
        """A task from its fields in JSON."""
        fields = json.loads(words)
        return cls(**{**fields, "layers": tuple(fields["layers"])})

    @property
    def shape(self) -> str:
        """784-30-10."""
        return "-".join(map(str, self.layers))

    @property
    def operations(self) -> int:
        """What the naive algorithm does per sample: forward, backward above the first layer, gradient with the step.

        A multiply-add is two; activations, biases and what a rule does beside the step are not counted.
        """
        return sum(2 * i * o * (3 if above else 2) for above, (i, o) in enumerate(pairwise(self.layers)))

    def network(self) -> Network:
        """The network at its start, which is everybody's."""
        return Network(list(self.layers), h=self.h, output=self.output, loss=self.loss, dtype=self.dtype)

    def start(self) -> tuple[list[Array], list[Array]]:
        """Copies of the first weights and biases."""
        net = self.network()
        return [W.copy() for W in net.W], [b.copy() for b in net.b]

    def samples(self, n: int) -> tuple[Array, Array]:
        """Inputs in [0, 1), of wide rows four in five 0 as a digit's are; labels at random, every class among them."""
        random = np.random.default_rng(0)
        X = random.random((n, self.layers[0]), dtype=np.float32)
        if self.layers[0] > 100:
            X *= random.random(X.shape, dtype=np.float32) < 0.2
        classes = max(2, self.layers[-1])
        labels = np.concatenate([np.arange(classes), random.integers(classes, size=n)])[:n]
        R = labels[:, None] if self.layers[-1] == 1 else np.eye(classes)[labels]
        return X.astype(self.dtype), R.astype(self.dtype)

    def most_samples(self) -> int:
        """As many as keep the inputs at 64 MiB, in whole batches."""
        return min(2**26 // (4 * self.layers[0]), 2**20) // self.batch_size * self.batch_size


PASSES = 5  # that are timed together


def several(run: Any) -> None:
    """Make PASSES passes, ours or a peer's."""
    if isinstance(run, Ours):
        run.run(PASSES)
        return
    for _ in range(PASSES):
        run.run()


class Ours:
    """Network.fit with its history, over the samples as they stand."""

    def __init__(self, task: Task, X: Array, R: Array) -> None:
        self.net = task.network()
        self.samples = X, R
        self.how: dict[str, Any] = {"eta": task.eta, "batch_size": task.batch_size, "shuffle": False}
        if task.optimizer == "adam":
            self.how["optimizer"] = deltaprop.Adam(epsilon=task.epsilon)

    def run(self, passes: int = 1) -> None:
        """So many passes, from where the network stands, in one call of fit: it looks through the samples once."""
        self.net.fit(*self.samples, epochs=passes, **self.how)

    def parameters(self) -> tuple[list[Array], list[Array]]:
        """W (n_in, n_out) and b of each layer."""
        return list(self.net.W), list(self.net.b)
