"""Numbers follow every correction of a talk, and no talk is counted twice."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from event_factories import (
    MODEL,
    NEWBORN,
    NOON,
    TRANSCRIPT,
    assigned,
    empty,
    numbers,
    path_of,
    shares,
    topic,
    video,
    write,
)
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from agents.cli.study import videos
from streams import events as e
from streams.logs.corrections import Corrections
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import missing, writer
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.talks import talk_queries, talks
from streams.store.warehouse import Warehouse
from tests.conftest import Hold

pytestmark = pytest.mark.long

Fact = list[tuple[str, writer.Columns]]
"""The rows of one message."""
ANOTHER, NEXT_MODEL = "whisper-2", "model-1-e1"
MAY, LAST_YEAR = datetime(2025, 5, 31, 23, 30, tzinfo=UTC), datetime(2024, 12, 31, 20, tzinfo=UTC)
FEW = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking an order of thirty facts takes minutes and says little more
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def fact(event: e.Event) -> Fact:
    return list(writer.rows_of(event))


def spoken(video_id: str, version: str, minutes: Sequence[float], speaker: str = "Ann") -> Fact:
    """Return the paragraphs of a transcript; `minutes`: the length of each."""
    return [
        writer.paragraph_row(
            video_id,
            version,
            position,
            paragraph_id=e.paragraph_id(video_id, version, position),
            start_s=60.0 * sum(minutes[:position]),
            end_s=60.0 * sum(minutes[: position + 1]),
            text=f"{video_id} says this in {version} at {position}",
            speakers=[speaker],
            tokens=7,
        )
        for position in range(len(minutes))
    ]


def learned(
    of: e.Video, sequence: int, *topics: int | None, version: str = TRANSCRIPT, model: str = MODEL
) -> e.ParagraphsAssigned:
    """Return the assignments of a model that learned a transcript as its step `sequence`."""
    return e.ParagraphsAssigned(
        video=of,
        video_index=0,
        model_version=model,
        transcript_version=version,
        sequence=sequence,
        assignments=tuple(
            e.AssignedParagraph(
                paragraph_id=e.paragraph_id(of.video_id, version, position),
                topic_id=topic_id,
                probability=0.5,
            )
            for position, topic_id in enumerate(topics)
        ),
    )


def corrected(
    video_id: str, what: Any, minutes: int, published_at: datetime | None = None
) -> e.VideoCorrected:
    return e.VideoCorrected(
        video_id=video_id,
        what=what,
        published_at=published_at,
        reason=f"{what} for the test",
        author="ann",
        corrected_at=NOON + timedelta(minutes=minutes),
    )


def tell(warehouse: Warehouse, facts: Iterable[Fact]) -> None:
    """Write facts, each as a separate block."""
    for each in facts:
        writer.write(warehouse, each)


def every_number(warehouse: Warehouse) -> dict[str, Any]:
    """Return all counts, and the talks behind them."""
    counted: dict[str, Any] = {
        view.__name__: view(warehouse)
        for view in (
            prevalence.themes,
            prevalence.topics,
            prevalence.prevalence,
            prevalence.topic_months,
            prevalence.months,
            prevalence.cooccurrence,
        )
    }
    known = [row["topic_id"] for row in counted["topics"]]
    return counted | {
        "videos": {topic_id: prevalence.videos(warehouse, topic_id) for topic_id in known},
        "quotes": {topic_id: talk_queries.quotes(warehouse, topic_id) for topic_id in known},
    }


def told(warehouse: Warehouse, facts: Iterable[Fact]) -> dict[str, Any]:
    """Return all counts of a study with exactly these facts."""
    empty(warehouse)
    tell(warehouse, facts)
    return every_number(warehouse)


BOOK = [topic(1, "Architecture"), topic(2, "Architecture"), topic(3, "Evaluation")]
TALKS = [
    *path_of(0, video("a"), 1, 1, 3),
    *path_of(1, video("b"), 1, 2),
    *path_of(2, video("c", datetime(2025, 4, 1, tzinfo=UTC)), 3, None),
]


@pytest.fixture
def corpus(either: Warehouse) -> Warehouse:
    """Return a study of three talks: two of March 2025, one of April."""
    for of, count in (("a", 3), ("b", 2), ("c", 2)):
        tell(either, [spoken(of, TRANSCRIPT, [1.0] * count)])
    write(either, [*BOOK, *TALKS])
    return either


def test_a_withdrawn_talk_leaves_all_numbers_until_restored(corpus: Warehouse) -> None:
    before = every_number(corpus)
    assert shares(before["themes"], "theme") == {"Architecture": (2, 3), "Evaluation": (2, 3)}

    write(corpus, [corrected("a", "withdrawn", 1)])
    without = every_number(corpus)
    assert shares(without["themes"], "theme") == {"Architecture": (1, 2), "Evaluation": (1, 2)}
    assert shares(without["topics"], "topic_id") == {1: (1, 2), 2: (1, 2), 3: (1, 2)}
    assert without["months"] == [{"month": "2025-03", "of_videos": 1}, {"month": "2025-04", "of_videos": 1}]
    assert {(row["topic_id"], row["other_id"]) for row in without["cooccurrence"]} == {(1, 2)}
    assert [row["video_id"] for row in without["videos"][1]] == ["b"]
    assert "'a'" not in repr(without["quotes"])

    write(corpus, [corrected("a", "restored", 2)])
    assert every_number(corpus) == before
    write(corpus, [corrected("a", "withdrawn", 1)])  # an old message that comes again
    assert every_number(corpus) == before
    write(corpus, [corrected("a", "withdrawn", 3)])
    assert every_number(corpus) == without


@pytest.mark.parametrize(("moment", "month"), [(MAY, "2025-05"), (LAST_YEAR, "2024-12")])
def test_a_redated_talk_moves_to_its_month_and_counts_once(
    corpus: Warehouse, moment: datetime, month: str
) -> None:
    before = every_number(corpus)
    write(corpus, [corrected("a", "redated", 1, moment)])
    said = [quote for quote in talk_queries.quotes(corpus, 1, limit=9) if quote["video_id"] == "a"]
    assert {quote["published_at"].date() for quote in said} == {moment.date()}
    after = every_number(corpus)
    assert {row["month"]: row["of_videos"] for row in after["months"]} == {
        month: 1,
        "2025-03": 1,
        "2025-04": 1,
    }
    assert shares(after["prevalence"], "month", "theme")[month, "Architecture"] == (1, 1)
    assert shares(after["prevalence"], "month", "theme")["2025-03", "Architecture"] == (1, 1)
    for view in ("themes", "topics", "cooccurrence"):  # a period that holds both does not notice
        assert after[view] == before[view]
    assert prevalence.themes(corpus, Selection(month, month)) != []
    assert [row["published_on"] for row in after["videos"][1] if row["video_id"] == "a"] == [moment.date()]

    write(corpus, [corrected("a", "redated", 2, NOON)])
    assert every_number(corpus) == before


def test_a_talk_redated_by_its_source_is_counted_once(corpus: Warehouse) -> None:
    """The talk is learned again with its new date; tables are partitioned by year: both have its rows."""
    of = video("a", LAST_YEAR)
    write(corpus, [e.VideoAccepted(video=of), learned(of, 9, 1, 1, 3)])
    months = {row["month"]: row["of_videos"] for row in prevalence.months(corpus)}
    assert months == {"2024-12": 1, "2025-03": 1, "2025-04": 1}
    assert shares(prevalence.themes(corpus), "theme") == {"Architecture": (2, 3), "Evaluation": (2, 3)}
    assert sum(row["paragraphs"] for row in prevalence.topics(corpus)) == 6


def test_a_correction_made_before_the_talk_arrives_holds(either: Warehouse) -> None:
    write(either, [*BOOK, corrected("a", "withdrawn", 1), corrected("b", "redated", 2, MAY)])
    write(either, TALKS)
    assert {row["month"]: row["of_videos"] for row in prevalence.months(either)} == {
        "2025-05": 1,
        "2025-04": 1,
    }
    assert shares(prevalence.topics(either), "topic_id") == {1: (1, 2), 2: (1, 2), 3: (1, 2)}


A = video("a")


def retranscribed(video_id: str) -> list[Fact]:
    """Return the facts of a talk's transcript with topics, and of a later transcript of the same talk."""
    of = video(video_id)
    return [
        spoken(video_id, TRANSCRIPT, [1, 2, 4]),
        fact(learned(of, 1, 1, 1, 2)),
        spoken(video_id, ANOTHER, [8, 16], speaker="Bo"),
        fact(learned(of, 2, 3, 1, version=ANOTHER)),
    ]


