"""Real data for tests: third-party recordings and transcripts, which are not part of the project."""

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("GROUNDSWELL_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
"""A folder beside the repository (`../shared/data`), unless the environment names another one."""


def shared(path: str | Path) -> Path:
    """Return the path of a file or folder of the real data; skip the test if it does not exist."""
    found = ROOT / path
    if not found.exists():
        pytest.skip(
            f"real data missing: {path} is not in {ROOT} (GROUNDSWELL_TEST_DATA may name another folder)"
        )
    return found
