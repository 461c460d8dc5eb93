"""Addresses that a setting names: of ClickHouse and of the place for blobs. What is wrong is said at once."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

EMBEDDED = "embedded"
"""In this process, or started by it."""


def _clickhouse(address: str) -> str:
    try:
        parts = urlsplit(address)
        named = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:  # its words may show a password
        named = False
    is_one = named and parts.scheme in ("clickhouse", "clickhouses", "http", "https")
    if address != EMBEDDED and not is_one:
        raise ValueError('write it as "clickhouse://user@host:8123", or leave it unset')
    return address


def _blobs(url: str) -> str:
    if url.startswith("memory:"):
        raise ValueError("memory is lost with the process: name a folder or s3://bucket/prefix")
    return url


ClickHouseAddress = Annotated[str, AfterValidator(_clickhouse)]
BlobsAddress = Annotated[str, AfterValidator(_blobs)]
