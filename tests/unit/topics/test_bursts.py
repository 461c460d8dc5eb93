"""Names that begin to be said: which are news, which are not, and the same answers after a restart."""

import doctest
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from models.topics import Snapshot, dump, load
from models.topics.bursts import (
    recent_video,
    sources,
    sponsor_filter,
    term_bursts,
    term_clustering,
)
from models.topics.bursts import (
    window as recent,
)
from models.topics.bursts.settings import BurstSettings
from models.topics.bursts.term_bursts import Burst, Spoken, TermBursts, log10_tail
from models.topics.bursts.term_clustering import TermCandidate
from models.topics.online.centring import Background, unit
from models.topics.snapshot.snapshot import FORMAT

DIMENSION = 24
START = date(2024, 1, 1)
NOUNS = [
    a + b
    for a in ("bar", "cor", "del", "fin", "gor", "hul", "jam", "kep")
    for b in ("dan", "eta", "fil", "oru")
]
SHOWS = ("amber", "birch", "cedar", "dune", "elm", "fern")
RAG = "They ask the Marzipan engine and then the Marzipan engine, and it was there."


@cache
def chatter(number: int) -> str:
    rng = np.random.default_rng(number)
    return " ".join(f"They put the {a} on a {b}." for a, b in rng.choice(NOUNS, (6, 2)))


def direction(subject: int | None, number: int) -> NDArray[np.float64]:
    """Return the embedding of a paragraph about a subject, or about anything."""
    noise = np.random.default_rng([number, 7]).normal(0.0, 0.25, DIMENSION)
    if subject is not None:
        noise[subject] += 1.5
    noise[-1] += 1.0
    return np.asarray(unit(noise))


def talk(
    number: int, *says: str, subject: int | None = 0, source: str | None = None, day: int | None = None
) -> Spoken:
    """Talk `number`: a paragraph of chatter, and one for everything it says."""
    texts = (chatter(number), *says)
    rows = [direction(None, number), *(direction(subject, 1000 * number + n) for n in range(len(says)))]
    return Spoken(
        video_id=f"talk-{number}",
        source=source or SHOWS[number % len(SHOWS)],
        published_on=START + timedelta(days=number if day is None else day),
        paragraph_ids=tuple(f"talk-{number}#{row}" for row in range(len(texts))),
        texts=texts,
        starts=tuple(60.0 * row for row in range(len(texts))),
        vectors=np.array(rows),
    )


def hear(channel: TermBursts, stream: Iterable[Spoken], background: Background) -> list[Burst]:
    found = []
    for spoken in stream:
        background.absorb(spoken.vectors)
        found += channel.update(spoken, background)
    return found


def reported(stream: Iterable[Spoken], settings: BurstSettings | None = None) -> list[Burst]:
    return hear(TermBursts(settings or BurstSettings()), stream, Background(np.zeros(DIMENSION), 1.0))


def ordinary(to: int, start: int = 0) -> Iterator[Spoken]:
    return (talk(number) for number in range(start, to))


def news(start: int, count: int, *says: str, source: str | None = None) -> Iterator[Spoken]:
    """Every other talk says it."""
    for number in range(start, start + 2 * count):
        yield talk(number, *(says if number % 2 else ()), source=source)


@pytest.mark.parametrize("module", [sponsor_filter, term_bursts, recent_video, sources, term_clustering])
def test_the_examples_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_a_new_name_is_reported_once_and_early_with_its_evidence() -> None:
    (burst,) = reported([*ordinary(150), *news(150, 20, RAG)])
    assert burst.subject == "Marzipan engine"
    assert {"marzipan", "marzipan engine"} <= set(burst.terms)
    assert burst.recent <= 8
    assert (burst.earlier, burst.sources) == (0, 3)
    assert burst.log10_p < -7 and burst.concentration > 0.3
    assert burst.video_ids[0] == "talk-151"
    assert list(burst.paragraph_ids) == [f"{name}#1" for name in burst.video_ids]
    first, last = burst.quotes
    assert (first.video_id, first.start, first.published_on) == ("talk-151", 60.0, START + timedelta(151))
    assert last.video_id == burst.video_ids[-1] and "Marzipan" in last.text
    assert unit(burst.centre) @ direction(0, 1) > 0.8


