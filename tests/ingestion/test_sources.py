"""Tests of sources: the locators that a person types, the files that store them, and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from agents.cli import app
from streams.errors import DataError, Misconfigured
from streams.events import Source
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.source_locators import locate, preset, presets
from streams.state.sources import Backfill, LaneHealth, Sources, Trouble, Visits, source_id
from tests.conftest import Hold
from tests.loopback_youtube import FakeVideo, LoopbackYouTube

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class TestLocators:
    @pytest.mark.parametrize(
        ("text", "meant"),
        [
            ("https://talkpython.fm/episodes/rss", ("feed", "https://talkpython.fm/episodes/rss")),
            (" HTTP://feeds.example.org/a?key=B ", ("feed", "HTTP://feeds.example.org/a?key=B")),
            ("https://youtube.com.example.org/feed", ("feed", "https://youtube.com.example.org/feed")),
            (
                "https://www.youtube.com/feeds/videos.xml?channel_id=UCG7fT3XKrS6iTfXtkyNH45g",
                ("channel", "UCG7fT3XKrS6iTfXtkyNH45g"),
            ),
            ("https://www.youtube.com/@MLOps", ("channel", "@MLOps")),
            ("@MLOps", ("channel", "@MLOps")),
            ("PLgroundswell0001", ("playlist", "PLgroundswell0001")),
            ("C++: templates / modules", ("search", "C++: templates / modules")),
            ("data: the new oil", ("search", "data: the new oil")),
        ],
    )
    def test_what_a_person_types_is_understood(self, text: str, meant: tuple[str, str]) -> None:
        assert locate(text) == meant
        assert locate(meant[1]) == meant

    def test_a_folder_is_one_that_is_there(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "talks").mkdir()
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        for text in (f"{tmp_path}/talks", "./talks", "~/talks", "../" + tmp_path.name + "/talks/"):
            assert locate(text) == ("folder", str(tmp_path / "talks"))
        assert locate("talks") == ("search", "talks")
        with pytest.raises(DataError, match=r"cannot be watched.*give an existing folder"):
            locate("./nothing")
        with pytest.raises(DataError, match="neither a folder nor a file"):
            locate("/dev/null")

    @pytest.mark.parametrize(
        "text",
        [
            "file:///etc/passwd",
            "FILE:/etc/passwd",
            "ftp://example.org/feed",
            "gopher://127.0.0.1:6379/_x",
            "https://me:secret@feeds.example.org/rss",
            "http://[::1",
            "https://",
            "https://a b/",
            "https://www.youtube.com:8080/@Meetup",
            "https://user@www.youtube.com/@Meetup",
            "https://www.youtube.com/watch?v=abcdefghijk",
            "",
        ],
    )
    def test_what_leads_elsewhere_is_refused(self, text: str) -> None:
        with pytest.raises(DataError) as raised:
            locate(text)
        assert raised.value.cure
        assert "secret" not in str(raised.value)

    def test_the_studys_five_queries_come_along(self) -> None:
        assert presets() == ["llm-in-production"]
        found = preset("llm-in-production")
        assert [kind for kind, _ in found] == ["search"] * 5
        assert ("search", "LLM in Production") in found
        with pytest.raises(Misconfigured, match="choose from llm-in-production"):
            preset("../secrets")


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(Blobs(str(tmp_path / "blobs")))


def channel(locator: str = "@MLOps") -> Source:
    return Source(source_id=source_id("channel", locator), kind="channel", locator=locator, added_at=NOON)


class TestFiles:
    def test_what_people_say_and_what_visits_show_lie_apart(self, sources: Sources) -> None:
        source = channel()
        sources.add(source)
        before = sources.named(source.source_id)
        sources.pause(source.source_id)  # while a visit goes on
        sources.remember(source.source_id, before.visits.model_copy(update={"visits": 1, "found": 7}))
        watched = sources.named(source.source_id)
        assert (watched.paused, watched.visits.found) == (True, 7)

    def test_everything_survives_being_written(self, sources: Sources) -> None:
        source = channel()
        sources.add(source)
        sources.want(source.source_id, date(2025, 1, 1), NOON)
        visits = Visits(
            visits=3,
            last_visit=NOON,
            next_visit=NOON,
            failures=1,
            failure=Trouble(cause="a", cure="b", at=NOON, lettered=True),
            published=(NOON,),
            backfill=Backfill(asked_at=NOON, since=date(2025, 1, 1), rank=200, found=180),
        )
        sources.remember(source.source_id, visits)
        watched = sources.named(source.source_id)
        assert watched.visits == visits
        assert (watched.source.since, watched.backfill_at) == (date(2025, 1, 1), NOON)
        assert [each.source for each in sources.watched()] == list(sources.all()) == [watched.source]

    def test_a_study_of_an_earlier_version_is_read_as_it_is(self, sources: Sources, tmp_path: Path) -> None:
        source, blobs = channel(), Blobs(str(tmp_path / "blobs"))
        blobs.put(f"sources/{source.source_id}.json", source.model_dump_json(exclude={"since"}).encode())
        assert sources.named(source.source_id).health == "new"
        blobs.put(f"visits/{source.source_id}", NOON.isoformat().encode())
        watched = sources.named(source.source_id)
        assert watched.source == source
        assert (watched.visits.last_visit, watched.visits.listed_at, watched.health) == (NOON, NOON, "ok")

    def test_what_is_removed_can_come_back_as_it_was(self, sources: Sources) -> None:
        source = channel()
        sources.add(source)
        sources.remember(source.source_id, Visits(visits=5, found=12, listed_at=NOON))
        sources.pause(source.source_id)
        before = sources.named(source.source_id)
        sources.remove(source.source_id)
        assert sources.get(source.source_id) is None and list(sources.all()) == []
        assert sources.visits(source.source_id) == Visits()
        assert sources.restore(source.source_id) and not sources.restore(source.source_id)
        assert sources.named(source.source_id) == before
        sources.remove(source.source_id)
        assert sources.add(source)  # added anew it goes on where it was, and is not paused
        assert sources.named(source.source_id) == before.model_copy(update={"paused": False})

    def test_a_damaged_file_hides_no_other_source(self, sources: Sources, tmp_path: Path) -> None:
        sources.add(channel())
        fine = channel("@Fine")
        sources.add(fine)
        Blobs(str(tmp_path / "blobs")).put(f"sources/{channel().source_id}.json", b'{"source_id": 3')
        assert list(sources.all()) == [fine]
        with pytest.raises(DataError, match=r"is damaged .*restore it"):
            sources.named(channel().source_id)
        Blobs(str(tmp_path / "blobs")).put(f"visits/{fine.source_id}", b"{half")
        assert sources.named(fine.source_id).visits == Visits()

    @pytest.mark.parametrize(
        "content",
        [
            *(b"[]", b"[1]", b"null", b'"x"', b"3", b"{", b"", b"\xff", b"[" * 100_000, b'{"source_id": []}'),
            b'{"source_id": "x", "kind": "channel", "locator": "@X", "added_at": "2026-13-01"}',
        ],
    )
    def test_a_file_of_another_shape_is_named(self, sources: Sources, tmp_path: Path, content: bytes) -> None:
        fine, bad, blobs = channel("@Fine"), channel(), Blobs(str(tmp_path / "blobs"))
        sources.add(fine)
        blobs.put(f"sources/{bad.source_id}.json", content)
        with capture_logs() as logs:
            assert [each.source for each in sources.watched()] == [fine]
        assert f"sources/{bad.source_id}.json" in logs[0]["cause"] and "restore it" in logs[0]["cure"]
        with pytest.raises(DataError, match=r"is damaged .*restore it"):
            sources.get(bad.source_id)
        blobs.put(f"visits/{fine.source_id}", content)
        assert sources.named(fine.source_id).visits == Visits()
        blobs.put(f"removed-sources/{bad.source_id}.json", content)
        blobs.delete(f"sources/{bad.source_id}.json")
        with pytest.raises(DataError, match=r"removed-sources.*is damaged"):
            sources.restore(bad.source_id)
        assert sources.add(bad)

    def test_an_unknown_one_is_said(self, sources: Sources) -> None:
        with pytest.raises(DataError, match="no source 'x'"):
            sources.pause("x")

    def test_feeds_and_folders_differ_by_case(self) -> None:
        assert source_id("channel", "@A") == source_id("channel", "@a")
        assert source_id("folder", "/A") != source_id("folder", "/a")


class TestCommands:
    @pytest.fixture
    def youtube(self) -> Iterator[LoopbackYouTube]:
        with LoopbackYouTube() as youtube:
            yield youtube

    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chdb_home: Path, hold: Hold) -> Path:
        monkeypatch.setenv("GROUNDSWELL_HOME", str(chdb_home))
        monkeypatch.setenv("GROUNDSWELL_BLOBS", str(tmp_path / "blobs"))
        monkeypatch.setenv("GROUNDSWELL_STUDY", "commands")
        hold(Settings())
        return tmp_path

    def run(self, *words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(app, ["sources", *words])
        raised = None if isinstance(result.exception, SystemExit) else result.exception
        assert (result.exit_code, raised) == (code, None), result.output
        return result

    def listed(self) -> dict[str, dict[str, object]]:
        return {row["locator"]: row for row in json.loads(self.run("list", "--json").stdout)}

    def test_sources_of_every_kind_are_added_with_a_day(self, home: Path) -> None:
        self.run("add", "@MLOps", "LLMOps", "https://talkpython.fm/rss", str(home), "--since", "2025-01-01")
        rows = self.listed()
        assert {row["kind"] for row in rows.values()} == {"channel", "search", "feed", "folder"}
        assert {row["since"] for row in rows.values()} == {"2025-01-01"}
        assert {(row["health"], row["found"], row["kept"]) for row in rows.values()} == {("new", 0, None)}
        assert "is in the future" in self.run("add", "@Other", "--since", "2999-01-01", code=2).stderr

    def test_the_preset_adds_the_five_queries(self) -> None:
        assert "--preset llm-in-production" in self.run("add", code=2).stderr
        self.run("add", "--preset", "llm-in-production")
        assert len(self.listed()) == 5
        said = self.run("add", "--preset", "llm-in-production").stderr
        assert said.count("already known") == 5

    def test_pausing_and_resuming_by_id_or_name(self) -> None:
        self.run("add", "@MLOps")
        assert "sources resume channel-" in self.run("pause", "@mlops").stderr
        assert self.listed()["@MLOps"]["health"] == "paused"
        assert "already paused" in self.run("pause", "@MLOps").stderr
        self.run("resume", str(self.listed()["@MLOps"]["source_id"]))
        assert self.listed()["@MLOps"]["paused"] is False

    def test_an_unknown_id_says_which_was_meant(self) -> None:
        self.run("add", "@MLOps")
        known = str(self.listed()["@MLOps"]["source_id"])
        for command in ("pause", "resume", "remove", "check", "backfill"):
            said = self.run(command, known[:-1] + "z", code=2).stderr
            assert "no source" in said and known in said

    def test_a_backfill_is_asked_for_and_its_progress_shown(self, home: Path) -> None:
        self.run("add", "@MLOps")
        self.run("backfill", "@MLOps", "--since", "2024-01-01")
        assert self.listed()["@MLOps"]["since"] == "2024-01-01"
        assert "the backfill begins at the next visit" in self.run("list").stderr
        sources = Sources(Blobs(f"{home}/blobs/commands"))
        (watched,) = sources.watched()
        assert watched.backfill_at is not None
        going = Backfill(asked_at=watched.backfill_at, since=date(2024, 1, 1), rank=412, found=400)
        sources.remember(watched.source_id, Visits(visits=2, last_visit=NOON, backfill=going))
        assert "backfill since 2024-01-01: 400 found, 412 checked" in self.run("list").stderr

    def test_troubles_are_listed_with_their_cure(self, home: Path) -> None:
        self.run("add", "@MLOps")
        sources = Sources(Blobs(f"{home}/blobs/commands"))
        (watched,) = sources.watched()
        trouble = Trouble(cause="the channel is gone", cure="remove the source", at=NOON)
        lanes = {"listing": LaneHealth(trouble=trouble)}
        visits = Visits(visits=1, last_visit=NOON, failures=1, failure=trouble, lanes=lanes)
        sources.remember(watched.source_id, visits)
        result = self.run("list")
        assert "failing" in result.stdout
        assert "the channel is gone" in result.stderr and "cure: remove the source" in result.stderr

    def test_a_check_says_what_it_sees_and_takes_nothing_in(
        self, youtube: LoopbackYouTube, monkeypatch: pytest.MonkeyPatch, home: Path
    ) -> None:
        monkeypatch.setenv("GROUNDSWELL_PROXY", youtube.proxy)
        monkeypatch.setenv("GROUNDSWELL_INSECURE_TLS", "true")
        youtube.add(FakeVideo("abcdefghij0", "Old"), *(FakeVideo(f"talk{n:07}", "RAG") for n in range(40)))
        self.run("add", "@Meetup", "@Nobody")
        said = self.run("check", "@Meetup").stdout
        assert "listing: Meetup: 30 or more talks, first “RAG”" in said
        assert "rss: YouTube's feed of the channel answers HTTP 404" in said and "cure:" in said
        found = json.loads(self.run("check", "@Meetup", "--json").stdout)
        assert found["works"] and {check["lane"] for check in found["checks"]} == {"listing", "rss"}
        said = self.run("check", "@Nobody", code=1).stdout
        assert "YouTube does not find it" in said and "cure:" in said
        assert not (home / "blobs" / "commands" / "visits").exists()
        assert not (home / "blobs" / "commands" / "outbox").exists()
