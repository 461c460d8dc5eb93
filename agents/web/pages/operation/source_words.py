"""Description of a source in words: its health, next visit, backfill and push subscription."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from streams.errors import DataError
from streams.events import Source
from streams.feeds.websub_subscriptions import Subscription
from streams.state.sources import Watched
from streams.youtube.locators import HOME, addresses

HEALTH = {
    "paused": "paused",
    "new": "not visited yet",
    "failing": "fails",
    "troubled": "works in part",
    "waiting": "waits",
    "ok": "works",
}


def row(watched: Watched, now: datetime, kept: int | None, push: str) -> dict[str, Any]:
    """Return the row of a source on the page.

    Args:
        watched: the source.
        now: the present moment.
        kept: how many of its videos passed; None: not known now.
        push: see `push`; empty: there is none.

    Returns:
        {source_id, kind, locator, address, title, since, paused, health, words, more, troubles: [{lane,
        cause, cure, at}], lanes: [{lane, worked_at}], last_success, next_at, next, found, kept, progress,
        push}: health as of `Watched.health`, words says it and more adds to it; address: '' where there is
        nothing to open; next: what is to be said before next_at, or instead of it.
    """
    source, seen = watched.source, watched.visits
    next_at, following = _next(watched, now)
    return {
        "source_id": source.source_id,
        "kind": source.kind,
        "locator": source.locator,
        "address": address(source),
        "title": seen.title,
        "since": source.since,
        "paused": watched.paused,
        "health": watched.health,
        "words": HEALTH[watched.health],
        "more": _more(watched),
        "troubles": _troubles(watched),
        "lanes": [
            {"lane": name, "worked_at": lane.worked_at} for name, lane in seen.lanes.items() if lane.worked_at
        ],
        "last_success": seen.last_success,
        "next_at": next_at,
        "next": following,
        "found": seen.found,
        "kept": kept,
        "progress": progress(watched),
        "push": push,
    }


def address(source: Source) -> str:
    """Return the web address of a source, or '' if a browser cannot open it.

    Example:
        >>> from datetime import UTC
        >>> added = datetime(2026, 1, 1, tzinfo=UTC)
        >>> address(Source(source_id="a", kind="channel", locator="@MLOps", added_at=added))
        'https://www.youtube.com/@MLOps'
        >>> address(Source(source_id="b", kind="search", locator="RAG & co", added_at=added))
        'https://www.youtube.com/results?search_query=RAG+%26+co'
    """
    match source.kind:
        case "feed":
            is_web = source.locator.lower().startswith(("http://", "https://"))
            return source.locator if is_web else ""
        case "folder":
            return ""
        case "search":
            return f"{HOME}/results?{urlencode({'search_query': source.locator})}"
    try:
        return addresses(source, None)[0].removesuffix("/videos")
    except DataError:
        return ""


def progress(watched: Watched) -> str:
    """Return the progress of a channel's backfill, or '' if none was requested."""
    going = watched.visits.backfill
    if watched.backfill_at and (going is None or going.asked_at < watched.backfill_at):
        return "earlier uploads: from its next visit on"
    if going is None:
        return ""
    until = f"back to {going.since}" if going.since else "back to its beginning"
    if going.done_at is not None:
        return f"earlier uploads read {until}: {going.found:,} found"
    return f"reading earlier uploads {until}: {going.found:,} found, {going.rank:,} checked so far"


def push(subscription: Subscription | None, now: datetime) -> str:
    """Return the state of a channel's push subscription at its hub."""
    if subscription is None:
        return "not requested yet"
    asked, answered = subscription.asked, subscription.answered
    denied = answered is not None and subscription.state == "denied"
    why = f": {answered.reason}" if answered is not None and answered.reason else ""
    if subscription.covers(now) and answered is not None and answered.lease_ends is not None:
        renewal = f"; the renewal was denied{why}" if denied else ""
        return f"active until {answered.lease_ends:%Y-%m-%d %H:%M}{renewal}"
    if denied:
        return f"denied by the hub{why}"
    if subscription.state == "pending":
        trouble = f": {asked.trouble}" if asked.trouble else ""
        return f"requested, not confirmed yet{trouble}"
    return "ended" if subscription.state == "unsubscribed" else "expired, to be renewed"


def _next(watched: Watched, now: datetime) -> tuple[datetime | None, str]:
    """Return the time of the next visit, and a text to show before it or instead of it."""
    seen = watched.visits
    if watched.paused:
        return None, "not while it is paused"
    asked_again = bool(watched.backfill_at and seen.last_visit and watched.backfill_at > seen.last_visit)
    if seen.last_visit is None or asked_again or seen.next_visit is None:
        return None, "soon"
    return (seen.next_visit, "due since" if seen.next_visit <= now else "")


def _more(watched: Watched) -> str:
    seen = watched.visits
    match watched.health:
        case "failing":
            times = f", {seen.failures:,} visits in a row" if seen.failures > 1 else ""
            since = f"{seen.last_success:%Y-%m-%d %H:%M}" if seen.last_success else ""
            return f"{times}; last worked on {since}" if since else f"{times}; it has never worked"
        case "waiting":
            return f": requests to YouTube are paused until {seen.paused_until:%Y-%m-%d %H:%M}"
    return ""


def _troubles(watched: Watched) -> list[dict[str, Any]]:
    seen = watched.visits
    found = [
        {"lane": name} | lane.trouble.model_dump(include={"cause", "cure", "at"})
        for name, lane in seen.lanes.items()
        if lane.trouble is not None
    ]
    failure = seen.failure if seen.failures else None
    if failure is not None and failure.cause not in {each["cause"] for each in found}:
        found.insert(0, {"lane": ""} | failure.model_dump(include={"cause", "cure", "at"}))
    return found
