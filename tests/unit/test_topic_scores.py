"""Measures of topic quality give the values worked out by hand from their definitions."""

import pytest

from benchmarks.topics.scores import Corpus, agreement, calibration_error, majority

TEXTS = [["bread", "oven"], ["bread", "oven"], ["ship"], ["ship", "sail"]]


@pytest.mark.parametrize(
    ("words", "npmi"),
    [
        (["bread", "oven"], 1.0),  # never apart
        (["ship", "sail"], 0.5),  # log(.25 / (.5 * .25)) / -log(.25)
        (["bread", "ship"], -1.0),  # never together
    ],
)
def test_words_are_coherent_as_far_as_they_come_together(words: list[str], npmi: float) -> None:
    assert Corpus(TEXTS).coherence([words]).npmi == pytest.approx(npmi)


def test_words_never_apart_have_the_highest_c_v() -> None:
    corpus = Corpus(TEXTS)
    assert corpus.coherence([["bread", "oven"]]).c_v == pytest.approx(1.0)
    assert corpus.coherence([["ship", "sail"]]).c_v < 1.0


def test_diversity_counts_a_word_that_two_topics_share_once() -> None:
    assert Corpus(TEXTS).coherence([["bread", "oven"], ["bread", "ship"]]).diversity == 0.75


def test_no_topic_is_a_class_like_any_other() -> None:
    labels = ["baking", "baking", "sailing", "sailing"]
    assert agreement(labels, [1, 1, None, None]) == {"nmi": 1.0, "ari": 1.0}
    assert agreement(labels, [1, 1, 1, 1]) == {"nmi": 0.0, "ari": 0.0}


def test_calibrated_probabilities_are_the_share_that_is_right() -> None:
    assert calibration_error([0.5, 0.5], [True, False]) == 0.0
    assert calibration_error([0.8, 0.8], [True, False]) == pytest.approx(0.3)
    assert calibration_error([0.95, 0.05], [True, False]) == pytest.approx(0.05)


def test_a_record_is_right_if_it_has_its_topics_main_label() -> None:
    assert majority(["baking", "baking", "sailing", "sailing"], [1, 1, 1, None]) == [True, True, False, False]
