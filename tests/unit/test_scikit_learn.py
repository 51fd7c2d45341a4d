"""The same initial weights, data and order give the loss curve of scikit-learn's MLP, in float64 to 1e-8."""

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.neural_network import MLPClassifier, MLPRegressor

from deltaprop import Network

N, EPOCHS, ETA = 90, 12, 0.01


def same_start(kind: type, net: Network, **arguments: Any) -> Any:
    """One of scikit-learn's MLPs that begins with the weights of ``net``."""
    start = [(W.copy(), b.copy()) for W, b in zip(net.W, net.b, strict=True)]

    class SameStart(kind):  # type: ignore[misc]
        def _init_coef(self, fan_in: int, fan_out: int, dtype: Any) -> Any:
            return start.pop(0)

    return SameStart(
        hidden_layer_sizes=net.layers[1:-1],
        activation={"sigmoid": "logistic"}.get(net.h[0], net.h[0]),
        solver="sgd",
        learning_rate_init=ETA,
        momentum=0,
        alpha=0,
        shuffle=False,
        max_iter=EPOCHS,
        tol=0,
        n_iter_no_change=EPOCHS + 1,
        **arguments,
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("batch_size", [1, 16, N])
@pytest.mark.parametrize("h", ["sigmoid", "tanh", "relu", "identity"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_the_loss_curve(task: str, h: str, batch_size: int) -> None:
    random = np.random.default_rng(3)
    X = random.normal(size=(N, 6))
    arguments: dict[str, Any] = {"h": h, "seed": 2}
    if task == "binary":
        y = random.integers(2, size=N)
        net, R = Network([6, 9, 5, 1], **arguments), y
        peer = same_start(MLPClassifier, net, batch_size=batch_size)
    elif task == "multiclass":
        y = random.integers(4, size=N)
        net, R = Network([6, 9, 5, 4], output="softmax", loss="cross_entropy", **arguments), np.eye(4)[y]
        peer = same_start(MLPClassifier, net, batch_size=batch_size)
    else:
        y = R = X @ random.normal(size=6) + random.normal(size=N)
        net = Network([6, 9, 5, 1], output="identity", loss="squared_error", **arguments)
        peer = same_start(MLPRegressor, net, batch_size=batch_size)
    peer.fit(X, y)
    history = net.fit(X, R, epochs=EPOCHS, eta=ETA, batch_size=batch_size, shuffle=False)
    assert_allclose(history.E, peer.loss_curve_, rtol=0, atol=1e-8)
    for k in range(3):
        assert_allclose(net.W[k], peer.coefs_[k], rtol=0, atol=1e-8)
        assert_allclose(net.b[k], peer.intercepts_[k], rtol=0, atol=1e-8)
    assert history.E[-1] < history.E[0]
