"""/history: rebuilds, genealogy and drift of topics, people's decisions and corrections, boilerplate."""

from __future__ import annotations

from agents.curation.rebuild_changes import rebuild_changes
from agents.web.site import Site, TemplateContext
from streams.store.codebook import decisions
from streams.store.queries import alerts, genealogy
from streams.store.talks import talks

QUOTES = 3
DRIFTS = 3
STORY = 30
"""Maximum number of entries shown of each kind; the API has all of them."""


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/history", "history.html", section="/topics", twin="/api/genealogy")
    def history() -> TemplateContext:
        story = site.ask(genealogy.genealogy)
        corrections = site.ask(talks.corrections)
        return {
            "title": "History",
            "rebuilt": site.ask(rebuild_changes),
            "genealogy": story[: -STORY - 1 : -1],
            "earlier": max(0, len(story) - STORY),
            "drifts": site.ask(genealogy.drifts, None, STORY),
            "decisions": site.ask(decisions.codebook_decisions, STORY),
            "corrections": corrections[:STORY],
            "corrections_earlier": max(0, len(corrections) - STORY),
            "boilerplate": site.ask(alerts.boilerplate, QUOTES),
            "health": site.ask(genealogy.health, DRIFTS),
        }
