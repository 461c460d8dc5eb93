"""/live: server-sent events that notify open pages of changes in the study.

All pages share one poll of the database every few seconds, which runs only while a page listens. A page that
was hidden or cut off sends its last cursor when it reconnects, and gets the changes that it missed.
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
"""Interval between two polls of the study (seconds)."""
MOST = 200
"""Maximum number of listening pages, which limits the sockets of this process."""
BEHIND = 50
"""Maximum number of queued events per page; a slower page is cut off, reconnects and gets what it missed."""
RETRY_MS = 2000
TITLE = 60
"""Maximum length of a title in characters."""
KINDS = ("talks", "alerts", "codebook")
_MARKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]+")
"""Control characters and text direction marks."""


class Happened(NamedTuple):
    """A change that open pages are notified of."""

    kind: str
    """talks, alerts or codebook; database: it stopped or resumed answering; here: the cursor alone."""
    said: str
    """Sentence to show to the reader; empty: show nothing, only reload."""


Look = Callable[[ChangeCursor | None], tuple[ChangeCursor, list[Happened]]]


class Live:
    """Polls a study and broadcasts its changes to all listening pages."""

    def __init__(
        self,
        look: Look,
        *,
        pause_s: float = PAUSE_S,
        most: int = MOST,
        refresh: Callable[[], None] = lambda: None,
    ) -> None:
        """Poll with `look`: it maps the previous cursor to the current one and the changes. It may block.

        `refresh` runs after each poll; it may block as well.
        """
        self._look = look
        self._refresh = refresh
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
        """Number of listening pages."""
        return len(self._listeners)

    def admit(self) -> None:
        """Check that one more page may listen.

        Raises:
            RequestRefused: 503, too many pages listen, or the process is stopping.
        """
        if self._ended:
            raise RequestRefused(
                503, "this process is stopping", "start groundswell again, then load the page"
            )
        if len(self._listeners) >= self._most:
            raise RequestRefused(
                503,
                f"{self._most} pages of this study are open, which is the maximum for live updates",
                "close some of them, or reload this page to see what is new",
            )

    async def listen(self, since: ChangeCursor | None = None) -> AsyncIterator[ServerSentEvent]:
        """Yield changes until `end`; first the changes since the cursor `since`, if given."""
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
        """End all listeners and admit no more. Thread-safe."""
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
            # Changes while nobody listened are not news; a returning page sends its own cursor.
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
            if not self._trouble:
                await self._refresh_once()
            await asyncio.sleep(self._pause_s)

    async def _refresh_once(self) -> None:
        try:
            await asyncio.to_thread(self._refresh)
        except Exception:
            log.exception("refreshing the views failed")

    async def _look_once(self) -> None:
        before = self._standing
        try:
            self._standing, happened = await asyncio.to_thread(self._look, before)
        except Explained as error:
            if not self._trouble:
                log.warning("open pages get no updates", cause=error.cause)
                self._trouble = f"This page may be out of date: {error.cause}."
                self._tell([Happened("database", self._trouble)])
            return
        except Exception:
            log.exception("polling the study failed")
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
    """Enqueue an event; a full queue is emptied and ended."""
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
    """Return the kinds of changes between two cursors."""
    return [kind for kind in KINDS if _part(kind, before) != _part(kind, now)]


def _part(kind: str, of: ChangeCursor) -> tuple[Any, ...]:
    """Return the part of a cursor that events of a kind depend on."""
    return {
        "talks": (of.model, of.sequence, of.talks, of.corrections),
        "alerts": (of.model, of.alerts),
        "codebook": (of.revision,),
    }[kind]


class Looking:
    """Polls a study and describes the changes since the previous poll in words. Blocks."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._known: set[str] = set()
        """Ids of alerts already announced, or raised before anyone listened; alerts arrive in no order."""

    def __call__(self, before: ChangeCursor | None) -> tuple[ChangeCursor, list[Happened]]:
        """Return the current cursor and the changes since `before`; the first call reports no changes.

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
            return "The page now shows another topic model." if before.model else ""
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
        return f"{len(titles):,} new alerts, newest: {cut(titles[-1])}." if titles else ""

    def _raised(self) -> list[str]:
        """Return the titles of alerts that were not known before."""
        rows = ask(self._warehouse, change_feed.raised)
        titles = [row["title"] for row in rows if row["alert_id"] not in self._known]
        self._known = {row["alert_id"] for row in rows}
        return titles

    def _codebook(self, before: ChangeCursor, now: ChangeCursor) -> str:
        rows = ask(self._warehouse, change_feed.decided_since, before.revision)
        if not rows:
            return ""
        said = f"{cut(rows[0]['author'])}: {cut(rows[0]['said'], 2 * TITLE)}"
        return f"The codebook is now at revision {now.revision:,}. {said}."


def cut(text: str, most: int = TITLE) -> str:
    """Return a text on one line, shortened, and isolated so that it does not change the direction around it.

    Example:
        >>> cut("a\\u202eb   c\\n d", 5) == "\\u2068ab c…\\u2069"
        True
    """
    plain = " ".join(_MARKS.sub(lambda found: " " if found[0].isspace() else "", text).split())
    return f"\u2068{plain if len(plain) <= most else plain[: most - 1] + '…'}\u2069"


def mount(web: FastAPI, runtime: WebContext, refresh: Callable[[], None]) -> None:
    """Add /live; call `web.state.live.end()` before the server stops. `refresh`: as `Live` takes it."""
    live = Live(Looking(readers_warehouse(runtime)), refresh=refresh)
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
