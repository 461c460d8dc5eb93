"""The database agrees with the events, however often and in whatever order they are written."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from event_factories import (
    BLOB,
    GOLDEN,
    MODEL,
    NEWBORN,
    NOON,
    STORY,
    TRANSCRIPT,
    assigned,
    dead_letter,
    empty,
    held,
    newborn,
    numbers,
    path_of,
    seen,
    settled,
    shares,
    topic,
    video,
    write,
)
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from agents.consumer.consumer import Position
from agents.storage.store import Store
from models.transcripts.paragraphs import Paragraph, Paragraphs
from streams import events as e
from streams.errors import Misconfigured
from streams.kafka import codec
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import writer
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.operations import sightings
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.talks import talk_queries
from streams.store.warehouse import MIGRATIONS, Warehouse


@pytest.mark.long
def test_a_story_written_twice_is_written_once(either: Warehouse) -> None:
    write(either, STORY)
    once = held(either)
    assert all(once[table] for table in writer.ORDER if table != "paragraphs")
    write(either, STORY)
    assert held(either) == once
    for event in STORY:  # each by itself, as after a restart that got no further
        write(either, [event])
    assert held(either) == once


def test_prevalence_is_what_its_definition_says(either: Warehouse) -> None:
    """Topics 1 and 2 are in one theme, topic 3 in another; a talk without a topic is not counted."""
    write(either, [topic(1, "Architecture"), topic(2, "Architecture"), topic(3, "Evaluation"), topic(4)])
    write(
        either,
        [
            assigned(0, video("both"), 1, 2, 1, None),  # twice in the theme, counted once
            assigned(1, video("rag"), 1, 3),
            assigned(2, video("evaluation"), None, 3, 3),
            assigned(3, video("nothing"), None, None),  # not in the denominator
            assigned(4, video("wordless")),  # without a paragraph
            assigned(5, video("unsorted"), 4),
            # 0:30 on the first of April in Athens is still March in UTC; 23:30 in New York is April.
            assigned(6, video("athens", datetime.fromisoformat("2025-04-01T00:30:00+03:00")), 2),
            assigned(7, video("york", datetime.fromisoformat("2025-03-31T23:30:00-04:00")), 3),
        ],
    )
    assert shares(prevalence.prevalence(either), "month", "theme") == {
        ("2025-03", "Architecture"): (3, 5),
        ("2025-03", "Evaluation"): (2, 5),
        ("2025-03", UNSORTED): (1, 5),
        ("2025-04", "Evaluation"): (1, 1),
    }
    assert shares(prevalence.themes(either), "theme") == {
        "Architecture": (3, 6),
        "Evaluation": (3, 6),
        UNSORTED: (1, 6),
    }
    assert [row["share"] for row in prevalence.themes(either)] == [3 / 6, 3 / 6, 1 / 6]
    assert shares(prevalence.topics(either), "topic_id") == {1: (2, 6), 2: (2, 6), 3: (3, 6), 4: (1, 6)}
    assert shares(prevalence.themes(either, Selection("2025-04", "2025-04")), "theme") == {
        "Evaluation": (1, 1)
    }
    assert {(row["topic_id"], row["other_id"]): row["videos"] for row in prevalence.cooccurrence(either)} == {
        (1, 2): 1,
        (1, 3): 1,
    }


@pytest.mark.long
def test_the_story_in_any_order_and_any_blocks_is_the_same(study: Warehouse) -> None:
    write(study, STORY)
    told_once = held(study)

    @settings(
        max_examples=10,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],  # shrinking an order of forty events takes minutes and says little more
    )
    @given(data=st.data())
    def any_order_and_any_blocks_say_the_same(data: st.DataObject) -> None:
        again = data.draw(st.lists(st.sampled_from(range(len(STORY))), max_size=10), label="repeated")
        order = data.draw(st.permutations([*range(len(STORY)), *again]), label="order")
        size = data.draw(st.integers(1, len(order)), label="block")
        empty(study)
        for start in range(0, len(order), size):
            write(study, [STORY[number] for number in order[start : start + size]])
        assert held(study) == told_once

    any_order_and_any_blocks_say_the_same()


def test_a_paragraph_moving_to_a_newborn_leaves_its_old_topic(study: Warehouse) -> None:
    talks = [assigned(0, video("a"), 1, None), assigned(1, video("b"), 1), assigned(2, video("c"), NEWBORN)]
    birth = newborn(3, (0, "a", 0, NEWBORN), (0, "a", 1, NEWBORN))
    for events in ([topic(1), *talks, birth], [birth, *reversed(talks), topic(1)]):
        empty(study)
        write(study, events)
        assert shares(prevalence.topics(study), "topic_id") == {1: (1, 3), NEWBORN: (2, 3)}
        for topic_id, video_ids in ((1, {"b"}), (NEWBORN, {"a", "c"})):
            assert {row["video_id"] for row in prevalence.videos(study, topic_id)} == video_ids


def test_a_founder_has_the_topic_that_its_event_says(study: Warehouse) -> None:
    """After a birth, a founder may still be nearer to another topic, or to none."""
    write(study, [topic(1), topic(2), assigned(0, video("a"), 1, 1, None)])
    write(study, [newborn(2, (0, "a", 0, NEWBORN), (0, "a", 1, None), (0, "a", 2, 2))])
    rows = study.rows("SELECT paragraph_id, topic_id, sequence FROM assignments FINAL")
    assert {row["paragraph_id"]: (row["topic_id"], row["sequence"]) for row in rows} == {
        e.paragraph_id("a", TRANSCRIPT, 0): (NEWBORN, 2),
        e.paragraph_id("a", TRANSCRIPT, 1): (writer.NO_TOPIC, 2),
        e.paragraph_id("a", TRANSCRIPT, 2): (2, 2),
    }


def test_a_redated_talk_counts_in_its_new_year_only(study: Warehouse) -> None:
    """Tables are partitioned by year: a paragraph in two partitions still counts once."""
    write(study, [topic(1), assigned(0, video("a", datetime(2023, 5, 1, tzinfo=UTC)), 1)])
    write(study, [assigned(0, video("a"), 1, sequence=2)])
    assert shares(prevalence.prevalence(study), "month") == {"2025-03": (1, 1)}


@pytest.mark.long
def test_a_rejection_after_acceptance_stands_in_either_order(study: Warehouse) -> None:
    """Tested with one talk for every order in which its facts can arrive."""

    def told(name: str) -> list[e.Event]:
        english = video(name, language="en")
        return [
            seen(video(name)),
            e.VideoAccepted(video=english),
            e.AudioStored(video=english, audio=BLOB),
            e.VideoRejected(video=video(name, language="fr"), rule="language", reason="it is spoken in fr"),
        ]

    orders = list(itertools.permutations(range(4)))
    for step in range(4):  # a block each, with one fact of every talk
        write(study, [told(f"v{number}")[order[step]] for number, order in enumerate(orders)])
    screenings = study.rows("SELECT verdict, rule FROM screenings FINAL")
    assert screenings == [{"verdict": "rejected", "rule": "language"}] * len(orders)
    assert study.rows("SELECT language FROM videos FINAL") == [{"language": "fr"}] * len(orders)
    status = talk_queries.status(study)
    assert status["states"] == {"rejected": len(orders)}
    assert status["rejections"] == {"language": len(orders)}


def test_another_sighting_does_not_undo_what_screening_completed(study: Warehouse) -> None:
    complete = video("a", duration_s=900.0, language="en", description="All of it.")
    for events in itertools.permutations([seen(video("a")), e.VideoAccepted(video=complete)]):
        empty(study)
        for event in events:
            write(study, [event])
        (kept,) = study.rows("SELECT duration_s, language, description FROM videos FINAL")
        assert tuple(kept.values()) == (900.0, "en", "All of it.")


def test_a_sighting_keeps_its_best_rank_and_its_first_moment(study: Warehouse) -> None:
    unranked = e.VideoSeen(
        video=video("a"), sighting=e.Sighting(source_id="ingest", kind="file", seen_at=NOON)
    )
    write(study, [seen(video("a"), rank=3, minutes=9), seen(video("a"), rank=1, minutes=20)])
    write(study, [seen(video("a"), rank=8, minutes=4), seen(video("a"), "search-1", rank=2), unranked])
    rows = study.rows("SELECT source_id, rank, first_seen_at FROM sightings FINAL ORDER BY source_id")
    assert [tuple(row.values()) for row in rows] == [
        ("channel-1", 1, NOON + timedelta(minutes=4)),
        ("ingest", None, NOON),
        ("search-1", 2, NOON),
    ]
    assert sightings.shown_by(study, "search-1") == {"a": {"": NOON}}
    assert sightings.shown_by(study, "search") == {}


class Watched(Warehouse):
    """A warehouse that records the columns that were written."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.columns: dict[str, set[str]] = {}

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        for row in rows:
            assert set(row) == set(rows[0]), f"rows of {table} with other columns than the block's first"
            self.columns.setdefault(table, set(row))
            assert set(row) == self.columns[table], f"rows of {table} differ in their columns"
        super().insert(table, rows)


