"""Rules of emergence that are taken away in turn, in benchmarks/topics/ablation.py."""

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest

from benchmarks.topics import ablation
from benchmarks.topics.ablation import Told, compared, sheet
from benchmarks.topics.baselines import Alert
from benchmarks.topics.emergence_rules import ALL, CHANNELS
from benchmarks.topics.onsets import Detector
from models.topics import state
from models.topics.bursts import sponsor_filter
from models.topics.bursts.term_bursts import Spoken
from models.topics.results import SourceQuote

START = date(2024, 1, 1)
SHOWS = ("amber", "birch", "cedar", "dune")
ADVERTISEMENT = "Thanks to Marzipan for sponsoring. They put the Marzipan engine into the Marzipan box."


def talks() -> Iterator[Spoken]:
    """Talks of four shows; from the 150th on, every other one is sponsored by Marzipan."""
    for number in range(190):
        texts = (
            "They put the bread on the table.",
            *([ADVERTISEMENT] if number > 150 and number % 2 else []),
        )
        yield Spoken(
            video_id=f"talk-{number}",
            source=SHOWS[number // 2 % len(SHOWS)],
            published_on=START + timedelta(days=number),
            paragraph_ids=tuple(f"talk-{number}#{row}" for row in range(len(texts))),
            texts=texts,
            starts=(),
            vectors=np.zeros((len(texts), 0)),
        )


class Sponsored:
    """A stream whose only news is a sponsor."""

    def tell(self, detect: Detector) -> Told:
        return Told(detect(list(talks())), [], {})


def alert(subject: str, only_on: str = "") -> Alert:
    quote = SourceQuote("talk#0", "talk", "amber", START, 0.0, f"We like {subject}.")
    return Alert(0, subject, (subject.lower(),), ("talk",), (quote,), "", only_on)


@pytest.mark.parametrize(("channel", "name"), [(c, name) for c, rules in CHANNELS.items() for name in rules])
def test_every_rule_can_be_taken_away_and_is_back_afterwards(channel: str, name: str) -> None:
    before, filtered = state.EmergenceSettings, sponsor_filter.without
    with CHANNELS[channel][name].away(channel):
        state.EmergenceSettings(sensitivity="high")
    assert state.EmergenceSettings is before
    assert sponsor_filter.without is filtered


def test_without_the_rule_about_sponsors_a_sponsor_is_news() -> None:
    found = ablation.ablate(Sponsored(), "terms", ["sponsors", "verbs"], 1)  # type: ignore[arg-type]
    assert list(found) == ["all rules", "sponsors", "verbs"]
    assert [len(told.alerts) for told in found.values()] == [0, 1, 0]
    assert "marzipan" in found["sponsors"].alerts[0].terms


def test_what_comes_and_goes_without_a_rule_is_named() -> None:
    whole = Told([alert("A"), alert("B")], [], {"found": 2, "days_of": {"x": 5, "y": 7}})
    told = Told([alert("A")], [alert("B", "amber")], {"found": 1, "days_of": {"x": 9}})
    found = compared(told, whole, {})
    assert (found["gone"], found["come"]) == ([["B", ""]], [["B", "amber"]])
    assert (found["concepts_lost"], found["days_later"], found["found"]) == (["y"], 4, 1)


def test_readers_get_each_unknown_alert_once_without_the_rule() -> None:
    found = {"all rules": Told([alert("A"), alert("B")], [], {}), "sponsors": Told([alert("b")], [], {})}
    (row,) = sheet(found, {("a", ""): {}})
    assert (row["subject"], row["first"], row["latest_quote"]) == ("B", "", "[amber, 2024-01-01] We like B.")
    assert "sponsors" not in row.values()


def test_help_says_what_each_rule_does() -> None:
    said = ablation.listed()
    assert all(name in said for rules in CHANNELS.values() for name in rules if name != ALL)
    assert "sponsor reads are left out" in said
