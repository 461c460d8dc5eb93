"""Fixtures of the ingestion tests: a YouTube on this machine, and clients of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streams.youtube.client import YouTube
from tests.loopback_youtube import LoopbackYouTube


@pytest.fixture
def loopback() -> Iterator[LoopbackYouTube]:
    with LoopbackYouTube() as loopback:
        yield loopback


@pytest.fixture
def youtube(loopback: LoopbackYouTube) -> YouTube:
    return YouTube(proxy=loopback.proxy, insecure_tls=True)
