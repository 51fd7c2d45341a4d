"""The lecture "Backpropagation Derivation" in NumPy, float64: one equation per line, its number beside it.

It is the oracle that the engine is tested against, so it is never made fast. The letters are the lecture's: x is a
sample, r what its output should be, a = Σ w z a unit's sum, z = h(a) its activation, y the output, E the loss,
δ = ∂E/∂a, η_n the learning rate of epoch n. ``W[l][i, j]`` is w_ji, the weight from unit i of layer l to unit j of the
layer above (layer 0 is x); ``b[l][j]`` is the weight of a constant input 1, of which the lecture has none: ``b=None``.

>>> W = [np.array([[0.0, 0.0]]), np.array([[1.0], [-1.0]])]   # one input, two hidden units, one output
>>> x, r = np.array([2.0]), np.array([1.0])
>>> a, z = forward(W, None, x)
>>> z[1], z[2]                                                # z_j = σ(0), y = σ(½ − ½)
(array([0.5, 0.5]), array([0.5]))
>>> delta = backward(W, a, delta_of_sigma_with_log_loss(a[-1], z[-1], r))
>>> delta[1]                                                  # δ_y = y − r
array([-0.5])
>>> delta[0]                                                  # δ_j = z_j (1 − z_j) δ_y v_j
array([-0.125,  0.125])
>>> gradient(z[0], delta[0])[0]                               # ∂E/∂w_ji = δ_j x_i
array([[-0.25,  0.25]])

Source: F. A. González, "Backpropagation Derivation", 2018, with its slips mended (NOTATION.md lists them).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], Array]


def sigma(a: Array) -> Array:
    """σ, the lecture's activation function."""
    return 1 / (1 + np.exp(-a))  # σ(x) = 1 / (1 + e^−x)


def sigma_prime(a: Array) -> Array:
    """σ′ = dσ/da."""
    return sigma(a) * (1 - sigma(a))  # σ′(a) = σ(a) (1 − σ(a))


def log_loss(y: Array, r: Array) -> float:
    """E, the loss of one sample, added up over its outputs."""
    return float(np.sum(-r * np.log(y) - (1 - r) * np.log(1 - y)))  # E_ℓ = −r log y − (1 − r) log(1 − y)


def delta_of_sigma_with_log_loss(a: Array, y: Array, r: Array) -> Array:
    """δ of the output where y = σ(a) and E is the log loss."""
    return y - r  # δ_y = ∂E/∂a_y = σ(a_y) − r = y − r


def forward(
    W: Sequence[Array], b: Sequence[Array] | None, x: Array, h: Function | Sequence[Function] = sigma
) -> tuple[list[Array], list[Array]]:
    """Return a and z of every layer for one sample: ``a[l]`` of the units that ``W[l]`` leads to, ``z[0]`` is x.

    ``h`` is one function, or one for each ``W[l]``, the output's last.
    """
    a: list[Array] = []
    z = [x]
    for l in range(len(W)):
        a.append(z[l] @ W[l] + (0 if b is None else b[l]))  # a_j = Σ_i w_ji z_i  (+ b_j)
        z.append(_of_layer(h, l)(a[l]))  # z_j = h(a_j)
    return a, z


def backward(
    W: Sequence[Array], a: Sequence[Array], delta_o: Array, dh: Function | Sequence[Function] = sigma_prime
) -> list[Array]:
    """Return δ of every layer for one sample, from that of the output, δ_o, down; ``dh`` is h′, given like ``h``."""
    delta = [delta_o]
    for l in range(len(W) - 1, 0, -1):
        delta.insert(0, _of_layer(dh, l - 1)(a[l - 1]) * (W[l] @ delta[0]))  # δ_j = h′(a_j) Σ_k δ_k w_kj   (2)
    return delta


def gradient(z: Array, delta: Array) -> tuple[Array, Array]:
    """Return ∂E/∂w and ∂E/∂b of one layer for one sample, from the z below it and its δ."""
    return np.outer(z, delta), 1 * delta  # ∂E/∂w_ji = δ_j z_i   (1), and for a bias z_i = 1


def online(
    W: Sequence[Array],
    b: Sequence[Array] | None,
    X: Array,
    R: Array,
    eta: float | Sequence[float] | Callable[[int], float],
    epochs: int,
    h: Function | Sequence[Function] = sigma,
    dh: Function | Sequence[Function] = sigma_prime,
    delta_of_output: Callable[[Array, Array, Array], Array] = delta_of_sigma_with_log_loss,
) -> tuple[list[Array], list[Array] | None]:
    """Return the weights after online gradient descent, the lecture's nine lines.

    ``eta`` is η, or η_1, η_2, …, or the function n ↦ η_n. ``delta_of_output(a, y, r)`` is δ_o.
    """
    # 1: Initialize w  (as the caller has: these are copies)
    W, b = [np.array(w, np.float64) for w in W], None if b is None else [np.array(c, np.float64) for c in b]
    for n in range(1, epochs + 1):  # 2: for n = 1 to num epochs
        eta_n: Any = eta(n) if callable(eta) else eta if np.ndim(eta) == 0 else eta[n - 1]  # type: ignore[index]
        for x, r in zip(X, R, strict=True):  # 3: for all x in D
            a, z = forward(W, b, x, h)  # 4: Forward propagate x through the network to calculate the a_j and z_j values
            delta_o = delta_of_output(a[-1], z[-1], r)  # 5: Calculate δ_o = ∂E/∂a_o for all the output neurons
            delta = backward(W, a, delta_o, dh)  # 6: Backward propagate δ_j values δ_j = h′(a_j) Σ_k δ_k w_kj
            for l in range(len(W)):  # 7: for all w_ji in w
                dW, db = gradient(z[l], delta[l])  # 8: Δw_ji ← δ_j z_i
                W[l] -= eta_n * dW  # 9: w_ji ← w_ji − η_n Δw_ji
                if b is not None:
                    b[l] -= eta_n * db
    return W, b


def _of_layer(functions: Function | Sequence[Function], l: int) -> Function:
    return functions if callable(functions) else functions[l]