async def test_every_event_is_written_and_no_column_left_to_default(chdb_home: Path, tmp_path: Path) -> None:
    """The agent `store` handles one event of each kind and version."""
    blobs = Blobs(str(tmp_path))
    spoken = Paragraph(position=0, start=0.5, end=9.5, text="We chunk.", speakers=("Ann",), tokens=4)
    artefact = Paragraphs(
        paragraphs=(spoken,), embeddings=np.ones((1, 4), np.float32) / 2, embedding_model="m"
    )
    blob = blobs.put("paragraphs/a.zip", artefact.dump())
    with Watched(Settings(home=chdb_home, study=f"contract_{next(numbers)}")) as warehouse:
        store = Store(warehouse, blobs)
        await store.start()
        warehouse.columns.clear()
        at = Position("log", "topic", 0, 0)
        assert {path.name.split(".")[0] for path in GOLDEN} == set(codec.KINDS)
        for path in GOLDEN:
            event = codec.decode(path.read_bytes())
            if isinstance(event, e.ParagraphsEmbedded):
                event = event.model_copy(update={"paragraphs": blob})
            assert await store.handle(event, at) == ()
        await store.commit()
        there = warehouse.rows(
            """
            SELECT table, name FROM system.columns WHERE database = {db:String} AND table IN
                (SELECT name FROM system.tables WHERE database = {db:String} AND engine LIKE '%MergeTree')
            """,
            db=warehouse.database,
        )
        tables: dict[str, set[str]] = {}
        for row in there:
            tables.setdefault(row["table"], set()).add(row["name"])
        assert tables.pop("schema_versions")
        assert tables.pop("video_topics")  # made of the others
        assert warehouse.columns == tables
        assert set(writer.ORDER) == set(tables)
        (paragraph,) = warehouse.rows("SELECT * FROM paragraphs FINAL")
        assert paragraph == {
            "video_id": "abc",
            "transcript_version": "w-1",
            "position": 0,
            "paragraph_id": e.paragraph_id("abc", "w-1", 0),
            "start_s": 0.5,
            "end_s": 9.5,
            "text": "We chunk.",
            "speakers": ["Ann"],
            "tokens": 4,
        }


