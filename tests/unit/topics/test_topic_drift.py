"""Drift of a topic, from its videos: its share, its words and its centre."""

import random
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BadInput
from models.topics.drift import effect_size
from models.topics.drift.centre import Centre
from models.topics.drift.share import ShareDetector
from models.topics.drift.watch import DriftSettings, DriftWatch, Spoke
from models.topics.results import Drift, SourceQuote

WATCH = DriftSettings()
SHORT_MEMORY = DriftSettings(history=40, memory=24, latest=(6, 12), side=3, told=20)
DIMENSION = 16
DAY = date(2024, 1, 1)

CRAFT = tuple(f"craft{number}" for number in range(40))
OLD, NEW = ("gpt-3", "davinci", "completion"), ("chatgpt", "agents", "prompt")
LEFT, RIGHT = np.eye(2, DIMENSION)


def bits(share: float, count: int, seed: int) -> list[bool]:
    chance = random.Random(seed)
    return [chance.random() < share for _ in range(count)]


def spoke(
    chance: random.Random,
    topic_id: int = 1,
    words: Sequence[str] = OLD,
    towards: np.ndarray = LEFT,
    paragraphs: int = 2,
) -> Spoke:
    """A video that says ten words of the craft and most of `words`, and lies somewhere around `towards`."""
    said = [*chance.sample(CRAFT, 10), *(word for word in words if chance.random() < 0.7)]
    noise = np.array([[chance.gauss(0.0, 0.3) for _ in range(DIMENSION)] for _ in range(paragraphs)])
    vectors = towards + noise
    name = f"{topic_id}-{chance.random()}"
    quotes = tuple(
        SourceQuote(f"{name}#{row}", name, "show", DAY, float(row), f"They said {' '.join(said)}.")
        for row in range(paragraphs)
    )
    return Spoke(topic_id, tuple(said), vectors / np.linalg.norm(vectors, axis=1, keepdims=True), quotes)


def watch(*topics: int, of: DriftSettings = WATCH) -> DriftWatch:
    watched = DriftWatch(of, DIMENSION)
    for topic_id in topics:
        watched.begin(topic_id)
    return watched


def tell(watched: DriftWatch, videos: Sequence[Sequence[Spoke]]) -> list[Drift]:
    """Update the watch with one video a day, of three shows in turn; return the drifts."""
    found = []
    for at, video in enumerate(videos):
        name = f"talk-{at}"
        found += watched.update(video, DAY + timedelta(at), name, name, f"show {at % 3}")
    return found


def restored(watched: DriftWatch, of: DriftSettings) -> DriftWatch:
    arrays = {name: array.copy() for name, array in watched.to_arrays().items()}
    return DriftWatch.from_state(of, DIMENSION, arrays, watched.to_json())


# Share


def test_a_topic_that_becomes_common_is_seen_with_both_shares() -> None:
    detector = ShareDetector(WATCH)
    changes = [change for bit in bits(0.1, 150, 1) + bits(0.6, 80, 2) if (change := detector.update(bit))]
    assert changes[0].before == pytest.approx(0.1, abs=0.06)
    assert changes[0].after > 0.45
    assert changes[0].videos_before == pytest.approx(150, abs=12)


def test_a_steady_topic_does_not_drift() -> None:
    detector = ShareDetector(WATCH)
    assert not any(detector.update(bit) for bit in bits(0.3, 600, 3))


def test_a_share_changes_on_the_day_of_the_first_video_after() -> None:
    chance = random.Random(1)
    videos = [[spoke(chance, 1)] + ([spoke(chance, 2)] if position >= 60 else []) for position in range(120)]
    share, rise = sorted(tell(watch(1, 2), videos), key=lambda each: each.what == "rise")
    assert (rise.topic_id, rise.what, rise.before) == (2, "rise", 0.0)
    assert (share.topic_id, share.what, share.before, share.after) == (2, "share", 0.0, 1.0)
    assert share.since == DAY + timedelta(60)
    assert share.videos_before == 60
    assert share.batch_id == f"talk-{60 + share.videos_after - 1}"


