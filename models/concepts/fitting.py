"""Fits the model of concepts to paragraphs that people have read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.codebook.codebook import Codebook
from models.concepts.evidence import NAMES, Features
from models.concepts.judge import (
    BIAS_SCALE,
    DIRECTION_SCALE,
    TERM_SCALE,
    ConceptCorrection,
    Learned,
    PooledModel,
    centred,
)
from models.concepts.terms import Counts, TermIndex
from models.relevance.offset_logistic import sigmoid

DIGITS = 4
"""Decimal places of the coefficients that are kept."""
_REGULARISATION = 0.3
"""Inverse strength of the penalty on the pooled weights (scikit-learn's C)."""
_FOLDS = 4
"""Parts in which paragraphs are judged by a pooled model that has not seen them."""


@dataclass(frozen=True, eq=False)
class Read:
    """Paragraphs with their evidence, and what people read in them.

    Attributes:
        features: float64 [n, k, f].
        counts: int64 [n, terms].
        vectors: float32 [n, d].
        about: bool [n, k], whether the paragraph is about the concept.
        weights: float64 [n, k]; 0 where the readers differ or nobody judged.
        talks: the talk of each paragraph; a talk is never divided.
    """

    features: Features
    counts: Counts
    vectors: NDArray[np.float32]
    about: NDArray[np.bool_]
    weights: NDArray[np.float64]
    talks: tuple[str, ...]

    def of(self, rows: NDArray[np.int64]) -> Read:
        """Return some of the paragraphs."""
        return Read(
            self.features[rows],
            self.counts[rows],
            self.vectors[rows],
            self.about[rows],
            self.weights[rows],
            tuple(self.talks[row] for row in rows),
        )


def fit_pooled(read: Read, concepts: Sequence[int] | None = None) -> PooledModel:
    """Return the logistic model of all pairs of paragraph and concept.

    Args:
        concepts: the concepts whose pairs are used, from 0; None: all.
    """
    from sklearn.linear_model import LogisticRegression

    kept = list(range(read.about.shape[1]) if concepts is None else concepts)
    features = read.features[:, kept].reshape(-1, len(NAMES))
    mean, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale < 10.0**-DIGITS] = 1.0  # it hardly differs, and would be rounded to 0
    fitted = LogisticRegression(C=_REGULARISATION, max_iter=1000).fit(
        (features - mean) / scale, read.about[:, kept].ravel(), read.weights[:, kept].ravel()
    )
    return PooledModel(
        features=NAMES,
        mean=_rounded(mean),
        scale=_rounded(scale),
        weights=_rounded(fitted.coef_[0]),
        intercept=round(float(fitted.intercept_[0]), DIGITS),
    )


def fit_corrections(read: Read, codebook: Codebook, terms: TermIndex, embedding_model: str) -> Learned:
    """Return a correction of each concept that somebody has judged a paragraph of.

    The pooled log-odds that are corrected are those of a model that has not seen the paragraph.
    """
    offsets = np.zeros(read.about.shape)
    for part in folds(read.talks, _FOLDS):
        rest = np.setdiff1d(np.arange(len(read.talks)), part)
        offsets[part] = fit_pooled(read.of(rest)).log_odds(read.features[part])
    centre = _rounded(read.vectors.mean(axis=0, dtype=np.float64))
    found = Learned(embedding_model=embedding_model, centre=centre)
    return teach(found, read, offsets, codebook, terms)


def teach(
    learned: Learned,
    read: Read,
    offsets: NDArray[np.float64],
    codebook: Codebook,
    terms: TermIndex,
) -> Learned:
    """Return what was learned before, corrected by more judgements.

    Args:
        learned: the corrections so far; its centre holds for the new directions as well.
        read: the judged paragraphs.
        offsets: float64 [n, k], log-odds before the judgements.
    """
    directions = centred(read.vectors, np.array(learned.centre))
    concepts = dict(learned.concepts)
    for at, topic in enumerate(codebook.topics):
        judged = read.weights[:, at] > 0
        if not judged.any():
            continue
        own = np.flatnonzero(terms.of_group[at])
        scales = np.array([BIAS_SCALE, *[DIRECTION_SCALE] * directions.shape[1], *[TERM_SCALE] * len(own)])
        evidence = np.hstack([np.ones((len(offsets), 1)), directions, np.log1p(read.counts[:, own])])
        more = scales * _corrected(
            evidence[judged] * scales, offsets[judged, at], read.about[judged, at], read.weights[judged, at]
        )
        ends = 1 + directions.shape[1]
        before = concepts.get(topic.key, ConceptCorrection())
        concepts[topic.key] = ConceptCorrection(
            bias=round(before.bias + float(more[0]), DIGITS),
            direction=_rounded(more[1:ends] + (np.array(before.direction) if before.direction else 0.0)),
            terms={
                terms.terms[term]: round(before.terms.get(terms.terms[term], 0.0) + float(weight), DIGITS)
                for term, weight in zip(own, more[ends:], strict=True)
            },
            judged=before.judged + int(judged.sum()),
        )
    return learned.model_copy(update={"concepts": concepts})


def folds(talks: Sequence[str], parts: int) -> list[NDArray[np.int64]]:
    """Return the rows of each of `parts` parts of about equal size; no talk is divided."""
    sizes = [0] * parts
    of_talk: dict[str, int] = {}
    rows: dict[str, list[int]] = {}
    for row, talk in enumerate(talks):
        rows.setdefault(talk, []).append(row)
    for talk in sorted(rows, key=lambda each: (-len(rows[each]), each)):
        of_talk[talk] = sizes.index(min(sizes))
        sizes[of_talk[talk]] += len(rows[talk])
    return [
        np.array([row for row, talk in enumerate(talks) if of_talk[talk] == part], np.int64)
        for part in range(parts)
    ]


def _corrected(
    evidence: NDArray[np.float64],
    offsets: NDArray[np.float64],
    about: NDArray[np.bool_],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the most probable corrections under a standard normal prior (`offset_logistic`), binary."""
    from scipy.optimize import minimize

    def loss(learned: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = offsets + evidence @ learned
        wrong = weights * (sigmoid(log_odds) - about)
        value = (weights * (np.logaddexp(0.0, log_odds) - about * log_odds)).sum() + 0.5 * learned @ learned
        return float(value), evidence.T @ wrong + learned

    start = np.zeros(evidence.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-10})
    return np.asarray(found.x, np.float64)


def _rounded(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(round(float(value), DIGITS) for value in values)