@pytest.mark.long
@pytest.mark.parametrize("table", ["videos", "assignments", "progress"])
def test_a_video_is_not_called_done_before_all_of_it_is_stored(study: Warehouse, table: str) -> None:
    class CutOff(Warehouse):
        def insert(self, into: str, rows: Sequence[Mapping[str, Any]]) -> None:
            if into == table:
                raise ConnectionError("the cable")
            study.insert(into, rows)

    with pytest.raises(ConnectionError):
        write(CutOff(study.settings), STORY)
    assert talk_queries.status(study)["states"] == {}
    write(study, STORY)
    after_all = held(study)
    empty(study)
    write(study, STORY)
    assert held(study) == after_all


def test_an_unretained_topic_leaves_numerator_and_denominator(study: Warehouse) -> None:
    write(study, [topic(1, "Architecture"), topic(2, "Architecture"), topic(3, "Evaluation")])
    write(study, [assigned(0, video("a"), 1, 3), assigned(1, video("b"), 2), assigned(2, video("c"), 1)])
    before = held(study)
    assert shares(prevalence.themes(study), "theme") == {"Architecture": (3, 3), "Evaluation": (1, 3)}

    _curate(study, 1, retained=0, revision=1)
    assert shares(prevalence.themes(study), "theme") == {"Architecture": (1, 2), "Evaluation": (1, 2)}
    assert shares(prevalence.prevalence(study), "theme") == {"Architecture": (1, 2), "Evaluation": (1, 2)}
    assert shares(prevalence.topics(study), "topic_id") == {2: (1, 2), 3: (1, 2)}
    assert prevalence.cooccurrence(study) == []
    assert {row["topic_id"] for row in prevalence.topic_months(study)} == {2, 3}

    # A tracker that starts tells its topics again; that does not undo what a person decided.
    write(study, [topic(1, "Architecture")])
    assert shares(prevalence.themes(study), "theme") == {"Architecture": (1, 2), "Evaluation": (1, 2)}

    _curate(study, 1, retained=1, revision=2, theme="Architecture")
    assert {view: rows for view, rows in held(study).items() if "view" in view} == {
        view: rows for view, rows in before.items() if "view" in view
    }


