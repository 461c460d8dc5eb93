"""Queries of the validation of the codebook: the sampling frame, samples, and people's codings."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.topic_facts import facts
from streams.store.queries.aggregation import UNITS, mapped
from streams.store.rows.validation import (
    Coding,
    CodingTask,
    CountedParagraphs,
    DrawnParagraph,
    SampledCoding,
    ValidationSample,
)
from streams.store.warehouse import Warehouse, strings, typed

_COUNTED = f"""
    SELECT video_id, transcript_version, arrayDistinct(arrayFilter(unit -> unit > 0, {UNITS})) AS units
    FROM video_topics FINAL WHERE model_version = {{model:String}} AND withdrawn = 0
"""
"""The talks that count, with the units that they have. SQL, with the parameters of `mapped` and `model`."""
_LABELS = """
    SELECT paragraph_id, groupUniqArray(topic) AS topics FROM (
        SELECT paragraph_id, topic_id AS topic FROM assignments FINAL WHERE model_version = {model:String}
        UNION ALL
        SELECT paragraph_id, arrayJoin(topic_ids) FROM memberships FINAL WHERE model_version = {model:String}
    ) GROUP BY paragraph_id
"""
"""The topics of each paragraph that has any. SQL, with the parameter `model`."""


def _frame(paragraphs: str = "1") -> str:
    """Return every paragraph of the talks that count, as SQL: what it is counted for, and what is near.

    Near are the units that its talk has and the paragraph itself does not.
    """
    units = UNITS.replace("topics.id", "l.topics")
    return f"""
    SELECT p.paragraph_id AS paragraph_id, p.video_id AS video_id,
           arraySort(arrayDistinct(arrayFilter(unit -> unit > 0, {units}))) AS counted,
           arraySort(arrayFilter(unit -> NOT has(counted, unit), t.units)) AS near
    FROM (
        SELECT paragraph_id, video_id, transcript_version FROM paragraphs FINAL WHERE {paragraphs}
    ) AS p
    INNER JOIN ({_COUNTED}) AS t ON t.video_id = p.video_id AND t.transcript_version = p.transcript_version
    LEFT JOIN ({_LABELS}) AS l ON l.paragraph_id = p.paragraph_id
    """


def coded_topics(warehouse: Warehouse, applied: EffectiveCodebook) -> dict[int, str]:
    """Return the topics that paragraphs are coded for, by id, with their keys: those of the codebook."""
    known = facts(warehouse, applied.model_version)
    return {
        entry.topic_id: key
        for entry in applied.retained
        if entry.topic_id in known and (key := known[entry.topic_id]["key"])
    }


def units_of(applied: EffectiveCodebook, topics: Collection[int]) -> dict[int, int]:
    """Return every topic that counts for one of some topics, with the topic that it counts for."""
    counts = {topic_id: entry.topic_id for topic_id, entry in applied.counted.items()}
    return {topic_id: unit for topic_id, unit in counts.items() if unit in topics}


def totals(
    warehouse: Warehouse, applied: EffectiveCodebook, units: Mapping[int, int]
) -> tuple[int, dict[int, CountedParagraphs]]:
    """Return the paragraphs of all talks that count, and those counted for and near each unit."""
    (row,) = warehouse.rows(
        f"""
        SELECT count() AS n, sumMap(counted, arrayMap(_ -> 1, counted)) AS counted_for,
               sumMap(near, arrayMap(_ -> 1, near)) AS near_to
        FROM ({_frame()})
        """,
        **mapped(units),
        model=applied.model_version,
    )
    counted, near = (dict(zip(*row[column], strict=True)) for column in ("counted_for", "near_to"))
    return row["n"], {
        unit: {"counted": counted.get(unit, 0), "near": near.get(unit, 0)}
        for unit in sorted(set(units.values()))
    }


def validation_draw(
    warehouse: Warehouse, of_topic: int = 0, near: int = 0, random: int = 0
) -> list[DrawnParagraph]:
    """Return a random sample of paragraphs, with the size of every stratum that each is in.

    For each topic of the codebook it has paragraphs that are counted, and some that are near: of talks that
    count for the topic, but not themselves. The number by which a paragraph is drawn is always the same, so a
    larger sample contains a smaller one (permanent random numbers: Ohlsson 1995).

    Args:
        warehouse: the study.
        of_topic: paragraphs of each topic that are counted, at most.
        near: paragraphs of each topic that are near, at most.
        random: paragraphs of any kind.
    """
    applied = book(warehouse)
    keys = coded_topics(warehouse, applied)
    units = units_of(applied, keys)
    population, sizes = totals(warehouse, applied, units)
    wanted = {"counted": of_topic, "near": near}
    found: dict[str, DrawnParagraph] = {}

    def rows(statement: str, limit: int) -> list[dict[str, Any]]:
        if not limit:
            return []
        given: dict[str, Any] = mapped(units) | {"model": applied.model_version, "n": limit}
        return warehouse.rows(statement, **given)

    def add(stratum: str, drawn: Collection[Mapping[str, Any]]) -> None:
        for row in drawn:
            found.setdefault(
                row["paragraph_id"],
                {
                    "paragraph_id": row["paragraph_id"],
                    "video_id": row["video_id"],
                    "stratum": stratum,
                    "counted": [sizes[unit]["counted"] for unit in row["counted"]],
                    "near": [sizes[unit]["near"] for unit in row["near"]],
                    "population": population,
                },
            )

    add(
        "random",
        rows(
            f"SELECT * FROM ({_frame()}) ORDER BY sipHash64(paragraph_id), paragraph_id LIMIT {{n:UInt32}}",
            random,
        ),
    )
    for stratum, limit in wanted.items():
        add(
            stratum,
            rows(
                f"""
                SELECT paragraph_id, video_id, f.counted AS counted, f.near AS near
                FROM ({_frame()}) AS f ARRAY JOIN f.{stratum} AS unit
                ORDER BY sipHash64(paragraph_id, unit, '{stratum}'), paragraph_id LIMIT {{n:UInt32}} BY unit
                """,
                limit,
            ),
        )
    return sorted(found.values(), key=lambda row: row["paragraph_id"])


def validation_samples(warehouse: Warehouse) -> list[ValidationSample]:
    """Return the samples that were drawn for people to code, the newest first: only that one counts."""
    return warehouse.rows_as(
        ValidationSample,
        """
        SELECT s.sample AS sample, any(s.model_version) AS model_version, any(s.topics) AS topics,
               any(s.population) AS population, count() AS paragraphs, countIf(c.readers > 0) AS coded,
               countIf(c.readers > 1) AS coded_twice, any(s.drawn_by) AS drawn_by, max(s.drawn_at) AS drawn_at
        FROM (SELECT * FROM validation_samples FINAL) AS s
        LEFT JOIN (
            SELECT paragraph_id, uniqExact(reviewer) AS readers FROM codings FINAL
            WHERE verdict != 'withdrawn' GROUP BY paragraph_id
        ) AS c ON c.paragraph_id = s.paragraph_id
        GROUP BY sample ORDER BY drawn_at DESC, sample DESC
        """,
    )


def codings(warehouse: Warehouse) -> list[Coding]:
    """Return reviewers' codings of paragraphs, without withdrawn ones, the latest first."""
    return warehouse.rows_as(
        Coding,
        """
        SELECT video_id, paragraph_id, offered, topics, reviewer, note, coded_at
        FROM codings FINAL WHERE verdict != 'withdrawn' ORDER BY coded_at DESC, paragraph_id, reviewer
        """,
    )


