"""R and the weights of samples as the engine reads them: in the domain of the loss, smoothed, weighted by class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from deltaprop.arrays import Array, numbers_in
from deltaprop.functions import Loss
from deltaprop.real_numbers import real_number

ClassWeight = Literal["balanced"] | Mapping[int, float] | Sequence[float] | Array

# By Loss.targets: whether r is outside.
_OUTSIDE: dict[str, Callable[[Array], Array]] = {
    "unit": lambda r: (r < 0) | (r > 1),
    "distribution": lambda r: (r < 0) | (r > 1),
    "class": lambda r: (r != 0) & (r != 1),
    "count": lambda r: r < 0,
    "positive": lambda r: r <= 0,
}


def targets_in(R: ArrayLike, n: int, n_out: int, loss: Loss, dtype: np.dtype[Any], *, where: str) -> Array:
    """Return R as rows of targets, shape (n, n_out), inside the domain of the loss.

    Class numbers become rows of 0 and one 1 where several outputs have targets of 0 and 1 or between; one target for
    several quantiles is repeated.
    """
    in_classes = n_out > 1 and loss.targets in ("distribution", "unit", "class")
    classes = _class_numbers(R) if in_classes else None
    if classes is not None:
        return _one_hot(classes, n, n_out, loss, dtype, where)
    array = numbers_in(R, dtype, "R", where=where)
    if array.ndim == 1 and (n_out == 1 or loss.several):
        array = array[:, None]
    if loss.several and array.shape == (n, 1):
        array = np.repeat(array, n_out, axis=1)
    if array.shape != (n, n_out):
        also = f" or ({n},)" if n_out == 1 or loss.several else ""
        if in_classes:
            also = f", or ({n},) of whole class numbers"
        raise ValueError(f"{where}: R needs shape ({n}, {n_out}){also}, a row per row of X; got {np.shape(R)}.")
    if loss.targets in _OUTSIDE:
        outside = _OUTSIDE[loss.targets](array)
        if outside.any():
            s, j = np.argwhere(outside)[0]
            raise ValueError(
                f"{where}: R[{s}, {j}] is {array[s, j]:g}; targets of loss {loss.name!r} are {loss.targets_in_words}."
            )
    if loss.targets == "distribution":
        total = array.sum(axis=1, dtype=np.float64)
        given = getattr(R, "dtype", dtype)
        rounding = np.finfo(given if given in (np.float16, np.float32) else dtype).eps
        wrong = np.abs(total - 1) > max(1e-6, n_out * rounding)
        if wrong.any():
            s = int(np.argmax(wrong))
            raise ValueError(
                f"{where}: R[{s}] sums to {total[s]:.9g}; targets of loss {loss.name!r} are probabilities, "
                "which sum to 1."
            )
    return array


def _class_numbers(R: ArrayLike) -> Array | None:
    """Return R as integers where it is a column of whole numbers, else None."""
    if hasattr(R, "tocsr") or np.ma.is_masked(R):
        return None
    try:
        array = np.asarray(R)
    except ValueError:  # rows of several lengths
        return None
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        return None
    if array.dtype.kind in "iu":
        return array
    whole = (np.abs(array) < 2**53) & (array == np.floor(array))  # and no NaN
    return array.astype(np.int64) if whole.all() else None


def _one_hot(classes: Array, n: int, n_out: int, loss: Loss, dtype: np.dtype[Any], where: str) -> Array:
    if classes.shape != (n,):
        raise ValueError(f"{where}: R needs shape ({n}, {n_out}) or ({n},), a row per row of X; got {classes.shape}.")
    outside = (classes < 0) | (classes >= n_out)
    if outside.any():
        s = int(np.argmax(outside))
        raise ValueError(
            f"{where}: R[{s}] is class {classes[s]}; {n_out} outputs of loss {loss.name!r} have classes 0 to "
            f"{n_out - 1}."
        )
    array = np.zeros((n, n_out), dtype)
    array[np.arange(n), classes] = 1
    return array


def smoothed(R: Array, loss: Loss) -> Array:
    """Return R drawn towards equal shares, r ← (1 − s) r + s / K, by the label_smoothing s of a loss.

    K is n_out where the r of a sample sum to one, else 2.
    """
    s = loss.label_smoothing
    if not s:
        return R
    shares = R.shape[1] if loss.targets == "distribution" else 2
    result: Array = R * R.dtype.type(1 - s) + R.dtype.type(s / shares)
    return result


def weights_in(
    sample_weight: ArrayLike | None,
    class_weight: ClassWeight | None,
    R: Array,
    *,
    where: str,
) -> Array | None:
    """Return the samples' weights w_ℓ, shape (n,): finite, none negative, not all 0; None where all are 1.

    With ``class_weight`` c they are times Σ_k r_k c_k, r as given in R.
    """
    n = len(R)
    weights = None
    if sample_weight is not None:
        weights = numbers_in(sample_weight, R.dtype, "sample_weight", where=where)
        if weights.shape != (n,):
            raise ValueError(f"{where}: sample_weight needs shape ({n},), one per row of X; got {weights.shape}.")
    if class_weight is not None:
        of_class = _of_classes(class_weight, R, where)
        weights = of_class if weights is None else weights * of_class
    if weights is None or not n:
        return weights
    name = "sample_weight" if class_weight is None else "weight"
    if weights.min() < 0:
        raise ValueError(f"{where}: {name}[{int(weights.argmin())}] is {weights.min():g}; weights are at least 0.")
    if not weights.any():
        raise ValueError(f"{where}: every {name} is 0, so there is nothing to weigh.")
    with np.errstate(over="ignore"):
        total = float(weights.sum(dtype=np.float64))
    if not (np.isfinite(total) and np.isfinite(1 / total)):
        raise ValueError(f"{where}: {name} adds up to {total:g}, too large or too small to divide by.")
    return weights


def _of_classes(class_weight: ClassWeight, R: Array, where: str) -> Array:
    """Return the weight of each sample's class: Σ_k P_k c_k, P (n, K) of 0 and 1 or between."""
    P = np.hstack([1 - R, R]) if R.shape[1] == 1 else R
    if len(P) and (P.min() < 0 or P.max() > 1 or np.abs(P.sum(axis=1) - 1).max() > 1e-5):
        raise ValueError(
            f"{where}: class_weight needs targets that say of which class a sample is: 0 or 1 of one output, or "
            "probabilities that sum to 1."
        )
    K = P.shape[1]
    if isinstance(class_weight, str):
        if class_weight != "balanced":
            raise ValueError(
                f"{where}: class_weight needs 'balanced', or a weight for each class; got {class_weight!r}."
            )
        counts = P.sum(axis=0, dtype=np.float64)
        of_class = len(P) / (K * np.where(counts > 0, counts, 1))
    elif isinstance(class_weight, Mapping) or hasattr(class_weight, "items"):  # a pandas Series too
        of_class = np.ones(K)
        for k, value in class_weight.items():
            if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 0 <= k < K:
                raise ValueError(f"{where}: class_weight has a weight for {k!r}; the classes are 0 to {K - 1}.")
            of_class[k] = real_number(value, f"class_weight[{k}]", where=where)
    else:
        of_class = numbers_in(class_weight, np.dtype(np.float64), "class_weight", where=where)
        if of_class.shape != (K,):
            raise ValueError(f"{where}: class_weight needs {K} weights, one for each class; got {of_class.shape}.")
    if not (np.isfinite(of_class).all() and (of_class >= 0).all()):
        raise ValueError(f"{where}: class_weight needs finite weights of at least 0; got {of_class.tolist()}.")
    result: Array = (P @ of_class).astype(R.dtype)
    return result
