"""Words and drift of concepts: told when they change, and the same after a restart at any step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.codebook.codebook import Codebook, CodebookTopic
from models.concepts.judge import Membership
from models.concepts.observer import PREFIX, ConceptObserver, Observation
from models.topics import Batch, Drift, TopicSettings

DIMENSION = 8
WORDS = {
    "bread": "dough flour yeast oven crust baker",
    "ships": "harbour anchor captain cargo lighthouse rudder",
    "bees": "hive honey queen pollen nectar swarm",
}
BOOK = Codebook(
    name="crafts",
    topics=tuple(
        CodebookTopic(key=key, name=key.title(), theme="Crafts", description=f"{said}.")
        for key, said in WORDS.items()
    ),
)
BREAD, SHIPS, BEES = 1, 2, 3
SETTINGS = replace(TopicSettings(), top_words=4)
Paragraph = tuple[str, tuple[int, ...]]
"""The words of a paragraph, and its concepts."""


def observer(book: Codebook = BOOK) -> ConceptObserver:
    return ConceptObserver(book, SETTINGS, DIMENSION)


def add(
    observing: ConceptObserver, number: int, paragraphs: Sequence[Paragraph], *, again: bool = False
) -> Observation:
    """Let it observe talk `number`."""
    rng = np.random.default_rng(number)
    vectors = rng.normal(size=(len(paragraphs), DIMENSION))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    batch = Batch(
        batch_id=f"talk-{number}:1",
        video_id=f"talk-{number}",
        published_on=date(2025, 1, 1) + timedelta(days=number),
        paragraph_ids=tuple(f"{number}:{position}" for position in range(len(paragraphs))),
        texts=tuple(text for text, _ in paragraphs),
        embeddings=vectors.astype(np.float32),
    )
    about = [[Membership(topic_id, 0.9) for topic_id in concepts] for _, concepts in paragraphs]
    return observing.observe(batch, about, again=again)


def among_others() -> ConceptObserver:
    """Return an observer that has heard talks about none of its concepts."""
    observing = observer()
    for talk in range(100, 160):
        add(observing, talk, [("rain snow wind hail cloud storm", ())])
    return observing


def named(words: Sequence[tuple[str, float]]) -> set[str]:
    return {word for word, _ in words}


def state(observing: ConceptObserver) -> dict[str, tuple[str, tuple[int, ...], bytes]]:
    """Return the type, shape and bytes of each array of a state."""
    return {
        name: (str(array.dtype), array.shape, array.tobytes())
        for name, array in observing.to_arrays().items()
    }


def restored(observing: ConceptObserver, book: Codebook = BOOK) -> ConceptObserver:
    """Restore it from a snapshot that has other arrays as well."""
    others: dict[str, NDArray[Any]] = {"means": np.ones((2, DIMENSION)), "drift_days": np.arange(3)}
    return ConceptObserver.from_arrays(book, SETTINGS, DIMENSION, others | observing.to_arrays())


def test_the_first_words_are_those_of_name_and_description() -> None:
    words = observer().words()
    assert list(words) == [BREAD, SHIPS, BEES]
    for topic_id, key in enumerate(WORDS, 1):
        assert len(words[topic_id]) == SETTINGS.top_words
        assert named(words[topic_id]) <= {key, *WORDS[key].split()}
        weights = [weight for _, weight in words[topic_id]]
        assert weights == sorted(weights, reverse=True)


def test_only_mentioned_concepts_get_other_words() -> None:
    observing = observer()
    before = observing.words()
    found = add(observing, 0, [("sourdough sourdough starter starter", (BREAD,)), ("rainy weather", ())])
    assert list(found.words) == [BREAD]
    assert found.words[BREAD] == observing.words()[BREAD]
    assert {"sourdough", "starter"} <= named(found.words[BREAD])
    assert {each: observing.words()[each] for each in (SHIPS, BEES)} == {
        each: before[each] for each in (SHIPS, BEES)
    }


def test_a_paragraph_about_two_concepts_speaks_for_both() -> None:
    observing = among_others()
    found = add(observing, 0, [("sourdough sourdough sourdough " * 3, (BREAD, SHIPS))])
    assert list(found.words) == [BREAD, SHIPS]
    assert all(found.words[each][0][0] == "sourdough" for each in (BREAD, SHIPS))


def test_another_order_of_the_same_words_is_no_change() -> None:
    observing = among_others()
    add(
        observing,
        0,
        [("oven oven oven oven crust crust crust crust yeast yeast yeast flour flour flour", (BREAD,))],
    )
    before = observing.words()[BREAD]
    found = add(observing, 1, [("flour flour", (BREAD,))])
    after = observing.words()[BREAD]
    assert [word for word, _ in after] != [word for word, _ in before]
    assert named(after) == named(before)
    assert not found.words


def test_words_of_paragraphs_without_a_concept_count_against() -> None:
    said = [("alembic network alembic network", (BREAD,))]
    alone, among = among_others(), among_others()
    add(alone, 0, said)
    add(among, 0, [*said, ("network " * 40, ())])
    equal, weighed = (dict(each.words()[BREAD]) for each in (alone, among))
    assert equal["alembic"] == equal["network"]
    assert weighed["alembic"] > 2 * weighed.get("network", 0.0)


def test_a_talk_without_content_words_changes_nothing_said() -> None:
    observing = observer()
    before = observing.words()
    found = add(observing, 0, [("you know, well", ()), ("", (BEES,))])
    assert found == Observation({}, ())
    assert named(observing.words()[BEES]) == named(before[BEES])


def talks() -> list[tuple[list[Paragraph], bool]]:
    """Return talks with 0 to 3 concepts a paragraph; some come again."""
    rng = np.random.default_rng(7)
    vocabulary = [*" ".join(WORDS.values()).split(), "rain", "wind", "über", "データ"]
    found = []
    for number in range(12):
        paragraphs = [
            (
                " ".join(rng.choice(vocabulary, 9)),
                tuple(sorted(rng.choice([1, 2, 3], rng.integers(0, 4), replace=False).tolist())),
            )
            for _ in range(rng.integers(1, 4))
        ]
        found.append((paragraphs, number % 4 == 3))
    return found


def test_after_a_restart_at_any_step_it_goes_on_as_before() -> None:
    whole, restarted = observer(), restored(observer())
    assert state(restarted) == state(whole)
    for number, (paragraphs, again) in enumerate(talks()):
        expected = add(whole, number, paragraphs, again=again)
        assert add(restarted, number, paragraphs, again=again) == expected
        assert restarted.words() == whole.words()
        assert state(restarted) == state(whole)
        restarted = restored(restarted)
        assert state(restarted) == state(whole)
        assert restarted.words() == whole.words()
    assert len({tuple(map(tuple, words)) for words in whole.words().values()}) == 3


def test_the_state_of_one_talk_more_is_another() -> None:
    one, other = observer(), observer()
    add(one, 0, [("dough", (BREAD,))])
    assert state(one) != state(other)
    add(other, 0, [("dough", (BREAD,))])
    assert state(one) == state(other)


def test_its_arrays_are_its_own() -> None:
    observing = observer()
    add(observing, 0, [("dough oven", (BREAD, BEES))])
    before = state(observing)
    arrays = observing.to_arrays()
    assert all(name.startswith(PREFIX) for name in arrays)
    for array in arrays.values():
        array.fill(7)
    assert state(observing) == before


def test_without_a_stored_state_it_is_new() -> None:
    nothing: dict[str, NDArray[Any]] = {"means": np.ones((2, DIMENSION))}
    fresh = ConceptObserver.from_arrays(BOOK, SETTINGS, DIMENSION, nothing)
    assert state(fresh) == state(observer())


def test_an_empty_codebook_is_observed_and_restored() -> None:
    blank = Codebook(name="blank")
    observing = observer(blank)
    for number in range(2):
        observing = restored(observing, blank)
        assert add(observing, number, [("dough oven", ()), ("harbour", ())]) == Observation({}, ())
    assert observing.words() == {}
    assert state(restored(observing, blank)) == state(observing)


def spoken(topic_id: int) -> list[Paragraph]:
    return [(WORDS[list(WORDS)[topic_id - 1]], (topic_id,))]


@pytest.mark.parametrize("again", [False, True])
def test_a_concept_that_begins_to_be_spoken_of_drifts_once(again: bool) -> None:
    observing = observer()
    drifts: list[Drift] = []
    for number in range(120):
        topic_id = SHIPS if number < 60 else BREAD
        drifts += add(observing, number, spoken(topic_id), again=again).drifts
    shares = sorted((each.topic_id, each.after > each.before) for each in drifts if each.what == "share")
    assert shares == ([] if again else [(BREAD, True), (SHIPS, False)])


def test_a_talk_that_comes_again_counts_only_for_words() -> None:
    observing = among_others()
    add(observing, 0, spoken(BREAD))
    before = observing.to_arrays()
    add(observing, 1, [("sourdough sourdough sourdough", (BREAD,))], again=True)
    after = observing.to_arrays()
    drift = [name for name in before if name.startswith(PREFIX + "drift")]
    assert len(drift) > 5
    for name in drift:
        np.testing.assert_array_equal(before[name], after[name])
    assert "sourdough" in named(observing.words()[BREAD])
    add(observing, 2, spoken(BREAD))
    assert len(observing.to_arrays()[PREFIX + "drift_days"]) == len(before[PREFIX + "drift_days"]) + 1


def test_a_talk_about_no_concept_does_not_count_for_drift() -> None:
    observing = observer()
    add(observing, 0, [("rain and wind", ())])
    assert len(observing.to_arrays()[PREFIX + "drift_days"]) == 0


@pytest.mark.parametrize(("says", "kinds"), [("bread voice", ["words"]), ("voice", ["meaning"])])
def test_what_has_a_concept_s_words_drifts_and_else_is_in_doubt(says: str, kinds: list[str]) -> None:
    observing, found = observer(), []
    for number in range(120):
        said = WORDS["bread"] if number < 50 else f"{says} alexa speaker microphone"
        found += add(observing, number, [(said, (BREAD,)), ("harbour", (SHIPS,))]).drifts
    assert [each.what for each in found if each.what in ("words", "centre", "meaning")] == kinds
    for drift in (each for each in found if each.what == "words"):
        assert {"alexa", "microphone"} <= set(drift.words_after)
        before, after = drift.quotes
        assert "alexa" not in before.text and "alexa" in after.text


def test_a_concept_that_was_there_from_the_start_rises() -> None:
    observing, found = observer(), []
    for number in range(200):
        about = [("harbour", (SHIPS,)), *(spoken(BREAD) if number % 20 == 0 or number >= 120 else [])]
        found += [each for each in add(observing, number, about).drifts if each.what == "rise"]
    (rise,) = found
    assert rise.topic_id == BREAD and rise.rise is not None
    assert rise.rise.video_ids[-1] == rise.batch_id.removesuffix(":1") == "talk-127"
