"""Speed of the study's queries, and of storing talks, by size of the study.

python benchmarks/warehouse.py [--assignments 1000000 10000000] [--calls 20] [--keep FOLDER] [--out FILE.json]

For each size a study is made up in the embedded engine: talks of 24 paragraphs over 96 months, 500 topics in
40 themes (a few are frequent, most are rare), 200 channels. Then, in this order:

- `insert`: events of talks as the store agent writes them, in blocks, into that database: paragraphs a
  second;
- each read function, called with other periods, topics and channels each time: p50 and p95 in ms, and p95
  of the processor time, which says more than the clock on a machine that has other work;
- the same from the assignments themselves, as one would write it at first, and from bitmaps of each month's
  and topic's videos, which would have to be kept in step. Absolute times depend on the machine.

Goal: p95 below 100 ms for every view at 10 million assignments, below 1 s at 100 million.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from agents.queries import registry
from benchmarks.machine import describe
from streams import events as e
from streams.settings import Settings
from streams.store import writer
from streams.store.queries import prevalence
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rollups import measure_all
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse

MODEL, TRANSCRIPT = "made-up", "made-up-1"
MONTHS, TOPICS, THEMES, CHANNELS, PARAGRAPHS = 96, 500, 40, 200, 24
FIRST = datetime(2018, 1, 1, tzinfo=UTC)
BLOCK, BLOCKS = 20, 5
"""Talks a block, and blocks, of the insert rate."""
ROUNDS = 5
"""So often each way is timed, in turn."""

_VIDEO = "lower(hex(sipHash64(talk)))"
_PARAGRAPH = f"lower(hex(MD5(concat(toString(talk), '-', toString(number % {PARAGRAPHS})))))"
_MONTH = f"addMonths(toDate('2018-01-01'), toUInt16(talk * {MONTHS} / {{talks:UInt32}}))"
_TOPIC = f"""if(cityHash64(number, 1) % 5 = 0, 0,
    toUInt32(1 + floor({TOPICS} * pow((cityHash64(talk, cityHash64(number, 2) % 4) % 1000000) / 1e6, 2))))"""
"""A talk comes back to the same few topics; one paragraph in five has none."""

_FACTS = (
    f"""
    INSERT INTO videos (video_id, title, channel, show, url, published_at, language, speakers, completeness)
    SELECT {_VIDEO}, concat('Talk ', toString(talk)),
           concat('Channel ', toString(cityHash64(talk) % {CHANNELS})), '',
           'https://example.org/', toDateTime64({_MONTH}, 3, 'UTC'), 'en', ['Ann'], 2
    FROM (SELECT number AS talk FROM numbers({{talks:UInt32}}))
    """,
    f"""
    INSERT INTO paragraphs
    SELECT {_VIDEO}, '{TRANSCRIPT}', number % {PARAGRAPHS}, {_PARAGRAPH}, 90 * (number % {PARAGRAPHS}),
           90 * (number % {PARAGRAPHS} + 1), concat('What was said in paragraph ', toString(number)),
           ['Ann'], 200
    FROM (SELECT number, intDiv(number, {PARAGRAPHS}) AS talk FROM numbers({{talks:UInt32}} * {PARAGRAPHS}))
    """,
    f"""
    INSERT INTO assignments
    SELECT '{MODEL}', {_VIDEO}, {_PARAGRAPH}, talk, {_MONTH}, {_TOPIC},
           (cityHash64(number, 3) % 1000) / 1000, 0, talk
    FROM (SELECT number, intDiv(number, {PARAGRAPHS}) AS talk FROM numbers({{talks:UInt32}} * {PARAGRAPHS}))
    """,
    f"""
    INSERT INTO learned
    SELECT '{MODEL}', {_VIDEO}, '{TRANSCRIPT}', {_MONTH}, talk
    FROM (SELECT number AS talk FROM numbers({{talks:UInt32}}))
    """,
)
_PLAIN = f"""
    SELECT toStartOfMonth(v.published_at) AS month, c.theme AS theme, uniqExact(a.video_id) AS videos
    FROM (
        SELECT video_id, topic_id FROM assignments FINAL WHERE model_version = '{MODEL}' AND topic_id > 0
    ) AS a
    INNER JOIN (SELECT topic_id, theme FROM codebook_entries FINAL WHERE model_version = '{MODEL}') AS c
        ON c.topic_id = a.topic_id
    INNER JOIN (SELECT video_id, published_at FROM videos FINAL) AS v ON v.video_id = a.video_id
    GROUP BY month, theme
