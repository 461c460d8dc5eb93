"""/alerts: alerts raised, rules, destinations and deliveries; a test message and a preview of the digest.

A digest is a page of its own with its own Content-Security-Policy, which allows inline styles only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from agents.alerting import config, digest, queries
from agents.alerting.config import RULES, SYSTEM
from agents.alerting.messages import Message
from agents.queries.registry import asking
from agents.web.pages.operation.rule_words import in_words, length
from agents.web.security.access import Curates
from agents.web.site import HEADERS, Site, TemplateContext
from streams.errors import Misconfigured
from streams.settings import Settings
from streams.store.operations import deliveries
from streams.store.operations.delivery_status import delivery_status
from streams.store.rows.deliveries import DeliveryStatus

RAISED, DELIVERED = 20, 50
"""Numbers of alerts and deliveries shown; the API has all of them."""
STATES: Mapping[str, str] = {
    "delivered": "delivered",
    "failed": "not delivered",
    "held": "held for later",
    "skipped": "skipped",
}
"""Label of each delivery state."""
Rule = Annotated[Literal[""] | config.Rule, Query()]
State = Annotated[Literal["", "delivered", "failed", "held", "skipped"], Query()]
Days = Annotated[int, Query(ge=1, le=366, description="Number of days that the digest covers.")]
LETTER = HEADERS | {
    # A digest has inline styles, like a mail. It keeps this page's origin, so that its links work with the
    # reader's session; without scripts and forms it cannot misuse that.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-same-origin",
}
EXAMPLE = """\
rules:                      # rules not listed here keep their defaults
  rising: {on: true, at_least_points: 5}
  threshold: {bounds: [{topic: Evaluation, share: 0.2}]}
destinations:               # url_env names a variable, url_file a file: one line, an Apprise URL
  - name: team
    url_env: TEAM_CHAT      # such as slack://… or discord://…
    zone: Europe/Berlin
    quiet: {from: 22:00, to: 07:00}
  - {name: ann, url_file: ann.url, send: weekly, day: monday, at: 08:00, zone: Europe/Berlin}
  - {name: operations, url_env: PAGER, rules: [meaning, lag, stuck, dead letters, silence, source]}
"""
"""Example of an alerts.yaml."""


def mount(site: Site) -> None:
    """Add the pages and the endpoint of the test message."""
    settings = site.runtime.settings

    def shown(rule: str, state: str, tested: Sequence[Mapping[str, Any]] = ()) -> TemplateContext:
        stands = site.ask(delivery_status)
        return {
            "title": "Alerts",
            "raised": site.ask(deliveries.alerts_raised, RAISED, rule),
            "rule": rule,
            "system": SYSTEM,
            "every_rule": RULES,
            "deliveries": site.ask(deliveries.deliveries, DELIVERED, state=state),
            "state": state,
            "states": STATES,
            "counts": {
                "delivered": sum(row["delivered"] for row in stands),
                "failed": sum(row["failed"] for row in stands),
                "held": sum(row["held"] for row in stands),
                "skipped": sum(row["skipped"] for row in stands),
            },
            "tested": tested,
            "example": EXAMPLE,
        } | in_force(settings, stands)

    @site.page("/alerts", "alerting.html", section="/emerging", twin="/api/alerts_raised")
    def alerts(rule: Rule = "", state: State = "") -> TemplateContext:
        return shown(rule, state)

    @site.web.post("/alerts/test", include_in_schema=False, response_class=HTMLResponse)
    async def test(
        request: Request, who: Curates, destination: Annotated[str, Form(max_length=200)] = ""
    ) -> Response:
        sent = partial(queries.test, settings, destination or None, web_url=str(request.base_url))
        tested = await asyncio.to_thread(sent)
        about = {"section": "/emerging", "twin": "/api/alerts_raised"}
        page = await asyncio.to_thread(shown, "", "", tested)
        return site.render(request, "alerting.html", about | page | {"here": "/alerts"})

    @site.web.get("/alerts/test", include_in_schema=False)
    def nothing_to_see() -> RedirectResponse:
        # The address in the browser after a test, requested when the page is reloaded.
        return RedirectResponse("/alerts", 303)

    def letter(request: Request, days: int) -> Message:
        def made(warehouse: Any) -> digest.Digest:
            now, where = site.runtime.parts.now(), str(request.base_url)
            return queries.preview(asking(warehouse), settings, now, days=days, web_url=where)

        return digest.write(site.ask(made))

    @site.web.get("/alerts/digest", include_in_schema=False, response_class=HTMLResponse)
    def as_mail(request: Request, days: Days = 7) -> Response:
        return HTMLResponse(letter(request, days).html, headers=LETTER)

    @site.web.get("/alerts/digest.txt", include_in_schema=False)
    def as_text(request: Request, days: Days = 7) -> Response:
        message = letter(request, days)
        return Response(
            f"{message.title}\n\n{message.text}", headers=LETTER, media_type="text/plain; charset=utf-8"
        )


def in_force(settings: Settings, stands: Sequence[DeliveryStatus]) -> TemplateContext:
    """Return the rules and destinations in force, or the error in their file.

    Args:
        settings: they name the file.
        stands: how deliveries stand.

    Returns:
        {file, there, wrong, rules, destinations}: there: whether there is such a file; wrong: what is the
        matter with it, an error with cause and cure, else None (then rules and destinations are empty).
        rules and destinations as of `agents.alerting.queries`; a rule with `tells` and `again`, a destination
        with `when` and `stands`, its row of `stands` or None.
    """
    found: TemplateContext = {
        "file": str(settings.alerts_file),
        "there": settings.alerts_file.exists(),
        "wrong": None,
        "rules": [],
        "destinations": [],
    }
    by_name = {row["destination"]: row for row in stands}
    try:
        return found | {
            "rules": [
                rule
                | {
                    "tells": in_words(rule, settings.sensitivity),
                    "again": length(rule["cool_down_hours"]) if rule["cool_down_hours"] else "",
                }
                for rule in queries.rules(settings)
            ],
            "destinations": [
                each | {"when": when(each), "stands": by_name.get(each["name"])}
                for each in queries.destinations(settings)
            ],
        }
    except Misconfigured as error:
        return found | {"wrong": error}


def when(destination: Mapping[str, Any]) -> str:
    """Return when a destination is notified, in words.

    Example:
        >>> when({"send": "weekly", "day": "monday", "at": "08:00", "zone": "UTC"})
        'a digest every Monday at 08:00 (UTC)'
    """
    if destination["send"] == "instant":
        return "immediately"
    every = destination["day"].capitalize() if destination["send"] == "weekly" else "day"
    return f"a digest every {every} at {destination['at']} ({destination['zone']})"
