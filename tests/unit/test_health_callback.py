"""Health as a callback of fit: how often it looks, what it keeps and says, whether it stops the training."""

from typing import Any

import numpy as np
import pytest

from deltaprop import HealthCheck, Network
from deltaprop.inspection.health import callback

X = np.random.default_rng(0).normal(size=(300, 4))
R = (X[:, 0] > 0).astype(float)


def test_it_looks_as_often_as_its_share_of_the_time_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock:
        now = 0.0

        @classmethod
        def perf_counter(cls) -> float:
            return cls.now

    def look(*_: Any, **__: Any) -> Any:
        Clock.now += 3.0  # seconds
        return original(net, X, R)

    original, net = callback.health, Network([4, 3, 1])
    monkeypatch.setattr(callback, "time", Clock)
    monkeypatch.setattr(callback, "health", look)
    watch = HealthCheck(X, R, most=0.1, verbose=False)
    looked = []
    for epoch in range(1, 201):
        Clock.now += 1.0
        before = len(watch.reports)
        watch.on_epoch(type("Now", (), {"model": net, "epoch": epoch}))
        looked += [epoch] * (len(watch.reports) - before)
    assert looked[0] == 1
    assert len(looked) * 3 <= 0.1 * Clock.now
    assert len(looked) >= 0.1 * Clock.now / 3 - 1
    assert [epoch for epoch, _ in watch.reports] == looked


def test_it_says_each_finding_once_and_may_stop(capsys: pytest.CaptureFixture[str]) -> None:
    wide = X * [1, 1, 1, 1e5]
    watch = HealthCheck(wide, R, most=1.0)
    history = Network([4, 5, 1]).fit(wide, R, epochs=4, eta=1e-3, callbacks=[watch])
    assert len(history) == 4
    err = capsys.readouterr().err
    assert err.count("inputs at the input") == 1
    assert err.startswith("epoch 1: ")
    stopped = Network([4, 5, 1]).fit(
        wide, R, epochs=4, eta=1e-3, callbacks=[HealthCheck(wide, R, stop=True, verbose=False)]
    )
    assert (len(stopped), stopped.stopped) == (1, "callback")


def test_a_healthy_run_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    watch = HealthCheck(X, R, most=1.0, stop=True, eta=0.1)
    nets = [Network([4, 5, 1]) for _ in range(2)]
    for net, callbacks in zip(nets, ([watch], None), strict=True):
        assert net.fit(X, R, epochs=15, callbacks=callbacks).stopped == "epochs"
    assert nets[0] == nets[1]
    assert watch.reports[-1][1].ok
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("most", [0, -1, 2, np.nan])
def test_a_share_that_is_none(most: float) -> None:
    with pytest.raises(ValueError, match="most needs to be above 0 and at most 1"):
        HealthCheck(X, R, most=most)
