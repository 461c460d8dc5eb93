"""Concepts of a paragraph: few, calibrated, and the same for ever."""

from collections.abc import Mapping
from math import exp, log, log1p

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from models.codebook.codebook import Codebook, CodebookTopic, load
from models.concepts.evidence import NAMES, ConceptEvidence, Prototypes, Talk
from models.concepts.judge import (
    LEAST_PROBABILITY,
    MOST,
    ConceptCorrection,
    ConceptJudge,
    Learned,
    Membership,
    PooledModel,
    centred,
    chosen,
    shipped_corrections,
    shipped_model,
)
from models.concepts.terms import TermIndex
from models.errors import BadInput

MODEL = "made-up"
SUBJECTS = ("bread", "ships", "bees", "clocks")
BOOK = Codebook(
    name="crafts",
    topics=tuple(
        CodebookTopic(
            key=key, name=key.title(), theme="Crafts", description=f"About {key}.", terms=(key, "workshop")
        )
        for key in SUBJECTS
    ),
)
AXES = np.eye(4, dtype=np.float32)
PROTOTYPES = Prototypes.of(BOOK, np.concatenate([AXES, AXES]))
TALK = Talk("", ("bread", "ships and bread", "nothing at all", "bees"))
VECTORS = AXES


def pooled(intercept: float = 0.0, **weights: float) -> PooledModel:
    """Return a model of some features, which standardises nothing."""
    count = len(NAMES)
    return PooledModel(
        features=NAMES,
        mean=(0.0,) * count,
        scale=(1.0,) * count,
        weights=tuple(weights.get(name, 0.0) for name in NAMES),
        intercept=intercept,
    )


BY_TERMS = pooled(-1.0, distinct=2.0, definition=0.125)


def judge(
    model: PooledModel = BY_TERMS,
    corrections: Mapping[str, ConceptCorrection] | None = None,
    *,
    embedding_model: str = MODEL,
) -> ConceptJudge:
    learned = Learned(embedding_model=MODEL, centre=(0.0,) * 4, concepts=dict(corrections or {}))
    return ConceptJudge(BOOK, PROTOTYPES, embedding_model, pooled=model, learned=learned)


def log_odds(of: ConceptJudge) -> NDArray[np.float64]:
    """Return the log-odds of each paragraph of the talk and each concept."""
    probabilities = of.probabilities(TALK, range(4), VECTORS)
    return np.log(probabilities / (1 - probabilities))


def test_probabilities_are_those_of_the_logistic_model() -> None:
    expected = np.full((4, 4), -1.0) + 0.125 * np.eye(4)
    for row, concept in ((0, 0), (1, 0), (1, 1), (3, 2)):
        expected[row, concept] += 2.0
    np.testing.assert_allclose(log_odds(judge()), expected, atol=1e-9)


def test_features_are_standardised_before_they_are_weighed() -> None:
    length, at = pooled(0.5, length=3.0), NAMES.index("length")
    mean, scale = [0.0] * len(NAMES), [1.0] * len(NAMES)
    mean[at], scale[at] = log(2), 4.0
    model = length.model_copy(update={"mean": tuple(mean), "scale": tuple(scale)})
    found = log_odds(judge(model))
    np.testing.assert_allclose(found[0], [0.5 + 3 * (log(1) - log(2)) / 4] * 4)
    np.testing.assert_allclose(found[1], [0.5 + 3 * (log(3) - log(2)) / 4] * 4)


def test_the_most_probable_concept_is_named_first() -> None:
    found = judge().judge(TALK, VECTORS)
    assert [[each.topic_id for each in row] for row in found] == [[1], [2, 1], [], [3]]
    assert found[1][0].probability == pytest.approx(1 / (1 + exp(-1.125)))
    assert found[1][1].probability == pytest.approx(1 / (1 + exp(-1.0)))


def test_a_paragraph_has_three_concepts_at_most() -> None:
    assert MOST == 3
    bias = {key: ConceptCorrection(bias=at) for at, key in enumerate(SUBJECTS)}
    found = judge(pooled(2.0), bias).judge(TALK, VECTORS)
    assert [[each.topic_id for each in row] for row in found] == [[4, 3, 2]] * 4


