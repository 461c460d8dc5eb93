"""Validated types of the settings that name addresses: of ClickHouse and of the blob store."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

EMBEDDED = "embedded"
"""The service runs in this process, or is started by it."""


def with_tls(clickhouse: str) -> bool:
    """Return whether the address of a ClickHouse server is one with TLS.

    Example:
        >>> with_tls("clickhouses://me@db.example.org"), with_tls("clickhouse://db:8123")
        (True, False)
    """
    return urlsplit(clickhouse).scheme in ("clickhouses", "https")


def _clickhouse(address: str) -> str:
    try:
        parts = urlsplit(address)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # its message may show a password
        named = False
    is_one = named and parts.scheme in ("clickhouse", "clickhouses", "http", "https")
    if address != EMBEDDED and not is_one:
        raise ValueError('write it as "clickhouse://user@host:8123", or leave it unset')
    return address


def _blobs(url: str) -> str:
    if url.startswith("memory:"):
        raise ValueError("memory is lost when the process ends: name a folder or s3://bucket/prefix")
    return url


ClickHouseAddress = Annotated[str, AfterValidator(_clickhouse)]
BlobsAddress = Annotated[str, AfterValidator(_blobs)]
