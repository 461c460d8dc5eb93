"""A title's language is known, or openly unknown."""

import socket

import pytest

from models.languages.identification import MIN_SCORE, identify


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What we learned from running agents in production", "en"),
        ("EVALUATING LARGE LANGUAGE MODELS FOR REAL USERS", "en"),
        ("Comment déployer un grand modèle de langage en production", "fr"),
        ("KI-Agenten im Unternehmen einsetzen", "de"),
        ("LLMs en producción: lecciones aprendidas", "es"),
        ("Jak budujemy systemy RAG w produkcji", "pl"),
        ("Как мы внедряли LLM в продакшн", "ru"),
        ("大規模言語モデルを本番環境で運用する方法", "ja"),
        ("대규모 언어 모델을 서비스에 적용한 이야기", "ko"),
        ("मशीन लर्निंग ऑपरेशंस का परिचय", "hi"),
    ],
)
def test_a_clear_title_has_its_language(text: str, language: str) -> None:
    found, score = identify(text)
    assert found == language
    assert MIN_SCORE <= score <= 1.0


@pytest.mark.parametrize(
    "text",
    [
        *("", " \n", "#12", "vLLM", "RAG", "LLM eval", "🎙️ 42!", "Production RAG Pipelines"),
        # English titles that were taken for Spanish, Japanese, French and Polish.
        *("Linux distros", "Homelab nerds, unite!", "Stable Diffusion", "The Great GatsbyJS"),
    ],
)
def test_a_title_that_could_be_anything_has_none(text: str) -> None:
    found, score = identify(text)
    assert found is None
    assert 0.0 <= score < MIN_SCORE


def test_a_description_settles_what_a_title_cannot() -> None:
    title = "Production RAG Pipelines"
    description = "In this talk we show how our team keeps retrieval fresh\nand what it costs us every day."
    assert identify(title)[0] is None
    assert identify(f"{title}\n{description}")[0] == "en"


def test_no_network_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("it asked the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert identify("What we learned from running agents in production")[0] == "en"
