"""Consolidation of all topics: applies births, splits, merges and dormancy, and reports them."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.topics.lifecycle.consolidation import Group, propose
from models.topics.lifecycle.registry import LastHeard
from models.topics.lifecycle.representatives import Representative
from models.topics.lifecycle.reservoir import Sampled
from models.topics.online.centring import Vectors
from models.topics.online.partial_fit import worded
from models.topics.results import Birth, Consolidation, Dormancy, EarlierAssignment, Merge
from models.topics.state import ModelState


@dataclass(frozen=True)
class ConsolidationResult:
    """The result of a consolidation, with the fields of `Outcome`."""

    births: tuple[Birth, ...]
    merges: tuple[Merge, ...]
    dormancies: tuple[Dormancy, ...]
    consolidation: Consolidation


@dataclass(frozen=True)
class _Newborn:
    """A topic that a consolidation has founded, with its paragraphs in the sample."""

    topic_id: int
    group: Group
    parent: int | None


def look(memory: ModelState, month: str, batch_id: str) -> ConsolidationResult:
    """Propose changes and apply them if accepted; topics unheard for long become dormant in any case.

    Args:
        month: the current month of publication.
    """
    settings, background, roster, ledger = memory.settings, memory.background, memory.roster, memory.ledger
    before = len(roster.centroids)
    sampled, vectors = memory.reservoir.paragraphs(), memory.reservoir.vectors()
    videos = [each.video_id for each in sampled]
    proposal = propose(
        vectors,
        videos,
        background,
        roster.centroids,
        seeded=roster.seeded_slots(),
        settings=settings,
        early=memory.schedule.early,
    )
    merges: list[Merge] = []
    newborn: list[_Newborn] = []
    woken: list[int] = []
    heard = LastHeard(video=ledger.videos, month=month)
    if proposal.accepted:
        slots = tuple(roster.centroids.topic_ids)
        roster.centroids.means = proposal.means
        merges = [Merge(slots[slot], slots[into], batch_id) for slot, into in proposal.pairs]
        for merge in merges:
            roster.merge(merge.topic_id, merge.into)
            memory.places.pool(merge.topic_id, merge.into)
        for group in proposal.groups:
            waking = roster.wake(group.centre, group.cosines, heard)
            if waking is not None:
                woken.append(waking)
                continue
            said = [worded(sampled[row]) for row in group.rows.tolist()]
            parent = None if group.parent is None else roster.follow(slots[group.parent])
            newborn.append(_Newborn(roster.create(group.centre, group.cosines, said, heard), group, parent))
            memory.places.begin(newborn[-1].topic_id, (sampled[row] for row in group.rows.tolist()))
    roster.centroids.settle()
    asleep = roster.stale(ledger.videos, month)
    for topic_id in asleep:
        roster.sleep(topic_id)
    roster.online.refresh()
    births = _births(memory, newborn, sampled, vectors, batch_id)
    memory.schedule.looked()
    for topic_id in (*(merge.topic_id for merge in merges), *asleep):
        memory.drift.end(topic_id)
    for topic_id in (*(merge.into for merge in merges), *woken, *(each.topic_id for each in newborn)):
        if topic_id in roster.centroids.topic_ids:
            memory.drift.begin(topic_id)
    return ConsolidationResult(
        births,
        tuple(merges),
        (
            *(Dormancy(each, False, batch_id) for each in woken),
            *(Dormancy(each, True, batch_id) for each in asleep),
        ),
        Consolidation(
            proposal.accepted, proposal.reason, proposal.survival, before, proposal.topics_after, batch_id
        ),
    )


def _births(
    memory: ModelState,
    newborn: Sequence[_Newborn],
    sampled: Sequence[Sampled],
    vectors: Vectors,
    batch_id: str,
) -> tuple[Birth, ...]:
    roster, ledger = memory.roster, memory.ledger
    labels, probabilities = roster.centroids.predict(vectors)
    ids = [None, *roster.centroids.topic_ids]
    births = []
    for each in newborn:
        for row, cosine in zip(each.group.rows.tolist(), each.group.cosines, strict=True):
            said = sampled[row]
            representative = Representative(
                paragraph_id=said.paragraph_id, video_id=said.video_id, cosine=cosine, text=said.text
            )
            roster.representatives.add(each.topic_id, representative, vectors[row])
    roster.name()
    for each in newborn:
        rows = sorted(each.group.rows, key=lambda row: (ledger.index_of(sampled[row].video_id), row))
        assignments = []
        for row in rows:
            said = sampled[row]
            if said.topic_id is None and ids[labels[row]] == each.topic_id:
                memory.reservoir.assign(said.paragraph_id, each.topic_id)
                assignments.append(
                    EarlierAssignment(
                        said.video_id,
                        ledger.index_of(said.video_id),
                        said.month,
                        said.paragraph_id,
                        each.topic_id,
                        float(probabilities[row]),
                    )
                )
        births.append(
            Birth(
                topic=roster.state(each.topic_id),
                paragraph_ids=tuple(sampled[row].paragraph_id for row in rows),
                video_ids=tuple(dict.fromkeys(sampled[row].video_id for row in rows)),
                batch_id=batch_id,
                assignments=tuple(assignments),
                parent=each.parent,
            )
        )
    return tuple(births)
