"""Languages of titles: how many titles of English talks and stories are identified as another language.

python benchmarks/languages.py [--titles FILE ...] [--out FILE.json]

A file has a record a line, with a `title` or a `text` (default: the shared talks, and titles of lobste.rs).
By number of letters: titles, those that are identified as another language than English, and those that would
be without the bound on Latin letters (`models.languages.identification.MIN_LATIN`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import describe
from benchmarks.outcome import told
from benchmarks.topics import streams
from models.languages import identification

WIDTH, LAST = 10, 50
"""Letters in a class, and where the last class begins."""


def titles_of(paths: Iterable[Path]) -> list[str]:
    """Return the different titles of records.

    Raises:
        DataError: a file cannot be read.
    """
    found: dict[str, None] = {}
    for path in paths:
        with streams.lines(path) as records:
            for line in records:
                record = json.loads(line)
                found[record.get("title") or record["text"]] = None
    return list(found)


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return every figure."""
    paths = arguments.titles or [
        *sorted((streams.data_folder() / "talks").glob("*.jsonl.gz")),
        streams.data_file("labelled/lobsters_titles.jsonl.gz"),
    ]
    counts: dict[str, Counter[int]] = {name: Counter() for name in ("titles", "other", "unbounded")}
    for title in titles_of(paths):
        letters = min(sum(map(str.isalpha, title)) // WIDTH * WIDTH, LAST)
        counts["titles"][letters] += 1
        counts["other"][letters] += _is_other(title)
        with patch.object(identification, "MIN_LATIN", 0):
            counts["unbounded"][letters] += _is_other(title)
    return {
        "machine": describe(),
        "by_letters": {name: dict(sorted(of.items())) for name, of in counts.items()},
    }


def _is_other(title: str) -> bool:
    return identification.identify(title)[0] not in (None, "en")


def show(result: Mapping[str, Any]) -> None:
    """Print the table."""
    counts = result["by_letters"]
    print(f"{'letters':>8} {'titles':>8} {'another language':>17} {'without the bound':>18}")
    for letters, titles in counts["titles"].items():
        print(f"{letters:>7}+ {titles:>8} {counts['other'][letters]:>17} {counts['unbounded'][letters]:>18}")
    total = {name: sum(of.values()) for name, of in counts.items()}
    print(f"{'all':>8} {total['titles']:>8} {total['other']:>17} {total['unbounded']:>18}")


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--titles", type=Path, nargs="+", help="files of records with titles")
    parser.add_argument("--out", type=Path, help="write every figure here, as JSON")
    arguments = parser.parse_args()
    return told(lambda: measure(arguments), show, arguments.out)


if __name__ == "__main__":
    raise SystemExit(main())
