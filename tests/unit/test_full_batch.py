"""rprop, lbfgs, levenberg_marquardt: against SciPy, NumPy and the published steps; and in fit like any other."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.optimize import minimize

import deltaprop
from deltaprop import LBFGS, LevenbergMarquardt, Network
from deltaprop.threads import Threads
from deltaprop.training.full_batch import FullBatch
from deltaprop.training.jacobian import jacobian, normal_equations


def classes(dtype="float64", n=80, **words):
    random = np.random.default_rng(1)
    X = random.normal(size=(n, 4))
    k = (X @ random.normal(size=(4, 3)) + random.normal(size=(n, 3))).argmax(axis=1)
    return Network([4, 6, 3], h="tanh", output="softmax", loss="cross_entropy", dtype=dtype, seed=1, **words), X, k


def curve(dtype="float64", n=60, layers=(2, 7, 2), **words):
    random = np.random.default_rng(2)
    X = random.uniform(-1, 1, (n, layers[0]))
    R = np.ascontiguousarray(np.stack([np.sin(3 * X[:, 0]), X[:, 0] * X[:, 1]], axis=1)[:, : layers[-1]])
    return Network(list(layers), h="tanh", output="identity", loss="squared_error", dtype=dtype, seed=1, **words), X, R


class TestRprop:
    def steps(self, optimizer, n, **parameters):
        """iRprop+ and iRprop− by the paper's loops, parameter by parameter."""
        net, X, k = classes()
        w, size = net.theta, np.full(net.n_parameters, parameters.get("start", 0.1))
        before, change, E_before = np.zeros_like(w), np.zeros_like(w), np.inf
        backs = 0
        for _ in range(n):
            net.theta = w
            E, g = net.E(X, k), net.gradient(X, k)
            for i in range(len(w)):
                if before[i] * g[i] > 0:
                    size[i] = min(size[i] * 1.2, 50)
                elif before[i] * g[i] < 0:
                    size[i] = max(size[i] * 0.5, 1e-6)
                    if optimizer == "rprop":
                        if E_before < E:
                            w[i] -= change[i]
                            backs += 1
                        before[i] = 0
                        continue
                    g[i] = 0
                change[i] = -np.sign(g[i]) * size[i]
                w[i] += change[i]
                before[i] = g[i]
            E_before = E
        return w, backs

    @pytest.mark.parametrize("optimizer", ["rprop", "rprop_minus"])
    def test_fifty_steps_are_the_papers(self, optimizer):
        expected, backs = self.steps(optimizer, 50, start=2.0)
        assert backs > 10 or optimizer == "rprop_minus"
        net, X, k = classes()
        history = net.fit(X, k, epochs=50, optimizer=f"{optimizer}:start=2")
        np.testing.assert_allclose(net.theta, expected, rtol=1e-9, atol=1e-12)
        assert history.E[-1] < history.E[0]

    def test_with_dropout_each_step_draws_anew(self):
        net, X, k = classes(dropout=0.5)
        net.fit(X, k, epochs=3, optimizer="rprop")
        assert net.presented == 3 * len(X)


class TestLBFGS:
    def test_the_minimum_of_logistic_regression_is_scipys(self):
        """E with a penalty is strictly convex: there is one minimum, found here from an objective written in NumPy."""
        random = np.random.default_rng(3)
        X = random.normal(size=(120, 5))
        r = (X @ random.normal(size=5) + random.normal(size=120) > 0).astype(float)
        w = random.uniform(0, 2, 120)

        def E(theta):
            a = X @ theta[:5] + theta[5]
            each = np.logaddexp(0, -a) * r + np.logaddexp(0, a) * (1 - r)
            return (w * each).sum() / w.sum() + 0.05 * np.square(theta[:5]).sum()

        least = minimize(E, np.zeros(6), method="BFGS", options={"gtol": 1e-9, "eps": 1e-8})
        net = Network([5, 1], l2=0.1, init="zeros")
        history = net.fit(X, r, epochs=100, optimizer=LBFGS(gtol=1e-9), sample_weight=w)
        assert history.stopped == "converged"
        assert len(history) < 30
        np.testing.assert_allclose(net.theta, least.x, rtol=0, atol=2e-6)
        assert net.E(X, r, w) <= least.fun + 1e-12

    def test_rosenbrock(self):
        """The textbooks' valley, from (−1.2, 1): in some 35 steps to (1, 1)."""
        from deltaprop.descent.full_batch import STEPS, Memories

        class Valley:
            theta, eps, looks = np.array([-1.2, 1.0]), 2.0**-52, 0

            def look(self, theta):
                self.looks += 1
                x, y = theta
                g = np.array([-400 * x * (y - x**2) - 2 * (1 - x), 200 * (y - x**2)])
                return float(100 * (y - x**2) ** 2 + (1 - x) ** 2), g

            def rounded(self, theta):
                return theta

        valley, memories = Valley(), Memories(np.zeros((20, 2)), [], 0)
        for _ in range(60):
            step = STEPS["lbfgs"](valley, {"history": 10, "gtol": 1e-8}, memories)
            valley.theta = step.theta
            if step.converged:
                break
        assert step.converged
        np.testing.assert_allclose(valley.theta, [1, 1], atol=1e-6)

    def test_E_never_rises(self):
        net, X, k = classes(l2=1e-3)
        totals = [net.E(X, k)]
        net.fit(X, k, epochs=60, optimizer="lbfgs", callbacks=[lambda now: totals.append(now.model.E(X, k)) and False])
        assert totals == sorted(totals, reverse=True)
        assert totals[-1] < 0.5 * totals[0]

    def test_float32_goes_as_far_as_float32_does(self):
        E = {}
        for dtype in ("float32", "float64"):
            net, X, k = classes(dtype, l2=1e-2)
            history = net.fit(X, k, epochs=300, optimizer="lbfgs")
            assert history.stopped == "converged"
            E[dtype] = net.E(X, k)
        assert E["float32"] == pytest.approx(E["float64"], rel=0.05)


