"""Durability of Kafka topics: retention, replication, and the copies that an acknowledgement stands for.

A topic keeps its messages as long as its `retention_ms`; a broker's own default, a week, would delete talks
that a slow or stopped agent has not read. Topics of other versions, or changed by hand, are repaired at each
start where the broker allows it; otherwise the log names the cause and the cure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from kafka.errors import KafkaError

from streams.errors import Misconfigured
from streams.kafka.topics import TOPICS, KafkaTopic
from streams.settings import Settings

log = structlog.get_logger()
COPIES = 3
"""Replicas of a topic by default: one broker may be down, and another one fail meanwhile."""


def replication(admin: Any, settings: Settings) -> int:
    """Return the number of replicas of a new topic.

    Raises:
        Misconfigured: GROUNDSWELL_REPLICATION asks for more than there are brokers.
    """
    brokers = len(admin.describe_cluster()["brokers"])
    if settings.replication > brokers:
        raise Misconfigured(
            f"GROUNDSWELL_REPLICATION says {settings.replication} copies of each topic, "
            f"but only {brokers} broker{'s answer' if brokers > 1 else ' answers'}",
            f"start the other brokers, or set GROUNDSWELL_REPLICATION to at most {brokers}",
        )
    return settings.replication or max(1, min(COPIES, brokers))


def wanted(topic: KafkaTopic, replicas: int) -> dict[str, str]:
    """Return the configuration of a topic with this number of replicas, by name.

    A message is acknowledged by a majority of the replicas, so that none is lost with a minority of them.

    Example:
        >>> from streams.kafka.topics import VIDEOS_SEEN
        >>> wanted(VIDEOS_SEEN, 3)["retention.ms"], wanted(VIDEOS_SEEN, 3)["min.insync.replicas"]
        ('-1', '2')
    """
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(topic.retention_ms),
        "retention.bytes": "-1",
        "min.insync.replicas": str(replicas // 2 + 1),
        "unclean.leader.election.enable": "false",
    }


def repair(admin: Any, settings: Settings, described: Sequence[Mapping[str, Any]]) -> None:
    """Set what differs in the configuration of existing topics, and log each change.

    Replicas are only counted: moving data between brokers is the operator's decision.

    Args:
        admin: the admin client.
        settings: the study's settings.
        described: the study's topics, as the broker describes them.
    """
    topics = {topic.full_name(settings.study): topic for topic in TOPICS}
    replicas = {
        found["name"]: min((len(part["replica_nodes"]) for part in found["partitions"]), default=1)
        for found in described
    }
    try:
        _tell_few_replicas(admin, settings, replicas)
        existing = _configs(admin, list(replicas))
    except KafkaError as error:
        log.warning(
            "cannot check how long the broker keeps messages, and in how many copies",
            error=str(error)[:160],
            cure="let this client describe topic configurations, or check that retention.ms is -1",
        )
        return
    for name, found in existing.items():
        drift = {
            key: value
            for key, value in wanted(topics[name], replicas[name]).items()
            if found.get(key, value) != value
        }
        if drift:
            _set(admin, name, drift, {key: found[key] for key in drift})


def _tell_few_replicas(admin: Any, settings: Settings, replicas: Mapping[str, int]) -> None:
    brokers = len(admin.describe_cluster()["brokers"])
    copies = settings.replication or min(COPIES, brokers)
    few = [name for name, count in replicas.items() if count < copies]
    if few:
        log.warning(
            "topics have fewer copies than they should, so a broker that fails may lose messages",
            copies=min(replicas[name] for name in few),
            wanted=copies,
            topics=few,
            cure="add replicas with kafka-reassign-partitions, or set GROUNDSWELL_REPLICATION",
        )


def _configs(admin: Any, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the configuration of topics, by topic and name."""
    from kafka.admin import ConfigResource, ConfigResourceType

    asked = list(wanted(TOPICS[0], 1))
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, asked) for name in names]
    found: dict[str, dict[str, Any]] = admin.describe_configs(resources, config_filter="all")["topic"]
    return {name: {key: each["value"] for key, each in configs.items()} for name, configs in found.items()}


def _set(admin: Any, name: str, drift: Mapping[str, str], found: Mapping[str, str]) -> None:
    from kafka.admin import ConfigResource, ConfigResourceType

    resource = ConfigResource(ConfigResourceType.TOPIC, name, dict(drift))
    try:
        answer = admin.alter_configs([resource], raise_on_unknown=False)["topic"][name]
    except KafkaError as error:
        answer = str(error)
    if answer == "OK":
        log.warning("topic configuration repaired", topic=name, was=dict(found), now=dict(drift))
        return
    told = ", ".join(f"{key}={value}" for key, value in drift.items())
    log.error(
        "messages of a topic can be lost, because its configuration cannot be changed",
        topic=name,
        was=dict(found),
        error=answer[:200],
        cure=f"on the broker: kafka-configs --alter --topic {name} --add-config {told}",
    )
