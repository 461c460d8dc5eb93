"""Topics while the model learns talk after talk: assignment, birth, words, bounds and versions."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from made_up_talks import DIMENSION, EMBEDDING_MODEL, SUBJECTS, WORDS, codebook, model, seeds, talk

from models.errors import BadInput
from models.topics import Batch, Outcome, TopicModel, TopicSettings, dump
from models.topics.online.words import content_words


def learn(topics: TopicModel, talks: Sequence[Sequence[str]], first: int = 0) -> list[Outcome]:
    return [topics.learn(talk(number, subjects)) for number, subjects in enumerate(talks, start=first)]


def words_of(topics: TopicModel, topic_id: int) -> set[str]:
    return {word for word, _ in topics.topics()[topic_id - 1].words}


def birth_of(outcomes: Sequence[Outcome]) -> Outcome:
    (outcome,) = [outcome for outcome in outcomes if outcome.births]
    return outcome


def test_before_any_talk_the_topics_are_the_codebooks() -> None:
    topics = model("bread", "ships")
    assert [(t.topic_id, t.label, t.key, t.theme, t.origin) for t in topics.topics()] == [
        (1, "Bread", "bread", "Crafts", "seeded"),
        (2, "Ships", "ships", "Crafts", "seeded"),
    ]
    assert words_of(topics, 2) & set(WORDS["ships"].split())


def test_a_paragraph_goes_to_the_topic_it_speaks_of() -> None:
    (outcome,) = learn(model("bread", "ships", "bees"), [["ships", "bread", "bees", "ships"]])
    assert [each.topic_id for each in outcome.assignments] == [2, 1, 3, 2]
    assert all(each.probability > 0.9 for each in outcome.assignments)
    assert outcome.assignments[1].paragraph_id == "talk-0:1:1"


def test_a_paragraph_about_none_of_the_topics_gets_none() -> None:
    (outcome,) = learn(model("bread", "ships"), [["bread", "trains", ""]])
    assert [each.topic_id for each in outcome.assignments] == [1, None, None]


def test_a_topic_is_born_when_a_third_video_speaks_of_it() -> None:
    topics = model("bread", "ships")
    outcomes = learn(
        topics, [["bread", "bees", "bees"], ["ships", "bees"], ["bread"], ["bees", "bees", "ships"]]
    )
    outcome = birth_of(outcomes)
    assert outcome is outcomes[3]
    (birth,) = outcome.births
    assert (birth.topic.topic_id, birth.topic.origin, birth.topic.key) == (3, "born", None)
    assert birth.video_ids == ("talk-0", "talk-1", "talk-3")
    assert birth.paragraph_ids == ("talk-0:1:1", "talk-0:1:2", "talk-1:1:1", "talk-3:1:0", "talk-3:1:1")
    assert [each.topic_id for each in outcome.assignments] == [3, 3, 2]
    assert birth.topic in outcome.topics_changed


def test_founding_paragraphs_come_with_videos_and_new_topic() -> None:
    topics = model("bread")
    (birth,) = birth_of(learn(topics, [["bees"] * 2, ["bees"] * 2, ["bees"] * 2])).births
    assert [(e.video_id, e.video_index, e.paragraph_id, e.topic_id) for e in birth.assignments] == [
        ("talk-0", 0, "talk-0:1:0", 2),
        ("talk-0", 0, "talk-0:1:1", 2),
        ("talk-1", 1, "talk-1:1:0", 2),
        ("talk-1", 1, "talk-1:1:1", 2),
    ]
    assert {each.month for each in birth.assignments} == {"2025-03"}


def test_a_newborn_topic_has_the_words_of_all_its_founders() -> None:
    topics = model("bread")
    earlier = [talk(number, ["bees"] * 2) for number in range(2)]
    outcomes = [topics.learn(each) for each in earlier]
    last = talk(2, ["bees"] * 2)
    terse = replace(last, texts=("Hive.", "Hive!"))
    (birth,) = topics.learn(terse).births
    assert not any(outcome.births for outcome in outcomes)
    said = [" ".join(each.texts).lower() for each in (*earlier, terse)]
    shared = {word for word in WORDS["bees"].split() if sum(word in text for text in said) > 1}
    assert {word for word, _ in birth.topic.words} == shared
    assert len(shared) > 4
    assert birth.topic.label
    assert set(birth.topic.label.lower().split()) <= set(WORDS["bees"].split())


def test_one_video_is_not_enough_however_often_it_says_it() -> None:
    assert not any(outcome.births for outcome in learn(model("bread"), [["bees"] * 20, ["bees"] * 20]))


def test_a_subject_that_has_a_topic_is_not_born_again() -> None:
    outcomes = learn(model("bread"), [["bees"] * 2] * 12)
    assert sum(len(outcome.births) for outcome in outcomes) == 1


def test_two_subjects_ripening_together_are_born_in_turn() -> None:
    topics = model("bread")
    outcomes = learn(topics, [["bees", "glass"] * 2] * 5)
    born = [[birth.topic.topic_id for birth in outcome.births] for outcome in outcomes]
    assert born == [[], [], [2], [3], []]
    assert [each.topic_id for each in outcomes[4].assignments] in ([2, 3, 2, 3], [3, 2, 3, 2])


def test_without_a_codebook_all_topics_are_born() -> None:
    topics = model()
    assert topics.topics() == ()
    outcomes = learn(topics, [["bees", "glass"] * 2] * 6)
    assert [topic.origin for topic in topics.topics()] == ["born", "born"]
    assert all(each.topic_id is None and each.probability == 1.0 for each in outcomes[0].assignments)


def test_beyond_the_limit_no_topic_is_born_while_all_are_active() -> None:
    topics = model("bread", settings=TopicSettings(max_topics=2))
    learn(topics, [["bread", "bees", "bees", "glass", "glass"]] * 8)
    assert len(topics.topics()) == 2


def means_after(
    topics: TopicModel, number: int, about: tuple[tuple[int, ...], ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Learn a talk whose paragraphs on bread lean towards clocks; return the anchor and the unit mean."""
    shifted = talk(number, ["bread"] * 8)
    shifted.embeddings[:, SUBJECTS.index("clocks")] += 0.8
    topics.learn(replace(shifted, about=about))
    arrays = topics.to_snapshot().arrays
    return arrays["anchors"][0], arrays["means"][0] / np.linalg.norm(arrays["means"][0])


