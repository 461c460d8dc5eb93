"""Settings: from the environment, checked, with errors a person can act on."""

import pytest
from pydantic import ValidationError

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
