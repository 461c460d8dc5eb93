"""/system: progress, dead letters, sources, GPUs, versions and settings."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from prometheus_client import REGISTRY
from pydantic import SecretStr

from agents.consumer.replay import Action, settle
from agents.instance.event_publisher import arrived
from agents.instance.gpu import gpus
from agents.queries import wording
from agents.transcription.progress_view import how_far
from agents.web.curation.context import PATIENCE_S, as_refusal
from agents.web.dependencies import RequestRefused
from agents.web.pages.progress import unfinished
from agents.web.security.access import Curates
from agents.web.site import Site, TemplateContext
from streams.errors import Unavailable
from streams.kafka.admin import Cluster
from streams.settings import EMBEDDED, Settings
from streams.state.blobs import Blobs
from streams.store.operations import completeness, throughput
from streams.store.queries import corpus
from streams.store.rows.corpus import Provenance
from streams.store.talks import talk_queries
from streams.store.video_progress import STUCK

DAYS = 30
LETTERS = 50
"""Number of dead letters shown; the API and the command line have all of them."""
ACTIONS: Mapping[str, Action] = {"replay": "replayed", "drop": "dropped"}
MADE = "groundswell"


def mount(site: Site) -> None:
    """Add the page and the endpoint that settles dead letters."""
    settings = site.runtime.settings
    blobs = Blobs(settings.blobs_url)

    @site.page("/system", "system.html", twin="/api/stages")
    def system(replayed: str = "", dropped: str = "") -> TemplateContext:
        stages = site.ask(throughput.stages)
        letters = site.ask(talk_queries.dead_letters, False, LETTERS + 1)
        status = site.ask(talk_queries.standing)
        return {
            "title": "System",
            "stages": stages,
            "stuck": site.ask(completeness.unfinished, _long_ago(site.runtime.parts.now())),
            "stuck_hours": STUCK // timedelta(hours=1),
            "transcribing": how_far(blobs, site.runtime.parts.now()),
            "work": work(site.runtime.names, site.runtime.health.lag),
            "throughput": site.ask(throughput.throughput, "day", DAYS),
            "slots": DAYS,
            "freshness": site.ask(throughput.freshness),
            "letters": letters[:LETTERS],
            "letters_open": status["dead_letters"],
            "status": status,
            "unfinished": unfinished(site, status),
            "done": _done(replayed, dropped),
            "sources": site.ask(throughput.sources),
            "about": about(site.ask(corpus.provenance), site.warehouse.where),
            "settings": shown(settings),
        }

    @site.web.get("/system/gpu", include_in_schema=False, response_class=HTMLResponse)
    def gpu(request: Request) -> Response:
        page = {"title": "GPU", "section": "/system"}
        return site.render(request, "system_gpu.html", page | {"gpu": gpus()})

    @site.web.post("/system/dead-letters/{letter_id}/{action}", include_in_schema=False)
    async def settled(who: Curates, letter_id: str, action: Literal["replay", "drop"]) -> RedirectResponse:
        await asyncio.to_thread(_settle, site, blobs, letter_id, ACTIONS[action])
        return RedirectResponse(f"/system?{ACTIONS[action]}={letter_id[:10]}#dead-letters", 303)


def _long_ago(now: datetime) -> datetime:
    """Return the time before which a video that is on its way was found too long ago, by the whole hour."""
    return (now - STUCK).replace(minute=0, second=0, microsecond=0)


def _settle(site: Site, blobs: Blobs, letter_id: str, action: Action) -> None:
    """Replay or drop a dead letter, and wait a moment until the store reflects it.

    Raises:
        RequestRefused: 404, there is no such letter.
        Unavailable: no broker runs here or it does not answer.
    """
    letter = site.ask(talk_queries.dead_letter, letter_id)
    if letter is None:
        raise RequestRefused(
            404, f"there is no dead letter {letter_id[:40]!r}", "choose one on the System page"
        )
    runtime = site.runtime
    if runtime.bootstrap in {"", EMBEDDED}:
        raise Unavailable(
            f"no agent of study {runtime.settings.study!r} is running, so nothing would process the message",
            "start the agents with groundswell run (it serves this page too), then try again",
        )
    with as_refusal(), Cluster(runtime.settings, runtime.bootstrap) as cluster:
        settle(cluster, blobs, letter, action, runtime.parts.now())

    def is_settled() -> bool:
        found = site.ask(talk_queries.dead_letter, letter["letter_id"])
        return found is not None and found["settlement"] == action

    arrived(
        is_settled,
        say=lambda _: None,
        pause=time.sleep,
        patience_s=PATIENCE_S,
    )


def _done(replayed: str, dropped: str) -> str:
    """Return the confirmation after a dead letter was replayed or dropped."""
    if replayed:
        return f"Dead letter {replayed[:10]} was replayed. It will come back unless its cause is fixed."
    return (
        f"Dead letter {dropped[:10]} was dropped. It stays on record and can still be replayed."
        if dropped
        else ""
    )


def work(names: Sequence[str], lag: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return the work of this process's agents since it started.

    Returns:
        Rows {agent, lag, handled, dead_letters, seconds}: lag: messages behind, None until it is known;
        seconds: that one took it on average, None before the first.
    """
    counted: dict[tuple[str, str], float] = {}
    for metric in REGISTRY.collect():
        if metric.name in {"groundswell_events", "groundswell_handling_seconds"}:
            for sample in metric.samples:
                kind = sample.name.rpartition("_")[2]
                if kind in {"total", "count", "sum"}:
                    counted[sample.labels["agent"], sample.labels.get("outcome", kind)] = sample.value
    rows = []
    for name in names:
        handled = counted.get((name, "handled"), 0)
        times, seconds = counted.get((name, "count"), 0), counted.get((name, "sum"), 0)
        rows.append(
            {
                "agent": name,
                "lag": lag.get(name),
                "handled": int(handled),
                "dead_letters": int(counted.get((name, "dead_letter"), 0)),
                "seconds": seconds / times if times else None,
            }
        )
    return rows