def coding_queue(warehouse: Warehouse, reviewer: str = "", limit: int = 1000) -> list[CodingTask]:
    """Return the paragraphs of the newest sample that a reviewer has not coded, in a random order.

    It does not say why a paragraph was drawn, for what it is counted, or what others said, so that reviewers
    work blind.

    Args:
        warehouse: the study.
        reviewer: leave out what this person has coded; empty: return all.
        limit: the most paragraphs to return.
    """
    return warehouse.rows_as(
        CodingTask,
        """
        WITH newest AS (SELECT sample FROM validation_samples ORDER BY drawn_at DESC, sample DESC LIMIT 1),
             drawn AS (SELECT * FROM validation_samples FINAL WHERE sample IN newest)
        SELECT s.sample AS sample, s.paragraph_id AS paragraph_id, s.video_id AS video_id, v.title AS title,
               v.url AS url, v.published_at AS published_at, p.position AS position, p.start_s AS start_s,
               p.text AS text
        FROM drawn AS s
        INNER JOIN (
            SELECT paragraph_id, position, start_s, text FROM paragraphs FINAL
            WHERE paragraph_id IN (SELECT paragraph_id FROM drawn)
        ) AS p ON p.paragraph_id = s.paragraph_id
        LEFT JOIN (SELECT video_id, title, url, published_at FROM videos FINAL) AS v
            ON v.video_id = s.video_id
        WHERE {reviewer:String} = '' OR s.paragraph_id NOT IN (
            SELECT paragraph_id FROM codings FINAL
            WHERE verdict != 'withdrawn' AND reviewer = {reviewer:String}
        )
        ORDER BY sipHash64(s.paragraph_id, 'order'), s.paragraph_id LIMIT {limit:UInt32}
        """,
        reviewer=reviewer,
        limit=limit,
    )


def sampled_codings(
    warehouse: Warehouse, applied: EffectiveCodebook, units: Mapping[int, int]
) -> list[SampledCoding]:
    """Return the coded paragraphs of the newest sample, with the units that each is counted for now.

    Paragraphs of talks that do not count any more are left out.
    """
    samples = validation_samples(warehouse)
    if not samples:
        return []
    rows = warehouse.rows(
        """
        SELECT s.paragraph_id AS paragraph_id, s.weight AS weight, c.reviewers AS reviewers, c.said AS said
        FROM (SELECT paragraph_id, weight FROM validation_samples FINAL WHERE sample = {sample:String}) AS s
        INNER JOIN (
            SELECT paragraph_id, groupArray(reviewer) AS reviewers, groupArray(topics) AS said
            FROM (SELECT * FROM codings FINAL WHERE verdict != 'withdrawn' ORDER BY reviewer)
            GROUP BY paragraph_id
        ) AS c ON c.paragraph_id = s.paragraph_id
        ORDER BY paragraph_id
        """,
        sample=samples[0]["sample"],
    )
    given: dict[str, Any] = mapped(units) | {"model": applied.model_version}
    wanted = f"paragraph_id IN {strings('wanted')}"
    counted = {
        row["paragraph_id"]: row["counted"]
        for row in warehouse.rows(
            f"SELECT paragraph_id, counted FROM ({_frame(wanted)})",
            wanted=json.dumps([row["paragraph_id"] for row in rows]),
            **given,
        )
    }
    return typed(
        SampledCoding,
        [row | {"counted": counted[row["paragraph_id"]]} for row in rows if row["paragraph_id"] in counted],
    )