@given(
    arrays(
        np.float64, st.integers(0, 8), elements=st.one_of(st.floats(0, 1), st.sampled_from([0.3, 0.29, 0.5]))
    )
)
def test_chosen_are_the_highest_from_the_least_probability_on(probabilities: NDArray[np.float64]) -> None:
    found = chosen(probabilities)
    possible = [
        Membership(at + 1, float(each)) for at, each in enumerate(probabilities) if each >= LEAST_PROBABILITY
    ]
    assert list(found) == sorted(possible, key=lambda each: (-each.probability, each.topic_id))[:MOST]


def test_the_least_probability_itself_is_enough() -> None:
    just_below = np.nextafter(LEAST_PROBABILITY, 0)
    assert chosen(np.array([just_below, LEAST_PROBABILITY])) == (Membership(2, LEAST_PROBABILITY),)


def test_nothing_that_is_judged_changes_a_judgement() -> None:
    judging = judge()
    first = judging.judge(TALK, VECTORS)
    version = judging.version
    judging.judge(Talk("Bees", ("bread bread workshops",) * 9), np.repeat(AXES[2:3], 9, axis=0))
    judging.judge(Talk("", ()), np.zeros((0, 4), np.float32))
    assert judging.judge(TALK, VECTORS) == first
    assert judging.version == version
    assert judge().judge(TALK, VECTORS) == first


def test_some_paragraphs_are_judged_as_in_their_whole_talk() -> None:
    model = pooled(-1.0, **{"distinct near": 1.0, "in talk": 0.5, "subject": 0.25})
    whole = judge(model).probabilities(TALK, range(4), VECTORS)
    some = judge(model).probabilities(TALK, [2, 0], VECTORS[[2, 0]])
    np.testing.assert_allclose(some, whole[[2, 0]], rtol=1e-12)


CORRECTIONS = {
    "bias": ConceptCorrection(bias=0.75),
    "direction": ConceptCorrection(direction=(0.0, 0.0, 2.0, -1.0)),
    "terms": ConceptCorrection(terms={"ships": 1.5, "workshop": 9.0, "no term of the codebook": 5.0}),
}
CHANGES = {
    "bias": [0.75] * 4,
    "direction": [0.0, 0.0, 2.0, -1.0],
    "terms": [0.0, 1.5 * log1p(1), 0.0, 0.0],
}


@pytest.mark.parametrize("what", CORRECTIONS)
def test_a_correction_changes_the_log_odds_of_its_concept(what: str) -> None:
    changed = log_odds(judge(corrections={"ships": CORRECTIONS[what]})) - log_odds(judge())
    expected = np.zeros((4, 4))
    expected[:, 1] = CHANGES[what]
    np.testing.assert_allclose(changed, expected, atol=1e-9)


def test_the_parts_of_a_correction_add_up() -> None:
    one = ConceptCorrection(bias=0.75, direction=(0.0, 0.0, 2.0, -1.0), terms={"ships": 1.5})
    changed = log_odds(judge(corrections={"ships": one, "unknown": one})) - log_odds(judge())
    np.testing.assert_allclose(changed[:, 1], np.sum(list(CHANGES.values()), axis=0), atol=1e-9)
    assert not changed[:, [0, 2, 3]].any()


def test_a_direction_is_that_of_the_centred_embedding() -> None:
    learned = Learned(
        embedding_model=MODEL,
        centre=(0.5, 0.0, 0.0, 0.0),
        concepts={"ships": ConceptCorrection(direction=(1.0, 0.0, 0.0, 0.0))},
    )
    with_it = ConceptJudge(BOOK, PROTOTYPES, MODEL, pooled=BY_TERMS, learned=learned)
    changed = (log_odds(with_it) - log_odds(judge()))[:, 1]
    np.testing.assert_allclose(changed, [1.0, *[-0.5 / np.sqrt(1.25)] * 3], atol=1e-9)


def test_with_another_embedding_model_directions_are_ignored() -> None:
    one = {"ships": ConceptCorrection(bias=0.75, direction=(5.0,) * 4, terms={"ships": 1.5})}
    other = log_odds(judge(corrections=one, embedding_model="another"))
    without = {"ships": ConceptCorrection(bias=0.75, terms={"ships": 1.5})}
    np.testing.assert_allclose(other, log_odds(judge(corrections=without)), atol=1e-9)
    assert not np.allclose(other, log_odds(judge(corrections=one)))