def _curate(warehouse: Warehouse, topic_id: int, **decided: Any) -> None:
    row = {"model_version": MODEL, "topic_id": topic_id, "name": f"topic {topic_id}", "theme": ""}
    warehouse.insert("codebook_entries", [row | decided])


def test_of_two_models_the_one_that_learned_more_is_shown(study: Warehouse) -> None:
    write(study, [topic(1, "Architecture"), assigned(0, video("a"), 1), assigned(1, video("b"), 1)])
    changed = e.TopicChanged(model_version=MODEL, topic_id=1, sequence=2, label="topic 1")
    rebuilt = [
        event.model_copy(update={"model_version": "model-2"})
        for event in (topic(1, "Evaluation"), assigned(0, video("a"), 1))
    ]
    write(study, [changed, *rebuilt])
    assert shares(prevalence.themes(study), "theme") == {"Architecture": (2, 2)}
    write(study, [changed.model_copy(update={"model_version": "model-2", "sequence": 3})])
    assert shares(prevalence.themes(study), "theme") == {"Evaluation": (1, 1)}


@pytest.mark.long
def test_migrations_are_applied_once_and_missing_ones_are_named(chdb_home: Path) -> None:
    known = sorted(int(path.name.split("_")[0]) for path in MIGRATIONS.glob("*.sql"))
    with Warehouse(Settings(home=chdb_home, study=f"contract_{next(numbers)}")) as warehouse:
        assert warehouse.missing_migrations() == known
        assert warehouse.missing_migrations() == known  # asking changes nothing
        assert warehouse.migrate() == known
        assert warehouse.missing_migrations() == []
        write(warehouse, STORY)
        stored = held(warehouse)
        assert warehouse.migrate() == []
        warehouse.command(f"DELETE FROM schema_versions WHERE version = {known[-1]}")
        assert warehouse.missing_migrations() == known[-1:]
        assert warehouse.migrate() == known[-1:]  # killed before it wrote that down: again, without harm
        assert held(warehouse) == stored


def test_new_tables_are_created_to_wait_for_the_disk(chdb_home: Path) -> None:
    class Recorded(Warehouse):
        def command(self, statement: str, **parameters: Any) -> None:
            commands.append(statement)
            super().command(statement, **parameters)

    commands: list[str] = []
    with Recorded(Settings(home=chdb_home, study="durable")) as new:
        new.migrate()
        assert _unsafe(new) == [] and commands == [], "nothing was altered afterwards"


def test_every_table_waits_for_the_disk(study: Warehouse) -> None:
    study.migrate()
    study.command("ALTER TABLE videos RESET SETTING fsync_after_insert, fsync_part_directory")
    assert _unsafe(study) == ["videos"]
    study.migrate()
    assert _unsafe(study) == []


