"""/: what the study's talks are about, what is new, and how far the work is."""

from __future__ import annotations

from typing import Any

from agents import views
from agents.web.asking import Selected
from agents.web.pages.months import columns, fitting, years
from agents.web.pages.periods import gathered
from agents.web.site import Row, Site
from streams.store import measure, news, read, talks
from streams.store.book import book

ALERTS = 20
NEWEST = 6
"""Talks shown, the newest."""
MOVING = 5
"""At most so many topics that rise, and that fade, are named here."""
COLUMNS = 36
"""Themes are shown by month for at most so many; of more, by quarter or year."""


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/", "overview.html", twin="/api/themes")
    def overview(selected: Selected, refresh: str = "on") -> Row:
        status = site.ask(read.status)
        unfinished = _unfinished(site, status)
        applied = site.ask(book, selected.codebook)
        themes = site.ask(measure.themes, selected, applied)
        topics = site.ask(views.topics, selected, applied)
        prevalence = site.ask(measure.prevalence, selected, applied)
        by = fitting(columns(prevalence, site.today), COLUMNS)
        months, cells = gathered(prevalence, "theme", by, site.today)
        changing = unfinished > 0 or status["relearning"] > 0 or not status["videos"]
        return {
            "title": "Overview",
            "status": status,
            "unfinished": unfinished,
            "changing": changing,
            "refresh_s": 5 if changing and refresh != "off" else None,
            "alerts": site.ask(news.alerts, ALERTS),
            "themes": themes,
            "topics": topics,
            "treemap": treemap(themes, topics),
            "months": months,
            "by": by,
            "years": years(months),
            "cells": {(row["theme"], row["month"]): row for row in cells},
            "rising": [row for row in topics if row["status"] in ("rising", "new")][:MOVING],
            "fading": [row for row in topics if row["status"] == "declining"][:MOVING],
            "newest": [row for row in site.ask(talks.talks, 4 * NEWEST) if row["state"] == "assigned"][
                :NEWEST
            ],
        }


def _unfinished(site: Site, status: Row) -> int:
    """Return how many videos are still on their way; one that waits as a dead letter is not."""
    if status["videos"] == sum(status["states"].get(state, 0) for state in ("assigned", "rejected")):
        return 0
    return len(site.ask(read.known_videos) - site.ask(read.finished_videos))


def treemap(themes: list[Row], topics: list[Row]) -> dict[str, Any]:
    """Return what the treemap shows: themes, and in each its topics, by distinct videos.

    A theme's number is the union of its topics' videos, so it is less than the sum of its boxes.
    """
    return {
        "theme": "",
        "options": [(theme["theme"], theme["theme"]) for theme in themes],
        "themes": [
            {
                "name": theme["theme"],
                "videos": theme["videos"],
                "share": theme["share"],
                "topics": [
                    {"id": topic["topic_id"]} | {name: topic[name] for name in ("name", "videos", "share")}
                    for topic in topics
                    if topic["theme"] == theme["theme"] and topic["videos"]
                ],
            }
            for theme in themes
        ],
    }
