"""The page on which a person sees what a decision would change, and confirms it."""

from __future__ import annotations

from fastapi import Request, Response

from agents.curation.codebook_commands import CodebookCommand, PlacingCommand, change_of
from agents.curation.decision_preview import Preview, preview
from agents.web.curation.context import CurationContext
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Who
from agents.web.site import TemplateContext, query
from models.codebook.commands import UNSORTED
from models.codebook.placement import Placement
from models.codebook.state import CodebookState
from models.errors import BadInput

OFFERS = "/curation/suggestions"


def page_of(wish: CodebookCommand) -> str:
    """Return the address of the page with the form of a command."""
    if wish.action == "place":
        return OFFERS
    if wish.topic_id is not None:
        return f"/curation/topics/{wish.topic_id}"
    if wish.action == "undo":
        return "/curation/history"
    if wish.topic_ids:
        return "/curation"
    return "/curation/theme" + query({"name": wish.theme})


def shown(desk: CurationContext, request: Request, wish: CodebookCommand, who: Who) -> Response:
    """Show the preview of a command. Raises BadInput if the decision is not possible."""
    standing = desk.standing()
    change = change_of(desk.looking(who), standing, wish)
    found = desk.site.ask(preview, standing, change)
    return page(desk, request, "curation_preview.html", _about(wish, standing, found), 200)


def conflict(
    desk: CurationContext, request: Request, wish: CodebookCommand, expected: int, who: Who
) -> Response:
    """Show decisions that others made since the preview, and a new preview; nothing was written."""
    meanwhile = list(desk.log.events(after=expected))[::-1]
    standing = desk.standing()
    more: TemplateContext = {"title": "Conflict with another decision", "meanwhile": meanwhile}
    try:
        found = desk.site.ask(preview, standing, change_of(desk.looking(who), standing, wish))
    except BadInput as error:
        more["problem"] = RequestRefused(409, error.cause, error.cure)
        found = None
    return page(desk, request, "curation_preview.html", _about(wish, standing, found) | more, 409)


def page(
    desk: CurationContext, request: Request, template: str, context: TemplateContext, code: int
) -> Response:
    """Return a page of curation."""
    about: TemplateContext = {"section": "/curation"}
    return desk.site.render(request, template, about | context, code)


def _about(wish: CodebookCommand, standing: CodebookState, found: Preview | None) -> TemplateContext:
    placements = wish.placements if isinstance(wish, PlacingCommand) else ()
    return {
        "title": "Preview",
        "fields": _fields(wish),
        "to": f"{OFFERS}/accept" if placements else "/curation/decide",
        "placed": [
            {
                "id": each.topic_id,
                "name": standing.named(each.topic_id),
                "theme": each.theme,
                "into": standing.named(each.into) if each.into is not None else "",
            }
            for each in placements
        ],
        "back": page_of(wish),
        "expected": standing.revision,
        "preview": found,
        "note": getattr(wish, "note", ""),
        "meanwhile": [],
        "unsorted": UNSORTED,
        "problem": None,
    }


def _fields(wish: CodebookCommand) -> list[tuple[str, object]]:
    """Return the names and values with which the form repeats a command."""
    if isinstance(wish, PlacingCommand):
        return [("topic", each.topic_id) for each in wish.placements] + [
            ("place", str(Placement(each.topic_id, each.theme, each.into))) for each in wish.placements
        ]
    found = {
        name: value
        for name, value in wish.model_dump().items()
        if name not in ("note", "expected", "topic_ids") and value not in (None, "")
    }
    several = [("topic_ids", topic_id) for topic_id in wish.topic_ids]
    return several + list(
        (found | ({"theme": ""} if wish.action == "assign" and not wish.theme else {})).items()
    )
