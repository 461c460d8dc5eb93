"""Tests of handing in files: one by one, despite unreadable files among them, with progress messages."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agents.acquisition.ingest import Given, Handed, Ingest
from agents.cli import app
from streams.errors import DataError, Explained, Misconfigured, Unavailable
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from streams.talks import talk_files
from tests.costs import within
from tests.ingestion.moving_clock import NOON

TALK = {"id": "good", "title": "RAG", "published_at": "2025-03-14", "segments": [{"text": "We chunk."}]}
DATED = b'{"published_at": "2025-03-14"}'


def talk(**other: object) -> bytes:
    return json.dumps(TALK | other).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "talks").mkdir()
    return tmp_path / "talks"


@pytest.fixture
def ingest(tmp_path: Path) -> Ingest:
    return Ingest(Blobs(str(tmp_path / "blobs")), None, NOON)


@contextmanager
def deep(folder: Path) -> Iterator[None]:
    """Nest folders deeper than a path can be long; delete them afterwards, as pytest could not."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("deeper", dir_fd=here)
        inside = os.open("deeper", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inside
    os.close(here)
    try:
        yield
    finally:
        subprocess.run(["rm", "-rf", str(folder / "deeper")], check=True)


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(10 * 1024**3)


def bomb(path: Path, piece: bytes, times: int) -> None:
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(times):
            file.write(piece * 1024)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))


