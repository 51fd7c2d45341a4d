"""Health while a network trains: a callback of `Network.fit` that looks as often as costs little."""

from __future__ import annotations

import time
from typing import Any

from numpy.typing import ArrayLike

from deltaprop.inspection.health.prepared import Prepared
from deltaprop.inspection.health.report import HealthReport, health
from deltaprop.real_numbers import real_number
from deltaprop.terminal import say

_OF_SAMPLES = ("sample_weight", "class_weight", "inputs", "outputs")  # of the arguments


class HealthCheck:
    """A callback that looks for what keeps a network from learning, after an epoch now and then.

    It looks after the first epoch, and again when so much time has passed that with one more its looks take no more
    than ``most`` of all. What it finds is said once, as it is found, and kept. X and R it reads at the first look.

    Parameters
    ----------
    X, R : array-like
        Samples, as of `Network.health`.
    most : float, default 0.02
        The share of the time that its looks may take; 1 is a look after every epoch.
    stop : bool, default False
        Whether to stop the training at the first finding.
    verbose : bool, default True
        Whether to say on standard error what is found.
    **arguments
        The others of `Network.health`.

    Attributes
    ----------
    reports : list of (int, HealthReport)
        Each look: the epoch, and what was found.

    Examples
    --------
    >>> import numpy as np
    >>> from deltaprop import HealthCheck, Network
    >>> X = np.random.default_rng(0).normal(size=(200, 2)) * 1e4
    >>> watch = HealthCheck(X, X[:, 0] > 0, verbose=False)
    >>> history = Network([2, 4, 1]).fit(X, X[:, 0] > 0, epochs=2, callbacks=[watch])
    >>> watch.reports[0][1].findings[0].kind
    'inputs'
    """

    def __init__(
        self,
        X: ArrayLike,
        R: ArrayLike,
        *,
        most: float = 0.02,
        stop: bool = False,
        verbose: bool = True,
        **arguments: Any,
    ) -> None:
        self.most = real_number(most, "most", where="HealthCheck")
        if not 0 < self.most <= 1:
            raise ValueError(f"HealthCheck: most needs to be above 0 and at most 1; got {most!r}.")
        self.reports: list[tuple[int, HealthReport]] = []
        self._samples: tuple[Any, Any] = (X, R)
        self._prepared: Prepared | None = None
        self._arguments, self._stop, self._verbose = arguments, stop, verbose
        self._known: set[tuple[str, int | None]] = set()
        self._began: float | None = None
        self._spent = self._last = 0.0

    def on_epoch(self, now: Any) -> bool:
        """Look, if it is time; return whether the training is to stop."""
        began = time.perf_counter()
        if self._began is None:
            self._began = began
        elif self.most < 1 and self._spent + self._last > self.most * (began - self._began):
            return False
        if self._prepared is None or not self._prepared.serves(now.model):
            own = {name: self._arguments[name] for name in _OF_SAMPLES if name in self._arguments}
            self._prepared = Prepared(now.model, *self._samples, **own)
        report = health(now.model, self._prepared, None, **self._arguments)
        self._last = time.perf_counter() - began
        self._spent += self._last
        self.reports.append((now.epoch, report))
        new = [finding for finding in report.findings if (finding.kind, finding.layer) not in self._known]
        self._known |= {(finding.kind, finding.layer) for finding in new}
        for finding in new if self._verbose else ():
            say(f"epoch {now.epoch}: {finding}")
        return self._stop and bool(report.findings)
