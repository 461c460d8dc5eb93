"""track: paragraphs.embedded → paragraphs.assigned, topics.changed. The single writer of the topic model.

A block of talks is learned, its outputs are written to a ledger, then one checkpoint
{log_id, next_offset, state} is created under the next number; only then are the outputs sent and the
talks acknowledged. Killed anywhere, the talks after the checkpoint come again and lead to the same
outputs; a talk already learned is answered from the ledger. Two trackers cannot both create a
checkpoint's number, so one that was paused and comes back ends instead of overwriting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import structlog
from pydantic import BaseModel

from agents.stage import Agent, Block, Position
from models.codebook import Codebook
from models.embedding import Embedder
from models.paragraphs import Paragraphs
from models.topics import (
    Batch,
    Birth,
    EarlierAssignment,
    Outcome,
    TopicModel,
    TopicSettings,
    TopicState,
    dump,
    load,
)
from streams.blobs import Blobs
from streams.errors import DataError, Fatal
from streams.events import (
    AssignedParagraph,
    Event,
    Founder,
    ParagraphsAssigned,
    ParagraphsEmbedded,
    TopicBorn,
    TopicChanged,
    TopicDrifted,
    paragraph_id,
    stable_id,
)
from streams.topics import PARAGRAPHS_EMBEDDED, Topic
from streams.wire import decode, encode

log = structlog.get_logger()
CHECKPOINTS = "model/checkpoints"
POSITION = "reached"
"""Where a checkpoint keeps its position, beside the model's own words."""
KEPT = 3
"""Checkpoints kept; older ones are deleted."""


class Reached(BaseModel):
    """How far the state in a checkpoint has learned: everything before `next_offset` of log `log_id`."""

    log_id: str
    next_offset: int