def test_a_talk_transcribed_again_counts_by_new_paragraphs_only(study: Warehouse) -> None:
    """Tested with one talk for every order in which its facts can arrive, and then in reverse order."""
    write(study, BOOK)
    orders = [[*order] for order in itertools.permutations(range(4))]
    both = [retranscribed(f"v{number}") for number in range(len(orders))]
    for direction in (1, -1):
        for step in range(4):  # a block each, with one fact of every talk
            facts = [of[order[::direction][step]] for order, of in zip(orders, both, strict=True)]
            tell(study, [list(itertools.chain(*facts))])
        found = {row["topic_id"]: (row["videos"], row["minutes"]) for row in prevalence.topics(study)}
        assert found == {3: (24, 24 * 8.0), 1: (24, 24 * 16.0), 2: (0, 0.0)}
    assert prevalence.themes(study, Selection(speaker="Ann")) == []
    assert shares(prevalence.themes(study, Selection(speaker="Bo")), "theme")["Evaluation"] == (24, 24)


def test_a_topic_does_not_bring_an_old_transcript_back(
    study: Warehouse,
) -> None:
    """The model still has the paragraphs of the first transcript, and founds a topic on them later."""
    founded = e.TopicBorn(
        model_version=MODEL,
        topic_id=NEWBORN,
        sequence=7,
        label="servers",
        words=(("servers", 0.5),),
        origin="born",
        video_ids=("a",),
        founders=(
            e.Founder(
                paragraph_id=e.paragraph_id("a", TRANSCRIPT, 1),
                video_id="a",
                video_index=0,
                month=e.month_of(NOON),
                topic_id=NEWBORN,
                probability=0.4,
            ),
        ),
    )
    facts = [*retranscribed("a"), fact(founded)]
    for order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [0, 1, 4, 2, 3]):
        empty(study)
        write(study, BOOK)
        tell(study, [facts[place] for place in order])
        counted = {row["topic_id"]: row["videos"] for row in prevalence.topics(study)}
        assert counted == {1: 1, 2: 0, 3: 1, NEWBORN: 0}


