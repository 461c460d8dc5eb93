"""Settings that say where a study is: its name, its folder, and its Kafka, ClickHouse and blob store.

`streams.settings` adds what the study does.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal, Self

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from streams import addresses
from streams.secret_files import SecretFiles

EMBEDDED = addresses.EMBEDDED
RESERVED_STUDIES = frozenset({"default", "system", "information_schema"})


def _http(address: str) -> str:
    if address and not re.fullmatch(r"https?://\S+", address):
        raise ValueError("it is not an address that begins with http:// or https://")
    return address


HttpAddress = Annotated[str, AfterValidator(_http)]
"""An address with its scheme, or an empty text."""


class Connections(BaseSettings):
    """Where a study is. Immutable, because a process reads its settings once."""

    model_config = SettingsConfigDict(
        env_prefix="GROUNDSWELL_", frozen=True, extra="ignore", allow_inf_nan=False
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the files of secrets, then the environment."""
        return init_settings, SecretFiles(settings_cls), env_settings

    study: str = Field(
        "main",
        description="Name of the study: database name and topic prefix. It has one model and one codebook.",
    )
    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("groundswell"),
        description="Folder of the embedded database, blobs and assembled models.",
    )
    broker: str = Field(
        EMBEDDED,
        description="`embedded` starts a Tansu child process; `host:port[,host:port]` connects to Kafka.",
    )
    broker_tls: bool = Field(
        False, description="Encrypt connections to Kafka (TLS), and verify the certificates of its brokers."
    )
    broker_ca: str = Field(
        "",
        description="File of the certificate authorities (PEM) that Kafka's certificates are verified with. "
        "Empty: those of this machine.",
    )
    broker_certificate: str = Field(
        "", description="File of this client's certificate for Kafka (PEM), if the brokers ask for one."
    )
    broker_key: str = Field(
        "",
        description="File of that certificate's private key (PEM). Empty: it is in the certificate's file.",
    )
    broker_key_password: SecretStr = Field(
        SecretStr(""), description="Password of that private key, if it is encrypted."
    )
    broker_sasl: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        "", description="SASL mechanism by which this client logs in to Kafka. Empty: none."
    )
    broker_user: str = Field(
        "",
        description="User of Kafka, with `GROUNDSWELL_BROKER_SASL`; with `OAUTHBEARER`, the id of the "
        "OAuth client.",
    )
    broker_password: SecretStr = Field(
        SecretStr(""),
        description="Password of that user, or secret of that client. Without TLS, `PLAIN` sends it "
        "unencrypted.",
    )
    broker_token_url: HttpAddress = Field(
        "",
        description="OAuth 2.0 token endpoint of the identity provider, with `OAUTHBEARER`.",
    )
    broker_token_scope: str = Field(
        "", description="Scope of the access tokens, if the identity provider wants one."
    )
    clickhouse: addresses.ClickHouseAddress = Field(
        EMBEDDED,
        description="`embedded` runs chDB in this process; `clickhouse://user@host:8123` is a server, "
        "`clickhouses://user@host:8443` one with TLS.",
    )
    clickhouse_password: SecretStr = Field(SecretStr(""), description="Password of the ClickHouse user.")
    clickhouse_ca: str = Field(
        "",
        description="File of the certificate authorities (PEM) that ClickHouse's certificate is verified "
        "with. Empty: those that Python packages trust.",
    )
    clickhouse_certificate: str = Field(
        "",
        description="File of this client's certificate for ClickHouse (PEM). Without a password, the "
        "certificate is what the user logs in with.",
    )
    clickhouse_key: str = Field(
        "",
        description="File of that certificate's private key (PEM). Empty: it is in the certificate's file.",
    )
    blobs: addresses.BlobsAddress = Field(
        "",
        description="fsspec URL of the store for audio and artefacts (a folder or `s3://bucket/prefix`). "
        "Empty: a folder under `GROUNDSWELL_HOME`.",
    )
    partitions: int = Field(
        4,
        ge=1,
        le=256,
        description="Partitions of the Kafka topics upstream of `track`; the embedded broker uses one.",
    )
    replication: int = Field(
        0, ge=0, le=32, description="Copies of each Kafka topic; 0: 3, or one per broker if there are fewer."
    )

    @field_validator("study")
    @classmethod
    def _is_a_name(cls, study: str) -> str:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", study, re.ASCII):
            raise ValueError(
                f"{study[:80]!r} is not a valid name: use up to 41 of a-z, 0-9 and _, the first one a letter"
            )
        if study in RESERVED_STUDIES:
            raise ValueError(
                f"{study!r} is the name of a ClickHouse system database: choose another name for the study"
            )
        return study

    @model_validator(mode="after")
    def _broker_is_whole(self) -> Self:
        files = {"CA": self.broker_ca, "CERTIFICATE": self.broker_certificate, "KEY": self.broker_key}
        named = [f"GROUNDSWELL_BROKER_{name}" for name, path in files.items() if path]
        if named and not self.broker_tls:
            raise ValueError(f"{named[0]} is set, GROUNDSWELL_BROKER_TLS is not: set it to true")
        if self.broker_key and not self.broker_certificate:
            raise ValueError("GROUNDSWELL_BROKER_KEY is set, GROUNDSWELL_BROKER_CERTIFICATE is not: set both")
        logs_in = bool(self.broker_user), bool(self.broker_password.get_secret_value())
        if logs_in != (bool(self.broker_sasl),) * 2:
            raise ValueError(
                "GROUNDSWELL_BROKER_SASL, GROUNDSWELL_BROKER_USER and GROUNDSWELL_BROKER_PASSWORD go "
                "together: set all three, or none"
            )
        if (self.broker_sasl == "OAUTHBEARER") != bool(self.broker_token_url):
            raise ValueError(
                "GROUNDSWELL_BROKER_SASL=OAUTHBEARER and GROUNDSWELL_BROKER_TOKEN_URL go together: "
                "set both, or neither"
            )
        return self

    @model_validator(mode="after")
    def _clickhouse_is_whole(self) -> Self:
        files = {
            "CA": self.clickhouse_ca,
            "CERTIFICATE": self.clickhouse_certificate,
            "KEY": self.clickhouse_key,
        }
        named = [f"GROUNDSWELL_CLICKHOUSE_{name}" for name, path in files.items() if path]
        if named and not addresses.with_tls(self.clickhouse):
            raise ValueError(
                f"{named[0]} is set, but GROUNDSWELL_CLICKHOUSE is not an address with TLS: "
                'write it as "clickhouses://user@host:8443"'
            )
        if self.clickhouse_key and not self.clickhouse_certificate:
            raise ValueError(
                "GROUNDSWELL_CLICKHOUSE_KEY is set, GROUNDSWELL_CLICKHOUSE_CERTIFICATE is not: set both"
            )
        return self

    @property
    def embedded_broker(self) -> bool:
        """Whether this process starts its own broker."""
        return self.broker == EMBEDDED

    @property
    def embedded_clickhouse(self) -> bool:
        """Whether ClickHouse is chDB in this process."""
        return self.clickhouse == EMBEDDED

    @property
    def study_home(self) -> Path:
        """Folder of everything this study keeps on this machine."""
        return self.home / "studies" / self.study

    @property
    def blobs_url(self) -> str:
        """fsspec URL of the study's blobs."""
        return f"{self.blobs.rstrip('/')}/{self.study}" if self.blobs else str(self.study_home / "blobs")

    @property
    def front_partitions(self) -> int:
        """Number of partitions of the topics upstream of `track`."""
        return 1 if self.embedded_broker else self.partitions

    @property
    def database_folder(self) -> Path:
        """Folder of the embedded ClickHouse."""
        return self.study_home / "clickhouse"

    @property
    def lock_file(self) -> Path:
        """Lock file of the process that has the embedded database open (`streams.store.process_lock`)."""
        return self.study_home / "clickhouse.lock"

    @property
    def answers_file(self) -> Path:
        """What the embedded database last answered; in its folder, because the two belong together."""
        return self.database_folder / "answers.json"

    @property
    def running_file(self) -> Path:
        """File that `run` and `web` write while they serve: {pid, url, broker}."""
        return self.study_home / "running.json"
