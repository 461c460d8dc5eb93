"""A real Apache Kafka broker (KRaft), run from its published jars without Docker.

It is its own controller, or one of several brokers (`kafka_cluster.py`). It serves integration tests, and
trials of distributed operation on a machine without containers. It needs Java 17 or newer, and Maven once, to
copy the jars of pom.xml into a cache folder.

    python infra/kafka/apache_kafka.py start      # returns when a client gets metadata; the broker runs on
    python infra/kafka/apache_kafka.py status
    python infra/kafka/apache_kafka.py stop
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from xml.etree import ElementTree

import platformdirs
import psutil

log = logging.getLogger(__name__)

HERE = Path(__file__).resolve().parent
POM = HERE / "pom.xml"
HOST = "127.0.0.1"
JAVA_NEEDED = 17
# With these options, a broker with a few topics needs 200 MB of resident memory.
JVM = (
    "-Xms64m",
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # a broker of minutes never earns back what optimising costs it
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    "-Dlog4j.shutdownHookEnabled=false",  # otherwise the log ends before the broker has shut down
)


class KafkaError(RuntimeError):
    """The broker cannot be prepared, started or stopped; the message names the cause and the cure."""


def kafka_version() -> str:
    """Return the version of Kafka, which is set only in pom.xml."""
    version = ElementTree.parse(POM).getroot().findtext(".//{*}kafka.version")
    if not version:
        raise KafkaError(f"{POM} has no <kafka.version>: restore it")
    return version


def jars_folder() -> Path:
    """Return the folder of the jars: in the user's cache, one folder per version of Kafka."""
    return platformdirs.user_cache_path("groundswell") / f"kafka-{kafka_version()}"


def missing() -> str | None:
    """Return why no broker can run on this machine, in one line with the cure; None if one can.

    It is cheap (one `java -version`): tests can call it at collection, `skipif(missing() is not None, ...)`.
    """
    java = _java()
    if java is None:
        return f"no Java found: install a Java runtime {JAVA_NEEDED} or newer, or set JAVA_HOME"
    version = _java_version(java)
    if version is None:
        return f"{java} does not report its version: install a Java runtime {JAVA_NEEDED} or newer"
    if version < JAVA_NEEDED:
        return (
            f"{java} is Java {version}, Kafka {kafka_version()} needs {JAVA_NEEDED}: "
            "install a newer Java runtime, or set JAVA_HOME to one"
        )
    if not _prepared(jars_folder()) and shutil.which("mvn") is None:
        return (
            f"the jars of Kafka {kafka_version()} are not in {jars_folder()} and there is no Maven "
            "to fetch them: install Maven (mvn)"
        )
    return None


@dataclass(frozen=True)
class Quorum:
    """The brokers of a cluster of several: its id, and the port of each one's controller, by its node id."""

    cluster_id: str
    controllers: Mapping[int, int]


