"""Apache Kafka with TLS and log-in: events flow over every listener, and a refusal names cause and cure."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ScramMechanism, UserScramCredentialUpsertion

from agents.runtime.doctor import CHECKS
from infra.kafka.apache_kafka import ApacheKafka, missing
from streams.errors import Misconfigured
from streams.kafka import security
from streams.kafka.admin import Cluster
from streams.kafka.topics import VIDEOS_ACCEPTED
from streams.settings import Settings
from tests.certificates import Certificates, issue
from tests.identity_provider import IdentityProvider
from tests.processes import Study, free_port
from tests.stream.agent_at_work import Accept, committed, seen, until, working, written

pytestmark = [
    pytest.mark.long,
    pytest.mark.kafka,
    pytest.mark.skipif(missing() is not None, reason=f"Apache Kafka cannot run here: {missing()}"),
]
PASSWORD = "hunter2"
JAAS = "org.apache.kafka.common.security"
SASL = {
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
    "plain.sasl.jaas.config": f'{JAAS}.plain.PlainLoginModule required user_groundswell="{PASSWORD}";',
    "scram-sha-256.sasl.jaas.config": f"{JAAS}.scram.ScramLoginModule required;",
    "scram-sha-512.sasl.jaas.config": f"{JAAS}.scram.ScramLoginModule required;",
    "oauthbearer.sasl.jaas.config": f"{JAAS}.oauthbearer.OAuthBearerLoginModule required;",
    "oauthbearer.sasl.server.callback.handler.class": (
        f"{JAAS}.oauthbearer.OAuthBearerValidatorCallbackHandler"
    ),
    "sasl.oauthbearer.expected.audience": "kafka",
}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def identities() -> Iterator[IdentityProvider]:
    with IdentityProvider(PASSWORD) as started:
        yield started


@pytest.fixture(scope="module")
def listeners(
    certificates: Certificates, identities: IdentityProvider, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Start a broker whose listeners want a client certificate or a log-in; yield their addresses."""
    ports = {protocol: free_port() for protocol in ("SSL", "SASL_SSL")}
    properties = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": certificates.server,
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": certificates.authority,
        "listener.name.ssl.ssl.client.auth": "required",
        **{f"listener.name.sasl_ssl.{name}": value for name, value in SASL.items()},
        "listener.name.sasl_ssl.sasl.oauthbearer.jwks.endpoint.url": f"{identities.url}/keys",
    }
    folder = tmp_path_factory.mktemp("kafka")
    with pytest.MonkeyPatch.context() as patch:
        allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={identities.url}/keys"
        patch.setenv("JAVA_TOOL_OPTIONS", allowed)
        broker = ApacheKafka(folder, free_port(), listeners=ports, properties=properties)
        broker.start()
    with broker:
        with KafkaAdminClient(bootstrap_servers=broker.bootstrap) as admin:
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
                credential = UserScramCredentialUpsertion("groundswell", mechanism, PASSWORD)
                admin.alter_user_scram_credentials([credential])
        yield {"PLAINTEXT": broker.bootstrap} | {name: f"127.0.0.1:{port}" for name, port in ports.items()}
        broker.kill()


@pytest.fixture
def given(certificates: Certificates, listeners: dict[str, str], tmp_path: Path) -> dict[str, Any]:
    """Return the settings of a study that logs in over TLS."""
    return {
        "home": tmp_path,
        "study": f"t{abs(hash(tmp_path)):x}"[:20],
        "partitions": 1,
        "broker": listeners["SASL_SSL"],
        "broker_tls": True,
        "broker_ca": certificates.authority,
        "broker_sasl": "SCRAM-SHA-512",
        "broker_user": "groundswell",
        "broker_password": PASSWORD,
    }


@pytest.fixture
def named(certificates: Certificates, listeners: dict[str, str]) -> dict[str, str]:
    """Return the addresses and files that the cases below name."""
    return listeners | {"stranger": certificates.stranger, "missing": f"{certificates.authority}.none"}


NO_LOGIN = {"broker_sasl": "", "broker_user": "", "broker_password": ""}


@pytest.fixture
def by_token(given: dict[str, Any], identities: IdentityProvider) -> dict[str, Any]:
    """Return the settings of a study that logs in with access tokens."""
    return given | {"broker_sasl": "OAUTHBEARER", "broker_token_url": f"{identities.url}/token"}