def test_a_talk_whose_new_transcript_is_empty_counts_no_more(study: Warehouse) -> None:
    write(study, BOOK)
    tell(study, [spoken("a", TRANSCRIPT, [1, 2]), fact(learned(A, 1, 1, 2))])
    assert shares(prevalence.themes(study), "theme") == {"Architecture": (1, 1)}
    tell(study, [fact(learned(A, 2, version=ANOTHER))])
    assert prevalence.themes(study) == []


def epoch(model: str, number: int) -> e.EpochBegun:
    return e.EpochBegun(model_version=model, sequence=0, epoch=number, embedding_model="m", codebook="c")


REBUILT = [
    fact(epoch(NEXT_MODEL, 1)),
    *(fact(born.model_copy(update={"model_version": NEXT_MODEL})) for born in BOOK),
    fact(learned(A, 1, 2, None, model=NEXT_MODEL)),
    fact(learned(video("b"), 2, 3, model=NEXT_MODEL)),
]


def test_a_new_epoch_takes_over_and_nothing_is_counted_twice(corpus: Warehouse) -> None:
    tell(corpus, [fact(epoch(MODEL, 0))])
    assert shares(prevalence.themes(corpus), "theme") == {"Architecture": (2, 3), "Evaluation": (2, 3)}
    tell(corpus, REBUILT)
    rebuilt = every_number(corpus)
    assert shares(rebuilt["topics"], "topic_id") == {2: (1, 2), 3: (1, 2), 1: (0, 2)}
    assert rebuilt["months"] == [{"month": "2025-03", "of_videos": 2}]  # c was not learned again yet

    tell(corpus, [fact(each) for each in TALKS])  # the old model's last words arrive late
    assert every_number(corpus) == rebuilt
    write(corpus, [corrected("b", "withdrawn", 1)])  # what people said holds in every epoch
    assert shares(prevalence.themes(corpus), "theme") == {"Architecture": (1, 1)}


