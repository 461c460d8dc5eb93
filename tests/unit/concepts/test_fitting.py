"""The fit of concepts to made-up readings: what tells ranks first, and little data changes little."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.codebook.codebook import Codebook, CodebookTopic
from models.concepts.evidence import NAMES
from models.concepts.fitting import DIGITS, Read, fit_corrections, fit_pooled, folds
from models.concepts.terms import TermIndex

SUBJECTS = ("bread", "ships", "bees")
BOOK = Codebook(
    name="crafts",
    topics=tuple(
        CodebookTopic(
            key=key,
            name=key.title(),
            theme="Crafts",
            description=f"About {key}.",
            terms=(key, f"{key} maker"),
        )
        for key in SUBJECTS
    ),
)
TERMS = TermIndex([topic.terms for topic in BOOK.topics])
DEFINITION = NAMES.index("definition")
MODEL = "made-up"
ROWS, DIMENSION = 240, 6


def made_up(seed: int = 0) -> Read:
    """Return paragraphs of 24 talks; each pair is right as often as its definition says."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(ROWS, len(SUBJECTS), len(NAMES)))
    odds = 3.0 * features[:, :, DEFINITION] - 1.0
    about = rng.random(odds.shape) < 1 / (1 + np.exp(-odds))
    vectors = rng.normal(size=(ROWS, DIMENSION)).astype(np.float32)
    return Read(
        features=features,
        counts=rng.integers(0, 3, (ROWS, len(TERMS.terms))),
        vectors=vectors / np.linalg.norm(vectors, axis=1, keepdims=True),
        about=about,
        weights=np.ones(about.shape),
        talks=tuple(f"talk {row // 10}" for row in range(ROWS)),
    )


READ = made_up()


def shares_of_pairs_in_order(log_odds: NDArray[np.float64], about: NDArray[np.bool_]) -> float:
    """Return how often a right pair has higher log-odds than a wrong one."""
    right, wrong = log_odds[about], log_odds[~about]
    return float((right[:, np.newaxis] > wrong).mean())


def test_evidence_that_hardly_differs_keeps_log_odds_finite() -> None:
    features = READ.features.copy()
    features[:, :, NAMES.index("length")] = np.log(20)
    model = fit_pooled(replace(READ, features=features))
    assert np.isfinite(model.log_odds(features)).all()


def test_the_pooled_fit_ranks_right_pairs_first() -> None:
    model, unseen = fit_pooled(READ), made_up(1)
    found = model.log_odds(unseen.features)
    best = shares_of_pairs_in_order(unseen.features[:, :, DEFINITION], unseen.about)
    assert shares_of_pairs_in_order(found, unseen.about) > best - 0.02
    assert np.argmax(np.abs(model.weights)) == DEFINITION
    assert (1 / (1 + np.exp(-found))).mean() == pytest.approx(unseen.about.mean(), abs=0.05)


def test_the_pooled_fit_is_rounded_and_deterministic() -> None:
    model = fit_pooled(READ)
    assert fit_pooled(READ) == model
    assert model.features == NAMES
    kept = [*model.mean, *model.scale, *model.weights, model.intercept]
    assert kept == [round(each, DIGITS) for each in kept]


def test_evidence_that_never_differs_has_no_weight() -> None:
    features = READ.features.copy()
    features[:, :, 0] = 7.0
    model = fit_pooled(replace(READ, features=features))
    assert (model.mean[0], model.scale[0], model.weights[0]) == (7.0, 1.0, 0.0)
    assert np.isfinite(model.log_odds(features)).all()


def test_a_concept_left_out_of_the_pooled_fit_has_no_say() -> None:
    upside_down = READ.about.copy()
    upside_down[:, 1] = ~upside_down[:, 1]
    features = READ.features.copy()
    features[:, 1] += 9.0
    other = replace(READ, about=upside_down, features=features)
    assert fit_pooled(other, [0, 2]) == fit_pooled(READ, [0, 2])
    assert fit_pooled(other) != fit_pooled(READ)


def test_pairs_without_weight_are_ignored() -> None:
    weights = READ.weights.copy()
    weights[::3, 1] = 0.0
    read = replace(READ, weights=weights)
    other = replace(read, about=np.where(weights > 0, READ.about, ~READ.about))
    assert not np.array_equal(other.about, read.about)
    assert fit_pooled(other) == fit_pooled(read)
    assert fit_corrections(other, BOOK, TERMS, MODEL) == fit_corrections(read, BOOK, TERMS, MODEL)
    heard = replace(other, weights=READ.weights)
    assert fit_pooled(heard) != fit_pooled(replace(read, weights=READ.weights))


def test_some_paragraphs_keep_all_their_parts() -> None:
    rows = np.array([30, 2, 2])
    some = READ.of(rows)
    for name in ("features", "counts", "vectors", "about", "weights"):
        np.testing.assert_array_equal(getattr(some, name), getattr(READ, name)[rows])
    assert some.talks == ("talk 3", "talk 0", "talk 0")


TALKS = st.lists(st.sampled_from("abcdefghij"), max_size=60)


