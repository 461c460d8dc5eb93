"""/themes: one theme with its share over time, its topics, quotes and talks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from agents.queries import registry
from agents.web.dependencies import NEWEST, NewestTalks, RequestRefused, Selected
from agents.web.pages.topics.periods import gathered
from agents.web.pages.topics.trends import lines
from agents.web.site import Site, TemplateContext
from streams.store.codebook.effective import book
from streams.store.queries import prevalence
from streams.store.talks import talk_queries

QUOTED = 6
"""Number of topics of which a quote is shown, the most prevalent."""
Name = Annotated[str, Query(max_length=300, description="Name of the theme, as in /api/themes.")]


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/themes", "theme.html", section="/topics", twin="/api/themes")
    def theme_page(theme: Name, selected: Selected, talks: NewestTalks = NEWEST) -> TemplateContext:
        applied = site.ask(book, selected.codebook)
        if theme not in {entry.theme for entry in applied.retained}:
            raise RequestRefused(
                404, f"there is no theme {theme[:80]!r} with topics", "choose one on the Overview"
            )
        counted = next(
            (row for row in site.ask(registry.themes, selected, applied) if row["theme"] == theme), None
        )
        topics = [row for row in site.ask(registry.topics, selected, applied) if row["theme"] == theme]
        by, months, rows = gathered(site.ask(prevalence.prevalence, selected, applied), "theme", site.today)
        return {
            "title": theme,
            "counted": counted,
            "topics": [row for row in topics if row["videos"]],
            "silent": [row for row in topics if not row["videos"]],
            "by": by,
            "months": months,
            "lines": lines(rows, "theme", [theme], months),
            "quotes": [
                quote
                for row in topics[:QUOTED]
                if row["videos"]
                for quote in site.ask(talk_queries.quotes, row["topic_id"], 1, False, selected, applied)
            ],
            "talks": site.ask(prevalence.theme_videos, theme, selected, talks, applied),
        }
