"""The schedules there are: η over the course of a training run, one declaration each."""

from __future__ import annotations

import math
from collections.abc import Mapping

from deltaprop.descent.schedules.declaration import At, Schedule
from deltaprop.functions import Parameter


def _share(m: float, M: float) -> float:
    return min(m / M, 1.0)


def _step(p: Mapping[str, float], m: float, M: float) -> float:
    return float(p["eta"] * p["factor"] ** _whole(m / p["every"]))


def _whole(x: float) -> int:
    """Return how often something has come round, where rounding may have left it just below."""
    return math.floor(min(x, 1e15) * (1 + 1e-12) + 1e-12)


def _polynomial(p: Mapping[str, float], m: float, M: float) -> float:
    return float(p["last"] + (p["eta"] - p["last"]) * (1 - _share(m, M)) ** p["power"])


def _cosine(p: Mapping[str, float], m: float, M: float) -> float:
    return _half_wave(p["eta"], p["last"], _share(m, M))


def _half_wave(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _cosine_restarts(p: Mapping[str, float], m: float, M: float) -> float:
    periods, more = min(m / p["period"], 1e15), min(p["stretch"] - 1, 1e15)
    if more == 0:
        return _half_wave(p["eta"], p["last"], max(periods - _whole(periods), 0.0))
    k = _whole(math.log1p(periods * more) / math.log1p(more))  # before: Σ stretchʲ, j < k
    before, now = math.expm1(k * math.log1p(more)) / more, (1 + more) ** k
    return _half_wave(p["eta"], p["last"], min(max((periods - before) / now, 0.0), 1.0))


def _one_cycle(p: Mapping[str, float], m: float, M: float) -> float:
    share = _share(m, M)
    if share < p["rise"]:
        return _half_wave(p["eta"] / p["start"], p["eta"], share / p["rise"])
    return _half_wave(p["eta"], p["eta"] / p["start"] / p["end"], (share - p["rise"]) / (1 - p["rise"]))


def _flat_cos(p: Mapping[str, float], m: float, M: float) -> float:
    fallen = (_share(m, M) - p["flat"]) / (1 - p["flat"])
    return p["eta"] if fallen < 0 else _half_wave(p["eta"], 0.0, fallen)


_ETA = Parameter("eta", math.nan, 0.0, whose="the optimizer's")
_WARMUP = Parameter("warmup", 0.0, 0.0)
_LAST = Parameter("last", 0.0, 0.0)


def _factor(default: float) -> Parameter:
    return Parameter("factor", default, 0.0, 1.0, open_low=True)


def _schedule(name: str, formula: str, at: At, *own: Parameter, source: str = "") -> Schedule:
    return Schedule(name, formula, parameters=(_ETA, *own, _WARMUP), at=at, source=source)


SCHEDULES = {
    entry.name: entry
    for entry in (
        _schedule("constant", "eta", lambda p, m, M: p["eta"]),
        _schedule(
            "step", "eta * factor**floor(m / every)", _step,
            _factor(0.5), Parameter("every", 10.0, 0.0, open_low=True),
        ),
        _schedule(
            "exponential", "eta * factor**m", lambda p, m, M: p["eta"] * p["factor"] ** m, _factor(0.95)
        ),
        _schedule(
            "linear", "eta + (last - eta) * m / M", lambda p, m, M: _polynomial({**p, "power": 1.0}, m, M), _LAST
        ),
        _schedule(
            "polynomial", "last + (eta - last) * (1 - m / M)**power", _polynomial,
            Parameter("power", 2.0, 0.0, open_low=True), _LAST,
        ),
        _schedule(
            "invscaling", "eta / (m + 1)**power", lambda p, m, M: p["eta"] / (m + 1) ** p["power"],
            Parameter("power", 0.5, 0.0), source="scikit-learn, MLPClassifier(learning_rate='invscaling')",
        ),
        _schedule(
            "cosine", "last + (eta - last) * (1 + cos(pi * m / M)) / 2", _cosine, _LAST,
            source="Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017",
        ),
        _schedule(
            "cosine_restarts", "cosine over period epochs, then over stretch times as many, and so on",
            _cosine_restarts, Parameter("period", 10.0, 0.0, open_low=True), Parameter("stretch", 2.0, 1.0), _LAST,
            source="Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017",
        ),
        _schedule(
            "one_cycle",
            "from eta / start up to eta in the share rise of M, then down to eta / start / end, by half cosines",
            _one_cycle, Parameter("rise", 0.3, 0.0, 1.0, open_low=True, open_high=True), Parameter("start", 25.0, 1.0),
            Parameter("end", 1e4, 1.0),
            source="Smith and Topin, Super-convergence: very fast training of neural networks using large learning "
            "rates, 2018; the curve of PyTorch's OneCycleLR, over m / M of the run and not over its steps less one",
        ),
        _schedule(
            "coslog4", "eta * (1 - cos(2 * pi * log2(1 + 15 * m / M))) / 2",
            lambda p, m, M: p["eta"] * (1 - math.cos(2 * math.pi * math.log2(1 + 15 * _share(m, M)))) / 2,
            source="Holzmüller, Grinsztajn, Steinwart, Better by default: strong pre-tuned MLPs, NeurIPS 2024",
        ),
        _schedule(
            "flat_cos", "eta in the share flat of M, then to 0 by half a cosine", _flat_cos,
            Parameter("flat", 0.75, 0.0, 1.0, open_high=True),
        ),
        _schedule(
            "plateau", "eta * factor**k, k the times that patience epochs brought no lower E",
            lambda p, m, M: p["eta"], _factor(0.5), Parameter("patience", 5.0, 1.0, whole=True),
            Parameter("least", 0.0, 0.0),
        ),
    )
}  # fmt: skip
