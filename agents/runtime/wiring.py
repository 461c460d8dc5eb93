"""The composition root: builds agents and their dependencies from the settings."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from agents.consumer.consumer import Agent
from agents.instance.clock import utc_now
from agents.instance.gpu import gpus
from streams.errors import Misconfigured
from streams.kafka.topics import TOPICS_CHANGED
from streams.settings import AUTO, PACKAGED, Settings
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse
from streams.youtube.client import YouTube
from streams.youtube.request_budget import Governor, identity_of

if TYPE_CHECKING:
    from models.embedding.embedder import Embedder
    from models.speech.transcriber import SpeechModels
    from models.transcripts.glossary import Glossary
    from streams.events import Event, VideoAccepted

ON_GPU = "large-v3-turbo"
"""The Whisper model of `auto` on a GPU: nearly as good as large-v3, and twice as fast."""


@dataclass
class SharedResources:
    """Resources that the agents of one process share; created on first use."""

    settings: Settings
    log_ids: dict[str, str] = field(default_factory=dict)
    """The identity of each topic's log, from the broker."""
    now: Callable[[], datetime] = utc_now
    bootstrap: str = ""
    """The address of the broker; that of an embedded broker is known once it runs."""

    def __post_init__(self) -> None:
        self.bootstrap = self.bootstrap or self.settings.broker

    @cached_property
    def blobs(self) -> Blobs:
        """The study's blob store."""
        return Blobs(self.settings.blobs_url)

    @cached_property
    def warehouse(self) -> Warehouse:
        """The study's database; it waits for a server without a timeout."""
        return Warehouse(self.settings)

    @cached_property
    def youtube(self) -> YouTube:
        """The yt-dlp client with this study's settings."""
        settings = self.settings
        return YouTube(
            settings.proxy,
            settings.insecure_tls,
            settings.study_home / "yt-dlp",
            self.governor,
            settings.cookies,
            captions_governor=self.captions_governor,
        )

    @cached_property
    def governor(self) -> Governor:
        """The rate limiter for YouTube; every process of this machine shares its state."""
        return self._governor()

    @cached_property
    def captions_governor(self) -> Governor:
        """The rate limiter for caption files at YouTube: a refusal there must not stop other requests."""
        return self._governor(", for files of captions")

    def _governor(self, of: str = "") -> Governor:
        settings = self.settings
        return Governor(
            settings.study_home / "egress",
            identity_of(settings.proxy, settings.cookies) + of,
            settings.requests_per_hour,
            settings.pause_s,
            now=self.now,
            sleep=time.sleep,
            jitter=random.random,
        )

    @cached_property
    def embedder(self) -> Embedder:
        """The embedding model (its weights are loaded on first use)."""
        from models.embedding.embedder import Embedder

        settings = self.settings
        return Embedder(
            self._model("embedding"), settings.device, self._threads, max_tokens=settings.max_tokens
        )

    @cached_property
    def speech(self) -> SpeechModels:
        """The speech models (their weights are loaded on first use, in a child process)."""
        from models.speech.transcriber import SpeechModels

        token = self.settings.hf_token.get_secret_value() or None
        return SpeechModels(
            self._model("whisper"),
            self._model("diarization"),
            device=self.settings.device,
            threads=self._threads,
            token=token,
            hotwords=[name for each in self.settings.hotwords.split(",") if (name := each.strip())],
            hotwords_from_title=self.settings.hotwords_from_title,
            min_speakers=self.settings.min_speakers,
            max_speakers=self.settings.max_speakers,
        )

    @cached_property
    def glossary(self) -> Glossary | None:
        """The glossary for the spelling of names; None: they stay as recognised."""
        from models.errors import BadInput
        from models.transcripts.glossary import load

        try:
            return load(self.settings.glossary) if self.settings.glossary else None
        except BadInput as error:
            raise Misconfigured(f"GROUNDSWELL_GLOSSARY is wrong: {error.cause}", error.cure) from error

    @property
    def _threads(self) -> int:
        return self.settings.threads or max(1, (os.cpu_count() or 1) // 2)

    def _model(self, which: str) -> str:
        name: str = getattr(self.settings, f"{which}_model")
        if name == AUTO:
            name = ON_GPU if self.settings.device != "cpu" and gpus()["devices"] else PACKAGED
        if name != PACKAGED:
            return name
        from models.bundled_models import prepare

        return str(getattr(prepare(self.settings.models_home), which))


def _discover(parts: SharedResources) -> Agent:
    from agents.discovery.connectors import lanes_of
    from agents.discovery.discover import Discover
    from agents.discovery.websub_receiver import WebSubReceiver
    from agents.recovery.path_lag import path_lag
    from agents.recovery.reconciliation import Reconciliation
    from agents.recovery.report import Requests
    from streams.feeds.websub_subscriptions import Subscriptions

    lanes, subscriptions = lanes_of(parts.settings, parts.youtube), Subscriptions(parts.blobs)
    pushes = bool(parts.settings.push_url)

    def pushed(channel_id: str) -> bool:
        known = subscriptions.of(channel_id) if pushes else None
        return known is not None and known.covers(parts.now())

    reconciliation = Reconciliation(
        parts.blobs, parts.warehouse, lambda: path_lag(parts.settings, parts.bootstrap), parts.now
    )
    requests = Requests(parts.blobs)

    def lost() -> list[Event]:
        wanted = requests.carry_out(reconciliation) if parts.settings.embedded_clickhouse else []
        return [*wanted, *reconciliation.due()]

    return Discover(
        parts.settings,
        parts.blobs,
        parts.warehouse,
        parts.log_ids,
        parts.youtube,
        now=parts.now,
        lanes=lanes,
        pushed=pushed,
        subscribe=WebSubReceiver(parts.settings, parts.blobs, lanes.reader, parts.now).due
        if pushes
        else None,
        lost=lost,
    )


def _screen(parts: SharedResources) -> Agent:
    from agents.screening.admission import Admission
    from agents.screening.screen import Screen
    from streams.logs.screening_log import ScreeningLog
    from streams.state.parked_videos import ParkingLot
    from streams.state.sources import Sources

    def since(source_id: str) -> date | None:
        watched = Sources(parts.blobs).get(source_id)
        return watched.source.since if watched else None

    def passed(video_id: str) -> VideoAccepted | None:
        before = ScreeningLog(parts.blobs).get(video_id)
        return before.passes if before and before.outcome == "accepted" else None

    lot = ParkingLot(parts.blobs)
    gate = Admission(parts.settings, parts.blobs, lambda: parts.embedder, lot, parts.now)
    return Screen(parts.settings, parts.youtube, lot, parts.now, gate, since=since, passed=passed)


def _fetch(parts: SharedResources) -> Agent:
    from agents.acquisition.fetch import Fetch
    from streams.http.client import HttpClient
    from streams.state.parked_videos import ParkingLot

    settings = parts.settings
    reader = HttpClient(settings.proxy, settings.internal_addresses, settings.insecure_tls)
    lot, folder = ParkingLot(parts.blobs), settings.study_home / "downloads"
    return Fetch(settings, parts.blobs, parts.youtube, reader, lot, folder=folder, now=parts.now)


def _caption(parts: SharedResources) -> Agent:
    from agents.acquisition.caption import Caption

    return Caption(parts.settings, parts.blobs, parts.youtube)


def _transcribe(parts: SharedResources) -> Agent:
    from agents.transcription.transcribe import Transcribe

    return Transcribe(
        parts.settings,
        parts.blobs,
        lambda: parts.speech,
        parts.settings.study_home / "downloads",
        glossary=parts.glossary,
    )


def _split(parts: SharedResources) -> Agent:
    from agents.topics.split import Split

    return Split(parts.blobs, parts.embedder)


def _track(parts: SharedResources) -> Agent:
    from agents.topics.reader_lag import behind
    from agents.topics.track import Track
    from models.codebook.codebook import load
    from models.errors import BadInput
    from models.topics import TopicSettings

    try:
        codebook = load(parts.settings.codebook)
    except BadInput as error:
        raise Misconfigured(f"GROUNDSWELL_CODEBOOK is wrong: {error.cause}", error.cure) from error
    return Track(
        parts.blobs,
        codebook,
        parts.embedder,
        TopicSettings(sensitivity=parts.settings.sensitivity),
        told_in=parts.log_ids.get(TOPICS_CHANGED.name, ""),
        behind=lambda: behind(parts.settings, parts.bootstrap),
        shared=parts.settings.models_home / "texts",
    )


def _store(parts: SharedResources) -> Agent:
    from agents.storage.store import Store

    return Store(parts.warehouse, parts.blobs)


def _alert(parts: SharedResources) -> Agent:
    from agents.alerting.alert import Alert

    return Alert()


def _label(parts: SharedResources) -> Agent:
    from agents.topics.label import Label
    from streams.http.chat_completions import ChatCompletions
    from streams.store.talks import talk_queries

    settings = parts.settings
    if not settings.labeller_url:
        return Label(parts.blobs, None, lambda _: ())
    labeller = ChatCompletions(settings.labeller_url, settings.labeller_model, settings.labeller_key)
    return Label(
        parts.blobs,
        labeller,
        lambda topic_id: (row["text"] for row in talk_queries.quotes(parts.warehouse, topic_id)),
    )


_AGENTS: dict[str, Callable[[SharedResources], Agent]] = {
    "discover": _discover,
    "screen": _screen,
    "fetch": _fetch,
    "caption": _caption,
    "transcribe": _transcribe,
    "split": _split,
    "track": _track,
    "store": _store,
    "alert": _alert,
    "label": _label,
}
NAMES = tuple(_AGENTS)
"""The agents, in the order of the pipeline."""
WITH_DATABASE = frozenset({"discover", "store", "label"})
"""The agents that read or write ClickHouse."""


def build(name: str, parts: SharedResources) -> Agent:
    """Return the agent `name`; import only what it needs.

    Raises:
        Misconfigured: there is no such agent.
    """
    if name not in _AGENTS:
        raise Misconfigured(f"there is no agent {name!r}", f"choose from {', '.join(NAMES)}")
    return _AGENTS[name](parts)
