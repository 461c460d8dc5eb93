"""Suggestion of a theme for a topic, by similarity of texts; a person decides."""

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
Embed = Callable[[Sequence[str]], npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A theme, its mean cosine similarity to the topic, and its confidence (all themes sum to 1)."""

    theme: str
    similarity: float
    confidence: float


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
