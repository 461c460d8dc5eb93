"""The repository's root on sys.path (infra/ is no installed package), and free ports."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import processes

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture(scope="session")
def repository() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a function that picks a free port on 127.0.0.1."""
    return processes.free_port
