"""The pages, a module each."""

from __future__ import annotations

from agents.web.pages import (
    account,
    alerts,
    choices,
    compare,
    composition,
    cooccurrence,
    curation,
    emerging,
    endpoints,
    history,
    overview,
    ranks,
    review,
    search,
    sources,
    system,
    talk,
    talks,
    topic,
    topics,
    trends,
)
from agents.web.site import Site


def mount(site: Site) -> None:
    """Add every page."""
    for page in (
        account,
        curation,
        overview,
        trends,
        topics,
        history,
        choices,
        compare,
        composition,
        cooccurrence,
        ranks,
        review,
        talk,
        topic,
        search,
        emerging,
        alerts,
        talks,
        sources,
        system,
        endpoints,
    ):
        page.mount(site)
