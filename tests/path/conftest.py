"""Studies in processes of their own, ended when a test is over."""

from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from tests.processes import Study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    home = tmp_path / "home"
    home.mkdir()
    # The packaged models are assembled once for all tests.
    models = platformdirs.user_cache_path("groundswell") / "models"
    models.mkdir(parents=True, exist_ok=True)
    (home / "models").symlink_to(models)
    study = Study(home)
    yield study
    study.end()
