"""Offers of a place for topics that are in no theme: a theme, or a topic of the codebook that includes them.

A person accepts them, one or many at once (`models.codebook.placement`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from typing_extensions import TypedDict

from agents.curation.theme_suggestions import suggested
from agents.queries.rows import ConceptOverlap
from agents.queries.wording import percent
from models.codebook.placement import Placement
from models.codebook.suggestion import Embed
from models.errors import BadInput
from streams.store.rows.topics import NamedTopic


class OfferedPlace(TypedDict):
    """A place that is offered to a topic."""

    theme: str
    """The theme to put it into; empty where it is offered to count for another topic."""
    into: int | None
    """The topic of the codebook to merge it into, or None."""
    into_name: str
    confidence: float
    """In [0, 1]. Of a theme: from the likeness of texts; all sum to 1. Of a merge: the lower end of the
    95 % interval of the share of its paragraphs that are about the other topic."""
    reason: str


class OfferedTopic(NamedTopic):
    """A topic and the places that are offered to it."""

    theme: str
    """Where the topic is now, or empty."""
    offers: list[OfferedPlace]
    """Best first: topics of the codebook that it is part of, then at most three themes."""


def offered(
    ask: Callable[..., Any], codebook: str, embed: Embed, *, topic_id: int | None = None
) -> list[OfferedTopic]:
    """Return what is offered to a topic, or to every counted topic without a theme; the most certain first.

    Args:
        ask: queries the study's views by name, with their parameters.
        codebook: the codebook that seeds the study, by name or path.
        embed: texts to float32 [n, d].
        topic_id: the topic.

    Raises:
        BadInput: as for `theme_suggestions.suggestions`.
    """
    parts: dict[int, list[ConceptOverlap]] = {}
    for row in ask("concept_overlap", topic_id=topic_id):
        if row["suggested"]:
            parts.setdefault(row["topic_id"], []).append(row)
    found: list[OfferedTopic] = [
        {
            "topic_id": row["topic_id"],
            "name": row["name"],
            "theme": row["theme"],
            "offers": [
                *map(_part, sorted(parts.get(row["topic_id"], ()), key=lambda each: -each["low"])),
                *map(_theme, row["suggestions"]),
            ],
        }
        for row in suggested(ask, codebook, embed, topic_id=topic_id)
    ]
    return sorted(found, key=lambda row: (-row["offers"][0]["confidence"], row["topic_id"]))


def accepted(
    rows: Sequence[OfferedTopic],
    topic_ids: Collection[int] = (),
    *,
    least: float = 0.0,
    parts: bool = True,
) -> list[Placement]:
    """Return the placements that accept the first offer of each topic.

    Args:
        rows: the offers.
        topic_ids: the topics; none: all.
        least: leave out offers of a lower confidence.
        parts: whether topics may be merged into those that they are part of; else each goes into a theme.

    Raises:
        BadInput: nothing is offered to one of the topics, or nothing is left.
    """
    by_topic = {row["topic_id"]: row for row in rows}
    if unknown := [each for each in topic_ids if each not in by_topic]:
        raise BadInput(
            f"nothing is offered to topic {unknown[0]}: it has a theme, does not count, or does not exist",
            "see groundswell codebook suggest; or decide with groundswell codebook assign or merge",
        )
    chosen = [row for row in rows if not topic_ids or row["topic_id"] in topic_ids]
    if not chosen:
        raise BadInput("every topic that counts has a theme", "see groundswell codebook show")
    firsts = [(row, next(each for each in row["offers"] if parts or each["into"] is None)) for row in chosen]
    placed = [
        Placement(row["topic_id"], offer["theme"], offer["into"])
        for row, offer in firsts
        if offer["confidence"] >= least
    ]
    if not placed:
        most = max(offer["confidence"] for _, offer in firsts)
        raise BadInput(
            f"no offer is as certain as {percent(least)}; the most certain is {percent(most)}",
            "accept less certain ones, or name the topics and their theme",
        )
    return placed


def _part(row: ConceptOverlap) -> OfferedPlace:
    return {
        "theme": "",
        "into": row["concept_id"],
        "into_name": row["concept_name"],
        "confidence": row["low"],
        "reason": f"{row['paragraphs']} of its {row['of_paragraphs']} paragraphs are about "
        f"{row['concept_name']}, in {row['videos']} talks; by chance {percent(row['expected'])} would be",
    }


def _theme(row: dict[str, Any]) -> OfferedPlace:
    return {
        "theme": row["theme"],
        "into": None,
        "into_name": "",
        "confidence": row["confidence"],
        "reason": "its words and quotes are like the topics of this theme",
    }
