"""rprop, lbfgs, levenberg_marquardt: against SciPy, NumPy and the published steps; and in fit like any other."""

from __future__ import annotations

import pickle
import tracemalloc
from contextlib import ExitStack

import numpy as np
import pytest
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

import deltaprop
from deltaprop import LBFGS, LevenbergMarquardt, Network
from deltaprop.descent.full_batch.one_thread import ONE_THREAD
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
        parts, _, _ = classes(dropout=0.5)
        for _ in range(3):
            parts.fit(X, k, epochs=1, optimizer="rprop")
        assert parts == net
        still, _, _ = classes(dropout=0.5)  # steps of 0 move nothing, and each meets other units
        E = still.fit(X, k, epochs=3, optimizer=deltaprop.Rprop(start=1e-300, least=0)).E
        assert len(set(E)) == 3


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

    @pytest.mark.parametrize("weighted", [False, True])
    def test_breast_cancer_to_scipys_minimum(self, weighted):
        from sklearn.datasets import load_breast_cancer

        X, r = load_breast_cancer(return_X_y=True)
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        w = np.where(r == 1, 1.0, 2.5) if weighted else np.ones(len(r))
        A, sign = np.hstack([X, np.ones((len(X), 1))]), 2 * r - 1

        def E(theta):
            a = A @ theta
            slope = -sign * w / w.sum() / (1 + np.exp(sign * a))
            return (w * np.logaddexp(0, -sign * a)).sum() / w.sum() + 5e-4 * np.square(theta[:-1]).sum(), (
                A.T @ slope + 1e-3 * np.append(theta[:-1], 0)
            )

        least = minimize(E, np.zeros(31), jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 2000})
        net = Network([30, 1], l2=1e-3)
        history = net.fit(X, r, epochs=1000, optimizer=LBFGS(gtol=1e-9), sample_weight=w if weighted else None)
        assert history.stopped == "converged"
        np.testing.assert_allclose(net.theta, least.x, rtol=0, atol=1e-6)
        assert net.E(X, r, w) == pytest.approx(least.fun, rel=1e-12)

    def test_iris_to_scipys_minimum(self):
        from sklearn.datasets import load_iris

        X, k = load_iris(return_X_y=True)
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        A = np.hstack([X, np.ones((150, 1))])

        def E(theta):
            W, b = theta[:12].reshape(4, 3), theta[12:]
            a = X @ W + b
            a -= a.max(axis=1, keepdims=True)
            y = np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)
            g = A.T @ (y - np.eye(3)[k]) / 150
            return -np.log(y[np.arange(150), k]).mean() + 0.005 * np.square(W).sum(), (
                np.concatenate([g[:4].ravel() + 0.01 * W.ravel(), g[4]])
            )

        least = minimize(E, np.zeros(15), jac=True, method="L-BFGS-B", options={"gtol": 1e-10, "ftol": 0})
        net = Network([4, 3], output="softmax", loss="cross_entropy", l2=0.01, init="zeros")
        net.fit(X, k, epochs=500, optimizer=LBFGS(gtol=1e-10))
        np.testing.assert_allclose(net.W[0].ravel(), least.x[:12], rtol=0, atol=1e-6)
        b = least.x[12:]  # a constant beside all b changes nothing
        np.testing.assert_allclose(net.b[0] - net.b[0].mean(), b - b.mean(), rtol=0, atol=1e-6)

    @pytest.mark.parametrize("optimizer", [LBFGS(gtol=0), LevenbergMarquardt(gtol=0)], ids=["lbfgs", "lm"])
    def test_inputs_of_very_different_sizes(self, optimizer):
        """The first step down the gradient has to be 1e-10 long, where SciPy's search gives up before."""
        random = np.random.default_rng(0)
        X = random.normal(size=(100, 4))
        r = X @ [1.0, 2, 3, 4] + 1 + 0.1 * random.normal(size=100)
        X = X * [1, 1e3, 1e-3, 1e5]
        A = np.hstack([X, np.ones((100, 1))])
        best = np.linalg.lstsq(A, r, rcond=None)[0]
        net = Network([4, 1], output="identity", loss="squared_error", init="zeros")
        net.fit(X, r, epochs=1000, optimizer=optimizer)
        assert net.E(X, r) == pytest.approx(np.square(A @ best - r).mean() / 2, rel=1e-9)

    def test_where_E_is_not_a_number_the_search_comes_back(self):
        """100 x − log x from x = ½: the first trial is at −½, where it is NaN; the minimum is at 1/100."""
        from deltaprop.descent.full_batch import STEPS, Memories

        class Wall:
            theta, eps = np.array([0.5]), 2.0**-52
            looks = 0

            def look(self, theta):
                self.looks += 1
                with np.errstate(all="ignore"):
                    return float(100 * theta[0] - np.log(theta[0])), 100 - 1 / theta

            def rounded(self, theta):
                return theta

        wall, memories = Wall(), Memories(np.zeros((20, 1)), [], 0)
        step = STEPS["lbfgs"](wall, {"history": 10, "gtol": 1e-6}, memories)
        assert 0 < step.theta[0] < 0.5
        assert wall.looks < 20  # and not further and further out
        while not step.end:
            wall.theta = step.theta
            step = STEPS["lbfgs"](wall, {"history": 10, "gtol": 1e-6}, memories)
        np.testing.assert_allclose(step.theta, 0.01, rtol=1e-6)

    def test_nothing_to_gain_is_said(self):
        net, X, R = curve()
        history = net.fit(X, net.predict(X), epochs=9, optimizer="lbfgs")
        assert (len(history), history.stopped) == (1, "converged")
        assert history.reason == "no entry of the gradient exceeds gtol, 1e-05"
        assert net.fit(X, R, epochs=2, optimizer="lbfgs").reason == ""

    def test_parameters(self):
        assert LBFGS.history == LBFGS().history == 10
        assert repr(LBFGS(history=5)) == "LBFGS(history=5, gtol=1e-05)"
        assert str(LBFGS(5.0)) == "lbfgs:history=5"
        assert LBFGS(10) == LBFGS

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
            if step.end:
                break
        assert step.end == "no entry of the gradient exceeds gtol, 1e-08"
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
            wide = Network.from_description({**net.description(), "dtype": "float64"}, net.theta.astype(float))
            E[dtype] = wide.E(X, k)
        assert E["float32"] == pytest.approx(E["float64"], rel=1e-4)


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

    def test_the_jacobian_is_each_samples_gradient(self):
        """∂E_ℓ/∂θ = Σ_k (y_k − r_k) ∂y_k/∂θ, and the engine's own for each sample."""
        for output in ("identity", "sigmoid", "softmax"):
            net = Network([3, 5, 4], h="tanh", output=output, loss="squared_error", seed=3)
            X, R = np.random.default_rng(1).normal(size=(7, 3)), np.eye(4)[[0, 1, 2, 3, 0, 1, 2]]
            t = net.raw_trace(X, R)
            own = np.hstack([part.reshape(7, -1) for pair in zip(t.dW, t.db, strict=True) for part in pair])
            J, y = jacobian(net, X, R)
            np.testing.assert_allclose(np.einsum("nk,nkp->np", y - R, J), own, rtol=1e-10, atol=1e-14)

    def test_ridge_regression_with_weights(self):
        """l2 is one more residual for each weight and none for the bias: θ solves the weighted normal equations."""
        random = np.random.default_rng(4)
        X, w = random.normal(size=(40, 3)), random.uniform(0, 3, 40)
        R = X @ random.normal(size=(3, 2)) + random.normal(size=(40, 2))
        A = np.hstack([X, np.ones((40, 1))])
        share = w / w.sum()
        best = np.linalg.solve(A.T @ (share[:, None] * A) + np.diag([0.3, 0.3, 0.3, 0]), A.T @ (share[:, None] * R))
        net = Network([3, 2], output="identity", loss="squared_error", l2=0.3)
        net.fit(X, R, epochs=30, optimizer=LevenbergMarquardt(gtol=1e-14), sample_weight=w)
        np.testing.assert_allclose(net.theta, np.concatenate([best[:3].ravel(), best[3]]), rtol=1e-8)

    def test_more_parameters_than_samples_go_through_them_all(self):
        """JᵀJ is singular all the way, and μ makes it solvable."""
        net, X, R = curve(n=20, layers=(4, 30, 2))
        history = net.fit(X, R, epochs=100, optimizer=LevenbergMarquardt(gtol=1e-15))
        assert net.E(X, R) < 1e-25
        assert history.stopped == "converged"

    def test_J_is_never_there_as_a_whole(self, monkeypatch):
        net, X, R = curve(n=20_000, l2=0.1)
        w = np.ones(len(X))
        A, g = normal_equations(net, X, R, w)
        monkeypatch.setattr("deltaprop.training.jacobian._PIECE_NUMBERS", 2**14)
        tracemalloc.start()
        try:
            own, own_g = normal_equations(net, X, R, w)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 20_000 * 2 * net.n_parameters * 8 / 4
        np.testing.assert_allclose(own, A, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(own_g, g, rtol=1e-10, atol=1e-15)

    def test_threads_of_the_linear_algebra_change_no_bit(self):
        nets = []
        for threads in (1, 2, 3):
            net, X, R = curve(n=700, layers=(20, 60, 2))
            with threadpool_limits(threads, "blas"):
                net.fit(X, R, epochs=2, optimizer="levenberg_marquardt")
                assert {library.num_threads for library in ONE_THREAD.libraries()} == {threads}  # as they were
            nets.append(net)
        assert nets[0] == nets[1] == nets[2]

    def test_two_at_once_leave_the_linear_algebra_as_it_was(self):
        def threads():
            return [library.num_threads for library in ONE_THREAD.libraries()]

        with threadpool_limits(2, "blas"):
            first, second = ExitStack(), ExitStack()
            first.enter_context(ONE_THREAD)
            second.enter_context(ONE_THREAD)
            first.close()
            assert set(threads()) == {1}
            second.close()
            assert set(threads()) == {2}


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
    @pytest.mark.parametrize("weighted", [False, True])
    def test_many_samples_are_looked_at_in_pieces(self, optimizer, weighted, monkeypatch):
        """So that an interruption is heard; E and its gradient are the same but for rounding; a piece may weigh 0."""
        nets = []
        for seconds in (1.0, 0.0):
            monkeypatch.setattr("deltaprop.training.full_batch._PIECE_SECONDS", seconds)
            net, X, R = curve(n=1000, l2=1e-3)
            w = np.where(np.arange(1000) // 256 == 1, 0.0, 1.0 + np.arange(1000) % 3) if weighted else None
            net.fit(X, R, epochs=5, optimizer=optimizer, sample_weight=w)
            nets.append(net)
        assert FullBatch(nets[0], X, R, w)._piece == 256
        np.testing.assert_allclose(nets[0].theta, nets[1].theta, rtol=1e-6)

    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    def test_sparse_rows_are_the_same_bits(self, optimizer):
        sparse = pytest.importorskip("scipy.sparse")
        nets = []
        for kind in (np.asarray, sparse.csr_matrix):
            net, X, R = curve(layers=(2, 7, 2))
            X[::2] = 0
            net.fit(kind(X), R, epochs=5, optimizer=optimizer)
            nets.append(net)
        assert nets[0] == nets[1]

    @pytest.mark.parametrize("layers", [(1, 1), (3, 1), (2, 20), (2, 3, 4, 5, 12)])
    @pytest.mark.parametrize("optimizer", ["lbfgs", "levenberg_marquardt"])
    @pytest.mark.parametrize("n", [1, 2])
    def test_odd_sizes(self, layers, optimizer, n):
        random = np.random.default_rng(0)
        X, R = random.normal(size=(n, layers[0])), random.normal(size=(n, layers[-1]))
        X[:, 0] += 1
        net = Network(list(layers), h="tanh", output="identity", loss="squared_error", seed=1)
        history = net.fit(X, R, epochs=200, optimizer=optimizer)
        assert history.stopped == "converged"
        if layers != (1, 1) or n == 1:  # two lines through one point each, but one bias
            assert net.E(X, R) < 1e-6

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

    def test_what_is_held_of_looks_does_not_grow(self, monkeypatch):
        held, looked = [], set()
        original = FullBatch._look

        def counted(self, theta):
            looked.add(theta.tobytes())
            found = original(self, theta)
            held.append(len(self._seen))
            return found

        monkeypatch.setattr(FullBatch, "_look", counted)
        X = np.random.default_rng(0).normal(size=(50, 3)) * [1, 1e3, 1e5]
        net = Network([3, 1], output="identity", loss="squared_error", init="zeros")
        net.fit(X, X[:, 0], epochs=1, optimizer="lbfgs")
        assert len(looked) > 5
        assert max(held) <= 3

    def test_an_interruption_leaves_the_last_step(self, monkeypatch):
        self.interrupted("lbfgs", "_look", monkeypatch)

    def test_and_so_does_one_amid_the_normal_equations(self, monkeypatch):
        self.interrupted("levenberg_marquardt", "normal_equations", monkeypatch)

    def interrupted(self, optimizer, within, monkeypatch):
        net, X, R = curve()
        net.fit(X, R, epochs=3, optimizer=optimizer)
        theta, memory, numbers = net.theta, net.memory.state.copy(), net.memory.numbers
        looks = []
        original = getattr(FullBatch, within)

        def interrupted(self, *arguments):
            looks.append(1)
            if len(looks) == (3 if within == "_look" else 1):
                self._model.padded_theta[...] = 7  # where the search is
                raise KeyboardInterrupt
            return original(self, *arguments)

        monkeypatch.setattr(FullBatch, within, interrupted)
        with pytest.raises(KeyboardInterrupt):
            net.fit(X, R, epochs=1, optimizer=optimizer)
        assert (net.theta == theta).all()
        assert (net.memory.state == memory).all()
        assert net.memory.numbers == numbers

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
        for optimizer in OPTIMIZERS:
            with pytest.raises(
                deltaprop.DivergenceError, match=r"E \(inf\) that is not finite\. The .* Begin with other"
            ):
                net.fit([[1.0], [2.0]], [1.0, 2.0], epochs=3, optimizer=optimizer)
            assert net.theta.tolist() == [1000.0, 0.0]

    @pytest.mark.parametrize("optimizer", OPTIMIZERS)
    def test_a_formula_that_is_not_finite_is_named(self, optimizer):
        pytest.importorskip("sympy")
        net = Network([1, 1, 1], h="log(a)", output="identity", loss="squared_error", bias=False)
        net.theta = [1.0, 1.0]
        with pytest.raises(deltaprop.DivergenceError, match=r"h of layer 1, 'log\(a\)', is nan at a = -2\."):
            net.fit([[1.0], [-2.0]], [1.0, 2.0], epochs=3, optimizer=optimizer)
        assert net.theta.tolist() == [1.0, 1.0]

    def test_derivations_and_health_go_on_with_the_plain_step(self):
        net, X, R = curve()
        net.fit(X, R, epochs=2, optimizer="lbfgs")
        assert net.trace(X[0], R[0], eta=0.1).layers[0].change_W is not None
        assert "lbfgs" not in str(net.health(X, R))
