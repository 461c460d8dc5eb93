"""Logging, and the declaration of every metric that Groundswell exposes."""

from __future__ import annotations

import logging
import sys

import stamina.instrumentation
import structlog
from prometheus_client import Counter, Gauge, Histogram

from streams.settings import Settings

EVENTS = Counter(
    # Events that an agent consumed; outcome: handled, dead_letter.
    "groundswell_events_total",
    "Events that an agent consumed",
    ["agent", "outcome"],
)
DEAD_LETTERS = Counter(
    "groundswell_dead_letters_total",
    "Messages sent to the dead letters",
    ["agent"],
)
HANDLING_SECONDS = Histogram(
    # Time an agent took for one event, without the wait for its block to be committed.
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
    # Of stored videos; what: seen (first sighting by a source), published (of an accepted video).
    "groundswell_newest_timestamp_seconds",
    "Unix time of the newest video of its kind",
    ["what"],
)
STUCK = Gauge(
    # Unfinished videos that a source showed first two days ago or earlier; by state.
    "groundswell_stuck_videos",
    "Videos that are not finished long after they were found",
    ["state"],
)
CHECKPOINT = Gauge(
    # When this process last wrote a checkpoint of the topic model; 0: not yet.
    "groundswell_checkpoint_timestamp_seconds",
    "Unix time of the last checkpoint of the topic model",
)
EMBEDDED_AGAIN = Counter(
    # More than a few after an upgrade: split workers have another model or maximum length than track.
    "groundswell_embedded_again_total",
    "Talks that track embedded again, because split had embedded them otherwise",
)
TRANSCRIBED = Counter(
    # Its rate is a worker's speed as a multiple of real time.
    "groundswell_transcribed_seconds_total",
    "Seconds of recordings that were transcribed",
)
TRANSCRIBING = Gauge(
    # Share of a talk that is transcribed, 0 to 1; exposed only while the talk is being transcribed.
    "groundswell_transcribing_ratio",
    "Share of a talk in process that is transcribed",
    ["video"],
)
TRANSCRIBING_LEFT = Gauge(
    # Estimated seconds until a talk is transcribed; exposed from its first finished stretch until its end.
    "groundswell_transcribing_left_seconds",
    "Estimated seconds until a talk is transcribed",
    ["video"],
)

NOISY = (
    *("faust", "mode", "aiokafka", "kafka", "clickhouse_connect", "fsspec", "asyncio"),
    "urllib3.connectionpool",  # clickhouse_connect sets the level of "urllib3" itself on import
)


def configure_logging(settings: Settings) -> None:
    """Configure logging to stderr, as text for people or as JSON; of `NOISY` libraries only critical lines.

    At log level debug, these libraries log from level info on.
    """
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
    stamina.instrumentation.set_on_retry_hooks([])  # the callers log what does not answer
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    quiet = logging.CRITICAL if level > logging.DEBUG else logging.INFO
    for name in NOISY:
        logging.getLogger(name).setLevel(quiet)
