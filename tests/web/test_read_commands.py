"""Tests of reading commands: equal output whether the study runs or not, without control sequences."""

import json
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import examples
import pytest
import studies
from typer.testing import CliRunner

from agents.cli import app, asking
from models.transcripts.transcript import Segment, Transcript
from streams import events as e
from streams.errors import Misconfigured
from streams.events import Source
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.sources import Sources, source_id
from streams.store.warehouse import Warehouse
from streams.store.writer import rows_of, write
from streams.talks.transcripts import key_of
from tests.processes import Study

ESCAPES = "\x1b[2J\x1b]0;owned\x07 \x9b31m\x08\x00 harmless"
"""Clears a terminal, renames it and colours what follows; in a browser it is nothing."""
OBEYED = re.compile(r"[^\n\t\x20-\x7e\xa0-\U0010ffff]|[\u202a-\u202e]")
"""What a terminal takes for a command, or turns the line around it."""
ODD = "odd"
LETTER = examples.OPEN_LETTER[:12]
READING = (
    "status",
    "themes --from 2025-01 --to 2025-06",
    "topics",
    "topics show 1",
    "topics genealogy",
    "emerging",
    "boilerplate",
    "prevalence",
    "prevalence --basis minutes --standard length",
    "mix",
    "cooccurrence",
    "videos list",
    "videos show odd",
    "videos waiting",
    "videos corrections",
    "videos speakers odd",
    "transcript odd --format vtt",
    "transcript odd --format txt",
    "codebook show",
    "codebook history",
    "codebook agreement",
    "codebook doubtful --limit 3",
    "codebook small-talk",
    "validate show",
    "validate sheet",
    "review queue",
    "review next --reviewer ann",
    "review agreement",
    "sources list",
    "dead-letters list",
    f"dead-letters show {LETTER}",
    "alerts list",
    "alerts rules",
    "alerts deliveries",
    "alerts digest",
    "curators list",
    "report --from 2025-01 --to 2025-06",
)
WITHOUT_JSON = ("transcript", "alerts digest", "curators", "validate sheet")
"""Commands whose answer is a text."""
ELSEWHERE = {
    "glossary check": "asks no study (tests/unit/test_glossary.py)",
    "glossary try": "asks no study",
    "sources check": "asks the source (tests/ingestion/test_sources.py)",
    "codebook suggest": "loads a model (tests/contract/test_curated.py)",
}
"""Commands that read, tested at another place."""


class Said(NamedTuple):
    code: int
    out: str
    err: str


class Both(NamedTuple):
    environment: dict[str, str]
    idle: dict[str, Said]
    running: dict[str, Said]


def hostile(warehouse: Warehouse) -> None:
    """Write a talk, a topic, an alert, a decision and a dead letter with an attack in every text."""
    bad = {"title": ESCAPES, "show": ESCAPES, "channel": ESCAPES, "speakers": (ESCAPES,)}
    of = studies.video(ODD, "2025-03-30", url=f"https://example.org/{ESCAPES}", description=ESCAPES, **bad)
    rows = [*studies.talk(7, of, [(1, ESCAPES), (2, ESCAPES)])]
    waits = studies.video("odd-waits", "2025-04-01", description=ESCAPES, **bad)
    of_model = {"model_version": studies.MODEL}
    relevance = e.Relevance(score=0.99, talk_kind="experience report", reasons=(ESCAPES,), model="m")
    events: list[e.Event] = [
        e.TopicLabelled(
            **of_model, topic_id=2, sequence=8, label=ESCAPES, words=((ESCAPES, 1.0),), by=ESCAPES
        ),
        e.AlertRaised(
            rule="lag",
            model_version="",
            topic_id=None,
            title=ESCAPES,
            reason=ESCAPES,
            raised_at=examples.TODAY,
        ),
        e.AlertRaised(
            **of_model,
            rule="emergence",
            topic_id=2,
            title=ESCAPES,
            reason=ESCAPES,
            raised_at=examples.TODAY,
            video_ids=(ODD,),
        ),
        e.CodebookDecided(
            **of_model,
            revision=3,
            action="rename",
            said=ESCAPES,
            entries=(e.CodebookEntry(topic_id=3, name=ESCAPES, theme=ESCAPES),),
            themes=(e.ThemeEntry(theme=ESCAPES, description=ESCAPES),),
            author=ESCAPES,
            note=ESCAPES,
            decided_at=examples.TODAY,
        ),
        *(
            e.TopicJudged(
                **of_model, topic_id=3, reviewer=who, verdict=verdict, note=ESCAPES, judged_at=examples.TODAY
            )
            for who, verdict in ((ESCAPES, "exclude"), ("Ann", "include"))
        ),
        e.VideoCorrected(
            video_id=ODD,
            what="redated",
            published_at=examples.TODAY,
            reason=ESCAPES,
            author=ESCAPES,
            corrected_at=examples.TODAY,
        ),
        e.VideoParked(
            video=waits, state="in review", reason=ESCAPES, parked_at=examples.TODAY, relevance=relevance
        ),
    ]
    rows += [row for event in events for row in rows_of(event)]
    rows += studies.seen(waits)
    write(warehouse, rows)
    blobs = Blobs(warehouse.settings.blobs_url)
    said = Segment(start=0.0, end=9.0, text=ESCAPES, speaker=ESCAPES)
    transcript = Transcript(
        language="en", language_probability=None, duration_s=9.0, segments=(said,), made_by={}
    )
    blobs.put(key_of(ODD, studies.TRANSCRIPT), transcript.model_dump_json().encode())
    Sources(blobs).add(
        Source(
            source_id=source_id("search", ESCAPES), kind="search", locator=ESCAPES, added_at=examples.TODAY
        )
    )


