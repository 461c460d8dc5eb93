"""The commonest words of languages name no topic, no news and no change of a topic."""

from datetime import date

import pytest

from agents.topics import event_mapper
from models.languages.common_words import common_words, foreign_words
from models.topics import Drift
from models.topics.bursts.terms import extract_terms
from models.topics.naming.naming import name
from models.topics.online.words import content_words
from streams.events import Video

SAID = {
    "en": "So we moved the whole cluster over to Kubernetes last year, and it was not as hard as people say.",
    "de": "Wir haben letztes Jahr den ganzen Cluster auf Kubernetes umgestellt, und das war nicht so schwer.",
    "fr": "On a déplacé tout le cluster vers Kubernetes l'année dernière, et ce n'était pas si difficile.",
    "es": "El año pasado movimos todo el clúster a Kubernetes, y no fue tan difícil como dice la gente.",
    "pt": "No ano passado mudamos todo o cluster para Kubernetes, e não foi tão difícil como dizem.",
    "it": "L'anno scorso abbiamo spostato tutto il cluster su Kubernetes, e non è stato così difficile.",
    "nl": "We hebben vorig jaar het hele cluster naar Kubernetes verplaatst, en dat was niet zo moeilijk.",
    "pl": "W zeszłym roku przenieśliśmy cały klaster na Kubernetes i to nie było tak trudne, jak się mówi.",
    "sv": "Förra året flyttade vi hela klustret till Kubernetes, och det var inte så svårt som man säger.",
    "ru": "В прошлом году мы перенесли весь кластер на Kubernetes, и это было не так сложно, как говорят.",
}


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


@pytest.mark.parametrize("language", SAID)
def test_a_paragraph_has_the_common_words_of_its_language(language: str) -> None:
    assert foreign_words(SAID[language]) == (frozenset() if language == "en" else common_words(language))


@pytest.mark.parametrize("text", ["", "training", "LLM evals, RAG and vLLM", "## 1.2 pip install httpx"])
def test_a_text_too_short_for_a_language_has_no_foreign_words(text: str) -> None:
    assert not foreign_words(text)


@pytest.mark.parametrize(("code", "of"), [("no", "nb"), ("hr", "sh"), ("sr-Latn", "sh"), ("tl", "fil")])
def test_a_language_is_known_by_its_other_code(code: str, of: str) -> None:
    assert common_words(code) == common_words(of) != frozenset()


def test_words_of_another_language_describe_a_topic() -> None:
    assert content_words(SAID["de"]) == ["letztes", "cluster", "kubernetes", "umgestellt", "schwer"]
    assert "war" in content_words("The war between browsers is over, and the one we use has won it.")
    terms, _ = extract_terms([SAID["de"], SAID["en"]])
    assert {"cluster", "umgestellt"} <= set(terms)
    assert not set(terms) & {"nicht", "haben", "jahr", "ganzen cluster"}


def test_a_name_in_capitals_stays_a_name_in_any_language() -> None:
    terms, _ = extract_terms(["Wir haben das nicht mit SIND gemacht, und auch nicht mit der WAR."])
    assert "sind" in terms


def test_a_topic_in_german_is_not_named_by_its_articles() -> None:
    said = [
        "Das ist halt nicht so einfach, weil die Datenbank dann nicht mehr schreibt.",
        "Wir haben die Datenbank nicht mehr im Griff gehabt, und das war halt nicht so gut.",
        "Und dann ist es halt so, dass die Datenbank nicht mehr das macht, was wir wollen.",
    ]
    words = [("nicht", 0.9), ("halt", 0.8), ("mehr", 0.7), ("datenbank", 0.6)]
    assert name(words, [(f"talk-{at}", text) for at, text in enumerate(said)]) == "Datenbank"
