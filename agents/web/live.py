"""/live: what happens in the study, told to open pages as it happens (server-sent events).

All pages share one look at the database every few seconds, and only while there is a page. What a page missed
while it was hidden or cut off, it hears when it comes back: it says how far it was.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import structlog
from fastapi import Depends, FastAPI, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from agents.web.dependencies import RequestRefused, ask, readers_warehouse
from streams.errors import Explained
from streams.store.operations import change_feed
from streams.store.operations.change_feed import ChangeCursor
from streams.store.warehouse import Warehouse

if TYPE_CHECKING:
    from agents.web.context import WebContext

log = structlog.get_logger()
PAUSE_S = 2.0
"""Between two looks at the study (seconds)."""
MOST = 200
"""As many pages are told; more would only cost this process its sockets."""
BEHIND = 50
"""A page that has not taken so many events is cut off; it comes back and hears what it missed."""
RETRY_MS = 2000
TITLE = 60
"""Titles are cut after so many characters."""
KINDS = ("talks", "alerts", "codebook")
_MARKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""Control characters and marks of direction."""


class Happened(NamedTuple):
    """Something that open pages are told."""

    kind: str
    """talks, alerts, codebook; or database: it does not answer, or does again."""
    said: str
    """What to tell the reader, in a sentence; empty: nothing, only look again."""


Look = Callable[[ChangeCursor | None], tuple[ChangeCursor, list[Happened]]]


class Live:
    """Looks at a study for everyone who listens."""

    def __init__(self, look: Look, *, pause_s: float = PAUSE_S, most: int = MOST) -> None:
        """Look with `look`: from the standing before to the one now and what happened. It may block."""
        self._look = look
        self._pause_s = pause_s
        self._most = most
        self._listeners: set[asyncio.Queue[ServerSentEvent | None]] = set()
        self._looking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._standing: ChangeCursor | None = None
        self._trouble = ""
        self._ended = False

    @property
    def listeners(self) -> int:
        """How many pages listen now."""
        return len(self._listeners)

    def admit(self) -> None:
        """Let one more page in.

        Raises:
            RequestRefused: 503, too many listen, or the process is about to end.
        """
        if self._ended:
            raise RequestRefused(
                503, "this process is stopping", "start groundswell again, then load the page"
            )
        if len(self._listeners) >= self._most:
            raise RequestRefused(
                503,
                f"{self._most} pages of this study are open, and no more are told what happens",
                "close some; until then load this page again to see what is new",
            )

    async def listen(self, since: ChangeCursor | None = None) -> AsyncIterator[ServerSentEvent]:
        """Yield what happens until `end`; first what happened since a standing, if one is given."""
        async with self._taking() as taken:
            yield ServerSentEvent(comment="groundswell", retry=RETRY_MS)
            if self._trouble:
                yield _event(Happened("database", self._trouble), self._standing)
            known = self._standing
            if known is not None:
                yield _event(Happened("here", ""), known)
            while True:
                if since is not None and known is not None:
                    for kind in _changed(since, known):
                        yield _event(Happened(kind, ""), known)
                    since = None
                event = await taken.get()
                if event is None:
                    return
                yield event
                known = self._standing

    def end(self) -> None:
        """Let every listener go, and take no more; from any thread."""
        self._ended = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._let_go)

    def _let_go(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        for queue in self._listeners:
            _give(queue, None)

    @asynccontextmanager
    async def _taking(self) -> AsyncIterator[asyncio.Queue[ServerSentEvent | None]]:
        queue: asyncio.Queue[ServerSentEvent | None] = asyncio.Queue(BEHIND)
        self._loop = asyncio.get_running_loop()
        if self._ended:
            queue.put_nowait(None)
        self._listeners.add(queue)
        if self._looking is None and not self._ended:
            # What happened while nobody listened is not news; who comes back says how far it was.
            self._standing = None
            self._looking = asyncio.create_task(self._keep_looking())
        try:
            yield queue
        finally:
            self._listeners.discard(queue)
            if not self._listeners and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def _keep_looking(self) -> None:
        while True:
            await self._look_once()
            await asyncio.sleep(self._pause_s)

    async def _look_once(self) -> None:
        before = self._standing
        try:
            self._standing, happened = await asyncio.to_thread(self._look, before)
        except Explained as error:
            if not self._trouble:
                log.warning("open pages are told nothing new", cause=error.cause)
                self._trouble = f"What you see may be old: {error.cause}."
                self._tell([Happened("database", self._trouble)])
            return
        except Exception:
            log.exception("a look at the study failed")
            return
        if self._trouble:
            self._trouble = ""
            happened = [Happened("database", ""), *happened]
        self._tell(happened)

    def _tell(self, happened: Sequence[Happened]) -> None:
        for each in happened:
            event = _event(each, self._standing)
            for queue in self._listeners:
                _give(queue, event)


def _give(queue: asyncio.Queue[ServerSentEvent | None], event: ServerSentEvent | None) -> None:
    """Put it in; a queue that is full is emptied and ended."""
    try:
        queue.put_nowait(event)
    except asyncio.QueueFull:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)


