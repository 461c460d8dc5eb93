"""Queries of emerging topics, the reasons of alerts, and people's judgements of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.queries.alerts import EVIDENCE, with_talks
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.warehouse import Row, Warehouse, strings

RULES = ("emergence", "new topic", "rising", "declining", "drift", "threshold")
"""Rules about what is talked of; those about the system are no news about talks."""
QUOTES = 3


def emerging(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    rule: str = "",
    limit: int = 20,
    offset: int = 0,
) -> list[Row]:
    """Alerts about what is talked of, the newest first, with their evidence and what people made of them.

    Args:
        warehouse: the study.
        selection: alerts raised in its period; its codebook says what topics are called. Its other limits
            are of talks, and leave out no alert.
        rule: only what this rule told; empty: all of `RULES`.
        limit: at most so many.
        offset: after so many.

    Returns:
        Rows {alert_id, rule, topic_id, told_id, topic, told, retained, about, title, reason, raised_at, size,
        video_ids, terms, channel, sources, recent, recent_of, earlier, earlier_of, log10_p, first_on,
        latest_on, quotes, talks, published, verdict, author, note, judged_at, found}. topic_id, topic: the
        topic that it counts for now; told_id, told: the one it was about; None where it is about none. quotes
        as in `alerts`; without evidence, the most probable paragraphs of the topic. published: {video_id:
        day} of `video_ids`. verdict is confirmed, dismissed or empty (open); found: how many alerts there
        are.
    """
    applied = book(warehouse, selection.codebook)
    rows = warehouse.rows(
        f"""
        SELECT a.alert_id AS alert_id, a.rule AS rule, a.topic_id AS told_id, a.about AS about,
               a.title AS title, a.reason AS reason, a.raised_at AS raised_at, a.size AS size,
               a.video_ids AS video_ids,
               {", ".join(f"a.{name.strip()} AS {name.strip()}" for name in EVIDENCE.split(","))},
               if(j.verdict = 'reopened', '', j.verdict) AS verdict, j.author AS author, j.note AS note,
               j.judged_at AS judged_at, count() OVER () AS found
        FROM (
            SELECT * FROM alerts FINAL WHERE model_version = {{model:String}}
              AND rule IN {strings("rules")}
              AND (({{open:Bool}} AND raised_at IS NULL)
                   OR toDate(raised_at) BETWEEN {{first:Date}} AND {{last:Date}})
        ) AS a
        LEFT JOIN (SELECT * FROM alert_judgements FINAL) AS j ON j.alert_id = a.alert_id
        ORDER BY raised_at DESC NULLS LAST, alert_id LIMIT {{limit:UInt32}} OFFSET {{offset:UInt32}}
        """,
        model=applied.model_version,
        rules=json.dumps([rule] if rule else list(RULES)),
        open=selection.first is None and selection.last is None,
        first=selection.days[0].isoformat(),
        last=selection.days[1].isoformat(),
        limit=limit,
        offset=offset,
    )
    told = [_named(row, applied) for row in with_talks(warehouse, rows)]
    wanted = {row["topic_id"] for row in told if row["topic_id"] and not row["quotes"]}
    said = _said(
        warehouse, {topic_id: applied.family(topic_id) for topic_id in wanted}, applied.model_version
    )
    days = _published(warehouse, {each for row in told for each in row["video_ids"]}, applied.model_version)
    return [
        row
        | {
            "quotes": row["quotes"][:QUOTES] or said.get(row["topic_id"], []),
            "published": {each: days[each] for each in row["video_ids"] if each in days},
        }
        for row in told
    ]


def alert_judgements(warehouse: Warehouse, limit: int = 100) -> list[Row]:
    """What people made of alerts, the newest first; of each alert what holds.

    Returns:
        Rows {alert_id, rule, title, verdict, author, note, judged_at}: verdict is confirmed, dismissed or
        reopened.
    """
    return warehouse.rows(
        """
        SELECT j.alert_id AS alert_id, a.rule AS rule, a.title AS title, j.verdict AS verdict,
               j.author AS author, j.note AS note, j.judged_at AS judged_at
        FROM (SELECT * FROM alert_judgements FINAL) AS j
        LEFT JOIN (SELECT alert_id, rule, title FROM alerts FINAL) AS a ON a.alert_id = j.alert_id
        ORDER BY judged_at DESC, alert_id LIMIT {limit:UInt32}
        """,
        limit=limit,
    )


def is_alert(warehouse: Warehouse, alert_id: str) -> bool:
    """Whether there is such an alert, of whatever model or rule."""
    found = warehouse.rows("SELECT 1 AS is FROM alerts WHERE alert_id = {id:String} LIMIT 1", id=alert_id)
    return bool(found)


def _named(row: Row, applied: EffectiveCodebook) -> Row:
    told = row["told_id"] or None
    target = applied.counts_as(told) if told else None
    names = {known: entry.name for known, entry in applied.entries.items()}
    entry = applied.entries.get(target) if target else None
    return row | {
        "told_id": told,
        "told": names.get(told, f"topic {told}") if told else None,
        "topic_id": target,
        "topic": names.get(target, f"topic {target}") if target else None,
        "retained": bool(entry and entry.retained),
        "judged_at": row["judged_at"] if row["author"] else None,
    }


def _published(warehouse: Warehouse, video_ids: set[str], model: str) -> dict[str, date]:
    rows = warehouse.rows(
        f"""
        SELECT video_id, published_on FROM video_topics FINAL
        WHERE model_version = {{model:String}} AND video_id IN {strings("ids")} AND withdrawn = 0
        """,
        model=model,
        ids=json.dumps(sorted(video_ids)),
    )
    return {row["video_id"]: row["published_on"] for row in rows}


def _said(warehouse: Warehouse, families: Mapping[int, Sequence[int]], model: str) -> dict[int, list[Row]]:
    """Of each topic the most probable paragraphs, at most one a talk, as quotes of an alert are."""
    if not families:
        return {}
    members = {each: topic_id for topic_id, family in families.items() for each in family}
    best = warehouse.rows(
        f"""
        SELECT target, video_id, max((said.2, -toInt64(said.3))) AS best,
               argMax(transcript_version, (said.2, -toInt64(said.3))) AS transcript_version,
               best.1 AS probability, toUInt32(-best.2) AS position
        FROM (
            SELECT video_id, transcript_version, said,
                   transform(said.1, {{ids:Array(UInt32)}}, {{units:Array(UInt32)}}, toUInt32(0)) AS target
            FROM video_topics FINAL
            ARRAY JOIN arrayZip(topics.id, topics.probability, topics.position) AS said
            WHERE model_version = {{model:String}} AND withdrawn = 0
        )
        WHERE target > 0
        GROUP BY target, video_id
        ORDER BY target, probability DESC, video_id
        LIMIT {QUOTES} BY target
        """,
        model=model,
        ids=list(members),
        units=list(members.values()),
    )
    texts = warehouse.rows(
        f"""
        SELECT p.video_id AS video_id, p.transcript_version AS transcript_version, p.position AS position,
               p.paragraph_id AS paragraph_id, p.start_s AS start_s, p.text AS text, v.title AS title,
               v.show AS show, v.url AS url, v.published_at AS published_at
        FROM (
            SELECT * FROM paragraphs FINAL
            PREWHERE video_id IN {strings("ids")} AND has({{positions:Array(UInt32)}}, position)
        ) AS p
        INNER JOIN (SELECT * FROM videos FINAL WHERE video_id IN {strings("ids")}) AS v
            ON v.video_id = p.video_id
        """,
        ids=json.dumps(sorted({row["video_id"] for row in best})),
        positions=sorted({row["position"] for row in best}),
    )
    by_place = {(row["video_id"], row["transcript_version"], row["position"]): row for row in texts}
    found: dict[int, list[Row]] = {}
    for row in best:
        quote = by_place.get((row["video_id"], row["transcript_version"], row["position"]))
        if quote is not None:
            found.setdefault(row["target"], []).append(quote)
    return found
