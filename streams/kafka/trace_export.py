"""Export of traces to an OpenTelemetry collector, over HTTP.

What the settings do not name, such as headers for the collector or the share of traces to keep, OpenTelemetry
reads from its own environment variables (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from streams.settings import Settings

log = structlog.get_logger()


def exporting(settings: Settings) -> TracerProvider:
    """Return a provider whose spans are sent to the collector of the settings, from a thread of its own."""
    logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.CRITICAL)  # it would log each attempt
    address = f"{settings.otlp_endpoint.rstrip('/')}/v1/traces"
    about = {"service.name": "groundswell", "groundswell.study": settings.study}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(_ReportingExporter(OTLPSpanExporter(address), address)))
    return provider


class _ReportingExporter(SpanExporter):
    """Exporter that logs once when the collector is away, and once when it is back."""

    def __init__(self, exporter: SpanExporter, address: str) -> None:
        self._exporter = exporter
        self._address = address
        self._away = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        away = result is SpanExportResult.FAILURE
        if away and not self._away:
            log.warning(
                "traces are lost: the collector takes none",
                address=self._address,
                cure="start it, or correct GROUNDSWELL_OTLP_ENDPOINT; talks are processed meanwhile",
            )
        elif self._away and not away:
            log.info("the collector takes traces again", address=self._address)
        self._away = away
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)
