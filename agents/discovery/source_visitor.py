"""Visits to sources: every lane of a source is tried, and a failing lane stops no other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from agents.discovery.connectors import Connectors, Folder
from agents.discovery.listing_crawler import ListingCrawler
from agents.discovery.visit_result import VisitResult, refusal
from streams.errors import DataError, Fatal, Misconfigured, Paused, Unavailable
from streams.events import Lane
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from streams.state.sources import Watched
from streams.store.operations import sightings
from streams.store.warehouse import Warehouse
from streams.youtube.data_api import QuotaSpent

log = structlog.get_logger()
API_REST = timedelta(hours=1)
"""The pause of the Data API after its quota is used up."""


class SourceVisitor:
    """Visits sources."""

    def __init__(
        self,
        lanes: Connectors,
        blobs: Blobs,
        warehouse: Warehouse,
        search_results: int,
        now: Callable[[], datetime],
    ) -> None:
        self._lanes = lanes
        self._blobs = blobs
        self._warehouse = warehouse
        self._search_results = search_results
        self._now = now
        self._walker = ListingCrawler(lanes, warehouse, Outbox(blobs), now)
        self._api_rests_until: datetime | None = None

    def look(self, watched: Watched) -> VisitResult:
        """Return the result of a visit; errors of lanes are part of it and are not raised.

        Raises:
            Fatal, Misconfigured: the process cannot continue.
        """
        look = VisitResult(watched, sightings.shown_by(self._warehouse, watched.source_id))
        match watched.source.kind:
            case "channel":
                self._look_at_channel(look)
            case "playlist":
                self._attempt(look, "listing", lambda: self._take_all(look, None))
            case "search":
                self._attempt(look, "search", lambda: self._take_all(look, self._search_results))
            case "feed":
                self._attempt(look, "feed", lambda: self._read_podcast(look))
            case "folder":
                self._attempt(look, "folder", lambda: self._look_into_folder(look))
                if look.folder is not None and look.folder.refused:
                    look.troubles["folder"] = refusal(look.folder.refused)
        return look

    def _look_at_channel(self, look: VisitResult) -> None:
        knew = look.channel_id
        if knew:
            self._attempt(look, "rss", lambda: self._read_feed(look))
        listed = self._has_api() and self._attempt(look, "api", lambda: self._walker.walk(look, "api"))
        if not listed:
            self._attempt(look, "listing", lambda: self._walker.walk(look, "listing"))
        if not knew and look.channel_id:
            self._attempt(look, "rss", lambda: self._read_feed(look))

    def _has_api(self) -> bool:
        rests = self._api_rests_until is not None and self._now() < self._api_rests_until
        return self._lanes.api is not None and not rests

    def _attempt(self, look: VisitResult, lane: Lane, ask: Callable[[], None]) -> bool:
        """Return whether a lane worked; store its error or pause in `look`."""
        try:
            ask()
        except (Fatal, Misconfigured):
            raise
        except Paused as pause:
            look.paused_until = max(pause.until, look.paused_until or pause.until)
            look.paused_why = pause.cause
            return False
        except (DataError, Unavailable) as error:
            if isinstance(error, QuotaSpent):
                self._api_rests_until = self._now() + API_REST
            look.troubles[lane] = error
        except Exception as error:
            # A bug in a library's parsing of a page must not stop the other lanes and sources.
            log.exception("a lane failed", source=look.source.locator, lane=lane)
            what = f"{look.source.kind} {look.source.locator}"
            look.troubles[lane] = DataError(
                f"reading {what} broke ({type(error).__name__}: {error})"[:500],
                "report it with the log; the other sources continue",
            )
        else:
            look.worked.add(lane)
            return True
        return False

    def _read_feed(self, look: VisitResult) -> None:
        told = self._lanes.feed_of(look.channel_id, look.watched.visits)
        look.finds += told.finds
        look.learned |= {"etag": told.etag, "modified": told.modified}

    def _read_podcast(self, look: VisitResult) -> None:
        told = self._lanes.podcast(look.source, look.watched.visits)
        look.finds += told.finds
        look.learned |= {"etag": told.etag, "modified": told.modified}
        if told.title:
            look.learned["title"] = told.title

    def _look_into_folder(self, look: VisitResult) -> None:
        look.folder = Folder(self._blobs, look.source).look(self._now(), look.watched.visits.refused)
        look.learned["refused"] = tuple(look.folder.refused)

    def _take_all(self, look: VisitResult, limit: int | None) -> None:
        for find in self._lanes.listing(look.source, limit):
            look.finds.append(find)
