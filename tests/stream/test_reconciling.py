"""What log or database have lost is found on a real broker, and what is on its way is not taken for lost."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from agents.recovery.path_lag import PATH, STORE, STORED, path_lag
from agents.recovery.reconciliation import PAUSE, RESEND, Reconciliation
from agents.recovery.report import Requests
from streams.errors import Misconfigured
from streams.events import AudioStored, Blob, Event, VideoAccepted, VideoParked
from streams.kafka.admin import Cluster, group_of
from streams.kafka.topics import AUDIO_STORED, VIDEOS_SEEN, KafkaTopic
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from streams.state.parked_videos import ParkingLot
from streams.store import writer
from streams.store.warehouse import Warehouse
from tests.stream.agent_at_work import NOON, seen


@pytest.fixture
def warehouse(settings: Settings, chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(settings.model_copy(update={"home": chdb_home})) as warehouse:
        warehouse.migrate()
        yield warehouse


class Study:
    """A study whose talks are stored as far as the test says, without agents."""

    def __init__(self, settings: Settings, cluster: Cluster, warehouse: Warehouse) -> None:
        self.settings, self.cluster, self.warehouse = settings, cluster, warehouse
        self.blobs, self.now = Blobs(settings.blobs_url), NOON
        self.reconciliation = Reconciliation(
            self.blobs, warehouse, lambda: path_lag(settings, settings.broker), self.clock
        )

    def clock(self) -> datetime:
        return self.now

    def find(self, name: str, *, sent: bool = False) -> None:
        """Find a talk, and perhaps send its sighting."""
        Outbox(self.blobs).keep(seen(name))
        if sent:
            self.cluster.send(seen(name))

    def store(self, *events: Event) -> None:
        writer.write(self.warehouse, (row for event in events for row in writer.rows_of(event)))

    def has_read(self, agent: str, *topics: KafkaTopic) -> None:
        """Commit everything that the log has for an agent, as if the agent had processed it."""
        consumer = KafkaConsumer(
            bootstrap_servers=self.settings.broker, group_id=group_of(self.settings, agent)
        )
        parts = [TopicPartition(topic.full_name(self.settings.study), 0) for topic in topics]
        ends = consumer.end_offsets(parts)
        consumer.commit({part: OffsetAndMetadata(ends[part], "", -1) for part in parts})
        consumer.close()

    def lost(self) -> tuple[list[str], dict[str, int]]:
        found = self.reconciliation.judge(self.reconciliation.look())
        return [event.key for event in found.events], found.underway


@pytest.fixture
def study(settings: Settings, cluster: Cluster, warehouse: Warehouse) -> Study:
    return Study(settings, cluster, warehouse)


def fetched(name: str) -> AudioStored:
    audio = Blob(key=f"audio/{name}", sha256="0" * 64, size=1)
    return AudioStored(video=seen(name).video, audio=audio)


def test_a_talk_whose_message_expired_is_sent_again(study: Study) -> None:
    study.find("a")
    study.store(seen("a"), VideoAccepted(video=seen("a").video), fetched("a"))
    assert study.lost() == (["a"], {}), "the log is empty, so nobody will ever take it on"

    study.cluster.send(fetched("a"))
    assert study.lost() == ([], {STORE: 1}), "the store may be about to write what follows"
    study.has_read(STORE, *STORED)
    assert study.lost() == ([], {"transcribe": 1}), "transcribe is at work"
    study.has_read("transcribe", AUDIO_STORED)
    assert study.lost() == (["a"], {}), "transcribe had it, and nothing followed"


def test_a_talk_that_waits_or_is_finished_is_not_lost(study: Study) -> None:
    study.find("waits")
    study.store(seen("waits"))
    parked = VideoParked(
        video=seen("waits").video, state="upcoming", reason="soon", until=None, parked_at=NOON
    )
    ParkingLot(study.blobs).park(parked, seen("waits"))
    assert study.lost() == ([], {})
    ParkingLot(study.blobs).leave("waits")
    assert study.lost() == (["waits"], {})


def test_a_talk_unknown_to_the_database_is_sent_again(study: Study) -> None:
    study.find("never stored")
    study.find("under way", sent=True)
    assert study.lost() == ([], {STORE: 1})
    study.has_read(STORE, *STORED)
    study.store(seen("under way"))
    assert study.lost() == (["never stored"], {"screen": 1})


def test_a_talk_without_sighting_cannot_be_mended(study: Study) -> None:
    study.store(seen("imported"))
    found = study.reconciliation.judge(study.reconciliation.look())
    assert found.in_log == {"imported": "seen"}
    assert found.unmendable == {"imported": "it has no entry in the outbox: hand the talk in again"}
    assert found.events == []


def test_the_timer_sends_a_lost_talk_once_in_a_while(study: Study) -> None:
    study.find("a")
    study.store(seen("a"))
    assert study.reconciliation.due() == [], "one look says nothing about what moves"
    assert study.reconciliation.due() == []
    study.now += PAUSE
    assert [event.key for event in study.reconciliation.due()] == ["a"]
    study.now += PAUSE
    assert study.reconciliation.due() == [], "it has just been sent"
    study.now += RESEND
    assert [event.key for event in study.reconciliation.due()] == ["a"]


def test_requests_at_the_same_time_are_all_answered(study: Study) -> None:
    study.find("a")
    study.store(seen("a"))
    requests = Requests(study.blobs)
    assert requests.carry_out(study.reconciliation) == [], "nobody has asked"
    with ThreadPoolExecutor() as people:
        asked = [
            people.submit(requests.ask, dry_run=dry_run, pause=lambda _: time.sleep(0.02))
            for dry_run in (True, False)
        ]
        while len(list(study.blobs.keys("reconcile"))) < len(asked):
            time.sleep(0.02)
        sent = requests.carry_out(study.reconciliation)
    assert [event.key for event in sent] == ["a"]
    assert [(each.result()["dry_run"], each.result()["sent"]) for each in asked] == [(True, 0), (False, 1)]
    assert list(study.blobs.keys("reconcile")) == []


@pytest.mark.kafka
@pytest.mark.parametrize("bootstrap", ["kafka"], indirect=True)
def test_the_store_reads_the_whole_log_again_on_request(study: Study) -> None:
    for name in ("a", "b"):
        study.find(name, sent=True)
    study.has_read(STORE, *STORED)
    group = group_of(study.settings, STORE)
    assert sum(lag.behind for lag in study.cluster.lag(group, STORED)) == 0
    study.cluster.rewind(group, STORED)
    assert sum(lag.behind for lag in study.cluster.lag(group, STORED)) == 2

    consumer = KafkaConsumer(
        VIDEOS_SEEN.full_name(study.settings.study), bootstrap_servers=study.settings.broker, group_id=group
    )
    consumer.poll(timeout_ms=5000)
    with pytest.raises(Misconfigured, match=r"a worker of the group .* runs"):
        study.cluster.rewind(group, STORED)
    consumer.close()


def test_the_path_names_every_state_that_is_not_the_last() -> None:
    from streams.store.operations.throughput import NEXT

    assert {state: agent for state, (agent, _) in PATH.items()} == {
        state: agent for state, agent in NEXT.items() if agent is not None
    }
    assert timedelta(0) < PAUSE < RESEND
