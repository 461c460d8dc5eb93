"""Rebuild: begins a new epoch of the topic model, and sends every talk to be learned again.

A model cannot be continued with other settings, libraries, codebook or embedding model. But the transcripts
in the blob store can be learned again: they are sent to `split` in the order in which the old model learned
them; existing paragraphs and embeddings are reused. The outputs and checkpoints of earlier epochs stay, and
so do people's decisions about duplicates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

import structlog

from streams.events import TranscriptReady, Video
from streams.logs.corrections import Corrections
from streams.state.blobs import Blobs
from streams.state.epochs import Epoch, Epochs
from streams.store.operations import relearning
from streams.store.rows.operations import UnlearnedTranscript
from streams.store.warehouse import Warehouse

log = structlog.get_logger()


def rebuild(
    blobs: Blobs, warehouse: Warehouse, now: datetime, send: Callable[[TranscriptReady], None] | None
) -> tuple[Epoch, int]:
    """Begin an epoch; return it and the number of talks that it has to learn again.

    Args:
        blobs: the study's blob store.
        warehouse: the study's database, which lists the transcripts.
        now: the time at which the epoch begins.
        send: sends an event to the broker; None if no broker runs: discover sends them at its next start.

    Raises:
        Fatal: another process has begun the same epoch.
    """
    epochs = Epochs(blobs)
    epoch = epochs.begin(now)
    if send is None:
        return epoch, len(relearning.unlearned(warehouse, epoch))
    talks = list(to_learn(blobs, warehouse, epoch))
    for talk in talks:
        send(talk)
    epochs.mark_sent(epoch)
    return epoch, len(talks)


def to_learn(blobs: Blobs, warehouse: Warehouse, epoch: Epoch) -> Iterator[TranscriptReady]:
    """Yield the talks that an epoch's model still has to learn, in the order of the previous model."""
    kept = Corrections(blobs).kept()
    yield from ready(blobs, relearning.unlearned(warehouse, epoch), kept)


def ready(
    blobs: Blobs, heard: Iterable[UnlearnedTranscript], kept: Mapping[str, str]
) -> Iterator[TranscriptReady]:
    """Yield events for the rows of `streams.store.operations.relearning`; `kept`: by video, who keeps it."""
    for row in heard:
        blob = blobs.find(row["blob_key"])
        if blob is None:
            log.warning(
                "a transcript is gone, so its talk cannot be learned again: ingest it again",
                video=row["video_id"],
                blob=row["blob_key"],
            )
            continue
        video = Video.model_validate(
            {name: value for name, value in row.items() if name in Video.model_fields}
        )
        yield TranscriptReady(
            video=video,
            transcript=blob,
            transcript_version=row["transcript_version"],
            language=row["transcript_language"],
            duration_s=row["transcript_duration_s"],
            words=row["words"],
            speakers=row["transcript_speakers"],
            kept_by=kept.get(row["video_id"]),
        )
