"""/cooccurrence: topics that occur in the same videos, and the videos of a pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import Query

from agents.web.dependencies import Selected, Topic
from agents.web.pages.topics.asked_topics import asked_topics
from agents.web.pages.topics.units import told_apart
from agents.web.site import Site, TemplateContext
from models.stats.seriation import optimal_leaf_order
from streams.store.codebook.effective import book
from streams.store.queries import prevalence
from streams.store.rows.prevalence import CountedTopic, Pair

TOPICS = (10, 20, 40, 60)
"""Choices for the number of topics."""
PAIRS = 100_000
"""Limit on pairs, larger than in any study."""
VIDEOS = 100
"""Number of videos listed at first."""
EVERY = 10_000
Most = Annotated[int, Query(ge=2, le=60, description="Number of topics, the most prevalent.")]
Listed = Annotated[int, Query(ge=1, le=EVERY, description="Maximum number of talks, the newest.")]


def mount(site: Site) -> None:
    """Add the pages."""

    @site.page("/cooccurrence", "cooccurrence.html", twin="/api/cooccurrence")
    def cooccurrence(selected: Selected, most: Most = 20) -> TemplateContext:
        applied = site.ask(book, selected.codebook)
        topics = [row for row in site.ask(prevalence.topics, selected, applied) if row["videos"]]
        shown = topics[:most]
        among = tuple(row["topic_id"] for row in shown)
        pairs = site.ask(prevalence.cooccurrence, selected, PAIRS, applied, among)
        return {
            "title": "Co-occurrence",
            "most": most,
            "all": len(topics),
            "options": [(each, str(each)) for each in TOPICS],
            "pairs": pairs,
            "matrix": matrix(shown, pairs) if len(shown) > 1 else None,
        }

    @site.page(
        "/cooccurrence/videos", "cooccurrence_videos.html", section="/cooccurrence", twin="/api/videos"
    )
    def videos(
        selected: Selected, topic_id: Topic, other_id: Topic | None = None, limit: Listed = VIDEOS
    ) -> TemplateContext:
        wanted = [topic_id] if other_id is None else [topic_id, other_id]
        applied = site.ask(book, selected.codebook)
        topics = asked_topics(applied, wanted)
        both = topics[1].topic_id if len(topics) > 1 else None
        found = site.ask(prevalence.videos, topics[0].topic_id, both, selected, limit + 1, applied)
        return {
            "title": " and ".join(each.name for each in topics),
            "topics": topics,
            "videos": found[:limit],
            "more": len(found) > limit,
            "limit": limit,
            "every": EVERY,
        }


def matrix(topics: Sequence[CountedTopic], pairs: Sequence[Pair]) -> dict[str, Any]:
    """Return the data of the heatmap: pairs, and topics in an order that makes co-occurring ones neighbours.

    Args:
        topics: two or more.
        pairs: of these topics.

    Returns:
        {topics: [{id, name, videos}], pairs: [[place, place, videos, jaccard, lift]]}, of each pair the first
        place before the second; a pair that no talk is about is not among them.
    """
    at = {row["topic_id"]: index for index, row in enumerate(topics)}
    distances = 1.0 - np.eye(len(topics))
    for pair in pairs:
        one, other = at[pair["topic_id"]], at[pair["other_id"]]
        distances[one, other] = distances[other, one] = 1.0 - pair["jaccard"]
    order = optimal_leaf_order(distances)
    names = told_apart(topics)
    place = {topics[index]["topic_id"]: number for number, index in enumerate(order)}
    return {
        "topics": [
            {"id": row["topic_id"], "name": names[row["topic_id"]], "videos": row["videos"]}
            for row in (topics[index] for index in order)
        ],
        "pairs": [
            [
                *sorted((place[pair["topic_id"]], place[pair["other_id"]])),
                pair["videos"],
                pair["jaccard"],
                pair["lift"],
            ]
            for pair in pairs
        ],
        "measure": "videos",
    }
