"""The page: what the study's talks are about, month by month, topic by topic, in whose words.

Rendered here, on the server; the browser runs no script. Text from talks is hostile until the
template has escaped it, and the Content-Security-Policy stands behind that.
"""

from __future__ import annotations

import calendar
import math
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from fastapi import FastAPI, Request, Response
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agents import sentences, views
from agents.moment import at_second, clock
from agents.months import every
from agents.web.api import Refused, ask, readers_warehouse, selection
from streams.errors import Explained
from streams.store import genealogy, news, read
from streams.store.selection import Selection
from streams.store.warehouse import Row, Warehouse

if TYPE_CHECKING:
    from agents.runtime import Runtime

HERE = Path(__file__).parent
QUOTES = 3
ALERTS = 20
DRIFTS = 3
STORY = 30
"""At most so many of each are shown; all of them are in the API."""
REFRESH_S = 5
"""While there is no talk, one is unfinished, or the database does not answer, the page reloads (seconds)."""
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'none'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


class Month(NamedTuple):
    """A column of the table of themes."""

    key: str
    """YYYY-MM"""
    name: str
    """Jan"""
    of_videos: int
    """Videos of the month with any topic; 0: no talk, so no share either."""
    unfinished: bool
    """The calendar has not left it: its numbers still grow."""


class Bar(NamedTuple):
    """A month of a topic's sparkline."""

    month: str
    videos: int
    height: float
    """0 to 1, on a scale that all topics share."""
    unfinished: bool


def mount(web: FastAPI, runtime: Runtime) -> None:
    """Add the page / and its /static files to `web`."""
    warehouse = readers_warehouse(runtime)
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "at_second": at_second,
        "clock": clock,
        "compared": sentences.compared,
        "drifted": sentences.drifted,
        "figures": sentences.figures,
        "happened": sentences.happened,
        "health": sentences.health,
        "level": level,
        "percent": percent,
        "thousands": "{:,}".format,
    }
    templates = Jinja2Templates(env=environment)
    web.mount("/static", StaticFiles(directory=HERE / "static"), name="static")

    @web.get("/", include_in_schema=False)
    def index(request: Request, first: str = "", last: str = "", refresh: str = "on") -> Response:
        asked = {"first": first, "last": last}
        page: dict[str, Any] = {"error": None, "status": None}
        code = 200
        try:
            page |= look(warehouse, selection(first, last), runtime.parts.now().strftime("%Y-%m"))
        except Explained as error:
            code = error.status if isinstance(error, Refused) else 503
            page |= {"error": error, "changing": code == 503}
        chosen = {name: month for name, month in asked.items() if month}
        page |= {
            "study": runtime.settings.study,
            "why_not_ready": "" if runtime.health.ready else runtime.health.why_not,
            "asked": asked,
            "query": f"?{urlencode(chosen)}" if chosen else "",
            "still": "?" + urlencode(chosen | {"refresh": "off"}),
            "refresh_s": REFRESH_S if page["changing"] and refresh != "off" else None,
        }
        return templates.TemplateResponse(request, "index.html", page, code, HEADERS)


def look(warehouse: Warehouse, selected: Selection, today: str) -> dict[str, Any]:
    """Return everything the template shows of a study.

    Args:
        warehouse: the study.
        selected: the talks to show.
        today: the current calendar month, 'YYYY-MM'.

    Raises:
        Unavailable: the database does not answer or has no tables.
    """
    status = ask(warehouse, read.status)
    unfinished = _unfinished(warehouse, status)
    topics = ask(warehouse, views.topics, selected)
    prevalence = ask(warehouse, views.prevalence, selected)
    columns = _columns(prevalence, today)
    bars = _bars(ask(warehouse, views.topic_months, selected), columns)
    drifts = ask(warehouse, genealogy.drifts)
    story = ask(warehouse, genealogy.genealogy)
    return {
        "status": status,
        "unfinished": unfinished,
        "changing": unfinished > 0 or status["relearning"] > 0 or not status["videos"],
        "alerts": ask(warehouse, news.alerts, ALERTS),
        "months": columns,
        "years": [(year, len(list(group))) for year, group in groupby(columns, lambda month: month.key[:4])],
        "themes": ask(warehouse, views.themes, selected),
        "cells": {(row["theme"], row["month"]): row for row in prevalence},
        "topics": [
            topic
            | {
                "bars": bars[topic["topic_id"]],
                "drifts": [drift for drift in drifts if drift["topic_id"] == topic["topic_id"]][:DRIFTS],
                "quotes": ask(warehouse, read.quotes, topic["topic_id"], QUOTES),
            }
            for topic in topics
            if topic["topic_id"] in bars
        ],
        "genealogy": story[: -STORY - 1 : -1],
        "earlier": max(0, len(story) - STORY),
        "boilerplate": ask(warehouse, news.boilerplate, QUOTES),
        "health": ask(warehouse, genealogy.health, DRIFTS),
        "silent": [topic for topic in topics if topic["topic_id"] not in bars],
    }


def _unfinished(warehouse: Warehouse, status: Row) -> int:
    """Return how many videos are still on their way; one that waits as a dead letter is not."""
    if status["videos"] == sum(status["states"].get(state, 0) for state in ("assigned", "rejected")):
        return 0
    return len(ask(warehouse, read.known_videos) - ask(warehouse, read.finished_videos))


def _columns(prevalence: Sequence[Row], today: str) -> list[Month]:
    """Return the months from the first to the last with a talk, those without one included."""
    if not prevalence:
        return []
    of_videos = {row["month"]: row["of_videos"] for row in prevalence}
    return [
        Month(key, calendar.month_abbr[int(key[5:])], of_videos.get(key, 0), key == today)
        for key in every(min(of_videos), max(of_videos))
    ]


def _bars(rows: Sequence[Row], months: Sequence[Month]) -> dict[int, list[Bar]]:
    """Return each topic's sparkline; all have the same months and the same scale."""
    videos = {(row["topic_id"], row["month"]): row["videos"] for row in rows}
    most = max(videos.values(), default=1)
    return {
        topic_id: [
            Bar(month.key, count, count / most, month.unfinished)
            for month in months
            for count in [videos.get((topic_id, month.key), 0)]
        ]
        for topic_id in {row["topic_id"] for row in rows}
    }


def percent(share: float, digits: int = 1) -> str:
    """Return a share in [0, 1] in per cent, without the sign.

    Example:
        >>> percent(93 / 178), percent(93 / 178, 0)
        ('52.2', '52')
    """
    return f"{100 * share:.{digits}f}"


def level(share: float) -> int:
    """Return how dark a share is shown: 0 for none, then 1 to 10.

    Example:
        >>> level(0.0), level(0.01), level(0.1), level(0.11), level(1.0)
        (0, 1, 1, 2, 10)
    """
    return math.ceil(round(share * 10, 9))