def test_other_names_of_a_subject_are_no_further_alerts() -> None:
    first = "These are large language models, and a large language model it is."
    second = "An LLM or two LLMs are large language models."
    found = reported([*ordinary(150), *news(150, 12, first, second), *news(174, 12, second)])
    assert [burst.subject.lower() for burst in found] == ["large language models (llm)"]


def test_two_subjects_are_two_alerts() -> None:
    def both() -> Iterator[Spoken]:
        for number in range(150, 190):
            if number % 2:
                yield talk(number, RAG, subject=0)
            else:
                yield talk(number, "They like the Tamarind protocol, and that is Tamarind.", subject=3)

    assert {burst.terms[0].split()[0] for burst in reported([*ordinary(150), *both()])} == {
        "marzipan",
        "tamarind",
    }


def test_a_word_said_about_anything_is_no_subject() -> None:
    def style() -> Iterator[Spoken]:
        for number in range(150, 200):
            yield talk(number, "It was the bananarama of it all.", subject=None)

    assert reported([*ordinary(150), *style()]) == []


AT_LENGTH = tuple(" ".join(map(chatter, range(part, 60, 3))) for part in range(3))
"""Some 2,500 words: a talk that says something once has only mentioned it."""


def test_mentions_are_no_news_and_what_two_talk_about_is() -> None:
    once = "They ask the Marzipan engine, and it was there."
    mention = [*ordinary(150), *news(150, 20, once, *AT_LENGTH)]
    assert reported(mention) == []
    about = [talk(number, RAG, RAG, *AT_LENGTH) for number in (190, 191)]
    (burst,) = reported([*mention, *about])
    assert "marzipan" in burst.terms and burst.video_ids[-1] == "talk-191"


def test_what_is_advertised_is_no_news() -> None:
    read = "Thanks to Marzipan for sponsoring. They put the Marzipan engine into the Marzipan box."
    assert reported([*ordinary(150), *news(150, 20, read)]) == []
    first, then = read.split(". ")  # an advertisement goes on where the paragraph ends
    assert reported([*ordinary(150), *news(150, 20, f"{first}.", then)]) == []
    assert len(reported([*ordinary(150), *news(150, 20, then)])) == 1


def test_far_from_the_advertisement_a_sponsor_is_a_subject() -> None:
    read = "Thanks to Marzipan for sponsoring."
    assert len(reported([*ordinary(150), *news(150, 20, read, *AT_LENGTH, RAG, RAG)])) == 1


def test_names_from_one_video_are_one_subject_if_said_alike() -> None:
    def both(other: int) -> Iterator[Spoken]:
        for number in range(150, 180):
            marzipan = talk(number, RAG, "They like the Tamarind protocol, and that is Tamarind.")
            vectors = np.array([*marzipan.vectors[:2], direction(other, 2000 * number)])
            yield replace(marzipan, vectors=vectors) if number % 2 else talk(number)

    (burst,) = reported([*ordinary(150), *both(0)])
    assert {"marzipan", "tamarind"} <= set(burst.terms)
    assert len(reported([*ordinary(150), *both(3)])) == 2


def test_plain_words_need_more_videos() -> None:
    def heard(said: str) -> int:
        """Return how many talks had said it when reported; one in four does, in three of six shows."""
        stream = [*ordinary(240)]
        for number in range(240, 320):
            at = number // 4
            stream.append(talk(number, said, source=SHOWS[at % 3]) if number % 4 == 0 else talk(number))
        return reported(stream)[0].recent

    word = "They ask the marzipan engine, and so the marzipan engine asks the marzipan engine."
    assert heard(RAG) < heard(word)


def test_people_are_no_subjects() -> None:
    said = "They met Simon Marzipan and then Marzipan, and they met Simon."
    assert reported([*ordinary(150), *news(150, 20, said)]) == []


