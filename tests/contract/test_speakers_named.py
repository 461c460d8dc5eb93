"""Speaker names: after a person names a speaker once, quotes, files and numbers use the name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from event_factories import MODEL, numbers, seen, topic, video
from typer.testing import CliRunner, Result

from agents.cli import app
from models.transcripts.transcript import Transcript
from streams import events as e
from streams.logs.corrections import Corrections
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import writer
from streams.store.codebook.speaker_names import named
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.talks.paragraphs import paragraphs
from streams.store.talks.talk_queries import quotes
from streams.store.warehouse import Warehouse
from streams.talks.transcripts import key_of
from tests import talk_transcripts
from tests.conftest import Hold
from tests.talk_transcripts import COUGH, GUEST, HOST

SHOW = "Night Deploys"


def transcript(*spoken: tuple[str, str], diarization: str = "d-1") -> Transcript:
    """Return a transcript of (speaker, text) segments of nine seconds each."""
    timed = [(speaker, 10.0 * at, 10.0 * at + 9, text) for at, (speaker, text) in enumerate(spoken)]
    return talk_transcripts.transcript(*timed, diarization=diarization)


class Listener:
    """A user at the command line of a study that is not running, with talks of a show."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> None:
        self.settings = Settings(home=home, study=f"speakers_{next(numbers)}")
        self.blobs = Blobs(self.settings.blobs_url)
        monkeypatch.setenv("GROUNDSWELL_HOME", str(home))
        monkeypatch.setenv("GROUNDSWELL_STUDY", self.settings.study)
        monkeypatch.setenv("GROUNDSWELL_AUTHOR", "ann")
        monkeypatch.setenv("COLUMNS", "300")
        hold(self.settings)
        self.happens(topic(1))

    def happens(self, *events: e.Event) -> None:
        with Warehouse(self.settings) as warehouse:
            writer.write(warehouse, [row for event in events for row in writer.rows_of(event)])

    def heard(
        self, video_id: str, said: Transcript, version: str = "w-1", show: str = SHOW, step: int = 1
    ) -> None:
        """Write a talk that was transcribed, split into one paragraph, and learned."""
        of = video(video_id).model_copy(update={"channel": show, "channel_id": "", "show": show})
        blob = self.blobs.put(key_of(video_id, version), said.model_dump_json().encode())
        about = {"language": "en", "duration_s": said.duration_s, "words": said.words_total, "speakers": 2}
        ready = e.TranscriptReady(video=of, transcript=blob, transcript_version=version, **about)
        self.happens(seen(of), e.VideoAccepted(video=of), ready)
        place = e.paragraph_id(video_id, version, 0)
        speakers = list(dict.fromkeys(str(segment.speaker) for segment in said.segments))
        row = writer.paragraph_row(
            video_id,
            version,
            0,
            paragraph_id=place,
            start_s=0.0,
            end_s=30.0,
            text="said",
            speakers=speakers,
            tokens=5,
        )
        with Warehouse(self.settings) as warehouse:
            writer.write(warehouse, [row])
        assigned = e.AssignedParagraph(paragraph_id=place, topic_id=1, probability=0.5)
        self.happens(
            e.ParagraphsAssigned(
                video=of,
                video_index=step,
                model_version=MODEL,
                transcript_version=version,
                sequence=step,
                assignments=(assigned,),
            )
        )

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(app, list(words))

    def asks(self, *words: str) -> Any:
        answer = self.types(*words, "--json")
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    def speakers(self, video_id: str) -> dict[str, dict[str, Any]]:
        return {row["speaker"]: row for row in self.asks("videos", "speakers", video_id)["speakers"]}

    def read(self, view: Any, *arguments: Any, **more: Any) -> Any:
        with Warehouse(self.settings) as warehouse:
            return view(warehouse, *arguments, **more)


