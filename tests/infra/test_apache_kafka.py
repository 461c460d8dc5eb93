"""Tests of the real broker that infra/kafka runs: it keeps acknowledged records, and reports its errors."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from infra.kafka.apache_kafka import ApacheKafka, KafkaError, jars_folder, kafka_version, missing

needs_kafka = pytest.mark.skipif(missing() is not None, reason=f"Apache Kafka cannot run here: {missing()}")


@pytest.fixture
def broker(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[ApacheKafka]:
    broker = ApacheKafka(tmp_path / "kafka", free_port())
    yield broker
    broker.kill()


def everything_in(broker: ApacheKafka, topic: str, partitions: int) -> dict[int, list[bytes]]:
    """Return every record value of the topic, in order, by partition."""
    consumer = KafkaConsumer(bootstrap_servers=broker.bootstrap, auto_offset_reset="earliest")
    try:
        every = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(every)
        ends = consumer.end_offsets(every)
        found: dict[int, list[bytes]] = {number: [] for number in range(partitions)}
        deadline = time.monotonic() + 20
        while any(consumer.position(part) < ends[part] for part in every) and time.monotonic() < deadline:
            for part, records in consumer.poll(timeout_ms=500).items():
                found[part.partition] += [record.value for record in records]
        return found
    finally:
        consumer.close()


@pytest.mark.kafka
@needs_kafka
def test_a_broker_is_known_after_the_clock_was_set(broker: ApacheKafka) -> None:
    broker.start()
    pid, record = broker.pid, broker.folder / "process.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"created": time.time() - 3600}))
    assert broker.running and broker.pid == pid
    assert broker.stop()


@pytest.mark.kafka
@needs_kafka
def test_acked_messages_survive_kill_9_under_the_same_cluster_id(broker: ApacheKafka) -> None:
    assert not broker.running
    assert broker.cluster_id is None
    broker.start()
    cluster, first_pid = broker.cluster_id, broker.pid
    with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
        assert admin.describe_cluster()["cluster_id"] == cluster
        admin.create_topics([NewTopic("talks", num_partitions=3, replication_factor=1)])

    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    acks = [producer.send("talks", f"talk {n}".encode(), partition=n % 3) for n in range(3000)]
    offsets = [ack.get(timeout=30).offset for ack in acks]
    assert max(offsets) == 999
    broker.kill()
    producer.close(timeout=0)
    assert not broker.running
    assert broker.pid is None

    broker.start()
    assert broker.cluster_id == cluster
    assert broker.pid != first_pid
    assert everything_in(broker, "talks", 3) == {
        part: [f"talk {n}".encode() for n in range(3000) if n % 3 == part] for part in range(3)
    }

    assert broker.stop(), "the broker had to be killed"
    assert (broker.data / ".kafka_cleanshutdown").exists()
    assert broker.stop(), "to stop what does not run is no error"


@pytest.mark.kafka
@needs_kafka
def test_a_broker_from_the_command_line_runs_until_stopped(broker: ApacheKafka, repository: Path) -> None:
    def command(verb: str) -> subprocess.CompletedProcess[str]:
        script = repository / "infra" / "kafka" / "apache_kafka.py"
        options = ["--folder", str(broker.folder), "--port", str(broker.port)]
        return subprocess.run(
            [sys.executable, str(script), verb, *options], capture_output=True, text=True, check=False
        )

    assert command("status").returncode == 1
    started = command("start")
    assert started.returncode == 0, started.stderr
    assert f"Kafka {kafka_version()} runs on {broker.bootstrap}" in started.stdout
    assert broker.running, "any object made for the folder sees the broker"
    process = psutil.Process(broker.pid)
    assert process.memory_info().rss < 512 * 2**20
    archives = jars_folder().parent.glob(f"{jars_folder().name}-classes-*.jsa")
    filled = {str(each) for each in archives if each.stat().st_size}  # empty: this Java cannot make one
    assert not filled or filled & {each.path for each in process.memory_maps()}

    again = command("start")
    assert again.returncode == 0
    assert f"already runs on {broker.bootstrap} (pid {broker.pid}" in again.stdout
    assert command("status").returncode == 0
    stopped = command("stop")
    assert (stopped.returncode, stopped.stdout) == (0, "Kafka stopped\n")
    assert not broker.running


@pytest.mark.kafka
@needs_kafka
def test_a_taken_port_is_named_together_with_the_cure(broker: ApacheKafka) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", broker.port))
        other.listen()
        with pytest.raises(KafkaError, match=rf"127\.0\.0\.1:{broker.port} .*in use.*--port"):
            broker.start()


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ('openjdk version "1.8.0_392"', "is Java 8, Kafka .* needs 17: install a newer Java"),
        ("something else", "does not report its version: install a Java runtime 17"),
    ],
)
def test_a_java_that_cannot_run_kafka_is_told_with_the_cure(
    told: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broker: ApacheKafka
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{told}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(KafkaError, match=reason):
        broker.start()


def test_without_maven_and_without_cached_jars_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.1\"' >&2\n")
    java.chmod(0o755)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    reason = missing()
    assert reason is not None
    assert "there is no Maven to fetch them: install Maven" in reason