def test_a_misheard_name_is_no_second_subject() -> None:
    first, misheard = "They run the Olammar server.", "They run the Olamar server."
    stream = [*ordinary(150), *news(150, 8, first), *news(166, 20, misheard)]
    assert [burst.subject for burst in reported(stream)] == ["Olammar server"]


def test_another_spelling_of_a_dropped_name_is_no_new_subject() -> None:
    """A full window drops the wording of older talks, so nothing is left to compare the spelling with."""
    channel, background = TermBursts(BurstSettings()), Background(np.zeros(DIMENSION), 1.0)
    hear(channel, [*ordinary(150), *news(150, 20, RAG)], background)
    window = channel._recent
    said = TermCandidate.of("marzipan", window, -9.0, background)
    window.videos = {number: video.thinned() for number, video in window.videos.items()}
    assert window.count("marzipan") and not window.saying("marzipan")
    assert channel._subjects.join(replace(said, term="marzipane"), window, background)
    assert not channel._subjects.join(replace(said, term="corfil"), window, background)
    assert len(channel._subjects.reported) == 1


def test_one_source_alone_makes_no_news_among_many() -> None:
    def flood() -> Iterator[Spoken]:
        for number in range(150, 210):
            yield talk(number, *((RAG,) if number % 6 == 1 else ()))

    assert reported([*ordinary(150), *flood()]) == []


def test_a_study_of_one_source_has_news_too() -> None:
    stream = [talk(number, source="only") for number in range(150)]
    (burst,) = reported([*stream, *news(150, 20, RAG, source="only")])
    assert burst.sources == 1 and burst.recent >= 7


def test_videos_without_a_source_are_sources_of_their_own() -> None:
    stream = [
        talk(number, *((RAG,) if number > 150 else ()), source=f"talk-{number}") for number in range(165)
    ]
    (burst,) = reported(stream)
    assert burst.sources == burst.recent


def test_what_a_show_that_joins_always_says_is_no_news() -> None:
    """The show is new to the study, not to the world: its phrase is no news at any share of the talks."""
    for every in (2, 10):
        joined = (
            talk(
                number, *((RAG,) if number % every else ()), source=None if number % every == 0 else "joined"
            )
            for number in range(150, 200)
        )
        assert reported([*ordinary(150), *joined]) == []


def test_a_show_that_joined_long_ago_makes_news_with_the_others() -> None:
    shows = [*SHOWS, "joined"]
    joined = (talk(number, source=shows[number % len(shows)]) for number in range(150, 400))
    said = (
        talk(number, *((RAG,) if number % 2 else ()), source=shows[number % len(shows)])
        for number in range(400, 440)
    )
    (burst,) = reported([*ordinary(150), *joined, *said])
    assert burst.sources >= 2


def test_on_the_first_day_everything_is_new_and_nothing_is_news() -> None:
    assert reported(news(0, 45, RAG)) == []


def test_what_has_always_been_said_is_no_news() -> None:
    assert reported(news(0, 200, RAG)) == []


def test_a_backfill_of_old_talks_is_history() -> None:
    late = [talk(1000 + number, day=1000 + number) for number in range(150)]
    old = [talk(3000 + number, RAG, day=number) for number in range(40)]
    assert reported([*late, *old]) == []
    again = [talk(5000 + number, RAG, day=1150 + number) for number in range(40)]
    assert reported([*late, *old, *again]) == []  # and so it is known by the time it is said again


def test_videos_dated_wrongly_change_nothing() -> None:
    wrong = [talk(9000, day=30_000), talk(9001, day=-20_000), talk(9002, day=30_000)]
    plain = [*ordinary(150), *news(150, 20, RAG)]
    found = reported([*plain[:3], *wrong, *plain[3:]])
    assert [burst.subject for burst in found] == ["Marzipan engine"]
    assert found[0].video_ids[0] == "talk-151"


def test_what_was_silent_for_long_may_be_news_again() -> None:
    settings = BurstSettings(window_days=60)
    first = [*ordinary(150), *news(150, 8, RAG)]
    between = list(ordinary(600, start=166))
    found = reported([*first, *between, *news(600, 20, RAG)], settings)
    assert [burst.subject for burst in found] == ["Marzipan engine"] * 2
    assert found[1].earlier > 0


