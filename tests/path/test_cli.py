"""The command line: data on stdout, words on stderr, and an exit code and a cure for every failure."""

import json
import shutil
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from subprocess import CompletedProcess

import pytest

from agents.runtime.doctor import CHECKS
from tests.processes import GIVE_UP_S, TALKS, Study, until

TALK = min(TALKS.glob("*.json"))
NOWHERE = "127.0.0.1:1"
READING = ("status", "topics", "themes", "prevalence", "cooccurrence")
ABOUT_TOPICS = {
    "topics genealogy": "no topic was born, split, merged or put to sleep yet",
    "emerging": "no new topics yet",
    "boilerplate": "no boilerplate found",
}
VIDEO = "https://www.youtube.com/watch?v=abcdefghijk"


def assert_says(answer: CompletedProcess[str], code: int, *words: str) -> None:
    """Assert the exit code, and that stderr has the words and no traceback."""
    assert answer.returncode == code, answer
    for word in words:
        assert word in answer.stderr, answer.stderr
    assert "Traceback" not in answer.stderr


def assert_fails(answer: CompletedProcess[str], code: int, *words: str) -> None:
    assert_says(answer, code, "error: ", "cure: ", *words)
    assert answer.stdout == ""


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("tpoics", "No such command 'tpoics'. Did you mean 'topics'?"),
        ("sources ad @MLOps", "Did you mean 'add'?"),
        ("topics sohw 3", "No such command 'sohw'. Did you mean 'show'?"),
        ("topics show three", "valid integer"),
        ("emerging --limit 0", "--limit"),
        ("topics --form 2025-01", "--from"),
        ("topics --from 2025-13", "'2025-13' is not a month or day from 1970-01 to 2099-12"),
        ("themes --to March", "'March' is not a month"),
        ("cooccurrence --from 1900-01", "'1900-01' is not a month"),
        ("prevalence --from 2025-05 --to 2025-01", "2025-05 is after 2025-01"),
        ("ingest", "Missing argument"),
        ("ingest talk.vtt --published-at yesterday", "--published-at"),
        ("worker stroe", "choose from discover, screen, fetch"),
        ("dead-letters replay", "give ids of dead letters, or --all"),
        ("dead-letters drop abc --all", "give ids of dead letters, or --all"),
    ],
)
def test_a_wrong_command_says_what_would_be_right(study: Study, command: str, words: str) -> None:
    answer = study.cli(*command.split())
    assert_says(answer, 2, words)
    assert answer.stdout == ""


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("MAX_TOKENS", "abc", "valid integer"),
        ("STUDY", "Default", "use up to 41 of a-z, 0-9 and _"),
        ("OTLP_ENDPOINT", "collector:4318", "begins with http:// or https://"),
        ("PUSH_HUB", "", "The WebSub hub that YouTube publishes to"),
        ("STUDY", "default", "choose another name"),
        ("LANGUAGES", "en", "GROUNDSWELL_LANGUAGES='[\"en\"]'"),
        ("LANGUAGES", "[1]", "valid string"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("WEB_PORT", "80000", "65535"),
    ],
)
def test_a_wrong_setting_is_named(study: Study, name: str, value: str, words: str) -> None:
    answer = study.cli("status", **{f"GROUNDSWELL_{name}": value})
    assert_fails(answer, 2, f"GROUNDSWELL_{name}", words)


@pytest.mark.long
def test_a_codebook_that_is_not_there_is_a_wrong_setting(study: Study) -> None:
    answer = study.cli("run", GROUNDSWELL_CODEBOOK="llm-in-prodction")
    assert_fails(answer, 2, "GROUNDSWELL_CODEBOOK", "llm-in-prodction", "llm-in-production")


@pytest.mark.long
def test_options_before_the_command_win_and_are_checked_too(study: Study) -> None:
    assert_fails(study.cli("--study", "Bad", "status"), 2, "GROUNDSWELL_STUDY")
    answer = study.cli("--study", "other", "--log-level", "debug", "status", "--json")
    assert answer.returncode == 0
    assert json.loads(answer.stdout)["study"] == "other"  # whatever is logged, stdout is data


