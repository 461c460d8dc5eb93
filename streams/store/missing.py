"""Finds people's decisions that are in their logs but not in the database, because they never arrived."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from streams.events import (
    AlertJudged,
    ConceptJudged,
    Event,
    ParagraphCoded,
    TopicJudged,
    ValidationSampleDrawn,
    VideoCorrected,
    VideoReviewed,
)
from streams.logs.alert_judgements import AlertJudgements
from streams.logs.codings import Codings
from streams.logs.concept_judgements import ConceptJudgements
from streams.logs.corrections import Corrections
from streams.logs.event_log import EventLog
from streams.logs.judgements import Judgements
from streams.logs.reviews import Reviews
from streams.logs.validation_samples import ValidationSamples
from streams.store.warehouse import Warehouse, strings
from streams.timestamps import whole_ms

E = TypeVar("E", bound=Event)
K = TypeVar("K")


def alert_judgements(log: AlertJudgements, warehouse: Warehouse) -> list[AlertJudged]:
    """Return the latest judgements of alerts that the database lacks, oldest first."""
    latest = {event.alert_id: event for event in log.events()}
    if not latest:
        return []
    rows = warehouse.rows("SELECT alert_id, judged_at FROM alert_judgements FINAL")
    return _newer(log, latest, {row["alert_id"]: row["judged_at"] for row in rows})


def judgements(log: Judgements, warehouse: Warehouse) -> list[TopicJudged]:
    """Return the latest judgements of topics that the database lacks, oldest first."""
    latest = {(event.model_version, event.topic_id, event.reviewer): event for event in log.events()}
    if not latest:
        return []
    rows = warehouse.rows("SELECT model_version, topic_id, reviewer, judged_at FROM judgements FINAL")
    held = {(row["model_version"], row["topic_id"], row["reviewer"]): row["judged_at"] for row in rows}
    return _newer(log, latest, held)


def concept_judgements(log: ConceptJudgements, warehouse: Warehouse) -> list[ConceptJudged]:
    """Return the latest judgements of paragraphs that the database lacks, oldest first."""
    latest = {(event.paragraph_id, event.concept, event.reviewer): event for event in log.events()}
    if not latest:
        return []
    rows = warehouse.rows("SELECT paragraph_id, concept, reviewer, judged_at FROM concept_judgements FINAL")
    held = {(row["paragraph_id"], row["concept"], row["reviewer"]): row["judged_at"] for row in rows}
    return _newer(log, latest, held)


def validation_samples(log: ValidationSamples, warehouse: Warehouse) -> list[ValidationSampleDrawn]:
    """Return the validation samples that the database lacks, oldest first."""
    events = log.events()
    if not events:
        return []
    held = {row["sample"] for row in warehouse.rows("SELECT DISTINCT sample FROM validation_samples")}
    return [event for event in events if event.sample not in held]


def codings(log: Codings, warehouse: Warehouse) -> list[ParagraphCoded]:
    """Return the latest codings of paragraphs that the database lacks, oldest first."""
    latest = {(event.paragraph_id, event.reviewer): event for event in log.events()}
    if not latest:
        return []
    rows = warehouse.rows("SELECT paragraph_id, reviewer, coded_at FROM codings FINAL")
    return _newer(log, latest, {(row["paragraph_id"], row["reviewer"]): row["coded_at"] for row in rows})


def reviews(log: Reviews, warehouse: Warehouse) -> list[VideoReviewed]:
    """Return the latest reviews of videos that the database lacks, oldest first."""
    latest = {(event.video_id, event.reviewer, event.final): event for event in log.events()}
    if not latest:
        return []
    rows = warehouse.rows(
        f"""
        SELECT video_id, reviewer, final, reviewed_at FROM reviews FINAL
        WHERE video_id IN {strings("ids")}
        """,
        ids=json.dumps(sorted({video_id for video_id, _, _ in latest})),
    )
    held = {(row["video_id"], row["reviewer"], bool(row["final"])): row["reviewed_at"] for row in rows}
    return _newer(log, latest, held)


def corrections(log: Corrections, warehouse: Warehouse) -> list[VideoCorrected]:
    """Return the corrections of talks that the database lacks, oldest first."""
    events = log.events()
    if not events:
        return []
    held = {row["correction_id"] for row in warehouse.rows("SELECT correction_id FROM corrections")}
    return [event for event in events if event.event_id not in held]


def _newer(log: EventLog[E], latest: Mapping[K, E], held: Mapping[K, datetime]) -> list[E]:
    """Return the latest events for whose key the database has no row, or only an older one."""
    lacking = (
        event for key, event in latest.items() if key not in held or held[key] < whole_ms(log.time_of(event))
    )
    return log.ordered(lacking)
