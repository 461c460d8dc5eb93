"""Throughput: where videos wait, what comes in and out, how fresh it is, what each source yields.

One function per view. Each returns rows of plain values, ready for a table, JSON or a page.

The facts hold few moments: when a source showed a video first, when it was published, when something failed,
was told or was decided. No fact says when a video was accepted, transcribed or assigned (that would differ
from one replay to the next), so work is told by when its videos were first seen. What happens by the second
is in Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from streams.store.codebook.sql_fragments import MODEL
from streams.store.warehouse import Row, Warehouse

NEXT = {
    "seen": "screen",
    "accepted": "fetch",
    "fetched": "transcribe",
    "transcribed": "split",
    "split": "track",
    "rejected": None,
    "assigned": None,
}
"""Every state of a video in its order (`states.STATES`), and the agent it waits for; None: it is finished."""

_SEEN = "(SELECT video_id, min(first_seen_at) AS seen_at FROM sightings GROUP BY video_id)"
"""When any source showed a video first."""
_OPEN = """(
    SELECT DISTINCT assumeNotNull(video_id) AS video_id FROM dead_letters FINAL
    WHERE video_id IS NOT NULL AND letter_id NOT IN (SELECT letter_id FROM settlements)
)"""
"""Videos with a dead letter that nobody has settled."""
FATES = f"""(
    SELECT p.video_id AS video_id, p.state AS state,
           multiIf(p.state = 'rejected', 'rejected', t.video_id = '' AND o.video_id != '', 'dead',
                   t.video_id = '', 'waiting', t.withdrawn = 1, 'withdrawn', 'kept') AS fate,
           if(fate = 'rejected', s.rule, '') AS rule
    FROM (SELECT video_id, state FROM progress FINAL) AS p
    LEFT JOIN (SELECT video_id, rule FROM screenings FINAL) AS s ON s.video_id = p.video_id
    LEFT JOIN (SELECT video_id, withdrawn FROM video_topics FINAL WHERE model_version = {MODEL}) AS t
        ON t.video_id = p.video_id
    LEFT JOIN {_OPEN} AS o ON o.video_id = p.video_id
)"""
"""What became of each video, as the view `corpus` counts it; its waiting ones are here waiting or dead."""
Newest = dict[str, datetime]
"""{seen, published}: when a source last showed a new video; when the newest accepted one was published."""
FATE_NAMES = ("kept", "rejected", "withdrawn", "waiting", "dead")


def stages(warehouse: Warehouse) -> list[Row]:
    """How many videos are in each state, and since when.

    Returns:
        Rows {state, waits_for, videos, dead, oldest_seen_at, newest_seen_at}, in the order of the path, all
        states. waits_for: the agent that takes it on, None where it is finished. dead: those among them that
        have an open dead letter, so that nothing happens until it is replayed or dropped. The moments are
        when the first and the last of these videos were first seen (no fact says when they came to be in
        this state), None where there is none.
    """
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
    return [
        {"state": state, "waits_for": agent} | nothing | found.get(state, {}) for state, agent in NEXT.items()
    ]


def throughput(warehouse: Warehouse, by: Literal["hour", "day"] = "day", limit: int = 30) -> list[Row]:
    """What came in by hour or day (UTC), and what has become of it until now.

    A video belongs to the hour or day in which a source showed it first: how many were assigned at that
    time the facts do not say, only how many of that time's videos are assigned by now.

    Returns:
        Rows {seen_at, seen, kept, rejected, withdrawn, waiting, dead}, the newest first, without those in
        which nothing was seen. seen_at: when the hour or day begins; seen: the sum of the others. dead: not
        done, with an open dead letter.
    """
    start = {"hour": "toStartOfHour", "day": "toStartOfDay"}[by]
    counts = ", ".join(f"countIf(f.fate = '{fate}') AS {fate}" for fate in FATE_NAMES)
    return warehouse.rows(
        f"""
        SELECT toDateTime({start}(s.seen_at, 'UTC'), 'UTC') AS seen_at, count() AS seen, {counts}
        FROM {FATES} AS f INNER JOIN {_SEEN} AS s ON s.video_id = f.video_id
        GROUP BY seen_at ORDER BY seen_at DESC LIMIT {{limit:UInt32}}
        """,
        limit=limit,
    )


def freshness(warehouse: Warehouse) -> Row:
    """The newest of everything.

    Returns:
        {seen_at, published_at, learned, failed_at, raised_at, decided_at}; None where there is none yet.
        seen_at: when a source last showed a video that it had not shown before. published_at: of the newest
        talk that was transcribed, as its source says. learned: {video_id, title, published_on}, the talk that
        the model learned last (in its order; when that was, no fact says). failed_at: of the newest dead
        letter, settled or not; raised_at: of the newest alert; decided_at: of the newest decision about the
        codebook.
    """
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
    learned = warehouse.rows(
        f"""
        SELECT l.video_id AS video_id, v.title AS title, t.published_on AS published_on
        FROM (
            SELECT video_id FROM learned FINAL WHERE model_version = {MODEL}
            ORDER BY sequence DESC, video_id LIMIT 1
        ) AS l
        INNER JOIN (
            SELECT video_id, published_on FROM video_topics FINAL WHERE model_version = {MODEL}
        ) AS t ON t.video_id = l.video_id
        LEFT JOIN (SELECT video_id, title FROM videos FINAL) AS v ON v.video_id = l.video_id
        """
    )
    return found | {"learned": learned[0] if learned else None}


def newest(warehouse: Warehouse) -> Newest:
    """What is newest of all that is stored; without what there is none of."""
    found = warehouse.rows(
        """
        SELECT (SELECT maxOrNull(first_seen_at) FROM sightings FINAL) AS seen,
               (SELECT maxOrNull(published_at) FROM videos FINAL WHERE completeness IN (2, 4)) AS published
        """
    )[0]
    return {what: moment for what, moment in found.items() if moment is not None}


def newest_of(rows: Iterable[tuple[str, Row]]) -> Newest:
    """The same of rows that the writer has just written, as (table, row).

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


