"""Steps on a copy of a network whose η rises exponentially, until E does."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from deltaprop.arrays import Array, SparseRows, whole_number
from deltaprop.descent.memory import Pass
from deltaprop.descent.optimizers import Optimizer, optimizer_in
from deltaprop.descent.schedules import decays
from deltaprop.descent.terms import Terms
from deltaprop.foreign_words import answers_foreign_words
from deltaprop.inspection.eta_range.choice import Choice, Curve, choose
from deltaprop.inspection.eta_range.result import EtaRange
from deltaprop.model import Model
from deltaprop.plan import block_in
from deltaprop.real_numbers import real_number
from deltaprop.targets import ClassWeight

_SAMPLES = 32  # of a point, at least: E of fewer says little
_MOST_POINTS = 100_000


@answers_foreign_words
def find_eta(
    model: Model,
    X: ArrayLike,
    R: ArrayLike,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    points: int = 100,
    steps: int | None = None,
    batch_size: int = 1,
    optimizer: str | Optimizer | None = None,
    sample_weight: ArrayLike | None = None,
    class_weight: ClassWeight | None = None,
    online_block: int | None = None,
    decay: float = 0.0,
) -> EtaRange:
    """Look for the learning rate to train with: the range test. The network stays as it is, to its last bit.

        η_k = low · (high / low)^(k / (K − 1)),   k = 0 … K − 1, of the K steps made

    A copy of the network makes steps whose η rises exponentially. While η is small E stays; then it falls, faster and
    faster; then the steps are too long and E rises: as far above the start as it had been below, and the test ends. Of
    the smoothed E two figures are taken: where it falls most steeply over log η, and a tenth of the η where it is
    least. The larger is suggested, but no more than a third of the η where E is least, for `fit` with the same
    batch_size and optimizer.

    Parameters
    ----------
    X : array-like or SciPy sparse matrix (n, n_in)
        The training rows, as they go into `Network.fit`; they are gone through epoch after epoch, as often as it takes.
    R : array-like (n, n_out), or (n,) where n_out = 1
    low, high : float, default 1e-6 and 10
        The first η and the last.
    points : int, default 100
        How many points the curve has.
    steps : int, optional
        How many steps a point is the mean of: by default so many that it has at least 32 samples, 1 for batches of 32.
    batch_size : int, default 1
        Samples per step, as in `fit`; at most as many as there are.
    optimizer : str or optimizer, optional
        The rule of a step; by default the one that the network was trained with last, at first "sgd".
    sample_weight, class_weight, online_block, decay
        As in `fit`.

    Returns
    -------
    EtaRange
        ``.suggestion``, None where E never fell; ``.steepest``, ``.least`` and ``.reason``; the curve as arrays
        ``.eta``, ``.E`` and ``.smoothed``; ``.draw()`` makes a picture of it. Prints as a paragraph.

    Raises
    ------
    TypeError, ValueError
        If an argument cannot be used.

    Notes
    -----
    The order of the samples is that which `fit` would take, from (seed, epoch), so that the same call gives the same
    bits. E is the mean over the samples of a point, each before its own update, without penalties. Smoothed is what
    the steps have changed: E of a point's samples less that of the same samples with the parameters of the start, so
    that it is no matter which samples are hard.

    Sources: L. N. Smith, "Cyclical learning rates for training neural networks", arXiv:1506.01186, section 3.3. The two
    rules are those of fastai's ``lr_find`` (``minimum``, a tenth; ``steep``) and PyTorch Lightning's (steepest), which
    smooth over past steps alone; here the mean is over both sides, so that nothing moves to a larger η.

    Examples
    --------
    y = w x with ½ (y − r)² and x = 1: a step goes η of the way to r, and beyond 2 of it E rises.

    >>> import numpy as np
    >>> from deltaprop import Network
    >>> R = 7 + np.random.default_rng(0).normal(size=500)
    >>> net = Network([1, 1], output="identity", loss="squared_error", bias=False)
    >>> found = net.find_eta(np.ones((500, 1)), R, batch_size=10)
    >>> found.stopped, bool(2 < found.eta[-1] < 10), bool(0.02 < found.suggestion < 1)
    ('diverged', True, True)
    """
    where = f"{type(model).__name__}.find_eta"
    samples = model.samples(X, R, sample_weight, where, class_weight)
    n = len(samples[0])
    if not n:
        raise ValueError(f"{where}: X has no rows.")
    first, last = (_positive(model, value, name, where) for value, name in ((low, "low"), (high, "high")))
    if not first < last:
        raise ValueError(f"{where}: low needs to be below high; got {low!r} and {high!r}.")
    points = whole_number(points, "points", at_least=10, below=_MOST_POINTS, where=where)
    together = min(whole_number(batch_size, "batch_size", at_least=1, where=where), n)
    if steps is None:
        steps = -(-_SAMPLES // together)
    steps = whole_number(steps, "steps", at_least=1, below=_MOST_POINTS, where=where)
    block = block_in(online_block, where=where)
    given = model.step_rule if optimizer is None else optimizer
    rule = optimizer_in(given, where=where, dtype=model.dtype)
    if rule.full_batch:
        raise ValueError(f"{where}: {rule.name} takes all samples at once, and has no eta to look for.")
    terms = Terms(decay=decays(decay, 1, 1, where=where, dtype=model.dtype)(1))

    probe = copy.copy(model)  # with its own parameters and its own memory
    probe.take_up(rule)
    eta = np.geomspace(first, last, points * steps)
    middle = np.sqrt(eta[::steps]) * np.sqrt(eta[steps - 1 :: steps])
    E: list[float] = []
    E_start: list[float] = []
    stopped = "high"
    for k, order in zip(range(points), _orders(model, n, together, steps), strict=False):
        at, own, first = Pass(), eta[k * steps : (k + 1) * steps], probe.presented - model.presented
        with np.errstate(all="ignore"):
            for _ in probe.passing(*samples, order, own, together, block, terms, at=at):
                pass
        if probe.not_finite(at.mean) is not None:
            stopped = "diverged"
            break
        E.append(at.mean if at.weight else math.nan)  # where all of its samples weigh nothing
        E_start.append(_loss_of(model, samples, order, first) if at.weight else math.nan)
        if Curve(middle[: k + 1], np.array(E), np.array(E_start), points).diverged:
            stopped = "diverged"
            break
    curve = Curve(middle[: len(E)], np.array(E), np.array(E_start), points)
    found = choose(curve) if E else Choice(None, None, None, "the first steps diverged")
    return EtaRange(
        curve.eta,
        curve.E,
        curve.smoothed() if E else curve.E,
        found.suggestion,
        found.steepest,
        found.least,
        found.reason,
        stopped,
        str(rule),
        together,
        steps,
    )


def _loss_of(model: Model, samples: tuple[Any, Array, Array | None], order: Array, first: int) -> float:
    """Return E of samples with the parameters of the start, and with the draws that the steps had."""
    X, R, weights = samples
    rows = X.take(order) if isinstance(X, SparseRows) else X[order]
    own = None if weights is None else weights[order]
    return model.mean_loss(rows, R[order], own, training=True, first=first)


def _positive(model: Model, value: Any, name: str, where: str) -> float:
    number = real_number(value, name, where=where)
    if not 0 < number <= float(np.finfo(model.dtype).max):
        raise ValueError(f"{where}: {name} needs to be finite in {model.dtype} and above 0; got {value!r}.")
    return number


def _orders(model: Model, n: int, batch_size: int, steps: int) -> Iterator[NDArray[np.int64]]:
    """Yield which samples the steps of each point take: whole batches, epoch after epoch from the network's next."""
    epoch, left = model.epoch, np.empty(0, np.int64)
    need = batch_size * steps
    while True:
        while len(left) < need:
            epoch += 1
            order: Array = model.epoch_order(n, epoch, shuffle=True)
            left = np.concatenate([left, order[: n // batch_size * batch_size]])
        yield left[:need]
        left = left[need:]
