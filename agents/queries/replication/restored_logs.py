"""Logs of people's decisions, rebuilt from the tables of an imported package."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from pydantic import BaseModel

from streams import events as e
from streams.logs.alert_judgements import AlertJudgements
from streams.logs.codebook_log import CodebookLog
from streams.logs.codings import Codings
from streams.logs.concept_judgements import ConceptJudgements
from streams.logs.corrections import Corrections
from streams.logs.judgements import Judgements
from streams.logs.validation_samples import ValidationSamples
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse


def keep_logs(warehouse: Warehouse, blobs: Blobs) -> None:
    """Rebuild the decision logs in the blob store from the tables, so that people can continue to decide."""
    entries = _by_revision(warehouse, "codebook_entries")
    themes = _by_revision(warehouse, "themes")
    decided = [
        e.CodebookDecided.model_validate(
            _fields(row, e.CodebookDecided)
            | {
                "undoes": row["undoes"] or None,
                "entries": [
                    _fields(each, e.CodebookEntry) | {"target": each["target"] or None}
                    for each in entries.get(row["revision"], [])
                ],
                "themes": [_fields(each, e.ThemeEntry) for each in themes.get(row["revision"], [])],
            }
        )
        for row in warehouse.rows("SELECT * FROM decisions FINAL ORDER BY revision")
    ]
    corrected = [
        e.VideoCorrected.model_validate(_fields(row, e.VideoCorrected))
        for row in warehouse.rows("SELECT * FROM corrections FINAL ORDER BY corrected_at")
    ]
    judged = [
        e.TopicJudged.model_validate(_fields(row, e.TopicJudged))
        for row in warehouse.rows("SELECT * FROM judgements FINAL ORDER BY judged_at")
    ]
    weighed = [
        e.AlertJudged.model_validate(_fields(row, e.AlertJudged))
        for row in warehouse.rows("SELECT * FROM alert_judgements FINAL ORDER BY judged_at")
    ]
    taught = [
        e.ConceptJudged.model_validate(_fields(row, e.ConceptJudged))
        for row in warehouse.rows("SELECT * FROM concept_judgements FINAL ORDER BY judged_at")
    ]
    for sample in _samples(warehouse):
        ValidationSamples(blobs).append(sample)
    for row in warehouse.rows("SELECT * FROM codings FINAL ORDER BY coded_at"):
        Codings(blobs).append(e.ParagraphCoded.model_validate(_fields(row, e.ParagraphCoded)))
    for decision in decided:
        CodebookLog(blobs).append(decision)
    for correction in corrected:
        Corrections(blobs).append(correction)
    for judgement in judged:
        Judgements(blobs).append(judgement)
    for lesson in taught:
        ConceptJudgements(blobs).append(lesson)
    for verdict in weighed:
        AlertJudgements(blobs).append(verdict)


def _samples(warehouse: Warehouse) -> Iterator[e.ValidationSampleDrawn]:
    rows = warehouse.rows("SELECT * FROM validation_samples FINAL ORDER BY sample, paragraph_id")
    for _, of_sample in groupby(rows, key=lambda row: row["sample"]):
        drawn = list(of_sample)
        paragraphs = [_fields(row, e.SampledParagraph) for row in drawn]
        about = _fields(drawn[0], e.ValidationSampleDrawn) | {"paragraphs": paragraphs}
        yield e.ValidationSampleDrawn.model_validate(about)


def _by_revision(warehouse: Warehouse, table: str) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in warehouse.rows(f"SELECT * FROM {table} FINAL WHERE revision > 0 ORDER BY ALL"):
        found.setdefault(row["revision"], []).append(row)
    return found


def _fields(row: Mapping[str, Any], of: type[BaseModel]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name in of.model_fields}
