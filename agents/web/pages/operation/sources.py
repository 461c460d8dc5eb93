"""/sources: the watched sources with their health, and forms to add, check, pause and remove them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import Form, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.web.curation.context import as_refusal
from agents.web.pages.operation.checking import Checked, in_time
from agents.web.pages.operation.watching import WatchedSources, reachable
from agents.web.security.access import Curates
from agents.web.site import Site, TemplateContext, query
from streams.errors import DataError, Explained
from streams.events import Source, SourceKind
from streams.state.source_locators import locate, preset
from streams.state.sources import Sources, Watched, source_id
from streams.text_sanitizer import plain

LONG = 2000
"""Maximum length of a source as typed, in characters."""
ID = r"^[A-Za-z0-9_-]{1,100}$"
"""Pattern of a source's id; an id is part of a file name, so it must not contain a path."""
DONE = {
    "added": "is now watched",
    "known": "was already watched",
    "since": "was already watched; its talks since that day will be added",
    "paused": "is paused; it will not be visited until you resume it",
    "resumed": "is visited again",
    "restored": "is watched again, as before",
    "removed": "is no longer watched. The talks that it found stay in the study",
}
PAST = {"pause": "paused", "resume": "resumed", "remove": "removed", "restore": "restored"}
Id = Annotated[str, Path(pattern=ID)]


def mount(site: Site) -> None:
    """Add the page and the endpoints of its forms."""
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
            text = f"{many} source{'s' if many != 1 else ''} of the preset added."
            return watch.shown(done={"text": text, "undo": ""})
        meant = watch.told_of(of, removed=done == "removed") if done in DONE else None
        if meant is None:
            return watch.shown()
        undo = of if done == "removed" else ""
        return watch.shown(done={"name": meant.source.locator, "text": f"{DONE[done]}.", "undo": undo})

    @watch.site.web.get("/sources/preset", include_in_schema=False)
    @watch.site.web.get("/sources/preview", include_in_schema=False)
    @watch.site.web.get("/sources/{name}/{action}", include_in_schema=False)
    def nothing_to_see() -> RedirectResponse:
        # The address in the browser after a refusal, requested when the page is reloaded.
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
    now = watch.site.runtime.parts.now

    @watch.site.web.post("/sources/preview", include_in_schema=False, response_class=HTMLResponse)
    async def previewed(
        request: Request,
        who: Curates,
        locator: Annotated[str, Form(max_length=LONG)] = "",
        since: Annotated[str, Form(max_length=40)] = "",
    ) -> Response:
        given = {"locator": locator, "since": since}
        try:
            with as_refusal(), reachable(watch.blobs):
                _day(since, now().date())
                kind, name = understood(locator)
                meant = Source(source_id=source_id(kind, name), kind=kind, locator=name, added_at=now())
                known = await asyncio.to_thread(watch.sources.get, meant.source_id)
                looked_at = known or Watched(source=meant)
                found = await in_time(lambda: watch.look(looked_at), meant, one)
        except Explained as error:
            return await asyncio.to_thread(watch.refuse, request, error, **given)
        checked = Checked(looked_at, found, preview=known is None)
        page = await asyncio.to_thread(watch.shown, checked=checked, given=given)
        return watch.answer(request, page)

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
                    watch.named(name)  # nothing to change; raises 404 if the source does not exist
        except Explained as error:
            return watch.refuse(request, error)
        return RedirectResponse("/sources" + query({"done": PAST[action], "of": name}), 303)


def understood(text: str) -> tuple[SourceKind, str]:
    """Return the kind and locator of a source typed on the page; folders are refused.

    Curators need not have access to the server's files, so the page does not even reveal whether one exists.

    Raises:
        DataError: it cannot be watched, or is a folder.
    """
    text = plain(text, LONG).strip()
    if text.lower().startswith(("/", "~/", "./", "../", "file:")) or text in {"~", ".", ".."}:
        raise DataError(
            "folders cannot be added from the page, because that would read files of the server",
            "on the server, run groundswell sources add FOLDER; here, enter a channel, a playlist, a feed or "
            "words to search for",
        )
    return locate(text)


def _add(
    sources: Sources, meant: tuple[SourceKind, str], since: date | None, now: Callable[[], datetime]
) -> tuple[str, str]:
    """Watch a source, and return the outcome ('added', 'known' or 'since') and its id."""
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
        raise DataError(
            f"{text[:40]!r} is not a date", "write it as YYYY-MM-DD, or leave it empty"
        ) from error
    if day > today:
        raise DataError(f"{day} is in the future", "give a past date, or leave it empty")
    return day
