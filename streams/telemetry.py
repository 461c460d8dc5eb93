"""Logging, and every metric Groundswell exposes, declared once."""

from __future__ import annotations

import logging
import sys

import stamina.instrumentation
import structlog
from prometheus_client import Counter, Gauge, Histogram

from streams.settings import Settings

EVENTS = Counter(
    # Events an agent took from its topics; outcome: handled, dead_letter.
    "groundswell_events_total",
    "Events an agent took from its topics",
    ["agent", "outcome"],
)
DEAD_LETTERS = Counter(
    # Messages sent to the dead letters.
    "groundswell_dead_letters_total",
    "Messages sent to the dead letters",
    ["agent"],
)
HANDLING_SECONDS = Histogram(
    # Time one event took an agent, without waiting for the block it is settled in.
    "groundswell_handling_seconds",
    "Time to handle one event",
    ["agent"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600, 3600),
)
SETTLING_SECONDS = Histogram(
    # Time to make a block durable, send its outputs and acknowledge it.
    "groundswell_settling_seconds",
    "Time to make a block of events durable",
    ["agent"],
    buckets=(0.005, 0.02, 0.1, 0.5, 2, 10),
)
LAG = Gauge(
    # End offset minus committed offset.
    "groundswell_lag",
    "Messages not yet processed",
    ["agent", "topic", "partition"],
)
NEWEST = Gauge(
    # Of what is stored; what: seen (a source showed a video first), published (an accepted video).
    "groundswell_newest_timestamp_seconds",
    "Moment of the newest video of its kind (Unix time)",
    ["what"],
)
CHECKPOINT = Gauge(
    # When the topic model was last made durable by this process; 0: not yet.
    "groundswell_checkpoint_timestamp_seconds",
    "Moment of the last checkpoint of the topic model (Unix time)",
)
TRANSCRIBED = Counter(
    # Seconds of recordings transcribed; its rate is how many times real time a worker is.
    "groundswell_transcribed_seconds_total",
    "Seconds of recordings that were transcribed",
)
TRANSCRIBING = Gauge(
    # Share of a talk that is transcribed, 0 to 1; there only while it is being transcribed.
    "groundswell_transcribing_ratio",
    "Share of a talk that is transcribed, while it is",
    ["video"],
)
TRANSCRIBING_LEFT = Gauge(
    # Estimated seconds until it is transcribed; there only while it is, and when a first stretch is done.
    "groundswell_transcribing_left_seconds",
    "Seconds until a talk is transcribed, at its present speed",
    ["video"],
)

NOISY = (
    *("faust", "mode", "aiokafka", "kafka", "clickhouse_connect", "fsspec", "asyncio"),
    "urllib3.connectionpool",  # clickhouse_connect sets the level of "urllib3" itself, when it is imported
)


def configure_logging(settings: Settings) -> None:
    """Send log lines to stderr: for people on a terminal, or as JSON; libraries only when they complain."""
    level = getattr(logging, settings.log_level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if settings.log_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=40)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if not settings.log_json else "iso", utc=False),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    stamina.instrumentation.set_on_retry_hooks([])  # we say ourselves what does not answer
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    quiet = logging.CRITICAL if level > logging.DEBUG else logging.INFO
    for name in NOISY:
        logging.getLogger(name).setLevel(quiet)
