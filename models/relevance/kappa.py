"""Inter-rater agreement of independent reviewers: observed agreement and Cohen's kappa.

Cohen, J. (1960): A coefficient of agreement for nominal scales. Educational and Psychological Measurement 20.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations


@dataclass(frozen=True, slots=True)
class Judgement:
    """One reviewer's judgement of one topic; `theme` is empty if the reviewer named none."""

    topic_id: int
    reviewer: str
    verdict: str
    theme: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of two reviewers.

    Attributes:
        both: number of items that both judged.
        observed: share of them judged alike, in [0, 1]; None if there are none.
        kappa: agreement beyond chance: 1 is full agreement, 0 is chance; None if it is undefined, for the
            reason in `undefined`.
    """

    both: int
    observed: float | None
    kappa: float | None
    undefined: str = ""


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Agreement of two reviewers on topics, and on the themes of the topics that both include."""

    one: str
    other: str
    verdicts: Agreement
    themes: Agreement


def agreement(one: Sequence[str], other: Sequence[str]) -> Agreement:
    """Return the agreement of two lists of answers to the same questions.

    Example:
        >>> agreement(["include", "exclude"], ["include", "include"])
        Agreement(both=2, observed=0.5, kappa=0.0, undefined='')
    """
    from sklearn.metrics import cohen_kappa_score

    if not one:
        return Agreement(0, None, None, "there is nothing that both judged")
    observed = sum(first == second for first, second in zip(one, other, strict=True)) / len(one)
    if len(set(one) | set(other)) == 1:
        return Agreement(len(one), observed, None, f"both always say {one[0]}, so chance would give the same")
    return Agreement(len(one), observed, float(cohen_kappa_score(one, other)))


def pairs(judgements: Iterable[Judgement]) -> Iterator[PairAgreement]:
    """Yield every pair of reviewers, by name."""
    by_reviewer: dict[str, dict[int, Judgement]] = {}
    for each in judgements:
        by_reviewer.setdefault(each.reviewer, {})[each.topic_id] = each
    for one, other in combinations(sorted(by_reviewer), 2):
        first, second = by_reviewer[one], by_reviewer[other]
        both = [(first[topic_id], second[topic_id]) for topic_id in sorted(first.keys() & second.keys())]
        themed = [(a, b) for a, b in both if a.verdict == b.verdict == "include" and a.theme and b.theme]
        yield PairAgreement(
            one,
            other,
            agreement([a.verdict for a, _ in both], [b.verdict for _, b in both]),
            agreement([a.theme for a, _ in themed], [b.theme for _, b in themed]),
        )


def disagreements(judgements: Iterable[Judgement]) -> Mapping[int, tuple[Judgement, ...]]:
    """Return all judgements of each topic on whose verdict or theme reviewers differ."""
    by_topic: dict[int, list[Judgement]] = {}
    for each in judgements:
        by_topic.setdefault(each.topic_id, []).append(each)
    return {
        topic_id: tuple(sorted(said, key=lambda each: each.reviewer))
        for topic_id, said in sorted(by_topic.items())
        if len({each.verdict for each in said}) > 1 or len({each.theme for each in said if each.theme}) > 1
    }
