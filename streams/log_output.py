"""Log output to stderr, in UTC: as text for people, or as JSON, one object a line.

As JSON, everything that a process writes is: logs of libraries, warnings, uncaught exceptions, and what
Python code prints. Only what a C library writes to the file descriptor itself stays text, and what Python's
resource tracker, a process of its own, says if a worker is stopped in the middle of a transcription.
"""

from __future__ import annotations

import io
import logging
import sys
import threading
from typing import Any, NamedTuple, TextIO, cast

import stamina.instrumentation
import structlog

from streams.settings import Settings
from streams.telemetry import LOST_LINES

NOISY = (
    *("faust", "mode", "aiokafka", "kafka", "clickhouse_connect", "fsspec", "asyncio"),
    "urllib3.connectionpool",  # clickhouse_connect sets the level of "urllib3" itself on import
    "torch.utils.flop_counter",  # says that Triton is not installed: it is not needed
)


class LogFormat(NamedTuple):
    """The log output of a process and its child processes."""

    level: str = "info"
    as_json: bool = False


_format = LogFormat()


def log_format() -> LogFormat:
    """Return what `configure_logging` was given last, for a child process."""
    return _format


def format_of(settings: Settings) -> LogFormat:
    """Return the log output that the settings name."""
    return LogFormat(settings.log_level, settings.log_json)


def configure_logging(how: LogFormat) -> None:
    """Configure the logs of Groundswell and of libraries; of `NOISY` libraries only critical lines are shown.

    At log level debug, these libraries log from level info on.
    """
    global _format  # noqa: PLW0603 - one per process, as what it describes
    _format = how
    stream = sys.stderr.stream if isinstance(sys.stderr, _Printed) else sys.stderr
    best_effort = cast("TextIO", BestEffortStream(stream))
    level = getattr(logging, how.level.upper())
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if how.as_json
        else structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=40)
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if how.as_json else "%Y-%m-%d %H:%M:%SZ", utc=True),
    ]
    last: list[structlog.typing.Processor] = [structlog.processors.format_exc_info, renderer]
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(best_effort),
        cache_logger_on_first_use=False,
    )
    stamina.instrumentation.set_on_retry_hooks([])  # the callers log what does not answer
    of_libraries = logging.StreamHandler(best_effort)
    of_libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(handlers=[of_libraries], level=logging.WARNING)
    quiet = logging.CRITICAL if level > logging.DEBUG else logging.INFO
    for name in NOISY:
        logging.getLogger(name).setLevel(quiet)


def capture_output() -> None:
    """Log all that this process prints from now on, if logs are JSON; to be called after configuring."""
    if not _format.as_json or isinstance(sys.stderr, _Printed):
        return
    logging.captureWarnings(True)
    sys.stdout, sys.stderr = _Printed(sys.stdout, "stdout"), _Printed(sys.stderr, "stderr")
    sys.excepthook = lambda kind, error, trace: _uncaught((kind, error, trace))
    threading.excepthook = lambda said: _uncaught((said.exc_type, said.exc_value, said.exc_traceback))


def _uncaught(exc_info: Any) -> None:
    structlog.get_logger().critical("uncaught exception", exc_info=exc_info)


class BestEffortStream:
    """A text stream that drops what it cannot write: a full log disk must stop no work, and no exit."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, or count it as lost."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):  # ValueError: it is closed
            LOST_LINES.inc()
            return len(text)

    def flush(self) -> None:
        """Write what is buffered, or count it as lost."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            LOST_LINES.inc()


class _Printed(io.TextIOBase):
    """A stream that logs what is printed: the pieces up to one that ends a line are one line of the log."""

    def __init__(self, stream: TextIO, name: str) -> None:
        self.stream = stream
        self._name = name
        self._pieces: list[str] = []
        self._lock = threading.RLock()

    def write(self, text: str) -> int:
        with self._lock:
            self._pieces.append(text)
            if text.endswith("\n"):
                self.flush()
        return len(text)

    def flush(self) -> None:
        with self._lock:
            printed, self._pieces = "".join(self._pieces).strip(), []
            if printed:
                structlog.get_logger().warning(printed, printed_to=self._name)

    def fileno(self) -> int:
        return self.stream.fileno()

    def writable(self) -> bool:
        return True