def test_a_worker_needs_a_broker_of_its_own(study: Study) -> None:
    assert_fails(study.cli("worker", "store"), 2, "GROUNDSWELL_BROKER=host:port", "groundswell run")


@pytest.mark.long
def test_an_absent_broker_or_clickhouse_is_exit_3_with_the_cure(study: Study) -> None:
    kafka, clickhouse = {"GROUNDSWELL_BROKER": NOWHERE}, {"GROUNDSWELL_CLICKHOUSE": f"clickhouse://{NOWHERE}"}
    cases = [
        (("ingest", str(TALK)), kafka),
        (("migrate",), kafka),
        (("topics",), clickhouse),
        (("status", "--json"), clickhouse),
        (("dead-letters", "list"), clickhouse),
    ]
    with ThreadPoolExecutor(len(cases)) as pool:
        answers = list(pool.map(lambda case: study.cli(*case[0], **case[1]), cases))
    for (command, given), answer in zip(cases, answers, strict=True):
        what = "Kafka" if given is kafka else "ClickHouse"
        assert_fails(answer, 3, f"cannot reach {what} at {NOWHERE}", "docker compose up", *given)
        others = [
            line
            for line in answer.stderr.splitlines()
            if "does not answer" not in line and "rror" not in line
        ]
        assert len(others) == 1, (command, answer.stderr)  # the cure: libraries keep still


@pytest.mark.long
def test_every_reading_command_works_in_an_empty_study(study: Study) -> None:
    for command in READING:
        assert study.ask(command) == ([] if command != "status" else study.ask("status"))
        plain = study.cli(command)
        assert_says(plain, 0, "no talks yet: try groundswell demo")
        assert (plain.stdout == "") == (command != "status")
    assert study.ask("status") == {
        **{"study": "test", "page": None, "states": {}, "videos": 0, "rejections": {}, "paragraphs": 0},
        **{"hours": 0.0, "topics": 0, "first_published": None, "last_published": None, "dead_letters": 0},
        **{"boilerplate": 0, "epoch": 0, "relearning": 0, "damaged_parts": [], "transcribing": []},
        **{"codebook_as_clusters": False, "stuck": []},
    }
    for words, hint in ABOUT_TOPICS.items():
        assert study.ask(*words.split()) == []
        plain = study.cli(*words.split())
        assert_says(plain, 0, hint)
        assert plain.stdout == ""
    for topic_id in ("1", "0", "-1"):
        assert_says(study.cli("topics", "show", "--", topic_id), 2, f"there is no topic {topic_id}")
    assert_fails(study.cli("topics", "consolidate"), 3, "not running", "groundswell run")
    assert study.ask("rebuild")["talks"] == 0
    for command, hint in (("sources", "groundswell sources add"), ("dead-letters", "no dead letters")):
        assert study.ask(command, "list") == []
        plain = study.cli(command, "list")
        assert_says(plain, 0, hint)
        assert plain.stdout == ""


@pytest.mark.long
def test_dead_letters_of_an_empty_study_can_be_asked_for(study: Study) -> None:
    assert study.ask("dead-letters", "list", "--settled") == []
    for command in ("show", "replay", "drop"):
        assert_says(
            study.cli("dead-letters", command, "abc"),
            2,
            "no dead letter, or more than one, has the id 'abc'",
            "dead-letters list",
        )
    for command in ("replay", "drop"):
        assert_fails(study.cli("dead-letters", command, "--all"), 3, "not running", "groundswell run")