"""

_BITMAPS = """
    CREATE OR REPLACE TABLE bitmaps ENGINE = MergeTree ORDER BY (month, topic_id) AS
    SELECT toStartOfMonth(published_on) AS month, topic_id, groupBitmapState(toUInt32(number)) AS videos
    FROM (SELECT published_on, topics.id AS ids, rowNumberInAllBlocks() AS number FROM video_topics FINAL)
    ARRAY JOIN ids AS topic_id GROUP BY month, topic_id
"""
_MERGED = f"""
    SELECT {{by}}, groupBitmapMerge(videos) AS videos
    FROM bitmaps AS b
    INNER JOIN (SELECT topic_id, theme FROM codebook_entries FINAL WHERE model_version = '{MODEL}') AS c
        ON c.topic_id = b.topic_id
    GROUP BY {{by}}
"""


def make_up(warehouse: Warehouse, talks: int) -> dict[str, float]:
    """Fill an empty study; return the seconds that the parts took."""
    warehouse.migrate()
    born = (
        e.TopicBorn(
            model_version=MODEL,
            topic_id=number,
            sequence=0,
            label=f"Topic {number}",
            words=(("word", 1.0),),
            origin="seeded",
            theme=f"Theme {number % THEMES}",
        )
        for number in range(1, TOPICS + 1)
    )
    writer.write(warehouse, (row for event in born for row in writer.rows_of(event)))
    begun = time.perf_counter()
    for statement in _FACTS:
        warehouse.command(statement, talks=talks)
    made = time.perf_counter()
    measure_all(warehouse)
    return {"facts_s": made - begun, "measured_s": time.perf_counter() - made}


def insert(warehouse: Warehouse, talks: int) -> float:
    """Write talks as the store agent does; return paragraphs a second."""
    warehouse.warm_up()
    begun = time.perf_counter()
    for block in range(BLOCKS):
        rows = [row for number in range(BLOCK) for row in talk_rows(talks + block * BLOCK + number)]
        writer.write(warehouse, rows)
    return BLOCKS * BLOCK * PARAGRAPHS / (time.perf_counter() - begun)


def talk_rows(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a made-up talk, by table."""
    video = e.Video(video_id=f"new-{number}", title=f"New {number}", channel="Channel 1", published_at=FIRST)
    ids = [e.paragraph_id(video.video_id, TRANSCRIPT, position) for position in range(PARAGRAPHS)]
    yield from writer.rows_of(e.VideoAccepted(video=video))
    for position, name in enumerate(ids):
        about = {
            "start_s": 90.0 * position,
            "end_s": 90.0 * (position + 1),
            "text": "said",
            "speakers": ["Ann"],
        }
        yield writer.paragraph_row(
            video.video_id, TRANSCRIPT, position, paragraph_id=name, **about, tokens=200
        )
    yield from writer.rows_of(
        e.ParagraphsAssigned(
            video=video,
            video_index=number,
            model_version=MODEL,
            transcript_version=TRANSCRIPT,
            sequence=number,
            assignments=tuple(
                e.AssignedParagraph(paragraph_id=name, topic_id=1 + (number + at) % TOPICS, probability=0.5)
                for at, name in enumerate(ids)
            ),
        )
    )


def asked(seed: int) -> Iterator[Selection]:
    """Yield what is asked for: everything, then periods and channels at random."""
    draw = random.Random(seed)
    yield EVERYTHING
    while True:
        first = draw.randrange(MONTHS)
        last = draw.randrange(first, MONTHS)
        channel = f"Channel {draw.randrange(CHANNELS)}" if draw.random() < 1 / 3 else ""
        yield Selection(_month(first), _month(last), channel=channel)


def _month(number: int) -> str:
    return f"{FIRST.year + number // 12}-{number % 12 + 1:02}"


def read_functions() -> dict[str, Callable[[Warehouse, Selection, random.Random], Any]]:
    """Return the queries that are timed, by name."""
    return {
        "prevalence": lambda w, selected, _: registry.prevalence(w, selected),
        "themes": lambda w, selected, _: registry.themes(w, selected),
        "topics": lambda w, selected, _: registry.topics(w, selected),
        "topic_months": lambda w, selected, _: registry.topic_months(w, selected),
        "months": lambda w, selected, _: prevalence.months(w, selected),
        "cooccurrence": lambda w, selected, _: prevalence.cooccurrence(w, selected),
        "topic": lambda w, _, draw: registry.topic(w, draw.randint(1, TOPICS)),
        "videos": lambda w, selected, draw: prevalence.videos(w, draw.randint(1, TOPICS), None, selected),
        "quotes": lambda w, selected, draw: talk_queries.quotes(
            w, draw.randint(1, TOPICS), 3, False, selected
        ),
    }


