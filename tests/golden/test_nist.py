"""levenberg_marquardt on NIST's reference problems that are networks: to the certified parameters and sums of squares.

Source: NIST, Statistical Reference Datasets, nonlinear regression, https://www.itl.nist.gov/div898/strd/nls. From each
of the two starts that come with a problem, the far one first.
"""

from dataclasses import dataclass

import numpy as np
import pytest

from deltaprop import LevenbergMarquardt, Network


@dataclass(frozen=True)
class Problem:
    """A model as a network of one hidden layer without biases: y = Σ_k v_k h(w_k · x), x with a 1 where w has two."""

    h: str
    x: list[float]
    y: list[float]
    starts: list[list[float]]  # theta: w of each hidden unit, row by row, then v
    certified: list[float]
    squares: float

    def network(self) -> tuple[Network, np.ndarray, np.ndarray]:
        units = 3 if len(self.certified) == 6 else 1
        n_in = (len(self.certified) - units) // units
        X = np.stack([self.x, np.ones(len(self.x))], axis=1)[:, :n_in]
        net = Network([n_in, units, 1], h=self.h, output="identity", loss="squared_error", bias=False)
        return net, X, np.array(self.y)


PROBLEMS = {
    # y = b1 (1 − exp(−b2 x)): v = b1, w = b2
    "Misra1a": Problem(
        "-expm1(-a)",
        [77.6, 114.9, 141.1, 190.8, 239.9, 289.0, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760.0],
        [10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.40, 75.47, 81.78],
        [[1e-4, 500], [5e-4, 250]],
        [5.5015643181e-04, 2.3894212918e02],
        1.2455138894e-01,
    ),
    "BoxBOD": Problem(
        "-expm1(-a)",
        [1, 2, 3, 5, 7, 10],
        [109, 149, 149, 191, 213, 224],
        [[1, 1], [0.75, 100]],
        [5.4723748542e-01, 2.1380940889e02],
        1.1680088766e03,
    ),
    # y = b1 / (1 + exp(b2 − b3 x)): v = b1, w = (b3, −b2)
    "Rat42": Problem(
        "sigmoid",
        [9, 14, 21, 28, 42, 57, 63, 70, 79],
        [8.930, 10.800, 18.590, 22.330, 39.350, 56.110, 61.730, 64.620, 67.080],
        [[0.1, -1, 100], [0.07, -2.5, 75]],
        [6.7359200066e-02, -2.6180768402e00, 7.2462237576e01],
        8.0565229338e00,
    ),
    # y = b1 exp(−b2 x) + b3 exp(−b4 x) + b5 exp(−b6 x): v = (b1, b3, b5), w = (b2, b4, b6)
    "Lanczos3": Problem(
        "exp(-a)",
        [0.05 * k for k in range(24)],
        [2.5134, 2.0443, 1.6684, 1.3664, 1.1232, 0.9269, 0.7679, 0.6389, 0.5338, 0.4479, 0.3776, 0.3197,
         0.2720, 0.2325, 0.1997, 0.1723, 0.1493, 0.1301, 0.1138, 0.1000, 0.0883, 0.0783, 0.0698, 0.0624],
        [[0.3, 5.5, 7.6, 1.2, 5.6, 6.5], [0.7, 4.2, 6.3, 0.5, 3.6, 4.0]],
        [9.5498101505e-01, 2.9515951832e00, 4.9863565084e00, 8.6816414977e-02, 8.4400777463e-01, 1.5825685901e00],
        1.6117193594e-08,
    ),
}  # fmt: skip


@pytest.mark.parametrize("start", [0, 1], ids=["far", "near"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_to_the_certified_parameters(name: str, start: int) -> None:
    pytest.importorskip("sympy")
    problem = PROBLEMS[name]
    net, X, y = problem.network()
    net.theta = problem.starts[start]
    history = net.fit(X, y, epochs=500, optimizer=LevenbergMarquardt(gtol=0))
    assert history.stopped == "converged"
    assert 2 * len(y) * net.E(X, y) == pytest.approx(problem.squares, rel=1e-9)
    # JᵀJ of Lanczos3 has a condition of 5e8 where parameters are of size 1: the sum of squares says little of them.
    np.testing.assert_allclose(net.theta, problem.certified, rtol=1e-6 if name == "Lanczos3" else 1e-8)
