"""What the tests share: every instruction set of the machine, the folder of real data."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deltaprop import _engine


@pytest.fixture(params=_engine.config()["instruction_sets"])
def instruction_set(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run the test once with each set of kernels that this machine has."""
    _engine.use_instruction_set(request.param)
    yield request.param
    _engine.use_instruction_set("")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data, outside the project."""
    folder = os.environ.get("DELTAPROP_DATA")
    if not folder:
        pytest.skip("DELTAPROP_DATA, the folder of real data, is not set")
    return Path(folder)


@pytest.fixture(scope="session")
def examples() -> Path:
    return Path(__file__).parent.parent / "examples"