def timed(warehouse: Warehouse, calls: int) -> dict[str, dict[str, float]]:
    """Call each read function after one warm-up call; return p50 and p95, and of processor time, in ms."""
    found = {}
    for name, function in read_functions().items():
        draw, took, worked = random.Random(1), [], []
        for number, selected in zip(range(calls + 1), asked(7), strict=False):
            begun, work = time.perf_counter(), time.process_time()
            function(warehouse, selected, draw)
            if number:
                took.append(1000 * (time.perf_counter() - begun))
                worked.append(1000 * (time.process_time() - work))
        found[name] = {
            "p50_ms": float(np.percentile(took, 50)),
            "p95_ms": float(np.percentile(took, 95)),
            "processor_p95_ms": float(np.percentile(worked, 95)),
        }
    return found


def other_ways(warehouse: Warehouse) -> dict[str, dict[str, float]]:
    """Time themes by month and all topics our way, from the assignments, and from bitmaps, alternately.

    The bitmaps are those of each month's and topic's videos, made before and as they would have to be kept.

    Returns:
        Of each question, medians in milliseconds by way.
    """
    warehouse.command(_BITMAPS)
    ways: dict[str, dict[str, Callable[[], Any]]] = {
        "themes by month": {
            "ours_ms": lambda: prevalence.prevalence(warehouse),
            "assignments_ms": lambda: warehouse.rows(_PLAIN),
            "bitmaps_ms": lambda: warehouse.rows(_MERGED.format(by="month, theme")),
        },
        "all topics": {
            "ours_ms": lambda: prevalence.topics(warehouse),
            "bitmaps_ms": lambda: warehouse.rows(_MERGED.format(by="topic_id")),
        },
    }
    found = {}
    for question, asked_ways in ways.items():
        took: dict[str, list[float]] = {way: [] for way in asked_ways}
        for _ in range(ROUNDS):
            for way, function in asked_ways.items():
                begun = time.perf_counter()
                function()
                took[way].append(1000 * (time.perf_counter() - begun))
        found[question] = {way: float(np.median(times)) for way, times in took.items()}
    return found


def run(assignments: int, calls: int, keep: Path | None = None) -> dict[str, Any]:
    """Measure one size in a database of its own; one that was kept in a folder is not made up again."""
    talks = max(1, assignments // PARAGRAPHS)
    with ExitStack() as stack:
        home = keep / str(assignments) if keep else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        made = home / "made-up.json"
        warehouse = stack.enter_context(Warehouse(Settings(home=home)))
        if not made.exists():
            home.mkdir(parents=True, exist_ok=True)
            made.write_text(json.dumps(make_up(warehouse, talks)), encoding="utf-8")
        result: dict[str, Any] = {"assignments": talks * PARAGRAPHS, "talks": talks}
        result |= json.loads(made.read_text(encoding="utf-8"))
        result["counted"] = sum(row["of_videos"] for row in prevalence.months(warehouse))
        result["insert_paragraphs_per_s"] = insert(warehouse, talks)
        result["views"] = timed(warehouse, calls)
        result["other_ways"] = other_ways(warehouse)
    return result


def show(result: dict[str, Any]) -> None:
    """Print one size."""
    print(
        f"\n{result['assignments']:,} assignments, {result['talks']:,} talks, "
        f"{result['counted']:,} of them with a topic"
    )
    print(f"insert        {result['insert_paragraphs_per_s']:,.0f} paragraphs/s")
    for name, times in result["views"].items():
        print(
            f"{name:13} p50 {times['p50_ms']:7.0f} ms   p95 {times['p95_ms']:7.0f} ms"
            f"   of the processors p95 {times['processor_p95_ms']:7.0f} ms"
        )
    for question, ways in result["other_ways"].items():
        print(f"{question}: " + ", ".join(f"{way} {times:.0f}" for way, times in ways.items()), flush=True)


def main() -> int:
    """Measure each size, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--assignments",
        type=int,
        nargs="+",
        default=[1_000_000, 10_000_000],
        help="sizes; 100000000 takes an hour",
    )
    parser.add_argument("--calls", type=int, default=20, help="calls of each read function (20)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the databases, to measure again")
    parser.add_argument("--out", type=Path, help="write the results to this file as JSON")
    arguments = parser.parse_args()
    results = []
    for size in arguments.assignments:
        results.append(run(size, arguments.calls, arguments.keep))
        show(results[-1])
        if arguments.out:
            report = {"machine": describe(), "sizes": results}
            arguments.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
