"""Births of topics: a video completes a group of founders, which found a topic or revive a dormant one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.topics.lifecycle.novelty import BufferedParagraph
from models.topics.lifecycle.registry import LastHeard
from models.topics.lifecycle.small_talk import is_at_end
from models.topics.online.batch import Batch
from models.topics.online.centring import Vectors
from models.topics.online.learnable import Learnable
from models.topics.results import Birth, Dormancy, EarlierAssignment
from models.topics.state import ModelState

Given = tuple[int | None, float]
"""A topic's id, or None, and its probability."""


@dataclass(frozen=True)
class Founders:
    """The paragraphs of a topic that is being born or revived, the earlier ones first.

    Attributes:
        woken: the topic was dormant, and returns under its own id.
        asleep: the topic that became dormant to make room, if one had to.
        earlier: those that were learned before this batch.
        vectors: float64 [n, d], unit vectors of `earlier`.
    """

    topic_id: int
    woken: bool
    asleep: int | None
    all: tuple[BufferedParagraph, ...]
    earlier: tuple[BufferedParagraph, ...]
    vectors: Vectors


def found(memory: ModelState, batch: Batch, said: Learnable) -> Founders | None:
    """Buffer the novel paragraphs of a batch, and found the topic that they complete, if any."""
    novelty, roster, settings = memory.novelty, memory.roster, memory.settings
    novel = np.flatnonzero(roster.centroids.highest_cosines(said.vectors) < settings.novel_below)
    kept = [
        BufferedParagraph(
            batch.paragraph_ids[said.rows[at]],
            batch.video_id,
            batch.month,
            said.texts[at],
            batch.origin,
            is_at_end(said.rows[at], len(batch.texts)),
        )
        for at in novel.tolist()
    ]
    newest = novelty.add(kept, said.vectors[novel])
    founding = novelty.founding(newest, memory.background, roster.centroids)
    if founding is None:
        return None
    asleep = None
    if len(roster.centroids) >= settings.max_topics:
        asleep = roster.quietest(memory.ledger.videos)
        if asleep is None:
            return None
        roster.sleep(asleep)
        memory.drift.end(asleep)
    founders = tuple(novelty.kept[row] for row in founding.rows)
    earlier = tuple(each for each in founders if each.video_id != batch.video_id)
    earlier_vectors = novelty.vectors[founding.rows[: len(earlier)]]
    novelty.drop(founding.rows)
    heard = LastHeard(video=memory.ledger.videos, month=batch.month)
    woken = roster.wake(founding.centre, founding.cosines, heard)
    if woken is not None:
        memory.drift.begin(woken)
        return Founders(woken, True, asleep, founders, earlier, earlier_vectors)
    topic_id = roster.create(founding.centre, founding.cosines, (), heard)
    memory.drift.begin(topic_id)
    memory.places.begin(topic_id, earlier)
    return Founders(topic_id, False, asleep, founders, earlier, earlier_vectors)


def tell(
    memory: ModelState, founders: Founders | None, given: Sequence[Given], batch_id: str
) -> tuple[tuple[Birth, ...], tuple[Dormancy, ...]]:
    """Return the birth, or the revival, and the dormancy that made room for it.

    `given` begins with the new assignments of the earlier founders. Founders of a revived topic keep their
    old ones.
    """
    if founders is None:
        return (), ()
    dormancies = () if founders.asleep is None else (Dormancy(founders.asleep, True, batch_id),)
    if founders.woken:
        return (), (*dormancies, Dormancy(founders.topic_id, False, batch_id))
    for kept, (topic_id, _) in zip(founders.earlier, given, strict=False):
        memory.reservoir.assign(kept.paragraph_id, topic_id)
    assignments = tuple(
        EarlierAssignment(
            kept.video_id, memory.ledger.index_of(kept.video_id), kept.month, kept.paragraph_id, *pair
        )
        for kept, pair in zip(founders.earlier, given, strict=False)
    )
    memory.roster.name({founders.topic_id: [(kept.video_id, kept.text) for kept in founders.all]})
    birth = Birth(
        topic=memory.roster.state(founders.topic_id),
        paragraph_ids=tuple(kept.paragraph_id for kept in founders.all),
        video_ids=tuple(dict.fromkeys(kept.video_id for kept in founders.all)),
        batch_id=batch_id,
        assignments=assignments,
    )
    return (birth,), dormancies
