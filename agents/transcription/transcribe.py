"""transcribe: audio.stored → transcripts.ready. Words, seconds and speakers; ready captions are only parsed.

A lease prevents two workers from transcribing one talk; the artefact is also the ledger, so a recording is
never transcribed twice, and a killed worker loses only some minutes of a long talk. Several talks are
processed at once: one is decoded while the others are transcribed. Transcripts are sent as they become ready.
"""

from __future__ import annotations

import asyncio
import time
import uuid
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

import structlog

from agents.consumer.consumer import Agent, Position
from agents.transcription.progress_reporter import Reporting
from agents.transcription.worker_pool import SpeechPool, Work
from models.languages.identification import identify
from models.speech.transcriber import SpeechModels
from models.transcripts.captions import parse
from models.transcripts.glossary import Glossary
from models.transcripts.transcript import Transcript
from streams.errors import DataError
from streams.events import AudioStored, Blob, Event, TranscriptReady, Video, VideoRejected, stable_id
from streams.kafka.topics import AUDIO_STORED, KafkaTopic
from streams.settings import EMBEDDED, Settings
from streams.state.blobs import Blobs
from streams.state.leases import Lease
from streams.talks.caption_drafts import DRAFT, Drafts
from streams.talks.partial_transcripts import PartialTranscripts
from streams.talks.transcripts import key_of, version_of

log = structlog.get_logger()
CAPTIONS_VERSION = "captions-1"
"""Part of the version of transcripts from captions; increase it when the parsing of captions changes."""


def maker(speech: SpeechModels, glossary: Glossary | None) -> str:
    """Return the first part of a transcript's version: models, settings, glossary.

    Raises:
        ModelUnavailable: the folder of a model does not exist.
    """
    return f"{speech.version}--glossary-{glossary.version}" if glossary else speech.version


