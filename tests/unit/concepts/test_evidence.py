"""Evidence about a paragraph and a concept, worked out by hand for a tiny codebook."""

from collections.abc import Sequence
from math import log, log1p, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from models.codebook.codebook import Codebook, CodebookTopic
from models.concepts.evidence import NAMES, ConceptEvidence, Prototypes, Talk
from models.errors import BadInput

BREAD = CodebookTopic(
    key="bread",
    name="Bread",
    theme="Food",
    description="We bake it.",
    definition="Baking bread.",
    terms=("dough", "sourdough starter"),
    examples=("The crust was dark.", "It rose overnight."),
)
SHIPS = CodebookTopic(
    key="ships", name="Ships", theme="Sea", description="They sail.", terms=("sail*", "anchor")
)
BEES = CodebookTopic(
    key="bees", name="Bees", theme="Food", description="They swarm.", examples=("The hive was full.",)
)
BOOK = Codebook(name="crafts", terms=("craft", "dough"), topics=(BREAD, SHIPS, BEES))

X, Y, Z, W = np.eye(4, dtype=np.float32)
PROTOTYPES = Prototypes.of(
    BOOK,
    # definitions of bread, ships and bees; description and two examples of bread, description of ships,
    # description and example of bees
    np.stack([X, Y, Z, -X, W, Y, -Y, Z, -Z]),
)
BETWEEN = ((X + Y) / np.float32(sqrt(2))).astype(np.float32)
TALK = Talk(
    "On the craft of sailing",
    (
        "we sailed home",
        "the dough, the doughs and a sourdough starter made with craft",
        "",
        "anchors and sails, sails and dough",
    ),
)
VECTORS = np.stack([Y, BETWEEN, W, -X])


def features(
    talk: Talk = TALK, rows: Sequence[int] | None = None, vectors: NDArray[np.float32] = VECTORS
) -> dict[str, NDArray[np.float64]]:
    """Return each feature by its name, float64 [n, 3]."""
    found, _ = ConceptEvidence(BOOK, PROTOTYPES).of(
        talk, range(len(talk.texts)) if rows is None else rows, vectors
    )
    return {name: found[:, :, at] for at, name in enumerate(NAMES)}


def agrees(found: NDArray[np.float64], *expected: Sequence[float]) -> None:
    np.testing.assert_allclose(found, np.array(expected), atol=1e-6)


def same(*of_rows: float) -> list[list[float]]:
    """Return a feature that is the same for the three concepts."""
    return [[value] * 3 for value in of_rows]


def test_there_is_one_feature_a_name() -> None:
    found, counts = ConceptEvidence(BOOK, PROTOTYPES).of(TALK, [1, 3], VECTORS[[1, 3]])
    assert found.shape == (2, 3, len(NAMES))
    assert len(set(NAMES)) == len(NAMES)
    assert found.dtype == np.float64
    assert counts.dtype == np.int64
    evidence = ConceptEvidence(BOOK, PROTOTYPES)
    assert evidence.terms.terms == ("anchor", "craft", "dough", "sail*", "sourdough starter")
    assert counts.tolist() == [[0, 1, 2, 0, 1], [1, 0, 1, 2, 0]]


def test_the_definition_is_compared_with_the_paragraph() -> None:
    found, half = features(), sqrt(0.5)
    agrees(found["definition"], [0, 1, 0], [half, half, 0], [0, 0, 0], [-1, 0, 0])
    agrees(found["definition gap"], [-1, 0, -1], [0, 0, -half], [0, 0, 0], [-1, 0, 0])
    third = half * 2 / 3
    agrees(
        found["definition above mean"],
        [-1 / 3, 2 / 3, -1 / 3],
        [half - third, half - third, -third],
        [0, 0, 0],
        [-2 / 3, 1 / 3, 1 / 3],
    )


def test_ranks_begin_at_zero_and_of_equals_the_first_leads() -> None:
    second, third = log1p(1), log1p(2)
    agrees(
        features()["definition rank"],
        [second, 0, third],
        [0, second, third],
        [0, second, third],
        [third, 0, second],
    )
    agrees(
        features()["distinct rank"],
        [second, 0, third],
        [0, second, third],
        [0, second, third],
        [second, 0, third],
    )
    agrees(features()["in talk rank"], *[[0, second, third]] * 4)
    more = Talk("", (*TALK.texts, "sail"))
    agrees(features(more, range(4))["in talk rank"], *[[second, 0, third]] * 4)


def test_of_as_many_terms_the_one_said_more_often_leads() -> None:
    found = features(Talk("", ("dough sail sail",)), vectors=VECTORS[:1])
    agrees(found["distinct"], [1, 1, 0])
    agrees(found["distinct rank"], [log1p(1), 0, log1p(2)])


def test_the_nearest_example_counts_the_description_too() -> None:
    half = sqrt(0.5)
    agrees(features()["example"], [1, -1, 0], [half, -half, 0], [1, 0, 0], [1, 0, 0])


def test_terms_are_counted_by_occurrence_and_by_kind() -> None:
    found = features()
    agrees(found["count"], [0, log1p(1), 0], [log1p(3), 0, 0], [0, 0, 0], [log1p(1), log1p(3), 0])
    agrees(found["distinct"], [0, 1, 0], [2, 0, 0], [0, 0, 0], [1, 2, 0])


def test_near_are_the_paragraphs_just_before_and_after() -> None:
    found = features()
    agrees(
        found["count near"],
        [log1p(3), 0, 0],
        [0, log1p(1), 0],
        [log1p(4), log1p(3), 0],
        [0, 0, 0],
    )
    agrees(found["distinct near"], [2, 0, 0], [0, 1, 0], [2, 2, 0], [0, 0, 0])