class TestLevenbergMarquardt:
    def test_jacobian_is_central_differences(self):
        for layers in ((2, 7, 2), (2, 5, 4, 1), (3, 2)):
            net, X, R = curve(layers=layers, n=5)
            J, y = jacobian(net, X, R)
            theta = net.theta
            for p in range(len(theta)):
                sides = []
                for sign in (1, -1):
                    moved = theta.copy()
                    moved[p] += sign * 1e-6
                    net.theta = moved
                    sides.append(net.predict(X))
                net.theta = theta
                np.testing.assert_allclose(J[:, :, p], (sides[0] - sides[1]) / 2e-6, rtol=1e-6, atol=1e-8)
            np.testing.assert_allclose(y, net.predict(X), rtol=1e-12)

    def test_jacobian_of_softmax(self):
        net = Network([3, 4], output="softmax", loss="squared_error", seed=2)
        X = np.random.default_rng(0).normal(size=(3, 3))
        J, y = jacobian(net, X, np.eye(4)[:3])
        one = np.eye(4)
        expected = y[:, :, None] * (one[None] - y[:, None, :])  # ∂y_m/∂a_k
        np.testing.assert_allclose(J[:, :, -4:], expected, rtol=1e-12)

    def test_normal_equations_hold_the_gradient(self):
        net, X, R = curve(l2=0.01)
        w = np.arange(len(X)) % 3
        A, g = normal_equations(net, X, R, w.astype(float))
        np.testing.assert_allclose(g, net.gradient(X, R, w), rtol=1e-10, atol=1e-14)
        assert (A == A.T).all()

    def test_a_linear_network_is_done_in_a_step_or_two(self):
        random = np.random.default_rng(0)
        X = random.normal(size=(50, 4))
        r = X @ [1.0, -2, 3, 0.5] + 4 + random.normal(size=50)
        net = Network([4, 1], output="identity", loss="squared_error")
        history = net.fit(X, r, epochs=20, optimizer=LevenbergMarquardt(damping=1e-9))
        best = np.linalg.lstsq(np.hstack([X, np.ones((50, 1))]), r, rcond=None)[0]
        np.testing.assert_allclose(net.theta, best, rtol=1e-8)
        assert len(history) <= 4
        assert history.stopped == "converged"

    def test_a_curve_to_the_minimum(self):
        """50 steps of it go where 3,000 of sgd do not."""
        net, X, R = curve()
        history = net.fit(X, R, epochs=60, optimizer="levenberg_marquardt")
        other, _, _ = curve()
        slow = other.fit(X, R, epochs=3000, eta=0.05, batch_size=60)
        assert history.E[-1] < 0.1 * slow.E[-1]
        assert all(after <= before for before, after in zip(history.E, history.E[1:], strict=False))

    def test_misra1a(self):
        """NIST's Misra1a, y = b1 (1 − exp(−b2 x)), as a network: certified residual sum of squares 1.2455138894E-01.

        With output identity, no biases, h(a) = 1 − exp(−a): y = v h(w x), so v is b1 and w is b2.
        """
        x = np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0])
        y = np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78])
        net = Network([1, 1, 1], h="-expm1(-a)", output="identity", loss="squared_error", bias=False)
        net.theta = [0.0005, 250]
        net.fit(x[:, None], y, epochs=200, optimizer=LevenbergMarquardt(gtol=0))
        assert 2 * 14 * net.E(x[:, None], y) == pytest.approx(1.2455138894e-01, rel=1e-9)
        np.testing.assert_allclose(net.theta, [5.5015643181e-04, 2.3894212918e02], rtol=1e-6)


OPTIMIZERS = ["rprop", "rprop_minus", "lbfgs", "levenberg_marquardt"]


