"""The paragraphs of a talk as the topic model learns them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Protocol

from models.topics import Batch
from models.topics.online.person_names import full_names
from models.transcripts.paragraphs import Paragraphs
from streams.errors import DataError
from streams.events import Blob, Video, paragraph_id
from streams.state.blobs import Blobs


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


def people(video: Video, speakers: Iterable[str]) -> tuple[str, ...]:
    """Return the names of persons that a talk's speakers, title, description and channel tell."""
    told = full_names("\n".join([video.title, video.description, video.channel]))
    return tuple(sorted({*video.speakers, *speakers, *told}))
