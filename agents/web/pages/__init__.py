"""The pages, one module each."""

from __future__ import annotations

from agents.web.pages import curation, emerging, history, overview, review
from agents.web.pages.operation import account, alerts, demo, endpoints, files, sources, system
from agents.web.pages.talks import choices, differences, profiles, search, talk, talks
from agents.web.pages.topics import (
    compare,
    composition,
    cooccurrence,
    ranks,
    theme,
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
        differences,
        ranks,
        review,
        talk,
        theme,
        topic,
        search,
        emerging,
        alerts,
        talks,
        profiles,
        sources,
        files,
        demo,
        system,
        endpoints,
    ):
        page.mount(site)
