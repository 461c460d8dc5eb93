"""/review: blind review of videos one after another, adjudication of disagreements, and agreement."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.curation.agreement import describe_agreement
from agents.screening.rulings import KINDS, describe_ruling, mark
from agents.screening.video_reviews import Reviewer, WaitingVideo
from agents.web.curation.context import CurationContext, Present
from agents.web.curation.reviews import read_only_reviewer, reviewer
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Curates, login
from agents.web.site import Site, TemplateContext, query
from streams.logs.reviews import Reviews

SHOWN = 50
"""Number of videos in the ranking on the page."""
Id = Annotated[str, Query(max_length=1000)]
Note = Annotated[str, Form(max_length=10_000)]
Answer = Literal[
    "keep", "experience report", "tutorial", "lecture", "tool introduction", "workshop", "opinion", "other"
]
"""Value of a button: keep, or the kind of talk to exclude it as."""


def mount(site: Site) -> None:
    """Add the pages."""
    desk = CurationContext(site)
    log = Reviews(desk.blobs)

    def page(
        name: str, video_id: str = "", after: str = "", refused: RequestRefused | None = None
    ) -> TemplateContext:
        who = read_only_reviewer(desk, name, log)
        waiting = who.waiting()
        row = _wanted(who, waiting, video_id) if video_id else who.next(waiting, after)
        mine = [(own.reviewed_at, each["video_id"]) for each in waiting if (own := each["own"])]
        return {
            "title": "Review",
            "video": row,
            "decided": _decided(who, video_id) if row is None and video_id else None,
            "waiting": waiting[:SHOWN],
            "more": max(0, len(waiting) - SHOWN),
            "of_videos": len(waiting),
            "judged": len(mine),
            "disputed": sum(each["state"] == "disputed" for each in waiting),
            "last": max(mine, key=lambda each: each[0])[1] if mine else "",
            "needed": who.settings.reviewers,
            "screening": who.settings.screening,
            "kinds": KINDS,
            "refused": refused,
            "note": "",
        }

    @site.page("/review", "review.html", twin="/api/review_queue")
    def review(who: Present, video: Id = "", after: Id = "") -> TemplateContext | Response:
        if not who:
            return RedirectResponse(login("/review"), 303)
        return page(who.name, video, after)

    @site.web.post("/review", include_in_schema=False, response_class=HTMLResponse)
    def reviewed(
        request: Request,
        who: Curates,
        video: Annotated[str, Form(max_length=1000)],
        answer: Annotated[Answer, Form()],
        note: Note = "",
    ) -> Response:
        try:
            with reviewer(desk, who, log) as at_work:
                at_work.judge(
                    video, "keep" if answer == "keep" else "exclude", "" if answer == "keep" else answer, note
                )
        except RequestRefused as error:
            found = page(who.name, video, refused=error) | {"note": note}
            return _shown(site, request, "review.html", found, error.status)
        return RedirectResponse("/review" + query({"after": video}), 303)

    @site.web.post("/review/undo", include_in_schema=False, response_class=HTMLResponse)
    def undone(request: Request, who: Curates, last: Annotated[str, Form(max_length=1000)] = "") -> Response:
        try:
            with reviewer(desk, who, log) as at_work:
                taken_back = at_work.undo(last)
        except RequestRefused as error:
            return _shown(site, request, "review.html", page(who.name, last, refused=error), error.status)
        return RedirectResponse("/review" + query({"video": taken_back.video_id}), 303)

    def disputed_page(name: str, refused: RequestRefused | None = None) -> TemplateContext:
        who = read_only_reviewer(desk, name, log)
        rows = [row for row in who.waiting() if row["state"] == "disputed"]
        rulings = {row["video_id"]: who.ruling(row["video_id"]) for row in rows}
        return {
            "title": "Disagreements",
            "rows": [
                row | {"said": rulings[row["video_id"]].said, "mark": mark(rulings[row["video_id"]])}
                for row in rows
            ],
            "kinds": KINDS,
            "refused": refused,
        }

    @site.page("/review/disputed", "review_disputed.html", section="/review", twin="/api/reviews")
    def disputed(who: Present) -> TemplateContext | Response:
        if not who:
            return RedirectResponse(login("/review/disputed"), 303)
        return disputed_page(who.name)

    @site.web.post("/review/adjudicate", include_in_schema=False, response_class=HTMLResponse)
    def adjudicated(
        request: Request,
        who: Curates,
        video: Annotated[str, Form(max_length=1000)],
        answer: Annotated[Answer, Form()],
        *,
        mark: Annotated[str, Form(max_length=100)],
        note: Note = "",
    ) -> Response:
        try:
            with reviewer(desk, who, log) as at_work:
                at_work.adjudicate(
                    video,
                    "keep" if answer == "keep" else "exclude",
                    "" if answer == "keep" else answer,
                    note,
                    expected=mark,
                )
        except RequestRefused as error:
            found = disputed_page(who.name, error)
            return _shown(site, request, "review_disputed.html", found, error.status)
        return RedirectResponse("/review" + query({"video": video}), 303)

    @site.page("/review/agreement", "review_agreement.html", section="/review", twin="/api/reviews")
    def agreement(who: Present) -> TemplateContext:
        at_work = read_only_reviewer(desk, who.name if who else "nobody", log)
        rulings = at_work.rulings()
        titles = {row["video_id"]: row["title"] for row in desk.ask("reviews")}
        return {
            "title": "Agreement of reviewers",
            "pairs": [
                {
                    "pair": pair,
                    "differ": [
                        {"video_id": name, "title": titles.get(name, "") or name, "ruling": rulings[name]}
                        for name in pair.differ
                    ],
                }
                for pair in at_work.agreement()
            ],
            "told": lambda found: describe_agreement(found).replace(" topics", " talks"),
            "outcome": describe_ruling,
        }


def _wanted(who: Reviewer, waiting: list[WaitingVideo], video_id: str) -> WaitingVideo | None:
    """Return the row of a video if this reviewer can judge it, else None."""
    row = next((row for row in waiting if row["video_id"] == video_id), None)
    if row is not None and (row["state"] == "open" or row["own"] is not None):
        return row
    return None


def _decided(who: Reviewer, video_id: str) -> dict[str, Any] | None:
    """Return the ruling on a decided video, or None if it is not decided."""
    ruling = who.ruling(video_id)
    if ruling.state != "decided":
        return None
    found = who.ask("talk", video_id=video_id) or {"video_id": video_id, "title": "", "url": ""}
    return {"talk": found, "ruling": ruling, "mark": mark(ruling), "said": describe_ruling(ruling)}


def _shown(site: Site, request: Request, template: str, page: TemplateContext, code: int) -> Response:
    about: TemplateContext = {"section": "/review"}
    return site.render(request, template, about | page, code)
