"""Groundswell processes that outlive the one that starts them, and the errors in their logs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

DEMO = "demo"
"""Name of the study that `groundswell demo` makes."""
ERROR = "error: "
"""Beginning of the line with which a command says why it failed."""


def start_detached(
    command: Sequence[str], environment: Mapping[str, str], log: Path, *, append: bool = False
) -> subprocess.Popen[bytes]:
    """Start a groundswell command in a session of its own; its output goes to `log`, whose folder is made."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab" if append else "wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "agents.cli", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def last_error(log: Path) -> str:
    """Return the last error in a log, or an empty text."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.removeprefix(ERROR) for line in reversed(lines) if line.startswith(ERROR)), "")
