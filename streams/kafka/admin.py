"""Broker administration with kafka-python: topics, topic ids, lag, and messages sent from outside Faust."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import stamina
import structlog
from kafka.errors import AuthorizationError, KafkaError

from streams.errors import Misconfigured, Unavailable
from streams.events import Event
from streams.kafka import security, topic_configs
from streams.kafka.codec import encode
from streams.kafka.topics import TOPIC_OF, TOPICS, KafkaTopic
from streams.settings import Settings

log = structlog.get_logger()
MAX_MESSAGE = 1_048_576
SETTLE_S = 15.0
"""Seconds within which a cluster agrees on its topics."""


def group_of(settings: Settings, agent: str) -> str:
    """Return the consumer group of an agent; with the embedded broker, all agents share one."""
    return f"{settings.study}.{'embedded' if settings.embedded_broker else agent}"


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """The lag of a consumer group in one partition (messages).

    `start`: the first offset that the broker still has; messages before it never arrive, so none waits.
    """

    topic: str
    partition: int
    end: int
    committed: int
    start: int = 0

    @property
    def behind(self) -> int:
        """Messages not yet committed."""
        return max(0, self.end - max(self.start, self.committed))

    @property
    def lost(self) -> int:
        """Messages that the broker deleted before they were committed."""
        return max(0, self.start - self.committed)


class Cluster:
    """Client of one study to the broker at `bootstrap`."""

    def __init__(self, settings: Settings, bootstrap: str) -> None:
        self.settings = settings
        self.bootstrap = bootstrap
        self._admin: Any = None
        self._producer: Any = None

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        for client in (self._admin, self._producer):
            if client is not None:
                client.close()
        self._admin = self._producer = None

    def wait(self, patience_s: float | None = None) -> None:
        """Wait until the broker answers; each failed try is logged.

        Args:
            patience_s: how long to try (seconds); 0: once, None: forever.

        Raises:
            Unavailable: it did not answer in time.
            Misconfigured: it refuses this client, or its certificate is not trusted; this is not tried again.
        """
        for attempt in stamina.retry_context(
            on=Unavailable,
            attempts=1 if patience_s == 0 else None,
            timeout=patience_s or None,
            wait_initial=0.5,
            wait_max=15.0,
        ):
            with attempt:
                try:
                    with self._explaining():
                        self._connect().describe_cluster()
                except Unavailable as error:
                    self.close()
                    log.warning("Kafka does not answer", error=error.cause)
                    raise

    def ensure_topics(self) -> None:
        """Create this study's topics, and check their partitions and durability (`topic_configs`).

        Raises:
            Misconfigured: a topic exists with another number of partitions, there are fewer brokers than
                GROUNDSWELL_REPLICATION asks for, or the broker refuses this client.
            Unavailable: the broker does not answer.
        """
        study = self.settings.study
        with self._explaining():
            topics = self._created()
        for found in topics:
            topic = next(topic for topic in TOPICS if topic.full_name(study) == found["name"])
            wanted, has = topic.partitions(self.settings), len(found["partitions"])
            if topic.single and has != 1:
                raise Misconfigured(
                    f"the topic {found['name']} has {has} partitions, but its order matters: it must have 1",
                    f"delete it on the broker ({self.bootstrap}) and start again",
                )
            if has != wanted:
                raise Misconfigured(
                    f"the topic {found['name']} has {has} partitions, GROUNDSWELL_PARTITIONS says {wanted}",
                    f"set GROUNDSWELL_PARTITIONS={has}, or change the topic on the broker ({self.bootstrap})",
                )
        if not self.settings.embedded_broker:
            topic_configs.repair(self._connect(), self.settings, topics)

    @stamina.retry(on=Unavailable, attempts=None, timeout=SETTLE_S, wait_max=1.0)
    def _created(self) -> list[dict[str, Any]]:
        """Create missing topics and describe all; retried, as a cluster shows a new topic with a delay."""
        from kafka.admin import NewTopic
        from kafka.errors import TopicAlreadyExistsError

        admin = self._connect()
        existing = set(admin.list_topics())
        missing = [topic for topic in TOPICS if topic.full_name(self.settings.study) not in existing]
        copies = topic_configs.replication(admin, self.settings) if missing else 0
        for topic in missing:
            name, configs = topic.full_name(self.settings.study), topic_configs.wanted(topic, copies)
            try:
                admin.create_topics(
                    [NewTopic(name, topic.partitions(self.settings), copies, topic_configs=configs)]
                )
            except TopicAlreadyExistsError:
                log.debug("another worker just created the topic, or it is being deleted", topic=name)
        return self._describe(TOPICS)

    def log_ids(self) -> dict[str, str]:
        """Return Kafka's topic id (KIP-516) by topic name.

        An offset is only valid together with this id: a new broker, or a topic that was deleted and
        created again, starts at offset 0 under another id.
        """
        prefix = f"{self.settings.study}."
        with self._explaining():
            topics = self._describe(TOPICS)
        return {found["name"].removeprefix(prefix): str(found["topic_id"]) for found in topics}

    def lag(self, group: str, topics: Sequence[KafkaTopic]) -> list[PartitionLag]:
        """Return the lag of a consumer group by partition, from the broker's end and committed offsets.

        Raises:
            Unavailable: the broker does not answer.
            Misconfigured: it refuses this client.
        """
        with self._explaining():
            return self._lag(group, topics)

    def _lag(self, group: str, topics: Sequence[KafkaTopic]) -> list[PartitionLag]:
        from kafka import TopicPartition
        from kafka.admin import OffsetSpec

        admin = self._connect()
        names = {topic.full_name(self.settings.study): topic.name for topic in topics}
        partitions = [
            TopicPartition(found["name"], part["partition_index"])
            for found in self._describe(topics)
            for part in found["partitions"]
        ]
        starts = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
        ends = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
        committed = self._committed(group)
        lags = []
        for partition in partitions:
            done = committed.get(partition)
            lags.append(
                PartitionLag(
                    topic=names[partition.topic],
                    partition=partition.partition,
                    end=ends[partition].offset,
                    committed=max(0, done.offset) if done else 0,
                    start=starts[partition].offset,
                )
            )
        return lags

    def rewind(self, group: str, topics: Sequence[KafkaTopic]) -> None:
        """Set a consumer group back to the first message that the broker still has. Blocks.

        Raises:
            Misconfigured: a worker of the group runs.
            Unavailable: the broker does not answer.
        """
        from kafka import TopicPartition
        from kafka.admin import OffsetSpec
        from kafka.errors import NoError, UnknownMemberIdError

        partitions = {
            TopicPartition(found["name"], part["partition_index"]): OffsetSpec.EARLIEST
            for found in self._describe(topics)
            for part in found["partitions"]
        }
        with self._explaining():
            answers = self._connect().reset_group_offsets(group, partitions)
        errors = {answer["error"] for answer in answers.values()} - {NoError}
        if UnknownMemberIdError in errors:
            raise Misconfigured(
                f"a worker of the group {group} runs, and would continue where it is",
                "stop it, wait a few seconds, and try again",
            )
        for refused in errors:
            raise self._explained(refused())

    @stamina.retry(on=KafkaError, attempts=6, timeout=10.0)
    def _committed(self, group: str) -> dict[Any, Any]:
        """Return committed offsets by partition; retried while a new cluster elects its coordinator."""
        offsets: dict[Any, Any] = self._connect().list_group_offsets(group)
        found: dict[Any, Any] = offsets.get(group, offsets)
        return found

    def send(self, event: Event) -> None:
        """Send an event and wait for the broker's acknowledgement.

        Raises:
            DataError: the event is too large.
            Unavailable: the broker does not accept it.
        """
        self.send_raw(TOPIC_OF[type(event)], event.key.encode(), encode(event))

    def send_raw(self, topic: KafkaTopic, key: bytes | None, payload: bytes | None) -> None:
        """Send raw bytes (a replayed dead letter) and wait for the broker's acknowledgement."""
        from kafka import KafkaProducer

        with self._explaining():
            if self._producer is None:
                self._producer = KafkaProducer(
                    bootstrap_servers=self.bootstrap.split(","),
                    **security.client_options(self.settings),
                    acks="all",
                    batch_size=0,  # Tansu reports wrong end offsets for batches of several records
                    max_request_size=MAX_MESSAGE,
                )
            self._producer.send(topic.full_name(self.settings.study), value=payload, key=key).get(timeout=30)

    def _describe(self, topics: Sequence[KafkaTopic]) -> list[dict[str, Any]]:
        names = [topic.full_name(self.settings.study) for topic in topics]
        found: list[dict[str, Any]] = self._connect().describe_topics(names)
        missing = [each["name"] for each in found if each["error_code"]]
        if missing:
            raise Unavailable(
                f"the broker at {self.bootstrap} does not show the topic {missing[0]} (yet)",
                "wait for the cluster to settle; groundswell migrate creates missing topics",
            )
        return found

    def _connect(self) -> Any:
        if self._admin is None:
            from kafka import KafkaAdminClient

            self._admin = KafkaAdminClient(
                bootstrap_servers=self.bootstrap.split(","),
                **security.client_options(self.settings),
                request_timeout_ms=10_000,
                bootstrap_timeout_ms=5_000,
            )
        return self._admin

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        """Raise the client's errors with cause and cure."""
        try:
            yield
        except (KafkaError, OSError, ValueError) as error:
            raise self._explained(error) from error

    def _explained(self, error: BaseException) -> Misconfigured | Unavailable:
        if isinstance(error, AuthorizationError):
            return security.forbidden(f"Kafka at {self.bootstrap}", type(error).__name__)
        why: Misconfigured | str = ""
        if not self.settings.embedded_broker:
            why = security.refusal(self.settings, self.bootstrap)
        if isinstance(why, Misconfigured):
            return why
        return Unavailable(
            f"cannot reach Kafka at {self.bootstrap} ({why or _reason(error)})",
            'start it with "docker compose up -d kafka", correct GROUNDSWELL_BROKER, '
            "or leave it unset for the embedded broker",
        )


def _reason(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0][:160] if text and text[0] else type(error).__name__
