"""Counts the unread messages of `topics.changed`."""

from __future__ import annotations

from streams.kafka.admin import Cluster, group_of
from streams.kafka.topics import ALERTS, TOPICS_CHANGED, TOPICS_LABELLED
from streams.settings import Settings

READERS = ("alert", "label", "store")
"""The agents that read `topics.changed`."""


def behind(settings: Settings, bootstrap: str) -> int:
    """Return how many messages about topics, alerts and labels some reader has not had yet; it blocks.

    First what the model said is looked at, then what readers made of it: where both are 0, everything that
    was said before has arrived.

    Raises:
        KafkaError: the broker does not answer.
        Unavailable: it does not know the topics (yet).
    """
    with Cluster(settings, bootstrap) as cluster:
        said = sum(
            lag.behind
            for group in sorted({group_of(settings, reader) for reader in READERS})
            for lag in cluster.lag(group, [TOPICS_CHANGED])
        )
        made = cluster.lag(group_of(settings, "store"), [ALERTS, TOPICS_LABELLED])
        return said + sum(lag.behind for lag in made)