def about(provenance: Provenance, where: str) -> list[tuple[str, str]]:
    """Return the versions of this process, and of the models and codebook behind the numbers."""
    return [
        ("Groundswell", version(MADE)),
        ("Python", platform.python_version()),
        ("System", f"{platform.system()} {platform.machine()}"),
        ("Database", where),
        ("Topic model", provenance["model_version"] or "none yet"),
        ("Embedding model", provenance["embedding_model"] or "none yet"),
        ("Transcripts", wording.transcripts(provenance["transcripts"])),
        ("Codebook", f"revision {provenance['revision']}"),
    ]


def shown(settings: Settings) -> list[dict[str, Any]]:
    """Return the settings as rows {name, value, about, changed, path}.

    The value of a secret is 'set' or 'not set'. `path`: it is a path of this machine.

    Example:
        >>> rows = shown(Settings(clickhouse="clickhouse://me:secret@db:8123"))
        >>> next(row["value"] for row in rows if row["name"] == "GROUNDSWELL_CLICKHOUSE")
        'clickhouse://me:…@db:8123'
    """
    rows = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            text = "set" if value.get_secret_value() else "not set"
        else:
            text = _without_secrets(str(value))
        changed = name in settings.model_fields_set and value != field.get_default(call_default_factory=True)
        rows.append(
            {
                "name": f"GROUNDSWELL_{name.upper()}",
                "value": text,
                "about": field.description or "",
                "changed": changed,
                "path": text.startswith(("/", "~", "file:")),
            }
        )
    return rows


def _without_secrets(text: str) -> str:
    """Return an address without its password and query."""
    try:
        parts = urlsplit(text)
        held = parts.password is not None
    except ValueError:
        return "not a valid address"
    if not parts.scheme or not parts.netloc:
        return text
    place = parts.netloc.rpartition("@")[2]
    user = f"{parts.username or ''}{':…' if held else ''}@" if "@" in parts.netloc else ""
    return urlunsplit((parts.scheme, f"{user}{place}", parts.path, "…" if parts.query else "", ""))
