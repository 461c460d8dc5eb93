"""Queries about alerts for the page and the command line: rules, destinations, a test, a preview."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

from agents.alerting import apprise_client, config, config_file, digest, messages
from agents.alerting.config import AlertConfig, Destination
from agents.alerting.digest import Digest
from agents.queries.registry import Ask
from streams.errors import Explained
from streams.settings import Settings

PREVIEWED = 200


def book(settings: Settings) -> AlertConfig:
    """Return the study's alert configuration as in its file.

    Raises:
        Misconfigured: the file is wrong.
    """
    return config_file.read(settings.alerts_file, must_exist=bool(settings.alerts))


def rules(settings: Settings) -> list[dict[str, Any]]:
    """Return every rule: [{rule, on, about, cool_down_hours, settings}].

    Raises:
        Misconfigured: the file is wrong.
    """
    found = book(settings).rules
    return [
        {
            "rule": name,
            "on": (rule := found.of(name)).on,
            "about": PLAIN.get(name) or " ".join((type(rule).__doc__ or "").split()),
            "cool_down_hours": rule.cool_down_hours,
            "settings": {
                field: value
                for field, value in rule.model_dump(mode="json").items()
                if field not in ("on", "cool_down_hours")
            },
        }
        for name in config.RULES
    ]


PLAIN = {
    "emergence": "Talks have begun to discuss a new topic.",
    "one source": "A single source has begun to discuss a new topic, and keeps discussing it.",
    "source": "A watched channel, playlist or search cannot be read.",
}
"""Descriptions of the rules that have no class of their own."""


def destinations(settings: Settings, environment: Mapping[str, str] = os.environ) -> list[dict[str, Any]]:
    """Return the destinations: [{name, address, error, rules, send, at, day, zone, quiet}].

    Addresses are masked. A wrong address is reported in its row's `error`.

    Raises:
        Misconfigured: the file is wrong.
    """
    return [_described(each, settings, environment) for each in book(settings).destinations]


def _described(
    destination: Destination, settings: Settings, environment: Mapping[str, str]
) -> dict[str, Any]:
    address, error = "", ""
    try:
        full = destination.address(environment, settings.alerts_file.parent)
        address = apprise_client.masked(full, destination.name)
    except Explained as wrong:
        error = str(wrong)
    quiet = destination.quiet
    return {
        "name": destination.name,
        "address": address,
        "error": error,
        "rules": list(destination.rules) if destination.rules is not None else None,
        "send": destination.send,
        "at": f"{destination.at:%H:%M}" if destination.schedule else None,
        "day": destination.day if destination.send == "weekly" else None,
        "zone": destination.zone,
        "quiet": f"{quiet.start:%H:%M} to {quiet.end:%H:%M}" if quiet else None,
    }


def test(
    settings: Settings,
    name: str | None = None,
    *,
    web_url: str = "",
    environment: Mapping[str, str] = os.environ,
    patience_s: float = 60.0,
) -> list[dict[str, Any]]:
    """Send a test message to one destination, or to all of them in parallel, and wait for the results.

    Blocks for at most `patience_s` seconds per destination: call it from a thread.

    Returns:
        [{destination, delivered, error}], in the order of the file.

    Raises:
        Misconfigured: the file is wrong or has no such destination.
    """
    known = book(settings)
    chosen: Sequence[Destination] = [known.destination(name)] if name is not None else known.destinations
    pool = ThreadPoolExecutor(max_workers=max(1, len(chosen)))

    def one(destination: Destination) -> str:
        message = messages.of_test(destination.name, settings.study, settings.web_url or web_url)
        try:
            address = destination.address(environment, settings.alerts_file.parent)
            apprise_client.send(address, destination.name, message)
        except (Explained, apprise_client.NotDeliveredError) as error:
            return str(error)
        return ""

    sent = [(each, pool.submit(one, each)) for each in chosen]
    results = []
    for destination, future in sent:
        try:
            error = future.result(timeout=patience_s)
        except TimeoutError:
            error = f"no answer within {patience_s:g} s"
        results.append({"destination": destination.name, "delivered": not error, "error": error})
    pool.shutdown(wait=False, cancel_futures=True)
    return results


def preview(ask: Ask, settings: Settings, now: datetime, *, days: int, web_url: str = "") -> Digest:
    """Return the digest of the last `days` days as it would be sent now, over all rules; record nothing."""
    first = now - timedelta(days=days)
    rows = [
        row
        for row in ask("alerts_raised", limit=PREVIEWED)
        if not row["repeat"] and row["raised_at"] and digest.moment(row["raised_at"]) >= first
    ]
    return digest.gather(
        ask,
        rows,
        study=settings.study,
        web_url=settings.web_url or web_url,
        every="weekly" if days > 1 else "daily",
        first=first,
        last=now,
    )
