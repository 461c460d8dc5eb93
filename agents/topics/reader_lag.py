"""Counts the unread messages of `topics.changed`."""

from __future__ import annotations

from streams.kafka.admin import Cluster, group_of
from streams.kafka.topics import ALERTS, TOPICS_CHANGED, TOPICS_LABELLED
from streams.settings import Settings

READERS = ("alert", "label", "store")
"""The agents that read `topics.changed`."""


def behind(settings: Settings, bootstrap: str) -> int:
    """Return the number of unread messages about topics, alerts and labels, over all readers. Blocks.

    The lag of `topics.changed` is read first, then the lag of the topics that its readers write: if both are
    0, all earlier messages have arrived.

    Raises:
        KafkaError: the broker does not answer.
        Unavailable: the broker does not have the topics (yet).
    """
    with Cluster(settings, bootstrap) as cluster:
        said = sum(
            lag.behind
            for group in sorted({group_of(settings, reader) for reader in READERS})
            for lag in cluster.lag(group, [TOPICS_CHANGED])
        )
        made = cluster.lag(group_of(settings, "store"), [ALERTS, TOPICS_LABELLED])
        return said + sum(lag.behind for lag in made)
