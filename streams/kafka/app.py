"""Factory of the Faust app, which is not built at import so that it binds to the running event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import structlog

from streams.events import Event
from streams.kafka import commits, security
from streams.kafka.admin import MAX_MESSAGE
from streams.kafka.codec import encode
from streams.kafka.topics import TOPIC_OF, KafkaTopic
from streams.kafka.tracing import Tracing
from streams.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import Span

log = structlog.get_logger()
LONG_JOB_S = 4 * 3600.0
"""Maximum poll interval: a transcription may take hours, and its worker must not lose its partitions."""
SESSION_S, EMBEDDED_SESSION_S = 10.0, 4.0
"""After what silence a broker takes a consumer for gone.

The embedded broker lets the first consumer of a group wait for half of it, at every start. It has no other
consumer, and one that it takes for gone by mistake joins again.
"""


def build_app(settings: Settings, group: str, bootstrap: str) -> Any:
    """Return a `faust.App` for consumer group `group`.

    Delivery is at-least-once: no offset is committed before its event is acknowledged
    (`streams.kafka.commits`).
    """
    import faust

    commits.never_commit_past_unacked()
    datadir = settings.study_home / "faust" / group
    datadir.mkdir(parents=True, exist_ok=True)
    session_s = EMBEDDED_SESSION_S if settings.embedded_broker else SESSION_S
    brokers = ";".join(f"kafka://{address}" for address in bootstrap.split(","))
    return faust.App(
        group,
        broker=brokers,
        broker_credentials=security.faust_credentials(settings),
        store="memory://",
        datadir=str(datadir),
        autodiscover=False,
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=session_s / 5,
        broker_commit_interval=1.0,
        broker_max_poll_interval=LONG_JOB_S,
        broker_request_timeout=30.0,
        stream_wait_empty=False,  # a running job must not delay a rebalance
        stream_buffer_maxsize=4096,
        consumer_max_fetch_size=4 * MAX_MESSAGE,
        producer_acks=-1,
        producer_max_request_size=MAX_MESSAGE,
        producer_max_batch_size=1,  # Tansu reports wrong end offsets for batches of several records
    )


def attach(
    app: Any,
    settings: Settings,
    name: str,
    topics: Sequence[KafkaTopic],
    run: Callable[[Any], Awaitable[None]],
) -> None:
    """Register `run` as the Faust agent that reads `topics`, one event at a time."""
    channel = app.topic(
        *(topic.full_name(settings.study) for topic in topics), key_serializer="raw", value_serializer="raw"
    )
    app.agent(channel, name=name, concurrency=1)(run)


class Outlet:
    """Sends events through the app's producer."""

    def __init__(self, app: Any, settings: Settings, tracing: Tracing | None = None) -> None:
        self._app = app
        self._settings = settings
        self._tracing = tracing or Tracing()
        self._channels: dict[KafkaTopic, Any] = {}

    async def send(self, event: Event, cause: Span | None = None) -> None:
        """Send an event and wait for the acknowledgement; retry forever with back-off, and log each failure.

        Args:
            event: the event.
            cause: the span of the event that it follows from.

        Raises:
            DataError: the event is too large for a message.
            Misconfigured: the broker does not permit this client to write.
        """
        wire, topic = encode(event), TOPIC_OF[type(event)]
        with self._tracing.sending(event, topic.full_name(self._settings.study), cause) as headers:
            await self._send(event.key.encode(), wire, headers, topic)

    async def _send(self, key: bytes, wire: bytes, headers: dict[str, bytes], topic: KafkaTopic) -> None:
        from aiokafka.errors import TopicAuthorizationFailedError

        wait_s = 0.5
        while True:
            try:
                await (await self._channel(topic).send(key=key, value=wire, headers=headers or None))
                return
            except TopicAuthorizationFailedError as error:
                raise security.forbidden("Kafka", f"TopicAuthorizationFailedError: {topic.name}") from error
            except Exception as error:
                if not _transient(error):
                    raise
                log.warning(
                    "Kafka does not take an event, trying again", topic=topic.name, error=str(error)[:160]
                )
                await asyncio.sleep(wait_s)
                wait_s = min(15.0, wait_s * 2)

    def _channel(self, topic: KafkaTopic) -> Any:
        if topic not in self._channels:
            self._channels[topic] = self._app.topic(
                topic.full_name(self._settings.study), key_serializer="raw", value_serializer="raw"
            )
        return self._channels[topic]


def _transient(error: BaseException) -> bool:
    from aiokafka.errors import KafkaError, MessageSizeTooLargeError

    return isinstance(error, KafkaError | OSError) and not isinstance(error, MessageSizeTooLargeError)
