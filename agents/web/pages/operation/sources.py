"""/sources: what is watched for new talks, how each source does, and what people may do about it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.web.curation_context import as_refusal
from agents.web.pages.operation.checking import Checked, in_time
from agents.web.pages.operation.watching import WatchedSources, reachable
from agents.web.security.access import Curates
from agents.web.site import Site, TemplateContext, query
from streams.errors import DataError, Explained
from streams.events import Source, SourceKind
from streams.state.source_locators import locate, preset
from streams.state.sources import Sources, source_id
from streams.text_sanitizer import plain

LONG = 2000
"""Characters of what somebody types as a source, at most."""
ID = r"^[A-Za-z0-9_-]{1,100}$"
"""A source's id names a file: nothing that leads elsewhere."""
DONE = {
    "added": "is watched from now on",
    "known": "was watched already",
    "since": "was watched already; what it published since that day is wanted now",
    "paused": "is paused: it is looked at no more until it is resumed",
    "resumed": "is looked at again",
    "restored": "is watched again, as it was",
    "removed": "is watched no longer. The talks it found stay",
}
PAST = {"pause": "paused", "resume": "resumed", "remove": "removed", "restore": "restored"}
Id = Annotated[str, Path(pattern=ID)]


def mount(site: Site) -> None:
    """Add the page, and what people may do on it."""
    watch = WatchedSources(site)
    _show(watch)
    _take_in(watch)
    _check(watch)
    _change(watch)


def _show(watch: WatchedSources) -> None:
    @watch.site.page("/sources", "sources.html")
    def page(
        done: str = "",
        of: Annotated[str, Query(pattern=f"^$|{ID}")] = "",
        many: Annotated[int, Query(ge=0, le=1000)] = 0,
    ) -> TemplateContext:
        if done == "preset":
            text = f"{many} source{'s' if many != 1 else ''} of the set added."
            return watch.shown(done={"text": text, "undo": ""})
        meant = watch.told_of(of, removed=done == "removed") if done in DONE else None
        if meant is None:
            return watch.shown()
        undo = of if done == "removed" else ""
        return watch.shown(done={"name": meant.source.locator, "text": f"{DONE[done]}.", "undo": undo})

    @watch.site.web.get("/sources/preset", include_in_schema=False)
    @watch.site.web.get("/sources/{name}/{action}", include_in_schema=False)
    def nothing_to_see() -> RedirectResponse:
        # Where a browser stands after something was refused, when the page is loaded again.
        return RedirectResponse("/sources", 303)


def _take_in(watch: WatchedSources) -> None:
    now = watch.site.runtime.parts.now

    @watch.site.web.post("/sources", include_in_schema=False, response_class=HTMLResponse)
    def added(
        request: Request,
        who: Curates,
        locator: Annotated[str, Form(max_length=LONG)] = "",
        since: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        try:
            with as_refusal(), reachable(watch.blobs):
                day = _day(since, now().date())
                what, name = _add(watch.sources, understood(locator), day, now)
        except Explained as error:
            return watch.refuse(request, error, locator=locator, since=since)
        return RedirectResponse("/sources" + query({"done": what, "of": name}), 303)

    @watch.site.web.post("/sources/preset", include_in_schema=False, response_class=HTMLResponse)
    def preset_added(
        request: Request, who: Curates, name: Annotated[str, Form(max_length=100)] = ""
    ) -> Response:
        try:
            with as_refusal(), reachable(watch.blobs):
                made = [_add(watch.sources, each, None, now)[0] for each in preset(name)]
        except Explained as error:
            return watch.refuse(request, error)
        return RedirectResponse(f"/sources?done=preset&many={made.count('added')}", 303)


def _check(watch: WatchedSources) -> None:
    one = threading.Lock()

    @watch.site.web.post("/sources/{name}/check", include_in_schema=False, response_class=HTMLResponse)
    async def checked(request: Request, who: Curates, name: Id) -> Response:
        try:
            with as_refusal(), reachable(watch.blobs):
                watched = await asyncio.to_thread(watch.named, name)
                found = await in_time(lambda: watch.look(watched), watched.source, one)
        except Explained as error:
            return await asyncio.to_thread(watch.refuse, request, error)
        page = await asyncio.to_thread(watch.shown, checked=Checked(watched, found))
        return watch.answer(request, page)


def _change(watch: WatchedSources) -> None:
    sources = watch.sources

    @watch.site.web.post("/sources/{name}/{action}", include_in_schema=False, response_class=HTMLResponse)
    def changed(
        request: Request, who: Curates, name: Id, action: Literal["pause", "resume", "remove", "restore"]
    ) -> Response:
        does: dict[str, Callable[[str], object]] = {
            "pause": sources.pause,
            "resume": sources.resume,
            "remove": sources.remove,
            "restore": sources.restore,
        }
        try:
            with as_refusal(), reachable(watch.blobs):
                if action != "restore":
                    watch.named(name)
                if does[action](name) is False:
                    watch.named(name)  # it is so already, unless it was never removed
        except Explained as error:
            return watch.refuse(request, error)
        return RedirectResponse("/sources" + query({"done": PAST[action], "of": name}), 303)


def understood(text: str) -> tuple[SourceKind, str]:
    """Return the kind and locator of what somebody typed on the page, which can be no folder.

    Who may curate need not be who may read this machine's files: not even whether one is there is told.

    Raises:
        DataError: it cannot be watched, or is a folder.
    """
    text = plain(text, LONG).strip()
    if text.lower().startswith(("/", "~/", "./", "../", "file:")) or text in {"~", ".", ".."}:
        raise DataError(
            "folders are not added from the page, which would read files of the machine that runs it",
            "on that machine run groundswell sources add FOLDER; here give a channel, a playlist, a feed or "
            "words to search for",
        )
    return locate(text)


def _add(
    sources: Sources, meant: tuple[SourceKind, str], since: date | None, now: Callable[[], datetime]
) -> tuple[str, str]:
    """Watch a source, and return what was done ('added', 'known', 'since') and its id."""
    kind, locator = meant
    name = source_id(kind, locator)
    source = Source(source_id=name, kind=kind, locator=locator, added_at=now(), since=since)
    if sources.add(source):
        return "added", name
    if since is None or sources.named(name).source.since == since:
        return "known", name
    sources.want(name, since, now())
    return "since", name


def _day(text: str, today: date) -> date | None:
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError as error:
        raise DataError(f"{text[:40]!r} is no day", "write it as YYYY-MM-DD, or leave it empty") from error
    if day > today:
        raise DataError(f"{day} is still to come", "give a day that is past, or leave it empty")
    return day