def test_a_born_topic_follows_its_paragraphs_near_its_start() -> None:
    topics = model()
    learn(topics, [["bread", "bread"]] * 3)
    began = topics.to_snapshot().arrays["anchors"][0]
    anchor, mean = means_after(topics, 3)
    assert anchor @ mean < 0.99
    assert anchor @ began == pytest.approx(1)


def test_a_topic_of_the_codebook_follows_what_is_about_it_only() -> None:
    topics = model("bread")
    anchor, mean = means_after(topics, 0)
    assert anchor @ mean == pytest.approx(1)
    restored = TopicModel.from_snapshot(topics.to_snapshot(), TopicSettings())
    anchor, mean = means_after(restored, 1)
    assert anchor @ mean == pytest.approx(1)
    anchor, mean = means_after(restored, 2, about=((1,),) * 8)
    assert anchor @ mean < 0.99
    assert anchor @ (seeds("bread")[0] / np.linalg.norm(seeds("bread")[0])) == pytest.approx(1)


@pytest.mark.long
def test_a_topic_nobody_speaks_of_keeps_its_words() -> None:
    topics = model("bread", "ships")
    learn(topics, [["bread"] * 3])
    before = words_of(topics, 1)
    learn(topics, [["ships"] * 3] * 150, first=1)
    assert words_of(topics, 1) == before


def test_word_counts_stay_counts() -> None:
    """c-TF-IDF normalises the matrix it is given in place; it must not be given ours."""
    topics = model("bread", settings=TopicSettings(word_decay=0.0))
    talks = [talk(number, ["bread"] * 3) for number in range(3)]
    for each in talks:
        topics.learn(each)
    said = [Counter(content_words(" ".join(each.texts))) for each in talks]
    expected = sum(1.0 + math.log(times) for each in said for times in each.values())
    seeded = content_words(codebook("bread").topics[0].seed)
    snapshot = topics.to_snapshot()
    rows = snapshot.arrays["word_rows"]
    assert snapshot.arrays["word_counts"][rows[1] :].sum() == pytest.approx(expected + len(seeded))
    assert snapshot.arrays["topic_sizes"].tolist() == [0, 9]


def test_the_vocabulary_is_bounded_and_keeps_every_topic_s_words() -> None:
    topics = model("bread", "ships", settings=TopicSettings(vocabulary=40, protected_words=10))
    for number in range(30):
        batch = talk(number, ["bread", "ships"])
        texts = tuple(f"{text} rare{number}a rare{number}b" for text in batch.texts)
        topics.learn(
            Batch(
                batch.batch_id,
                batch.video_id,
                batch.published_on,
                batch.paragraph_ids,
                texts,
                batch.embeddings,
            )
        )
        assert len(topics.to_snapshot().meta["vocabulary"]) <= 50  # type: ignore[arg-type]
    assert words_of(topics, 1) >= set(WORDS["bread"].split())
    assert words_of(topics, 2) >= set(WORDS["ships"].split())


def test_paragraphs_without_telling_words_are_not_learned() -> None:
    topics, deaf = model("bread"), model("bread")
    learn(topics, [["bread"]])
    learn(deaf, [["bread"]])
    for number in range(1, 7):
        wordless = replace(
            talk(number, ["bread", "bees", "bees"]), texts=("", "🐝🍯", "So, yeah, you know …")
        )
        outcome = deaf.learn(wordless)
        assert [(each.topic_id, each.probability) for each in outcome.assignments] == [(None, 1.0)] * 3
        assert outcome.video_index == number
        assert not outcome.births
    for name in ("background", "means", "word_counts", "kept_vectors", "sampled_vectors"):
        assert np.array_equal(topics.to_snapshot().arrays[name], deaf.to_snapshot().arrays[name]), name


