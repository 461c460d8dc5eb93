"""The commonest words of languages name no change of a topic."""

from datetime import date

import pytest

from agents.topics import event_mapper
from models.topics import Drift
from models.topics.online.common_words import common_words
from streams.events import Video


def test_what_any_talk_says_is_common_and_a_subject_is_not() -> None:
    english = common_words("en")
    assert {"open", "having", "book", "the"} <= english
    assert not english & {"server", "agents", "cursor", "security", "coding"}
    assert 300 < len(english) < 600
    for language in ("de", "fr", "es", "pt", "it", "nl", "ru", "pl", "sv", "uk"):
        assert len(common_words(language)) > 300, language
    assert common_words("en-GB") is common_words("") is english
    assert not common_words("xx")


@pytest.mark.parametrize(("language", "named"), [("en", ("server",)), ("de", ("having", "server"))])
def test_a_drift_is_named_by_words_that_are_not(language: str, named: tuple[str, ...]) -> None:
    drift = Drift(1, "words", 0.0, 0.3, ("open",), ("having", "server"), date(2025, 1, 1), 30, 12, "talk-1")
    step = event_mapper.Step(
        "m", 1, date(2025, 2, 1), {1: "React"}, video=Video(video_id="v", language=language)
    )
    event = event_mapper._drifted(drift, step)
    assert event.words_after == named
    assert event.words_before == (() if language == "en" else ("open",))
