"""Emergence: which subjects are reported as news, and which are not."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pytest

from models.topics.bursts.term_bursts import Burst, Spoken
from models.topics.emergence.candidate import Newborn
from models.topics.emergence.emergence import EmergenceSettings, EmergenceWatch
from models.topics.online.centring import Background, Vectors, unit
from models.topics.results import Emergence, SourceQuote

DIMENSION = 48
SUBJECTS = ("bread", "ships", "bees", "clocks", "trains", "glass", "comets")
SHOWS = tuple(f"show {letter}" for letter in "abcdefgh")
SETTINGS = EmergenceSettings()
NO_GLIMPSES = replace(SETTINGS, glimpses=0)


@dataclass(frozen=True)
class Said:
    """A talk's subject, show and day."""

    subject: str = ""
    show: str = ""
    day: int | None = None


class Study:
    """A watch that hears talks one by one; the test plays the topic model's part."""

    def __init__(self, settings: EmergenceSettings = SETTINGS) -> None:
        self.watch = EmergenceWatch(settings)
        self.background = Background(np.zeros(DIMENSION), 1.0)
        self.heard: list[Spoken] = []

    def hear(
        self, said: Said, born: Sequence[int] = (), bursts: Sequence[Burst] = ()
    ) -> tuple[Emergence, ...]:
        """Hear a talk; `born` has the numbers of the talks that found a topic, this one included."""
        spoken = talk(len(self.heard), said)
        self.heard.append(spoken)
        self.background.absorb(spoken.vectors)
        newborns = [self.newborn(born, said.subject)] if born else []
        return self.watch.update(
            spoken, len(self.heard) - 1, self.background, newborns=newborns, bursts=bursts, batch_id="batch"
        )

    def newborn(self, numbers: Sequence[int], subject: str) -> Newborn:
        talks = [self.heard[number] for number in numbers]
        return Newborn(
            topic_id=7,
            label=subject.title(),
            words=(subject, "telescope"),
            centre=np.mean([each.vectors[0] for each in talks], axis=0),
            paragraph_ids=tuple(each.paragraph_ids[0] for each in talks),
            videos={number: each.video_id for number, each in zip(numbers, talks, strict=True)},
        )

    def hear_all(self, talks: Sequence[Said]) -> list[Emergence]:
        return [news for said in talks for news in self.hear(said)]

    def found(self, said: Sequence[Said]) -> tuple[Emergence, ...]:
        """Hear talks that found a topic together; return the news that the last one brings."""
        first = len(self.heard)
        for each in said[:-1]:
            self.hear(each)
        return self.hear(said[-1], born=[*range(first, first + len(said))])


def direction(subject: str) -> Vectors:
    vector = np.zeros(DIMENSION)
    vector[SUBJECTS.index(subject)] = 1.0
    vector[-1] = 0.6
    return vector


def talk(number: int, said: Said) -> Spoken:
    rng = np.random.default_rng(number)
    vector = (
        direction(said.subject) + rng.normal(0.0, 0.05, DIMENSION)
        if said.subject
        else rng.normal(0.0, 1.0, DIMENSION)
    )
    return Spoken(
        video_id=f"talk-{number}",
        source=said.show or SHOWS[int(rng.integers(len(SHOWS)))],
        published_on=date(2025, 1, 1) + timedelta(days=number if said.day is None else said.day),
        paragraph_ids=(f"talk-{number}#0",),
        texts=(f"Well, this is what we say of {said.subject} and of {said.subject or 'nothing'}.",),
        starts=(12.5,),
        vectors=unit(vector[np.newaxis]),
    )


def chatter(count: int, seed: int = 0, *also: str) -> list[Said]:
    """Talks about the usual subjects, and about others at times."""
    rng = np.random.default_rng(seed)
    return [Said(str(subject)) for subject in rng.choice([*SUBJECTS[:5], *also], count)]


def mixed(subject: str, every: int, count: int, show: str = "") -> list[Said]:
    """Return `count` talks, of which one in `every` is about the subject."""
    return [
        Said(subject, show) if not at % every else said for at, said in enumerate(chatter(count, seed=count))
    ]


def burst(study: Study, numbers: Sequence[int], *terms: str, is_name: bool = True) -> Burst:
    talks = [study.heard[number] for number in numbers]
    quotes = tuple(
        SourceQuote(each.paragraph_ids[0], each.video_id, each.source, each.published_on, 12.5, each.texts[0])
        for each in (talks[0], talks[-1])
    )
    return Burst(
        subject=terms[0],
        terms=terms,
        video_ids=tuple(each.video_id for each in talks),
        paragraph_ids=tuple(each.paragraph_ids[0] for each in talks),
        quotes=quotes,
        sources=4,
        recent=len(talks),
        recent_of=60,
        earlier=0,
        earlier_of=200,
        log10_p=-8.5,
        concentration=0.4,
        centre=np.mean([each.vectors[0] for each in talks], axis=0),
        is_name=is_name,
    )


