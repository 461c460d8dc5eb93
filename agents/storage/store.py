"""store: every event → ClickHouse. The only agent that writes the database.

A block of events is written completely, then acknowledged. If the process is killed in between, the block
comes again and writes the same rows: see `streams.store.writer`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import ClassVar

from agents.consumer.consumer import Agent, BatchPolicy, Position
from models.transcripts.paragraphs import Paragraphs
from streams.events import Event, ParagraphsEmbedded, paragraph_id
from streams.kafka.topics import (
    ALERTS,
    AUDIO_STORED,
    CURATION,
    DEAD_LETTERS,
    PARAGRAPHS_ASSIGNED,
    PARAGRAPHS_EMBEDDED,
    TOPICS_CHANGED,
    TOPICS_LABELLED,
    TRANSCRIPTS_READY,
    VIDEOS_ACCEPTED,
    VIDEOS_PARKED,
    VIDEOS_REJECTED,
    VIDEOS_REVIEWED,
    VIDEOS_SEEN,
    KafkaTopic,
)
from streams.logs.alert_judgements import AlertJudgements
from streams.logs.codebook_log import CodebookLog
from streams.logs.codings import Codings
from streams.logs.concept_judgements import ConceptJudgements
from streams.logs.corrections import Corrections
from streams.logs.judgements import Judgements
from streams.logs.reviews import Reviews
from streams.logs.validation_samples import ValidationSamples
from streams.state.blobs import Blobs
from streams.store import missing, rollups, writer
from streams.store.codebook import decisions
from streams.store.operations import throughput
from streams.store.operations.throughput import Newest
from streams.store.warehouse import Warehouse
from streams.telemetry import NEWEST


class Store(Agent):
    """Collects rows and writes them in blocks."""

    name: ClassVar[str] = "store"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (
        VIDEOS_SEEN,
        VIDEOS_ACCEPTED,
        VIDEOS_REJECTED,
        VIDEOS_PARKED,
        VIDEOS_REVIEWED,
        AUDIO_STORED,
        TRANSCRIPTS_READY,
        PARAGRAPHS_EMBEDDED,
        PARAGRAPHS_ASSIGNED,
        TOPICS_CHANGED,
        TOPICS_LABELLED,
        CURATION,
        ALERTS,
        DEAD_LETTERS,
    )
    batch: ClassVar[BatchPolicy] = BatchPolicy(events=500, seconds=0.5)

    def __init__(self, warehouse: Warehouse, blobs: Blobs) -> None:
        self._warehouse = warehouse
        self._blobs = blobs
        self._rows: list[tuple[str, writer.Columns]] = []
        self._newest: Newest = {}

    async def start(self) -> Sequence[Event]:
        """Migrate the tables, do the imports of the first insert, and write undelivered decisions."""
        await asyncio.to_thread(rollups.migrate, self._warehouse)
        await asyncio.to_thread(self._warehouse.warm_up)
        await asyncio.to_thread(self._catch_up)
        self._tell_newest(await asyncio.to_thread(throughput.newest, self._warehouse))
        return ()

    def _catch_up(self) -> None:
        """Write the logged decisions of people that never arrived."""
        late = [
            *decisions.missing(CodebookLog(self._blobs), self._warehouse),
            *missing.corrections(Corrections(self._blobs), self._warehouse),
            *missing.judgements(Judgements(self._blobs), self._warehouse),
            *missing.concept_judgements(ConceptJudgements(self._blobs), self._warehouse),
            *missing.validation_samples(ValidationSamples(self._blobs), self._warehouse),
            *missing.codings(Codings(self._blobs), self._warehouse),
            *missing.alert_judgements(AlertJudgements(self._blobs), self._warehouse),
            *missing.reviews(Reviews(self._blobs), self._warehouse),
        ]
        writer.write(self._warehouse, (row for event in late for row in writer.rows_of(event)))

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Collect an event's rows."""
        rows = list(writer.rows_of(event))
        if isinstance(event, ParagraphsEmbedded):
            rows = [*await asyncio.to_thread(lambda: list(self._paragraphs(event))), *rows]
        self._rows.extend(rows)
        return ()

    def _paragraphs(self, event: ParagraphsEmbedded) -> Iterator[tuple[str, writer.Columns]]:
        for paragraph in Paragraphs.load(self._blobs.read(event.paragraphs)).paragraphs:
            yield writer.paragraph_row(
                event.key,
                event.transcript_version,
                paragraph.position,
                paragraph_id=paragraph_id(event.key, event.transcript_version, paragraph.position),
                start_s=paragraph.start,
                end_s=paragraph.end,
                text=paragraph.text,
                speakers=list(paragraph.speakers),
                tokens=paragraph.tokens,
            )

    async def commit(self) -> Sequence[Event]:
        """Write the block."""
        rows, self._rows = self._rows, []
        await asyncio.to_thread(writer.write, self._warehouse, rows)
        self._tell_newest(throughput.newest_of(rows))
        return ()

    def _tell_newest(self, found: Newest) -> None:
        """Set the freshness metrics of the stored events; a repeated event does not set them back."""
        for what, moment in found.items():
            self._newest[what] = max(moment, self._newest.get(what, moment))
            NEWEST.labels(what).set(self._newest[what].timestamp())