def test_a_share_is_never_said_of_a_few_talks_of_a_session() -> None:
    """The last talks of a session are a share of 1.00 over three or four talks, which is no evidence."""
    changes = []
    for seed in range(30):
        detector, chance = ShareDetector(WATCH), random.Random(seed)
        conference = [False] * 300 + [chance.random() < 0.2 for _ in range(20)] + [True] * 4
        changes += filter(None, map(detector.update, conference * 4))
    assert len(changes) > 30
    assert min(change.videos_after for change in changes) >= WATCH.side
    assert min(change.videos_before for change in changes) >= WATCH.side


def test_a_busy_month_of_the_same_talks_is_no_drift() -> None:
    chance = random.Random(2)
    watched = watch(1, 2)
    months = [4, 4, 4, 120, 4, 4]  # talks a month; every second one speaks of topic 2
    drifts = [
        drift
        for month, talks in enumerate(months)
        for talk in range(talks)
        for drift in watched.update(
            [spoke(chance, 1)] + ([spoke(chance, 2)] if talk % 2 else []),
            date(2024, 1 + month, 1 + talk % 28),
            f"{month}-{talk}",
        )
    ]
    assert drifts == []


def test_videos_that_speak_of_no_topic_leave_the_shares_alone() -> None:
    chance = random.Random(3)
    watched = watch(1)
    tell(watched, [[spoke(chance)] for _ in range(40)])
    assert tell(watched, [[]] * 200) == []
    assert watched.update([spoke(chance)], DAY, "last") == ()


# Words


def test_a_moving_vocabulary_is_reported_once_with_its_words() -> None:
    chance = random.Random(4)
    videos = [[spoke(chance, words=OLD if position < 60 else NEW)] for position in range(160)]
    (drift,) = tell(watch(1), videos)
    assert drift.what == "words"
    assert set(drift.words_before[:3]) == set(OLD)
    assert set(drift.words_after[:3]) == set(NEW)
    assert drift.after > 0.05
    assert abs((drift.since - DAY).days - 60) <= 3
    assert drift.videos_before == (drift.since - DAY).days
    assert 6 <= drift.videos_after <= 20


def test_a_second_move_is_a_second_drift() -> None:
    chance = random.Random(5)
    third = ("skills", "harness", "context")
    eras = [OLD] * 50 + [NEW] * 50 + [third] * 50
    drifts = tell(watch(1), [[spoke(chance, words=era)] for era in eras])
    assert [set(drift.words_after[:3]) for drift in drifts] == [set(NEW), set(third)]


def test_varying_words_and_centres_are_hardly_ever_a_drift() -> None:
    drifts = []
    for seed in range(3):
        chance = random.Random(seed)
        drifts += tell(watch(1), [[spoke(chance, words=OLD + NEW)] for _ in range(400)])
    assert len(drifts) <= 1


def test_one_long_talk_cannot_change_a_topic_s_words() -> None:
    chance = random.Random(7)
    watched = watch(1)
    tell(watched, [[spoke(chance)] for _ in range(60)])
    long = Spoke(1, NEW * 3000, spoke(chance, towards=RIGHT, paragraphs=500).vectors)
    assert tell(watched, [[long], *([spoke(chance)] for _ in range(60))]) == []


# Centre


def test_paragraphs_that_move_away_are_reported_with_how_far() -> None:
    chance = random.Random(8)
    halfway = (LEFT + RIGHT) / np.sqrt(2.0)
    videos = [[spoke(chance, towards=LEFT if position < 60 else halfway)] for position in range(160)]
    (drift,) = tell(watch(1), videos)
    assert (drift.what, drift.words_before, drift.words_after) == ("centre", (), ())
    assert drift.after == pytest.approx(1.0 - np.cos(np.pi / 4), abs=0.05)
    assert abs((drift.since - DAY).days - 60) <= 2


# What is told of a change


def test_words_and_centre_that_change_together_are_one_drift() -> None:
    chance = random.Random(15)
    eras = [(OLD, LEFT)] * 60 + [(NEW, RIGHT)] * 100
    (drift,) = tell(watch(1), [[spoke(chance, words=words, towards=towards)] for words, towards in eras])
    assert set(drift.words_after) == set(NEW)


