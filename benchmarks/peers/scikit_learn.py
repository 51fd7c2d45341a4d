"""scikit-learn's MLPClassifier in float32: several sigmoid outputs are its multilabel case, softmax its labels.

Its Adam adds ε to √v before the bias correction, Kingma & Ba's Algorithm 1 after it: ε √(1 − β₂ᵗ) here is ε there.
"""

from __future__ import annotations

import warnings
from typing import Any

import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from side_by_side.task import Array, Task

NAME, VERSION = "scikit-learn", sklearn.__version__


def nearest(task: Task) -> Task | None:
    """Canonical pairs alone."""
    return task if task.loss != "squared_error" else None


class _SameStart(MLPClassifier):  # type: ignore[misc]
    """Begins where we begin."""

    def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> Any:
        return self.starts.pop(0)

    def _backprop(self, *arguments: Any) -> Any:
        if self.solver == "adam":
            self._optimizer.epsilon = self.epsilon * (1 - self.beta_2 ** (self._optimizer.t + 1)) ** 0.5
        return super()._backprop(*arguments)


class _Classifier:
    def __init__(self, task: Task, X: Array, R: Array) -> None:
        self.task, self.X = task, X
        if task.output == "softmax":
            self.R = R.argmax(1)
        else:
            self.R = R.astype(int) if R.shape[1] > 1 else R.astype(int).ravel()

    def run(self) -> None:
        """One pass from the start: `fit` knows no other."""
        task = self.task
        self.peer = _SameStart(
            hidden_layer_sizes=task.layers[1:-1],
            activation={"sigmoid": "logistic"}.get(task.h, task.h),
            solver=task.optimizer,
            batch_size=task.batch_size,
            learning_rate_init=task.eta,
            epsilon=task.epsilon,
            momentum=0,
            alpha=0,
            shuffle=False,
            max_iter=1,
        )
        self.peer.starts = list(zip(*task.start(), strict=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.peer.fit(self.X, self.R)

    def parameters(self) -> tuple[list[Array], list[Array]]:
        return self.peer.coefs_, self.peer.intercepts_


def prepare(task: Task, X: Array, R: Array) -> _Classifier:
    return _Classifier(task, X, R)
