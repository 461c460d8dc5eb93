"""Suggestion of a theme for a topic, by similarity of texts, or of a concept that it is part of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.errors import BadInput

TEMPERATURE = 0.05
"""Softmax temperature that turns the themes' cosines into confidences; lower is more confident.

Chosen on the study's codebook, with each topic held out and represented by its description (17 topics whose
theme has another topic, all-MiniLM-L6-v2): the first suggestion is correct for 65 % of them, with a mean
confidence of 51 % (`tests/speech/test_suggested_themes.py` prints both).
"""
PART_SHARE = 1 / 3
"""A cluster is suggested as a part of a concept if more than this share of its paragraphs is about it.

The lower end of the share's 95 % interval has to be above it. A judge that finds 62 % of the right paragraphs
(`benchmarks/topics/concept_judge.py`) gives a cluster that is half about a concept a share of about a third.
It was not tuned on any study's clusters.
"""
PART_LIFT = 3.0
"""Least ratio of that share to the concept's share of all paragraphs: a concept may be everywhere."""
PART_VIDEOS = 3
"""Least number of videos with such a paragraph, as for a birth: those of one video are not independent."""
Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A theme, its mean cosine similarity to the topic, and its confidence (all themes sum to 1)."""

    theme: str
    similarity: float
    confidence: float


def is_part(low: float, lift: float, videos: int) -> bool:
    """Return whether a cluster is suggested as a part of a concept.

    Args:
        low: lower end of the 95 % interval of the share of its paragraphs that are about the concept.
        lift: that share, over the concept's share of all paragraphs.
        videos: videos with a paragraph of both.

    Example:
        >>> is_part(low=0.4, lift=8.0, videos=12), is_part(low=0.4, lift=1.5, videos=12)
        (True, False)
    """
    return low > PART_SHARE and lift >= PART_LIFT and videos >= PART_VIDEOS


def suggest(
    topics: Sequence[str], themes: Mapping[str, Sequence[str]], embed: Embed, temperature: float = TEMPERATURE
) -> list[list[Suggestion]]:
    """Return, for each topic's text, all themes that have texts, the most likely first.

    Embeddings are centred on the mean of all texts, since the common part does not separate themes. The
    similarity of a theme to a topic is the mean cosine over the theme's texts.

    Args:
        topics: one text per topic.
        themes: texts about each theme's content, by the theme's name.
        embed: maps texts to float32 [n, d].
        temperature: see `TEMPERATURE`.

    Raises:
        BadInput: fewer than two themes have texts.
    """
    known = {theme: texts for theme, texts in themes.items() if texts}
    if len(known) < 2:
        raise BadInput(
            f"there {'is only one theme' if known else 'is no theme'} with topics or a description",
            "create themes and describe them: groundswell codebook theme create NAME --description TEXT",
        )
    owners = [theme for theme, texts in known.items() for _ in texts]
    texts = [text for each in known.values() for text in each]
    vectors = _centred(embed([*topics, *texts]))
    cosines = vectors[: len(topics)] @ vectors[len(topics) :].T
    belongs = np.array([[owner == theme for owner in owners] for theme in known], dtype=float)
    alike = cosines @ (belongs / belongs.sum(axis=1, keepdims=True)).T
    return [_ranked(list(known), row, temperature) for row in alike]


def _ranked(themes: Sequence[str], alike: npt.NDArray[np.float64], temperature: float) -> list[Suggestion]:
    weights = np.exp((alike - alike.max()) / temperature)
    found = [
        Suggestion(theme, float(cosine), float(share))
        for theme, cosine, share in zip(themes, alike, weights / weights.sum(), strict=True)
    ]
    return sorted(found, key=lambda each: (-each.confidence, each.theme))


def _centred(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return rows minus their mean, of unit length (zero rows stay zero)."""
    wide = vectors.astype(np.float64)
    moved = wide - wide.mean(axis=0)
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    unit: npt.NDArray[np.float64] = moved / np.where(lengths < 1e-9, 1.0, lengths)
    return unit
