"""The repository's root on sys.path (infra/ is no installed package), and the models that studies share."""

import sys
from pathlib import Path

import platformdirs
import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="session", autouse=True)
def assembled_models() -> None:
    """Assemble the models before the first kill, so that it hits a worker at its work."""
    from models.bundled_models import prepare

    prepare(platformdirs.user_cache_path("groundswell") / "models")