class Transcribe(Agent):
    """Turns recordings and ready captions into transcript artefacts."""

    name: ClassVar[str] = "transcribe"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (AUDIO_STORED,)
    ahead: ClassVar[int] = 64

    def __init__(
        self,
        settings: Settings,
        blobs: Blobs,
        speech: Callable[[], SpeechModels],
        folder: Path,
        *,
        now: Callable[[], float] = time.time,
        glossary: Glossary | None = None,
    ) -> None:
        """Keep the dependencies.

        Args:
            settings: the study's settings.
            blobs: the study's blob store.
            speech: returns the speech models; called for the first recording.
            folder: the folder for local copies of audio from a remote store, and for decoded audio.
            now: the wall clock, seconds.
            glossary: the spelling of names; None: they stay as recognised.
        """
        self._settings = settings
        self._blobs = blobs
        self._speech = speech
        self._now = now
        self._glossary = glossary
        self._pool = SpeechPool(speech, blobs, folder, settings.speech_workers)
        self.concurrency = settings.speech_workers + 1  # while all are transcribed, the next one is decoded
        self._turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()
        # The one process of an embedded study finds its own lease again after a kill -9.
        self._owner = EMBEDDED if settings.embedded_broker else uuid.uuid4().hex

    async def start(self) -> Sequence[Event]:
        """Delete decoded audio that a killed worker left."""
        await asyncio.to_thread(self._pool.tidy)
        return ()

    def takes_long(self, event: Event) -> bool:
        """Return whether an event is a recording: a ready transcript behind it does not wait for hours."""
        return isinstance(event, AudioStored) and event.captions is None

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return the location of the transcript, or a rejection if the talk is in another language."""
        if not isinstance(event, AudioStored):
            raise DataError(f"{type(event).__name__} is not for transcribe", "drop it")
        async with self._turns.setdefault(event.key, asyncio.Lock()):  # keeps the order of a talk's events
            return await self._handle(event)

    async def _handle(self, event: AudioStored) -> Sequence[Event]:
        if event.draft and await asyncio.to_thread(Drafts(self._blobs).superseded, event.key):
            return []
        version, source = await asyncio.to_thread(self._version, event)
        key = key_of(event.key, version)
        blob = await asyncio.to_thread(self._blobs.find, key)
        if blob is None:
            blob = await self._make(event, source, key)
        transcript = Transcript.model_validate_json(await asyncio.to_thread(self._blobs.read, blob))
        video = event.video.model_copy(
            update={
                "duration_s": event.video.duration_s or transcript.duration_s,
                "language": transcript.language,
            }
        )
        if (rejected := self._in_another_language(video)) is not None:
            return [] if event.draft else [rejected]  # only the audio decides the spoken language
        speakers = {segment.speaker for segment in transcript.segments if segment.speaker is not None}
        return [
            TranscriptReady(
                video=video,
                transcript=blob,
                transcript_version=version,
                language=transcript.language,
                duration_s=transcript.duration_s,
                words=transcript.words_total,
                speakers=len(speakers),
            )
        ]

    def _version(self, event: AudioStored) -> tuple[str, Blob]:
        if event.captions is not None:
            made_by = f"{DRAFT}{CAPTIONS_VERSION}" if event.draft else CAPTIONS_VERSION
            return version_of(made_by, event.captions), event.captions
        if event.audio is not None:
            return version_of(maker(self._speech(), self._glossary), event.audio), event.audio
        raise DataError(
            "the talk has neither audio nor captions", "ingest its file again, then drop this one"
        )

    async def _make(self, event: AudioStored, source: Blob, key: str) -> Blob:
        if event.captions is not None:
            return await asyncio.to_thread(self._read_captions, event.video, source, key)
        if self._glossary is None:
            return await self._recognised(event.video, source, key)
        # The uncorrected transcript is stored too, so that another glossary needs no second transcription.
        raw = key_of(event.key, version_of(self._speech().version, source))
        recognised = await asyncio.to_thread(self._blobs.find, raw)
        if recognised is None:
            recognised = await self._recognised(event.video, source, raw)
        return await asyncio.to_thread(self._corrected, self._glossary, recognised, key)

    def _corrected(self, glossary: Glossary, recognised: Blob, key: str) -> Blob:
        transcript = Transcript.model_validate_json(self._blobs.read(recognised))
        return self._blobs.put(key, glossary.correct(transcript).model_dump_json().encode())

    async def _recognised(self, video: Video, source: Blob, key: str) -> Blob:
        """Transcribe a recording, unless another worker does: then wait for its result."""
        lease = Lease(self._blobs, stable_id(key), self._owner, self._settings.lease_s, self._now)
        while not await asyncio.to_thread(lease.acquire):
            log.info("another worker is transcribing this talk", video=video.video_id)
            await asyncio.sleep(min(5.0, self._settings.lease_s / 4))
            if (made := await asyncio.to_thread(self._blobs.find, key)) is not None:
                return made
        renewing = asyncio.create_task(self._renew(lease))
        try:
            log.info("transcribing", video=video.video_id, title=video.title, by=self._speech().version)
            work = Work(name=key, recording=source, title=video.title)
            with Reporting(self._blobs, video, self._now) as reporting:
                transcript = await self._pool.transcribe(work, reporting.tell)
            made = await asyncio.to_thread(self._blobs.put, key, transcript.model_dump_json().encode())
            await asyncio.to_thread(PartialTranscripts(self._blobs, key).forget)
            return made
        finally:
            renewing.cancel()
            await asyncio.to_thread(lease.release)

    def _read_captions(self, video: Video, source: Blob, key: str) -> Blob:
        captions = parse(self._blobs.read(source), source.key)
        text = " ".join(segment.text for segment in captions.segments[:200])
        language, probability = identify(text)
        transcript = Transcript(
            language=captions.language or language or video.language or "und",
            language_probability=None if captions.language else probability,
            duration_s=captions.duration_s,
            segments=captions.segments,
            made_by={"captions": CAPTIONS_VERSION},
        )
        return self._blobs.put(key, transcript.model_dump_json().encode())

    async def _renew(self, lease: Lease) -> None:
        while True:
            await asyncio.sleep(lease.ttl_s / 4)
            if not await asyncio.to_thread(lease.renew):
                log.warning("lost the lease: another worker transcribes the talk too", lease=lease.name)
                return

    def _in_another_language(self, video: Video) -> VideoRejected | None:
        language = (video.language or "und").split("-")[0].lower()
        if language in (*self._settings.languages, "und"):
            return None
        wanted = ", ".join(self._settings.languages)
        return VideoRejected(
            video=video, rule="language", reason=f"it is spoken in {language!r}, not in {wanted}"
        )

    async def stop(self) -> None:
        """End the child processes, even in the middle of a talk: it resumes after its last finished part."""
        self._pool.kill()