def _unsafe(study: Warehouse) -> list[str]:
    """Return the names of the tables into which an insert returns before its rows are on the disk."""
    rows = study.rows(
        """
        SELECT name, extract(engine_full, 'fsync_after_insert = (.)') AS insert,
               extract(engine_full, 'fsync_part_directory = (.)') AS directory
        FROM system.tables WHERE database = {db:String} AND engine LIKE '%MergeTree' ORDER BY name
        """,
        db=study.database,
    )
    assert len(rows) > 30
    return [row["name"] for row in rows if (row["insert"], row["directory"]) != ("1", "1")]


@pytest.mark.long
def test_workers_that_migrate_at_once_do_no_harm(server: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, study=f"contract_{next(numbers)}", clickhouse=server)

    def migrate(_: int) -> None:
        with Warehouse(settings, patience_s=5) as warehouse:
            warehouse.migrate()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, range(4)))
    with Warehouse(settings, patience_s=5) as warehouse:
        assert (warehouse.missing_migrations(), warehouse.migrate()) == ([], [])
        write(warehouse, STORY)
        assert talk_queries.status(warehouse)["states"]["assigned"] == 3


def test_tables_of_another_groundswell_are_refused_with_the_cure(study: Warehouse) -> None:
    study.command("ALTER TABLE schema_versions UPDATE md5 = 'another' WHERE version = 1")
    with pytest.raises(Misconfigured, match=r"do not fit this version of groundswell.*new study name"):
        study.migrate()


def test_a_video_is_finished_when_nothing_remains_to_be_done(study: Warehouse) -> None:
    letters = {name: dead_letter(number, name) for number, name in enumerate(("waits", "gone", "again"))}
    write(
        study,
        [
            *(seen(video(name)) for name in ("done", "refused", "under way", "waits", "gone", "again")),
            e.VideoAccepted(video=video("under way")),
            e.VideoRejected(video=video("refused"), rule="too short", reason="it lasts 9 s"),
            assigned(0, video("done"), 1),
            *letters.values(),
            dead_letter(8, None),
            settled(letters["gone"], "dropped"),
            settled(letters["again"], "replayed"),
        ],
    )
    assert talk_queries.finished_videos(study) == {"done", "refused", "waits", "gone"}
    assert talk_queries.known_videos(study) == {"done", "refused", "under way", "waits", "gone", "again"}
    assert talk_queries.status(study)["dead_letters"] == 2
    assert {row["video_id"] for row in talk_queries.dead_letters(study)} == {"waits", None}
    assert {
        (row["video_id"], row["settlement"]) for row in talk_queries.dead_letters(study, settled=True)
    } == {
        *(("waits", ""), (None, "")),
        *(("gone", "dropped"), ("again", "replayed")),
    }
    # It failed again, after it was replayed: another letter, and that one waits.
    write(study, [dead_letter(9, "again")])
    assert "again" in talk_queries.finished_videos(study)


def test_a_finished_video_is_complete_when_every_fact_is_stored(study: Warehouse) -> None:
    """If killed while the store is ahead in one topic, the embedded broker loses the other topics' events."""
    of = video("a")
    paragraph = writer.paragraph_row(
        "a",
        TRANSCRIPT,
        0,
        paragraph_id=e.paragraph_id("a", TRANSCRIPT, 0),
        start_s=0.0,
        end_s=9.5,
        text="We chunk.",
        speakers=["Ann"],
        tokens=4,
    )
    ready = e.TranscriptReady(
        video=of,
        transcript=BLOB,
        transcript_version=TRANSCRIPT,
        language="en",
        duration_s=60.0,
        words=9,
        speakers=1,
    )
    epoch = e.EpochBegun(model_version=MODEL, sequence=0, epoch=0, embedding_model="m", codebook="c")
    last = [row for event in (epoch, assigned(0, of, 1)) for row in writer.rows_of(event)]
    earlier = [
        list(writer.rows_of(seen(of))),
        list(writer.rows_of(e.VideoAccepted(video=of))),
        list(writer.rows_of(ready)),
        [paragraph],
    ]
    for late in earlier:
        empty(study)
        writer.write(study, last)
        for rows in earlier:
            if rows is not late:
                writer.write(study, rows)
        assert talk_queries.finished_videos(study) == {"a"}
        assert talk_queries.complete_videos(study) == set(), f"nobody would bring {late[0][0]} again"
        writer.write(study, late)
        assert talk_queries.complete_videos(study) == {"a"}


