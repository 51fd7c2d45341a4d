"""l2 and l1 in E, and weight decay beside the rule: by hand, in every order of descent, in files and copies."""

import copy
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deltaprop
from deltaprop import Network
from deltaprop.descent.optimizers import STEP_RULES
from problems import difference, network, samples


def by_hand(net: Network, X: np.ndarray, R: np.ndarray, eta: float, batch_size: int, decay: float = 0.0) -> np.ndarray:
    """θ after plain descent, each step from the gradient without penalties and the formulas of those."""
    plain = Network(**{**net.config(), "l2": 0.0, "l1": 0.0})
    plain.theta = net.theta
    for start in range(0, len(X), batch_size):
        g = plain.gradient(X[start : start + batch_size], R[start : start + batch_size])
        is_weight = np.concatenate(
            [np.r_[np.ones(W.size), np.zeros(b.size)] for W, b in zip(plain.W, plain.b, strict=True)]
        )
        w = plain.theta
        slope = g + is_weight * (net.l2 * w + net.l1 * np.sign(w))
        plain.theta = w * (1 - eta * decay * is_weight) - eta * slope
    return plain.theta


@pytest.mark.parametrize(("l2", "l1", "decay"), [(0.1, 0, 0), (0, 0.05, 0), (0, 0, 0.3), (0.2, 0.03, 0.1)])
@pytest.mark.parametrize("layers", [[4, 5, 2], [40, 20, 3], [30, 16, 1], [2, 4, 1], [9, 33, 17, 5]], ids=str)
@pytest.mark.parametrize("batch_size", [1, 8])
def test_steps_by_hand(
    layers: list[int], batch_size: int, l2: float, l1: float, decay: float, instruction_set: str
) -> None:
    net = network(layers, h="tanh", output="identity", loss="squared_error")
    net = Network.from_description({**net.description(), "l2": l2, "l1": l1}, net.theta)
    X, R = samples(net, 32)
    expected = by_hand(net, X, R, 0.02, batch_size, decay)
    for block in (None, 1):
        same = copy.copy(net)
        same.descend(X, R, 0.02, batch_size=batch_size, decay=decay, online_block=block)
        assert difference(same.theta, expected) < 1e-12


@pytest.mark.parametrize("optimizer", ["momentum", "nesterov"])
def test_momentum_with_penalties_in_blocks_and_on_sparse_rows_is_the_naive_order(optimizer: str) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    net = Network([40, 20, 3], h="tanh", output="identity", loss="squared_error", l2=0.1)
    X = np.random.default_rng(0).normal(size=(100, 40)) * (np.random.default_rng(1).random((100, 40)) < 0.3)
    R = np.random.default_rng(2).normal(size=(100, 3))
    nets = [copy.copy(net) for _ in range(3)]
    for own, rows, block in zip(nets, (X, X, sparse.csr_matrix(X)), (1, 16, None), strict=True):
        own.descend(rows, R, 0.02, optimizer=optimizer, decay=0.2, online_block=block)
    for own in nets[1:]:
        np.testing.assert_allclose(own.theta, nets[0].theta, rtol=1e-9, atol=1e-13)


