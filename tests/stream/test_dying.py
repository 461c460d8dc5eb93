"""A worker that must end does end, even if nobody can read why: the disk of its log is full."""

import subprocess
import sys
from pathlib import Path

import pytest

from streams.kafka.admin import Cluster
from streams.kafka.topics import TOPICS_CHANGED
from streams.settings import Settings
from tests.processes import ROOT, Study


@pytest.mark.long
def test_a_worker_with_a_full_log_disk_still_dies(tansu: str, tmp_path: Path) -> None:
    settings = Settings(study="full", home=tmp_path, broker=tansu, partitions=1)
    with Cluster(settings, tansu) as cluster:
        cluster.wait(patience_s=10)
        cluster.ensure_topics()
    environment = {
        "GROUNDSWELL_BROKER": tansu,
        "GROUNDSWELL_PARTITIONS": "1",
        "GROUNDSWELL_DEAD_LETTER_CEILING": "1",
        "GROUNDSWELL_STALL_S": "600",  # the watchdog must not be what ends it
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "tests.stream.speechless_worker", "alert"],
        env=Study(tmp_path, "full", environment).env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        text=True,
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        with Cluster(settings, tansu) as cluster:
            for _ in range(3):
                cluster.send_raw(TOPICS_CHANGED, None, b"this is not JSON")
        assert worker.wait(60) == 1, "the exit status of a fatal error"
    finally:
        worker.kill()
        worker.wait()