def sources(warehouse: Warehouse) -> list[Row]:
    """What each source has shown, and what became of it: its yield.

    Returns:
        Rows {source_id, kind, query, first_seen_at, last_seen_at, found, alone, kept, rejected, withdrawn,
        waiting, dead, share, rejections: {rule: videos}, failures, failed_at, cause, cure}, most found first.
        query: its newest one. last_seen_at: when it last showed something new. found: videos; one that
        several sources show counts for each; alone: those that no other source shows. dead: not done, with an
        open dead letter. share = kept / (kept + rejected), None before either. failures, failed_at, cause and
        cure: as of `failing_sources`, 0 and None where it does not fail.
    """
    seen = warehouse.rows(
        """
        SELECT source_id, any(kind) AS kind, argMax(query, s.first_seen_at) AS query,
               min(s.first_seen_at) AS first_seen_at, max(s.first_seen_at) AS last_seen_at,
               uniqExact(video_id) AS found, uniqExactIf(video_id, times = 1) AS alone
        FROM (SELECT * FROM sightings FINAL) AS s
        INNER JOIN (
            SELECT video_id, uniqExact(source_id) AS times FROM sightings GROUP BY video_id
        ) AS by USING (video_id)
        GROUP BY source_id
        """
    )
    became = warehouse.rows(
        f"""
        SELECT s.source_id AS source_id, f.fate AS fate, f.rule AS rule, count() AS videos
        FROM (SELECT DISTINCT source_id, video_id FROM sightings) AS s
        INNER JOIN {FATES} AS f ON f.video_id = s.video_id
        GROUP BY source_id, fate, rule ORDER BY videos DESC, rule
        """
    )
    failing = {row["source_id"]: row for row in failing_sources(warehouse)}
    unseen = {"kind": "", "query": "", "first_seen_at": None, "last_seen_at": None, "found": 0, "alone": 0}
    shown = {row["source_id"] for row in seen}
    rows = [*seen, *({"source_id": each} | unseen for each in failing if each not in shown)]
    fine = {"failures": 0, "failed_at": None, "cause": None, "cure": None}
    return sorted(
        (
            row
            | _yield([each for each in became if each["source_id"] == row["source_id"]])
            | fine
            | failing.get(row["source_id"], {})
            for row in rows
        ),
        key=lambda row: (-row["found"], row["source_id"]),
    )


def _yield(became: list[Row]) -> Row:
    """What became of a source's videos, from rows {fate, rule, videos}."""
    counts = {fate: sum(row["videos"] for row in became if row["fate"] == fate) for fate in FATE_NAMES}
    judged = counts["kept"] + counts["rejected"]
    rejections = {row["rule"]: row["videos"] for row in became if row["fate"] == "rejected"}
    return counts | {"share": counts["kept"] / judged if judged else None, "rejections": rejections}


def failing_sources(warehouse: Warehouse) -> list[Row]:
    """Sources that could not be looked at: those with an open dead letter of discover.

    Returns:
        Rows {source_id, failures, failed_at, cause, cure}, the newest failure first; failures: open dead
        letters; the rest of the newest of them.
    """
    return warehouse.rows(
        """
        SELECT assumeNotNull(message_key) AS source_id, count() AS failures, max(d.failed_at) AS failed_at,
               argMax(d.cause, d.failed_at) AS cause, argMax(d.cure, d.failed_at) AS cure
        FROM (SELECT * FROM dead_letters FINAL) AS d
        WHERE agent = 'discover' AND topic = 'sources.due' AND message_key IS NOT NULL
          AND letter_id NOT IN (SELECT letter_id FROM settlements)
        GROUP BY source_id ORDER BY failed_at DESC, source_id
        """
    )
