"""Consolidation proposals: births, splits and merges for all topics, and whether they change too much."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.topics.lifecycle.communities import Rows, communities
from models.topics.online.centring import Background, Vectors, compare, unit
from models.topics.online.centroids import AnchoredCentroids, Labels
from models.topics.settings import TopicSettings


@dataclass(frozen=True)
class Group:
    """Sampled paragraphs that should have a topic of their own.

    Attributes:
        rows: their positions in the sample.
        centre: float64 [d], their mean; not of unit length.
        cosines: their centred cosines with it.
        parent: the slot of the topic that most of them have now; None if they have none.
    """

    rows: Rows
    centre: Vectors
    cosines: tuple[float, ...]
    parent: int | None


@dataclass(frozen=True)
class Proposal:
    """The changes that a consolidation suggests.

    Attributes:
        groups: groups to be born or split off, largest first.
        pairs: (slot, into): topics to merge; a slot leaves once at most, and never into one that leaves.
        means: float64 [k, d]: new means of the existing topics.
        accepted, reason, survival, topics_after: as in `results.Consolidation`.
    """

    groups: tuple[Group, ...]
    pairs: tuple[tuple[int, int], ...]
    means: Vectors
    accepted: bool
    reason: str
    survival: float
    topics_after: int


def propose(
    vectors: Vectors,
    videos: Sequence[str],
    background: Background,
    centroids: AnchoredCentroids,
    *,
    seeded: frozenset[int],
    settings: TopicSettings,
    early: bool,
) -> Proposal:
    """Propose changes from the sampled paragraphs' unit vectors, float64 [n, d].

    1. Warm start: `lloyd_steps` times, a topic's mean moves by `lloyd_rate` towards its sampled paragraphs.
    2. A community in the sample that resembles no topic is a birth if most of its paragraphs have no topic or
       are far from theirs; if most have the same topic, and another community represents that topic better,
       it is split off.
    3. Active topics closer than `merge_cosine` are merged: the older one stays.
    4. The proposal is rejected, unless it is one of the early ones, if fewer than `least_survival` of the
       paragraphs with a topic would keep it, if the number of topics would change by more than `most_change`,
       or if one topic would have more than `largest_share` of the paragraphs.

    Args:
        seeded: slots of topics from the codebook: definitions, which are never merged.
    """
    centred = background.centre(vectors)
    before, _ = centroids.predict(vectors)
    moved = centroids.copy()
    for _ in range(settings.lloyd_steps):
        _lloyd(moved, vectors, settings)
    groups = _groups(vectors, centred, videos, moved, settings) if len(vectors) else ()
    pairs = _pairs(moved.centroids(), seeded, settings)
    after = _tried(moved, groups, vectors)
    survival = _survival(before, after, pairs)
    topics = len(centroids) + len(groups) - len(pairs)
    reason = ""
    if not early:
        reason = _objection((len(centroids), topics), survival, (_largest(before), _largest(after)), settings)
    return Proposal(
        groups,
        pairs,
        moved.means,
        accepted=not reason,
        reason=reason or _summary(groups, pairs, survival),
        survival=survival,
        topics_after=topics,
    )


def _lloyd(moved: AnchoredCentroids, vectors: Vectors, settings: TopicSettings) -> None:
    labels, _ = moved.predict(vectors)
    for slot in range(len(moved)):
        members = vectors[labels == slot + 1]
        if moved.moves(slot) and len(members) >= settings.group_paragraphs:
            step = settings.lloyd_rate * (members.mean(axis=0) - moved.means[slot])
            moved.means[slot] += step


def _groups(
    vectors: Vectors,
    centred: Vectors,
    videos: Sequence[str],
    moved: AnchoredCentroids,
    settings: TopicSettings,
) -> tuple[Group, ...]:
    labels, _ = moved.predict(vectors)
    centroids, fit = moved.centroids(), moved.highest_cosines(vectors)
    new: list[tuple[Rows, int | None]] = []
    standing: dict[int, list[tuple[float, Rows]]] = {}
    for rows in _pooled(communities(centred, settings.neighbours, settings.resolution), centred, settings):
        if (
            len(rows) < settings.group_paragraphs
            or len({videos[row] for row in rows}) < settings.birth_videos
        ):
            continue
        centre = unit(centred[rows].mean(axis=0))[np.newaxis]
        near = compare(centre, centroids)[0]
        loose = np.where(fit[rows] < settings.residual_below, 0, labels[rows])
        most = int(np.bincount(loose, minlength=len(moved) + 1).argmax())
        if len(near) and near.max() >= settings.birth_duplicate:
            standing.setdefault(int(near.argmax()), []).append((float(near.max()), rows))
        elif most == 0:
            new.append((rows, None))
        elif 2 * int((loose == most).sum()) > len(rows):
            standing.setdefault(most - 1, []).append((float(near[most - 1]), rows))
    for slot, standing_for in sorted(standing.items()):
        ranked = sorted(standing_for, key=lambda each: (-each[0], int(each[1][0])))
        new += [(rows, slot) for cosine, rows in ranked[1:] if cosine < settings.split_cosine]
    new.sort(key=lambda each: (-len(each[0]), int(each[0][0])))
    return _apart(new, vectors, centred, moved, settings)


def _pooled(found: Sequence[Rows], centred: Vectors, settings: TopicSettings) -> list[Rows]:
    """Join communities that are as close as two topics must not be, since a small sample fragments."""
    pooled: list[Rows] = []
    for rows in found:
        centre = unit(centred[rows].mean(axis=0))[np.newaxis]
        others = np.array([unit(centred[each].mean(axis=0)) for each in pooled])
        cosines = compare(centre, others)[0] if pooled else np.zeros(0)
        if len(cosines) and cosines.max() >= settings.birth_duplicate:
            nearest = int(cosines.argmax())
            pooled[nearest] = np.sort(np.concatenate([pooled[nearest], rows]))
        else:
            pooled.append(rows)
    return pooled


def _apart(
    new: Sequence[tuple[Rows, int | None]],
    vectors: Vectors,
    centred: Vectors,
    moved: AnchoredCentroids,
    settings: TopicSettings,
) -> tuple[Group, ...]:
    """Return groups that resemble no topic and no larger group, with a limited number of splits."""
    groups: list[Group] = []
    taken = moved.centroids()
    room = settings.max_topics - len(moved)
    split_off = settings.most_split * len(vectors)
    for rows, parent in new:
        centre = unit(centred[rows].mean(axis=0))[np.newaxis]
        if len(groups) >= room or compare(centre, taken).max(initial=-1.0) >= settings.birth_duplicate:
            continue
        if parent is not None:
            if len(rows) > split_off:
                continue
            split_off -= len(rows)
        cosines = compare(centred[rows], centre)[:, 0]
        groups.append(Group(rows, vectors[rows].mean(axis=0), tuple(map(float, cosines)), parent))
        taken = np.vstack([taken, centre])
    return tuple(groups)


def _pairs(
    centroids: Vectors, seeded: frozenset[int], settings: TopicSettings
) -> tuple[tuple[int, int], ...]:
    cosines = compare(centroids, centroids)
    close = [
        (-cosines[one, other], one, other)
        for one, other in zip(*np.nonzero(np.triu(cosines >= settings.merge_cosine, 1)), strict=True)
    ]
    pairs: list[tuple[int, int]] = []
    used: set[int] = set()
    for _, one, other in sorted(close):
        older, younger = int(one), int(other)
        if not {older, younger} & (used | seeded):
            used |= {older, younger}
            pairs.append((younger, older))
    return tuple(pairs)


def _tried(moved: AnchoredCentroids, groups: Sequence[Group], vectors: Vectors) -> Labels:
    tried = moved.copy()
    for group in groups:
        tried.add(0, group.centre, group.cosines)
    return tried.predict(vectors)[0]


def _survival(before: Labels, after: Labels, pairs: Sequence[tuple[int, int]]) -> float:
    names = np.arange(max(before.max(initial=0), after.max(initial=0)) + 1)
    for slot, into in pairs:
        names[slot + 1] = into + 1
    had = before > 0
    return float((names[before[had]] == names[after[had]]).mean()) if had.any() else 1.0


def _largest(labels: Labels) -> float:
    return float(np.bincount(labels)[1:].max(initial=0) / max(len(labels), 1))


def _objection(
    topics: tuple[int, int], survival: float, largest: tuple[float, float], settings: TopicSettings
) -> str:
    before, after = topics
    if survival < settings.least_survival:
        return f"only {survival:.0%} of the paragraphs would keep their topic"
    if abs(after - before) > max(settings.most_change * before, settings.change_allowed):
        return f"the number of topics would go from {before} to {after}"
    if largest[1] > max(settings.largest_share, largest[0]):
        return f"one topic would have {largest[1]:.0%} of the paragraphs"
    return ""


def _summary(groups: Sequence[Group], pairs: Sequence[tuple[int, int]], survival: float) -> str:
    splits = sum(group.parent is not None for group in groups)
    counts = [(len(groups) - splits, "new"), (splits, "split off"), (len(pairs), "merged")]
    said = ", ".join(f"{count} {what}" for count, what in counts if count) or "nothing to change"
    return f"{said}; {survival:.0%} of the paragraphs keep their topic"