def test_an_epoch_takes_over_also_when_told_too_early(study: Warehouse) -> None:
    old = [fact(epoch(MODEL, 0)), *(fact(each) for each in (*BOOK, *TALKS))]
    assert told(study, [*REBUILT, *old]) == told(study, [*old, *REBUILT])


EVERYTHING: list[Fact] = [
    *(fact(each) for each in (epoch(MODEL, 0), *BOOK, *TALKS)),
    *(spoken(of, TRANSCRIPT, [1.0, 2.0, 4.0]) for of in ("a", "b", "c")),
    spoken("a", ANOTHER, [8.0, 16.0], speaker="Bo"),
    fact(learned(A, 9, 3, 1, version=ANOTHER)),
    fact(corrected("a", "redated", 1, LAST_YEAR)),
    fact(corrected("a", "redated", 2, MAY)),
    fact(corrected("b", "withdrawn", 1)),
    fact(corrected("b", "restored", 2)),
    fact(corrected("c", "restored", 3)),
    fact(corrected("c", "withdrawn", 4)),
]


def test_neither_order_nor_repetition_of_facts_changes_a_number(study: Warehouse) -> None:
    stories = [EVERYTHING, [*EVERYTHING, *REBUILT]]
    numbers = [told(study, [list(itertools.chain(*story))]) for story in stories]
    assert [] != numbers[0]["themes"] != numbers[1]["themes"] != []

    @FEW
    @given(data=st.data())
    def any_order_and_any_blocks_say_the_same(data: st.DataObject) -> None:
        which = data.draw(st.sampled_from([0, 1]), label="rebuilt")
        story = stories[which]
        again = data.draw(st.lists(st.sampled_from(range(len(story))), max_size=8), label="repeated")
        order = data.draw(st.permutations([*range(len(story)), *again]), label="order")
        size = data.draw(st.integers(1, 15), label="block")
        facts = [story[place] for place in order]
        blocks = [list(itertools.chain(*facts[at : at + size])) for at in range(0, len(facts), size)]
        assert told(study, blocks) == numbers[which]

    any_order_and_any_blocks_say_the_same()


THEMES = {1: "Architecture", 2: "Architecture", 3: "Evaluation", 4: "Evaluation", 5: "Evaluation", 6: None}


