"""Tests of transcript files: a talk's page links to every format, and a missing one is explained."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import studies
from page_process import client_of

from models.transcripts.transcript import Segment, Transcript, Word
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse
from streams.store.writer import write
from streams.talks.transcripts import key_of

VERSION = "faster-whisper-1.2-base--d-9ece8fe8"
TALK = studies.video("odd & id/1", "2025-03-04", duration_s=120.0)
WORDS = (Word(start=0.5, end=1.0, text="We"), Word(start=1.0, end=2.0, text=" did <it>."))
SAID = Transcript(
    language="en",
    language_probability=0.99,
    duration_s=120.0,
    segments=(Segment(start=0.5, end=2.0, text="We did <it>.", speaker="SPEAKER_00", words=WORDS),),
    made_by={"transcription": "faster-whisper"},
)


@pytest.fixture
def study(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="transcript_files")) as warehouse:
        warehouse.migrate()
        write(warehouse, studies.topic(1, "RAG", "Architecture", ("rag",)))
        write(warehouse, studies.talk(0, TALK, [(1, "We did it.")], transcript=VERSION))
        yield warehouse


async def test_each_format_is_a_file_that_the_page_leads_to(study: Warehouse) -> None:
    kept = SAID.model_dump_json().encode()
    Blobs(study.settings.blobs_url).put(key_of(TALK.video_id, VERSION), kept)
    async with client_of(study) as client:
        page = (await client.get("/talks/odd & id/1")).text
        for form, kind in {"txt": "text/plain", "vtt": "text/vtt", "srt": "application/x-subrip"}.items():
            address = f"/transcript.{form}?video_id=odd+%26+id%2F1"
            assert f'href="{address}"' in page
            answer = await client.get(address)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(kind)
            assert answer.headers["content-disposition"] == f'attachment; filename="odd-id-1.{form}"'
            assert "We did" in answer.text
        whole = await client.get("/transcript.json", params={"video_id": TALK.video_id})
        assert whole.content == kept, "byte for byte"


async def test_what_is_not_there_says_why(study: Warehouse) -> None:
    Blobs(study.settings.blobs_url).delete(key_of(TALK.video_id, VERSION))
    async with client_of(study) as client:
        unknown = await client.get("/transcript.vtt", params={"video_id": "nobody"})
        assert unknown.status_code == 404
        assert "with a transcript that counts" in unknown.text
        imported = await client.get("/transcript.vtt", params={"video_id": TALK.video_id})
        assert imported.status_code == 404
        assert "an imported study has no transcripts" in imported.text
        assert (await client.get("/transcript.doc", params={"video_id": TALK.video_id})).status_code == 422
