"""Data of the Sources page: sources, the YouTube request budget, push subscriptions, and kept videos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import Request, Response
from pydantic import ValidationError

from agents.discovery.connectors import lanes_of
from agents.discovery.source_check import SourceCheck, check
from agents.discovery.visit_result import channel_of
from agents.web.dependencies import RequestRefused, code_of
from agents.web.pages.operation import source_words
from agents.web.pages.operation.checking import Checked
from agents.web.site import Site, TemplateContext
from streams.errors import DataError, Explained, Unavailable
from streams.feeds.websub_subscriptions import Subscriptions
from streams.state.blobs import Blobs
from streams.state.source_locators import preset, presets
from streams.state.sources import REMOVED, Sources, Watched, source_id
from streams.store.operations import throughput


class WatchedSources:
    """The sources of a process that serves pages.

    Attributes:
        site: the pages.
        blobs: where sources are kept.
        sources: they.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.blobs = Blobs(site.runtime.settings.blobs_url)
        self.sources = Sources(self.blobs)
        self._subscriptions = Subscriptions(self.blobs)

    def shown(
        self,
        *,
        done: dict[str, Any] | None = None,
        refused: Explained | None = None,
        given: dict[str, str] | None = None,
        checked: Checked | None = None,
    ) -> TemplateContext:
        """Return the variables of the page.

        Args:
            done: {name?, text, undo} what was just done; undo: id of the source to restore, or empty.
            refused: why what somebody wanted is not done.
            given: what they typed, {locator, since}.
            checked: what a source showed.

        Raises:
            Unavailable: the files of sources cannot be read.
        """
        with reachable(self.blobs):
            watched = list(self.sources.watched())
            hub = self._subscriptions.rest() if self._pushes else None
        kept, unknown = self._kept() if watched else ({}, None)
        ids = {each.source_id for each in watched}
        now = self.site.runtime.parts.now()
        return {
            "title": "Sources",
            "rows": [
                source_words.row(
                    each, now, None if unknown else kept.get(each.source_id, 0), self._push(each)
                )
                for each in watched
            ],
            "unknown": unknown,
            "youtube": self._youtube(),
            "hub": hub,
            "presets": [each for each in map(_preset, presets()) if not each["ids"] <= ids],
            "today": now.date(),
            "done": done,
            "refused": refused,
            "given": {"locator": "", "since": ""} | (given or {}),
            "checked": checked,
        }

    def answer(self, request: Request, page: TemplateContext, code: int = 200) -> Response:
        """Return the page as the response to a form."""
        about: TemplateContext = {"section": "/sources", "here": "/sources"}
        return self.site.render(request, "sources.html", about | page, code)

    def refuse(self, request: Request, error: Explained, **given: str) -> Response:
        """Return the page with an error and the values entered."""
        return self.answer(request, self.shown(refused=error, given=given), code_of(error))

    def named(self, name: str) -> Watched:
        """Return a source.

        Raises:
            RequestRefused: 404, there is none of that id.
        """
        watched = self.sources.get(name)
        if watched is None:
            raise RequestRefused(
                404, f"there is no source {name[:100]!r} any more", "see the list of sources below"
            )
        return watched

    def told_of(self, name: str, *, removed: bool) -> Watched | None:
        """Return the source that a message refers to, or None if the message is no longer true."""
        try:
            found = self.sources.get(name) if name else None
            if not removed or found is not None:
                return None if removed else found
            return Watched.model_validate_json(self.blobs.get(f"{REMOVED}/{name}.json"))
        except (DataError, Unavailable, ValidationError):
            return None

    def look(self, watched: Watched) -> list[SourceCheck]:
        """Check what a source currently shows. Blocks."""
        runtime = self.site.runtime
        lanes = lanes_of(runtime.settings, runtime.parts.youtube)
        return check(lanes, self.blobs, watched, runtime.settings.search_results)

    @property
    def _pushes(self) -> bool:
        return bool(self.site.runtime.settings.push_url)

    def _kept(self) -> tuple[dict[str, int], Explained | None]:
        """Return the number of kept videos by source, or the error that makes it unknown."""
        try:
            return {row["source_id"]: row["kept"] for row in self.site.ask(throughput.sources)}, None
        except Unavailable as error:
            return {}, error

    def _youtube(self) -> dict[str, Any]:
        """Return the state of this machine's YouTube request budget, or the error that makes it unknown."""
        try:
            return {"standing": self.site.runtime.parts.governor.status(), "unknown": None}
        except Unavailable as error:
            return {"standing": None, "unknown": error}

    def _push(self, watched: Watched) -> str:
        if watched.source.kind != "channel" or not self._pushes:
            return ""
        channel_id = channel_of(watched)
        try:
            known = self._subscriptions.of(channel_id) if channel_id else None
        except ValueError:
            return "unknown, because its file is damaged; it will be requested again"
        return source_words.push(known, self.site.runtime.parts.now())


@contextmanager
def reachable(blobs: Blobs) -> Iterator[None]:
    """Convert an OSError on the files of sources to Unavailable.

    Raises:
        Unavailable: with cause and cure.
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise Unavailable(
            f"the sources in {blobs.url} cannot be read or written ({reason})",
            "let the process that serves this page write there, or set GROUNDSWELL_BLOBS to another place",
        ) from error


def _preset(name: str) -> dict[str, Any]:
    found = preset(name)
    return {"name": name, "sources": found, "ids": {source_id(*each) for each in found}}