def test_E_has_the_penalty_and_its_gradient() -> None:
    net = Network([2, 1], output="identity", loss="squared_error", l2=0.5, l1=2.0)
    net.theta = [3, -4, 7]  # Ω = ¼ (9 + 16) + 2 (3 + 4); the bias is left out
    assert net.penalty == 20.25
    assert net.E([[1, 1]], [4]) == 2 + 20.25  # a = 6, ½ (6 − 4)²
    assert net.gradient([[1, 1]], [4]).tolist() == [2 + 1.5 + 2, 2 - 2 - 2, 2]
    assert Network([2, 1]).penalty == 0


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_gradient_check_has_the_penalty_apart(optimizer: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Network([3, 4, 1], h="tanh", l2=0.1, l1=0.01, dtype=dtype)
    X, R = samples(net, 20)
    net.fit(X, R, epochs=3, eta=0.05, optimizer=optimizer)
    report = net.check_gradient(X, R)
    assert report.ok
    assert [(group.layer, group.group) for group in report.groups] == [
        (1, "penalty"), (1, "weights"), (1, "biases"), (2, "penalty"), (2, "weights"), (2, "biases"),
    ]  # fmt: skip
    if dtype == "float64":
        original = Network.gradient
        for k in range(net.n_parameters):

            def planted(self: Network, *arguments: Any, k: int = k, **words: Any) -> Any:
                g = original(self, *arguments, **words)
                g[k] += 1e-4 * max(abs(g[k]), 0.01)  # where the two parts all but cancel, of them
                return g

            monkeypatch.setattr(Network, "gradient", planted)
            assert not net.check_gradient(X, R).ok
        monkeypatch.setattr(Network, "gradient", original)

        def wrong(dW: Any, W: Any, l2: float, l1: float) -> None:
            for own, w in zip(dW, W, strict=True):
                own += l2 * 1.0001 * w + l1 * np.sign(w)

        monkeypatch.setattr("deltaprop.inspection.gradient_check.check.add_gradient", wrong)
        assert not net.check_gradient(X, R).ok


def test_the_history_has_the_data_term_and_the_penalty_apart() -> None:
    net = Network([2, 3, 1], l2=0.01, l1=0.02)
    X, R = samples(net, 30)
    history = net.fit(X, R, epochs=3, eta=0.1, validation=(X, R))
    assert len(history.penalty) == 3
    assert history.penalty[-1] == net.penalty
    assert history.E_validation[-1] == pytest.approx(net.E(X, R) - net.penalty)
    assert Network([2, 3, 1]).fit(X, R, epochs=1).penalty == []


def test_decay_has_a_schedule() -> None:
    X, R = np.zeros((1, 1)), [0.0]
    net = Network([1, 1], output="identity", loss="squared_error", bias=False)
    net.theta = [1]
    net.fit(X, R, epochs=3, eta=0.5, decay=[0.2, 0.4, 0], optimizer="momentum")  # x = 0: no gradient
    assert net.theta == pytest.approx([0.9 * 0.8])
    net.theta = [1]
    net.fit(X, R, epochs=2, eta=0.5, decay="0.2 * n", optimizer="momentum")  # n = 4, 5
    assert net.theta == pytest.approx([0.6 * 0.5])


@pytest.mark.parametrize("optimizer", STEP_RULES)
def test_decay_beside_any_rule_is_that_of_adamw(optimizer: str) -> None:
    entry = STEP_RULES[optimizer]
    nets = [network([3, 5, 2], h="tanh") for _ in range(2)]
    X, R = samples(nets[0], 20)
    before = [W.copy() for W in nets[0].W]
    nets[0].descend(X, R, 0.01, batch_size=20, optimizer=entry, decay=0.3)
    nets[1].descend(X, R, 0.01, batch_size=20, optimizer=entry)
    for with_it, without, w, b, same in zip(nets[0].W, nets[1].W, before, nets[0].b, nets[1].b, strict=True):
        np.testing.assert_allclose(with_it, without - 0.003 * w, rtol=1e-12, atol=1e-15)  # the rule does not see it
        assert (b == same).all()
    own = next((p.default for p in entry.parameters if p.name == "decay"), None)
    if own is not None:
        nets = [network([3, 5, 2], h="tanh") for _ in range(2)]
        nets[0].descend(X, R, 0.01, batch_size=5, optimizer=entry, decay=0.3)
        nets[1].descend(X, R, 0.01, batch_size=5, optimizer=entry(decay=own + 0.3))
        assert nets[0].theta.tobytes() == nets[1].theta.tobytes()


def test_in_files_copies_and_words(tmp_path: Path) -> None:
    net = Network([2, 3, 1], l2=0.01, l1=0.002)
    net.save(tmp_path / "net")
    for other in (deltaprop.load(tmp_path / "net"), pickle.loads(pickle.dumps(net)), Network(**net.config())):
        assert isinstance(other, Network)
        assert (other.l2, other.l1) == (0.01, 0.002)
        assert other == net
    assert repr(net).endswith("dtype='float64', l2=0.01, l1=0.002)")
    assert Network([2, 3, 1]) != net
    assert "l2" not in Network([2, 1]).config()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"l2": -1}, ValueError, "Network: l2 needs to be finite and at least 0; got -1."),
        ({"l1": np.inf}, ValueError, "Network: l1 needs to be finite and at least 0; got inf."),
        ({"l2": "0.1"}, TypeError, "Network: l2 needs to be a number; got '0.1'"),
        ({"alpha": 0.1}, TypeError, "alpha: here it is l2"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=re.escape(message)):
        Network([2, 1], **arguments)
    net = Network([2, 1])
    for decay, words in (
        (-1.0, "decay needs to be finite in float64 and at least 0"),
        ("x", "no schedule is called 'x'"),
    ):
        with pytest.raises(ValueError, match=words):
            net.fit([[1, 1]], [1], epochs=1, decay=decay)  # type: ignore[arg-type]