def test_a_confirmed_newborn_is_reported_once_with_evidence() -> None:
    study = Study()
    study.hear_all(chatter(200))
    assert study.found([Said("comets")] * 3) == ()
    (news,) = study.hear_all(mixed("comets", 5, 100))
    assert (news.channel, news.topic_id, news.subject) == ("birth", 7, "Comets")
    assert news.terms[0] == "comets"
    assert news.earlier == 0
    assert news.recent >= SETTINGS.least_videos
    assert news.log10_p <= SETTINGS.log10_p
    assert {study.heard[int(video.split("-")[1])].texts[0] for video in news.video_ids} == {
        "Well, this is what we say of comets and of comets."
    }
    assert news.quotes[0].video_id == "talk-200"
    assert news.quotes[-1].start == 12.5
    assert news.first_on == study.heard[200].published_on
    assert f"0 of the {news.earlier_of} before did" in news.reason
    assert news.batch_id == "batch"


def test_founders_are_no_evidence_of_themselves() -> None:
    study = Study(NO_GLIMPSES)
    study.hear_all(chatter(200))
    assert study.found([Said("comets")] * 12) == ()
    assert study.hear_all(chatter(100, seed=1)) == []


def test_an_old_subject_that_no_topic_covered_is_not_news() -> None:
    study = Study()
    study.hear_all(mixed("comets", 6, 240))
    study.found([Said("comets")] * 3)
    assert study.hear_all(mixed("comets", 6, 200)) == []


def test_a_subject_that_comes_back_is_not_news() -> None:
    study = Study()
    study.hear_all(chatter(60) + mixed("comets", 4, 80) + chatter(140, seed=2))
    study.found([Said("comets")] * 3)
    assert study.hear_all(mixed("comets", 4, 100)) == []


def test_a_flood_from_one_source_is_not_news_among_many_sources() -> None:
    study = Study()
    study.hear_all(chatter(200))
    study.found([Said("comets", "show a")] * 3)
    assert study.hear_all(mixed("comets", 3, 120, show="show a")) == []


def test_where_there_is_only_one_source_its_new_subject_is_news() -> None:
    study = Study()
    study.hear_all([replace(said, show="show a") for said in chatter(200)])
    study.found([Said("comets", "show a")] * 3)
    later = [replace(said, show="show a") for said in mixed("comets", 5, 100)]
    assert [news.subject for news in study.hear_all(later)] == ["Comets"]


