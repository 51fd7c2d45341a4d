"""What the engine records of samples on their way through the network and back."""

from __future__ import annotations

from dataclasses import dataclass

from deltaprop.arrays import Array


@dataclass(frozen=True)
class RawTrace:
    """Every quantity of backpropagation for n samples, as the engine's descent step computes them.

    One entry per layer in ``a``, ``z``, ``delta`` (n, n_out), in ``dh`` (n, n_out; for softmax the Jacobian,
    (n, n_out, n_out)), ``dW`` (n, n_in, n_out) and ``db`` (n, n_out; None without biases); ``E`` is (n,).
    """

    x: Array
    r: Array
    a: list[Array]
    z: list[Array]
    dh: list[Array]
    delta: list[Array]
    dW: list[Array]
    db: list[Array | None]
    E: Array