@FEW
@given(
    said=st.lists(st.lists(st.sampled_from([None, *THEMES]), max_size=7).map(tuple), min_size=1, max_size=25),
    withdrawn=st.sets(st.integers(0, 24), max_size=5),
)
def test_a_theme_is_a_union_and_a_pair_an_intersection(
    study: Warehouse, said: list[tuple[int | None, ...]], withdrawn: set[int]
) -> None:
    empty(study)
    write(study, [topic(topic_id, theme) for topic_id, theme in THEMES.items()])
    write(study, [assigned(at, video(f"v{at}"), *topics) for at, topics in enumerate(said)])
    write(study, [corrected(f"v{at}", "withdrawn", 1) for at in withdrawn])
    sets = [{each for each in topics if each} for at, topics in enumerate(said) if at not in withdrawn]
    of_videos = sum(1 for each in sets if each)
    topics = prevalence.topics(study)
    assert {row["topic_id"]: row["videos"] for row in topics} == {
        known: sum(known in each for each in sets) for known in THEMES
    }
    for theme in prevalence.themes(study):
        parts = [row["videos"] for row in topics if row["theme"] == theme["theme"]]
        assert max(parts) <= theme["videos"] <= sum(parts)
        assert theme["videos"] <= theme["of_videos"] == of_videos
    for pair in prevalence.cooccurrence(study):
        one, other = pair["topic_id"], pair["other_id"]
        assert pair["videos"] == sum({one, other} <= each for each in sets)
        assert 0 < pair["videos"] <= min(pair["topic_videos"], pair["other_videos"])
        assert pair["topic_videos"] == sum(one in each for each in sets)
        assert 0 < pair["jaccard"] <= 1
        assert pair["lift"] == pytest.approx(
            pair["videos"] * of_videos / (pair["topic_videos"] * pair["other_videos"])
        )


def test_a_talk_tells_all_that_is_known_about_it(corpus: Warehouse) -> None:
    tell(corpus, [spoken("a", ANOTHER, [8, 16]), fact(learned(A, 9, 3, 1, version=ANOTHER))])
    write(
        corpus,
        [
            e.TranscriptReady(
                video=A,
                transcript=e.Blob(key="transcripts/a.json", sha256="0" * 64, size=7),
                transcript_version=ANOTHER,
                language="en",
                duration_s=1440.0,
                words=7,
                speakers=1,
            ),
            corrected("a", "redated", 1, MAY),
            corrected("a", "withdrawn", 2),
        ],
    )
    found = talks.talk(corpus, "a")
    assert found is not None
    assert (found["title"], found["state"], found["withdrawn"]) == ("Talk a", "assigned", True)
    assert (found["published_first"], found["published_at"]) == (NOON, MAY)
    assert found["published_on"] == MAY.date()
    assert [(row["source_id"], row["kind"], row["rank"]) for row in found["sightings"]] == [
        ("channel-1", "channel", 1)
    ]
    assert found["screening"] == {"verdict": "accepted", "rule": "", "reason": ""}
    assert [(row["transcript_version"], row["counts"]) for row in found["transcripts"]] == [
        (TRANSCRIPT, False),
        (ANOTHER, True),
    ]
    assert found["topics"] == [
        {
            "topic_id": topic_id,
            "name": f"topic {topic_id}",
            "theme": theme,
            "retained": True,
            "paragraphs": 1,
            "minutes": minutes,
        }
        for topic_id, theme, minutes in ((1, "Architecture", 16.0), (3, "Evaluation", 8.0))
    ]
    assert [(row["what"], row["author"], row["reason"]) for row in found["corrections"]] == [
        ("withdrawn", "ann", "withdrawn for the test"),
        ("redated", "ann", "redated for the test"),
    ]
    assert talks.talk(corpus, "nobody's") is None
    assert talks.talk(corpus, "'; DROP TABLE videos; --") is None


def test_merged_and_unretained_topics_are_named_as_they_count(corpus: Warehouse) -> None:
    entries = (
        e.CodebookEntry(topic_id=1, target=2),
        e.CodebookEntry(topic_id=3, retained=False, reason="hm"),
    )
    decided = e.CodebookDecided(
        revision=1,
        model_version=MODEL,
        action="merge",
        said="…",
        entries=entries,
        author="ann",
        decided_at=NOON,
    )
    write(corpus, [decided])
    found = talks.talk(corpus, "a")
    assert found is not None
    assert [(row["topic_id"], row["paragraphs"], row["retained"]) for row in found["topics"]] == [
        (2, 2, True),
        (3, 1, False),
    ]


