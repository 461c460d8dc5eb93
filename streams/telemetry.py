"""The declaration of every metric that Groundswell exposes."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

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
NOT_READY = Gauge(
    # 1 while it keeps this process from its work; fault: start, broker, progress, database, blobs, disk.
    "groundswell_not_ready",
    "Whether a fault keeps this process from its work",
    ["fault"],
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

DISK_FREE = Gauge(
    # folder: home, or blobs if these are in a folder. Read when Prometheus asks; NaN: it cannot be read.
    "groundswell_disk_free_bytes",
    "Free bytes of the disk that a folder is on",
    ["folder"],
)
DISK_SIZE = Gauge(
    "groundswell_disk_size_bytes",
    "Bytes of the disk that a folder is on",
    ["folder"],
)
COOKIES_REFUSED = Counter(
    "groundswell_youtube_cookies_refused_total",
    "Sessions in which YouTube no longer accepted the account's cookies",
)
YOUTUBE_REFUSALS = Counter(
    # kind: see streams.youtube.errors; blocked: YouTube takes this address for a bot, throttled: HTTP 429.
    "groundswell_youtube_refusals_total",
    "Requests that YouTube or this machine refused",
    ["kind"],
)
LOST_LINES = Counter(
    # The disk of the log is full, or its reader is gone; the process works on.
    "groundswell_lost_log_lines_total",
    "Log lines that could not be written",
)
