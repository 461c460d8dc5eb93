"""Tests of the draft notice: a talk shown with its captions is marked as a draft until it is transcribed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import studies
from page_process import client_of

from streams.settings import Settings
from streams.store.warehouse import Warehouse
from streams.store.writer import write

TALK = studies.video("draft000001", "2025-03-04", duration_s=120.0)
NOTICE = "The text below is a draft from captions written by people"


@pytest.fixture
def study(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="draft_on_page")) as warehouse:
        warehouse.migrate()
        write(warehouse, studies.topic(1, "RAG", "Architecture", ("rag",)))
        yield warehouse


@pytest.mark.long
async def test_captions_are_marked_as_a_draft_until_transcription(study: Warehouse) -> None:
    write(study, studies.talk(0, TALK, [(1, "As captioned.")], transcript="draft-captions-1-00828e789e9d"))
    async with client_of(study) as client:
        page = (await client.get("/talks/draft000001")).text
        assert NOTICE in page
        assert "As captioned." in page
        assert "has not learned it yet" not in page
        assert "draft-captions-1 (1 talk)" in (await client.get("/system")).text

    write(study, studies.talk(1, TALK, [(1, "As heard.")], transcript="faster-whisper-1.2-base--d-9ece8fe8"))
    async with client_of(study) as client:
        page = (await client.get("/talks/draft000001")).text
        assert NOTICE not in page
        assert "As heard." in page
        assert "As captioned." not in page