class ApacheKafka:
    """A broker that keeps its data, configuration and log in `folder` and listens on 127.0.0.1:`port`.

    The folder identifies the broker: any object created for it, in this process or another, can tell whether
    the broker runs and can stop it. The cluster id is created when the folder is formatted and stays until
    its data are deleted, so it distinguishes one log from the next. The broker outlives the process that
    started it; as a context manager, it starts on entry and stops on exit.
    """

    def __init__(
        self,
        folder: Path,
        port: int,
        *,
        listeners: Mapping[str, int] | None = None,
        properties: Mapping[str, str] | None = None,
        node: int = 1,
        quorum: Quorum | None = None,
    ) -> None:
        """Name the broker's folder and port.

        Args:
            folder: holds its data, configuration and log.
            port: port of the listener without encryption or passwords.
            listeners: ports of further listeners, by their protocol: SSL, SASL_PLAINTEXT or SASL_SSL.
            properties: further lines of server.properties, such as the certificate of these listeners.
            node: the broker's id in its cluster.
            quorum: the cluster that it belongs to; None: one of its own.
        """
        self.folder = folder.resolve()
        self.port = port
        self._listeners = dict(listeners or {})
        self._properties = dict(properties or {})
        self._node = node
        self._quorum = quorum
        self._options: tuple[str, ...] = ()
        self.data = self.folder / "data"
        self.log = self.folder / "kafka.log"
        self._record = self.folder / "process.json"
        self._child: subprocess.Popen[bytes] | None = None
        self._logged_before = 0

    def __enter__(self) -> ApacheKafka:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        """Bootstrap server for clients: the port of the running broker, or else the given port."""
        return f"{HOST}:{self._recorded().get('port', self.port) if self.running else self.port}"

    @property
    def pid(self) -> int | None:
        """Process id of the running broker; None if it is not running."""
        process = self._process()
        return process.pid if process else None

    @property
    def running(self) -> bool:
        """Whether the broker's process is alive (it may still be starting)."""
        return self._process() is not None

    @property
    def cluster_id(self) -> str | None:
        """Id of the cluster whose data the folder holds; None before the first start."""
        meta = self.data / "meta.properties"
        if not meta.exists():
            return None
        found = re.search(r"^cluster\.id=(\S+)", meta.read_text(), re.MULTILINE)
        return found.group(1) if found else None

    def prepare(self) -> Path:
        """Fetch Kafka's jars into the cache folder unless they are present; return that folder.

        This is atomic: the jars are written under a temporary name and renamed once complete, so a killed or
        concurrent preparation leaves either nothing or everything. Raises KafkaError if Maven fails.
        """
        jars = jars_folder()
        if _prepared(jars):
            return jars
        maven = shutil.which("mvn")
        if maven is None:
            raise KafkaError(missing() or "no Maven: install it (mvn)")
        log.info("fetching Apache Kafka %s with Maven into %s (45 MB, once)", kafka_version(), jars)
        jars.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f"{jars.name}.", dir=jars.parent) as parent:
            fresh = Path(parent) / "jars"
            command = [
                maven,
                "-B",
                "-q",
                "-Dstyle.color=never",
                "-f",
                str(POM),
                "dependency:copy-dependencies",
            ]
            told = subprocess.run(
                [*command, f"-DoutputDirectory={fresh}"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            if told.returncode != 0:
                raise KafkaError(
                    f"Maven could not fetch the jars of Kafka {kafka_version()}: "
                    f"{_telling_line(told.stdout)}; check the network and Maven's settings"
                )
            shutil.copy(POM, fresh / POM.name)
            if jars.exists() and not _prepared(jars):  # the jars of another pom.xml
                jars.rename(Path(parent) / "stale")
            try:
                fresh.rename(jars)
            except OSError:
                if not _prepared(jars):  # otherwise another process was first, with the same jars
                    raise
        return jars

    def start(self, timeout_s: float = 60.0) -> None:
        """Start the broker unless it is running, and return once a client gets metadata from it.

        Raises KafkaError if this machine cannot run it, the port is taken, or the broker does not answer
        within `timeout_s` seconds (it is then killed).
        """
        self.launch()
        self.wait(timeout_s)

    def launch(self) -> None:
        """Start the broker and return at once; raise KafkaError as `start` does."""
        if self.running:
            running_port = self._recorded().get("port")
            if running_port != self.port:
                raise KafkaError(
                    f"the broker of {self.folder} runs on port {running_port}, not {self.port}: stop it first"
                )
            return
        if reason := missing():
            raise KafkaError(reason)
        jars = self.prepare()
        if not self._options:
            self._options = _shared_classes(jars)
        _require_free(self.port)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise KafkaError(
                f"cannot create the folder {self.folder} ({error.strerror}): choose another with --folder"
            ) from error
        properties = self._write_properties()
        self._format(jars, properties)
        self._logged_before = self.log.stat().st_size if self.log.exists() else 0
        with (self.folder / "kafka.out").open("wb") as out:
            self._child = subprocess.Popen(
                [*self._java_command(jars), "kafka.Kafka", str(properties)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in the terminal that started the broker must not stop it
            )
        created = psutil.Process(self._child.pid).create_time()
        self._record.write_text(
            json.dumps({"pid": self._child.pid, "created": created, "port": self.port}), encoding="utf-8"
        )

    def kill(self) -> None:
        """Kill the broker (SIGKILL), as in a crash, and wait until it is gone; do nothing if it is not up."""
        process = self._process()
        if process:
            process.kill()
            self._reap(process, None)

    def stop(self, timeout_s: float = 20.0) -> bool:
        """Ask the broker to shut down (SIGTERM) and wait; kill it after `timeout_s` seconds.

        Return True if it closed its logs cleanly or was not running, False if it had to be killed.
        """
        process = self._process()
        if process is None:
            return True
        process.terminate()
        if self._reap(process, timeout_s):
            return True
        log.warning("Kafka did not stop within %.0f s: killing it", timeout_s)
        self.kill()
        return False

    def _recorded(self) -> dict[str, float]:
        """Return the record of the last start: pid, creation time of the process, port; or {}."""
        try:
            recorded: dict[str, float] = json.loads(self._record.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return recorded

    def _process(self) -> psutil.Process | None:
        if self._child is not None:
            self._child.poll()  # reap a dead child, which would otherwise stay a zombie
        recorded = self._recorded()
        if not recorded:
            return None
        try:
            process = psutil.Process(int(recorded["pid"]))
            # Another process may have this pid by now, unless it is our child. The time of its creation moves
            # when the system's clock is set.
            ours = self._child is not None and self._child.pid == process.pid
            same = ours or abs(process.create_time() - recorded["created"]) < 1.0
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.NoSuchProcess:
            return None

    def _reap(self, process: psutil.Process, timeout_s: float | None) -> bool:
        """Wait until the process is gone; return False if it still runs after `timeout_s` seconds."""
        try:
            if self._child is not None and self._child.pid == process.pid:
                self._child.wait(timeout_s)
            else:
                process.wait(timeout_s)
        except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
            return False
        self._record.unlink(missing_ok=True)
        return True

    def _java_command(self, jars: Path) -> list[str]:
        return [
            str(_java()),
            *JVM,
            *self._options,
            f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}",
            f"-Dgroundswell.kafka.log={self.log}",
            "-cp",
            f"{jars}/*",
        ]

    def _write_properties(self) -> Path:
        template = Template((HERE / "server.properties").read_text())
        properties = self.folder / "server.properties"
        further = [f"{protocol}://{HOST}:{port}" for protocol, port in self._listeners.items()]
        controllers = self._quorum.controllers if self._quorum else {self._node: _free_port()}
        text = template.substitute(
            host=HOST,
            port=self.port,
            node=self._node,
            controller_port=controllers[self._node],
            voters=",".join(f"{node}@{HOST}:{port}" for node, port in controllers.items()),
            data=self.data.as_posix(),
            further="".join(f",{listener}" for listener in further),
            protocols="".join(f",{protocol}:{protocol}" for protocol in self._listeners),
        )
        added = "".join(f"{name}={value}\n" for name, value in self._properties.items())
        properties.write_text(text + added)
        return properties

    def _format(self, jars: Path, properties: Path) -> None:
        """Format an empty folder with the cluster's id or a new one; leave a formatted folder unchanged."""
        if self.cluster_id:
            return
        command = [*self._java_command(jars), "kafka.tools.StorageTool", "format", "--ignore-formatted"]
        cluster_id = self._quorum.cluster_id if self._quorum else new_cluster_id()
        told = subprocess.run(
            [*command, "--cluster-id", cluster_id, "--config", str(properties)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if told.returncode != 0 or not self.cluster_id:
            raise KafkaError(
                f"Kafka could not format {self.data}: {_telling_line(told.stdout)}; "
                "check that the folder is writable and empty, or give another folder"
            )

    def wait(self, timeout_s: float = 60.0) -> None:
        """Return once a client gets metadata that has this broker; raise KafkaError as `start` does."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if not self.running:
                raise KafkaError(
                    f"Kafka ended while starting: {self._why()}; see kafka.log and kafka.out in {self.folder}"
                )
            if self._answers():
                return
            time.sleep(0.05)
        self.kill()
        raise KafkaError(
            f"Kafka gave no metadata within {timeout_s:.0f} s and was killed ({self._why()}): "
            f"use a less busy machine or a longer timeout, or see {self.log}"
        )

    def _answers(self) -> bool:
        """Return whether a client sees this broker unfenced in its cluster."""
        try:
            socket.create_connection((HOST, self.port), timeout=1).close()
        except OSError:
            return False  # not listening yet: avoid the client's retries and warnings

        from kafka.admin import KafkaAdminClient
        from kafka.errors import KafkaError as ClientError

        try:
            with KafkaAdminClient(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=3000) as client:
                told = client.describe_cluster()
        except ClientError:
            return False
        unfenced = {broker["broker_id"] for broker in told["brokers"] if not broker.get("is_fenced", False)}
        return self._node in unfenced and told["cluster_id"] == self.cluster_id

    def _why(self) -> str:
        """Return the line of the logs that best explains why the broker failed since its last start."""
        logged = self.log.read_bytes() if self.log.exists() else b""
        since_start = logged[self._logged_before :] if len(logged) >= self._logged_before else logged
        printed = (self.folder / "kafka.out").read_bytes()
        text = (printed + b"\n" + since_start).decode(errors="replace")
        return _telling_line(text) or "it wrote nothing"


def _java() -> Path | None:
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return Path(home) / "bin" / "java"
    found = shutil.which("java")
    return Path(found) if found else None


def _java_version(java: Path) -> int | None:
    """Return the major version: 17 for `17.0.15`, 8 for `1.8.0_392`; None if it is unknown."""
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    return int(found.group(1)) if found else None


def _prepared(jars: Path) -> bool:
    """Return whether the folder holds the jars of the current pom.xml; it keeps a copy of that file."""
    copy = jars / POM.name
    return copy.exists() and copy.read_bytes() == POM.read_bytes()


def _shared_classes(jars: Path) -> tuple[str, ...]:
    """Return options that make a broker load its classes from an archive; a first broker makes that.

    Loading them from the jars is a good part of the work of a start. An archive belongs to one build of Java
    and to the folder of the jars; Java ignores any other. Some builds cannot make one: it stays empty.
    """
    java = _java()
    told = subprocess.run([str(java), "-version"], capture_output=True, check=False)
    build = hashlib.sha256(told.stderr + told.stdout).hexdigest()[:12]
    archive = jars.with_name(f"{jars.name}-classes-{build}.jsa")
    with jars.with_name(f"{jars.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            log.info("making an archive of Kafka's classes (50 MB, once)")
            with tempfile.TemporaryDirectory(prefix=f"{jars.name}.", dir=jars.parent) as folder:
                fresh = Path(folder) / archive.name
                first = ApacheKafka(Path(folder), _free_port())
                first._options = (f"-XX:ArchiveClassesAtExit={fresh}",)
                try:
                    first.start(120)
                    first.stop(120)
                finally:
                    first.kill()
                fresh.touch()
                fresh.rename(archive)
    return (f"-XX:SharedArchiveFile={archive}",) if archive.stat().st_size else ()


def new_cluster_id() -> str:
    """Return a random id in Kafka's notation (22 characters) that does not start with "-", like an option."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise KafkaError(
                f"cannot listen on {HOST}:{port} ({error.strerror}): "
                "stop what uses that port, or choose another with --port"
            ) from error


def _telling_line(text: str) -> str:
    """Return the line that names the cause: the first exception, else the first error, else the last line."""
    for pattern in (
        r"^(?:Caused by: )?[\w.$]+(?:Exception|Error): .+",
        r"^.*\b(?:ERROR|FATAL|Error)\b.*",
        r"^.+\Z",
    ):
        if found := re.search(pattern, text.strip(), re.MULTILINE):
            return found.group(0)
    return ""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status (0 done, 1 failed or, for `status`, not running)."""
    parser = argparse.ArgumentParser(description="Run one real Apache Kafka broker without Docker.")
    parser.add_argument("command", choices=["start", "stop", "status"])
    default = platformdirs.user_data_path("groundswell") / "kafka"
    parser.add_argument(
        "--folder", type=Path, default=default, help="folder for data, log and settings (%(default)s)"
    )
    parser.add_argument("--port", type=int, default=9092, help="port on 127.0.0.1 (%(default)s)")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("kafka").setLevel(logging.ERROR)

    broker = ApacheKafka(given.folder, given.port)
    described = f"(pid {broker.pid}, cluster {broker.cluster_id}, folder {broker.folder})"
    try:
        if given.command == "status":
            print(
                f"Kafka runs on {broker.bootstrap} {described}" if broker.running else "Kafka is not running"
            )
            return 0 if broker.running else 1
        if given.command == "stop":
            ran = broker.running
            clean = broker.stop()
            print("Kafka was not running" if not ran else "Kafka stopped" if clean else "Kafka was killed")
            return 0 if clean else 1
        if broker.running:
            broker.start()
            print(f"Kafka already runs on {broker.bootstrap} {described}")
            return 0
        began = time.monotonic()
        broker.start()
        print(
            f"Kafka {kafka_version()} runs on {broker.bootstrap} after {time.monotonic() - began:.1f} s "
            f"(pid {broker.pid}, cluster {broker.cluster_id}, folder {broker.folder})"
        )
    except KafkaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