@pytest.mark.long
def test_sources_are_added_listed_and_removed(study: Study) -> None:
    locators = {"@MLOps": "channel", "PLgroundswell0001": "playlist", "LLM in production": "search"}
    added = study.ask("sources", "add", *locators)
    assert {row["locator"]: row["kind"] for row in added} == locators
    assert all(row["added"] for row in added)
    again = study.cli("sources", "add", "https://www.youtube.com/@mlops/videos")
    assert_says(again, 0, "already known: channel")
    listed = study.ask("sources", "list")
    assert {row["source_id"] for row in listed} == {row["source_id"] for row in added}
    assert all(row["visited_at"] is None for row in listed)
    table = study.cli("sources", "list").stdout
    assert all(word in table for word in (*locators, "not yet"))

    channel = next(row["source_id"] for row in added if row["kind"] == "channel")
    nothing = study.cli("sources", "remove", channel, "channel-zzz")
    assert_says(nothing, 2, "no source 'channel-zzz'", "groundswell sources list")
    assert len(study.ask("sources", "list")) == 3
    assert_says(study.cli("sources", "remove", channel), 0, "groundswell sources add '@MLOps'")
    assert [row["kind"] for row in study.ask("sources", "list")] == ["playlist", "search"]


@pytest.mark.long
@pytest.mark.parametrize("address", [VIDEO, "https://youtu.be/abcdefghijk"])
def test_a_single_video_is_no_source(study: Study, address: str) -> None:
    answer = study.cli("sources", "add", "@MLOps", address, "--json")
    assert_fails(answer, 1, "is a single video, not a source", f"groundswell ingest {address}")
    assert study.ask("sources", "list") == []  # all are understood, or none is added


@pytest.mark.long
def test_what_is_refused_does_not_keep_the_rest_from_entering(study: Study) -> None:
    files = study.home / "talks"
    (files / "empty").mkdir(parents=True)
    (files / "empty" / "notes.txt").write_text("no talk")
    shutil.copy(TALK, files / "good.json")
    wrong = {
        "undated.vtt": b"WEBVTT\n\n00:00.000 --> 00:05.000\nWe chunk by heading.\n",
        "tomorrow.json": b'{"published_at": "tomorrow", "segments": [{"text": "We chunk."}]}',
        "speakers.json": b'{"published_at": "2025-01-01", "speakers": 7, "segments": [{"text": "We."}]}',
        "length.json": b'{"published_at": "2025-01-01", "duration_s": "long", "segments": [{"text": "We."}]}',
        "lines.jsonl": b"\n\n",
        "damaged.jsonl.gz": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff\xff garbage",
    }
    for name, content in wrong.items():
        (files / name).write_bytes(content)
    given = ["missing.vtt", "missing.jsonl", *wrong, "empty", "good.json"]
    handed = study.cli("ingest", *(str(files / name) for name in given), "https://vimeo.com/1", VIDEO)
    assert_says(handed, 1, "2 talks added, 10 refused", "processed when groundswell run starts")
    for words in (
        "missing.vtt cannot be read (No such file or directory)",
        "missing.jsonl cannot be read (No such file or directory)",
        "the publication date of undated is unknown",
        "say --published-at YYYY-MM-DD",
        "the publication date of tomorrow is 'tomorrow'",
        "speakers: ",
        "duration_s: ",
        "lines.jsonl has no talks",
        "damaged.jsonl.gz cannot be read",
        "no talk in the folder",
        "https://vimeo.com/1 is not the address of a YouTube video",
    ):
        assert words in handed.stderr, handed.stderr
    assert handed.stderr.count("cure: ") == 10
    good = json.loads(TALK.read_text())
    assert handed.stdout.splitlines() == [f"{good['id']}\t{good['title']}", "abcdefghijk\t"]
    assert len(list((study.home / "studies" / study.name / "blobs" / "outbox").iterdir())) == 2

    mended = study.cli(
        "ingest", str(files / "undated.vtt"), "--published-at", "2025-03-14", "--title", "A", "--json"
    )
    (row,) = json.loads(mended.stdout)
    assert (mended.returncode, row["status"], row["title"], row["cause"]) == (0, "queued", "A", None)
    refused = study.cli("ingest", str(files / "empty"), "--json")
    (row,) = json.loads(refused.stdout)
    assert (refused.returncode, row["status"], bool(row["cause"]), bool(row["cure"])) == (
        *(1, "refused"),
        *(True, True),
    )
    assert "0 talks added, 1 refused\n" in refused.stderr


