"""Explanations of alerts in plain words."""

from models.topics.bursts.term_bursts import Burst
from models.topics.emergence.candidate import Candidate, RateEvidence

_POWERS = {3: "thousand", 6: "million", 9: "billion"}


def reason_of_birth(trial: Candidate, evidence: RateEvidence) -> str:
    """Return why a newborn topic is news."""
    founders = len(trial.founding_videos)
    sources = {hit.quote.source for hit in trial.hits[-evidence.recent :]}
    return (
        f"{founders} videos had similar paragraphs about something that few or none had mentioned. Of the "
        f"last {evidence.recent_of} videos after them {evidence.recent}{_from(len(sources))} speak of it; "
        f"before that {evidence.earlier} of {evidence.earlier_of} did. {chance(evidence.log10_p)}"
    )


def reason_of_burst(burst: Burst, trial: Candidate | None) -> str:
    """Return why a burst of names is news; `trial` is the candidate topic about the same subject, if any."""
    name = " or ".join(f"“{term}”" for term in burst.terms[:3]) or burst.subject
    also = " Their paragraphs form a new topic as well." if trial else ""
    return (
        f"{burst.recent} of the last {burst.recent_of} videos{_from(burst.sources)} speak of {name}; "
        f"before that {burst.earlier} of {burst.earlier_of} did. {chance(burst.log10_p)}{also}"
    )


def chance(log10_p: float) -> str:
    """Return in words how often that happens by chance.

    >>> chance(-8.3)
    'By chance that happens less than once in 100 million cases.'
    >>> chance(-1.2)
    'By chance that happens once in 15 cases.'
    """
    if log10_p > -1:
        return "That can happen by chance alone."
    if log10_p > -2:
        return f"By chance that happens once in {int(10**-log10_p)} cases."
    power = int(-log10_p)
    if power >= 12:
        return "By chance that practically never happens."
    unit = power - power % 3
    number = f"{10 ** (power - unit):d}"
    words = f"{number} {_POWERS[unit]}" if unit else number
    return f"By chance that happens less than once in {words} cases."


def _from(sources: int) -> str:
    return f", from {sources} sources," if sources > 1 else ""
