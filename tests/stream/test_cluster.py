"""The broker features that groundswell relies on, tested on both brokers."""

from datetime import UTC, datetime

import pytest

from streams.errors import DataError, Misconfigured, Unavailable
from streams.events import Sighting, Video, VideoSeen
from streams.kafka.admin import Cluster
from streams.kafka.topics import TOPICS, VIDEOS_SEEN
from streams.settings import Settings

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def seen(video_id: str, title: str = "") -> VideoSeen:
    return VideoSeen(
        video=Video(video_id=video_id, title=title),
        sighting=Sighting(source_id="s", kind="file", seen_at=NOON),
    )


def test_topics_are_created_once_and_have_an_identity(cluster: Cluster) -> None:
    before = cluster.log_ids()
    cluster.ensure_topics()
    assert cluster.log_ids() == before
    assert set(before) == {topic.name for topic in TOPICS}
    assert len(set(before.values())) == len(TOPICS)


def test_a_topic_made_again_is_another_log(cluster: Cluster, settings: Settings) -> None:
    before = cluster.log_ids()
    cluster._connect().delete_topics([VIDEOS_SEEN.full_name(settings.study)])
    cluster.ensure_topics()
    after = cluster.log_ids()
    assert after[VIDEOS_SEEN.name] != before[VIDEOS_SEEN.name]


def test_another_number_of_partitions_is_an_error_that_says_so(cluster: Cluster, settings: Settings) -> None:
    other = settings.model_copy(update={"partitions": 3})
    with (
        Cluster(other, settings.broker) as wrong,
        pytest.raises(Misconfigured, match=r"has 1 partitions, GROUNDSWELL_PARTITIONS says 3"),
    ):
        wrong.ensure_topics()


def test_lag_is_what_was_sent_and_not_committed(cluster: Cluster) -> None:
    assert [lag.behind for lag in cluster.lag("nobody", [VIDEOS_SEEN])] == [0]
    for number in range(7):
        cluster.send(seen(f"v{number}"))
    assert [(lag.end, lag.committed) for lag in cluster.lag("nobody", [VIDEOS_SEEN])] == [(7, 0)]


def test_an_oversized_event_is_refused_before_it_is_sent(cluster: Cluster) -> None:
    with pytest.raises(DataError, match="over the limit"):
        cluster.send(seen("big", "x" * 900_000))
    assert [lag.end for lag in cluster.lag("nobody", [VIDEOS_SEEN])] == [0]


def test_a_broker_that_is_not_there_is_named_with_the_cure(settings: Settings) -> None:
    with (
        Cluster(settings, "127.0.0.1:1") as nowhere,
        pytest.raises(Unavailable, match=r"cannot reach Kafka at 127\.0\.0\.1:1 .*docker compose up"),
    ):
        nowhere.wait(patience_s=0)