HOSTILE: dict[str, Callable[[Path], object]] = {
    "deep.json": lambda path: path.write_bytes(b'{"a":' * 100_000),
    "wide.json": lambda path: path.write_bytes(b'{"a": [' + b"[]," * 3_000_000 + b"[]]}"),
    "list.json": lambda path: path.write_bytes(b"[]"),
    "latin.json": lambda path: path.write_bytes('{"title": "é"}'.encode("latin-1")),
    "number.json": lambda path: path.write_bytes(b'{"published_at": ' + b"9" * 5000 + b"}"),
    "date.json": lambda path: path.write_bytes(talk(published_at="x" * 1_000_000)),
    "speakers.json": lambda path: path.write_bytes(talk(speakers=7)),
    "long.json": lambda path: path.write_bytes(talk(id="x" * 1_000_000)),
    "empty.vtt": lambda path: path.write_bytes(b""),
    "pipe.vtt": os.mkfifo,
    "pipe.mp3": os.mkfifo,
    "socket.srt": listening,
    "zero.xml": lambda path: path.symlink_to("/dev/zero"),
    "nowhere.vtt": lambda path: path.symlink_to("nowhere"),
    "loop.vtt": lambda path: path.symlink_to("loop.vtt"),
    "sparse.srt": sparse,
    "sparse.jsonl": sparse,
    "sparse.mp3": sparse,
    "noise.mp3": lambda path: path.write_bytes(os.urandom(100_000)),
    "zeros.jsonl.gz": lambda path: bomb(path, b"\0" * 1024, 100),
    "blank.jsonl.gz": lambda path: bomb(path, b"\n" * 1024, 100),
    "wrong.jsonl.gz": lambda path: bomb(path, b"{}\n", 100),
    "cut.jsonl.gz": lambda path: path.write_bytes(gzip.compress(b"x\n" * 10_000)[:30]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_bad_file_is_refused_and_the_good_one_handed_in(
    ingest: Ingest, folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)  # a socket's path is short
    HOSTILE[name](folder / name)
    (folder / "zz.json").write_bytes(talk())
    if talk_files.is_talk(Path(name)) and ".json" not in name:
        (folder / name).with_suffix(".json").write_bytes(DATED)
    with within(500):
        *refused, good = ingest.files([folder])
    assert (good.video_id, good.refused) == ("good", None)
    assert refused
    for each in refused:
        assert each.name.startswith(name)
        assert each.refused is not None and each.refused.cause and each.refused.cure
        assert len(each.refused.cause) < 1000
        assert " broke (" not in each.refused.cause
    assert [seen.key for seen in Outbox(ingest.blobs).entries()] == ["good"]


def test_a_folder_named_like_a_description_describes_nothing(ingest: Ingest, folder: Path) -> None:
    (folder / "a.json").mkdir()
    (folder / "a.vtt").write_bytes(b"WEBVTT\n")
    (told,) = ingest.files([folder])
    assert told.refused is not None and "publication date of a is unknown" in told.refused.cause


def test_names_that_are_no_text_and_paths_without_end(ingest: Ingest, folder: Path) -> None:
    (folder / os.fsdecode(b"caf\xe9.vtt")).write_bytes(b"WEBVTT\n")
    (folder / os.fsdecode(b"caf\xe9.json")).write_bytes(DATED)
    (folder / ("x" * 250 + ".vtt")).write_bytes(b"WEBVTT\n")
    (folder / ("y" * 251 + ".srt")).write_bytes(b"")
    with deep(folder):
        told = list(ingest.files([folder, Path("/" + "x" * 5000), Path("a\0b.vtt")]))
    handed = [each for each in told if each.refused is None]
    assert [(each.name, each.title) for each in handed] == [("caf\ufffd.vtt", "caf\ufffd")]
    for each in told:
        each.name.encode()
        assert " broke (" not in (each.refused.cause if each.refused else "")


def test_half_a_character_in_a_title_becomes_a_sign_for_it(ingest: Ingest, folder: Path) -> None:
    (folder / "a.json").write_bytes(talk(title="RAG \ud83d", speakers=["A\udc00nn"]))
    (told,) = ingest.files([folder / "a.json"])
    assert (told.refused, told.title) == (None, "RAG \ufffd")


def test_a_collection_survives_a_bad_line_but_not_a_huge_one(
    ingest: Ingest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.intake.TRANSCRIPT_BYTES", 1000)
    (folder / "a.jsonl").write_bytes(b"\n".join([talk(), b"{", talk(id="b"), b"x" * 1001, talk(id="c")]))
    told = [(each.name, each.video_id) for each in ingest.files([folder])]
    assert told == [
        *(("a.jsonl:1", "good"), ("a.jsonl:2", None), ("a.jsonl:3", "b"), ("a.jsonl:4", None)),
    ]


def test_a_collection_of_no_talks_is_given_up(ingest: Ingest, folder: Path) -> None:
    (folder / "a.jsonl").write_bytes(b"{}\n" * 100_000 + talk())
    told = list(ingest.files([folder]))
    assert len(told) == talk_files.NO_TALKS + 1
    assert told[-1].refused is not None and "1,000 lines in a row" in told[-1].refused.cause


def test_what_nobody_foresaw_belongs_to_its_file(
    ingest: Ingest, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(content: bytes, name: str) -> dict[str, object]:
        if name == "a.json":
            raise AssertionError("nobody foresaw")
        return dict(TALK)

    monkeypatch.setattr("streams.intake.json_object", broken)
    for name in ("a.json", "b.json"):
        (folder / name).write_bytes(talk())
    first, second = ingest.files([folder])
    assert first.refused is not None and "broke (AssertionError: nobody foresaw)" in first.refused.cause
    assert (second.name, second.refused) == ("b.json", None)


def test_a_store_that_fails_is_no_fault_of_a_file(ingest: Ingest, folder: Path) -> None:
    (folder / "a.json").write_bytes(talk())
    Path(ingest.blobs.url).write_text("a file where the store should be")
    with pytest.raises(Unavailable):
        list(ingest.files([folder]))


class TestCommand:
    @pytest.fixture(autouse=True)
    def at_home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path / "home"))

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, ["ingest", *words])

    def test_each_file_is_told_of_and_the_end_says_how_many(self, folder: Path) -> None:
        (folder / "a.json").write_bytes(b"[" * 100_000)
        (folder / "b.json").write_bytes(talk())
        said = self.run(str(folder), "http://[", "https://[x]/\udcff")
        assert said.exit_code == 1 and said.exception.__class__ is SystemExit
        assert said.stdout == "good\tRAG\n"
        assert said.stderr.count("cure: ") == 3
        assert said.stderr.endswith(
            "1 talk added, 3 refused; they are processed when groundswell run starts\n"
        )

    def test_what_was_handed_in_before_the_store_failed_is_told(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(3):
            (folder / f"{number}.json").write_bytes(talk(id=f"talk{number}"))
        files = Ingest.files

        def failing(self: Ingest, paths: list[Path]) -> object:
            for told in files(self, paths):
                if told.video_id == "talk1":
                    raise Unavailable("the store is gone", "bring it back")
                yield told

        monkeypatch.setattr(Ingest, "files", failing)
        said = self.run(str(folder))
        assert isinstance(said.exception, Unavailable)
        assert said.stdout == "talk0\tRAG\n" and "1 talk added, 0 refused" in said.stderr
        as_json = self.run(str(folder), "--json")
        assert [each["video_id"] for each in json.loads(as_json.stdout)] == ["talk0"]

    @pytest.mark.parametrize(
        ("name", "value", "kind"),
        [
            ("BLOBS", "memory://talks", Misconfigured),
            ("BLOBS", "nowhere://talks", Misconfigured),
            ("CLICKHOUSE", "http://[", Misconfigured),
            ("HOME", "/dev/null", Misconfigured),
            ("HOME", "/dev/null/home", Misconfigured),
            ("HOME", "/proc/home", Misconfigured),
            ("LEASE_S", "nan", Misconfigured),
            ("BLOBS", "s3://talks", Unavailable),
        ],
    )
    def test_nothing_is_claimed_where_nothing_can_be_kept(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, kind: type[Explained]
    ) -> None:
        (folder / "a.json").write_bytes(talk())
        for each in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(each, "x")
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
        monkeypatch.setenv(f"GROUNDSWELL_{name}", value)
        said = self.run(str(folder))
        assert isinstance(said.exception, kind) and said.exception.cure
        assert said.stdout == "" and "1 talk" not in said.stderr


def test_a_title_that_a_person_gives_wins(tmp_path: Path, folder: Path) -> None:
    (folder / "a.json").write_bytes(talk())
    told: list[Handed] = list(
        Ingest(Blobs(str(tmp_path / "blobs")), None, NOON, Given(title="Mine")).files([folder])
    )
    assert [each.title for each in told] == ["Mine"]


def test_a_file_is_read_no_further_than_a_talk_goes(folder: Path) -> None:
    (folder / "a.vtt").write_bytes(b"x" * 11)
    assert talk_files.read(folder / "a.vtt", 11) == b"x" * 11
    with pytest.raises(DataError, match="has 11 bytes, more than the 10"):
        talk_files.read(folder / "a.vtt", 10)
