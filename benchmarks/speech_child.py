"""A speech system in a process of its own: it hears one recording after another and measures itself.

Standard library only, because another environment's Python may run it (whisperX).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

Options = dict[str, Any]
Hear = Callable[[str], dict[str, Any]]


def serve(begin: Callable[[Options], Hear]) -> None:
    """Read options, then paths, one JSON a line; answer each with what was heard, and what that took.

    `begin` loads the models and returns what hears a recording: its `words` (start, end, text, speaker) and
    `turns` (start, end, speaker). What libraries print goes to standard error.
    """
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    hear: Hear | None = None
    for line in sys.stdin:
        _forget_peak()
        began, spent = time.perf_counter(), time.process_time()
        try:
            request = json.loads(line)
            if hear is None:
                hear = begin(request)
                answer: dict[str, Any] = {}
            else:
                answer = hear(request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        answer["wall_s"], answer["cpu_s"] = time.perf_counter() - began, time.process_time() - spent
        answer["peak_mb"] = _peak_mb()
        print(json.dumps(answer), file=answers)


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak_mb() -> float:
    """Return the most memory held since `_forget_peak`, or since the start where Linux does not say."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
