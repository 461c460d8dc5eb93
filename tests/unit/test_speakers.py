"""Attribution of words to speakers."""

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speakers.attribution import assign, attribute, smooth
from models.transcripts.transcript import Segment, Turn, Word


def word(start: float, end: float, text: str = " word", speaker: str | None = None) -> Word:
    return Word(start=start, end=end, text=text, speaker=speaker)


def turn(start: float, end: float, speaker: str) -> Turn:
    return Turn(start=start, end=end, speaker=speaker)


def said_by(words: Sequence[Word]) -> list[str | None]:
    return [each.speaker for each in words]


def sentence(text: str, speakers: str, begin: float = 0.0) -> list[Word]:
    """Words of 0.3 s, one after the other; `speakers` has a letter for each, "-" for nobody."""
    return [
        word(begin + 0.3 * i, begin + 0.3 * (i + 1), f" {spelling}", None if letter == "-" else letter)
        for i, (spelling, letter) in enumerate(zip(text.split(), speakers, strict=True))
    ]


ANN_THEN_BOB = [turn(0, 2, "ann"), turn(2, 5, "bob")]


def test_a_word_belongs_to_the_turn_it_lies_in() -> None:
    assert said_by(assign([word(0.5, 1), word(3, 3.5)], ANN_THEN_BOB)) == ["ann", "bob"]


def test_a_word_across_an_edge_belongs_to_who_has_most_of_it() -> None:
    assert said_by(assign([word(1.5, 2.2), word(1.8, 2.5)], ANN_THEN_BOB)) == ["ann", "bob"]


def test_a_word_split_evenly_goes_to_the_turn_that_began_first() -> None:
    assert said_by(assign([word(1.5, 2.5)], ANN_THEN_BOB)) == ["ann"]
    assert said_by(assign([word(1.5, 2.5)], ANN_THEN_BOB[::-1])) == ["ann"]


def test_a_word_over_many_turns_belongs_to_the_largest_sum() -> None:
    turns = [turn(0, 0.3, "bob"), turn(0.3, 0.5, "ann"), turn(0.5, 0.9, "cy"), turn(0.9, 1.2, "bob")]
    assert said_by(assign([word(0, 1.2)], turns)) == ["bob"]


def test_a_word_in_a_gap_goes_to_a_turn_within_half_a_second() -> None:
    turns = [turn(0, 1, "ann"), turn(4, 5, "bob")]
    assert said_by(assign([word(1.2, 1.4), word(2.2, 2.6), word(3.6, 3.9)], turns)) == ["ann", None, "bob"]


def test_a_word_of_zero_length_still_has_a_speaker() -> None:
    words = [word(1, 1), word(2, 2), word(5, 5), word(5.4, 5.4), word(5.6, 5.6)]
    assert said_by(assign(words, ANN_THEN_BOB)) == ["ann", "bob", "bob", "bob", None]


def test_of_overlapping_turns_the_one_covering_more_wins() -> None:
    turns = [turn(0, 10, "ann"), turn(4, 4.4, "bob"), turn(6, 6.2, "bob")]
    assert said_by(assign([word(4, 4.5), word(5.9, 6.4), word(9, 9.5)], turns)) == ["ann", "ann", "ann"]


def test_a_long_turn_is_found_behind_many_short_ones() -> None:
    turns = [turn(0, 100, "ann"), *(turn(i, i + 0.1, "bob") for i in range(1, 90))]
    assert said_by(assign([word(95, 96)], turns)) == ["ann"]


def test_without_turns_nobody_speaks() -> None:
    assert said_by(assign([word(0, 1)], [])) == [None]
    assert assign([], ANN_THEN_BOB) == ()


def test_one_speaker_says_everything() -> None:
    words = [word(i, i + 0.5) for i in range(20)]
    assert set(said_by(assign(words, [turn(0, 20, "ann")]))) == {"ann"}


times = st.integers(0, 400).map(lambda hundredths: hundredths / 100)


@given(
    st.lists(st.tuples(times, times), max_size=8),
    st.lists(st.tuples(times, times, st.sampled_from("abc")), max_size=8),
)
def test_searching_near_a_word_finds_what_a_full_search_finds(
    spans: list[tuple[float, float]], held: list[tuple[float, float, str]]
) -> None:
    words = [word(min(span), max(span)) for span in spans]
    turns = [turn(min(start, end), max(start, end), speaker) for start, end, speaker in held]
    for each in assign(words, turns):
        end = max(each.end, each.start + 0.001)
        shared: dict[str, float] = {}
        gaps: dict[str, float] = {}
        for other in turns:
            overlap = min(end, other.end) - max(each.start, other.start)
            if overlap > 0:
                shared[other.speaker] = shared.get(other.speaker, 0) + overlap
            gaps[other.speaker] = min(gaps.get(other.speaker, 9), max(0, -overlap))
        if shared:
            assert each.speaker is not None
            assert shared[each.speaker] == pytest.approx(max(shared.values()))
        elif each.speaker is not None:
            assert gaps[each.speaker] == pytest.approx(min(gaps.values()))
            assert gaps[each.speaker] <= 0.5
        else:
            assert all(gap > 0.5 for gap in gaps.values())


def test_a_sentences_first_word_is_given_back_by_its_neighbour() -> None:
    words = sentence("So we moved the cache to another region.", "abbbbbbb")
    assert said_by(smooth(words)) == ["b"] * 8


def test_a_word_without_speaker_joins_its_sentence() -> None:
    words = sentence("We moved - the cache.", "bb-bb")
    assert said_by(smooth(words)) == ["b"] * 5


def test_a_sentence_without_any_speaker_stays_without() -> None:
    assert said_by(smooth(sentence("Who is there?", "---"))) == [None] * 3


