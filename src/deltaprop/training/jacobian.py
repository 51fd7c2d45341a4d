"""The Gauss-Newton matrix of squared errors, from the engine's trace of the samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from deltaprop.arrays import Array
from deltaprop.model import Model

MOST_PARAMETERS = 5_000
_PIECE_NUMBERS = 2**22  # of J at a time


def normal_equations(model: Model, X: Any, R: Array, weights: Array | None) -> tuple[Array, Array]:
    """Return JᵀJ and Jᵀe (dense, float64) of a network with the loss squared_error, so that E = ½ eᵀe.

        e = √(w_ℓ / Σ w) (y_k − r_k) for every sample and output, and √l2 w_ji for every weight;   J = ∂e/∂θ

    ∂y_k/∂a of each layer comes down by the delta rule from ∂y_k/∂a_k of the output, once for each output k. Of J there
    are never more than 32 MB (and a row for each output) at a time.
    """
    w = np.ones(len(R)) if weights is None else weights.astype(np.float64)
    roots = np.sqrt(w / w.sum())
    n = model.n_parameters
    A, g = np.zeros((n, n)), np.zeros(n)
    rows = max(1, _PIECE_NUMBERS // (n * model.layers[-1]))
    for start in range(0, len(R), rows):
        part = slice(start, start + rows)
        J, y = jacobian(model, X[part], R[part])
        J *= roots[part, None, None]
        e = roots[part, None] * (y - R[part].astype(np.float64))
        J, e = J.reshape(-1, n), e.ravel()
        A += J.T @ J
        g += e @ J
    if model.l2:
        at = 0
        for W, b in zip(model.W, model.b, strict=True):
            own = slice(at, at + W.size)
            A[own, own].flat[:: W.size + 1] += model.l2
            g[own] += model.l2 * W.astype(np.float64).ravel()
            at += W.size + (0 if b is None else b.size)
    return A, g


def jacobian(model: Model, X: Any, R: Array) -> tuple[Array, Array]:
    """Return ∂y_k/∂θ (n, n_out, n_parameters) and y (n, n_out) of samples, in float64.

    Examples
    --------
    >>> from deltaprop import Network
    >>> net = Network([2, 1], output="identity", loss="squared_error")
    >>> jacobian(net, np.array([[3.0, 5.0]]), np.array([[0.0]]))[0]
    array([[[3., 5., 1.]]])
    """
    t = model.trace_of(X, R)
    n, n_out = t.z[-1].shape
    z = [values.astype(np.float64) for values in (t.x, *t.z)]
    dh = [values.astype(np.float64) for values in t.dh]
    J = np.empty((n, n_out, model.n_parameters))
    for k in range(n_out):
        delta = np.zeros((n, n_out))
        if dh[-1].ndim == 3:  # softmax: a matrix for each sample
            delta[...] = dh[-1][:, k]
        else:
            delta[:, k] = dh[-1][:, k]
        stop = model.n_parameters
        for layer in reversed(range(len(dh))):
            W, b = model.W[layer], model.b[layer]
            if b is not None:
                J[:, k, stop - b.size : stop] = delta
                stop -= b.size
            J[:, k, stop - W.size : stop] = (z[layer][:, :, None] * delta[:, None, :]).reshape(n, -1)
            stop -= W.size
            if layer:
                delta = dh[layer - 1] * (delta @ W.astype(np.float64).T)
    return J, z[-1]
