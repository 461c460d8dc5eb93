"""Suggested themes, with the real embedding model: how often the first one is right."""

import numpy as np
import pytest

from models.bundled_models import PackagedModels
from models.codebook.codebook import load
from models.codebook.suggestion import suggest
from models.embedding.embedder import Embedder

pytestmark = [pytest.mark.speech, pytest.mark.long]


def test_a_held_out_topics_theme_is_mostly_suggested_first(
    packaged_models: PackagedModels,
) -> None:
    """Each topic of the study's codebook by its description, where its theme has another topic."""
    embed = Embedder(packaged_models.embedding, "cpu", max_tokens=300).embed
    topics = load("llm-in-production").topics
    right, confidence = [], []
    for held in topics:
        themes: dict[str, list[str]] = {}
        for topic in topics:
            if topic is not held:
                themes.setdefault(topic.theme, [topic.theme]).extend((topic.name, topic.description))
        if held.theme in themes:
            (ranked,) = suggest([held.description], themes, embed)
            right.append(ranked[0].theme == held.theme)
            confidence.append(ranked[0].confidence)
    print(f"right {np.mean(right):.2f} of {len(right)}, mean confidence {np.mean(confidence):.2f}")
    assert len(right) == 17
    assert np.mean(right) >= 0.6
    assert abs(np.mean(confidence) - np.mean(right)) < 0.15
