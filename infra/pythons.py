"""Supported Pythons on this machine: on PATH, and among pyenv's versions.

python3 infra/pythons.py    print the path of each, one per line; report missing ones on stderr
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from bootstrap import NEWEST, OLDEST


def main() -> int:
    """Print the supported Pythons; return 1 if there is none."""
    found = {minor: find(minor) for minor in range(OLDEST[1], NEWEST[1] + 1)}
    for minor, python in found.items():
        print(python) if python else print(f"Python 3.{minor}: not found here", file=sys.stderr)
    return 0 if any(found.values()) else 1


def find(minor: int) -> str | None:
    """Return the path of a working Python 3 of this minor version, or None."""
    return next((str(python) for python in _candidates(minor) if _is(python, minor)), None)


def _candidates(minor: int) -> Iterator[Path]:
    name = f"python3.{minor}"
    if found := shutil.which(name):
        yield Path(found)
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted((pyenv / "versions").glob(f"3.{minor}.*/bin/{name}"))


def _is(python: Path, minor: int) -> bool:
    """Return whether this program runs as that Python; a pyenv shim may exist without its Python."""
    asked = (str(python), "-c", "import sys; print(sys.version_info[1])")
    said = subprocess.run(asked, capture_output=True, text=True, check=False)
    return said.returncode == 0 and said.stdout.strip() == str(minor)


if __name__ == "__main__":
    sys.exit(main())
