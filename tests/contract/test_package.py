"""Replication packages: an imported one gives the same numbers, and a damaged one changes nothing."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from event_factories import (
    MODEL,
    NEWBORN,
    NOON,
    ROOT,
    STORY,
    TABLES,
    TRANSCRIPT,
    numbers,
    path_of,
    video,
    write,
)

from agents.queries.replication.package import Manifest, pack, unpack
from streams import events as e
from streams.errors import DataError, Explained, Misconfigured
from streams.logs.codebook_log import CodebookLog
from streams.logs.corrections import Corrections
from streams.logs.judgements import Judgements
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import data_dictionary, exchange, missing, writer
from streams.store.queries import alerts, genealogy, prevalence
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse

pytestmark = pytest.mark.long

MADE_AT = datetime(2025, 6, 1, 8, tzinfo=UTC)
SAID = {
    "a": ["'; DROP TABLE videos", 'two\nlines, "quoted"', "\\N", "\N{SNOWMAN} in March"],
    "b": ["an index", "a test"],
    "c": ["servers,and\tmore"],
    "f": ["an index again", "a graph", "a measure"],
}
DECIDED: list[e.Event] = [
    *path_of(3, video("f", datetime(2025, 4, 2, tzinfo=UTC), channel="O'Brien", language="en"), 1, 2, 3),
    e.CodebookDecided(
        revision=2,
        model_version=MODEL,
        action="exclude",
        said="topic 3 is not counted",
        entries=(e.CodebookEntry(topic_id=3, theme="Evaluation", retained=False, reason="a joke, \\N"),),
        author="ann",
        decided_at=NOON,
    ),
    e.CodebookDecided(
        revision=3, model_version=MODEL, action="undo", said="it is", author="bob", undoes=2, decided_at=NOON,
        entries=(e.CodebookEntry(topic_id=3, theme="Evaluation"),),
    ),
    e.VideoCorrected(
        video_id="b", what="redated", published_at=datetime(2024, 2, 29, tzinfo=UTC), reason="said so",
        author="bob", corrected_at=NOON,
    ),
    e.TopicJudged(
        model_version=MODEL, topic_id=1, reviewer="bob", verdict="exclude", note="no", judged_at=NOON
    ),
]  # fmt: skip


@pytest.fixture(params=["embedded", "served"])
def opened(request: pytest.FixtureRequest, chdb_home: Path, tmp_path: Path) -> Callable[[str], Any]:
    """Return a function that opens a study by a short name; with the embedded engine, one at a time."""
    unique = next(numbers)
    where: dict[str, Any] = {"home": chdb_home}
    if request.param == "served":
        where = {"home": tmp_path / "home", "clickhouse": request.getfixturevalue("server")}

    @contextmanager
    def study(name: str) -> Iterator[Warehouse]:
        settings = Settings(study=f"package_{unique}_{name}", **where)
        with Warehouse(settings, patience_s=5) as warehouse:
            warehouse.migrate()
            yield warehouse

    return study


def tell_story(warehouse: Warehouse) -> None:
    write(warehouse, [*STORY, *DECIDED])
    writer.write(
        warehouse,
        (
            writer.paragraph_row(
                video_id,
                TRANSCRIPT,
                position,
                paragraph_id=e.paragraph_id(video_id, TRANSCRIPT, position),
                start_s=position * 10.1,
                end_s=position * 10.1 + 7.3,
                text=text,
                speakers=[f"speaker '{position}'"],
                tokens=len(text),
            )
            for video_id, texts in SAID.items()
            for position, text in enumerate(texts)
        ),
    )


def packed(warehouse: Warehouse, folder: Path, **how: Any) -> Manifest:
    given: dict[str, Any] = {"made_at": MADE_AT, "software": {"groundswell": "0.1.0"}, "settings": {"a": 1}}
    return pack(warehouse, folder, say=lambda _: None, **(given | how))


def unpacked(warehouse: Warehouse, folder: Path) -> tuple[Manifest, int]:
    return unpack(warehouse, blobs_of(warehouse), folder, lambda _: None)


def blobs_of(warehouse: Warehouse) -> Blobs:
    return Blobs(warehouse.settings.blobs_url)


def numbers_of(warehouse: Warehouse) -> dict[str, Any]:
    """Return the results of all views, and the content of the codebook's and corrections' logs."""
    views = (
        *(
            prevalence.prevalence,
            prevalence.themes,
            prevalence.topics,
            prevalence.topic_months,
            prevalence.months,
        ),
        *(prevalence.cooccurrence, genealogy.genealogy, genealogy.drifts, genealogy.health),
        *(alerts.emergences, alerts.alerts),
    )
    said: dict[str, Any] = {view.__name__: view(warehouse) for view in views}
    for topic_id in (1, 2, 3, NEWBORN):
        said[f"videos {topic_id}"] = prevalence.videos(warehouse, topic_id)
        said[f"quotes {topic_id}"] = talk_queries.quotes(warehouse, topic_id)
        said[f"topic {topic_id}"] = genealogy.topic(warehouse, topic_id)
    status = talk_queries.status(warehouse)
    return said | {"status": {name: status[name] for name in status if name != "dead_letters"}}


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def sign(folder: Path) -> None:
    """Rewrite SHA256SUMS to match the changed files, as an attacker would."""
    names = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in names]
    (folder / "SHA256SUMS").write_text("".join(sums))


def held(warehouse: Warehouse) -> int:
    return sum(exchange.rows_in(warehouse, table) for table in TABLES)


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_another_study_gives_the_same_numbers_and_package(
    opened: Any, tmp_path: Path, file_format: exchange.Format
) -> None:
    with opened("a") as study:
        tell_story(study)
        before = numbers_of(study)
        manifest = packed(study, tmp_path / "a", file_format=file_format, with_text=True)
        packed(study, tmp_path / "again", file_format=file_format, with_text=True)
    assert files(tmp_path / "again") == files(tmp_path / "a")
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path / "a", check=True)
    with opened("b") as study:
        assert held(study) == 0
        assert unpacked(study, tmp_path / "a") == (manifest, 4)
        assert numbers_of(study) == before
        packed(study, tmp_path / "b", file_format=file_format, with_text=True)
    one, other = files(tmp_path / "a"), files(tmp_path / "b")
    differs = {name for name in one | other if one.get(name) != other.get(name)}
    assert differs == {"package.json", "SHA256SUMS"}
    assert before["quotes 1"][0]["text"]
    assert (manifest.rows["paragraphs"], manifest.rows["decisions"], manifest.codebook_revision) == (10, 3, 3)


def test_people_go_on_deciding_in_the_other_study(opened: Any, tmp_path: Path) -> None:
    with opened("a") as study:
        tell_story(study)
        packed(study, tmp_path / "a")
    with opened("b") as study:
        unpacked(study, tmp_path / "a")
        decided = [event for event in [*STORY, *DECIDED] if isinstance(event, e.CodebookDecided)]
        corrected = [event for event in [*STORY, *DECIDED] if isinstance(event, e.VideoCorrected)]
        assert list(CodebookLog(blobs_of(study)).events()) == decided
        kept = {event.event_id: event for event in Corrections(blobs_of(study)).events()}
        assert kept == {event.event_id: event for event in corrected}
        judged = [event for event in [*STORY, *DECIDED] if isinstance(event, e.TopicJudged)]
        assert {each.event_id: each for each in Judgements(blobs_of(study)).events()} == {
            each.event_id: each for each in judged
        }
        # What a store would write at its start: nothing that is not there.
        assert missing.corrections(Corrections(blobs_of(study)), study) == []
        assert missing.judgements(Judgements(blobs_of(study)), study) == []


def test_without_text_nothing_of_what_was_said_is_in_the_package(opened: Any, tmp_path: Path) -> None:
    with opened("a") as study:
        tell_story(study)
        before = numbers_of(study)
        packed(study, tmp_path / "a", file_format="csv")
        packed(study, tmp_path / "parquet")
    written = b"".join([*files(tmp_path / "a").values(), *files(tmp_path / "parquet").values()])
    assert not [text for texts in SAID.values() for text in texts[:2] if text.encode() in written]
    assert b"in front of it" not in written
    with opened("b") as study:
        unpacked(study, tmp_path / "parquet")
        after = numbers_of(study)
    for name in before:
        if not name.startswith(("quotes", "topic ", "emergences")):
            assert after[name] == before[name], name
    for topic_id in (1, 3, NEWBORN):
        assert before[f"quotes {topic_id}"]
        silent = [row | {"text": ""} for row in before[f"quotes {topic_id}"]]
        assert after[f"quotes {topic_id}"] == silent
    assert [quote["text"] for row in after["emergences"] for quote in row["quotes"]] == ["", ""]


def test_every_table_and_column_is_explained_or_left_out(study: Warehouse) -> None:
    there = {
        row["name"]
        for row in study.rows(
            "SELECT name FROM system.tables WHERE database = {db:String} AND engine NOT LIKE '%View'",
            db=study.database,
        )
    }
    assert there - {"warm_up"} == (data_dictionary.TABLES.keys() | data_dictionary.LEFT_OUT.keys()) - {
        "warm_up"
    }
    known = exchange.columns(study)
    unexplained = [
        f"{each.table}.{each.name}"
        for of in known.values()
        for each in of
        if not exchange.meaning(each.table, each.name)
    ]
    assert not unexplained
    names = {each.name for of in known.values() for each in of}
    names |= {f"{each.table}.{each.name}" for of in known.values() for each in of}
    assert not data_dictionary.MEANINGS.keys() - names, "explained, but no longer there"
    assert all(any(each.key for each in of) for of in known.values())


def test_the_data_dictionary_has_every_column(study: Warehouse, tmp_path: Path) -> None:
    tell_story(study)
    packed(study, tmp_path / "a")
    known = exchange.columns(study)
    with (tmp_path / "a" / "data-dictionary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["table"], row["column"]) for row in rows if row["column"]} == {
        (each.table, each.name) for of in known.values() for each in of
    }
    assert all(row["meaning"] for row in rows)
    markdown = (tmp_path / "a" / "data-dictionary.md").read_text()
    assert "| **`topic_id`** | `UInt32` | the topic |" in markdown
    assert "corrected time of publication (UTC); redated: the right moment of publication" in markdown


def test_package_json_says_what_made_it_without_secrets(study: Warehouse, tmp_path: Path) -> None:
    tell_story(study)
    packed(study, tmp_path / "a")
    said = json.loads((tmp_path / "a" / "package.json").read_text())
    assert said["format"] == 1
    assert said["study"] == study.database
    assert said["made_at"] == "2025-06-01T08:00:00Z"
    assert said["models"] == [{"model_version": MODEL, "epoch": 0, "embedding_model": "m", "codebook": "c"}]
    assert said["migrations"] == sorted(
        int(path.name.split("_")[0]) for path in (ROOT / "streams/store/migrations").glob("*.sql")
    )
    assert said["software"].keys() == {"groundswell", "clickhouse"}
    assert set(said["rows"]) == set(data_dictionary.TABLES)


def test_an_empty_study_or_a_full_folder_is_not_exported(study: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no talks: name the study"):
        packed(study, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    tell_story(study)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("mine")
    with pytest.raises(DataError, match="mine is not empty: name a new folder"):
        packed(study, tmp_path / "mine")
    with pytest.raises(DataError, match=r"cannot write the package to .*: choose a folder"):
        packed(study, tmp_path / "mine" / "thesis.tex" / "a")
    assert files(tmp_path / "mine") == {"thesis.tex": b"mine"}


def test_an_export_that_fails_leaves_no_files(
    study: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell_story(study)
    monkeypatch.setattr("agents.queries.replication.package._as_markdown", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        packed(study, tmp_path / "a")
    assert files(tmp_path / "a") == {}


def test_a_study_that_holds_something_is_left_alone(opened: Any, tmp_path: Path) -> None:
    with opened("a") as study:
        tell_story(study)
        packed(study, tmp_path / "a")
        before = held(study)
        with pytest.raises(Misconfigured, match=r"already has 4 talks: name a new study: .*--study NAME"):
            unpacked(study, tmp_path / "a")
        assert held(study) == before
    with opened("c") as study:
        write(study, STORY[:1])
        with pytest.raises(Misconfigured, match=r"is not empty \(topics, topic_words, codebook_entries\)"):
            unpacked(study, tmp_path / "a")
    with opened("d") as study:
        CodebookLog(blobs_of(study)).append(next(ev for ev in STORY if isinstance(ev, e.CodebookDecided)))
        with pytest.raises(Misconfigured, match=r"already has decisions in"):
            unpacked(study, tmp_path / "a")
        assert held(study) == 0


def lines_of(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


DAMAGES: dict[str, tuple[Callable[[Path], None], bool, str]] = {
    "a changed byte": (
        lambda of: lines_of(of / "topics.csv", lambda text: text.replace("born", "bore")),
        False,
        "topics.csv has changed since the package was made",
    ),
    "a missing file": (lambda of: (of / "merges.csv").unlink(), False, "merges.csv is missing"),
    "a missing file, well signed": (
        lambda of: (of / "merges.csv").unlink(),
        True,
        "SHA256SUMS does not list merges.csv",
    ),
    "no sums": (lambda of: (of / "SHA256SUMS").unlink(), False, "is not a package: SHA256SUMS"),
    "sums of other folders": (
        lambda of: lines_of(of / "SHA256SUMS", lambda text: text.replace("  ", "  ../", 1)),
        False,
        "SHA256SUMS is damaged at line 1",
    ),
    "another format": (
        lambda of: lines_of(of / "package.json", lambda text: text.replace('"format": 1', '"format": 2')),
        True,
        "package.json has format 2, but this groundswell reads format 1",
    ),
    "no JSON": (lambda of: lines_of(of / "package.json", lambda text: text[1:]), True, "is damaged"),
    "no study": (
        lambda of: lines_of(of / "package.json", lambda text: text.replace('"study"', '"name"')),
        True,
        r"package.json is damaged \(study: Field required\)",
    ),
    "fewer rows": (
        lambda of: lines_of(of / "videos.csv", lambda text: text.rsplit("\n", 2)[0] + "\n"),
        True,
        "videos.csv has 5 rows, but package.json says 6",
    ),
    "a missing column": (
        lambda of: lines_of(of / "assignments.csv", lambda text: text.replace('"month"', '"mnth"')),
        True,
        "assignments.csv: column month of table assignments is missing",
    ),
    "an unknown column": (
        lambda of: lines_of(of / "epochs.csv", lambda text: text.replace("\n", ',"more"\n')),
        True,
        "epochs.csv: table epochs has no column more",
    ),
    "a wrong type": (
        lambda of: lines_of(of / "alerts.csv", lambda text: text.replace(f",{NEWBORN},", ',"x",')),
        True,
        "alerts.csv: column topic_id of table alerts is not UInt32",
    ),
}


@pytest.fixture(scope="module")
def whole(copied: Callable[[], Settings], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a valid package in CSV."""
    folder = tmp_path_factory.mktemp("whole") / "a"
    with Warehouse(copied()) as study:
        tell_story(study)
        packed(study, folder, file_format="csv")
    return folder


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_package_is_refused_and_nothing_changes(
    whole: Path, study: Warehouse, tmp_path: Path, damage: str
) -> None:
    change, signed, words = DAMAGES[damage]
    shutil.copytree(whole, tmp_path / "a")
    change(tmp_path / "a")
    if signed:
        sign(tmp_path / "a")
    with pytest.raises(Explained, match=words):
        unpacked(study, tmp_path / "a")
    assert held(study) == 0
    assert CodebookLog(blobs_of(study)).latest() == 0


@pytest.mark.parametrize(
    ("select", "words"),
    [
        ("* EXCEPT (day)", "merges.parquet: column day of table merges is missing"),
        ("*, 1 AS more", "merges.parquet: table merges has no column more"),
        ("* REPLACE (toString(target) AS target)", "column target of table merges is String, not UInt32"),
        ("* REPLACE (toInt64(sequence) AS sequence)", "column sequence of table merges is Int64, not UInt64"),
        ("", "merges.parquet: it is not a Parquet file"),
    ],
)
def test_a_parquet_file_of_another_shape_is_refused(
    opened: Any, tmp_path: Path, select: str, words: str
) -> None:
    with opened("a") as study:
        tell_story(study)
        packed(study, tmp_path / "a")
        wrong = b"PAR1"
        if select:
            wrong = study.raw(
                lambda client: client.raw_query(f"SELECT {select} FROM merges FINAL", fmt="Parquet")
            )
    (tmp_path / "a" / "merges.parquet").write_bytes(wrong)
    sign(tmp_path / "a")
    with opened("b") as study:
        with pytest.raises(DataError, match=words):
            unpacked(study, tmp_path / "a")
        assert held(study) == 0
