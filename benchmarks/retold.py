"""A large study of real talks: told again under other ids and later dates until there are enough.

What a paragraph is about is drawn: 200 topics in the codebook's and 32 more themes, a few frequent, most
rare, and a talk comes back to the same few.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from datetime import timedelta

from benchmarks.topics import streams
from models.codebook.codebook import load
from streams import events as e
from streams.store import writer
from streams.store.warehouse import Warehouse

MODEL, TRANSCRIPT = "drawn", "drawn-1"
TOPICS, THEMES, OF_TALK = 200, 32, 5
BLOCK = 100
"""Talks written at a time."""
AGAIN = timedelta(days=13)
"""So much later a talk is told again, and once more."""
BEYOND = 10_000_000
"""Number of the first talk that is stored while the study is read."""


def told(videos: list[streams.Video], paragraphs: int) -> Iterator[tuple[int, str, streams.Video, timedelta]]:
    """Yield (number, id, talk, how much later) until there are so many paragraphs."""
    count, number = 0, 0
    for turn in itertools.count():
        for video in videos:
            if count >= paragraphs:
                return
            yield number, f"{video.video_id}~{turn}" if turn else video.video_id, video, turn * AGAIN
            count += len(video.texts)
            number += 1


def write(warehouse: Warehouse, videos: list[streams.Video], paragraphs: int) -> dict[str, int]:
    """Fill an empty study; return how much it holds."""
    warehouse.migrate()
    named = load("llm-in-production").topics
    born = (
        e.TopicBorn(
            model_version=MODEL,
            topic_id=number,
            sequence=0,
            label=named[number - 1].name if number <= len(named) else f"Subject {number}",
            words=tuple((f"word{number}_{rank}", 1 / (rank + 1)) for rank in range(10)),
            origin="seeded",
            theme=named[number - 1].theme if number <= len(named) else f"Theme {number % THEMES}",
        )
        for number in range(1, TOPICS + 1)
    )
    writer.write(warehouse, (row for event in born for row in writer.rows_of(event)))
    held = {"talks": 0, "paragraphs": 0}
    rows: list[tuple[str, writer.Columns]] = []
    for number, video_id, video, later in told(videos, paragraphs):
        rows += _talk(number, video_id, video, later)
        held = {"talks": number + 1, "paragraphs": held["paragraphs"] + len(video.texts)}
        if number % BLOCK == BLOCK - 1:
            writer.write(warehouse, rows)
            rows = []
    writer.write(warehouse, rows)
    return held


def tell_again(warehouse: Warehouse, video: streams.Video, time: int) -> None:
    """Store a talk once more, as a new one; `time`: another number each time."""
    writer.write(warehouse, _talk(BEYOND + time, f"{video.video_id}~{BEYOND + time}", video, timedelta()))


def _talk(
    number: int, video_id: str, video: streams.Video, later: timedelta
) -> Iterator[tuple[str, writer.Columns]]:
    draw = random.Random(number)
    about = [1 + int(TOPICS * draw.random() ** 2) for _ in range(OF_TALK)]
    published_at = video.published_at + later
    of = e.Video(
        video_id=video_id,
        title=video.title,
        show=video.source,
        url=f"https://www.youtube.com/watch?v={number:011}",
        published_at=published_at,
        duration_s=video.starts[-1] + 60,
        language="en",
        speakers=(f"Speaker {number % 300}",),
    )
    ids = [e.paragraph_id(video_id, TRANSCRIPT, position) for position in range(len(video.texts))]
    yield from writer.rows_of(
        e.VideoSeen(
            video=of,
            sighting=e.Sighting(source_id=video.source, kind="file", seen_at=published_at),
        )
    )
    yield from writer.rows_of(e.VideoAccepted(video=of))
    yield from writer.rows_of(
        e.TranscriptReady(
            video=of,
            transcript=e.Blob(key=f"transcripts/{number}", sha256="0" * 64, size=1),
            transcript_version=TRANSCRIPT,
            language="en",
            duration_s=of.duration_s or 0.0,
            words=sum(len(text.split()) for text in video.texts),
            speakers=1,
        )
    )
    ends = (*video.starts[1:], video.starts[-1] + 60)
    for position, name in enumerate(ids):
        yield writer.paragraph_row(
            video_id,
            TRANSCRIPT,
            position,
            paragraph_id=name,
            start_s=video.starts[position],
            end_s=ends[position],
            text=video.texts[position],
            speakers=list(of.speakers),
            tokens=200,
        )
    yield from writer.rows_of(
        e.ParagraphsAssigned(
            video=of,
            video_index=number,
            model_version=MODEL,
            transcript_version=TRANSCRIPT,
            sequence=number + 1,
            assignments=tuple(
                e.AssignedParagraph(
                    paragraph_id=name,
                    topic_id=draw.choice(about) if draw.random() < 0.8 else None,
                    probability=round(draw.random(), 3),
                )
                for name in ids
            ),
        )
    )


def longest_talk(warehouse: Warehouse) -> str:
    """Return the id of the talk with the most paragraphs."""
    rows = warehouse.rows(
        "SELECT video_id FROM paragraphs FINAL GROUP BY video_id ORDER BY count() DESC, video_id LIMIT 1"
    )
    return str(rows[0]["video_id"])
