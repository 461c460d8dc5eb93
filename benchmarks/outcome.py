"""The end of a benchmark: its tables and its file of figures, or why there are none."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streams.errors import Explained


def told(
    measure: Callable[[], dict[str, Any]], show: Callable[[dict[str, Any]], None], out: Path | None
) -> int:
    """Measure, print the tables, write every figure to `out` (JSON) if given, and return the exit code."""
    try:
        result = measure()
    except Explained as error:
        print(f"{error.cause}: {error.cure}", file=sys.stderr)
        return 1
    show(result)
    if out is not None:
        out.write_text(json.dumps(result, indent=1, default=str))
    return 0