def test_a_silent_or_rejected_video_is_complete_too(study: Warehouse) -> None:
    ready = e.TranscriptReady(
        video=video("silent"),
        transcript=BLOB,
        transcript_version=TRANSCRIPT,
        language="en",
        duration_s=60.0,
        words=0,
        speakers=0,
    )
    refused = e.VideoRejected(video=video("refused"), rule="too short", reason="it lasts 9 s")
    write(study, [seen(video("silent")), e.VideoAccepted(video=video("silent")), ready])
    write(study, [assigned(0, video("silent")), refused, dead_letter(0, "broken")])
    assert talk_queries.complete_videos(study) == {"silent", "broken"}
    write(study, [seen(video("refused"))])
    assert talk_queries.complete_videos(study) == {"silent", "broken", "refused"}


def test_the_last_decision_on_a_dead_letter_holds_in_any_order(study: Warehouse) -> None:
    letter = dead_letter(0, "a")
    later = settled(letter, "replayed").model_copy(update={"settled_at": NOON + timedelta(hours=1)})
    for events in itertools.permutations([letter, settled(letter, "dropped"), later]):
        empty(study)
        for event in events:
            write(study, [event])
        assert talk_queries.finished_videos(study) == set()
        (row,) = talk_queries.dead_letters(study, settled=True)
        assert row["settlement"] == "replayed"


HOSTILE = (
    "'; DROP TABLE videos; --",
    '" OR 1 = 1 --',
    "{first:Date} {id:String} %(id)s %s :id ?",
    "back\\slash \\' \\N `tick` \t \n \r end",
    "سلام 🎤 \u202e",
    "%",
)


@pytest.mark.long
@pytest.mark.parametrize("text", HOSTILE)
def test_sql_in_an_id_or_a_title_is_data(either: Warehouse, text: str) -> None:
    hostile = e.Video(
        video_id=text, title=text, description=text, channel=text, show=text, url=text, published_at=NOON
    ).model_copy(update={"speakers": (text, "Ann")})
    letter = dead_letter(0, text).model_copy(update={"cause": text, "message_key": text})
    write(
        either,
        [
            topic(1, text),
            *path_of(0, hostile, 1, None),
            seen(hostile, text),
            seen(video("plain"), "channel-2"),
            e.VideoRejected(video=video("plain"), rule="language", reason=text),
            letter,
            settled(letter, "replayed"),
        ],
    )
    paragraph = writer.paragraph_row(
        text,
        TRANSCRIPT,
        0,
        paragraph_id=e.paragraph_id(text, TRANSCRIPT, 0),
        start_s=0.0,
        end_s=1.0,
        text=text,
        speakers=[text],
        tokens=1,
    )
    writer.write(either, [paragraph])
    kept = next(row for row in either.rows("SELECT * FROM videos FINAL") if row["video_id"] != "plain")
    for name in ("video_id", "title", "description", "channel", "show", "url"):
        assert kept[name] == text
    assert kept["speakers"] == [text, "Ann"]
    assert talk_queries.known_videos(either) == {text, "plain"}
    assert set(sightings.shown_by(either, text)) == {text}
    assert set(sightings.shown_by(either, "channel-2")) == {"plain"}
    assert sightings.known(either, [text, "plain"])[text]["title"] == text
    assert shares(prevalence.themes(either), "theme") == {text: (1, 1)}
    (quote,) = talk_queries.quotes(either, 1)
    assert (quote["title"], quote["text"], quote["speakers"]) == (text, text, [text])
    found = talk_queries.dead_letter(either, letter.event_id[:10])
    assert found is not None
    assert (found["video_id"], found["cause"], found["message_key"]) == (text, text, text)
    assert talk_queries.dead_letter(either, text) is None
    assert talk_queries.finished_videos(either) == {text, "plain"}
