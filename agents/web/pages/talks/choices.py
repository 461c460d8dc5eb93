"""/choices: suggestions for the filter fields, requested when the filters are opened."""

from __future__ import annotations

from agents.web.site import Site, TemplateContext
from streams.store.queries.facets import choices as choices_of

FILTERS = ("show", "channel", "source", "speaker", "language")


def mount(site: Site) -> None:
    """Add the fragment."""

    @site.page("/choices", "choices.html")
    def choices() -> TemplateContext:
        found = site.ask(choices_of)
        return {
            "title": "Choices",
            "choices": {name: [row for row in found if row["filter"] == name] for name in FILTERS},
        }