def test_nothing_is_news_before_there_is_a_history() -> None:
    study = Study()
    study.hear_all(chatter(SETTINGS.warm_up // 2))
    study.found([Said("comets")] * 3)
    assert study.hear_all(mixed("comets", 3, 60)) == []


def test_filling_an_archive_is_no_news() -> None:
    study = Study()
    study.hear_all(chatter(250))
    old = [replace(said, day=-900) for said in mixed("comets", 3, 150)]
    study.found([Said("comets", day=-900)] * 3)
    assert study.hear_all(old) == []


def test_a_date_in_the_future_keeps_nothing_from_being_news() -> None:
    study = Study()
    study.hear_all([*chatter(150), Said("bread", day=90_000), *chatter(50, seed=1)])
    study.found([Said("comets")] * 3)
    assert len(study.hear_all(mixed("comets", 5, 100))) == 1


def test_a_burst_of_a_candidate_is_one_alert_of_both_channels() -> None:
    study = Study(NO_GLIMPSES)
    study.hear_all(chatter(200))
    study.found([Said("comets")] * 3)
    study.hear(Said("comets"))
    (news,) = study.hear(Said("bread"), bursts=[burst(study, [200, 201, 202, 203], "Halley", "comet")])
    assert (news.channel, news.topic_id, news.subject) == ("both", 7, "Halley")
    assert "new topic" in news.reason
    assert study.hear_all(mixed("comets", 5, 100)) == []


def test_a_topic_born_after_its_reported_burst_stays_silent() -> None:
    study = Study(NO_GLIMPSES)
    study.hear_all(chatter(200) + [Said("comets")] * 3)
    (news,) = study.hear(Said("bread"), bursts=[burst(study, [200, 201, 202], "Halley")])
    assert (news.channel, news.topic_id) == ("term", None)
    study.found([Said("comets")] * 3)
    assert study.hear_all(mixed("comets", 5, 100)) == []


def test_a_second_name_of_a_reported_subject_stays_silent() -> None:
    study = Study()
    study.hear_all(chatter(200) + [Said("comets")] * 3 + [Said("glass")] * 3)
    assert study.hear(Said("bread"), bursts=[burst(study, [200, 201, 202], "Halley")])
    assert study.hear(Said("bread"), bursts=[burst(study, [200, 201, 202], "Encke")]) == ()
    assert study.hear(Said("bread"), bursts=[burst(study, [203, 204, 205], "borosilicate")])


def test_a_new_name_near_a_reported_subject_is_news_not_a_word() -> None:
    """GPT-4 after ChatGPT was such a case: the same talk of models, and another product."""
    study = Study()
    study.hear_all(chatter(200) + [Said("comets")] * 3 + [Said("glass")] * 4)
    assert study.hear(Said("bread"), bursts=[burst(study, [200, 201, 202], "Halley")])
    centre = direction("comets") + 1.2 * direction("glass")
    one, other = (study.background.centre(each) for each in (centre, direction("comets")))
    assert SETTINGS.same_cosine < one @ other < SETTINGS.new_name_cosine
    words = replace(burst(study, [203, 204], "tail", is_name=False), centre=centre)
    assert study.hear(Said("bread"), bursts=[words]) == ()
    name = replace(burst(study, [205, 206], "Encke"), centre=centre)
    assert [each.subject for each in study.hear(Said("bread"), bursts=[name])] == ["Encke"]


def test_what_is_more_than_a_told_subject_is_news() -> None:
    """A burst that exceeds a reported subject's paragraphs is news; a part of them is not."""
    study = Study()
    study.hear_all(chatter(200) + [Said("comets")] * 3 + [Said("glass")] * 6)
    assert study.hear(Said("bread"), bursts=[burst(study, [200, 201, 202], "Halley")])
    more = replace(burst(study, [*range(200, 209)], "lenses"), centre=direction("glass"))
    assert study.hear(Said("bread"), bursts=[more])
    part = replace(burst(study, [207, 208], "mirrors"), centre=direction("ships"))
    assert study.hear(Said("bread"), bursts=[part]) == ()


def test_a_subject_without_a_topic_is_reported_and_named() -> None:
    study = Study()
    study.hear_all(chatter(300))
    (news,) = study.hear_all(mixed("comets", 8, 140))
    assert news.topic_id is None
    assert "comets" in news.subject.lower()
    assert news.terms[0] == "comets"


def test_without_a_new_subject_there_is_no_news() -> None:
    assert Study(replace(SETTINGS, sensitivity="high")).hear_all(chatter(400)) == []


def test_more_sensitive_is_earlier() -> None:
    told = {}
    for sensitivity in ("low", "normal", "high"):
        study = Study(replace(NO_GLIMPSES, sensitivity=sensitivity))
        study.hear_all(chatter(300))
        study.found([Said("comets")] * 3)
        talks = mixed("comets", 5, 200)
        told[sensitivity] = next(at for at, said in enumerate(talks) if study.hear(said))
    assert told["high"] < told["normal"] < told["low"]


@pytest.mark.long
@pytest.mark.parametrize("cut", [0, 1, 150, 203, 230])
def test_a_restored_watch_goes_on_as_if_nothing_had_happened(cut: int) -> None:
    whole, parted = Study(), Study()
    talks = [*chatter(200), *[Said("comets")] * 3, *mixed("comets", 5, 60)]
    told: list[list[Emergence]] = [[], []]
    for at, said in enumerate(talks):
        if at == cut:
            state = json.loads(json.dumps(parted.watch.to_json()))
            parted.watch = EmergenceWatch.from_state(SETTINGS, parted.watch.to_arrays(), state)
        born = [200, 201, 202] if at == 202 else []
        told[0] += whole.hear(said, born)
        told[1] += parted.hear(said, born)
    assert told[0] == told[1]
    assert len(told[0]) == 1
    assert whole.watch.to_json() == parted.watch.to_json()
    arrays = parted.watch.to_arrays()
    for name, array in whole.watch.to_arrays().items():
        assert array.tobytes() == arrays[name].tobytes(), name


def test_the_state_stays_bounded() -> None:
    settings = replace(SETTINGS, trials=3, told=2, past_paragraphs=60, glimpse_paragraphs=40)
    study = Study(settings)
    for round_ in range(12):
        study.hear_all(chatter(20, seed=round_))
        study.found([Said()] * 3)
    for first in range(6):
        study.hear(Said(), bursts=[burst(study, [20 * first, 20 * first + 1], f"term {first}")])
    state = study.watch.to_json()
    assert len(state["trials"]) <= 3
    assert len(state["told"]) <= 2
    assert len(state["glimpses"]) == 40
    assert len(study.watch.to_arrays()["arrival_vectors"]) <= 60 + 1024


@pytest.mark.parametrize("at", [0, 150])
def test_a_talk_without_a_paragraph_left_counts_and_does_no_harm(at: int) -> None:
    study = Study()
    study.hear_all(chatter(at))
    empty = replace(talk(at, Said()), paragraph_ids=(), texts=(), starts=(), vectors=np.zeros((0, DIMENSION)))
    assert study.watch.update(empty, at, study.background) == ()
    study.heard.append(empty)
    study.hear_all(chatter(200 - at, seed=1))
    study.found([Said("comets")] * 3)
    assert len(study.hear_all(mixed("comets", 5, 100))) == 1
