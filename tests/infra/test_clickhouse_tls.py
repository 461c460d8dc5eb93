"""ClickHouse over TLS: the engine behind HTTPS, which wants a certificate and a password of its clients."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.runtime.doctor import examine
from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.certificates import Certificates, issue

SCRIPT = Path(__file__).resolve().parents[2] / "infra" / "clickhouse" / "chdb_http.py"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the engine behind TLS, for clients with a certificate and a password; yield host and port."""
    options = ["--certificate", certificates.server, "--client-ca", certificates.authority, "--user", "me"]
    process = subprocess.Popen(
        [
            sys.executable,
            str(SCRIPT),
            "--path",
            str(tmp_path_factory.mktemp("engine")),
            "--port",
            "0",
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "GROUNDSWELL_CLICKHOUSE_PASSWORD": "hunter2"},
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().rsplit("/", 1)[1].strip()
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def given(server: str, certificates: Certificates, tmp_path: Path) -> dict[str, Any]:
    """Return settings with which the server takes this client."""
    return {
        "home": tmp_path,
        "clickhouse": f"clickhouses://me@{server}",
        "clickhouse_password": "hunter2",
        "clickhouse_ca": certificates.authority,
        "clickhouse_certificate": certificates.client,
    }


def test_a_study_is_stored_over_tls(given: dict[str, Any]) -> None:
    with Warehouse(Settings(**given), patience_s=0) as warehouse:
        warehouse.command("CREATE TABLE IF NOT EXISTS talks (n UInt8) ENGINE = MergeTree ORDER BY n")
        warehouse.insert("talks", [{"n": 7}])
        assert warehouse.rows("SELECT n FROM talks") == [{"n": 7}]


@pytest.mark.parametrize(
    ("change", "cause", "cure"),
    [
        ({"clickhouse_password": "wrong"}, "refuses the user 'me' or its password", "CLICKHOUSE_PASSWORD"),
        ({"clickhouse_ca": "stranger"}, "is not trusted (", "CLICKHOUSE_CA"),
        ({"clickhouse_ca": ""}, "is not trusted (", "CLICKHOUSE_CA"),
        ({"clickhouse_certificate": ""}, "refuses this client's certificate", "CLICKHOUSE_CERTIFICATE"),
        ({"clickhouse_ca": "missing"}, "(No such file or directory)", "readable file in PEM"),
    ],
)
def test_a_refusal_names_cause_and_cure_and_ends(
    change: dict[str, str], cause: str, cure: str, given: dict[str, Any], certificates: Certificates
) -> None:
    paths = {"stranger": certificates.stranger, "missing": f"{certificates.authority}.none"}
    settings = Settings(**given | {name: paths.get(value, value) for name, value in change.items()})
    with pytest.raises(Misconfigured) as refused, Warehouse(settings, patience_s=5) as forever:
        forever.rows("SELECT 1")
    assert cause in refused.value.cause and cure in refused.value.cure
    assert "hunter2" not in str(refused.value) and "wrong" not in str(refused.value)


def test_no_server_and_no_tls_are_told_apart(server: str, given: dict[str, Any]) -> None:
    without = dict.fromkeys(("clickhouse_ca", "clickhouse_certificate"), "")
    plain = Settings(**given | without | {"clickhouse": f"clickhouse://me@{server}"})
    with (
        pytest.raises(Unavailable, match="a port for TLS needs clickhouses://"),
        Warehouse(plain, patience_s=0) as db,
    ):
        db.rows("SELECT 1")
    nobody = Settings(**given | {"clickhouse": "clickhouses://me@127.0.0.1:9"})
    with pytest.raises(Unavailable, match="connection refused"), Warehouse(nobody, patience_s=0) as db:
        db.rows("SELECT 1")


def test_the_doctor_reports_a_wrong_password(given: dict[str, Any]) -> None:
    wrong = Settings(**given | {"clickhouse_password": "hunter3"})
    found = next(result for result in examine(wrong) if result.what == "clickhouse")
    assert (found.verdict, "refuses the user" in found.found) == ("fail", True)
