"""Two real brokers, one suite: embedded Tansu and Apache Kafka (skipped where Java or Maven is missing)."""

import itertools
import socket
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.kafka.admin import Cluster
from streams.kafka.embedded_broker import EmbeddedBroker
from streams.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from infra.kafka import apache_kafka  # noqa: E402 - infra/ is no installed package

_numbers = itertools.count()


@pytest.fixture(scope="session")
def tansu() -> Iterator[str]:
    with EmbeddedBroker() as broker:
        yield broker.bootstrap


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if (why := apache_kafka.missing()) is not None:
        pytest.skip(f"Apache Kafka cannot run here: {why}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker = apache_kafka.ApacheKafka(tmp_path_factory.mktemp("kafka"), port)
    broker.start()
    yield broker.bootstrap
    broker.kill()


@pytest.fixture(params=["tansu", pytest.param("kafka", marks=pytest.mark.kafka)])
def bootstrap(request: pytest.FixtureRequest) -> str:
    address: str = request.getfixturevalue(request.param)
    return address


@pytest.fixture
def settings(bootstrap: str, tmp_path: Path) -> Settings:
    """Return the settings of a new study on the broker, as for a distributed worker."""
    return Settings(
        study=f"t{next(_numbers)}_{uuid.uuid4().hex[:6]}",
        home=tmp_path,
        broker=bootstrap,
        partitions=1,
        stall_s=30.0,
    )


@pytest.fixture
def cluster(settings: Settings) -> Iterator[Cluster]:
    with Cluster(settings, settings.broker) as cluster:
        cluster.wait(patience_s=10)
        cluster.ensure_topics()
        yield cluster
