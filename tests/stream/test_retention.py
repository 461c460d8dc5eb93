"""Tests on a real Kafka: messages are kept, and those that the broker deleted hold nobody up."""

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from structlog.testing import capture_logs

from streams.errors import Misconfigured
from streams.kafka.admin import Cluster
from streams.kafka.topics import SOURCES_DUE, TOPICS, VIDEOS_SEEN, KafkaTopic
from streams.settings import Settings
from tests.stream.agent_at_work import Accept, committed, seen, until, working

pytestmark = [pytest.mark.kafka, pytest.mark.parametrize("bootstrap", ["kafka"], indirect=True)]


def config(cluster: Cluster, topic: KafkaTopic) -> dict[str, str]:
    name = topic.full_name(cluster.settings.study)
    asked = [ConfigResource(ConfigResourceType.TOPIC, name)]
    found = cluster._connect().describe_configs(asked, config_filter="all")["topic"][name]
    return {key: each["value"] for key, each in found.items()}


def delete_before(cluster: Cluster, offset: int) -> None:
    """Delete the first messages of videos.seen, as a broker does when their retention ends."""
    partition = TopicPartition(VIDEOS_SEEN.full_name(cluster.settings.study), 0)
    cluster._connect().delete_records({partition: offset})


def test_the_broker_keeps_every_message_that_is_a_fact(cluster: Cluster) -> None:
    kept = {topic.name: config(cluster, topic)["retention.ms"] for topic in TOPICS}
    week = str(7 * 24 * 3600 * 1000)
    assert kept == dict.fromkeys(kept, "-1") | {SOURCES_DUE.name: week}
    found = config(cluster, VIDEOS_SEEN)
    assert (found["cleanup.policy"], found["retention.bytes"]) == ("delete", "-1")
    assert (found["min.insync.replicas"], found["unclean.leader.election.enable"]) == ("1", "false")


async def test_a_topic_of_another_version_is_repaired_and_told(cluster: Cluster) -> None:
    name = VIDEOS_SEEN.full_name(cluster.settings.study)
    wrong = {"retention.ms": "604800000", "cleanup.policy": "compact"}
    cluster._connect().alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, wrong)])
    # the broker learns it from the controller, a moment later
    await until(lambda: config(cluster, VIDEOS_SEEN)["retention.ms"] == wrong["retention.ms"])
    with capture_logs() as logs:
        cluster.ensure_topics()
    (told,) = [each for each in logs if each["event"] == "topic configuration repaired"]
    assert (told["topic"], told["was"]) == (name, wrong)
    await until(lambda: config(cluster, VIDEOS_SEEN)["retention.ms"] == "-1")
    with capture_logs() as logs:
        cluster.ensure_topics()
    assert logs == []


def test_more_copies_than_brokers_are_an_error_that_says_so(settings: Settings) -> None:
    other = settings.model_copy(update={"replication": 3})
    with (
        Cluster(other, settings.broker) as wrong,
        pytest.raises(Misconfigured, match=r"3 copies of each topic, but only 1 broker answers: .*at most 1"),
    ):
        wrong.ensure_topics()


def test_topics_with_few_copies_are_told_with_the_cure(cluster: Cluster, settings: Settings) -> None:
    other = settings.model_copy(update={"replication": 3})
    with Cluster(other, settings.broker) as more, capture_logs() as logs:
        more.ensure_topics()
    (told,) = logs
    assert (told["copies"], told["wanted"], len(told["topics"])) == (1, 3, len(TOPICS))
    assert "kafka-reassign-partitions" in told["cure"]


async def test_a_group_without_offsets_begins_where_the_log_begins(
    settings: Settings, cluster: Cluster
) -> None:
    for number in range(5):
        cluster.send(seen(f"v{number}"))
    delete_before(cluster, 3)
    agent = Accept()
    async with working(settings, cluster, agent) as fatal:
        await until(lambda: _caught_up(cluster, settings, agent, 5))
        cluster.send(seen("v5"))
        await until(lambda: _caught_up(cluster, settings, agent, 6))
        assert fatal == []
    assert agent.handled == ["v3", "v4", "v5"]


async def test_deleted_messages_are_not_waited_for(settings: Settings, cluster: Cluster) -> None:
    for number in range(3):
        cluster.send(seen(f"v{number}"))
    first = Accept()
    async with working(settings, cluster, first):
        await until(lambda: _caught_up(cluster, settings, first, 3))
    for number in range(3, 8):
        cluster.send(seen(f"v{number}"))
    delete_before(cluster, 6)
    (lag,) = cluster.lag(f"{settings.study}.accept", [VIDEOS_SEEN])
    assert (lag.committed, lag.start, lag.behind, lag.lost) == (3, 6, 2, 3)
    second = Accept()
    async with working(settings, cluster, second) as fatal:
        await until(lambda: _caught_up(cluster, settings, second, 8))
        assert fatal == []
    assert second.handled == ["v6", "v7"]

    delete_before(cluster, 8)
    (lag,) = cluster.lag("nobody", [VIDEOS_SEEN])
    assert (lag.committed, lag.behind) == (0, 0), "there is nothing left that could arrive"


async def _caught_up(cluster: Cluster, settings: Settings, agent: Accept, offset: int) -> bool:
    return await committed(cluster, settings, agent) == offset