def ask_all(environment: dict[str, str]) -> dict[str, Said]:
    """Return the output of each command, as text and as JSON."""
    asked = [*READING, *(f"{each} --json" for each in READING if not each.startswith(WITHOUT_JSON))]
    runner, found = CliRunner(), {}
    for command in asked:
        if command.startswith("report") and not command.endswith("--json"):
            continue
        answer = runner.invoke(app, shlex.split(command), env=environment)
        raised = "" if isinstance(answer.exception, SystemExit | type(None)) else repr(answer.exception)
        found[command] = Said(answer.exit_code, answer.stdout, answer.stderr + raised)
    return found


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Yield the output of every command for one study, first while it does not run, then while it runs."""
    study = Study(tmp_path_factory.mktemp("read"), "read")
    ours = {name: value for name, value in study.env().items() if name.startswith("GROUNDSWELL_")}
    environment = ours | {"COLUMNS": "2000", "GROUNDSWELL_LOG_LEVEL": "error"}
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GROUNDSWELL_")}
    with Warehouse(Settings(home=study.home, study=study.name)) as warehouse:
        warehouse.migrate()
        examples.study(warehouse)
        hostile(warehouse)
        idle = ask_all(environment)
    try:
        study.start("web")
        study.until_serving()
        yield Both(environment, idle, ask_all(environment))
    finally:
        study.end()
        os.environ.update(before)


def without_address(said: str) -> str:
    """Return the output without the page's address and the time of the command."""
    page = r"(\nThe dashboard: )?http://127\.0\.0\.1:\d+\S*\n?|not running \(groundswell run\)\n"
    return re.sub(rf'{page}|"(page|made_at)": .*', "", said)


@pytest.mark.long
@pytest.mark.parametrize("command", READING)
def test_a_command_says_the_same_while_the_study_runs(said: Both, command: str) -> None:
    asked = [each for each in said.idle if each in (command, f"{command} --json")]
    assert asked
    for each in asked:
        idle, running = said.idle[each], said.running[each]
        assert (idle.code, running.code) == (0, 0), (each, idle, running)
        assert without_address(running.out) == without_address(idle.out)
        assert running.out or running.err


@pytest.mark.long
@pytest.mark.parametrize("command", READING)
def test_nothing_that_is_printed_commands_a_terminal(said: Both, command: str) -> None:
    for found in (said.idle, said.running):
        for each in found:
            if each in (command, f"{command} --json"):
                assert not OBEYED.findall(found[each].out), each
                assert not OBEYED.findall(found[each].err), each


@pytest.mark.long
def test_more_rows_than_a_page_has_come_page_by_page(said: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PAGE", 1)
    for command in (
        "codebook history --json",
        "videos list --limit 3 --json",
        "codebook history --limit 2 --json",
    ):
        answer = CliRunner().invoke(app, shlex.split(command), env=said.environment)
        assert answer.exit_code == 0, answer
        rows = json.loads(answer.stdout)
        assert rows == json.loads(said.running[f"{command.split(' --')[0]} --json"].out)[: len(rows)]
        assert len(rows) == (3 if "3" in command else 2)


@pytest.mark.long
def test_a_view_that_a_running_study_does_not_know_says_so(said: Both) -> None:
    settings = Settings(home=Path(said.environment["GROUNDSWELL_HOME"]), study="read")
    with pytest.raises(Misconfigured, match="is another version and does not have the view tomorrow"):
        asking.ask(settings, "tomorrow")


@pytest.mark.long
def test_the_attack_is_in_what_was_asked(said: Both) -> None:
    """Without the attack in the output, the tests above would prove nothing."""
    harmless = [command for command in READING if "harmless" in said.idle.get(command, Said(0, "", "")).out]
    assert {"videos list", "topics", "emerging", "alerts list", "alerts digest", "codebook show"} <= set(
        harmless
    )


def test_every_reading_command_of_the_docs_is_asked() -> None:
    guides = sorted((Path(__file__).parents[2] / "docs" / "how-to").glob("*.md"))
    text = "\n".join(guide.read_text() for guide in guides)
    rows = re.findall(r"^\| (`groundswell .*?) \| ([^(].*?) \|$", text, re.MULTILINE)
    named = [words for commands, _ in rows for words in re.findall(r"`groundswell ([^`]+)`", commands)]
    named += re.findall(
        r"^groundswell (\w+ (?:history|queue|agreement|rules|deliveries|digest|list))", text, re.M
    )
    assert len(named) > 20
    known = {*READING, *ELSEWHERE}
    for words in named:
        first = " ".join(re.findall(r"^[a-z-]+(?: [a-z]+)?", words))
        assert any(each.startswith((first, first.split()[0] + " ")) for each in known), words
