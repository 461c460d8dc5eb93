"""Tests of the speakers' page: links to the sound of each speaker, and naming speakers."""

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import studies
from page_process import client_of
from signed_in import csrf_in, signed_in, token_of
from studies import SCRIPT

from agents.queries.registry import VIEWS
from streams.settings import Settings
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.warehouse import Warehouse
from streams.store.writer import write
from tests.talk_transcripts import COUGH, GUEST, HOST, SPOKEN, keep, transcript

pytestmark = pytest.mark.long

VERSION = "faster-whisper-1.2-base--d-1"
TALK = studies.video("odd & id/1", "2025-03-04", duration_s=120.0, speakers=(HOST, GUEST))
ALONE = studies.video("alone", "2025-03-05", duration_s=120.0)
WHERE = "/curation/speakers?video_id=odd+%26+id%2F1"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Return the settings of a study with two transcribed talks, which no test changes."""
    settings = Settings(home=tmp_path_factory.mktemp("heard"), study="speakers_page")
    with Warehouse(settings) as warehouse:
        warehouse.migrate()
        write(warehouse, studies.topic(1, "RAG", "Architecture", ("rag",)))
        for index, of in enumerate((TALK, ALONE)):
            write(warehouse, studies.talk(index, of, [(1, "We did it.")], transcript=VERSION))
        keep(warehouse, TALK.video_id, VERSION, transcript(*SPOKEN))
        keep(warehouse, ALONE.video_id, VERSION, transcript((None, 0.0, 9.0, "Who am I?")))
    return settings


@pytest.fixture
def study(heard: Settings, tmp_path: Path) -> Iterator[Warehouse]:
    """Yield a separate copy of the study for each test."""
    shutil.copytree(heard.home, tmp_path / "home", symlinks=True)
    with Warehouse(heard.model_copy(update={"home": tmp_path / "home"})) as warehouse:
        yield warehouse


@pytest.fixture
async def ottilie(study: Warehouse) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(study) as client:
        yield client


async def name(client: httpx.AsyncClient, speaker: str, name: str, **more: str) -> httpx.Response:
    word = csrf_in((await client.get("/account")).text)
    sent = {"csrf": word, "video_id": TALK.video_id, "speaker": speaker, "name": name}
    return await client.post("/curation/speakers", data=sent | more)


def plain(answer: httpx.Response) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", answer.text))


async def test_who_reads_is_asked_to_sign_in_and_sees_no_way_to_it(study: Warehouse) -> None:
    async with client_of(study) as client:
        answer = await client.get(WHERE)
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/login?next=%2Fcuration%2Fspeakers%3Fvideo_id")
        assert "/curation/speakers" not in (await client.get("/talks/odd & id/1")).text
        assert (await client.get("/curation/speakers")).headers["Location"] == "/talks"
        assert (await client.post("/curation/speakers", data={"video_id": "x"})).status_code in (401, 403)


async def test_each_speaker_is_shown_with_sound_and_suggested_names(
    ottilie: httpx.AsyncClient,
) -> None:
    assert f'href="{WHERE}"' in (await ottilie.get("/talks/odd & id/1")).text
    answer = await ottilie.get(WHERE)
    said = plain(answer)
    assert re.findall(r"<h2><bdi>(\w+)", answer.text) == [GUEST, HOST, COUGH], "who speaks most comes first"
    assert "24 s, 10 words. Hear SPEAKER_00 at 0:04" in said, "their longest stretch"
    assert "Perhaps Ann Lee : “Hello, my name is Ann Lee" in said
    assert "Yes, it is Bo Berg" in said
    assert "Perhaps nobody: 1 word, 0.8 s" in said


async def test_similar_voices_are_named_by_the_transcripts_own_names(
    ottilie: httpx.AsyncClient, study: Warehouse
) -> None:
    said = transcript(*SPOKEN[:3])
    alike = said.voices[0].embedding
    voices = tuple(each.model_copy(update={"embedding": alike}) for each in said.voices)
    keep(study, TALK.video_id, VERSION, said.model_copy(update={"voices": voices}))
    assert "Perhaps SPEAKER_01 as well: they sound alike (1.00)" in plain(await ottilie.get(WHERE))


async def test_a_name_is_given_and_taken_back(ottilie: httpx.AsyncClient, study: Warehouse) -> None:
    answer = await name(ottilie, HOST, "Ann Lee", reason="she says so")
    assert (answer.status_code, answer.headers["Location"]) == (303, WHERE)
    assert "Ann Lee SPEAKER_00 in the transcript." in plain(await ottilie.get(WHERE))
    assert "Ann Lee" in plain(await ottilie.get("/talks/odd & id/1"))
    assert "SPEAKER_00 is Ann Lee , by Ottilie : she says so" in plain(await ottilie.get("/history"))
    by_ann = Selection(speaker="Ann Lee")
    assert prevalence.months(study, by_ann) == [{"month": "2025-03", "of_videos": 1}]
    again = await name(ottilie, "ann lee", "Ann Lee")
    assert again.status_code == 409
    assert "named so already" in again.text
    assert (await name(ottilie, HOST, "")).status_code == 303
    assert prevalence.months(study, by_ann) == []
    assert "there is none to remove" in plain(await name(ottilie, HOST, " "))


@pytest.mark.parametrize(
    ("speaker", "called", "cause"),
    [
        (HOST, "A\x07nn", "the name"),
        (HOST, "x" * 400, "the name"),
        ("SPEAKER_09", "Ann", "no speaker of the transcript is called"),
    ],
)
async def test_what_cannot_be_a_name_is_said_and_stays_in_its_field(
    ottilie: httpx.AsyncClient, study: Warehouse, speaker: str, called: str, cause: str
) -> None:
    answer = await name(ottilie, speaker, called)
    assert answer.status_code == 422
    assert cause in answer.text
    assert (f'value="{called}"' in answer.text) == (speaker == HOST)
    assert VIEWS["corrections"](study) == []


async def test_a_name_that_means_harm_is_text(ottilie: httpx.AsyncClient) -> None:
    assert (await name(ottilie, HOST, SCRIPT)).status_code == 303
    for path in (WHERE, "/talks/odd & id/1", "/history"):
        assert SCRIPT not in (await ottilie.get(path)).text


async def test_a_transcript_that_tells_nobody_apart_says_what_to_do(ottilie: httpx.AsyncClient) -> None:
    answer = await ottilie.get("/curation/speakers", params={"video_id": "alone"})
    assert "The transcript has no speakers" in answer.text
    unknown = await ottilie.get("/curation/speakers", params={"video_id": "nobody"})
    assert unknown.status_code == 422
    assert "there is no talk" in unknown.text


async def test_a_program_names_speakers_as_well(study: Warehouse) -> None:
    async with client_of(study) as client:
        wanted = {"video_id": TALK.video_id, "speaker": GUEST, "name": "Bo Berg"}
        assert (await client.post("/api/talks/name", json=wanted)).status_code == 401
        client.headers["Authorization"] = f"Bearer {token_of(study, 'robot')}"
        answer = await client.post("/api/talks/name", json=wanted)
        assert answer.json() == {
            "said": "named: SPEAKER_01 of odd & id/1 “Talk odd & id/1” is Bo Berg from now on",
            "changed": True,
        }
        assert (await client.post("/api/talks/name", json=wanted)).json()["changed"] is False
        assert (await client.post("/api/talks/name", json=wanted | {"speaker": "x"})).status_code == 422
        (row,) = VIEWS["corrections"](study)
        assert (row["speaker"], row["name"], row["author"]) == (GUEST, "Bo Berg", "robot")
