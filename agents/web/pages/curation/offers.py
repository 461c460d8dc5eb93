"""/curation/suggestions: places for topics that are in no theme, accepted one by one or many at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from agents.curation.codebook_commands import MOST, MOST_TOPICS, PlacedTopic, PlacingCommand, change_of
from agents.curation.offers import offered
from agents.web.curation.context import CurationContext, Present, as_refusal
from agents.web.dependencies import RequestRefused
from agents.web.pages.curation.previewing import OFFERS, conflict, page, shown
from agents.web.security.access import Curates, login
from agents.web.site import TemplateContext
from models.codebook.placement import Placement
from streams.logs.codebook_log import Conflict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

TEMPLATE = "curation_suggestions.html"
LEVELS = (80, 60, 40, 0)
"""Confidences (%) from which on all offers can be ticked at once."""
Topics = Annotated[list[Annotated[int, Field(ge=1, le=MOST)]], Form(max_length=MOST_TOPICS)]
Places = Annotated[list[str], Form(max_length=MOST_TOPICS)]


class NotedPlaces(PlacingCommand):
    """Places of topics, with a person's note."""

    note: str = ""


def mount(desk: CurationContext) -> None:
    """Add the page and the endpoints of its form."""
    site = desk.site
    loading = threading.Lock()

    def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return site.runtime.parts.embedder.embed(texts)

    def table(
        ticked: Sequence[int] | None,
        chosen: Sequence[str] = (),
        least: int | None = None,
        problem: RequestRefused | None = None,
    ) -> TemplateContext:
        with as_refusal(), loading:
            rows = offered(desk.ask, site.runtime.settings.codebook, embed)
        sure = {row["topic_id"]: 100 * row["offers"][0]["confidence"] for row in rows}
        above = [each for each, percent in sure.items() if least is not None and percent >= least]
        return {
            "title": "Topics that are not yet in a theme",
            "rows": rows,
            "themes": sorted(desk.standing().themes, key=str.casefold),
            "ticked": set(above if ticked is None else ticked),
            "chosen": set(chosen),
            "least": least,
            "levels": [(each, sum(percent >= each for percent in sure.values())) for each in LEVELS],
            "problem": problem,
        }

    @site.page(OFFERS, TEMPLATE, section="/curation")
    def suggestions(
        who: Present, least: Annotated[int | None, Query(ge=0, le=100)] = None
    ) -> TemplateContext | Response:
        if not who:
            return RedirectResponse(login(OFFERS), 303)
        return table(None, least=least)

    @site.web.post(OFFERS, include_in_schema=False, response_class=HTMLResponse)
    def previewed(
        request: Request,
        who: Curates,
        topic: Topics = [],  # noqa: B006 - FastAPI's way to say "none"
        place: Places = [],  # noqa: B006
    ) -> Response:
        try:
            with as_refusal():
                return shown(desk, request, _command(topic, place), who)
        except RequestRefused as error:
            return page(desk, request, TEMPLATE, table(topic, place, problem=error), error.status)

    @site.web.post(f"{OFFERS}/accept", include_in_schema=False, response_class=HTMLResponse)
    def accepted(
        request: Request,
        who: Curates,
        expected: Annotated[int, Form(ge=0, lt=2**32)],
        *,
        note: Annotated[str, Form(max_length=10_000)] = "",
        topic: Topics = [],  # noqa: B006
        place: Places = [],  # noqa: B006
    ) -> Response:
        try:
            wish = _command(topic, place, note)
            with desk.curator(who) as curator:
                event = curator.decide(lambda standing: change_of(curator, standing, wish), note, expected)
        except Conflict:
            return conflict(desk, request, wish, expected, who)
        except RequestRefused as error:
            return page(desk, request, TEMPLATE, table(topic, place, problem=error), error.status)
        return RedirectResponse(f"/curation?decided={event.revision}", 303)


def _command(topics: Sequence[int], places: Sequence[str], note: str = "") -> NotedPlaces:
    """Return the command that places the ticked topics.

    Args:
        topics: those that are ticked.
        places: `TOPIC=theme:THEME` or `TOPIC=into:TOPIC` of every topic.
        note: a note of the person who decides.

    Raises:
        RequestRefused: 422, a topic has none of the places that the form offers.
    """
    given = dict(each.split("=", 1) for each in places if "=" in each)
    if missing := [each for each in topics if str(each) not in given]:
        raise RequestRefused(422, f"topic {str(missing[0])[:20]} has no place", "choose one in its row")
    with as_refusal():
        chosen = [Placement.read(f"{each}={given.get(str(each), '')}") for each in dict.fromkeys(topics)]
    placements = tuple(PlacedTopic(**asdict(each)) for each in chosen)
    return NotedPlaces.model_validate({"action": "place", "placements": placements, "note": note})