def test_what_one_of_several_shows_changes_has_no_name() -> None:
    def drifts(shows: Sequence[int]) -> list[Drift]:
        chance, watched, found = random.Random(5), watch(1), []
        for at in range(120):
            show = shows[at % len(shows)]
            sponsored = at >= 60 and (show == 0 or len(set(shows)) == 1)
            video = spoke(chance, words=(*OLD, *NEW) if sponsored else OLD)
            name = f"talk-{at}"
            found += watched.update([video], DAY + timedelta(at), name, name, f"show {show}")
        return [drift for drift in found if drift.words_after]

    assert not drifts([0, 1, 0, 2]), "half of the talks, all of one show"
    assert drifts([0]), "a study of one show knows no other"


def test_a_study_of_one_show_from_an_earlier_version_goes_on() -> None:
    chance, watched = random.Random(5), watch(1)
    found = []
    for at in range(120):
        if at == 60:  # sources of videos were not kept then
            arrays = {
                name: each for name, each in watched.to_arrays().items() if name != "drift_word_sources"
            }
            watched = DriftWatch.from_state(WATCH, DIMENSION, arrays, watched.to_json())
        video = spoke(chance, words=OLD if at < 60 else (*OLD, *NEW))
        found += watched.update([video], DAY + timedelta(at), f"talk-{at}", f"talk-{at}", "show")
    assert any(drift.words_after for drift in found)


def test_a_change_is_shown_by_quotes_with_its_words() -> None:
    chance = random.Random(4)
    videos = [[spoke(chance, words=OLD if position < 60 else NEW)] for position in range(160)]
    (drift,) = tell(watch(1), videos)
    before, after = drift.quotes
    said = {quote.paragraph_id: at for at, (each,) in enumerate(videos) for quote in each.quotes}
    assert said[before.paragraph_id] < (drift.since - DAY).days <= said[after.paragraph_id]
    assert all(word in before.text for word in OLD) and all(word in after.text for word in NEW)


def test_a_certain_but_small_move_of_a_centre_is_no_drift() -> None:
    chance = random.Random(16)
    aside = (LEFT + 0.25 * RIGHT) / np.linalg.norm(LEFT + 0.25 * RIGHT)
    videos = [[spoke(chance, towards=LEFT if at < 60 else aside, paragraphs=3)] for at in range(160)]
    centre = Centre(WATCH, DIMENSION)
    found = [change for at, (each,) in enumerate(videos) if (change := centre.update(each.vectors, at))]
    assert found[0].beyond > 3 and found[0].size < effect_size.LARGE
    assert tell(watch(1), videos) == []


def test_of_two_random_halves_no_effect_is_certain() -> None:
    chance = np.random.default_rng(0)
    found = [effect_size.means(chance.normal(size=(60, 50)), 30) for _ in range(100)]
    assert np.mean([size > 0 for size in found]) <= 0.1
    assert max(found) < effect_size.MEDIUM
    assert (
        effect_size.means(np.vstack([chance.normal(size=(30, 50)), chance.normal(1.0, 1.0, (30, 50))]), 30)
        > 3
    )


# Topics come and go


def test_only_the_topic_that_moves_is_reported() -> None:
    chance = random.Random(9)
    videos = [
        [spoke(chance, 3), spoke(chance, 7, words=OLD if position < 60 else NEW)] for position in range(120)
    ]
    assert [drift.topic_id for drift in tell(watch(3, 7), videos)] == [7]


def test_a_topic_that_begins_again_has_forgotten_what_it_was() -> None:
    chance = random.Random(10)
    watched = watch(1)
    tell(watched, [[spoke(chance)] for _ in range(60)])
    watched.end(1)
    watched.begin(1)
    assert tell(watched, [[spoke(chance, words=NEW, towards=RIGHT)] for _ in range(60)]) == []


