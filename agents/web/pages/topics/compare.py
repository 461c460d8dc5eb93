"""/compare: up to five topics side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import RedirectResponse
from pydantic import Field

from agents.queries import registry
from agents.queries.months import By
from agents.queries.rows import Topic
from agents.web.dependencies import RequestRefused, Selected
from agents.web.pages.topics.asked_topics import asked_topics
from agents.web.pages.topics.periods import gathered
from agents.web.pages.topics.trends import lines
from agents.web.pages.topics.units import told_apart
from agents.web.site import Site, query
from streams.store.codebook.effective import book
from streams.store.queries import prevalence
from streams.store.queries.selection import NAMES, Selection
from streams.store.rows.prevalence import Pair

AT_MOST = 5
PAIRS = 100_000
WORDS = 8
Number = Annotated[int, Field(ge=1, lt=2**32)]
Numbers = Annotated[list[Number], Query(description="Numbers of up to five topics, as in /api/topics.")]
Added = Annotated[str, Query(max_length=300, description="Name or number of a topic to add.")]


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/compare", "compare.html", section="/trends", twin="/api/topic_months")
    def compare(
        selected: Selected,
        topic_id: Numbers = [],  # noqa: B006 - FastAPI's way to say "none"
        by: By | None = None,
        add: Added = "",
    ) -> Any:
        applied = site.ask(book, selected.codebook)
        every = site.ask(registry.topics, selected, applied)
        names = told_apart(every)
        wanted = list(dict.fromkeys(topic_id))
        if add.strip():
            wanted.append(_named(add.strip(), names))
        topics = asked_topics(applied, wanted)
        if len(topics) > AT_MOST:
            raise RequestRefused(
                422,
                f"{len(topics)} topics were chosen, but the chart can show at most {AT_MOST}",
                "remove some of them",
            )
        if add.strip():
            return RedirectResponse(address(selected, [each.topic_id for each in topics], by), 303)
        chosen = [each.topic_id for each in topics]
        by_month = site.ask(prevalence.topic_months, selected, applied)
        counted_by, months, rows = gathered(by_month, "topic_id", site.today, by)
        rank = {row["topic_id"]: place for place, row in enumerate(every, 1)}
        of = {row["topic_id"]: row for row in every}
        drawn = lines(rows, "topic_id", chosen, months, names)
        met = site.ask(prevalence.cooccurrence, selected, PAIRS, applied, tuple(chosen)) if chosen[1:] else []
        return {
            "title": "Compare topics",
            "by": counted_by,
            "chosen": chosen,
            "merged": [each for each in topics if each.instead_of],
            "topics": [
                of[each] | {"place": rank[each], "words": of[each]["words"][:WORDS]} for each in chosen
            ],
            "names": names,
            "at_most": AT_MOST,
            "suggested": [row["topic_id"] for row in every[:3] if row["videos"]],
            "months": months,
            "lines": drawn
            | {"layout": "one", "band": "all" if len(chosen) < 3 else drawn["lines"][0]["name"]},
            "bands": [(line["name"], line["name"]) for line in drawn["lines"]],
            "pairs": pairs(met, chosen, of) if chosen[1:] else [],
            "without": {each: [one for one in chosen if one != each] for each in chosen},
        }


def address(selected: Selection, topic_ids: Sequence[int], by: By | None) -> str:
    """Return the address of the comparison of these topics."""
    kept = {name: getattr(selected, name) for name in NAMES}
    return f"/compare{query(kept, topic_id=list(topic_ids), by=by or '')}"


def _named(text: str, names: dict[int, str]) -> int:
    """Return the topic with this name, as the chooser writes it, or this number.

    Raises:
        RequestRefused: 404, none is called so.
    """
    called = {name.casefold(): topic_id for topic_id, name in names.items()}
    if text.casefold() in called:
        return called[text.casefold()]
    if text.isascii() and text.isdigit() and 0 < int(text) < 2**32:
        return int(text)
    raise RequestRefused(
        404,
        f"no topic is called {text[:80]!r}",
        "choose one of the suggested names, or enter a topic's number",
    )


def pairs(found: Sequence[Pair], chosen: Sequence[int], of: Mapping[int, Topic]) -> list[dict[str, Any]]:
    """Return the co-occurrence of each pair of chosen topics, pairs without common videos too.

    Args:
        of: every topic.

    Returns:
        {topic_id, other_id, videos, jaccard, lift}; lift is None where one of them has no video.
    """
    known = {(row["topic_id"], row["other_id"]): row for row in found}
    made = []
    for one, other in combinations(chosen, 2):
        row = known.get((min(one, other), max(one, other)))
        never = 0.0 if of[one]["videos"] and of[other]["videos"] else None
        made.append(
            {
                "topic_id": one,
                "other_id": other,
                "videos": row["videos"] if row else 0,
                "jaccard": row["jaccard"] if row else 0.0,
                "lift": row["lift"] if row else never,
            }
        )
    return made
