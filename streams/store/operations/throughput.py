"""Queries of throughput: videos by stage, by time and by source, and the newest of everything.

The facts hold few moments: when a source first showed a video, when it was published, when something failed,
was raised or was decided. No fact says when a video was accepted, transcribed or assigned (that would differ
from one replay to the next), so these queries group work by when its videos were first seen. Prometheus has
what happens by the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from streams.store.codebook.effective import shown_model
from streams.store.rows.operations import (
    FailingSource,
    Freshness,
    LearnedLast,
    SeenSource,
    Source,
    SourceFailures,
    SourceYield,
    Stage,
    Throughput,
)
from streams.store.warehouse import Warehouse, typed

NEXT = {
    "seen": "screen",
    "accepted": "fetch",
    "fetched": "transcribe",
    "transcribed": "split",
    "split": "track",
    "rejected": None,
    "assigned": None,
}
"""The states of a video in order (`video_progress.STATES`), and the agent it waits for; None: finished."""

_SEEN = "(SELECT video_id, min(first_seen_at) AS seen_at FROM sightings GROUP BY video_id)"
"""When any source showed a video first. SQL."""
_OPEN = """(
    SELECT DISTINCT assumeNotNull(video_id) AS video_id FROM dead_letters FINAL
    WHERE video_id IS NOT NULL AND letter_id NOT IN (SELECT letter_id FROM settlements)
)"""
"""Videos with a dead letter that nobody has settled. SQL."""
FATES = f"""(
    SELECT p.video_id AS video_id, p.state AS state,
           multiIf(p.state = 'rejected', 'rejected', t.video_id = '' AND o.video_id != '', 'dead',
                   t.video_id = '', 'waiting', t.withdrawn = 1, 'withdrawn', 'kept') AS fate,
           if(fate = 'rejected', s.rule, '') AS rule
    FROM (SELECT video_id, state FROM progress FINAL) AS p
    LEFT JOIN (SELECT video_id, rule FROM screenings FINAL) AS s ON s.video_id = p.video_id
    LEFT JOIN (SELECT video_id, withdrawn FROM video_topics FINAL WHERE model_version = {{model:String}}) AS t
        ON t.video_id = p.video_id
    LEFT JOIN {_OPEN} AS o ON o.video_id = p.video_id
)"""
"""The fate of each video, as the view `corpus` counts it; its waiting ones are here waiting or dead. SQL.