def test_an_unwatched_topic_is_refused_and_nothing_counted() -> None:
    chance = random.Random(11)
    watched = watch(1, 2)
    watched.end(2)
    before = watched.to_arrays()
    with pytest.raises(BadInput, match="topic 2 is not watched: `begin` it first"):
        watched.update([spoke(chance, 1), spoke(chance, 2)], DAY, "talk")
    with pytest.raises(BadInput, match="comes twice"):
        watched.update([spoke(chance), spoke(chance)], DAY, "talk")
    with pytest.raises(BadInput, match=r"shape \[0, 16\]"):
        watched.update([Spoke(1, OLD, np.zeros((0, DIMENSION)))], DAY, "talk")
    assert all(np.array_equal(before[name], array) for name, array in watched.to_arrays().items())


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(BadInput, match="do not fit together"):
        DriftSettings(memory=40)
    with pytest.raises(BadInput, match="history and told"):
        DriftSettings(history=1)


# At rest


def test_what_is_remembered_stays_bounded() -> None:
    chance = random.Random(12)
    watched = watch(1, of=SHORT_MEMORY)
    for position in range(300):
        watched.update([spoke(chance)], DAY, str(position))
    arrays = watched.to_arrays()
    assert len(arrays["drift_days"]) <= SHORT_MEMORY.history
    assert arrays["drift_share_sizes"][0] <= SHORT_MEMORY.history
    assert arrays["drift_word_videos"][0] == arrays["drift_centre_videos"][0] == SHORT_MEMORY.memory
    assert max(arrays["drift_word_told_sizes"][0], arrays["drift_centre_told_sizes"][0]) <= SHORT_MEMORY.told


def test_words_nobody_says_any_more_are_forgotten() -> None:
    chance = random.Random(13)
    watched = watch(1, of=SHORT_MEMORY)
    vectors = spoke(chance).vectors
    for position in range(900):
        words = tuple(f"word{position}-{number}" for number in range(40))
        watched.update([Spoke(1, words, vectors)], DAY, str(position))
    assert len(watched.to_json()) < 20_000  # of 36,000
    latest = {watched.to_json()[number] for number in watched.to_arrays()["drift_words"]}
    assert latest == {f"word{p}-{n}" for p in range(900 - SHORT_MEMORY.memory, 900) for n in range(40)}


ERAS = st.lists(
    st.tuples(
        st.sampled_from([OLD, NEW, ()]), st.booleans(), st.sampled_from([0.0, 0.5, 1.0]), st.integers(1, 40)
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=25)
@given(eras=ERAS, seed=st.integers(0, 9), cut=st.integers(0, 100), of=st.sampled_from([WATCH, SHORT_MEMORY]))
def test_a_restored_watch_goes_on_as_if_nothing_had_happened(
    eras: list[tuple[tuple[str, ...], bool, float, int]], seed: int, cut: int, of: DriftSettings
) -> None:
    chance = random.Random(seed)
    videos = []
    for words, moved, share, count in eras:
        for _ in range(count):
            video = [spoke(chance, 2, words, RIGHT if moved else LEFT)]
            videos.append(video + ([spoke(chance, 5)] if chance.random() < share else []))
    watched = watch(2, 5, of=of)
    tell(watched, videos[:cut])
    again = restored(watched, of)
    assert tell(again, videos[cut:]) == tell(watched, videos[cut:])
    assert again.to_json() == watched.to_json()
    mine, theirs = again.to_arrays(), watched.to_arrays()
    assert list(mine) == list(theirs)
    for name, array in theirs.items():
        assert array.dtype == mine[name].dtype
        assert array.tobytes() == mine[name].tobytes(), name


def test_a_watch_that_was_saved_without_quotes_goes_on() -> None:
    chance = random.Random(17)
    watched = watch(1)
    tell(watched, [[spoke(chance)] for _ in range(60)])
    arrays = {name: array for name, array in watched.to_arrays().items() if name != "drift_mentions"}
    again = DriftWatch.from_state(WATCH, DIMENSION, arrays, watched.to_json())
    (drift,) = tell(again, [[spoke(chance, words=NEW)] for _ in range(40)])
    assert set(drift.words_after) == set(NEW)
    (after,) = drift.quotes
    assert NEW[0] in after.text


def test_a_watch_of_no_topics_can_be_saved() -> None:
    again = restored(watch(), WATCH)
    again.begin(4)
    assert again.update([spoke(random.Random(14), 4)], DAY, "talk") == ()
