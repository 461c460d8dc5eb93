"""split: transcripts.ready → paragraphs.embedded. One artefact per talk: its paragraphs with embeddings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from agents.consumer.consumer import Agent, Position
from models.embedding.embedder import Embedder
from models.transcripts.paragraphs import Paragraphs
from models.transcripts.splitting import Splitter
from models.transcripts.transcript import Transcript
from streams.errors import DataError
from streams.events import Blob, Event, ParagraphsEmbedded, TranscriptReady, stable_id
from streams.kafka.topics import TRANSCRIPTS_READY, KafkaTopic
from streams.state.blobs import Blobs
from streams.talks.caption_drafts import Drafts, is_draft


class Split(Agent):
    """Splits and embeds transcripts; deterministic, so the artefact is also the ledger."""

    name: ClassVar[str] = "split"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (TRANSCRIPTS_READY,)

    def __init__(self, blobs: Blobs, embedder: Embedder) -> None:
        self._blobs = blobs
        self._drafts = Drafts(blobs)
        self._embedder = embedder
        self._splitter: Splitter | None = None

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return the location of the talk's paragraphs; nothing for a draft that is superseded."""
        if not isinstance(event, TranscriptReady):
            raise DataError(f"{type(event).__name__} is not for split", "drop it")
        if is_draft(event.transcript_version) and await asyncio.to_thread(self._drafts.superseded, event.key):
            return []
        blob, said = await asyncio.to_thread(self._artefact, event)
        return [
            ParagraphsEmbedded(
                video=event.video,
                paragraphs=blob,
                transcript_version=event.transcript_version,
                embedding_model=said.embedding_model,
                count=len(said.paragraphs),
                kept_by=event.kept_by,
            )
        ]

    def _artefact(self, event: TranscriptReady) -> tuple[Blob, Paragraphs]:
        """Return the artefact: the one that is there, also if a machine of another precision made it."""
        version = stable_id(event.transcript_version, self._embedder.space)
        key = f"paragraphs/{stable_id(event.key)}/{version}.zip"
        made = self._blobs.find(key)
        if made is None:
            # Another worker may be at the same talk: all events name the artefact of the first.
            self._blobs.create(key, self._make(event).dump())
            made = self._blobs.find(key)
            assert made is not None
        return made, Paragraphs.load(self._blobs.read(made))

    def _make(self, event: TranscriptReady) -> Paragraphs:
        transcript = Transcript.model_validate_json(self._blobs.read(event.transcript))
        if self._splitter is None:
            self._splitter = Splitter(self._embedder.tokenizer, self._embedder.max_tokens)
        paragraphs = self._splitter.split(transcript)
        embeddings = self._embedder.embed([paragraph.text for paragraph in paragraphs])
        return Paragraphs(
            paragraphs=paragraphs, embeddings=embeddings, embedding_model=self._embedder.version
        )
