"""The repository's root on sys.path (infra/ is no installed package), and the models the workers share."""

import sys
from pathlib import Path

import platformdirs
import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="session")
def models() -> Path:
    from models.bundled_models import prepare

    folder = platformdirs.user_cache_path("groundswell") / "models"
    prepare(folder)
    return folder
