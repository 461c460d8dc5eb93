"""Counts the unread messages of each agent on the path of a talk."""

from __future__ import annotations

from typing import NamedTuple

from streams.kafka.admin import Cluster, group_of
from streams.kafka.topics import (
    AUDIO_STORED,
    PARAGRAPHS_EMBEDDED,
    SOURCES_DUE,
    TOPICS,
    TRANSCRIPTS_READY,
    VIDEOS_ACCEPTED,
    VIDEOS_SEEN,
    KafkaTopic,
)
from streams.settings import Settings

STORE, TRACK = "store", "track"
PATH: dict[str, tuple[str, KafkaTopic]] = {
    "seen": ("screen", VIDEOS_SEEN),
    "accepted": ("fetch", VIDEOS_ACCEPTED),
    "fetched": ("transcribe", AUDIO_STORED),
    "transcribed": ("split", TRANSCRIPTS_READY),
    "split": (TRACK, PARAGRAPHS_EMBEDDED),
}
"""By the state of a video: the agent that it waits for, and the topic from which that agent takes it."""
STORED = tuple(topic for topic in TOPICS if topic is not SOURCES_DUE)


class PathLag(NamedTuple):
    """Messages that agents have not processed yet, by agent, and messages that the broker deleted unread."""

    behind: dict[str, int]
    lost: dict[str, int]


def path_lag(settings: Settings, bootstrap: str) -> PathLag:
    """Return the lag of each agent on the path, and of the store. Blocks.

    The store is asked last: if it has no lag, the database has everything that the others sent before they
    were asked.

    Raises:
        KafkaError: the broker does not answer.
        Unavailable: the broker does not have the topics (yet).
    """
    found = PathLag({}, {})
    with Cluster(settings, bootstrap) as cluster:
        for agent, topics in [*((agent, (topic,)) for agent, topic in PATH.values()), (STORE, STORED)]:
            lags = cluster.lag(group_of(settings, agent), topics)
            found.behind[agent] = sum(lag.behind for lag in lags)
            found.lost[agent] = sum(lag.lost for lag in lags)
    return found
