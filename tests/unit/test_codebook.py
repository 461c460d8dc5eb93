"""Codebooks: the packaged ones and a user's own."""

from pathlib import Path

import pytest

from models.codebook import codebook
from models.codebook.codebook import Codebook
from models.errors import BadInput

TOPIC = """
  - key: bread
    name: Bread
    theme: Crafts
    description: How bread is baked.
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "own.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_study_s_codebook_has_20_topics_in_8_themes() -> None:
    study = codebook.load("llm-in-production")
    assert len(study.topics) == 20
    assert list(dict.fromkeys(topic.theme for topic in study.topics)) == [
        "Architecture & Design",
        "Model Capabilities & Techniques",
        "Tools, Infrastructure & LLM Providers",
        "Evaluation",
        "Risks & Ethics",
        "Monitoring & Observability",
        "Costs",
        "Output Verification",
    ]
    assert all(30 <= len(topic.description.split()) <= 100 for topic in study.topics)


def test_the_blank_codebook_has_no_topics() -> None:
    assert codebook.load("blank") == Codebook(name="blank")


def test_every_packaged_codebook_is_valid_and_named_as_its_file() -> None:
    assert codebook.available() == ("blank", "llm-in-production")
    assert [codebook.load(name).name for name in codebook.available()] == list(codebook.available())


def test_a_codebook_of_one_s_own_is_read_from_its_path(tmp_path: Path) -> None:
    path = written(tmp_path, f"name: own\ntopics:{TOPIC}")
    assert codebook.load(path) == codebook.load(str(path))
    (topic,) = codebook.load(path).topics
    assert topic.seed == "Bread. How bread is baked."


def test_an_unknown_name_lists_the_names_there_are() -> None:
    with pytest.raises(BadInput, match=r"no codebook named 'llms': choose one of blank, llm-in-production"):
        codebook.load("llms")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("name: own\ntopics: [", "is not YAML"),
        ("", "not valid at the file"),
        ("- a\n- list", "not valid at the file"),
        ("topics: []", "not valid at name"),
        ("name: own\ntopics:\n  - key: bread\n    name: Bread\n", "not valid at topics.0.theme"),
        ("name: own\ntopics: []\nthemes: []", "not valid at themes"),
        (f"name: own\ntopics:{TOPIC.replace('key: bread', 'key: Rye Bread')}", "not valid at topics.0.key"),
        (f"name: own\ntopics:{TOPIC.replace('How bread is baked.', '  ')}", "at topics.0.description"),
        (f"name: own\ntopics:{TOPIC}{TOPIC}", "two topics share the key 'bread'"),
        (f"name: own\ntopics:{TOPIC}{TOPIC.replace('bread', 'rye')}", "two topics share the name 'Bread'"),
    ],
)
def test_what_is_wrong_with_a_codebook_is_said(tmp_path: Path, text: str, cause: str) -> None:
    with pytest.raises(BadInput, match=cause) as refusal:
        codebook.load(written(tmp_path, text))
    assert "own.yaml" in refusal.value.cause
    assert refusal.value.cure


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"cannot read codebook .*missing\.yaml"):
        codebook.load(tmp_path / "missing.yaml")
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: café".encode("latin-1"))
    with pytest.raises(BadInput, match="encoding"):
        codebook.load(latin)
