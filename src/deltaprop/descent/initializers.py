"""Line 1 of the lecture's algorithm, "Initialize w": how far from zero the weights start."""

from __future__ import annotations

import math

from deltaprop.functions import Activation


def start_limit(h: Activation, n_in: int, n_out: int) -> float:
    """Return the c of a layer whose weights start uniform in (−c, c); biases start at 0.

        he:      c = √(6 / n_in)               keeps the variance of z where half of it is cut off, as relu does
        lecun:   c = √(3 / n_in)               keeps the variance of z where h is straight, as selu needs
        glorot:  c = √(6 / (n_in + n_out))     between keeping z's and keeping δ's variance

    Parameters
    ----------
    h : Activation
        The layer's; it says which of them.
    n_in, n_out : int
        The layer's inputs and units.

    References
    ----------
    Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010.
    He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015.
    LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998.

    Examples
    --------
    >>> from deltaprop.functions import ACTIVATIONS
    >>> start_limit(ACTIVATIONS["sigmoid"], 2, 4), start_limit(ACTIVATIONS["relu"], 6, 100)
    (1.0, 1.0)
    >>> start_limit(ACTIVATIONS["selu"], 3, 100)
    1.0
    """
    if h.start == "glorot":
        return math.sqrt(6 / (n_in + n_out))
    return math.sqrt((6 if h.start == "he" else 3) / n_in)