class TestFit:
    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    @pytest.mark.parametrize("dtype", ["float32", "float64"])
    def test_in_pieces_pickled_resumed_the_bits_are_the_same(self, optimizer, dtype, tmp_path):
        whole, X, R = curve(dtype, l2=1e-3)
        history = whole.fit(X, R, epochs=8, optimizer=optimizer)
        assert len(history) == 8
        parts, _, _ = curve(dtype, l2=1e-3)
        for _ in range(8):
            parts.fit(X, R, epochs=1, optimizer=optimizer)
            parts = pickle.loads(pickle.dumps(parts))
        assert parts == whole
        path = tmp_path / "run.deltaprop"
        words = {"epochs": 8, "optimizer": optimizer, "checkpoint": path}
        curve(dtype, l2=1e-3)[0].fit(X, R, **words, callbacks=[lambda now: now.epoch == 3])
        again, _, _ = curve(dtype, l2=1e-3)
        assert again.fit(X, R, **words, resume=True).E == history.E
        assert again == whole

    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    def test_threads_change_no_bit(self, optimizer, monkeypatch):
        nets = []
        for threads in (1, 2, 3):
            monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
            monkeypatch.setattr(Threads, "choice", lambda _, threads=threads: threads)
            net, X, R = curve("float32", 500, (2, 40, 2))
            net.fit(X, R, epochs=5, optimizer=optimizer)
            nets.append(net)
        assert nets[0] == nets[1] == nets[2]

    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    def test_control(self, optimizer):
        net, X, R = curve()
        seen = []
        history = net.fit(
            X, R, epochs=30, optimizer=optimizer, validation=(X[:20], R[:20]), metrics="rmse", monitor="rmse",
            keep="best", callbacks=[lambda now: seen.append(now.E) or now.epoch == 12],
        )  # fmt: skip
        assert history.stopped == "callback"
        assert len(history) == len(seen) == 12
        assert len(history.metrics["rmse"]) == 12
        assert history.E[0] == pytest.approx(curve()[0].E(X, R), rel=1e-12)
        assert history.best_epoch is not None

    def test_an_interruption_leaves_the_last_step(self, monkeypatch):
        net, X, R = curve()
        net.fit(X, R, epochs=3, optimizer="lbfgs")
        theta, memory = net.theta, net.memory.state.copy()
        looks = []

        def interrupted(self, theta):
            looks.append(1)
            if len(looks) == 3:
                raise KeyboardInterrupt
            return original(self, theta)

        original = FullBatch._look
        monkeypatch.setattr(FullBatch, "_look", interrupted)
        with pytest.raises(KeyboardInterrupt):
            net.fit(X, R, epochs=1, optimizer="lbfgs")
        assert (net.theta == theta).all()
        assert (net.memory.state == memory).all()

    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    def test_one_sample_and_no_samples_weight(self, optimizer):
        net, X, R = curve()
        net.fit(X[:1], R[:1], epochs=2, optimizer=optimizer)
        assert np.isfinite(net.theta).all()

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ({"eta": 0.5}, "takes all samples at once, and has no use for eta"),
            ({"eta": "cosine:0.1"}, "no use for eta"),
            ({"batch_size": 32}, "no use for batch_size"),
            ({"decay": 0.1}, "no use for decay"),
            ({"clip_norm": 1.0}, "no use for clip_norm"),
            ({"online_block": 4}, "no use for online_block"),
            ({"average": "ema"}, "use 'last'"),
        ],
    )
    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    def test_what_has_no_use_is_refused(self, optimizer, words, message):
        net, X, R = curve()
        with pytest.raises(ValueError, match=message):
            net.fit(X, R, epochs=1, optimizer=optimizer, **words)

    def test_networks_that_do_not_suit(self):
        net, X, k = classes()
        with pytest.raises(ValueError, match="is for squared_error, not for cross_entropy; use lbfgs"):
            net.fit(X, k, optimizer="levenberg_marquardt")
        with pytest.raises(ValueError, match="at most 5,000; this network has 5,302"):
            curve(layers=(2, 1060, 2))[0].fit(*curve()[1:], optimizer="levenberg_marquardt")
        for optimizer in ("lbfgs", "levenberg_marquardt"):
            with pytest.raises(ValueError, match="l1 bends it"):
                curve(l1=0.1)[0].fit(*curve()[1:], optimizer=optimizer)
            with pytest.raises(ValueError, match="no dropout"):
                curve(dropout=0.5)[0].fit(*curve()[1:], optimizer=optimizer)
        with pytest.raises(ValueError, match="history needs to be whole, in \\[1, 1000\\]"):
            net.fit(X, k, optimizer="lbfgs:history=2.5")
        with pytest.raises(ValueError, match="a step of lbfgs needs all samples"):
            net.descend(X, k, 0.1, optimizer="lbfgs")
        with pytest.raises(ValueError, match="a step of rprop needs all samples"):
            net.trace(X[0], k[0], eta=0.1, optimizer="rprop")

    def test_a_loss_that_is_not_finite_diverges(self):
        net = Network([1, 1], output="exp", loss="squared_error")
        net.theta = [1000.0, 0.0]
        with pytest.raises(deltaprop.DivergenceError):
            net.fit([[1.0], [2.0]], [1.0, 2.0], epochs=3, optimizer="rprop")

    def test_derivations_and_health_go_on_with_the_plain_step(self):
        net, X, R = curve()
        net.fit(X, R, epochs=2, optimizer="lbfgs")
        assert net.trace(X[0], R[0], eta=0.1).layers[0].change_W is not None
        assert "lbfgs" not in str(net.health(X, R))