@pytest.fixture
def listener(chdb_home: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> Listener:
    listener = Listener(chdb_home, monkeypatch, hold)
    first = transcript(
        (HOST, "Hello, my name is Ann Lee. Please welcome Bo Berg."), (GUEST, "Hello there."), (COUGH, "Hm.")
    )
    listener.heard(
        "first",
        first.model_copy(
            update={"voices": (*first.voices[:2], first.voices[2].model_copy(update={"heard_s": 0.8}))}
        ),
    )
    return listener


def test_speakers_are_shown_with_introductions_and_doubts(
    listener: Listener,
) -> None:
    found = listener.speakers("first")
    assert [offer["name"] for offer in found[HOST]["offers"]] == ["Ann Lee"]
    assert [offer["name"] for offer in found[GUEST]["offers"]] == ["Bo Berg"]
    assert (found[HOST]["words"], found[HOST]["heard_s"], found[HOST]["doubt"]) == (10, 9.0, "")
    assert found[COUGH]["doubt"] == "perhaps nobody: 1 word, 0.8 s"
    said = listener.types("videos", "speakers", "first").stdout
    assert "SPEAKER_00  (no name)  0.1 min, 10 words" in said
    assert "perhaps Ann Lee at 0:00: “Hello, my name is Ann Lee" in said
    assert "to name a speaker: groundswell videos name first SPEAKER NAME" in said


@pytest.mark.long
def test_a_speakers_name_is_everywhere_until_it_is_taken_back(listener: Listener) -> None:
    done = listener.types("videos", "name", "first", "speaker_00", "Ann Lee", "--reason", "she says so")
    assert done.exit_code == 0, done.output
    assert "named: SPEAKER_00 of first" in done.stderr
    assert "(undo: groundswell videos unname first SPEAKER_00)" in done.stderr
    assert listener.speakers("first")[HOST] | {"doubt": ""} == listener.speakers("first")[HOST]
    assert (listener.speakers("first")[HOST]["name"], listener.speakers("first")[HOST]["offers"]) == (
        "Ann Lee",
        [],
    )
    names = ["Ann Lee", GUEST, COUGH]
    assert [row["speakers"] for row in listener.read(paragraphs, "first")] == [names]
    assert [row["speakers"] for row in listener.read(quotes, 1)] == [names]
    by_ann = Selection(speaker="Ann Lee")
    assert listener.read(prevalence.months, by_ann) == [{"month": "2025-03", "of_videos": 1}]
    assert listener.read(prevalence.months, Selection(speaker=HOST)) == []
    assert "Ann Lee: Hello, my name is" in listener.types("transcript", "first").stdout
    assert "<v Ann Lee>" in listener.types("transcript", "first", "--format", "vtt").stdout
    told = listener.types("videos", "corrections").stdout
    assert "SPEAKER_00 named Ann Lee by ann: she says so" in told

    again = listener.types("videos", "name", "first", "Ann Lee", "Ann Lee")
    assert "named so already" in again.stderr
    assert listener.types("videos", "unname", "first", "ann lee").exit_code == 0
    assert [row["speakers"] for row in listener.read(paragraphs, "first")] == [[HOST, GUEST, COUGH]]
    assert listener.read(prevalence.months, by_ann) == []
    assert "there is none to remove" in listener.types("videos", "unname", "first", HOST).stderr
    assert [event.name for event in Corrections(listener.blobs).events()] == ["Ann Lee", ""]
    assert "name of SPEAKER_00 removed" in listener.types("videos", "corrections").stdout


@pytest.mark.long
def test_two_speakers_who_are_one_person_count_as_one(listener: Listener) -> None:
    for speaker in (GUEST, COUGH):
        assert listener.types("videos", "name", "first", speaker, "Bo Berg").exit_code == 0
    assert [row["speakers"] for row in listener.read(paragraphs, "first")] == [[HOST, "Bo Berg"]]
    many = listener.types("videos", "unname", "first", "Bo Berg")
    assert many.exit_code == 2
    assert "several speakers are called 'Bo Berg'" in many.output


@pytest.mark.long
def test_a_named_voice_is_offered_only_within_its_source(
    listener: Listener,
) -> None:
    listener.heard("second", transcript((GUEST, "Hi."), (HOST, "Welcome back.")), step=2)
    listener.heard("elsewhere", transcript((HOST, "Hi.")), show="Another show", step=3)
    listener.heard("other model", transcript((HOST, "Hi."), diarization="d-2"), step=4)
    assert listener.speakers("second")[HOST]["offers"] == []
    assert listener.types("videos", "name", "first", HOST, "Ann Lee").exit_code == 0
    (offer,) = listener.speakers("second")[HOST]["offers"]
    assert offer == {"name": "Ann Lee", "why": "sounds like Ann Lee in first (1.00)", "start": None}
    assert listener.speakers("second")[GUEST]["offers"] == []
    assert listener.speakers("elsewhere")[HOST]["offers"] == []
    assert listener.speakers("other model")[HOST]["offers"] == []
    assert [row["speakers"] for row in listener.read(paragraphs, "second")] == [[GUEST, HOST]], (
        "never by itself"
    )


def test_a_name_belongs_to_its_transcript(listener: Listener) -> None:
    assert listener.types("videos", "name", "first", HOST, "Ann Lee").exit_code == 0
    listener.heard("first", transcript((GUEST, "Hello."), (HOST, "Hi.")), version="w-2", step=2)
    assert [row["speakers"] for row in listener.read(paragraphs, "first")] == [[GUEST, HOST]]
    (offer,) = listener.speakers("first")[HOST]["offers"] or [{"name": "none"}]
    assert offer["name"] == "none", "only other talks are compared"
    rows = [
        {"video_id": "first", "transcript_version": version, "speakers": [HOST]} for version in ("w-1", "w-2")
    ]
    assert [row["speakers"] for row in listener.read(named, rows)] == [["Ann Lee"], [HOST]]


WRONG = [
    (("speakers", "nobody"), "there is no talk 'nobody'"),
    (("name", "first", "SPEAKER_09", "Ann"), "no speaker of the transcript is called 'SPEAKER_09'"),
    (("name", "first", HOST, " "), "the name is empty"),
    (("name", "first", HOST, "A\x07nn"), "the name"),
    (("name", "first", HOST, "x" * 400), "the name"),
]


def test_what_is_wrong_is_said_and_changes_nothing(listener: Listener) -> None:
    for words, cause in WRONG:
        answer = listener.types("videos", *words)
        assert answer.exit_code == 2, answer.output
        assert cause in answer.output
        assert Corrections(listener.blobs).events() == []
