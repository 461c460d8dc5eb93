"""A lost log is replaced completely, even if the process that resends its videos is killed meanwhile."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from agents.discovery.resume_unfinished import LOG_KEY
from streams.kafka.admin import Cluster
from streams.kafka.topics import VIDEOS_SEEN
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from tests.processes import GIVE_UP_S, ROOT
from tests.processes import until as until_true
from tests.stream.agent_at_work import NOON, seen, written


@contextmanager
def discovering(settings: Settings, *, deadly: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """Run `discover` in a process of its own, which dies when its n-th event has been sent."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GROUNDSWELL_")} | {
        "GROUNDSWELL_HOME": str(settings.home),
        "GROUNDSWELL_STUDY": settings.study,
        "GROUNDSWELL_BROKER": settings.broker,
        "GROUNDSWELL_PARTITIONS": "1",
    }
    command = [sys.executable, "-m", "tests.stream.dying_worker", str(deadly), "discover"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_kill_while_unfinished_videos_are_sent_loses_none(settings: Settings, cluster: Cluster) -> None:
    blobs = Blobs(settings.blobs_url)
    blobs.put(LOG_KEY, b"the log of a broker that was lost")
    names = [f"v{number}" for number in range(5)]
    for number, name in enumerate(names):
        sighting = seen(name).sighting.model_copy(update={"seen_at": NOON + timedelta(minutes=number)})
        Outbox(blobs).keep(seen(name).model_copy(update={"sighting": sighting}))

    with discovering(settings, deadly=2) as process:
        assert process.wait(GIVE_UP_S) == -signal.SIGKILL
    assert [event.key for event in written(settings, VIDEOS_SEEN)] == names[:2]

    with discovering(settings):
        until_true(lambda: blobs.get(LOG_KEY) == cluster.log_ids()[VIDEOS_SEEN.name].encode())
    assert [event.key for event in written(settings, VIDEOS_SEEN)] == names[:2] + names
