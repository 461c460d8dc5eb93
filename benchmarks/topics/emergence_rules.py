"""The rules of emergence, and how each is taken away, for ablation.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any
from unittest.mock import patch

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from benchmarks.topics import onsets
from benchmarks.topics.onsets import Detector
from models.topics import TopicSettings, state
from models.topics.bursts import one_source, sources, sponsor_filter, term_bursts, term_clustering, terms
from models.topics.bursts.settings import BurstSettings
from models.topics.bursts.term_clustering import TermCandidate
from models.topics.emergence import history_sample
from models.topics.emergence.history_sample import Past
from models.topics.emergence.settings import EmergenceSettings

NEVER, ALWAYS = 9.0, -9.0
"""Cosines that no pair of vectors reaches, and that every pair does."""

Patch = tuple[Any, str, Any]


@dataclass(frozen=True)
class Rule:
    """A rule of the channel, and how to take it away.

    Attributes:
        does: what it does.
        settings: other values of the channel's settings. patches: (owner, attribute, value) elsewhere.
        extracts: whether other terms are extracted without it.
    """

    does: str
    settings: dict[str, Any] = field(default_factory=dict)
    patches: tuple[Patch, ...] = ()
    extracts: bool = False

    @contextmanager
    def away(self, channel: str) -> Iterator[Detector]:
        """Take the rule away, and give what detects without it."""
        with ExitStack() as stack:
            for owner, name, value in self.patches:
                stack.enter_context(patch.object(owner, name, value))
            if self.extracts:
                stack.enter_context(patch.object(term_bursts, "extract_terms", terms.extract_terms))
                terms._word.cache_clear()
                stack.callback(terms._word.cache_clear)
            if channel == "terms":
                yield onsets.term_bursts(BurstSettings(**self.settings))
            else:
                changed = partial(EmergenceSettings, **self.settings)
                stack.enter_context(patch.object(state, "EmergenceSettings", changed))
                yield onsets.topic_model(TopicSettings())


def _no_verbs(of: Callable[..., TermCandidate]) -> Callable[..., TermCandidate]:
    return lambda *given: replace(of(*given), verb=0)


def _no_peak(summed: Callable[..., Past]) -> Callable[..., Past]:
    return lambda spoke: replace(summed(spoke), peak=0.0)


def _nobody(*_: object) -> bool:
    return False


ALL = "all rules"
TERMS: dict[str, Rule] = {
    ALL: Rule("nothing is taken away"),
    "ratio": Rule("recent share is six times the earlier share", {"ratio": 0.0}),
    "window_days": Rule("the window has no talk older than 400 days", {"window_days": 100_000}),
    "window_most": Rule("the window has at most 1,000 talks", {"window_most": 1_000_000}),
    "warm_up": Rule("30 talks must have left the window", {"warm_up": 1}),
    "mentions": Rule("a long talk must mention a term often", {"mentions": 1}),
    "names": Rule("one mention is enough for a name", {"name_mentions": 3}),
    "about": Rule("two talks must mention it often", {"about": 0}),
    "several_sources": Rule("two sources, if there are several", {}, ((sources, "needed", lambda *_: 1),)),
    "source_share": Rule("a source counts for at most 40 %", {"source_share": 1.0}),
    "established": Rule(
        "a source without past counts once",
        {},
        ((sources, "established", lambda found, _: [*found.values()]),),
    ),
    "joined": Rule(
        "a source without past alone is not judged", {}, ((sources, "one_without_past", _nobody),)
    ),
    "sponsors": Rule("sponsor reads are left out", {}, ((sponsor_filter, "without", list),)),
    "persons": Rule("names of people are no subjects", {}, ((term_clustering, "is_person", _nobody),)),
    "verbs": Rule(
        "words used as verbs are no subjects", {}, ((TermCandidate, "of", _no_verbs(TermCandidate.of)),)
    ),
    "no_subject": Rule(
        "a list of words that name no subject",
        {},
        ((terms, "_stopped", lambda: terms.FILLERS | ENGLISH_STOP_WORDS),),
        extracts=True,
    ),
    "weak": Rule(
        "a list of words that name one with another only", {}, ((terms, "_HALF", frozenset()),), extracts=True
    ),
    "common_concentration": Rule("paragraphs of a plain word are similar", {"common_concentration": ALWAYS}),
    "relief": Rule("similar paragraphs of a name let a higher probability pass", {"relief": 0.0}),
    "spelling": Rule("spellings of one name are one", {}, ((term_clustering, "same_spelling", _nobody),)),
    "initials": Rule("so are a phrase and its initials", {}, ((term_clustering, "initials_of", _nobody),)),
    "shared_word": Rule("so are terms with a common word", {}, ((term_clustering, "share_a_word", _nobody),)),
    "same_paragraphs": Rule("so are terms said together", {}, ((term_clustering, "SAME_PARAGRAPHS", NEVER),)),
    "same_centre": Rule("… with similar paragraphs", {}, ((term_clustering, "SAME_CENTRE", NEVER),)),
    "same_video": Rule("… made news by one talk", {}, ((term_clustering, "SAME_VIDEO", NEVER),)),
    "companions": Rule("weaker names join a subject", {}, ((term_bursts, "COMPANIONS", 1),)),
    "one_persistent": Rule(
        "one source: for four weeks", {}, ((one_source, "PERSISTENT", one_source.PERSISTENT * 0),)
    ),
    "one_own": Rule("one source: 80 % of the mentions", {}, ((one_source, "OWN", 0.0),)),
    "one_discussed": Rule("one source: three talks mention it often", {}, ((one_source, "DISCUSSED", 0),)),
    "one_people": Rule(
        "one source: no speakers", {}, ((one_source.OneSource, "is_person", lambda *_: False),)
    ),
}


BIRTHS: dict[str, Rule] = {
    ALL: Rule("nothing is taken away"),
    "channel": Rule("new topics and bursts of paragraphs are candidates", {"trials": 0}),
    "warm_up": Rule("40 talks must have come before", {"warm_up": 1}),
    "ratio": Rule("recent share is five times any earlier one", {"ratio": 0.0}),
    "peak": Rule(
        "… also that of the busiest period",
        {},
        ((history_sample, "_summed", _no_peak(history_sample._summed)),),
    ),
    "three_sources": Rule("up to three sources, not two", {"sources": 2}),
    "source_share": Rule("a source counts for at most 40 %", {"source_share": 1.0}),
    "late": Rule("talks of half a year ago are the past", {"late": timedelta(days=100_000)}),
    "horizon": Rule("a candidate expires after 1,500 talks", {"horizon": 10**9}),
    "glimpses": Rule("bursts of paragraphs before a topic is born", {"glimpses": 0}),
    "glimpse_p": Rule("… within a time too short for chance", {"glimpse_log10_p": 0.0}),
    "same_paragraphs": Rule("sightings with common paragraphs are one", {"same_paragraphs": NEVER}),
    "same_cosine": Rule("… with near centroids", {"same_cosine": NEVER}),
    "named_cosine": Rule("… with a common name and less near ones", {"named_cosine": NEVER}),
    "new_name": Rule("a new name needs nearer centroids", {"new_name_cosine": 0.55}),
}
CHANNELS = {"terms": TERMS, "births": BIRTHS}
