"""The topic model as it is measured: without a codebook, so that every topic is born."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from benchmarks.topics.baselines import Alert
from models.codebook.codebook import load
from models.topics import Batch, Outcome, TopicModel, TopicSettings


def unseeded(dimension: int, settings: TopicSettings) -> TopicModel:
    """Return a model that has learned nothing, for embeddings of this dimension."""
    return TopicModel.seeded(load("blank"), np.zeros((0, dimension), np.float32), settings, "as given")


def learn(stream: Sequence[Batch], settings: TopicSettings) -> Iterator[Outcome]:
    """Yield what such a model makes of each video."""
    model = unseeded(stream[0].embeddings.shape[1], settings)
    for batch in stream:
        yield model.learn(batch)


def alerts(outcomes: Iterable[Outcome], *, of_one_source: bool = False) -> list[Alert]:
    """Return the subjects that became news, with the video that made them so.

    Args:
        of_one_source: also those that one source alone discusses.
    """
    return [
        Alert(
            at,
            news.subject,
            news.terms,
            news.video_ids,
            news.quotes,
            f"{news.channel}: {news.reason}",
            news.only_on,
        )
        for at, outcome in enumerate(outcomes)
        for news in outcome.emergences
        if of_one_source or not news.only_on
    ]
