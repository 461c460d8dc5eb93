"""OpenTelemetry traces of events: from the upload of a talk to the alert that it leads to.

Each message that an agent sends carries the context of its span in the header `traceparent` (W3C Trace
Context), and the agents that read the message continue that trace. A video that a source shows begins a trace
of its own, linked to the visit of the source that found it. A message that a command sent has no header; its
trace has the event's id, so that all agents that read it continue the same one.

Without an endpoint nothing is recorded, and no message has a header.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from streams.events import Event, VideoEvent, VideoSeen
from streams.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

EXPORT_S = 3.0
"""Seconds for which an ending process tries to deliver its last spans."""
_propagator = TraceContextTextMapPropagator()


class Tracing:
    """The spans of one process.

    Args:
        provider: what records and exports them; None: nothing does.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._provider = provider
        self._tracer = (provider or trace.NoOpTracerProvider()).get_tracer("groundswell")

    @contextmanager
    def sending(self, event: Event, topic: str, cause: Span | None) -> Iterator[dict[str, bytes]]:
        """Record that an event is being sent, and yield the headers of its message.

        Args:
            event: the event.
            topic: the topic's full name.
            cause: the span of what it follows from; None: it follows from no other event.
        """
        context, links = Context(), []
        if cause is not None and cause.get_span_context().is_valid:
            if isinstance(event, VideoSeen):
                links.append(Link(cause.get_span_context()))
            else:
                context = trace.set_span_in_context(cause, context)
        span = self._tracer.start_span(
            f"send {topic}",
            context,
            SpanKind.PRODUCER,
            {**_of(event), "messaging.operation.type": "send", "messaging.destination.name": topic},
            links,
        )
        carrier: dict[str, str] = {}
        if self._provider is not None:
            _propagator.inject(carrier, trace.set_span_in_context(span, context))
        try:
            yield {name: value.encode() for name, value in carrier.items()}
        except Exception as error:
            failed(span, error)
            raise
        finally:
            span.end()

    def processing(self, agent: str, message: Any, event: Event | None) -> Span:
        """Return the span, begun now, of an agent that processes a message.

        Args:
            agent: name of the agent.
            message: the message, as Faust has it.
            event: the event in it; None: it cannot be read.
        """
        context = _propagator.extract(_texts(message.headers), Context())
        if event is not None and not trace.get_current_span(context).get_span_context().is_valid:
            context = self._trace_of(event)
        where = {
            "messaging.operation.type": "process",
            "messaging.destination.name": message.topic,
            "messaging.destination.partition.id": str(message.partition),
            "messaging.kafka.offset": message.offset,
            "groundswell.agent": agent,
        }
        attributes = where if event is None else {**_of(event), **where}
        return self._tracer.start_span(f"process {agent}", context, SpanKind.CONSUMER, attributes)

    def _trace_of(self, event: Event) -> Context:
        """Return the context of an event whose message has no header, as if a span of its id had sent it."""
        if self._provider is None:
            return Context()
        trace_id = int(event.event_id, 16)
        decision = self._provider.sampler.should_sample(None, trace_id, "send").decision
        sampled = decision.name == "RECORD_AND_SAMPLE"
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        sender = SpanContext(trace_id, trace_id >> 64, is_remote=True, trace_flags=flags)
        return trace.set_span_in_context(trace.NonRecordingSpan(sender), Context())

    def close(self) -> None:
        """Deliver what was recorded; give up after `EXPORT_S`."""
        if self._provider is not None:
            delivering = threading.Thread(target=self._provider.shutdown, daemon=True)
            delivering.start()
            delivering.join(EXPORT_S)


def tracing_of(settings: Settings) -> Tracing:
    """Return the tracing that the settings ask for."""
    if not settings.otlp_endpoint:
        return Tracing()
    from streams.kafka.trace_export import exporting

    return Tracing(exporting(settings))


def failed(span: Span, error: Exception) -> None:
    """Mark a span as that of a message whose processing failed."""
    span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, str(error)))


def _of(event: Event) -> dict[str, str]:
    """Return the attributes of an event."""
    attributes = {
        "messaging.system": "kafka",
        "messaging.message.id": event.event_id,
        "groundswell.kind": type(event).__name__,
    }
    if isinstance(event, VideoEvent):
        attributes["groundswell.talk"] = event.key
    return attributes


def _texts(headers: Mapping[str, bytes] | Iterable[tuple[str, bytes]] | None) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers or ()
    return {name: value.decode("latin-1") for name, value in pairs if isinstance(value, bytes)}