@pytest.mark.long
def test_doctor_tells_a_healthy_machine_from_a_missing_model(study: Study) -> None:
    found = {row["what"]: row for row in study.ask("doctor")}
    assert set(found) == set(CHECKS)
    for what, row in found.items():
        assert set(row) == {"what", "verdict", "found", "cure"}
        assert row["verdict"] in (("ok", "warn") if what in ("gpu", "blobs") else ("ok",)), row
        assert row["verdict"] == "ok" or row["cure"], row
    wrong = {"GROUNDSWELL_WHISPER_MODEL": "/nonexistent", "GROUNDSWELL_COOKIES": "/nonexistent/cookies.txt"}
    answer = study.cli("doctor", "--json", **wrong)
    assert answer.returncode == 1
    failed = {row["what"]: row for row in json.loads(answer.stdout) if row["verdict"] == "fail"}
    assert set(failed) == {"models", "cookies"}
    assert all("/nonexistent" in row["found"] and row["cure"] for row in failed.values())
    plain = study.cli("doctor", GROUNDSWELL_WHISPER_MODEL="/nonexistent")
    assert plain.returncode == 1
    assert "cure: " in plain.stdout


def test_doctor_names_the_broker_or_clickhouse_that_is_silent(study: Study) -> None:
    there = {"GROUNDSWELL_BROKER": NOWHERE, "GROUNDSWELL_CLICKHOUSE": f"clickhouse://{NOWHERE}"}
    answer = study.cli("doctor", "--json", **there)
    assert answer.returncode == 1
    failed = {row["what"]: row for row in json.loads(answer.stdout) if row["verdict"] == "fail"}
    assert set(failed) == {"broker", "clickhouse"}
    assert all(NOWHERE in row["found"] and "docker compose up" in row["cure"] for row in failed.values())


def test_one_process_runs_a_study_and_ctrl_c_ends_it(study: Study) -> None:
    assert_says(study.cli("stop"), 0, "not running")
    process = study.run(cold=True)
    assert study.api("status")["videos"] == 0
    asked = study.ask("status")
    assert asked["page"] == study.url
    until(lambda: len(study.ask("topics")) == 20)  # the codebook's, as soon as they are stored
    for command in READING[2:]:
        assert study.ask(command) == []
    for command in ("show", "replay", "drop"):  # the same words as when nothing runs
        assert_says(
            study.cli("dead-letters", command, "abc"), 2, "no dead letter, or more than one, has the id 'abc'"
        )
    assert_fails(study.cli("run"), 2, "already running", study.url, "groundswell stop")
    assert_fails(study.cli("web"), 2, "already running", study.url)
    port = study.url.rsplit(":", 1)[1]
    taken = study.cli("run", GROUNDSWELL_STUDY="another", GROUNDSWELL_WEB_PORT=port)
    assert_fails(taken, 2, f"the port {port} of 127.0.0.1 is in use", "GROUNDSWELL_WEB_PORT")
    assert_says(study.cli("dead-letters", "replay", "--all"), 0, "no dead letters")
    assert_says(study.cli("migrate"), 0, "up to date")
    assert process.alive
    assert process.stop(signal.SIGINT, 60) == 130
    assert "Traceback" not in process.said()
    assert study.ask("status")["page"] is None


@pytest.mark.long
def test_of_two_starts_at_once_one_runs_and_one_says_why_not(study: Study) -> None:
    both = [study.start("run"), study.start("run")]
    until(lambda: not all(process.alive for process in both))
    ended = next(process for process in both if not process.alive)
    assert ended.popen.returncode == 2
    said = ended.said()
    assert "is already running (pid " in said, said
    assert "Code: " not in said, said
    (serving,) = (process for process in both if process.alive)
    until(lambda: "the page is at" in serving.said())
    stopped = study.cli("stop")
    assert_says(stopped, 0, f"stopped (pid {serving.popen.pid})")
    assert serving.popen.wait(GIVE_UP_S) == 0


def test_ctrl_c_ends_it_while_it_is_still_starting(study: Study) -> None:
    process = study.start("run")
    time.sleep(1.5)
    assert process.stop(signal.SIGINT, 60) == 130
    assert "Traceback" not in process.said()
    assert not (study.home / "studies" / study.name / "running.json").exists()
