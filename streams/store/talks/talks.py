"""Queries of single talks: their metadata, transcripts, topics and corrections."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from streams.store.codebook.effective import book, shown_model
from streams.store.codebook.sql_fragments import UNSORTED, corrected
from streams.store.rows.talks import (
    Correction,
    Followed,
    ListedTalk,
    Screening,
    Sighting,
    StoredTranscript,
    TalkTopic,
    Transcript,
    WholeTalk,
)
from streams.store.warehouse import Warehouse, typed
from streams.talks.caption_drafts import is_draft


def talks(warehouse: Warehouse, limit: int = 100, search: str = "") -> list[ListedTalk]:
    """Return the talks that were found, the newest first; those without a date last.

    Args:
        warehouse: the study.
        limit: the most videos to return.
        search: only those with this text in title, show, channel or id, in either case.
    """
    rows = warehouse.rows(
        f"""
        SELECT v.video_id AS video_id, v.title AS title, v.show AS show,
               coalesce(c.published_at, v.published_at) AS published_at, p.state AS state,
               c.withdrawn = 1 AS withdrawn
        FROM (SELECT * FROM videos FINAL) AS v
        LEFT JOIN (SELECT video_id, state FROM progress FINAL) AS p ON p.video_id = v.video_id
        LEFT JOIN {corrected()} AS c ON c.video_id = v.video_id
        WHERE {{search:String}} = '' OR positionCaseInsensitiveUTF8(
            concat(v.title, '\\n', v.show, '\\n', v.channel, '\\n', v.video_id), {{search:String}}) > 0
        ORDER BY published_at DESC NULLS LAST, video_id LIMIT {{limit:UInt32}}
        """,
        search=search,
        limit=limit,
    )
    return [
        {
            "video_id": row["video_id"],
            "title": row["title"],
            "show": row["show"],
            "published_on": _day(row["published_at"]),
            "state": row["state"],
            "withdrawn": bool(row["withdrawn"]),
        }
        for row in rows
    ]


def talk(warehouse: Warehouse, video_id: str) -> WholeTalk | None:
    """Return everything that is known about one talk but its paragraphs, or None where it is unknown."""
    found = warehouse.rows(
        f"""
        SELECT v.video_id AS video_id, v.title AS title, v.description AS description, v.channel AS channel,
               v.channel_id AS channel_id, v.show AS show, v.url AS url, v.language AS language,
               v.duration_s AS duration_s, v.speakers AS speakers,
               coalesce(c.published_at, v.published_at) AS corrected_at, v.published_at AS published_first,
               p.state AS state, c.withdrawn = 1 AS withdrawn
        FROM (SELECT * FROM videos FINAL WHERE video_id = {{video:String}}) AS v
        LEFT JOIN (SELECT video_id, state FROM progress FINAL) AS p ON p.video_id = v.video_id
        LEFT JOIN {corrected()} AS c ON c.video_id = v.video_id
        """,
        video=video_id,
    )
    if not found:
        return None
    known = found[0]
    published_at = known.pop("corrected_at")
    counted = _counted(warehouse, video_id)
    about = {
        "published_at": published_at,
        "published_on": _day(published_at),
        "withdrawn": bool(known["withdrawn"]),
        "sightings": _sightings(warehouse, video_id),
        "screening": _screening(warehouse, video_id),
        "transcripts": _transcripts(warehouse, video_id, counted.get("transcript_version")),
        "topics": _topics(warehouse, counted),
        "corrections": [row for row in corrections(warehouse) if row["video_id"] == video_id],
        "followed": warehouse.rows_as(
            Followed,
            """
            SELECT change, was, title, seen_at FROM followed FINAL
            WHERE video_id = {video:String} ORDER BY seen_at DESC, change
            """,
            video=video_id,
        ),
    }
    return typed(WholeTalk, [known | about])[0]


def corrections(warehouse: Warehouse) -> list[Correction]:
    """Return the corrections of talks, newest first: the reasons why a number has changed."""
    rows = warehouse.rows_as(
        Correction,
        """
        SELECT c.correction_id AS correction_id, c.video_id AS video_id, v.title AS title, c.what AS what,
               v.published_at AS published_before, c.published_at AS published_at,
               c.transcript_version AS transcript_version, c.speaker AS speaker, c.name AS name,
               c.reason AS reason,
               c.author AS author, c.corrected_at AS corrected_at
        FROM (SELECT * FROM corrections FINAL) AS c
        LEFT JOIN (SELECT video_id, title, published_at FROM videos FINAL) AS v ON v.video_id = c.video_id
        ORDER BY corrected_at, correction_id
        """,
    )
    held: dict[str, datetime | None] = {}
    for row in rows:
        before = held.setdefault(row["video_id"], row["published_before"])
        row["published_before"] = before if row["what"] == "redated" else None
        if row["what"] == "redated":
            held[row["video_id"]] = row["published_at"]
    return rows[::-1]


def _day(moment: datetime | None) -> date | None:
    return moment.astimezone(UTC).date() if moment is not None else None


def _counted(warehouse: Warehouse, video_id: str) -> dict[str, Any]:
    """Return the row of `video_topics` of a talk; empty before the model has learned it."""
    rows = warehouse.rows(
        """
        SELECT transcript_version, topics.id AS ids, topics.paragraphs AS paragraphs,
               topics.seconds AS seconds
        FROM video_topics FINAL WHERE model_version = {model:String} AND video_id = {video:String}
        """,
        model=shown_model(warehouse),
        video=video_id,
    )
    return rows[0] if rows else {}


def _sightings(warehouse: Warehouse, video_id: str) -> list[Sighting]:
    return warehouse.rows_as(
        Sighting,
        """
        SELECT source_id, kind, query, rank, first_seen_at FROM sightings FINAL
        WHERE video_id = {video:String} ORDER BY first_seen_at, source_id, query
        """,
        video=video_id,
    )


def _screening(warehouse: Warehouse, video_id: str) -> Screening | None:
    rows = warehouse.rows_as(
        Screening,
        """
        WITH (SELECT any(state) FROM progress FINAL WHERE video_id = {video:String}) = 'assigned' AS learned
        SELECT if(learned, 'accepted', s.verdict) AS verdict, if(learned, '', s.rule) AS rule,
               if(learned, '', s.reason) AS reason  -- learned: reviewers kept what was rejected before
        FROM (SELECT * FROM screenings FINAL WHERE video_id = {video:String}) AS s
        """,
        video=video_id,
    )
    return rows[0] if rows else None


def _transcripts(warehouse: Warehouse, video_id: str, counting: str | None) -> list[Transcript]:
    rows = warehouse.rows_as(
        StoredTranscript,
        """
        SELECT transcript_version, language, duration_s, words, speakers FROM transcripts FINAL
        WHERE video_id = {video:String} ORDER BY transcript_version
        """,
        video=video_id,
    )
    return [
        {
            **row,
            "counts": row["transcript_version"] == counting,
            "draft": is_draft(row["transcript_version"]),
        }
        for row in rows
    ]


def _topics(warehouse: Warehouse, counted: Mapping[str, Any]) -> list[TalkTopic]:
    applied = book(warehouse)
    found: dict[int, TalkTopic] = {}
    for assigned, paragraphs, seconds in zip(
        *(counted.get(name, ()) for name in ("ids", "paragraphs", "seconds")), strict=True
    ):
        topic_id = applied.counts_as(assigned)
        entry = applied.entries.get(topic_id)
        row = found.setdefault(
            topic_id,
            {
                "topic_id": topic_id,
                "name": entry.name if entry else f"topic {topic_id}",
                "theme": entry.theme if entry else UNSORTED,
                "retained": bool(entry and entry.retained),
                "paragraphs": 0,
                "minutes": 0.0,
            },
        )
        row["paragraphs"] += paragraphs
        row["minutes"] += seconds / 60
    return sorted(found.values(), key=lambda row: (-row["paragraphs"], row["topic_id"]))
