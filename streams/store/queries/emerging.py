"""Queries of alerts about the subjects of talks, and of people's judgements of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.queries.alerts import EVIDENCE, with_talks
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.alerts import AlertJudgement, Card
from streams.store.warehouse import Warehouse, strings, typed

RULES = ("emergence", "one source", "new topic", "rising", "declining", "drift", "threshold")
"""Rules about the subjects of talks; those about the system are not news about talks."""
QUOTES = 3


def emerging(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    rule: str = "",
    limit: int = 20,
    offset: int = 0,
) -> list[Card]:
    """Return alerts about the subjects of talks, the newest first, with evidence and people's judgement.

    An alert of one source that another has replaced is left out.

    Args:
        warehouse: the study.
        selection: only alerts raised in its period; its codebook names the topics. Its other limits are about
            talks, and leave out no alert.
        rule: only alerts of this rule; empty: of all `RULES`.
        limit: the most alerts to return.
        offset: the alerts to leave out before them.
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
              AND alert_id NOT IN (
                  SELECT replaces FROM alerts WHERE model_version = {{model:String}} AND replaces != '')
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
    return typed(
        Card,
        [
            row
            | {
                "quotes": row["quotes"][:QUOTES] or said.get(row["topic_id"], []),
                "published": {each: days[each] for each in row["video_ids"] if each in days},
            }
            for row in told
        ],
    )


def alert_judgements(warehouse: Warehouse, limit: int = 100) -> list[AlertJudgement]:
    """Return people's judgements of alerts, the newest first; of each alert only the latest."""
    return warehouse.rows_as(
        AlertJudgement,
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
    """Return whether there is an alert with this id, of any model and rule."""
    found = warehouse.rows("SELECT 1 AS is FROM alerts WHERE alert_id = {id:String} LIMIT 1", id=alert_id)
    return bool(found)


def _named(row: dict[str, Any], applied: EffectiveCodebook) -> dict[str, Any]:
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


def _said(
    warehouse: Warehouse, families: Mapping[int, Sequence[int]], model: str
) -> dict[int, list[dict[str, Any]]]:
    """Return the most probable paragraphs of each topic, at most one a talk."""
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
    found: dict[int, list[dict[str, Any]]] = {}
    for row in best:
        quote = by_place.get((row["video_id"], row["transcript_version"], row["position"]))
        if quote is not None:
            found.setdefault(row["target"], []).append(quote)
    return found
