"""Traces of events, with OpenTelemetry's own SDK and an exporter that keeps the spans."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode
from structlog.testing import capture_logs

from streams.events import Sighting, Video, VideoRejected, VideoSeen
from streams.kafka.trace_export import exporting
from streams.kafka.tracing import Tracing, failed
from streams.settings import Settings
from tests.otlp_collector import collecting
from tests.processes import free_port

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
SEEN = VideoSeen(video=Video(video_id="v"), sighting=Sighting(source_id="s", kind="channel", seen_at=NOON))
REJECTED = VideoRejected(video=Video(video_id="v"), rule="too short", reason="it lasts 3 s")
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(exporter: InMemorySpanExporter) -> Tracing:
    return tracing_to(exporter)


def tracing_to(exporter: InMemorySpanExporter, share: float = 1.0) -> Tracing:
    provider = TracerProvider(sampler=ParentBased(TraceIdRatioBased(share)), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracing(provider)


def message(*headers: tuple[str, bytes]) -> SimpleNamespace:
    return SimpleNamespace(headers=list(headers), topic="t.videos.seen", partition=0, offset=7)


def named(exporter: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = [each for each in exporter.get_finished_spans() if each.name == name]
    return span


def test_an_event_continues_the_trace_of_its_message(
    tracing: Tracing, exporter: InMemorySpanExporter
) -> None:
    carried = message(("traceparent", f"00-{TRACE}-{SPAN}-01".encode()), ("other", b"\xff"))
    span = tracing.processing("screen", carried, SEEN)
    with tracing.sending(REJECTED, "t.videos.rejected", span) as headers:
        pass
    span.end()
    processed, sent = named(exporter, "process screen"), named(exporter, "send t.videos.rejected")
    assert processed.context is not None and processed.parent is not None and sent.parent is not None
    assert f"{processed.context.trace_id:032x}" == f"{sent.context.trace_id:032x}" == TRACE
    assert f"{processed.parent.span_id:016x}" == SPAN
    assert sent.parent.span_id == processed.context.span_id
    assert headers["traceparent"].decode() == f"00-{TRACE}-{sent.context.span_id:016x}-01"
    assert (processed.kind, sent.kind) == (SpanKind.CONSUMER, SpanKind.PRODUCER)
    assert processed.attributes is not None
    assert processed.attributes["groundswell.talk"] == "v"
    assert processed.attributes["messaging.message.id"] == SEEN.event_id
    assert processed.attributes["messaging.kafka.offset"] == 7


def test_a_found_video_begins_a_trace_linked_to_its_visit(
    tracing: Tracing, exporter: InMemorySpanExporter
) -> None:
    visit = tracing.processing("discover", message(("traceparent", f"00-{TRACE}-{SPAN}-01".encode())), None)
    with tracing.sending(SEEN, "t.videos.seen", visit):
        pass
    sent = named(exporter, "send t.videos.seen")
    assert sent.parent is None and sent.context.trace_id != int(TRACE, 16)
    assert [link.context for link in sent.links] == [visit.get_span_context()]


def test_a_message_of_a_command_has_the_trace_of_its_event(exporter: InMemorySpanExporter) -> None:
    for share, kept in ((1.0, 2), (0.0, 0)):
        exporter.clear()
        tracing = tracing_to(exporter, share)
        for agent in ("screen", "store"):
            tracing.processing(agent, message(), SEEN).end()
        traces = [f"{span.context.trace_id:032x}" for span in exporter.get_finished_spans() if span.context]
        assert traces == kept * [SEEN.event_id]


def test_what_fails_says_why(tracing: Tracing, exporter: InMemorySpanExporter) -> None:
    span = tracing.processing("split", message(), None)
    failed(span, ValueError("no timestamps"))
    span.end()
    with pytest.raises(OSError, match="gone"), tracing.sending(SEEN, "t.videos.seen", None):
        raise OSError("gone")
    for name, cause in (("process split", "no timestamps"), ("send t.videos.seen", "gone")):
        status = named(exporter, name).status
        assert (status.status_code, status.description) == (StatusCode.ERROR, cause)


def test_a_collector_that_is_away_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also that one is back; the process ends although spans are left."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")  # seconds
    port = free_port()
    provider = exporting(Settings(otlp_endpoint=f"http://127.0.0.1:{port}"))
    tracing = Tracing(provider)
    with capture_logs() as logs:
        for _ in range(2):
            tracing.processing("screen", message(), SEEN).end()
            provider.force_flush()
        with collecting(port) as collector:
            tracing.processing("screen", message(), SEEN).end()
            provider.force_flush()
        tracing.processing("screen", message(), SEEN).end()
        tracing.close()
    assert [span.name for span in collector.spans] == ["process screen"]
    away, back, away_again = logs
    assert away["event"] == away_again["event"] == "traces are lost: the collector takes none"
    assert f":{port}/v1/traces" in away["address"] and "GROUNDSWELL_OTLP_ENDPOINT" in away["cure"]
    assert back["event"] == "the collector takes traces again"


def test_without_a_collector_no_message_has_a_header() -> None:
    tracing = Tracing()
    carried = message(("traceparent", f"00-{TRACE}-{SPAN}-01".encode()))
    with tracing.sending(SEEN, "t.videos.seen", tracing.processing("screen", carried, SEEN)) as headers:
        assert headers == {}
    tracing.close()
