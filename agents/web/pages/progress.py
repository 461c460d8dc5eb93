"""Progress of the talks of a study through its agents."""

from __future__ import annotations

from agents.web.site import Site
from streams.store.operations.parked import parked
from streams.store.rows.corpus import Status
from streams.store.talks import talk_queries


def unfinished(site: Site, status: Status) -> int:
    """Return the number of talks still being processed; talks stuck as dead letters do not count."""
    if status["videos"] == sum(status["states"].get(state, 0) for state in ("assigned", "rejected")):
        return 0
    return len(site.ask(talk_queries.known_videos) - site.ask(talk_queries.finished_videos))


def in_review(site: Site, left: int) -> int:
    """Return how many of the unfinished talks wait for reviewers, and for no agent."""
    return len(site.ask(parked, "in review", left)) if left else 0
