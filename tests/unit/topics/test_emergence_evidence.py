"""Evidence that a subject is new: rates, runs of hits, its past and its sources."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.topics.emergence.candidate import Candidate, Hit, compare_rates
from models.topics.emergence.explanations import chance
from models.topics.emergence.history_sample import HistorySample, Past, centred_cosines
from models.topics.online.centring import Background, compare, unit
from models.topics.results import SourceQuote


@given(
    recent=st.integers(1, 40),
    more=st.integers(0, 300),
    earlier=st.integers(0, 40),
    much_more=st.integers(1, 3000),
)
def test_rates_are_compared_as_the_binomial_tail_does(
    recent: int, more: int, earlier: int, much_more: int
) -> None:
    from scipy.stats import binom

    recent_of, earlier_of = recent + more, earlier + much_more
    found = compare_rates(recent, recent_of, earlier, earlier_of).log10_p
    tail = binom.sf(recent - 1, recent + earlier, recent_of / (recent_of + earlier_of))
    assert found == pytest.approx(np.log10(tail), abs=1e-4)


def test_a_short_past_says_little() -> None:
    assert compare_rates(5, 20, 0, 1000).log10_p < -8 < compare_rates(5, 20, 0, 30).log10_p


def quote(number: int) -> SourceQuote:
    from datetime import date

    return SourceQuote(f"talk-{number}#0", f"talk-{number}", "show", date(2025, 1, 1), 0.0, "so")


def test_the_strongest_run_of_hits_counts_and_the_rest_is_past() -> None:
    trial = Candidate(founders=(quote(0),), founding_videos=("talk-0",), born=100, past=Past(0, 500, 0.0))
    for at in (300, 900, 910, 920, 930):
        trial.confirm(Hit(at=at, quote=quote(at)))
    evidence = trial.evidence(now=930, least=3, ratio=5.0)
    assert evidence is not None
    assert (evidence.recent, evidence.recent_of) == (3, 30)
    assert (evidence.earlier, evidence.earlier_of) == (2, 500 + 800)
    longer = trial.evidence(now=930, least=4, ratio=5.0)
    assert longer is not None
    assert longer.log10_p > evidence.log10_p
    assert trial.evidence(now=930, least=3, ratio=100.0) is None


def test_too_few_hits_are_no_evidence() -> None:
    trial = Candidate(founders=(quote(0),), founding_videos=("talk-0",), born=100, past=Past(0, 500, 0.0))
    trial.confirm(Hit(at=101, quote=quote(1)))
    assert trial.evidence(now=101, least=2, ratio=1.0) is None


def test_cosines_are_those_of_centred_vectors() -> None:
    rng = np.random.default_rng(1)
    rows, vectors = unit(rng.normal(0.3, 1.0, (40, 16))), unit(rng.normal(0.3, 1.0, (3, 16)))
    background = Background(rows.sum(axis=0), 40.0)
    expected = compare(background.centre(rows), background.centre(vectors))
    assert centred_cosines(rows.astype(np.float32), vectors, background) == pytest.approx(expected, abs=1e-5)


def sample(
    videos: int, bound: int, subject_until: int = 0, every: int = 1
) -> tuple[HistorySample, Background]:
    """Return videos about nothing; before `subject_until`, one in `every` speaks of the first axis."""
    arrivals, background = HistorySample(bound, 2, 50), Background(np.zeros(16), 1.0)
    for number in range(videos):
        rng = np.random.default_rng(number)
        vectors = unit(rng.normal(0.0, 1.0, (3, 16)))
        if number < subject_until and not number % every:
            vectors[:] = np.eye(16)[0]
        ids = [f"{number}#{row}" for row in range(3)]
        arrivals.add(number, f"video {number}", f"show {number % 4}", ids, vectors, late=False)
    return arrivals, background


def test_of_a_long_past_a_bounded_even_sample_stays() -> None:
    arrivals, _ = sample(videos=6000, bound=800)
    arrays = arrivals.to_arrays()
    assert len(arrays["arrival_vectors"]) <= 800 + 1024
    assert arrays["arrival_sizes"].max() == 2
    quarters = np.histogram(arrays["arrival_numbers"], bins=4, range=(0, 6000))[0]
    assert quarters.min() > 0.6 * quarters.max() - 256  # the latest 512 may not have been thinned yet


def test_the_past_of_a_subject_is_its_share_and_its_best_time() -> None:
    arrivals, background = sample(videos=400, bound=5000, subject_until=100, every=2)
    past = arrivals.past(np.eye(16)[0], background, 0.9, before=400, but=frozenset())
    assert (past.spoke, past.of) == (50, 400)
    assert past.peak == pytest.approx(0.5)
    before = arrivals.past(np.eye(16)[0], background, 0.9, before=11, but=frozenset({"video 0", "video 2"}))
    assert (before.spoke, before.of) == (4, 9)


def test_sources_are_as_many_as_their_mix_is_worth() -> None:
    assert sample(videos=100, bound=500)[0].sources() == pytest.approx(4.0, abs=0.1)


@pytest.mark.parametrize(
    ("log10_p", "words"),
    [(-0.3, "by chance alone"), (-2.5, "below 1 in 100."), (-5.2, "100 thousand"), (-11.9, "100 billion")],
)
def test_chance_is_put_in_words(log10_p: float, words: str) -> None:
    assert words in chance(log10_p)
    assert "never" in chance(-15)
