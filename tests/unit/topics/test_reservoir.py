"""The sample of all paragraphs: bounded, fair, and the same in any order."""

import numpy as np
from numpy.typing import NDArray

from models.topics.lifecycle.reservoir import Reservoir, Sampled
from models.topics.settings import TopicSettings

SETTINGS = TopicSettings(reservoir=50)


def paragraph(number: int) -> tuple[Sampled, NDArray[np.float64]]:
    sampled = Sampled(f"p-{number}", f"video-{number // 4}", "2025-03", f"paragraph {number}", None)
    return sampled, np.full(3, number, np.float64)


def reservoir(numbers: range | list[int]) -> Reservoir:
    sample = Reservoir(SETTINGS, (), np.zeros((0, 3)))
    for number in numbers:
        sample.add(*paragraph(number))
    return sample


def test_it_keeps_a_bounded_sample_with_each_paragraphs_vector() -> None:
    sample = reservoir(range(1000))
    assert len(sample) == len(sample.paragraphs()) == 50
    assert [f"p-{int(vector[0])}" for vector in sample.vectors()] == [
        p.paragraph_id for p in sample.paragraphs()
    ]


def test_early_and_late_paragraphs_have_the_same_chance() -> None:
    numbers = [int(each.paragraph_id[2:]) for each in reservoir(range(2000)).paragraphs()]
    assert 10 <= sum(number < 1000 for number in numbers) <= 40


def test_order_does_not_matter() -> None:
    shuffled = np.random.default_rng(1).permutation(1000).tolist()
    assert reservoir(range(1000)).paragraphs() == reservoir(shuffled).paragraphs()


def test_it_goes_on_where_it_was_saved() -> None:
    whole, half = reservoir(range(600)), reservoir(range(300))
    restored = Reservoir(SETTINGS, half.paragraphs(), half.to_arrays()["sampled_vectors"].astype(np.float64))
    for number in range(300, 600):
        restored.add(*paragraph(number))
    assert restored.paragraphs() == whole.paragraphs()
    assert np.array_equal(restored.vectors(), whole.vectors())


def test_a_video_can_be_taken_out_and_leaves_room() -> None:
    sample = reservoir(range(60))
    gone = sample.paragraphs()[0].video_id
    left = [each for each in sample.paragraphs() if each.video_id != gone]
    sample.drop(gone)
    assert sample.paragraphs() == left
    for number in range(60, 1000):
        sample.add(*paragraph(number))
    assert len(sample) == 50
    assert len({each.paragraph_id for each in sample.paragraphs()}) == 50


def test_long_texts_are_cut_and_topics_can_be_given_later() -> None:
    sample = Reservoir(SETTINGS, (), np.zeros((0, 3)))
    sample.add(Sampled("p", "v", "2025-03", "word " * 3000, None), np.ones(3))
    sample.assign("p", 7)
    sample.assign("never sampled", 8)
    (kept,) = sample.paragraphs()
    assert (len(kept.text), kept.topic_id) == (600, 7)
