"""/talks and /screening: all videos with their outcome, and screening verdicts with their reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from fastapi import Query

from agents.web.dependencies import Page, Selected
from agents.web.site import Site, TemplateContext, query
from streams.store.operations import screening
from streams.store.operations.throughput import NEXT
from streams.store.queries import corpus
from streams.store.rows.corpus import Corpus
from streams.store.rows.screening import Queue
from streams.store.rows.talks import Listing
from streams.store.talks.listing import Order, listing

PAGE = 50
"""Rows per page."""
STATES = (*NEXT, "withdrawn", "kept", "counted")
STATE_LABELS = {"counted": "counted (with a topic)"}
VERDICTS: Mapping[str, str] = {
    "": "All",
    "rejected": "Rejected",
    "waiting": "Not judged yet",
    "accepted": "Accepted",
}
COLUMNS: tuple[tuple[Order, str], ...] = (
    ("title", "Title"),
    ("show", "Show"),
    ("published", "Published"),
    ("length", "Length"),
    ("paragraphs", "Paragraphs"),
    ("topics", "Topics"),
)
Search = Annotated[str, Query(max_length=300, description="Text in title, show, channel or id.")]
Rule = Annotated[str, Query(max_length=300)]
State = Annotated[
    Literal[
        "",
        "seen",
        "accepted",
        "fetched",
        "transcribed",
        "split",
        "rejected",
        "assigned",
        "withdrawn",
        "kept",
        "counted",
    ],
    Query(),
]
Verdict = Annotated[Literal["", "accepted", "rejected", "waiting"], Query()]
assert set(get_args(get_args(State)[0])) == {"", *STATES}


def mount(site: Site) -> None:
    """Add the pages."""

    @site.page("/talks", "talks.html", twin="/api/listing")
    def talks(  # noqa: PLR0917 - the parameters of a query, each by name
        selected: Selected,
        search: Search = "",
        state: State = "",
        rule: Rule = "",
        order: Annotated[Order, Query()] = "published",
        up: bool = False,
        page: Page = 1,
    ) -> TemplateContext:
        found = site.ask(
            listing, selected, search, state, rule, order, up, limit=PAGE, offset=PAGE * (page - 1)
        )
        counted = site.ask(corpus.corpus, selected)
        return {
            "title": "Talks",
            "corpus": counted,
            "fates": fates(counted),
            "states": STATES,
            "state_labels": STATE_LABELS,
            "rules": sorted(counted["rejections"]),
            "search": search,
            "state": state,
            "rule": rule,
            "order": order,
            "up": up,
            "columns": COLUMNS,
            "csv": query({}, search=search, state=state, rule=rule, order=order, ascending=up or ""),
        } | paged(found, page)

    @site.page("/screening", "screening.html", section="/talks", twin="/api/screening_queue")
    def queue(
        verdict: Verdict = "rejected", rule: Rule = "", search: Search = "", page: Page = 1
    ) -> TemplateContext:
        found = site.ask(screening.queue, PAGE, PAGE * (page - 1), verdict=verdict, rule=rule, search=search)
        return {
            "title": "Screening",
            "summary": site.ask(screening.summary),
            "verdicts": VERDICTS,
            "verdict": verdict,
            "rule": rule,
            "search": search,
        } | paged(found, page)


def fates(counted: Corpus) -> list[dict[str, Any]]:
    """Return the outcomes of videos as rows {name, videos, share, rule}; share of the videos found.

    Example:
        >>> found = {"found": 4, "kept": 3, "withdrawn": 0, "waiting": 0, "rejections": {"too short": 1}}
        >>> row, *_ = fates(found)
        >>> row["name"], row["videos"], row["share"]
        ('Kept', 3, 0.75)
    """
    rejected = sorted(counted["rejections"].items(), key=lambda each: (-each[1], each[0]))
    rows: list[tuple[str, int, str | None]] = [("Kept", counted["kept"], None)]
    rows += [(f"Rejected: {rule}", videos, rule) for rule, videos in rejected]
    rows += [
        ("Withdrawn by a person", counted["withdrawn"], None),
        ("In progress or failed", counted["waiting"], None),
    ]
    return [
        {"name": name, "videos": videos, "share": videos / counted["found"], "rule": rule}
        for name, videos, rule in rows
        if counted["found"]
    ]


def paged(found: Listing | Queue, page: int) -> TemplateContext:
    """Return the variables of the pager: {rows, videos, page, pages, first_row, last_row}."""
    first = PAGE * (page - 1)
    return {
        "rows": found["rows"],
        "videos": found["videos"],
        "page": page,
        "pages": max(1, -(-found["videos"] // PAGE)),
        "first_row": first + 1,
        "last_row": first + len(found["rows"]),
    }
