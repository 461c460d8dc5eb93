"""Shared command line of the benchmarks that run on one labelled stream after the other."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.topics import streams
from models.errors import BadInput
from models.topics import TopicSettings
from streams.errors import DataError

STREAMS = ("optech_newsletter_items", "pyvideo_talk_abstracts", "lobsters_titles")
LIMIT = 20_000
"""Records of a stream at most, oldest first."""
SPLIT = (
    "settings were tuned on the first half of optech_newsletter_items by date, pyvideo_talk_abstracts before "
    "2018 and Practical AI; `late` of the first, the rest of the second and all other streams are the rest"
)
Measure = Callable[[Path, TopicSettings, argparse.Namespace], dict[str, Any]]


def parser(description: str) -> argparse.ArgumentParser:
    """Return the options that all have."""
    made = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--stream", type=Path, action="append", help="a stream; may come several times")
    made.add_argument("--limit", type=int, default=LIMIT, help=f"records of a stream at most ({LIMIT})")
    made.add_argument("--out", type=Path, help="write the results to this file as JSON")
    return made


def run(arguments: argparse.Namespace, measure: Measure, show: Callable[[dict[str, Any]], None]) -> int:
    """Measure each stream, show it, and write what there is so far; return the exit code."""
    settings, results = TopicSettings(), []
    try:
        files = arguments.stream or [streams.data_file(f"labelled/{name}.jsonl.gz") for name in STREAMS]
        for path in files:
            results.append(measure(path, settings, arguments))
            show(results[-1])
            if arguments.out:
                report = {"machine": describe(), "settings": asdict(settings), "split": SPLIT}
                text = json.dumps({**report, "streams": results}, indent=1)
                arguments.out.write_text(text + "\n", encoding="utf-8")
    except (BadInput, DataError, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    return 0
