"""Here nothing may be skipped: what a test needs is installed, or the test fails."""

from collections.abc import Generator
from typing import Any

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    report = yield
    if report.skipped:
        report.outcome = "failed"
    return report