def test_a_short_answer_is_a_sentence_and_keeps_its_speaker() -> None:
    words = [
        *sentence("Does it scale to a thousand tenants?", "aaaaaaa"),
        *sentence("Exactly.", "b", begin=2.2),
        *sentence("And what does it cost?", "aaaaa", begin=2.6),
    ]
    assert smooth(words) == tuple(words)


def test_a_real_change_of_speaker_within_a_sentence_stays() -> None:
    words = sentence("the cache was cold and then the database fell over", "aaaaabbbbb")
    assert smooth(words) == tuple(words)


def test_a_slow_island_is_speech_of_its_own() -> None:
    slow = [word(0, 1, " no"), word(1, 2, " never")]
    words = [each.model_copy(update={"speaker": "a"}) for each in slow]
    words += sentence("we did not do that at all here", "bbbbbbbb", begin=2)
    assert smooth(words) == tuple(words)


def test_a_long_pause_ends_a_sentence() -> None:
    words = [*sentence("yes", "a"), *sentence("we moved the cache to Dublin", "bbbbbb", begin=1.5)]
    assert smooth(words) == tuple(words)


def test_segments_are_cut_where_the_speaker_changes() -> None:
    words = (
        *sentence("Why is it slow?", "----"),
        *sentence("The cache was cold.", "----", begin=1.5),
        *sentence("I see.", "--", begin=3.0),
    )
    heard = [Segment(start=0, end=3.6, text="Why is it slow? The cache was cold. I see.", words=words)]
    turns = [turn(0, 1.3, "ann"), turn(1.4, 2.8, "bob"), turn(2.9, 4, "ann")]
    cut = attribute(heard, turns)
    assert [(each.speaker, each.text) for each in cut] == [
        ("ann", "Why is it slow?"),
        ("bob", "The cache was cold."),
        ("ann", "I see."),
    ]
    assert [(each.start, round(each.end, 2)) for each in cut] == [(0, 1.2), (1.5, 2.7), (3.0, 3.6)]


def test_a_segment_whose_words_have_no_times_stays_whole() -> None:
    captions = [Segment(start=0, end=1.9, text="welcome back"), Segment(start=8, end=9, text="(applause)")]
    cut = attribute(captions, ANN_THEN_BOB)
    assert [(each.speaker, each.text) for each in cut] == [("ann", "welcome back"), (None, "(applause)")]


def test_no_speech_gives_no_segments() -> None:
    assert attribute([], ANN_THEN_BOB) == ()


@given(st.lists(st.lists(times, min_size=1, max_size=5), max_size=5), st.integers(0, 3))
def test_no_word_is_added_lost_or_moved(segments: list[list[float]], speakers: int) -> None:
    heard = []
    for starts in segments:
        words = tuple(word(start, start + 0.2, f" w{start}") for start in starts)
        text = "".join(each.text for each in words).strip()
        heard.append(Segment(start=min(starts), end=max(starts) + 0.2, text=text, words=words))
    turns = [turn(i, i + 1, f"s{i}") for i in range(speakers)]
    cut = attribute(heard, turns)
    assert [(each.start, each.text) for one in cut for each in one.words] == [
        (each.start, each.text) for one in heard for each in one.words
    ]
    assert " ".join(one.text for one in cut) == " ".join(one.text for one in heard)
    assert all(each.speaker == one.speaker for one in cut for each in one.words)


def test_words_beat_segments_and_smoothing_beats_words() -> None:
    """Simulated interviews in which diarization misses the edges of turns by 0.2 s on average."""
    wrong = {"words": 0, "smoothed": 0, "segments": 0}
    total = 0
    for seed in range(12):
        words, truth, turns = _interview(random.Random(seed))
        assigned = assign(words, turns)
        total += len(words)
        wrong["words"] += _differ(said_by(assigned), truth)
        wrong["smoothed"] += _differ(said_by(smooth(assigned)), truth)
        for i in range(0, len(words), 16):  # what a recogniser's segments of some 6 s hold
            block = said_by(assigned[i : i + 16])
            majority = max(set(block), key=block.count)
            wrong["segments"] += sum(majority != speaker for speaker in truth[i : i + 16])
    assert wrong["segments"] / total > 0.05
    assert wrong["words"] / total < 0.015
    assert wrong["smoothed"] / total < 0.004
    assert wrong["smoothed"] < wrong["words"] / 3


def _differ(one: Sequence[str | None], other: Sequence[str]) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def _interview(chance: random.Random) -> tuple[list[Word], list[str], list[Turn]]:
    """Sixty turns of two speakers: words with jittered times, who said them, and jittered turns."""
    words: list[Word] = []
    truth: list[str] = []
    begins: list[float] = []
    now = 0.0
    for number in range(60):
        begins.append(now)
        lengths = [chance.randint(1, 2)]
        if chance.random() >= 0.15:
            lengths = [chance.randint(4, 18) for _ in range(chance.choice([1, 2, 3, 5]))]
        for length in lengths:
            for i in range(length):
                lasts = chance.uniform(0.15, 0.45)
                start = max(0.0, now + chance.gauss(0, 0.08))
                end = max(start + 0.02, now + lasts + chance.gauss(0, 0.08))
                words.append(word(start, end, " w." if i == length - 1 else " w"))
                truth.append("ab"[number % 2])
                now += lasts + chance.uniform(0, 0.06)
        now += chance.uniform(0.05, 0.4)
    edges = [0.0, *(begin - 0.1 + chance.gauss(0, 0.2) for begin in begins[1:]), now]
    turns = [
        turn(max(0.0, start), end, "ab"[number % 2])
        for number, (start, end) in enumerate(pairwise(edges))
        if end > max(0.0, start)
    ]
    return words, truth, turns
