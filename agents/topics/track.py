"""track: paragraphs.embedded → paragraphs.assigned, topics.changed. The single writer of the topic model.

A talk that repeats learned talks is not learned, so that its content counts once: → videos.rejected.

A block of talks is learned, its outputs are written to a ledger, then one checkpoint
{log_id, next_offset, state} is created under the next number; only then are the outputs sent and the
talks acknowledged. After a kill at any point, the talks after the checkpoint come again and give the same
outputs; for a talk already learned, the outputs come from the ledger. A stand-by that takes over first loads
the newest checkpoint. Two trackers cannot both create a checkpoint's number, so a tracker that was paused and
resumes ends instead of overwriting.

A request to consolidate is in the same log as the talks, so its order relative to them is fixed. A talk
counts as finished once its assignments are stored; the other outputs of its step are in another topic, and
may be lost with the broker's log. So a checkpoint names the steps whose outputs perhaps not every reader has
received, and with a new log these are sent again from the ledger.

Checkpoints and ledgers belong to an epoch (`streams.state.epochs`): a new epoch begins with a seeded model
and a version of its own, and does not change the data of earlier epochs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date
from functools import partial
from pathlib import Path
from typing import ClassVar

import structlog

from agents.consumer.consumer import Agent, BatchPolicy, Position
from agents.topics import event_mapper
from agents.topics.batches import batch_of, in_space_of
from agents.topics.checkpoints import REBUILD, Checkpoint, CheckpointPosition, Checkpoints
from agents.topics.concepts import Concepts, basis_key, begin
from agents.topics.near_duplicates import Recogniser
from agents.topics.seed_embeddings import prototypes
from agents.topics.teaching import carry_out
from models.codebook.codebook import Codebook
from models.embedding.embedder import Embedder
from models.errors import BadInput
from models.topics import Outcome, TopicModel, TopicSettings
from streams.errors import DataError, Fatal, Misconfigured
from streams.events import ConceptsTaught, ConsolidationRequested, Event, ParagraphsEmbedded, Video, stable_id
from streams.kafka.codec import decode, encode
from streams.kafka.topics import PARAGRAPHS_EMBEDDED, KafkaTopic
from streams.state.blobs import Blobs
from streams.state.epochs import Epoch, Epochs
from streams.telemetry import CHECKPOINT

log = structlog.get_logger()
MOST_UNDERWAY = 10_000
"""Maximum number of steps that are sent again; there are only that many if a reader does not run at all."""


class Track(Agent):
    """Learns one talk at a time, in the order of the log.

    Args:
        blobs: the study's blob store.
        codebook: the codebook that seeds the model.
        embedder: embeds the seeds.
        settings: the model's settings.
        told_in: the identity of the log of the model's outputs (`topics.changed`).
        behind: returns the number of outputs, and messages that follow from them, that a reader has not yet
            received; raises if the broker does not answer.
        shared: see `prototypes`.
    """

    name: ClassVar[str] = "track"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (PARAGRAPHS_EMBEDDED,)
    batch: ClassVar[BatchPolicy] = BatchPolicy(events=50, seconds=1.0)
    tick_s: ClassVar[float | None] = 5.0

    def __init__(
        self,
        blobs: Blobs,
        codebook: Codebook,
        embedder: Embedder,
        settings: TopicSettings,
        *,
        told_in: str = "",
        behind: Callable[[], int] = lambda: 0,
        shared: Path | None = None,
    ) -> None:
        self._blobs = blobs
        self._codebook = codebook
        self._embedder = embedder
        self._settings = settings
        self._epochs = Epochs(blobs)
        self._epoch = Epoch()
        self._checkpoints = Checkpoints(blobs, 0)
        self._steps = 0
        self._log_id = ""
        self._next_offset = 0
        self._ledgers: list[tuple[str, bytes]] = []
        self._unsaved: dict[str, list[Event]] = {}
        self._moved = False
        self._told_in = told_in
        self._behind = behind
        self._shared = shared
        self._unsent: list[str] = []
        self._underway: list[str] = []
        self._model: TopicModel
        self._recogniser = Recogniser()
        self._load_concepts = partial(
            Concepts.load, blobs=blobs, embedder=embedder, settings=settings, shared=shared
        )
        self._concepts: Concepts | None = None
        self._labels: dict[int, str] = {}

    async def start(self) -> Sequence[Event]:
        """Load the last checkpoint, or seed a model; return the epoch and the seeded topics (again).

        With a new log of outputs, also return again those that perhaps not every reader has received.

        Raises:
            Misconfigured: the newest checkpoint is missing or damaged, or was learned with other settings.
        """
        return await asyncio.to_thread(self._begin)

    def _begin(self) -> list[Event]:
        self._epoch = self._epochs.current()
        self._checkpoints = Checkpoints(self._blobs, self._epoch.number)
        again: list[Event] = []
        if checkpoint := self._checkpoints.newest():
            self._continue(checkpoint)
            again = self._told_again(checkpoint.reached)
        else:
            self._model = TopicModel.seeded(
                self._codebook,
                prototypes(self._codebook, self._embedder, self._blobs, self._shared).seeds,
                self._settings,
                embedding_model=self._embedder.space,
            )
            begin(self._concepts_key, self._codebook, self._blobs)
            self._concepts = self._load_concepts(self._concepts_key, {})
            self._labels = {topic.topic_id: topic.label for topic in self._model.topics()}
        return [*self._beginning(), *again]

    def _catch_up(self) -> None:
        """Continue from a checkpoint that another tracker wrote while this one stood by."""
        if self._checkpoints.overtaken() and (checkpoint := self._checkpoints.newest()) is not None:
            self._continue(checkpoint)

    def _continue(self, checkpoint: Checkpoint) -> None:
        try:
            self._model = TopicModel.from_snapshot(checkpoint.snapshot, self._settings, self._embedder.space)
            self._recogniser = Recogniser.from_snapshot(checkpoint.snapshot.arrays)
            self._concepts = self._load_concepts(self._concepts_key, checkpoint.snapshot.arrays)
        except BadInput as error:
            raise Misconfigured(
                f"the topic model of this study cannot be continued ({error.cause})",
                f"{error.cure}, {REBUILD}",
            ) from error
        reached = checkpoint.reached
        self._steps, self._log_id, self._next_offset = reached.steps, reached.log_id, reached.next_offset
        self._underway = list(reached.underway)
        self._labels = {topic.topic_id: topic.label for topic in self._model.topics()}
        log.info("topic model loaded", checkpoint=self._checkpoints.number, topics=len(self._model.topics()))

    @property
    def _concepts_key(self) -> str:
        return basis_key(self._version)

    def _told_again(self, reached: CheckpointPosition) -> list[Event]:
        if reached.told_in == self._told_in or not reached.underway:
            return []
        log.info("sending the outputs of the model's last steps again", steps=len(reached.underway))
        return [output for event_id in reached.underway for output in self._outputs(event_id)]

    def _beginning(self) -> list[Event]:
        """Return the events of the model's beginning; from the ledger, since the topics' words change."""
        key = self._ledger_key("beginning")
        if self._blobs.exists(key):
            return self._outputs("beginning")
        name, topics = self._codebook.name, self._model.topics()
        made = event_mapper.beginning(self._version, self._epoch.number, self._embedder.space, name, topics)
        self._blobs.put(key, b"\n".join(encode(event) for event in made))
        return made

    @property
    def _version(self) -> str:
        """The model's version, including the epoch."""
        return self._model.version + self._epoch.version_suffix

    def _ledger_key(self, name: str) -> str:
        return f"assigned/{stable_id(self._version)}/{name}.jsonl"

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Learn a talk, or consolidate; return the assignments and the changes of topics.

        A talk whose content is at least half in talks that count is rejected and not learned, unless a person
        keeps it.

        Raises:
            DataError: the talk has no publication date, or cannot be embedded as the model's talks are.
            Fatal: messages are missing in the log.
        """
        if not isinstance(event, ParagraphsEmbedded | ConsolidationRequested | ConceptsTaught):
            raise DataError(f"{type(event).__name__} is not for track", "drop it")
        if not (self._moved or self._ledgers):
            await asyncio.to_thread(self._catch_up)
        if at.log_id == self._log_id and at.offset > self._next_offset:
            raise Fatal(
                f"the log of {at.topic} jumps from offset {self._next_offset} to {at.offset}",
                "if the study's files were restored from a backup, delete the study's topics in Kafka, as "
                '"Restore" in the documentation says; otherwise messages were deleted before any tracker '
                f"learned them (check the topic's retention): restore them, {REBUILD}",
            )
        outputs = await asyncio.to_thread(self._once, event)
        self.on_dead_letter(at)
        return outputs

    def on_dead_letter(self, at: Position) -> None:
        """Advance the position: every message before it is learned or is a dead letter."""
        if at.log_id != self._log_id or at.offset == self._next_offset:
            self._log_id, self._next_offset = at.log_id, at.offset + 1
            self._moved = True

    def _once(self, event: Event) -> list[Event]:
        """Return the outputs of an event: computed if it is new, otherwise the earlier ones."""
        if event.event_id in self._unsaved:
            return self._unsaved[event.event_id]
        taught = self._concepts is not None and self._concepts.has_taught(event.event_id)
        if taught or self._model.learned(event.event_id) or self._recogniser.has_rejected(event.event_id):
            return self._outputs(event.event_id)
        outputs = self._step(event)
        wire = b"\n".join(encode(output) for output in outputs)
        self._ledgers.append((self._ledger_key(event.event_id), wire))
        self._unsaved[event.event_id] = outputs
        self._unsent.append(event.event_id)
        return outputs

    def _outputs(self, event_id: str) -> list[Event]:
        return [decode(line) for line in self._blobs.get(self._ledger_key(event_id)).splitlines()]

    def _step(self, event: Event) -> list[Event]:
        if isinstance(event, ParagraphsEmbedded):
            return self._learn(event)
        if isinstance(event, ConceptsTaught):
            return self._teach(event)
        assert isinstance(event, ConsolidationRequested)
        return self._consolidate(event)

    def _learn(self, event: ParagraphsEmbedded) -> list[Event]:
        event = in_space_of(self._embedder, event, self._blobs)
        batch = batch_of(self._blobs, event, event.event_id)
        known = self._model.knows(event.key)
        if not (known or event.kept_by) and (
            again := self._recogniser.again(event, batch.texts, self._epoch.number)
        ):
            return [again]
        judges = self._concepts
        outcome = self._model.learn(judges.judged(event.video.title, batch) if judges else batch)
        self._recogniser.learn(event.key, batch.texts)
        judged = None
        if self._concepts is not None:
            outcome = self._concepts.clusters(outcome)
            repeated = [each.boilerplate for each in outcome.assignments]
            judged = self._concepts.learn(event, batch, repeated, again=known)
            outcome = replace(
                outcome,
                topics_changed=(*judged.changed, *outcome.topics_changed),
                drifts=(*judged.drifts, *outcome.drifts),
            )
        step = self._stepped(outcome, batch.published_on, event.video)
        return [
            event_mapper.assigned(event, outcome, step, judged),
            *event_mapper.topic_events(outcome, step),
        ]

    def _teach(self, event: ConceptsTaught) -> list[Event]:
        if self._concepts is None:
            raise DataError(
                "this study's topic model began before its topics could be taught",
                'begin a new one ("groundswell rebuild"), and teach it then',
            )
        taught = carry_out(event, self._concepts, self._blobs, self._version, self._steps + 1)
        outcome = Outcome(-1, (), topics_changed=taught.changed, drifts=taught.drifts)
        step = self._stepped(outcome, event.requested_at.astimezone(UTC).date())
        log.info("concepts taught", judgements=taught.judgements, talks_changed=len(taught.rejudged))
        return [*taught.rejudged, *event_mapper.topic_events(outcome, step)]

    def _consolidate(self, event: ConsolidationRequested) -> list[Event]:
        outcome = self._model.consolidate(event.event_id, event.on)
        if self._concepts is not None:
            outcome = self._concepts.clusters(outcome)
        return list(event_mapper.topic_events(outcome, self._stepped(outcome, event.on)))

    def _stepped(self, outcome: Outcome, day: date, video: Video | None = None) -> event_mapper.Step:
        """Count a step of the model; return the attributes that its events share."""
        self._steps += 1
        said = (*(birth.topic for birth in outcome.births), *outcome.topics_changed)
        self._labels |= {topic.topic_id: topic.label for topic in said}
        return event_mapper.Step(self._version, self._steps, day, self._labels, self._epoch.number, video)

    def on_outputs_sent(self) -> None:
        """Note that the committed outputs have been sent, but perhaps not yet read."""
        self._underway = [*self._underway, *self._unsent][-MOST_UNDERWAY:]
        self._unsent = []

    async def tick(self) -> Sequence[Event]:
        """Check whether every reader has received the sent outputs: then they need not be sent again."""
        underway = set(self._underway)
        if underway:
            try:
                behind = await asyncio.to_thread(self._behind)
            except Exception as error:  # the next tick asks the broker again
                log.debug("reader lag is unknown", error=str(error)[:160])
                return ()
            if not behind:
                self._underway = [each for each in self._underway if each not in underway]
        return ()

    async def commit(self) -> Sequence[Event]:
        """Make the ledger and then the checkpoint durable."""
        await asyncio.to_thread(self._save)
        return ()

    def _save(self) -> None:
        if self._epochs.current().number != self._epoch.number:
            raise Fatal("a new epoch of the topic model has begun", "restart this worker: it then joins it")
        for key, content in self._ledgers:
            self._blobs.put(key, content)
        if self._moved:
            snapshot = self._model.to_snapshot()
            reached = CheckpointPosition(
                log_id=self._log_id,
                next_offset=self._next_offset,
                steps=self._steps,
                underway=(*self._underway, *self._unsent)[-MOST_UNDERWAY:],
                told_in=self._told_in,
            )
            snapshot.arrays.update(self._recogniser.to_snapshot())
            if self._concepts is not None:
                snapshot.arrays.update(self._concepts.to_arrays())
            self._checkpoints.create(snapshot, reached)
            CHECKPOINT.set_to_current_time()
        self._ledgers.clear()
        self._unsaved.clear()
        self._moved = False
