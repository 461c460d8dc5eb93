"""Other ways to notice what is new, to compare with: a plain term burst, slices merged, first stories."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topics.bursts.term_bursts import Spoken, log10_tail
from models.topics.online.centring import unit
from models.topics.online.words import content_words
from models.topics.results import SourceQuote

MOST_TERMS = 3_000_000
"""Terms a plain burst counts before it forgets those that one video said."""
WARM_UP = 100
"""Videos before any detector's first alert."""


@dataclass(frozen=True)
class Alert:
    """Alert of a detector: a subject that it reports as new.

    Attributes:
        at: position in the stream of the video that raised it.
        terms: lower case, singular, strongest first. video_ids: of the videos that it rests on.
        only_on: the source that nearly alone mentions it: an alert of a grade of its own; empty: several do.
    """

    at: int
    subject: str
    terms: tuple[str, ...]
    video_ids: tuple[str, ...]
    quotes: tuple[SourceQuote, ...] = ()
    evidence: str = ""
    only_on: str = ""


def plain_burst(stream: Sequence[Spoken]) -> list[Alert]:
    """Words and pairs of words said at least once: 5 recent videos, 4 sources, 6 times as often, p < 1e-8.

    The window is the last sixth of the videos, at most 1,000. Terms whose videos overlap (Jaccard > .3) are
    one alert.
    """
    recent: deque[tuple[int, frozenset[str]]] = deque()
    now: Counter[str] = Counter()
    before: Counter[str] = Counter()
    done: set[str] = set()
    groups: list[set[int]] = []
    alerts: list[Alert] = []
    everywhere = len({spoken.source for spoken in stream})
    for at, spoken in enumerate(stream):
        words = [content_words(text) for text in spoken.texts]
        terms = frozenset(w for text in words for w in (*text, *(f"{a} {b}" for a, b in pairwise(text))))
        recent.append((at, terms))
        now.update(terms)
        while len(recent) > min(1000, max(40, at // 6)):
            _, old = recent.popleft()
            now.subtract(old)
            before.update(old)
        if len(before) > MOST_TERMS:
            before = Counter({term: count for term, count in before.items() if count > 1})
        history = at + 1 - len(recent)
        if at < WARM_UP:
            continue
        found = []
        for term in sorted(terms):
            expected = (before[term] + 0.5) / history * len(recent)
            if now[term] >= 5 and now[term] >= 6 * expected and term not in done:
                log10_p = log10_tail(now[term], expected)
                if log10_p < -8:
                    found.append((log10_p, term))
        for log10_p, term in sorted(found):
            members = [i for i, said in recent if term in said]
            if len({stream[i].source for i in members}) < min(4, everywhere):
                continue
            done.add(term)
            videos = set(members)
            if any(len(videos & group) > 0.3 * len(videos | group) for group in groups):
                continue
            groups.append(videos)
            names = tuple(stream[i].video_id for i in members)
            alerts.append(Alert(at, term, (term,), names, evidence=f"p 1e{log10_p:.0f}"))
    return alerts


def slices(stream: Sequence[Spoken], size: int = 100, merge: float = 0.7) -> list[Alert]:
    """One clustering a slice of `size` videos, merged by centre; BERTrend's rule: new, and then met again.

    A topic of a slice is an earlier one if their centres have a cosine of `merge`; one that was new in a
    slice is alerted at the end of the next slice if at least 5 videos speak of it there. The clusters are
    sklearn's HDBSCAN (leaf) on 10 principal components where BERTopic would take UMAP: cheaper and coarser.
    """
    known: list[dict[str, Any]] = []
    alerts: list[Alert] = []
    for number, start in enumerate(range(0, len(stream) - size + 1, size)):
        part = stream[start : start + size]
        for rows, centre in _clusters(np.vstack([spoken.vectors for spoken in part])):
            owner = np.repeat(np.arange(size), [len(spoken.vectors) for spoken in part])
            videos = sorted({int(owner[row]) for row in rows})
            texts = [text for spoken in part for text in spoken.texts]
            near = [float(topic["centre"] @ centre) for topic in known]
            if near and max(near) >= merge:
                topic = known[int(np.argmax(near))]
                topic["centre"] = unit(topic["centre"] + centre)
            else:
                topic = {"centre": centre, "born": number, "told": not number}
                known.append(topic)
            if topic["born"] < number and not topic["told"] and len(videos) >= 5:
                topic["told"] = True
                terms = _telling([texts[row] for row in rows], texts)
                names = tuple(part[video].video_id for video in videos)
                alerts.append(Alert(start + size - 1, ", ".join(terms[:4]), terms, names))
    return alerts


def first_stories(stream: Sequence[Spoken], share: float = 0.01) -> list[Alert]:
    """Videos with a paragraph unlike all before it: the threshold lets `share` of the videos through.

    The threshold is chosen with hindsight, on the whole stream: a favour to this detector.
    """
    lowest: list[tuple[float, int, int]] = []
    seen = np.zeros((0, stream[0].vectors.shape[1]), np.float32)
    for at, spoken in enumerate(stream):
        vectors = spoken.vectors.astype(np.float32)
        if at >= WARM_UP:
            nearest = (vectors @ seen.T).max(axis=1)
            lowest.append((float(nearest.min()), at, int(nearest.argmin())))
        seen = np.vstack([seen, vectors])[-50_000:]
    chosen = sorted(lowest)[: max(1, round(share * len(lowest)))]
    alerts = []
    for cosine, at, row in sorted(chosen, key=lambda each: each[1]):
        text = stream[at].texts[row]
        terms = tuple(term for term, _ in Counter(content_words(text)).most_common(10))
        alerts.append(Alert(at, text[:80], terms, (stream[at].video_id,), evidence=f"cosine {cosine:.2f}"))
    return alerts


def _clusters(vectors: NDArray[np.float64]) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    if len(vectors) < 50:
        return []
    reduced = PCA(10, random_state=0).fit_transform(vectors)
    labels = HDBSCAN(min_cluster_size=10, cluster_selection_method="leaf", copy=True).fit_predict(reduced)
    members = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    return [(rows, unit(vectors[rows].mean(axis=0))) for rows in members]


def _telling(texts: Sequence[str], everything: Sequence[str]) -> tuple[str, ...]:
    """The words that these texts say more often than all do, by c-TF-IDF."""
    here, all_words = (
        Counter(word for text in t for word in content_words(text)) for t in (texts, everything)
    )
    mean = sum(all_words.values()) / max(1, len(all_words))
    ranked = sorted(here, key=lambda word: (-here[word] * np.log1p(mean / all_words[word]), word))
    return tuple(ranked[:10])
