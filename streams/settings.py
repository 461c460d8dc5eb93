"""Every setting Groundswell has, read from GROUNDSWELL_* environment variables.

The table in docs/reference/settings.md is generated from this module; a test fails when the two differ.
"""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from streams.connections import EMBEDDED, Connections, HttpAddress

__all__ = ["AUTO", "EMBEDDED", "PACKAGED", "Settings"]

PACKAGED = "packaged"
AUTO = "auto"
_SITE = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)
LICENCE = 120
"""Maximum length of `web_licence`."""
DAY_S, WEEK_S, YEAR_S = 86_400.0, 7 * 86_400.0, 365 * 86_400.0


class Settings(Connections):
    """Settings of one study: where it is (`streams.connections`), and what it does.

    Example:
        >>> Settings(study="rust_talks", home="/tmp/groundswell").study_home.name
        'rust_talks'
    """

    codebook: str = Field(
        "llm-in-production",
        description="Codebook that seeds topics and themes: the name of a bundled one, or a YAML file.",
    )
    languages: list[str] = Field(["en"], description="Languages that pass screening (ISO 639-1, JSON list).")
    min_duration_s: float = Field(
        180.0, ge=0, le=WEEK_S, description="Minimum duration (seconds); shorter talks are rejected."
    )
    max_duration_s: float = Field(
        6 * 3600.0, gt=0, le=WEEK_S, description="Maximum duration (seconds); longer talks are rejected."
    )
    poll_interval_s: float = Field(
        3600.0, ge=1, le=YEAR_S, description="Interval at which a source is polled (seconds)."
    )
    search_results: int = Field(50, ge=1, le=500, description="Number of results read per search query.")
    proxy: str = Field("", description="Proxy for yt-dlp and feeds, as `http://host:port`.")
    cookies: str = Field(
        "",
        description="Cookie file (Netscape format) with which yt-dlp signs in. Empty: yt-dlp is a guest. "
        "YouTube can block the account.",
    )
    requests_per_hour: int = Field(
        250,
        ge=1,
        le=1_000_000,
        description="Videos and listings requested from YouTube per hour from one address or cookie file; "
        "YouTube refuses guests above about 300.",
    )
    pause_s: float = Field(
        3600.0,
        gt=0,
        le=DAY_S,
        description="Pause after YouTube took this address for a bot or limited its requests (seconds). Each "
        "refusal in a row doubles it, up to a day.",
    )
    internal_addresses: bool = Field(
        False,
        description="Allow feeds and their audio to be read from addresses inside this network, such as a "
        "company's own podcast.",
    )
    push_url: HttpAddress = Field(
        "",
        description="Public address of this page, such as `https://talks.example.org`, to which a WebSub hub "
        "pushes new videos. Empty: no push; channels are only polled.",
    )
    push_hub: HttpAddress = Field(
        "https://pubsubhubbub.appspot.com/subscribe",
        min_length=1,
        description="The WebSub hub that YouTube publishes to.",
    )
    youtube_api_key: SecretStr = Field(
        SecretStr(""), description="Key of the YouTube Data API: lists channels with dates, but costs quota."
    )
    screening: Literal["rules", "automatic", "assisted", "review"] = Field(
        "rules",
        description="`rules`: only rules reject talks; `automatic`: the relevance model decides; "
        "`assisted`: reviewers decide on talks that it would reject; `review`: reviewers decide on all.",
    )
    reviewers: int = Field(2, ge=1, le=5, description="Reviewers who judge each talk, blind to each other.")
    recall: float = Field(
        0.95,
        gt=0,
        le=1,
        description="Share of the relevant talks that the relevance model's threshold should let pass.",
    )
    captions: Literal["never", "draft"] = Field(
        "never",
        description="`draft`: human-written YouTube captions serve as the transcript until the recording is "
        "transcribed, or permanently if it is unavailable. Costs one more request per video.",
    )
    follow_days: float = Field(
        30.0,
        ge=0,
        le=36_500,
        description="Days until a known YouTube video is checked again for being deleted, made private or "
        "retitled. 0: never.",
    )
    keep_audio_days: float = Field(
        0.0,
        ge=0,
        le=36_500,
        description="Days after which the audio of a finished talk is deleted. 0: it is kept.",
    )
    min_free_gb: float = Field(
        2.0,
        ge=0,
        le=1_000_000,
        description="Minimum free disk space (GB); below it, nothing is fetched.",
    )
    insecure_tls: bool = Field(False, description="Accept any TLS certificate from the proxy (tests only).")
    whisper_model: str = Field(
        PACKAGED,
        description="Speech recognition model: `packaged` (Whisper base), a hub name such as "
        "`large-v3-turbo` or `large-v3`, a folder, or `auto` (`large-v3-turbo` with a GPU, else `packaged`).",
    )
    diarization_model: str = Field(
        PACKAGED,
        description="`packaged`, a hub name such as `pyannote/speaker-diarization-community-1`, or a folder.",
    )
    min_speakers: int = Field(
        0, ge=0, le=1_000, description="Minimum number of speakers in a talk; 0: unknown."
    )
    max_speakers: int = Field(
        0, ge=0, le=1_000, description="Maximum number of speakers in a talk; 0: unknown."
    )
    hotwords: str = Field(
        "",
        description="Names that the recogniser should expect, separated by commas; only the first 220 tokens "
        "count. Changing them changes transcripts. Whisper base makes more errors with them.",
    )
    hotwords_from_title: bool = Field(
        False, description="Use each talk's title as hotwords too; Whisper base makes more errors with it."
    )
    glossary: str = Field(
        "",
        description="Spellings of names, applied after recognition: a YAML file, or `llm-in-production`. "
        "Empty: transcripts stay as recognised.",
    )
    embedding_model: str = Field(
        PACKAGED, description="`packaged` (all-MiniLM-L6-v2), a sentence-transformers hub name, or a folder."
    )
    hf_token: SecretStr = Field(SecretStr(""), description="Hugging Face token for gated models.")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Device that speech models run on.")
    threads: int = Field(
        0, ge=0, le=1_024, description="Threads per model; 0: half the cores, as more would wait."
    )
    max_tokens: int = Field(
        300, ge=20, le=510, description="Maximum tokens of a paragraph; changing it needs a rebuild."
    )
    sensitivity: Literal["low", "normal", "high"] = Field(
        "normal",
        description="Sensitivity to new subjects: `low` needs more evidence, so alerts are fewer and later.",
    )
    labeller_url: HttpAddress = Field(
        "",
        description="OpenAI-compatible base URL such as `http://localhost:11434/v1`. Its model names new "
        "topics; it receives their words and up to 3 paragraphs of each. `groundswell codebook ask-model` "
        "also sends it paragraphs to judge. Empty: no labeller is used.",
    )
    labeller_model: str = Field("", description="Name of the model at the labeller's endpoint.")
    labeller_key: SecretStr = Field(SecretStr(""), description="API key of the labeller, if it needs one.")
    alerts: str = Field(
        "",
        description="Rules and destinations of alerts (YAML). Empty: `alerts.yaml` in the study's folder; "
        "without that file, every rule has its default and nobody is notified.",
    )
    web_url: HttpAddress = Field(
        "",
        description="Address of the page as people reach it, such as `https://talks.example.org`; alerts "
        "link to it. Empty: the address at which `groundswell run` serves it.",
    )
    speech_workers: int = Field(
        1,
        ge=1,
        le=16,
        description="Talks that a `transcribe` worker transcribes at the same time, each in a process with "
        "its own models. More workers keep a large GPU busy, but take more of its memory.",
    )
    lease_s: float = Field(
        60.0, gt=0, le=DAY_S, description="Seconds until a transcription lease expires without renewal."
    )
    dead_letter_ceiling: int = Field(
        100,
        ge=1,
        le=1_000_000_000,
        description="Dead letters in a row after which a worker stops, instead of draining its topics.",
    )
    stall_s: float = Field(
        120.0, gt=0, le=DAY_S, description="Seconds of lag without progress: not ready after half, then exit."
    )
    web_host: str = Field("127.0.0.1", description="Address on which the web page listens.")
    web_port: int = Field(8000, ge=0, le=65535, description="Port of the web page; 0: any free port.")
    web_hosts: list[str] = Field(
        [],
        description="Host names under which the page answers, as a JSON list. Empty: `localhost` and IP "
        "addresses if it listens only on this machine, otherwise any name.",
    )
    web_proxies: list[str] = Field(
        [],
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are "
        'trusted, such as `["127.0.0.1"]`. Empty: none.',
    )
    web_frames: list[str] = Field(
        [],
        description="Sites that may show pages in a frame, as a JSON list, such as "
        '`["https://intranet.example.org"]`. Empty: none.',
    )
    web_licence: str = Field(
        "",
        description="Licence of charts and data, such as `CC BY 4.0, Example Institute`, for the page's "
        "footer and for saved pictures. At most 120 characters. Empty: none is named.",
    )
    web_upload_mb: int = Field(
        2_000,
        ge=1,
        le=100_000,
        description="Megabytes that curators can add at a time with the page's form for files.",
    )
    curators: str = Field(
        "",
        description="File of the curators (`groundswell curators`). Empty: `curators.json` in the study's "
        "folder.",
    )
    ops_host: str = Field("127.0.0.1", description="Address of a worker's /healthz, /readyz and /metrics.")
    ops_port: int = Field(
        0, ge=0, le=65535, description="Port of a worker's /healthz, /readyz and /metrics; 0: any free port."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Log level (stderr).")
    log_json: bool = Field(False, description="Write log lines as JSON.")
    otlp_endpoint: HttpAddress = Field(
        "",
        description="Address of an OpenTelemetry collector (OTLP over HTTP), such as "
        "`http://collector:4318`, that receives a trace of each talk. Empty: nothing is traced.",
    )

    @field_validator("web_frames")
    @classmethod
    def _are_sites(cls, sites: list[str]) -> list[str]:
        for each in sites:
            if not _SITE.fullmatch(each):
                raise ValueError(f"{each[:80]!r} is not a site such as https://intranet.example.org")
        return sites

    @field_validator("web_licence")
    @classmethod
    def _is_a_short_line(cls, licence: str) -> str:
        licence = licence.strip()
        if len(licence) > LICENCE or not licence.isprintable():
            raise ValueError(
                f"{licence[:80]!r} is not one line of at most {LICENCE} printable characters, such as "
                "CC BY 4.0, Example Institute"
            )
        return licence

    @field_validator("web_proxies")
    @classmethod
    def _are_networks(cls, proxies: list[str]) -> list[str]:
        return [str(ip_network(each)) for each in proxies]

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
            raise ValueError("GROUNDSWELL_LABELLER_URL is set, GROUNDSWELL_LABELLER_MODEL is not: set both")
        return self

    @property
    def alerts_file(self) -> Path:
        """File of the alerts' rules and destinations; it is optional unless `alerts` names it."""
        return Path(self.alerts).expanduser() if self.alerts else self.study_home / "alerts.yaml"

    @property
    def curators_file(self) -> Path:
        """File of the curators and the hashes of their tokens; without it, nobody may curate."""
        return Path(self.curators).expanduser() if self.curators else self.study_home / "curators.json"

    @property
    def models_home(self) -> Path:
        """Folder of the assembled packaged models, shared by all studies."""
        return self.home / "models"
