"""What nearly only one source discusses, for long, is an alert of its own, replaced when others follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from test_bursts import DIMENSION, RAG, SHOWS, hear, ordinary, reported, talk
from test_emergence import SHOWS as EIGHT
from test_emergence import Said, Study, burst, chatter, mixed

from models.topics.bursts.one_source import OneSource
from models.topics.bursts.settings import BurstSettings
from models.topics.bursts.term_bursts import Spoken, TermBursts
from models.topics.online.centring import Background

PAST = 60 * len(SHOWS)
"""Talks before: enough for each show to have a past."""
OWN = SHOWS[1]


def of_one(count: int, *says: str, days: int = 1, people: tuple[str, ...] = ()) -> Iterator[Spoken]:
    """Talks of all shows, of which those of one say it: `count` of them, every `days` days a talk."""
    for at in range(count * len(SHOWS)):
        number = PAST + at
        said = talk(number, *(says if number % len(SHOWS) == 1 else ()), day=PAST + at * days)
        yield replace(said, people=people if said.source == OWN else ())


def test_it_is_told_once_with_the_counts_of_the_source() -> None:
    (burst,) = reported([*ordinary(PAST), *of_one(14, RAG, days=2)])
    assert (burst.subject, burst.only_on, burst.sources) == ("Marzipan", OWN, 1)
    assert 5 <= burst.recent <= burst.recent_of < 40
    assert (burst.earlier, burst.log10_p < -7) == (0, True)
    assert burst.earlier_of < PAST / len(SHOWS) + burst.recent_of
    assert all(number.startswith("talk-") for number in burst.video_ids)


@pytest.mark.parametrize(("also", "only_on"), [((5,), OWN), ((5, 11, 35, 41, 65, 71), "")])
def test_one_mention_elsewhere_does_not_count_and_several_do(also: tuple[int, ...], only_on: str) -> None:
    others = [talk(PAST + at, RAG, day=PAST + 2 * at) for at in also]
    assert OWN not in {other.source for other in others}
    (burst,) = reported([*ordinary(PAST), *sorted([*others, *of_one(14, RAG, days=2)], key=_day)])
    assert burst.only_on == only_on


def test_a_series_of_a_few_days_does_not_persist() -> None:
    every_hour = (replace(said, published_on=talk(PAST).published_on) for said in of_one(14, RAG))
    assert reported([*ordinary(PAST), *every_hour]) == []


def test_a_source_without_a_past_has_nothing_new() -> None:
    begins = [replace(said, source="joined") if said.source == OWN else said for said in ordinary(PAST)]
    others = [replace(said, source=SHOWS[0]) if said.source == "joined" else said for said in begins]
    assert reported([*others, *of_one(14, RAG, days=2)]) == []


def test_a_plain_word_is_the_style_of_a_source() -> None:
    plain = "They ask the marzipan and then the marzipan, and it was there."
    assert reported([*ordinary(PAST), *of_one(14, plain, days=2)]) == []


@pytest.mark.parametrize(("people", "told"), [((), ["Divya"]), (("Divya Sasidharan",), [])])
def test_who_speaks_is_no_subject(people: tuple[str, ...], told: list[str]) -> None:
    says = "They ask Divya and then Divya, and she was there."
    found = reported([*ordinary(PAST), *of_one(14, says, days=2, people=people)])
    assert [burst.subject for burst in found] == told


def test_others_who_follow_make_it_news_of_several() -> None:
    channel, background = TermBursts(BurstSettings()), Background(np.zeros(DIMENSION), 1.0)
    hear(channel, ordinary(PAST), background)
    (first,) = hear(channel, of_one(10, RAG, days=2), background)
    start = PAST + 10 * len(SHOWS)
    everyone = (talk(start + at, RAG, day=PAST + 20 * len(SHOWS) + at) for at in range(30))
    (second,) = hear(channel, everyone, background)
    assert (first.only_on, second.only_on) == (OWN, "")
    assert (first.subject, second.subject) == ("Marzipan", "Marzipan engine") and second.sources >= 2


def test_a_snapshot_of_before_goes_on() -> None:
    channel, background = TermBursts(BurstSettings()), Background(np.zeros(DIMENSION), 1.0)
    hear(channel, ordinary(PAST), background)
    state = channel.to_json()
    del state["one_source"]
    later = TermBursts.from_state(BurstSettings(), channel.to_arrays(), state)
    assert [each.only_on for each in hear(later, of_one(14, RAG, days=2), background)] == [OWN]


def test_people_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.topics.bursts.one_source.MOST_PEOPLE", 4)
    heard = OneSource()
    for name in ("Ann Lee", "Bo Chen", "Ann Lee", "Cy Dee"):
        heard.hear([name])
    assert (heard.is_person("ann lee"), heard.is_person("bo"), heard.is_person("cy")) == (True, False, True)
    assert OneSource.from_json(heard.to_json()).is_person("ann")


def test_an_alert_of_several_replaces_that_of_one() -> None:
    study = Study()
    study.hear_all(chatter(200) + [Said("comets", EIGHT[0])] * 3)
    alone = replace(burst(study, [200, 201, 202], "Halley"), only_on=EIGHT[0], sources=1)
    (first,) = study.hear(Said("bread"), bursts=[alone])
    assert (first.subject, first.only_on, first.replaces) == ("Halley", EIGHT[0], "")
    assert f"talks of {EIGHT[0]} mention “Halley”" in first.reason
    assert study.hear(Said("bread"), bursts=[alone]) == ()
    study.hear_all([Said("comets", show) for show in EIGHT[1:4]])
    several = burst(study, [200, 201, 204, 205, 206], "Comet Halley", "halley")
    (second,) = study.hear(Said("bread"), bursts=[several])
    assert (second.subject, second.only_on, second.replaces) == ("Comet Halley", "", "Halley")
    assert study.hear(Said("bread"), bursts=[several]) == ()


def test_what_one_source_says_hides_no_newborn_topic() -> None:
    study = Study()
    study.hear_all(chatter(200) + [Said("comets", EIGHT[0])] * 3)
    alone = replace(burst(study, [200, 201, 202], "Halley"), only_on=EIGHT[0], sources=1)
    study.hear(Said("bread"), bursts=[alone])
    study.found([Said("comets")] * 3)
    later = study.hear_all(mixed("comets", 5, 100))
    assert [(each.channel, each.replaces) for each in later] == [("birth", "Halley")]


def _day(spoken: Spoken) -> tuple[object, str]:
    return spoken.published_on, spoken.video_id