def test_talks_are_listed_newest_first_and_found_by_their_words(corpus: Warehouse) -> None:
    rejected = e.VideoRejected(
        video=e.Video(video_id="d", title="Ein Vortrag", show="Über LLMs"),
        rule="no date",
        reason="it has none",
    )
    write(corpus, [rejected, corrected("a", "redated", 1, MAY), corrected("b", "withdrawn", 1)])
    rows = talks.talks(corpus)
    assert [(row["video_id"], row["published_on"] and f"{row['published_on']:%Y-%m}") for row in rows] == [
        ("a", "2025-05"),
        ("c", "2025-04"),
        ("b", "2025-03"),
        ("d", None),
    ]
    assert [row["video_id"] for row in rows if row["withdrawn"]] == ["b"]
    assert [row["state"] for row in rows] == ["assigned"] * 3 + ["rejected"]
    assert [row["video_id"] for row in talks.talks(corpus, search="über llm")] == ["d"]
    assert [row["video_id"] for row in talks.talks(corpus, search="TALK", limit=2)] == ["a", "c"]
    assert talks.talks(corpus, search="%' OR 1 = 1 --") == []


def test_corrections_explain_old_numbers(corpus: Warehouse) -> None:
    write(corpus, [corrected("a", "redated", 1, MAY), corrected("b", "withdrawn", 2)])
    write(corpus, [corrected("a", "redated", 3, LAST_YEAR), corrected("unseen", "restored", 4)])
    assert [
        (row["video_id"], row["title"], row["what"], row["published_before"], row["published_at"])
        for row in talks.corrections(corpus)
    ] == [
        ("unseen", "", "restored", None, None),
        ("a", "Talk a", "redated", MAY, LAST_YEAR),
        ("b", "Talk b", "withdrawn", None, None),
        ("a", "Talk a", "redated", NOON, MAY),
    ]


def test_what_was_kept_is_missing_until_it_is_written(study: Warehouse, tmp_path: Path) -> None:
    log = Corrections(Blobs(str(tmp_path)))
    assert missing.corrections(log, study) == []
    kept = [corrected("b", "withdrawn", 1), corrected("a", "redated", 2, MAY), corrected("b", "restored", 3)]
    for event in kept[::-1]:
        log.append(event)
    write(study, kept[1:2])
    assert missing.corrections(log, study) == [kept[0], kept[2]]
    write(study, missing.corrections(log, study))
    assert missing.corrections(log, study) == []


