"""Studies in processes of their own, ended when a test is over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import Study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    study = Study(tmp_path / "home")
    yield study
    study.end()
