"""A recap's labels are those of the newsletter items that its sections are named after."""

import gzip
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchmarks.topics.recaps import tagged
from benchmarks.topics.streams import Video
from streams.errors import DataError


def written(path: Path, records: Sequence[dict[str, Any]]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    return path


def item(title: str | None, day: str, *labels: str) -> dict[str, Any]:
    return {"title": title, "published_at": day, "labels": list(labels) or None}


def video(video_id: str, *labels: str) -> Video:
    return Video(
        video_id, datetime(2025, 2, 18, tzinfo=UTC), "show", "Recap", ("text",), (0.0,), None, labels
    )


def test_sections_lead_to_entries_of_the_newsletter_before(tmp_path: Path) -> None:
    items = [
        item("Cluster mempool: introduce TxGraph", "2025-02-14", "cluster mempool"),
        item("  cluster  mempool: introduce txgraph", "2025-02-14", "rbf"),
        item("Releases", "2025-02-14", "releases of now"),
        item("Releases", "2024-02-14", "releases of a year before"),
        item("Nobody speaks of it", "2025-02-14", "silence"),
        item("Without an entry", "2025-02-14"),
        item(None, "2025-02-14", "nameless"),
    ]
    sections = ["Cluster mempool: introduce TxGraph", "Releases", "Without an entry", "Not an item"]
    segments = [{"text": "x"}, *({"text": "x", "section": each} for each in sections)]
    talk = {"id": "a", "published_at": "2025-02-18", "segments": segments}
    found = tagged(
        [video("a"), video("tagged", "its own"), video("unknown")],
        written(tmp_path / "talks.jsonl.gz", [talk, talk | {"id": "tagged"}]),
        written(tmp_path / "items.jsonl.gz", items),
    )
    assert [set(each.labels) for each in found] == [
        {"cluster mempool", "rbf", "releases of now"},
        {"its own"},
        set(),
    ]


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "talks.jsonl.gz").write_text("not gzip")
    with pytest.raises(DataError, match=r"talks\.jsonl\.gz cannot be read"):
        tagged([], tmp_path / "talks.jsonl.gz", written(tmp_path / "items.jsonl.gz", []))
