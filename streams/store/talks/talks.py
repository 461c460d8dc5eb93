"""Talks one by one: what is known about each, what it counts as, and what was corrected.

One function per view. Each returns rows of plain values, ready for a table, JSON or a page.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from streams.store.codebook.effective import book
from streams.store.codebook.sql_fragments import MODEL, UNSORTED, corrected
from streams.store.warehouse import Row, Warehouse
from streams.talks.caption_drafts import is_draft


def talks(warehouse: Warehouse, limit: int = 100, search: str = "") -> list[Row]:
    """Talks and videos that were seen, the newest first; those without a date last.

    Args:
        warehouse: the study.
        limit: at most so many.
        search: only those with this text in title, show, channel or id, in either case.

    Returns:
        Rows {video_id, title, show, published_on, state, withdrawn}; published_on (UTC) as corrected, or
        None.
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


def talk(warehouse: Warehouse, video_id: str) -> Row | None:
    """Everything that is known about one talk, or None where it is unknown.

    Returns:
        {video_id, title, description, channel, channel_id, show, url, language, duration_s, speakers,
        published_at, published_first, published_on, state, withdrawn, sightings, screening, transcripts,
        topics, corrections, followed}. published_at: as corrected; published_first: as its source says.
        sightings: rows {source_id, kind, query, rank, first_seen_at}, the first one first.
        screening: {verdict, rule, reason}, or None before it.
        transcripts: rows {transcript_version, language, duration_s, words, speakers, counts, draft}; counts:
        it is the one whose paragraphs count; draft: it is captions until the recording is transcribed.
        topics: rows {topic_id, name, theme, retained, paragraphs, minutes}, most paragraphs first; a merged
        one's are those of the topic it counts for. Of a withdrawn talk: what it would count as.
        corrections: as of the view `corrections`, of this talk.
        followed: rows {change, was, title, seen_at}, newest first: it was retitled, deleted, made private, or
        has returned where it is shown; was: the former title.
    """
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
    return known | {
        "published_at": published_at,
        "published_on": _day(published_at),
        "withdrawn": bool(known["withdrawn"]),
        "sightings": _sightings(warehouse, video_id),
        "screening": _screening(warehouse, video_id),
        "transcripts": _transcripts(warehouse, video_id, counted.get("transcript_version")),
        "topics": _topics(warehouse, counted),
        "corrections": [row for row in corrections(warehouse) if row["video_id"] == video_id],
        "followed": warehouse.rows(
            """
            SELECT change, was, title, seen_at FROM followed FINAL
            WHERE video_id = {video:String} ORDER BY seen_at DESC, change
            """,
            video=video_id,
        ),
    }


def corrections(warehouse: Warehouse) -> list[Row]:
    """What was corrected about talks, newest first: why a number is not what it was.

    Returns:
        Rows {correction_id, video_id, title, what, published_before, published_at, transcript_version,
        speaker, name, reason, author, corrected_at}. what is withdrawn, restored, redated, kept (a duplicate
        that counts all the same) or named; redated: from published_before to published_at, which are None
        otherwise; named: what the transcript calls the speaker, and who it is (empty: not any more).
    """
    rows = warehouse.rows(
        """
        SELECT c.correction_id AS correction_id, c.video_id AS video_id, v.title AS title, c.what AS what,
               v.published_at AS published_before, c.published_at AS published_at,
               c.transcript_version AS transcript_version, c.speaker AS speaker, c.name AS name,
               c.reason AS reason,
               c.author AS author, c.corrected_at AS corrected_at
        FROM (SELECT * FROM corrections FINAL) AS c
        LEFT JOIN (SELECT video_id, title, published_at FROM videos FINAL) AS v ON v.video_id = c.video_id
        ORDER BY corrected_at, correction_id
        """
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


def _counted(warehouse: Warehouse, video_id: str) -> Row:
    """Return what it counts as; empty before the model has learned it."""
    rows = warehouse.rows(
        f"""
        SELECT transcript_version, topics.id AS ids, topics.paragraphs AS paragraphs,
               topics.seconds AS seconds
        FROM video_topics FINAL WHERE model_version = {MODEL} AND video_id = {{video:String}}
        """,
        video=video_id,
    )
    return rows[0] if rows else {}


def _sightings(warehouse: Warehouse, video_id: str) -> list[Row]:
    return warehouse.rows(
        """
        SELECT source_id, kind, query, rank, first_seen_at FROM sightings FINAL
        WHERE video_id = {video:String} ORDER BY first_seen_at, source_id, query
        """,
        video=video_id,
    )


def _screening(warehouse: Warehouse, video_id: str) -> Row | None:
    rows = warehouse.rows(
        """
        WITH (SELECT any(state) FROM progress FINAL WHERE video_id = {video:String}) = 'assigned' AS learned
        SELECT if(learned, 'accepted', s.verdict) AS verdict, if(learned, '', s.rule) AS rule,
               if(learned, '', s.reason) AS reason  -- learned: reviewers kept what was rejected before
        FROM (SELECT * FROM screenings FINAL WHERE video_id = {video:String}) AS s
        """,
        video=video_id,
    )
    return rows[0] if rows else None


def _transcripts(warehouse: Warehouse, video_id: str, counting: str | None) -> list[Row]:
    rows = warehouse.rows(
        """
        SELECT transcript_version, language, duration_s, words, speakers FROM transcripts FINAL
        WHERE video_id = {video:String} ORDER BY transcript_version
        """,
        video=video_id,
    )
    return [
        row
        | {
            "counts": row["transcript_version"] == counting,
            "draft": is_draft(row["transcript_version"]),
        }
        for row in rows
    ]


def _topics(warehouse: Warehouse, counted: Row) -> list[Row]:
    applied = book(warehouse)
    found: dict[int, Row] = {}
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
