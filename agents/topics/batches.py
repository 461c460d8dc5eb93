"""The paragraphs of a talk as the topic model learns them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Protocol

import structlog

from models.embedding.embedder import Embedder, space_of
from models.topics import Batch
from models.topics.online.person_names import full_names
from models.transcripts.paragraphs import Paragraphs
from streams.errors import DataError
from streams.events import Blob, ParagraphsEmbedded, Video, paragraph_id, stable_id
from streams.state.blobs import Blobs
from streams.telemetry import EMBEDDED_AGAIN

log = structlog.get_logger()


class Embedded(Protocol):
    """A talk whose paragraphs are stored with their embeddings."""

    @property
    def video(self) -> Video:
        """The talk."""

    @property
    def transcript_version(self) -> str:
        """The version of the transcript that its paragraphs are of."""

    @property
    def paragraphs(self) -> Blob:
        """The artefact that `split` made."""


def batch_of(blobs: Blobs, talk: Embedded, batch_id: str) -> Batch:
    """Return the paragraphs of a talk, from the artefact that `split` made.

    Raises:
        DataError: the talk has no publication date, or the artefact is missing.
    """
    if talk.video.published_at is None:
        raise DataError("the talk has no publication date", "ingest it again with --published-at")
    said = Paragraphs.load(blobs.read(talk.paragraphs))
    video_id = talk.video.video_id
    return Batch(
        batch_id=batch_id,
        video_id=video_id,
        source=talk.video.channel_id or talk.video.channel or talk.video.show,
        published_on=talk.video.published_at.astimezone(UTC).date(),
        paragraph_ids=tuple(
            paragraph_id(video_id, talk.transcript_version, each.position) for each in said.paragraphs
        ),
        texts=tuple(each.text for each in said.paragraphs),
        embeddings=said.embeddings,
        starts=tuple(each.start for each in said.paragraphs),
        people=people(talk.video, {name for each in said.paragraphs for name in each.speakers}),
    )


def in_space_of(embedder: Embedder, talk: ParagraphsEmbedded, blobs: Blobs) -> ParagraphsEmbedded:
    """Return a talk with embeddings of the embedder's space, embedded again if its own are of another one.

    `split` embedded it with another model or length: with other settings, or before an upgrade. The new
    embeddings are stored once, beside the old ones, so that every replay has the same.

    Raises:
        DataError: a paragraph is longer than what the embedder reads, or the artefact is missing.
        ModelUnavailable: the model cannot be loaded.
    """
    if space_of(talk.embedding_model) == embedder.space:
        return talk
    key = f"paragraphs/{stable_id(talk.key)}/{stable_id(talk.paragraphs.sha256, embedder.space)}.zip"
    stored = blobs.find(key)
    if stored is None:
        said = Paragraphs.load(blobs.read(talk.paragraphs))
        longest = max(each.tokens for each in said.paragraphs)
        if longest > embedder.max_tokens:
            raise DataError(
                f"a paragraph of {longest} tokens, embedded with {talk.embedding_model}, is too long for "
                f"{embedder.space}",
                "give split and track the same GROUNDSWELL_MAX_TOKENS and GROUNDSWELL_EMBEDDING_MODEL, then "
                '"groundswell rebuild" splits the talk again',
            )
        log.warning(
            "a talk was embedded otherwise, so track embeds it again: give split and track the same "
            "GROUNDSWELL_EMBEDDING_MODEL and GROUNDSWELL_MAX_TOKENS",
            video=talk.key,
            embedded_with=talk.embedding_model,
            embeds_with=embedder.space,
        )
        embeddings = embedder.embed([each.text for each in said.paragraphs])
        again = said.model_copy(update={"embeddings": embeddings, "embedding_model": embedder.version})
        blobs.create(key, again.dump())
        EMBEDDED_AGAIN.inc()
        stored = blobs.find(key)
    return talk.model_copy(update={"paragraphs": stored})


def people(video: Video, speakers: Iterable[str]) -> tuple[str, ...]:
    """Return the names of persons that a talk's speakers, title, description and channel tell."""
    told = full_names("\n".join([video.title, video.description, video.channel]))
    return tuple(sorted({*video.speakers, *speakers, *told}))
