"""/emerging: alerts about new and changing topics, with their evidence and people's verdicts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Form, Query, Request
from fastapi.responses import RedirectResponse

from agents.alerting.alert_verdicts import Verdict, record_verdict
from agents.alerting.messages import sides
from agents.instance.event_publisher import arrived
from agents.queries import registry
from agents.web.curation.context import PATIENCE_S, CurationContext, as_refusal
from agents.web.dependencies import Page, RequestRefused, Selected
from agents.web.pages.topics.months import columns
from agents.web.pages.topics.sparklines import of_talks, sparklines
from agents.web.security.access import Curates
from agents.web.site import Site, TemplateContext, query
from models.stats.trend import trend
from streams.logs.alert_judgements import AlertJudgements
from streams.store import missing
from streams.store.codebook.effective import book
from streams.store.queries import prevalence
from streams.store.queries.emerging import RULES, emerging, is_alert
from streams.store.rows.alerts import Card

CARDS = 8
"""Number of cards per page."""
FIRED: Mapping[str, str] = {
    "emergence": "Talks have begun to discuss it",
    "one source": "A single source keeps discussing it",
    "new topic": "A new topic: similar passages in several talks that no topic covered",
    "rising": "Its share of talks rose by more than chance explains",
    "declining": "Its share of talks fell by more than chance explains",
    "drift": "Talks discuss it differently than before",
    "threshold": "Its share crossed a configured threshold",
}
"""Explanation of each rule."""
Rule = Annotated[
    Literal["", "emergence", "one source", "new topic", "rising", "declining", "drift", "threshold"], Query()
]
VERDICTS: Mapping[str, Verdict] = {"confirm": "confirmed", "dismiss": "dismissed", "reopen": "reopened"}


def mount(site: Site) -> None:
    """Add the page and the endpoint for verdicts."""
    desk = CurationContext(site)

    @site.page("/emerging", "emerging.html", twin="/api/emerging")
    def feed(selected: Selected, rule: Rule = "", page: Page = 1) -> TemplateContext:
        rows = site.ask(emerging, selected, rule, CARDS, CARDS * (page - 1))
        applied = site.ask(book, selected.codebook)
        topics = {row["topic_id"]: row for row in site.ask(registry.topics, selected, applied)}
        by_month = site.ask(prevalence.topic_months, selected, applied)
        months = columns(by_month, site.today)
        drawn = sparklines(by_month, months, {each for row in rows if (each := row["topic_id"])})
        cards: list[dict[str, Any]] = [
            {
                **row,
                "fired": FIRED[row["rule"]],
                "counted": topics.get(row["topic_id"]) if row["topic_id"] else None,
                "growth": growth(row),
                "sides": sides(row),
                "sparkline": (drawn.get(row["topic_id"]) if row["topic_id"] else None)
                or of_talks(row["published"].values(), months),
            }
            for row in rows
        ]
        return {
            "title": "Emerging",
            "rule": rule,
            "rules": RULES,
            "fired": FIRED,
            "cards": [card for card in cards if card["verdict"] != "dismissed"],
            "dismissed": [card for card in cards if card["verdict"] == "dismissed"],
            "page": page,
            "pages": -(-(rows[0]["found"] if rows else 0) // CARDS),
            "found": rows[0]["found"] if rows else 0,
        }

    @site.web.post("/emerging/{alert_id}/{action}", include_in_schema=False)
    async def judged(
        request: Request,
        who: Curates,
        alert_id: str,
        action: Literal["confirm", "dismiss", "reopen"],
        note: Annotated[str, Form()] = "",
    ) -> RedirectResponse:
        await asyncio.to_thread(_judge, site, desk, who.name, alert_id, VERDICTS[action], note)
        return RedirectResponse(f"/emerging{query(request.query_params)}#alert-{alert_id}", 303)


def _judge(  # noqa: PLR0917
    site: Site, desk: CurationContext, author: str, alert_id: str, verdict: Verdict, note: str
) -> None:
    if not site.ask(is_alert, alert_id):
        raise RequestRefused(404, f"there is no alert {alert_id[:80]!r}", "choose one on the Emerging page")
    log = AlertJudgements(desk.blobs)
    late = missing.alert_judgements(log, site.warehouse)
    with as_refusal(), desk.deliver() as deliver:
        record_verdict(log, deliver, late, site.runtime.parts.now, author, alert_id, verdict, note)
    arrived(
        lambda: not missing.alert_judgements(log, site.warehouse),
        say=lambda _: None,
        pause=time.sleep,
        patience_s=PATIENCE_S,
    )


def growth(row: Card) -> dict[str, float] | None:
    """Return the growth of the share of talks that discuss it; None without evidence.

    Returns:
        {share, before, change, low, high}: shares in [0, 1], and the 95 % interval of their difference.
    """
    if not row["channel"] or not row["recent_of"] or not row["earlier_of"]:
        return None
    found = trend(row["recent"], row["recent_of"], row["earlier"], row["earlier_of"])
    return {
        "share": found.share,
        "before": found.share_before,
        "change": found.change,
        "low": found.change_interval.low,
        "high": found.change_interval.high,
    }
