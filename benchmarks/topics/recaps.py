"""Labels of newsletter recaps: the index entries of the items that a recap goes through.

A section of the talk bears the title of the newsletter's item that it is about, and both are by the same
people; the newsletter's topic pages say what each item belongs to. It comes out some days before its recap.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from benchmarks.topics.streams import Video, lines

BEFORE, AFTER = timedelta(days=3), timedelta(days=21)
"""An item is meant if it came out at most so long after the talk, or before it."""


def tagged(videos: list[Video], talks: Path, items: Path) -> list[Video]:
    """Return talks with the entries of the items that their sections are named after; tags stay.

    Args:
        videos: as read from `talks`.
        talks: a file of talks whose paragraphs say their section.
        items: a file of items {title, published_at, labels}.

    Raises:
        DataError: a file cannot be read.
    """
    entries: dict[str, list[tuple[date, list[str]]]] = defaultdict(list)
    for item in _records(items):
        if item.get("title"):
            entries[_key(item["title"])].append((_day(item), item.get("labels") or []))
    tags: dict[str, dict[str, None]] = {}
    for talk in _records(talks):
        day, found = _day(talk), tags.setdefault(talk["id"], {})
        for section in {part.get("section"): None for part in talk.get("segments") or ()}:
            for published, labels in entries.get(_key(section or ""), ()):
                if published - BEFORE <= day <= published + AFTER:
                    found |= dict.fromkeys(labels)
    return [
        video if video.labels else replace(video, labels=tuple(tags.get(video.video_id, ())))
        for video in videos
    ]


def _key(title: str) -> str:
    return " ".join(title.casefold().split())


def _day(record: dict[str, Any]) -> date:
    return date.fromisoformat(record["published_at"][:10])


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with lines(path) as file:
        yield from map(json.loads, file)
