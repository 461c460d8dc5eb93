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
