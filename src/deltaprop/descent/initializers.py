"""Line 1 of the lecture's algorithm, "Initialize w": how far from zero the weights start."""

from __future__ import annotations

import math


def start_limit(h: str, n_in: int, n_out: int) -> float:
    """Return the c of a layer whose weights start uniform in (−c, c); biases start at 0.

        relu:    c = √(6 / n_in)               He, "uniform": keeps the variance of z where half the units are 0
        others:  c = √(6 / (n_in + n_out))     Glorot, "uniform": between keeping z's and keeping δ's variance

    Parameters
    ----------
    h : str
        The layer's activation.
    n_in, n_out : int
        The layer's inputs and units.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015.

    Examples
    --------
    >>> start_limit("sigmoid", 2, 4)
    1.0
    >>> start_limit("relu", 6, 100)
    1.0
    """
    return math.sqrt(6 / n_in) if h == "relu" else math.sqrt(6 / (n_in + n_out))
