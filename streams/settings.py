"""Every setting Groundswell has, read from GROUNDSWELL_* environment variables.

The table in docs/reference/settings.md is generated from this module; a test fails when the two differ.
"""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams import addresses

EMBEDDED = addresses.EMBEDDED
PACKAGED = "packaged"
AUTO = "auto"
DAY_S, WEEK_S, YEAR_S = 86_400.0, 7 * 86_400.0, 365 * 86_400.0
RESERVED_STUDIES = frozenset({"default", "system", "information_schema"})


class Settings(BaseSettings):
    """One study's settings. Frozen: a process reads them once.

    Example:
        >>> Settings(study="rust_talks", home="/tmp/groundswell").study_home.name
        'rust_talks'
    """

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_", frozen=True, extra="ignore", allow_inf_nan=False
    )

    study: str = Field(
        "main",
        pattern=r"^[a-z][a-z0-9_]{0,40}$",
        description="Names the database and prefixes the Kafka topics: one study, one model, one codebook.",
    )
    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("groundswell"),
        description="Folder of the embedded database, blobs and assembled models.",
    )
    broker: str = Field(
        EMBEDDED,
        description="`embedded` starts a Tansu child process; `host:port[,host:port]` is a real Kafka.",
    )
    clickhouse: addresses.ClickHouseAddress = Field(
        EMBEDDED,
        description="`embedded` is chDB in this process; `clickhouse://user@host:8123` is a server.",
    )
    clickhouse_password: SecretStr = Field(SecretStr(""), description="Password of the ClickHouse user.")
    blobs: addresses.BlobsAddress = Field(
        "",
        description="fsspec URL for audio and artefacts (a folder or `s3://bucket/prefix`); "
        "empty: a folder under the home.",
    )
    partitions: int = Field(
        4,
        ge=1,
        le=256,
        description="Partitions of the Kafka topics before `track`; the embedded broker uses one.",
    )
    codebook: str = Field(
        "llm-in-production",
        description="Codebook that seeds topics and themes: a shipped name or a YAML file.",
    )
    languages: list[str] = Field(
        ["en"], description="Languages that pass screening (ISO 639-1), as JSON list."
    )
    min_duration_s: float = Field(
        180.0, ge=0, le=WEEK_S, description="Shorter videos are rejected (seconds)."
    )
    max_duration_s: float = Field(
        6 * 3600.0, gt=0, le=WEEK_S, description="Longer videos are rejected (seconds)."
    )
    poll_interval_s: float = Field(
        3600.0, ge=1, le=YEAR_S, description="How often a source is looked at (seconds)."
    )
    search_results: int = Field(50, ge=1, le=500, description="Results taken per search query.")
    proxy: str = Field("", description="Proxy for yt-dlp and feeds, as `http://host:port`.")
    cookies: str = Field(
        "",
        description="Cookie file (Netscape format) that yt-dlp signs in with; empty: as a guest. Such an "
        "account can be blocked.",
    )
    requests_per_hour: int = Field(
        250,
        ge=1,
        le=1_000_000,
        description="Videos and listings asked of YouTube per hour from one address or cookie file; a guest "
        "is refused above some 300.",
    )
    pause_s: float = Field(
        3600.0,
        gt=0,
        le=DAY_S,
        description="How long YouTube is left alone after it took this address for a bot or limited it "
        "(seconds); each time in a row doubles it, up to a day.",
    )
    internal_addresses: bool = Field(
        False,
        description="Let feeds and their audio be read from addresses inside this network: a company's own "
        "podcast.",
    )
    push_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Public address of this page, such as `https://talks.example.org`, at which a WebSub hub "
        "tells of new videos. Empty: no push, channels are looked at only.",
    )
    push_hub: str = Field(
        "https://pubsubhubbub.appspot.com/subscribe",
        pattern=r"^https?://\S+$",
        description="The WebSub hub that YouTube publishes to.",
    )
    youtube_api_key: SecretStr = Field(
        SecretStr(""), description="Key of the YouTube Data API: channels are listed with dates, for quota."
    )
    screening: Literal["rules", "automatic", "assisted", "review"] = Field(
        "rules",
        description="`rules`: what no rule rejects passes; `automatic`: the relevance model decides; "
        "`assisted`: what it would reject waits for reviewers; `review`: nothing passes unreviewed.",
    )
    reviewers: int = Field(2, ge=1, le=5, description="Reviewers that judge a video, blind to each other.")
    recall: float = Field(
        0.95,
        gt=0,
        le=1,
        description="Share of relevant videos that the relevance model's threshold is to let pass.",
    )
    captions: Literal["never", "draft"] = Field(
        "never",
        description="`draft`: captions that people wrote for a video of YouTube are its transcript until the "
        "recording is transcribed, or for good where it cannot be had. One more request for each video.",
    )
    follow_days: float = Field(
        30.0,
        ge=0,
        le=36_500,
        description="How many days until a known talk of YouTube is looked at again: was it deleted, made "
        "private or retitled? 0: never.",
    )
    keep_audio_days: float = Field(
        0.0,
        ge=0,
        le=36_500,
        description="Audio of a finished talk is deleted after so many days; 0: it is kept.",
    )
    min_free_gb: float = Field(
        2.0,
        ge=0,
        le=1_000_000,
        description="Nothing is fetched while less disk space than this is free (GB).",
    )
    insecure_tls: bool = Field(False, description="Accept any TLS certificate from the proxy (tests only).")
    whisper_model: str = Field(
        PACKAGED,
        description="`packaged` (Whisper base), a hub name such as `large-v3-turbo` or `large-v3`, a folder, "
        "or `auto`: `large-v3-turbo` where there is a GPU, else `packaged`.",
    )
    diarization_model: str = Field(
        PACKAGED,
        description="`packaged`, a hub name such as `pyannote/speaker-diarization-community-1`, or a folder.",
    )
    min_speakers: int = Field(
        0, ge=0, le=1_000, description="How many people speak in a talk at least; 0: not known."
    )
    max_speakers: int = Field(
        0, ge=0, le=1_000, description="How many people speak in a talk at most; 0: not known."
    )
    hotwords: str = Field(
        "",
        description="Names that the recogniser is told to expect, with commas between them; the first 220 "
        "tokens count. With others, the same talk has another transcript. Whisper base errs more with them.",
    )
    hotwords_from_title: bool = Field(
        False, description="Tell it each talk's title too. Whisper base writes worse with it."
    )
    glossary: str = Field(
        "",
        description="How names are written, corrected after recognition: a YAML file, or "
        "`llm-in-production`. Empty: transcripts stay as recognised.",
    )
    embedding_model: str = Field(
        PACKAGED, description="`packaged` (all-MiniLM-L6-v2), a sentence-transformers hub name, or a folder."
    )
    hf_token: SecretStr = Field(SecretStr(""), description="Hugging Face token for gated models.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Where speech models run.")
    threads: int = Field(
        0,
        ge=0,
        le=1_024,
        description="Threads per model; 0: half the cores (more of them wait for each other).",
    )
    max_tokens: int = Field(
        300, ge=20, le=510, description="Longest paragraph, in tokens of the embedding model."
    )
    sensitivity: Literal["low", "normal", "high"] = Field(
        "normal",
        description="How much evidence it takes to call a subject new: `low` is told less and later.",
    )
    labeller_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="OpenAI-compatible base such as `http://localhost:11434/v1`: its model names new topics, "
        "and sees their words and up to 3 paragraphs of each. Empty: nobody is asked.",
    )
    labeller_model: str = Field("", description="What the labeller's endpoint calls the model.")
    labeller_key: SecretStr = Field(SecretStr(""), description="The labeller's key, where it wants one.")
    alerts: str = Field(
        "",
        description="Rules and destinations of alerts (YAML); empty: `alerts.yaml` in the study's folder, "
        "or, where there is none, every rule as shipped and nobody told.",
    )
    web_url: str = Field(
        "",
        pattern=r"^(https?://\S+)?$",
        description="Address of the page as people reach it, such as `https://talks.example.org`: alerts "
        "link to it. Empty: where `groundswell run` serves it.",
    )
    speech_workers: int = Field(
        1,
        ge=1,
        le=16,
        description="Talks that a `transcribe` worker transcribes at a time, each in a process with models "
        "of its own: more keep a large GPU busy, and take its memory.",
    )
    lease_s: float = Field(
        60.0, gt=0, le=DAY_S, description="A transcription lease not renewed for this long is free."
    )
    dead_letter_ceiling: int = Field(
        100,
        ge=1,
        le=1_000_000_000,
        description="A worker stops after this many dead letters in a row, instead of draining.",
    )
    stall_s: float = Field(
        120.0, gt=0, le=DAY_S, description="Lag without progress for this long: not ready, then exit."
    )
    web_host: str = Field("127.0.0.1", description="Address the web page listens on.")
    web_port: int = Field(8000, ge=0, le=65535, description="Port of the web page; 0: any free port.")
    web_hosts: list[str] = Field(
        [],
        description="Names the page may be asked for, as JSON list. Empty: `localhost` and addresses where "
        "it listens on this machine alone, else any name.",
    )
    web_proxies: list[str] = Field(
        [],
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are "
        'believed, such as `["127.0.0.1"]`. Empty: nobody\'s.',
    )
    curators: str = Field(
        "",
        description="File of who may curate (`groundswell curators`); empty: `curators.json` in the study's "
        "folder.",
    )
    ops_port: int = Field(
        0, ge=0, le=65535, description="Port of a worker's /healthz, /readyz and /metrics; 0: any free port."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Log level (stderr).")
    log_json: bool = Field(False, description="Log lines as JSON.")

    @field_validator("web_proxies")
    @classmethod
    def _are_networks(cls, proxies: list[str]) -> list[str]:
        return [str(ip_network(each)) for each in proxies]

    @field_validator("study")
    @classmethod
    def _not_reserved(cls, study: str) -> str:
        if study in RESERVED_STUDIES:
            raise ValueError(
                f"{study!r} is a database of ClickHouse's own: choose another name for the study"
            )
        return study

    @model_validator(mode="after")
    def _speakers_can_be(self) -> Settings:
        if 0 < self.max_speakers < self.min_speakers:
            raise ValueError(
                f"GROUNDSWELL_MIN_SPEAKERS is {self.min_speakers} and GROUNDSWELL_MAX_SPEAKERS "
                f"{self.max_speakers}: swap them, or leave one at 0"
            )
        return self

    @model_validator(mode="after")
    def _labeller_is_whole(self) -> Settings:
        if self.labeller_url and not self.labeller_model:
            raise ValueError(
                "GROUNDSWELL_LABELLER_URL is set and GROUNDSWELL_LABELLER_MODEL is not: set both"
            )
        return self

    @property
    def embedded_broker(self) -> bool:
        """Whether this process starts its own broker."""
        return self.broker == EMBEDDED

    @property
    def embedded_clickhouse(self) -> bool:
        """Whether ClickHouse is chDB in this process."""
        return self.clickhouse == EMBEDDED

    @property
    def study_home(self) -> Path:
        """Folder of everything this study keeps on this machine."""
        return self.home / "studies" / self.study

    @property
    def blobs_url(self) -> str:
        """fsspec URL of the study's blobs."""
        return f"{self.blobs.rstrip('/')}/{self.study}" if self.blobs else str(self.study_home / "blobs")

    @property
    def alerts_file(self) -> Path:
        """Rules and destinations of alerts; it need not be there unless it is set."""
        return Path(self.alerts).expanduser() if self.alerts else self.study_home / "alerts.yaml"

    @property
    def curators_file(self) -> Path:
        """Who may curate, with hashes of their tokens; without it nobody may."""
        return Path(self.curators).expanduser() if self.curators else self.study_home / "curators.json"

    @property
    def models_home(self) -> Path:
        """Folder of the assembled packaged models, shared by all studies."""
        return self.home / "models"

    @property
    def front_partitions(self) -> int:
        """Partitions of the topics before `track`."""
        return 1 if self.embedded_broker else self.partitions

    @property
    def database_folder(self) -> Path:
        """Folder of the embedded ClickHouse."""
        return self.study_home / "clickhouse"

    @property
    def lock_file(self) -> Path:
        """Locked by the process that has the embedded database open (`streams.store.process_lock`)."""
        return self.study_home / "clickhouse.lock"

    @property
    def running_file(self) -> Path:
        """Written by `run` and `web` while they serve: {pid, url, broker}."""
        return self.study_home / "running.json"