def _event(happened: Happened, standing: ChangeCursor | None) -> ServerSentEvent:
    return ServerSentEvent(
        event=happened.kind, data={"said": happened.said}, id=str(standing) if standing else None
    )


def _changed(before: ChangeCursor, now: ChangeCursor) -> list[str]:
    """The kinds of what changed between two standings."""
    return [kind for kind in KINDS if _part(kind, before) != _part(kind, now)]


def _part(kind: str, of: ChangeCursor) -> tuple[Any, ...]:
    """The part of a standing that an event of a kind is about."""
    return {
        "talks": (of.model, of.sequence, of.talks, of.corrections),
        "alerts": (of.model, of.alerts),
        "codebook": (of.revision,),
    }[kind]


class Looking:
    """One look after the other at a study: what happened in between, in words. Blocks."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._known: set[str] = set()
        """Alerts that were told, or there before anyone listened: they have no order of arrival."""

    def __call__(self, before: ChangeCursor | None) -> tuple[ChangeCursor, list[Happened]]:
        """Return how far the study is, and what happened since `before`; the first time there is no news.

        Raises:
            Unavailable: the database does not answer.
        """
        now = ask(self._warehouse, change_feed.change_cursor)
        if before is None:
            self._raised()
            return now, [Happened("here", "")]
        say = {"talks": self._talks, "alerts": self._alerts, "codebook": self._codebook}
        return now, [Happened(kind, say[kind](before, now)) for kind in _changed(before, now)]

    def _talks(self, before: ChangeCursor, now: ChangeCursor) -> str:
        if now.model != before.model:
            return "Another topic model is shown now." if before.model else ""
        rows = ask(self._warehouse, change_feed.learned_since, before.sequence)
        if not rows:
            return "A talk was corrected." if now.corrections != before.corrections else ""
        new = rows[0]["talks"]
        titles = ", ".join(cut(row["title"] or row["video_id"]) for row in rows)
        more = f" and {new - len(rows):,} more" if new > len(rows) else ""
        return f"{new:,} new talk{'s' if new > 1 else ''}: {titles}{more}."

    def _alerts(self, before: ChangeCursor, now: ChangeCursor) -> str:
        titles = self._raised()
        if len(titles) == 1:
            return f"Alert: {cut(titles[0])}."
        return f"{len(titles):,} new alerts, the newest: {cut(titles[-1])}." if titles else ""

    def _raised(self) -> list[str]:
        """Return the titles of alerts that are new to it."""
        rows = ask(self._warehouse, change_feed.raised)
        titles = [row["title"] for row in rows if row["alert_id"] not in self._known]
        self._known = {row["alert_id"] for row in rows}
        return titles

    def _codebook(self, before: ChangeCursor, now: ChangeCursor) -> str:
        rows = ask(self._warehouse, change_feed.decided_since, before.revision)
        if not rows:
            return ""
        said = f"{cut(rows[0]['author'])}: {cut(rows[0]['said'], 2 * TITLE)}"
        return f"The codebook is at revision {now.revision:,}. {said}."


def cut(text: str, most: int = TITLE) -> str:
    """Return a text on one line, cut, and isolated: its direction does not turn what stands around it.

    Example:
        >>> cut("a\\u202eb   c\\n d", 5) == "\\u2068ab c…\\u2069"
        True
    """
    plain = " ".join(_MARKS.sub(lambda found: " " if found[0].isspace() else "", text).split())
    return f"\u2068{plain if len(plain) <= most else plain[: most - 1] + '…'}\u2069"


def mount(web: FastAPI, runtime: WebContext) -> None:
    """Add /live; `web.state.live` ends it, which has to come before the server's own end."""
    live = Live(Looking(readers_warehouse(runtime)))
    web.state.live = live

    @web.get(
        "/live",
        include_in_schema=False,
        response_class=EventSourceResponse,
        dependencies=[Depends(live.admit)],
    )
    async def told(
        since: Annotated[str, Query(max_length=300)] = "",
        last_event_id: Annotated[str, Header(max_length=300)] = "",
    ) -> AsyncIterator[ServerSentEvent]:
        async for event in live.listen(ChangeCursor.read(last_event_id or since)):
            yield event
