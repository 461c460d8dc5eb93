"""View of how far topics that were born overlap topics of the codebook, and which may be parts of one."""

from __future__ import annotations

from agents.queries.rows import ConceptOverlap
from models.codebook.suggestion import is_part
from models.stats.trend import wilson
from streams.store.codebook.overlap import overlaps
from streams.store.rows.codebook import CountedOverlap
from streams.store.warehouse import Warehouse


def concept_overlap(warehouse: Warehouse, topic_id: int | None = None) -> list[ConceptOverlap]:
    """Return born topics and the topics of the codebook that their paragraphs are about, largest share first.

    Each pair has the share of the born topic's paragraphs that are about the topic of the codebook, its 95 %
    interval (Wilson), and the share that chance would give: that of all paragraphs. `suggested`: it is clear
    enough to suggest merging the born topic into the other one. Without `topic_id`, of all topics.
    """
    return [_weighed(row) for row in overlaps(warehouse, topic_id)]


def _weighed(row: CountedOverlap) -> ConceptOverlap:
    found = wilson(row["paragraphs"], row["of_paragraphs"])
    suggested = is_part(found.low, row["lift"], row["videos"])
    return {**row, "low": found.low, "high": found.high, "suggested": suggested}
