"""The whole path in a few seconds: a table in, a model out, predictions, a trace, a gradient check, a file."""

from pathlib import Path

import numpy as np

import deltaprop
from deltaprop.cli import run


def test_the_network(tmp_path: Path) -> None:
    X, R = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    net = deltaprop.Network([2, 4, 1])
    history = net.fit(X, R, epochs=2000, eta=1.0)
    assert history.E[-1] < 0.05 < history.E[0]
    assert (np.round(net.predict(X)[:, 0]) == R).all()
    assert net.check_gradient(X, R).ok
    np.testing.assert_allclose(net.trace([0, 1], 1).layers[1].delta, net.predict([[0, 1]])[0] - 1, rtol=1e-12)  # y − r
    net.save(tmp_path / "xor.deltaprop")
    assert deltaprop.load(tmp_path / "xor.deltaprop") == net


def test_the_table(examples: Path, tmp_path: Path) -> None:
    """What `make run` does: at least 0.95 on rows that no step before has read."""
    model = str(tmp_path / "model.deltaprop")
    train, test = str(examples / "breast_cancer_train.csv"), str(examples / "breast_cancer_test.csv")
    assert run(["fit", train, "--target", "diagnosis", "--out", model]) == 0
    fitted = deltaprop.load(model)
    assert isinstance(fitted, deltaprop.TableModel)
    assert fitted.evaluate(test)["accuracy"] >= 0.95
    for command in (["predict", model, test], ["evaluate", model, test], ["trace", model, test], ["show", model]):
        assert run(command) == 0
