"""Several Apache Kafka brokers that hold copies of all topics, for tests in which one is away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infra.kafka.apache_kafka import ApacheKafka, Quorum, new_cluster_id


class KafkaCluster:
    """Brokers that hold copies of all topics: what a majority has acknowledged outlives the loss of one.

    Each keeps its data in a folder of its own below `folder`.
    """

    def __init__(self, folder: Path, ports: Sequence[int], controller_ports: Sequence[int]) -> None:
        nodes = range(1, len(ports) + 1)
        quorum = Quorum(new_cluster_id(), dict(zip(nodes, controller_ports, strict=True)))
        copies, majority = str(len(ports)), str(len(ports) // 2 + 1)
        replicated = {
            "default.replication.factor": copies,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": majority,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": majority,
            "min.insync.replicas": majority,
        }
        self.brokers = [
            ApacheKafka(folder / str(node), port, properties=replicated, node=node, quorum=quorum)
            for node, port in zip(nodes, ports, strict=True)
        ]

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers for clients: all brokers."""
        return ",".join(broker.bootstrap for broker in self.brokers)

    def start(self, timeout_s: float = 120.0) -> None:
        """Start the brokers and return once each has joined; raise KafkaError as a broker does."""
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait(timeout_s)

    def kill(self) -> None:
        """Kill the brokers (SIGKILL)."""
        for broker in self.brokers:
            broker.kill()