def test_more_sensitivity_needs_less() -> None:
    stream = [*ordinary(150), *news(150, 20, RAG)]
    talks = [
        reported(stream, BurstSettings(sensitivity=each))[0].recent for each in ("high", "normal", "low")
    ]
    assert talks[0] < talks[1] <= talks[2]


def test_without_vectors_paragraphs_are_not_compared() -> None:
    stream = [
        Spoken(**{**vars(spoken), "vectors": np.zeros((len(spoken.texts), 0))})
        for spoken in (*ordinary(150), *news(150, 20, RAG))
    ]
    (burst,) = hear(TermBursts(BurstSettings()), stream, Background(np.zeros(0), 1.0))
    assert math.isnan(burst.concentration) and burst.centre.shape == (0,)


def test_it_goes_on_from_a_snapshot_taken_anywhere() -> None:
    stream = [*ordinary(150), *news(150, 10, RAG), *news(170, 10, "They like the Tamarind protocol.")]
    whole, background = TermBursts(BurstSettings()), Background(np.zeros(DIMENSION), 1.0)
    resumed = TermBursts(BurstSettings())
    told = 0
    for number, spoken in enumerate(stream):
        background.absorb(spoken.vectors)
        if number % 37 == 5:
            kept = load(dump(Snapshot(resumed.to_arrays(), {"format": FORMAT, "bursts": resumed.to_json()})))
            resumed = TermBursts.from_state(BurstSettings(), kept.arrays, kept.meta["bursts"])
        expected, found = whole.update(spoken, background), resumed.update(spoken, background)
        assert [vars(b) | {"centre": b.centre.tobytes()} for b in expected] == [
            vars(b) | {"centre": b.centre.tobytes()} for b in found
        ]
        told += len(found)
    assert told == 2
    one, other = (
        dump(Snapshot(c.to_arrays(), {"format": FORMAT, "b": c.to_json()})) for c in (whole, resumed)
    )
    assert one == other


def test_sources_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST_SOURCES", 20)
    channel = TermBursts(BurstSettings())
    own = (talk(number, source=f"talk-{number}" if number % 2 else "often") for number in range(200))
    hear(channel, own, Background(np.zeros(DIMENSION), 1.0))
    assert len(channel._recent.past) <= 25
    assert channel._recent.past["often"] > 50


def test_the_state_is_bounded() -> None:
    settings = BurstSettings(most_terms=200, most_kept=100)
    channel = TermBursts(settings)
    words = [f"the {a}{b}." for a in NOUNS for b in NOUNS]
    stream = [talk(n, " ".join(words[5 * n : 5 * n + 5])) for n in range(200)]
    hear(channel, stream, Background(np.zeros(DIMENSION), 1.0))
    arrays, state = channel.to_arrays(), json.dumps(channel.to_json())
    kept = sum(len(video.kept) for video in channel._recent.videos.values())
    assert kept <= 100
    assert np.count_nonzero(arrays["term_earlier"]) <= 250
    assert len(state) + sum(array.nbytes for array in arrays.values()) < 200_000


@pytest.mark.parametrize(
    "text", ["", "🎉 🎉", "word " * 300, "これは日本語の段落です。", "\x00", "A" * 20_000]
)
def test_odd_texts_do_no_harm(text: str) -> None:
    odd = [talk(number, *([text] if number % 3 else [])) for number in range(120)]
    assert reported(odd) == []


def test_a_video_without_paragraphs_counts_and_says_nothing() -> None:
    silent = Spoken("silent", "amber", START, (), (), (), np.zeros((0, DIMENSION)))
    found = reported([*ordinary(150), silent, *news(150, 20, RAG)])
    assert len(found) == 1


@pytest.mark.parametrize(("count", "expected"), [(1, 0.5), (5, 0.1), (7, 3.0), (30, 40.0), (60, 2.5)])
def test_the_poisson_tail_is_scipys(count: int, expected: float) -> None:
    from scipy.stats import poisson

    assert log10_tail(count, expected) == pytest.approx(math.log10(poisson.sf(count - 1, expected)), rel=1e-9)