def test_the_title_and_the_whole_talk_bear_on_each_paragraph() -> None:
    found, words = features(), 3 + 11 + 0 + 6
    agrees(found["in title"], *[[0, 1, 0]] * 4)
    share = [log(1e-4 + 4 / words), log(1e-4 + 4 / words), log(1e-4)]
    agrees(found["in talk"], *[share] * 4)


def test_the_subject_is_the_terms_of_the_whole_codebook() -> None:
    found, words = features(), 3 + 11 + 0 + 6
    agrees(found["subject"], *same(0, log1p(3), 0, log1p(1)))
    agrees(found["subject near"], *same(log1p(3), 0, log1p(4), 0))
    agrees(found["subject in talk"], *same(*[log(1e-4 + 4 / words)] * 4))
    agrees(found["subject in title"], *same(1, 1, 1, 1))


def test_a_codebook_without_terms_of_its_own_has_those_of_all() -> None:
    book = BOOK.model_copy(update={"terms": ()})
    talk = Talk("Dough", ("craft craft", "anchor, dough"))
    found, _ = ConceptEvidence(book, PROTOTYPES).of(talk, [0, 1], VECTORS[:2])
    agrees(found[:, :, NAMES.index("subject")], *same(0, log1p(2)))
    agrees(found[:, :, NAMES.index("subject in title")], *same(1, 1))


def test_length_is_that_of_the_paragraph() -> None:
    agrees(features()["length"], *same(log(3), log(11), 0, log(6)))


def test_products_are_of_the_features_that_they_name() -> None:
    found = features()
    for product in ("distinct x subject", "definition x subject", "distinct x definition"):
        one, other = product.split(" x ")
        agrees(found[product], *(found[one] * found[other]))
        assert found[product].any()


def test_at_the_ends_of_a_talk_only_one_side_is_near() -> None:
    found = features(Talk("", ("dough", "rain", "rain", "anchor")))
    agrees(found["distinct near"], [0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0])


def test_a_talk_of_one_paragraph_has_nothing_near() -> None:
    found = features(Talk("Dough", ("dough and craft",)), vectors=VECTORS[:1])
    for name in ("count near", "distinct near", "subject near"):
        assert not found[name].any()
    agrees(found["distinct"], [1, 0, 0])
    agrees(found["in talk"], [log(1e-4 + 1 / 3), log(1e-4), log(1e-4)])


def test_a_talk_without_words_has_no_evidence_of_words() -> None:
    found = features(Talk("", ("", "")), vectors=VECTORS[:2])
    assert all(np.isfinite(values).all() for values in found.values())
    agrees(found["in talk"], *same(log(1e-4), log(1e-4)))
    agrees(found["length"], *same(0, 0))


@pytest.mark.parametrize("rows", [[0], [3], [2, 1], [0, 1, 2, 3], [1, 1], []])
def test_some_rows_give_what_all_rows_give_for_them(rows: list[int]) -> None:
    evidence = ConceptEvidence(BOOK, PROTOTYPES)
    every, counted = evidence.of(TALK, range(4), VECTORS)
    found, counts = evidence.of(TALK, rows, VECTORS[rows])
    np.testing.assert_array_equal(found, every[rows])
    np.testing.assert_array_equal(counts, counted[rows])


def test_definitions_come_first_then_descriptions_and_examples() -> None:
    assert Prototypes.texts(BOOK) == [
        "Bread: Baking bread.",
        "Ships: They sail.",  # without a definition the description says what counts
        "Bees: They swarm.",
        "Bread. We bake it.",
        "The crust was dark.",
        "It rose overnight.",
        "Ships. They sail.",
        "Bees. They swarm.",
        "The hive was full.",
    ]
    assert PROTOTYPES.definitions.tolist() == [X.tolist(), Y.tolist(), Z.tolist()]
    assert PROTOTYPES.of_topic.tolist() == [0, 0, 0, 1, 2, 2]
    assert len(PROTOTYPES.examples) == 6


def test_a_codebook_of_names_and_descriptions_is_enough() -> None:
    plain = Codebook(
        name="plain",
        topics=tuple(
            CodebookTopic(key=each.key, name=each.name, theme=each.theme, description=each.description)
            for each in BOOK.topics[:2]
        ),
    )
    prototypes = Prototypes.of(plain, np.stack([X, Y, Z, W]))
    evidence = ConceptEvidence(plain, prototypes)
    found, counts = evidence.of(TALK, range(4), VECTORS)
    assert counts.shape == (4, 0)
    assert np.isfinite(found).all()
    by_name = {name: found[:, :, at] for at, name in enumerate(NAMES)}
    agrees(by_name["definition"], *(VECTORS @ np.stack([X, Y]).T))
    agrees(by_name["example"], *(VECTORS @ np.stack([Z, W]).T))
    for name in (
        "count",
        "distinct",
        "count near",
        "distinct near",
        "in title",
        "subject",
        "subject in title",
    ):
        assert not by_name[name].any()


def test_an_empty_codebook_has_no_prototypes() -> None:
    blank = Codebook(name="blank")
    assert Prototypes.texts(blank) == []
    prototypes = Prototypes.of(blank, np.zeros((0, 4), np.float32))
    assert (prototypes.definitions.shape, prototypes.examples.shape) == ((0, 4), (0, 4))


@pytest.mark.parametrize("count", [0, 8, 10])
def test_too_few_or_too_many_embeddings_are_refused(count: int) -> None:
    with pytest.raises(BadInput, match=f"codebook crafts has 9 texts, but {count} embeddings") as refusal:
        Prototypes.of(BOOK, np.ones((count, 4), np.float32))
    assert refusal.value.cure == "embed each of its texts once"