@given(TALKS, st.integers(1, 6))
def test_folds_cover_each_row_once_and_divide_no_talk(talks: list[str], parts: int) -> None:
    found = folds(talks, parts)
    assert len(found) == parts
    assert sorted(row for part in found for row in part.tolist()) == list(range(len(talks)))
    owners = [{talks[row] for row in part.tolist()} for part in found]
    assert sum(len(each) for each in owners) == len(set(talks))
    sizes = [len(part) for part in found]
    assert max(sizes) - min(sizes) <= max(Counter(talks).values(), default=0)
    for one, other in zip(found, folds(talks, parts), strict=True):
        assert one.tolist() == other.tolist()


def test_the_order_of_rows_does_not_move_a_talk_to_another_fold() -> None:
    talks = ["a", "b", "c", "d", "d"]
    backwards = talks[::-1]
    assert [{talks[row] for row in part} for part in folds(talks, 2)] == [
        {backwards[row] for row in part} for part in folds(backwards, 2)
    ]


def test_talks_of_one_length_make_equal_folds() -> None:
    assert [len(part) for part in folds(READ.talks, 4)] == [60] * 4


def test_corrections_are_deterministic_and_rounded() -> None:
    learned = fit_corrections(READ, BOOK, TERMS, MODEL)
    assert fit_corrections(READ, BOOK, TERMS, MODEL) == learned
    assert learned.embedding_model == MODEL
    np.testing.assert_allclose(learned.centre, READ.vectors.mean(axis=0), atol=10**-DIGITS)
    for topic in BOOK.topics:
        correction = learned.concepts[topic.key]
        assert set(correction.terms) == set(topic.terms)
        assert len(correction.direction) == DIMENSION
        assert correction.judged == ROWS
        kept = [correction.bias, *correction.direction, *correction.terms.values()]
        assert kept == [round(each, DIGITS) for each in kept]


def sure() -> Read:
    """Return paragraphs whose definition alone says what they are about, beyond doubt."""
    features = np.zeros((ROWS, len(SUBJECTS), len(NAMES)))
    about = np.random.default_rng(2).random((ROWS, len(SUBJECTS))) < 0.3
    features[:, :, DEFINITION] = np.where(about, 8.0, -8.0)
    return replace(READ, features=features, about=about)


def test_without_contradiction_corrections_are_near_zero() -> None:
    learned = fit_corrections(sure(), BOOK, TERMS, MODEL)
    for correction in learned.concepts.values():
        assert abs(correction.bias) < 0.05
        assert np.abs(correction.direction).max() < 0.3
        assert max(map(abs, correction.terms.values())) < 0.15


def test_few_contradictions_change_little_and_more_change_more() -> None:
    biases = []
    for missed in (2, 12, 60):
        read = sure()
        about = read.about.copy()
        about[np.flatnonzero(~about[:, 1])[:missed], 1] = True
        biases.append(fit_corrections(replace(read, about=about), BOOK, TERMS, MODEL).concepts["ships"].bias)
    assert 0.0 < biases[0] < biases[1] < biases[2]


def missed(sign: int) -> Read:
    """Return paragraphs about ships that only the embedding, and a term, show; the features say nothing."""
    read = sure()
    about, features, counts = read.about.copy(), read.features.copy(), np.zeros_like(read.counts)
    rng = np.random.default_rng(3)
    by_direction, by_term = rng.random(ROWS) < 0.25, rng.random(ROWS) < 0.25
    about[:, 1] = by_direction | by_term
    features[:, 1, DEFINITION] = -8.0
    counts[by_term, TERMS.terms.index("ships")] = 2
    vectors = rng.normal(0, 0.1, (ROWS, DIMENSION))
    vectors[:, 2] += np.where(by_direction, sign, -sign)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return replace(read, about=about, features=features, counts=counts, vectors=vectors.astype(np.float32))


@pytest.mark.parametrize("sign", [1, -1])
def test_corrections_lift_a_concept_that_the_pooled_model_misses(sign: int) -> None:
    learned = fit_corrections(missed(sign), BOOK, TERMS, MODEL).concepts
    ships = learned["ships"]
    assert sign * ships.direction[2] > 1.0
    assert np.argmax(np.abs(ships.direction)) == 2
    assert ships.terms["ships"] > 1.0
    assert ships.terms["ships maker"] == 0.0, "nobody said it"
    assert np.abs(learned["bread"].direction).max() < 0.5, "the embedding says nothing of bread"


def test_a_concept_that_nobody_judged_has_no_correction() -> None:
    weights = READ.weights.copy()
    weights[:, 1] = 0.0
    weights[5:, 2] = 0.0
    learned = fit_corrections(replace(READ, weights=weights), BOOK, TERMS, MODEL)
    assert list(learned.concepts) == ["bread", "bees"]
    assert learned.concepts["bees"].judged == 5


def test_a_correction_knows_no_other_concepts_readings() -> None:
    """The pooled model does, so only what it cannot see may differ: here its evidence tells nothing."""
    flat = replace(READ, features=np.zeros_like(READ.features))
    about = flat.about.copy()
    about[:, 0] = np.roll(about[:, 0], 7)  # as many of each talk's neighbours, other paragraphs
    one, other = (
        fit_corrections(each, BOOK, TERMS, MODEL).concepts for each in (flat, replace(flat, about=about))
    )
    assert one["bread"].terms != other["bread"].terms
    for key in ("ships", "bees"):
        assert one[key].bias == pytest.approx(other[key].bias, abs=0.02)
        np.testing.assert_allclose(one[key].direction, other[key].direction, atol=0.05)
