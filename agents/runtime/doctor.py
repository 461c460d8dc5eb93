"""Checks of the requirements of a study on this machine; a failed check names its cure."""

from __future__ import annotations

import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from streams.errors import Explained
from streams.settings import AUTO, PACKAGED, Settings


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check: ok, warn (the study works, with a limitation) or fail."""

    what: str
    verdict: Literal["ok", "warn", "fail"]
    found: str
    cure: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return the result as a JSON object."""
        return asdict(self)


def examine(settings: Settings) -> Iterator[CheckResult]:
    """Yield the result of every check; an exception in a check becomes a failed result."""
    for what, check in CHECKS.items():
        try:
            yield check(settings)
        except Explained as error:
            yield CheckResult(what, "fail", error.cause, error.cure)
        except Exception as error:
            cause, cure = getattr(error, "cause", None), getattr(error, "cure", None)
            yield CheckResult(
                what, "fail", cause or f"{type(error).__name__}: {error}", cure or "see the message"
            )


def _broker(settings: Settings) -> CheckResult:
    from streams.kafka.admin import Cluster
    from streams.kafka.embedded_broker import EmbeddedBroker
    from streams.kafka.security import protocol

    if settings.embedded_broker:
        with EmbeddedBroker() as broker, Cluster(settings, broker.bootstrap) as cluster:
            cluster.wait(patience_s=5)
        return CheckResult("broker", "ok", "embedded (Tansu) starts and answers")
    with Cluster(settings, settings.broker) as cluster:
        cluster.wait(patience_s=0)
    found = f"Kafka at {settings.broker} answers ({protocol(settings)})"
    if settings.broker_sasl == "PLAIN" and not settings.broker_tls:
        cure = "set GROUNDSWELL_BROKER_TLS=true, or log in by SCRAM-SHA-512"
        return CheckResult("broker", "warn", f"{found}; the password is sent unencrypted", cure)
    if settings.broker_sasl == "OAUTHBEARER" and not settings.broker_tls:
        cure = "set GROUNDSWELL_BROKER_TLS=true"
        return CheckResult("broker", "warn", f"{found}; access tokens are sent unencrypted", cure)
    if settings.broker_token_url.startswith("http://"):
        cure = "set GROUNDSWELL_BROKER_TOKEN_URL to an https address"
        return CheckResult("broker", "warn", f"{found}; the client's secret is sent unencrypted", cure)
    return CheckResult("broker", "ok", found)


def _clickhouse(settings: Settings) -> CheckResult:
    from agents.instance.running_instance import find
    from streams.store.operations.damage import CURE, damaged_parts, missing_rows
    from streams.store.warehouse import Warehouse

    if settings.embedded_clickhouse and (running := find(settings)) is not None:
        return CheckResult(
            "clickhouse", "ok", f"embedded, in use by the running groundswell (pid {running.pid})"
        )
    with Warehouse(settings, patience_s=0) as warehouse:
        version = warehouse.rows("SELECT version() AS version")[0]["version"]
        missing = [] if settings.embedded_clickhouse else warehouse.missing_migrations()
        if missing:
            found = f"{warehouse.where} lacks migrations {missing}"
            return CheckResult("clickhouse", "fail", found, "run groundswell migrate")
        if damaged := damaged_parts(warehouse):
            return CheckResult("clickhouse", "fail", missing_rows(damaged), CURE)
        return CheckResult("clickhouse", "ok", f"{warehouse.where}, version {version}")


def _blobs(settings: Settings) -> CheckResult:
    from streams.state.blobs import Blobs

    key = f"doctor/{uuid.uuid4().hex}"
    try:
        blobs = Blobs(settings.blobs_url)
        blobs.put(key, b"ok")
        blobs.get(key)
        blobs.delete(key)
    except Explained as error:
        return CheckResult("blobs", "fail", error.cause, error.cure)
    if "://" not in settings.blobs_url:
        free_gb = shutil.disk_usage(settings.blobs_url).free / 1e9
        if free_gb < 5:
            found = f"{settings.blobs_url}: only {free_gb:.1f} GB free"
            return CheckResult("blobs", "warn", found, "free disk space: an hour of audio is about 60 MB")
        return CheckResult("blobs", "ok", f"{settings.blobs_url}, {free_gb:.0f} GB free")
    return CheckResult("blobs", "ok", settings.blobs_url)


def _models(settings: Settings) -> CheckResult:
    names = (settings.whisper_model, settings.diarization_model, settings.embedding_model)
    if {PACKAGED, AUTO} & set(names):
        from models.bundled_models import prepare

        prepare(settings.models_home)
    for name in names:
        if name != PACKAGED and name.startswith(("/", "./", "~")) and not Path(name).expanduser().exists():
            return CheckResult(
                "models", "fail", f"there is no folder {name}", "correct the path in the model's setting"
            )
    gated = any(name.startswith("pyannote/") for name in names)
    if gated and not settings.hf_token.get_secret_value():
        cure = "set GROUNDSWELL_HF_TOKEN to a token that accepted the model's conditions"
        return CheckResult(
            "models", "warn", f"{settings.diarization_model} may be gated, and no token is set", cure
        )
    return CheckResult("models", "ok", ", ".join(dict.fromkeys(names)))


def _decoder(settings: Settings) -> CheckResult:
    import av

    versions = ".".join(str(part) for part in av.library_versions["libavcodec"])
    return CheckResult("decoder", "ok", f"PyAV {av.__version__} with its own FFmpeg (libavcodec {versions})")


def _javascript(settings: Settings) -> CheckResult:
    beside = Path(sys.executable).with_name("deno")
    found = str(beside) if beside.exists() else shutil.which("deno")
    if found:
        return CheckResult("javascript", "ok", f"deno at {found}, for yt-dlp")
    cure = "pip install deno (it is in requirements.lock)"
    return CheckResult("javascript", "fail", "yt-dlp needs deno to read YouTube, and cannot find it", cure)


def _cookies(settings: Settings) -> CheckResult:
    from streams.youtube.cookies import read_cookies

    if not settings.cookies:
        return CheckResult("cookies", "ok", "none: YouTube is read as a guest")
    read_cookies(Path(settings.cookies))
    return CheckResult("cookies", "ok", f"{settings.cookies} has cookies of youtube.com")


def _gpu(settings: Settings) -> CheckResult:
    import ctranslate2

    count = ctranslate2.get_cuda_device_count()
    if count:
        return CheckResult("gpu", "ok", f"{count} CUDA device{'s' * (count > 1)}")
    if settings.device == "cuda":
        return CheckResult(
            "gpu", "fail", "GROUNDSWELL_DEVICE=cuda, but there is no CUDA device", "set it to auto or cpu"
        )
    cure = "fine for transcripts and short talks; long talks need a GPU"
    return CheckResult("gpu", "warn", "no CUDA device: speech runs on the CPU", cure)


CHECKS: dict[str, Callable[[Settings], CheckResult]] = {
    "broker": _broker,
    "clickhouse": _clickhouse,
    "blobs": _blobs,
    "models": _models,
    "decoder": _decoder,
    "javascript": _javascript,
    "cookies": _cookies,
    "gpu": _gpu,
}
