"""/curation: codebook, decisions with previews, reviews, teaching of topics, and corrections of talks."""

from __future__ import annotations

from agents.web.curation.context import CurationContext
from agents.web.pages.curation import (
    codebook,
    correcting,
    deciding,
    naming,
    offers,
    reviewing,
    several,
    teaching,
    validating,
)
from agents.web.site import Site


def mount(site: Site) -> None:
    """Add the pages."""
    desk = CurationContext(site)
    for page in (codebook, deciding, several, offers, reviewing, teaching, validating, correcting, naming):
        page.mount(desk)