Parameter: `model`, the model that is shown.
"""
Newest = dict[str, datetime]
"""{seen, published}: when a source last showed a new video; when the newest accepted one was published."""
FATE_NAMES = ("kept", "rejected", "withdrawn", "waiting", "dead")


def stages(warehouse: Warehouse) -> list[Stage]:
    """Return how many talks are in each state; all states, in the order of the path."""
    rows = warehouse.rows(
        f"""
        SELECT p.state AS state, count() AS videos, countIf(o.video_id != '') AS dead,
               minOrNullIf(s.seen_at, s.video_id != '') AS oldest_seen_at,
               maxOrNullIf(s.seen_at, s.video_id != '') AS newest_seen_at
        FROM (SELECT video_id, state FROM progress FINAL) AS p
        LEFT JOIN {_SEEN} AS s ON s.video_id = p.video_id
        LEFT JOIN {_OPEN} AS o ON o.video_id = p.video_id
        GROUP BY state
        """
    )
    found = {row["state"]: row for row in rows}
    nothing = {"videos": 0, "dead": 0, "oldest_seen_at": None, "newest_seen_at": None}
    return typed(
        Stage,
        [
            {"state": state, "waits_for": agent} | nothing | found.get(state, {})
            for state, agent in NEXT.items()
        ],
    )


def throughput(warehouse: Warehouse, by: Literal["hour", "day"] = "day", limit: int = 30) -> list[Throughput]:
    """Return the talks that came in by hour or day (UTC), and what has become of them until now.

    A video belongs to the hour or day in which a source showed it first. The facts do not say how many videos
    were assigned at that time, only how many of that time's videos are assigned by now. The newest hours or
    days come first; those in which nothing was seen are left out.
    """
    start = {"hour": "toStartOfHour", "day": "toStartOfDay"}[by]
    counts = ", ".join(f"countIf(f.fate = '{fate}') AS {fate}" for fate in FATE_NAMES)
    return warehouse.rows_as(
        Throughput,
        f"""
        SELECT toDateTime({start}(s.seen_at, 'UTC'), 'UTC') AS seen_at, count() AS seen, {counts}
        FROM {FATES} AS f INNER JOIN {_SEEN} AS s ON s.video_id = f.video_id
        GROUP BY seen_at ORDER BY seen_at DESC LIMIT {{limit:UInt32}}
        """,
        model=shown_model(warehouse),
        limit=limit,
    )


def freshness(warehouse: Warehouse) -> Freshness:
    """Return the newest find, learned talk, dead letter, alert and decision."""
    found = warehouse.rows(
        """
        SELECT (SELECT maxOrNull(first_seen_at) FROM sightings FINAL) AS seen_at,
               (SELECT maxOrNull(published_at) FROM videos FINAL
                WHERE video_id IN (SELECT video_id FROM transcripts)) AS published_at,
               (SELECT maxOrNull(failed_at) FROM dead_letters) AS failed_at,
               (SELECT maxOrNull(raised_at) FROM alerts) AS raised_at,
               (SELECT maxOrNull(decided_at) FROM decisions) AS decided_at
        """
    )[0]
    learned = warehouse.rows_as(
        LearnedLast,
        """
        SELECT l.video_id AS video_id, v.title AS title, t.published_on AS published_on
        FROM (
            SELECT video_id FROM learned FINAL WHERE model_version = {model:String}
            ORDER BY sequence DESC, video_id LIMIT 1
        ) AS l
        INNER JOIN (
            SELECT video_id, published_on FROM video_topics FINAL WHERE model_version = {model:String}
        ) AS t ON t.video_id = l.video_id
        LEFT JOIN (SELECT video_id, title FROM videos FINAL) AS v ON v.video_id = l.video_id
        """,
        model=shown_model(warehouse),
    )
    return typed(Freshness, [found | {"learned": learned[0] if learned else None}])[0]


def newest(warehouse: Warehouse) -> Newest:
    """Return the newest stored moments, without those of which there is none."""
    found = warehouse.rows(
        """
        SELECT (SELECT maxOrNull(first_seen_at) FROM sightings FINAL) AS seen,
               (SELECT maxOrNull(published_at) FROM videos FINAL WHERE completeness IN (2, 4)) AS published
        """
    )[0]
    return {what: moment for what, moment in found.items() if moment is not None}


def newest_of(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> Newest:
    """Return the newest moments of rows that the writer has just written, as (table, row).

    Example:
        >>> moment = datetime(2025, 3, 4)
        >>> newest_of([("sightings", {"first_seen_at": moment}), ("learned", {})])["seen"].year
        2025
    """
    found: Newest = {}
    for table, row in rows:
        if table == "sightings":
            found["seen"] = max(row["first_seen_at"], found.get("seen", row["first_seen_at"]))
        elif table == "videos" and row["completeness"] in {2, 4} and row["published_at"] is not None:
            found["published"] = max(row["published_at"], found.get("published", row["published_at"]))
    return found


def sources(warehouse: Warehouse) -> list[Source]:
    """Return the yield of each source: the talks it listed, by outcome, most found first."""
    seen = warehouse.rows_as(
        SeenSource,
        """
        SELECT source_id, any(kind) AS kind, argMax(query, s.first_seen_at) AS query,
               min(s.first_seen_at) AS first_seen_at, max(s.first_seen_at) AS last_seen_at,
               uniqExact(video_id) AS found, uniqExactIf(video_id, times = 1) AS alone
        FROM (SELECT * FROM sightings FINAL) AS s
        INNER JOIN (
            SELECT video_id, uniqExact(source_id) AS times FROM sightings GROUP BY video_id
        ) AS by USING (video_id)
        GROUP BY source_id
        """,
    )
    became = warehouse.rows(
        f"""
        SELECT s.source_id AS source_id, f.fate AS fate, f.rule AS rule, count() AS videos
        FROM (SELECT DISTINCT source_id, video_id FROM sightings) AS s
        INNER JOIN {FATES} AS f ON f.video_id = s.video_id
        GROUP BY source_id, fate, rule ORDER BY videos DESC, rule
        """,
        model=shown_model(warehouse),
    )
    failing = {row["source_id"]: row for row in failing_sources(warehouse)}
    shown = {row["source_id"] for row in seen}
    rows = [*seen, *(_unseen(each) for each in failing if each not in shown)]
    found: list[Source] = [
        {
            **row,
            **_yield([each for each in became if each["source_id"] == row["source_id"]]),
            **_failures(failing.get(row["source_id"])),
        }
        for row in rows
    ]
    return sorted(found, key=lambda row: (-row["found"], row["source_id"]))


def _unseen(source_id: str) -> SeenSource:
    """Return a source that has shown nothing yet."""
    return {
        "source_id": source_id,
        "kind": "",
        "query": "",
        "first_seen_at": None,
        "last_seen_at": None,
        "found": 0,
        "alone": 0,
    }


def _yield(became: list[dict[str, Any]]) -> SourceYield:
    """Return the yield of a source from rows {fate, rule, videos} of it."""
    videos = {fate: sum(row["videos"] for row in became if row["fate"] == fate) for fate in FATE_NAMES}
    judged = videos["kept"] + videos["rejected"]
    return {
        "kept": videos["kept"],
        "rejected": videos["rejected"],
        "withdrawn": videos["withdrawn"],
        "waiting": videos["waiting"],
        "dead": videos["dead"],
        "share": videos["kept"] / judged if judged else None,
        "rejections": {row["rule"]: row["videos"] for row in became if row["fate"] == "rejected"},
    }


def _failures(failing: FailingSource | None) -> SourceFailures:
    if failing is None:
        return {"failures": 0, "failed_at": None, "cause": None, "cure": None}
    return {
        "failures": failing["failures"],
        "failed_at": failing["failed_at"],
        "cause": failing["cause"],
        "cure": failing["cure"],
    }


def failing_sources(warehouse: Warehouse) -> list[FailingSource]:
    """Return the sources that discover could not read (it has an open dead letter), newest failure first."""
    return warehouse.rows_as(
        FailingSource,
        """
        SELECT assumeNotNull(message_key) AS source_id, count() AS failures, max(d.failed_at) AS failed_at,
               argMax(d.cause, d.failed_at) AS cause, argMax(d.cure, d.failed_at) AS cure
        FROM (SELECT * FROM dead_letters FINAL) AS d
        WHERE agent = 'discover' AND topic = 'sources.due' AND message_key IS NOT NULL
          AND letter_id NOT IN (SELECT letter_id FROM settlements)
        GROUP BY source_id ORDER BY failed_at DESC, source_id
        """,
    )