def test_an_empty_codebook_has_no_concepts() -> None:
    blank = load("blank")
    nothing = np.zeros((0, 4), np.float32)
    empty = ConceptJudge(blank, Prototypes.of(blank, nothing), MODEL, pooled=BY_TERMS)
    assert empty.judge(TALK, VECTORS) == [(), (), (), ()]
    assert empty.judge(Talk("", ()), nothing) == []
    assert judge().judge(Talk("", ()), nothing) == []


def versions_of_other_judges() -> dict[str, str]:
    named = BOOK.model_copy(update={"name": "trades"})
    topics = list(BOOK.topics)
    topics[2] = topics[2].model_copy(update={"terms": ("bees", "workshop", "hive")})
    termed = BOOK.model_copy(update={"topics": tuple(topics)})
    topics[2] = BOOK.topics[2].model_copy(update={"definition": "What bees do."})
    defined = BOOK.model_copy(update={"topics": tuple(topics)})
    learned = Learned(embedding_model=MODEL, centre=(0.0,) * 4)
    return {
        "name": ConceptJudge(named, PROTOTYPES, MODEL, pooled=BY_TERMS, learned=learned).version,
        "terms": ConceptJudge(termed, PROTOTYPES, MODEL, pooled=BY_TERMS, learned=learned).version,
        "definition": ConceptJudge(defined, PROTOTYPES, MODEL, pooled=BY_TERMS, learned=learned).version,
        "pooled": judge(pooled(-1.0, distinct=2.0)).version,
        "corrections": judge(corrections={"ships": ConceptCorrection(bias=0.1)}).version,
        "embedding model": judge(embedding_model="another").version,
    }


def test_whatever_it_judges_by_is_in_its_version() -> None:
    found = [judge().version, *versions_of_other_judges().values()]
    assert len(set(found)) == len(found)
    assert judge().version == judge().version


def test_a_model_that_was_fitted_on_other_evidence_is_refused() -> None:
    other = BY_TERMS.model_copy(update={"features": (*NAMES[1:], NAMES[0])})
    with pytest.raises(BadInput, match="fitted on other evidence"):
        judge(other)


def test_centred_vectors_have_unit_length_or_none() -> None:
    vectors = np.array([[1, 0], [0, 3], [0.5, 0]], np.float32)
    found = centred(vectors, np.array([0.5, 0.0]))
    np.testing.assert_allclose(found[0], [1, 0])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), [1, 1, 0])


def test_the_shipped_model_fits_the_evidence() -> None:
    model = shipped_model()
    assert model.features == NAMES
    assert {len(model.mean), len(model.scale), len(model.weights)} == {len(NAMES)}
    assert all(scale > 0 for scale in model.scale)


def test_the_shipped_corrections_fit_the_shipped_codebook() -> None:
    book, learned = load("llm-in-production"), shipped_corrections("llm-in-production")
    index = TermIndex([topic.terms for topic in book.topics])
    dimension = len(learned.centre)
    assert set(learned.concepts) == {topic.key for topic in book.topics}
    for topic in book.topics:
        correction = learned.concepts[topic.key]
        assert set(correction.terms) == set(topic.terms) <= set(index.terms)
        assert len(correction.direction) == dimension
        assert correction.judged > 0


def test_every_codebook_but_the_shipped_one_begins_unjudged() -> None:
    assert shipped_corrections("crafts") == shipped_corrections("blank") == Learned()
    assert ConceptJudge(BOOK, PROTOTYPES, MODEL).version == (
        ConceptJudge(BOOK, PROTOTYPES, MODEL, pooled=shipped_model(), learned=Learned()).version
    )


def test_the_shipped_codebook_is_judged_with_its_corrections() -> None:
    book = load("llm-in-production")
    dimension = len(shipped_corrections(book.name).centre)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(len(Prototypes.texts(book)), dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    prototypes = Prototypes.of(book, vectors)
    name = shipped_corrections(book.name).embedding_model
    judging, unjudged = (
        ConceptJudge(book, prototypes, name),
        ConceptJudge(book, prototypes, name, learned=Learned()),
    )
    talk = Talk("LLMs", ("We chunk documents for retrieval with a vector database.",))
    features, counts = ConceptEvidence(book, prototypes).of(talk, [0], vectors[:1])
    assert features.shape == (1, 20, len(NAMES))
    assert counts.sum() >= 3
    found = [each.probabilities(talk, [0], vectors[:1]) for each in (judging, unjudged)]
    assert found[0].argmax() == found[1].argmax() == 0
    assert not np.allclose(found[0], found[1])