def test_a_paragraph_with_words_is_learned_beside_one_without() -> None:
    batch = talk(0, ["ships", "bread", "bread"])
    outcome = model("bread", "ships").learn(replace(batch, texts=(batch.texts[0], "🍞", batch.texts[2])))
    assert [each.topic_id for each in outcome.assignments] == [2, None, 1]


def test_a_batch_is_learned_once() -> None:
    topics = model("bread")
    assert not topics.learned("talk-0:1")
    topics.learn(talk(0, ["bread"]))
    assert topics.learned("talk-0:1")
    with pytest.raises(BadInput, match="talk-0:1 has been learned already"):
        topics.learn(talk(0, ["bread"]))


def test_another_version_of_a_video_keeps_its_index() -> None:
    topics = model("bread")
    first, second = learn(topics, [["bread"], ["bread"]])
    again = topics.learn(talk(0, ["bread", "bread"], version=2))
    assert (first.video_index, second.video_index, again.video_index) == (0, 1, 0)
    assert learn(topics, [["bread"]], first=2)[0].video_index == 2


def test_versions_of_one_video_are_not_several_videos() -> None:
    topics = model("bread", "ships", "trains")
    for version in range(1, 7):
        assert not topics.learn(talk(0, ["bees"] * 5, version)).births
    assert len(topics.to_snapshot().meta["kept"]) == 5  # type: ignore[arg-type]


def test_other_embeddings_are_refused_and_nothing_changes() -> None:
    topics = model("bread")
    before = dump(topics.to_snapshot())
    batch = talk(0, ["bread"])
    with pytest.raises(BadInput, match=f"16 dimensions, and the model's have {DIMENSION}"):
        topics.learn(
            Batch(
                batch.batch_id,
                batch.video_id,
                batch.published_on,
                batch.paragraph_ids,
                batch.texts,
                batch.embeddings[:, :16],
            )
        )
    assert dump(topics.to_snapshot()) == before


def test_seed_embeddings_must_fit_the_codebook() -> None:
    with pytest.raises(BadInput, match=r"has 2 topics, but seed embeddings \[1, 32\]"):
        TopicModel.seeded(codebook("bread", "ships"), seeds("bread"), TopicSettings(), EMBEDDING_MODEL)
    with pytest.raises(BadInput, match="zero or not finite"):
        TopicModel.seeded(codebook("bread"), seeds("bread") * 0, TopicSettings(), EMBEDDING_MODEL)


def test_the_version_tells_models_apart_that_learn_differently() -> None:
    same = {model("bread").version, model("bread").version}
    others = {model("ships").version, model("bread", settings=TopicSettings(floor=0.3)).version}
    assert len(same) == 1
    assert len(same | others) == 3
    assert same.pop().startswith("made-up-")


def test_a_topic_that_many_videos_take_up_drifts() -> None:
    topics = model("bread", "ships")
    outcomes = learn(topics, [["bread"]] * 40 + [["bread", "ships"]] * 60)
    drifts = [drift for outcome in outcomes for drift in outcome.drifts]
    share, rise = sorted(drifts, key=lambda drift: drift.what == "rise")
    assert (share.topic_id, share.before, share.after) == (2, 0.0, 1.0)
    assert (rise.topic_id, rise.what) == (2, "rise")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example(  # what a later talk makes of the mean must not let that talk complete a topic it says nothing of
    known=2, talks=[[""]] * 9 + [["glass"]] * 3 + [["bread", "", "glass", "glass"], [""]]
)
@given(
    known=st.integers(0, 3),
    talks=st.lists(
        st.lists(st.sampled_from(["", *SUBJECTS]), min_size=1, max_size=6), min_size=1, max_size=14
    ),
)
def test_ids_are_stable_whatever_is_said(known: int, talks: list[list[str]]) -> None:
    topics = model(*SUBJECTS[:known])
    named = {topic.topic_id: topic.key for topic in topics.topics()}
    for number, subjects in enumerate(talks):
        outcome = topics.learn(talk(number, subjects))
        assert len(outcome.births) <= 1
        for birth in outcome.births:
            assert birth.topic.topic_id == len(named) + 1
            assert len(birth.video_ids) >= 3
            assert len(birth.paragraph_ids) >= 5
            assert {each.topic_id for each in birth.assignments} == {birth.topic.topic_id}
            in_batch = set(birth.paragraph_ids) - {each.paragraph_id for each in birth.assignments}
            given = {each.paragraph_id: each.topic_id for each in outcome.assignments}
            assert in_batch
            assert {given[paragraph_id] for paragraph_id in in_batch} == {birth.topic.topic_id}
            named[birth.topic.topic_id] = None
        assert {topic.topic_id: topic.key for topic in topics.topics()} == named
        assert outcome.video_index == number
        assert [each.paragraph_id for each in outcome.assignments] == list(
            talk(number, subjects).paragraph_ids
        )
        assert all(each.topic_id is None or each.topic_id in named for each in outcome.assignments)
        assert all(0 < each.probability <= 1 for each in outcome.assignments)