@pytest.mark.parametrize("by", ["password", "access token", "certificate"])
async def test_an_event_flows_over_tls(
    by: str,
    given: dict[str, Any],
    by_token: dict[str, Any],
    certificates: Certificates,
    listeners: dict[str, str],
) -> None:
    if by == "access token":
        given = by_token
    if by == "certificate":
        given |= NO_LOGIN | {"broker": listeners["SSL"], "broker_certificate": certificates.client}
    settings = Settings(**given)
    with Cluster(settings, settings.broker) as cluster:
        cluster.wait(patience_s=10)
        cluster.ensure_topics()
        cluster.send(seen("a"))
        async with working(settings, cluster, agent := Accept()) as fatal:

            async def all_committed() -> bool:
                return await committed(cluster, settings, agent) == 1

            await until(all_committed)
            assert fatal == []
    assert [event.key for event in await asyncio.to_thread(written, settings, VIDEOS_ACCEPTED)] == ["a"]


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_both_clients_log_in_by_every_mechanism(mechanism: Any, given: dict[str, Any]) -> None:
    settings = Settings(**given | {"broker_sasl": mechanism})
    assert CHECKS["broker"](settings).verdict == "ok"  # kafka-python
    assert security.refusal(settings, settings.broker) == ""  # aiokafka


def test_a_token_endpoint_without_tls_is_a_warning(by_token: dict[str, Any]) -> None:
    result = CHECKS["broker"](Settings(**by_token))
    assert (result.verdict, result.cure) == (
        "warn",
        "set GROUNDSWELL_BROKER_TOKEN_URL to an https address",
    )


@pytest.mark.parametrize(
    ("change", "cause", "cure"),
    [
        ({"broker_password": "wrong"}, "refuses the user 'groundswell'", "BROKER_PASSWORD"),
        ({"broker_ca": "stranger"}, "is not trusted (", "GROUNDSWELL_BROKER_CA"),
        ({"broker_ca": "missing"}, "(No such file or directory)", "readable file in PEM"),
        (NO_LOGIN, "wants clients to log in (SASL OAUTHBEARER or PLAIN or", "GROUNDSWELL_BROKER_SASL"),
        (NO_LOGIN | {"broker_tls": False, "broker_ca": ""}, "speaks TLS", "BROKER_TLS=true"),
        (NO_LOGIN | {"broker": "SSL"}, "refuses this client's certificate", "GROUNDSWELL_BROKER_CERTIFICATE"),
        ({"broker": "PLAINTEXT", "broker_tls": False, "broker_ca": ""}, "knows no log-in (SASL)", "unset"),
    ],
)
def test_a_refusal_names_cause_and_cure(
    change: dict[str, Any], cause: str, cure: str, given: dict[str, Any], named: dict[str, str]
) -> None:
    settings = Settings(**given | {name: named.get(value, value) for name, value in change.items()})
    try:
        refused = security.refusal(settings, settings.broker)
    except Misconfigured as error:
        refused = error
    assert isinstance(refused, Misconfigured), refused
    assert cause in refused.cause and cure in refused.cure
    assert PASSWORD not in str(refused) and "wrong" not in str(refused)


def test_a_wrong_password_ends_a_worker(given: dict[str, Any], tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter3\n")
    environment = {f"GROUNDSWELL_{name.upper()}": str(value) for name, value in given.items()}
    del environment["GROUNDSWELL_BROKER_PASSWORD"]
    study = Study(tmp_path, given["study"], environment | {"GROUNDSWELL_BROKER_PASSWORD_FILE": str(secret)})
    worker = study.start("worker", "alert")
    assert worker.popen.wait(120) == 2
    assert "refuses the user 'groundswell' or its password" in worker.said()
    assert "cure: correct GROUNDSWELL_BROKER_USER, GROUNDSWELL_BROKER_PASSWORD" in worker.said()
    assert "hunter" not in worker.said()


@pytest.mark.parametrize(
    ("answer", "cause", "cure"),
    [
        (
            (401, b'{"error": "invalid_client"}'),
            "refuses the client 'groundswell'",
            "GROUNDSWELL_BROKER_USER",
        ),
        ((200, b'{"access_token": "e30.e30.e30"}'), "refuses the access token", "TOKEN_SCOPE"),
    ],
)
def test_why_no_token_is_accepted_is_said(
    answer: tuple[int, bytes], cause: str, cure: str, by_token: dict[str, Any], identities: IdentityProvider
) -> None:
    settings = Settings(**by_token | {"broker_token_scope": cause})  # so that no token is kept
    identities.answer = answer
    try:
        with Cluster(settings, settings.broker) as cluster, pytest.raises(Misconfigured) as refused:
            cluster.wait(patience_s=0)
    finally:
        identities.answer = None
    assert cause in refused.value.cause and cure in refused.value.cure
