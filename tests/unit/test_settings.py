"""Settings: from the environment, checked, with errors a person can act on."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from agents.cli import variables
from agents.cli.console import load_settings
from streams.errors import Misconfigured
from streams.settings import Settings


def test_nothing_is_needed_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings()
    assert settings.embedded_broker
    assert settings.embedded_clickhouse
    assert settings.blobs_url.endswith("studies/main/blobs")


def test_the_environment_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_BROKER", "kafka:9092")
    monkeypatch.setenv("GROUNDSWELL_BLOBS", "s3://talks/audio/")
    monkeypatch.setenv("GROUNDSWELL_STUDY", "rust")
    monkeypatch.setenv("GROUNDSWELL_LANGUAGES", '["en", "de"]')
    settings = Settings()
    assert not settings.embedded_broker
    assert settings.blobs_url == "s3://talks/audio/rust"
    assert settings.languages == ["en", "de"]
    assert settings.front_partitions == settings.partitions


@pytest.mark.parametrize("study", ["default", "system", "Rust", "a b", "x;drop", "1st", ""])
def test_a_study_is_a_safe_database_name(study: str) -> None:
    with pytest.raises(ValidationError):
        Settings(study=study)


def test_a_password_is_never_shown() -> None:
    settings = Settings(clickhouse_password="hunter2", hf_token="hf_secret")  # type: ignore[arg-type]
    assert "hunter2" not in repr(settings)
    assert "hf_secret" not in str(settings)


NUMBERS = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float)]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e308", "-1", "9" * 4000])
def test_a_number_is_one_that_can_be_meant(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"GROUNDSWELL_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        Settings()


@pytest.mark.parametrize(
    "address",
    [
        *("", "clickhouse", "localhost:8123", "clickhouse://", "ftp://host", "http://[", "http://host:x"),
        *("clickhouse://host:99999", "clickhouse://ann:s3cret/x@host", "clickhouse://host:0"),
    ],
)
def test_an_address_of_clickhouse_is_one(address: str) -> None:
    with pytest.raises(ValidationError, match="clickhouse://user@host:8123") as raised:
        Settings(clickhouse=address)
    assert "s3cret" not in raised.value.errors()[0]["msg"]


@pytest.mark.parametrize("address", ["clickhouse://ann:pw@host", "https://host:8443", "embedded"])
def test_what_is_an_address_of_clickhouse_stays(address: str) -> None:
    assert Settings(clickhouse=address).clickhouse == address


def test_blobs_are_not_kept_in_memory() -> None:
    with pytest.raises(ValidationError, match="memory is lost when the process ends"):
        Settings(blobs="memory://talks")


def test_a_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"hunter 2\r\n")
    monkeypatch.setenv("GROUNDSWELL_CLICKHOUSE_PASSWORD_FILE", str(file))
    monkeypatch.setenv("GROUNDSWELL_CLICKHOUSE_PASSWORD", "")  # as compose passes on what is not set
    settings = load_settings(logs=False, home=str(tmp_path))
    assert settings.clickhouse_password.get_secret_value() == "hunter 2"
    assert Settings(clickhouse_password="argument").clickhouse_password.get_secret_value() == "argument"  # type: ignore[arg-type]
    secrets = [name for name, field in Settings.model_fields.items() if field.annotation is SecretStr]
    monkeypatch.delenv("GROUNDSWELL_CLICKHOUSE_PASSWORD_FILE")
    for name in secrets:
        monkeypatch.setenv(f"GROUNDSWELL_{name.upper()}_FILE", str(file))
    monkeypatch.setenv("GROUNDSWELL_BROKER_SASL", "PLAIN")
    monkeypatch.setenv("GROUNDSWELL_BROKER_USER", "groundswell")
    assert {getattr(Settings(), name).get_secret_value() for name in secrets} == {"hunter 2"}


@pytest.mark.parametrize(
    ("content", "value", "cause"),
    [
        (b"hunter2", "hunter3", "GROUNDSWELL_HF_TOKEN and GROUNDSWELL_HF_TOKEN_FILE are both set"),
        (None, "", "cannot be read (No such file or directory)"),
        (b"\n", "", "is empty"),
        (b"hunter2\xff", "", "is not text"),
        (b"hunter2" * 10_000, "", "has more than 65,536 bytes"),
    ],
)
def test_an_unusable_file_of_a_secret_names_cause_and_cure(
    content: bytes | None, value: str, cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("GROUNDSWELL_HF_TOKEN_FILE", str(file))
    monkeypatch.setenv("GROUNDSWELL_HF_TOKEN", value)
    with pytest.raises(Misconfigured) as refused:
        load_settings(logs=False, home=str(tmp_path))
    assert cause in refused.value.cause and "GROUNDSWELL_HF_TOKEN_FILE" in refused.value.cause
    assert refused.value.cure and "hunter" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"broker_ca": "ca.pem"}, "GROUNDSWELL_BROKER_CA is set, GROUNDSWELL_BROKER_TLS is not"),
        ({"broker_tls": True, "broker_key": "k"}, "GROUNDSWELL_BROKER_CERTIFICATE is not: set both"),
        ({"broker_sasl": "PLAIN", "broker_user": "me"}, "set all three, or none"),
        ({"broker_password": "hunter2"}, "set all three, or none"),
        ({"broker_token_url": "https://id.example.org/token"}, "TOKEN_URL go together"),
        ({"clickhouse_ca": "ca.pem"}, "is not an address with TLS"),
        ({"clickhouse": "clickhouses://db", "clickhouse_key": "k"}, "_CERTIFICATE is not: set both"),
    ],
)
def test_half_a_security_setting_is_refused(given: dict[str, Any], cause: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured) as refused:
        load_settings(logs=False, home=str(tmp_path), **given)
    assert cause in refused.value.cause and "hunter" not in str(refused.value)


def test_a_misspelt_variable_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    known = [f"GROUNDSWELL_{name.upper()}" for name in Settings.model_fields]
    of_others = ["GROUNDSWELL_TEST_DATA", "GROUNDSWELL_CHAOS_KILLS", "GROUNDSWELL_AUTHOR", "GROUNDSWELL"]
    assert variables.misspelt([*known, *(f"{name}_FILE" for name in known), *of_others]) == {}
    monkeypatch.setenv("GROUNDSWELL_POLL_INTERVALL_S", "60")
    load_settings(logs=False, home=str(tmp_path))
    assert capsys.readouterr().err == (
        "warning: GROUNDSWELL_POLL_INTERVALL_S is not a setting and has no effect; "
        "did you mean GROUNDSWELL_POLL_INTERVAL_S?\n"
    )