class Curator:
    """A user at the command line of a study that is not running."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> None:
        self.settings = Settings(home=home, study=f"contract_{next(numbers)}")
        monkeypatch.setenv("GROUNDSWELL_HOME", str(home))
        monkeypatch.setenv("GROUNDSWELL_STUDY", self.settings.study)
        monkeypatch.setenv("GROUNDSWELL_AUTHOR", "ann")
        monkeypatch.setenv("COLUMNS", "200")
        write(hold(self.settings), [*BOOK, *TALKS])

    def types(self, *words: str) -> Result:
        return CliRunner().invoke(videos.app, [*words])

    def asks(self, *words: str) -> Any:
        answer = self.types(*words, "--json")
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.stdout)

    def counts(self, view: Callable[[Warehouse], Any] = prevalence.months) -> Any:
        with Warehouse(self.settings) as warehouse:
            return view(warehouse)

    def kept(self) -> list[e.VideoCorrected]:
        return Corrections(Blobs(self.settings.blobs_url)).events()


@pytest.fixture
def curator(chdb_home: Path, monkeypatch: pytest.MonkeyPatch, hold: Hold) -> Curator:
    return Curator(chdb_home, monkeypatch, hold)


def test_a_curator_withdraws_a_talk_and_restores_it(curator: Curator) -> None:
    before = curator.counts(every_number)
    done = curator.types("withdraw", "a", "b", "a", "--reason", "the same talk twice")
    assert done.exit_code == 0, done.output
    assert "withdrawn: a “Talk a” counts nowhere from now on" in done.stderr
    assert done.stdout == ""
    assert curator.counts() == [{"month": "2025-04", "of_videos": 1}]
    assert [(event.video_id, event.what, event.author) for event in curator.kept()] == [
        ("a", "withdrawn", "ann"),
        ("b", "withdrawn", "ann"),
    ]
    again = curator.types("withdraw", "a", "--reason", "sure", "--author", "bo")
    assert again.exit_code == 0
    assert "withdrawn already: a “Talk a”, by ann on" in again.stderr
    assert "the same talk twice" in again.stderr
    assert len(curator.kept()) == 2

    assert [row["what"] for row in curator.asks("restore", "a", "b")] == ["restored", "restored"]
    assert curator.counts(every_number) == before
    assert "not withdrawn" in curator.types("restore", "c").stderr
    assert [row["what"] for row in curator.asks("corrections")] == ["restored"] * 2 + ["withdrawn"] * 2


def test_a_curator_sets_a_date_right(curator: Curator) -> None:
    done = curator.types("redate", "c", "2024-12-31T23:59", "--reason", "the upload came later")
    assert "redated: c “Talk c” counts in 2024-12, as of 2024-12-31 (was 2025-04-01)" in done.stderr
    assert curator.counts() == [{"month": "2024-12", "of_videos": 1}, {"month": "2025-03", "of_videos": 2}]
    again = curator.types("redate", "c", "2024-12-31T23:59", "--reason", "sure")
    assert again.exit_code == 0
    assert "published then already" in again.stderr
    assert len(curator.kept()) == 1
    shown = curator.types("show", "c").stdout
    assert "2024-12-31 (according to its source: 2025-04-01)" in shown
    assert "redated from 2025-04-01 to 2024-12-31 by ann: the upload came later" in shown
    assert [row["video_id"] for row in curator.asks("list", "--search", "talk c")] == ["c"]
    assert "the upload came later" in curator.types("corrections").stdout


WRONG = [
    (("withdraw", "a", "nobody", "--reason", "r"), "there is no talk 'nobody'"),
    (("withdraw", "a"), "--reason"),
    (("withdraw", "a", "--reason", " "), "say why"),
    (("restore", "nobody"), "there is no talk 'nobody'"),
    (("show", "nobody"), "there is no talk 'nobody'"),
    (("redate", "nobody", "2025-03-01", "--reason", "r"), "there is no talk 'nobody'"),
    (("redate", "a", "yesterday", "--reason", "r"), "'yesterday' is not a date"),
    (("redate", "a", "2025-02-30", "--reason", "r"), "'2025-02-30' is not a date"),
    (("redate", "a", "1969-12-31", "--reason", "r"), "before 1970"),
    (("redate", "a", "2999-01-01", "--reason", "r"), "in the future"),
    (("redate", "a", "2025-03-01"), "--reason"),
]


def test_a_wrong_correction_is_explained_and_changes_nothing(curator: Curator) -> None:
    before = curator.counts(every_number)
    for command, words in WRONG:
        answer = curator.types(*command)
        assert answer.exit_code == 2, answer.output
        assert words in answer.stderr, command
        assert answer.stdout == ""
        assert curator.kept() == [], command
    assert curator.counts(every_number) == before


def test_a_correction_that_was_cut_off_arrives_with_the_next_one(curator: Curator) -> None:
    Corrections(Blobs(curator.settings.blobs_url)).append(corrected("a", "withdrawn", 1))
    assert curator.types("withdraw", "b", "--reason", "r").exit_code == 0
    assert curator.counts() == [{"month": "2025-04", "of_videos": 1}]
