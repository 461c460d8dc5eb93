"""Captions first, then the real speech models: the talk counts once, by its transcript from audio."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agents.consumer.consumer import Agent, Position
from agents.storage.store import Store
from agents.topics.split import Split
from agents.topics.track import Track
from agents.transcription.transcribe import Transcribe
from models.bundled_models import PackagedModels
from models.codebook.codebook import load
from models.embedding.embedder import Embedder
from models.speech.transcriber import SpeechModels
from models.topics import TopicSettings
from streams.events import AudioStored, Event, Video, VideoAccepted
from streams.kafka.topics import TOPIC_OF
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store.queries import prevalence
from streams.store.queries.corpus import corpus
from streams.store.talks import search, talk_queries, talks
from streams.store.warehouse import Warehouse
from streams.talks.caption_drafts import is_draft
from tests.processes import AUDIO

pytestmark = [pytest.mark.speech, pytest.mark.long]

RECORDING = AUDIO / "2025-03-13-three-graders.ogg"
ABOUT = json.loads(RECORDING.with_suffix(".json").read_text())
VIDEO = Video(
    **{name: ABOUT[name] for name in ("title", "published_at", "duration_s")}, video_id="abcdefghijk"
)


class Study:
    """Transcribe, split, track and store, each handed the events of the ones before it."""

    def __init__(self, blobs: Blobs, agents: Sequence[Agent]) -> None:
        self.blobs = blobs
        self.agents = agents
        self.said: list[Event] = []

    async def tell(self, *events: Event) -> None:
        """Let every agent that reads an event handle it, until no agent emits another."""
        waiting = list(events)
        while waiting:
            event = waiting.pop(0)
            self.said.append(event)
            topic = TOPIC_OF[type(event)]
            for agent in (each for each in self.agents if topic in each.reads):
                offset = sum(TOPIC_OF[type(each)] is topic for each in self.said) - 1
                waiting += await agent.handle(event, Position("log", topic.name, 0, offset))
                waiting += await agent.commit()


@pytest.fixture
def warehouse(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="caption_drafts")) as warehouse:
        yield warehouse


@pytest.fixture
async def study(
    warehouse: Warehouse, tmp_path: Path, speech: SpeechModels, packaged_models: PackagedModels
) -> Any:
    blobs = Blobs(str(tmp_path / "blobs"))
    embedder = Embedder(packaged_models.embedding, "cpu", 1, max_tokens=300)
    settings = Settings(home=tmp_path, threads=1)
    agents: tuple[Agent, ...] = (
        Transcribe(settings, blobs, lambda: speech, tmp_path),
        Split(blobs, embedder),
        Track(blobs, load("llm-in-production"), embedder, TopicSettings()),
        Store(warehouse, blobs),
    )
    study = Study(blobs, agents)
    seeded = [event for agent in agents for event in await agent.start()]
    await study.tell(*seeded, VideoAccepted(video=VIDEO))
    yield study
    for agent in agents:
        await agent.stop()


def captions() -> bytes:
    """Return captions as people write them: the recording's script, and a word that nobody says in it."""
    lines = RECORDING.with_suffix(".txt").read_text().splitlines()
    lines.append("As captioned by Zebulon.")
    cues = (f"00:{at}0.000 --> 00:{at}9.000\n{line}\n" for at, line in enumerate(lines))
    return "\n".join(("WEBVTT\nLanguage: en\n", *cues)).encode()


async def test_what_is_heard_replaces_the_draft_and_counts_once(study: Study, warehouse: Warehouse) -> None:
    draft = AudioStored(video=VIDEO, captions=study.blobs.put("captions/a.vtt", captions()), draft=True)
    await study.tell(draft)
    by_captions = [row["topic_id"] for row in prevalence.topics(warehouse) if row["videos"]]
    assert by_captions
    known = talks.talk(warehouse, VIDEO.video_id)
    assert known is not None
    assert known["state"] == "accepted"  # its recording is still to come
    assert VIDEO.video_id not in talk_queries.finished_videos(warehouse)
    assert search.search(warehouse, "Zebulon")["quotes"]

    audio = study.blobs.put(f"audio/a{RECORDING.suffix}", RECORDING.read_bytes())
    await study.tell(AudioStored(video=VIDEO, audio=audio))
    known = talks.talk(warehouse, VIDEO.video_id)
    assert known is not None
    assert known["state"] == "assigned"
    assert [(is_draft(row["transcript_version"]), row["counts"]) for row in known["transcripts"]] == [
        (True, False),
        (False, True),
    ]
    assert {row["videos"] for row in prevalence.topics(warehouse) if row["videos"]} == {1}
    assert corpus(warehouse)["kept"] == 1
    assert not search.search(warehouse, "Zebulon")["quotes"]

    counted, said = prevalence.topics(warehouse), len(study.said)
    await study.tell(draft)  # an old message that comes again
    assert len(study.said) == said + 1
    assert prevalence.topics(warehouse) == counted