class Track(Agent):
    """Learns one talk at a time, in the order of the log."""

    name: ClassVar[str] = "track"
    reads: ClassVar[tuple[Topic, ...]] = (PARAGRAPHS_EMBEDDED,)
    block: ClassVar[Block] = Block(events=50, seconds=1.0)

    def __init__(self, blobs: Blobs, codebook: Codebook, embedder: Embedder, settings: TopicSettings) -> None:
        self._blobs = blobs
        self._codebook = codebook
        self._embedder = embedder
        self._settings = settings
        self._number = 0
        self._log_id = ""
        self._next_offset = 0
        self._ledgers: list[tuple[str, bytes]] = []
        self._unsaved: dict[str, list[Event]] = {}
        self._moved = False
        self._model: TopicModel

    async def start(self) -> Sequence[Event]:
        """Load the last checkpoint, or seed a model from the codebook; tell the seeded topics (again)."""
        await asyncio.to_thread(self._load)
        return [self._born(topic) for topic in self._model.topics() if topic.origin == "seeded"]

    def _load(self) -> None:
        keys = list(self._blobs.keys(CHECKPOINTS))
        if not keys:
            seeds = self._seeds()
            self._model = TopicModel.seeded(
                self._codebook, seeds, self._settings, embedding_model=self._embedder.version
            )
            return
        checkpoint = load(self._blobs.get(keys[-1]))
        self._number = int(keys[-1].rsplit("/", 1)[-1].split(".")[0])
        position = Reached.model_validate(checkpoint.meta.pop(POSITION))
        self._log_id, self._next_offset = position.log_id, position.next_offset
        self._model = TopicModel.from_snapshot(checkpoint, self._settings, self._embedder.version)
        log.info("topic model loaded", checkpoint=self._number, topics=len(self._model.topics()))

    def _seeds(self) -> npt.NDArray[np.float32]:
        """Return the codebook's topics as embeddings, float32 [k, d]; a blank codebook still has d."""
        topics = [topic.seed for topic in self._codebook.topics]
        return self._embedder.embed([*topics, "any text has the model's dimension"])[: len(topics)]

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Learn a talk and return its assignments and what changed about topics."""
        if not isinstance(event, ParagraphsEmbedded):
            raise DataError(f"{type(event).__name__} is not for track", "drop it")
        if at.log_id == self._log_id and at.offset > self._next_offset:
            raise Fatal(
                f"the log of {at.topic} jumps from offset {self._next_offset} to {at.offset}",
                "messages were deleted before they were learned (look at the topic's retention); "
                "restore them, or begin a new study and hand the talks in again",
            )
        outputs = await asyncio.to_thread(self._learn, event)
        self.passed_by(at)
        return outputs

    def passed_by(self, at: Position) -> None:
        """Move the position: what lies before it was learned, or is a dead letter."""
        if at.log_id != self._log_id or at.offset == self._next_offset:
            self._log_id, self._next_offset = at.log_id, at.offset + 1
            self._moved = True

    def _learn(self, event: ParagraphsEmbedded) -> list[Event]:
        key = f"assigned/{stable_id(self._model.version)}/{event.event_id}.jsonl"
        if event.event_id in self._unsaved:
            return self._unsaved[event.event_id]
        if self._model.learned(event.event_id):
            return [decode(line) for line in self._blobs.get(key).splitlines()]
        if event.embedding_model != self._model.embedding_model:
            raise DataError(
                f"these paragraphs were embedded with {event.embedding_model}, "
                f"the topic model knows {self._model.embedding_model}",
                "use one embedding model in a study; a new one is a new study",
            )
        outputs = self._outputs(event, self._model.learn(self._batch(event)))
        self._ledgers.append((key, b"\n".join(encode(output) for output in outputs)))
        self._unsaved[event.event_id] = outputs
        return outputs

    def _batch(self, event: ParagraphsEmbedded) -> Batch:
        if event.video.published_at is None:
            raise DataError("the talk has no publication date", "ingest it again with --published-at")
        talk = Paragraphs.load(self._blobs.read(event.paragraphs))
        return Batch(
            batch_id=event.event_id,
            video_id=event.key,
            published_on=event.video.published_at.astimezone(UTC).date(),
            paragraph_ids=tuple(
                paragraph_id(event.key, event.transcript_version, paragraph.position)
                for paragraph in talk.paragraphs
            ),
            texts=tuple(paragraph.text for paragraph in talk.paragraphs),
            embeddings=talk.embeddings,
        )

    async def settle(self) -> Sequence[Event]:
        """Make ledger and checkpoint durable, in this order."""
        await asyncio.to_thread(self._save)
        return ()

    def _save(self) -> None:
        for key, content in self._ledgers:
            self._blobs.put(key, content)
        if self._moved:
            snapshot = self._model.to_snapshot()
            reached = Reached(log_id=self._log_id, next_offset=self._next_offset)
            snapshot.meta[POSITION] = reached.model_dump(mode="json")
            content = dump(snapshot)
            newest = list(self._blobs.keys(CHECKPOINTS))[-1:]
            overtaken = newest != ([self._key(self._number)] if self._number else [])
            self._number += 1
            if overtaken or not self._blobs.create(self._key(self._number), content):
                raise Fatal(
                    f"another track worker has written checkpoint {self._number}",
                    "this one was slow or cut off; it stands by after a restart",
                )
            for old in list(self._blobs.keys(CHECKPOINTS))[:-KEPT]:
                self._blobs.delete(old)
        self._ledgers.clear()
        self._unsaved.clear()
        self._moved = False

    @staticmethod
    def _key(number: int) -> str:
        return f"{CHECKPOINTS}/{number:09}.npz"

    def _outputs(self, event: ParagraphsEmbedded, outcome: Outcome) -> list[Event]:
        sequence = outcome.video_index + 1
        outputs: list[Event] = [
            ParagraphsAssigned(
                video=event.video,
                video_index=outcome.video_index,
                model_version=self._model.version,
                transcript_version=event.transcript_version,
                sequence=sequence,
                assignments=tuple(
                    AssignedParagraph(
                        paragraph_id=each.paragraph_id,
                        topic_id=each.topic_id,
                        probability=round(each.probability, 6),
                    )
                    for each in outcome.assignments
                ),
            )
        ]
        outputs += [self._born(birth.topic, sequence, birth, event) for birth in outcome.births]
        outputs += [
            TopicChanged(
                model_version=self._model.version,
                topic_id=topic.topic_id,
                sequence=sequence,
                label=topic.label,
                words=topic.words,
            )
            for topic in outcome.topics_changed
        ]
        labels = {topic.topic_id: topic.label for topic in self._model.topics()} if outcome.drifts else {}
        outputs += [
            TopicDrifted(
                model_version=self._model.version,
                topic_id=drift.topic_id,
                sequence=sequence,
                label=labels[drift.topic_id],
                share_before=drift.before,
                share_after=drift.after,
                drifted_at=event.video.published_at,
            )
            for drift in outcome.drifts
        ]
        return outputs

    def _born(
        self,
        topic: TopicState,
        sequence: int = 0,
        birth: Birth | None = None,
        event: ParagraphsEmbedded | None = None,
    ) -> TopicBorn:
        return TopicBorn(
            model_version=self._model.version,
            topic_id=topic.topic_id,
            sequence=sequence,
            label=topic.label,
            words=topic.words,
            origin=topic.origin,
            theme=topic.theme,
            codebook_key=topic.key,
            video_ids=birth.video_ids if birth else (),
            founders=tuple(_founder(each) for each in birth.assignments) if birth else (),
            emerged_at=event.video.published_at if event else None,
        )


def _founder(earlier: EarlierAssignment) -> Founder:
    return Founder(
        paragraph_id=earlier.paragraph_id,
        video_id=earlier.video_id,
        video_index=earlier.video_index,
        month=date.fromisoformat(f"{earlier.month}-01"),
        topic_id=earlier.topic_id,
        probability=round(earlier.probability, 6),
    )
