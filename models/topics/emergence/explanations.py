"""Explanations of alerts in plain words."""

from models.topics.bursts.term_bursts import Burst
from models.topics.emergence.candidate import Candidate, RateEvidence

_POWERS = {3: "thousand", 6: "million", 9: "billion"}


def reason_of_birth(trial: Candidate, evidence: RateEvidence) -> str:
    """Return why a newborn topic is news."""
    founders = len(trial.founding_videos)
    sources = {hit.quote.source for hit in trial.hits[-evidence.recent :]}
    return (
        f"{founders} talks had similar paragraphs about something that few or none had mentioned. Of the "
        f"last {evidence.recent_of} talks after them, {evidence.recent}{_from(len(sources))} discuss it; "
        f"{evidence.earlier} of the {evidence.earlier_of} before did. {chance(evidence.log10_p)}"
    )


def reason_of_burst(burst: Burst, trial: Candidate | None) -> str:
    """Return why a burst of names is news; `trial` is the candidate topic about the same subject, if any."""
    name = " or ".join(f"“{term}”" for term in burst.terms[:3]) or burst.subject
    if burst.only_on:
        return (
            f"{burst.recent} of the last {burst.recent_of} talks of {burst.only_on} mention {name}, and "
            f"hardly any of others; {burst.earlier} of all talks before did. {chance(burst.log10_p)}"
        )
    also = " Their paragraphs also form a new topic." if trial else ""
    return (
        f"{burst.recent} of the last {burst.recent_of} talks{_from(burst.sources)} mention {name}; "
        f"{burst.earlier} of the {burst.earlier_of} before did. {chance(burst.log10_p)}{also}"
    )


def chance(log10_p: float) -> str:
    """Return in words how likely that is by chance.

    >>> chance(-8.3)
    'The odds of that by chance are below 1 in 100 million.'
    >>> chance(-1.2)
    'The odds of that by chance are 1 in 15.'
    """
    if log10_p > -1:
        return "That can happen by chance alone."
    if log10_p > -2:
        return f"The odds of that by chance are 1 in {int(10**-log10_p)}."
    power = int(-log10_p)
    if power >= 12:
        return "That practically never happens by chance."
    unit = power - power % 3
    number = f"{10 ** (power - unit):d}"
    words = f"{number} {_POWERS[unit]}" if unit else number
    return f"The odds of that by chance are below 1 in {words}."


def _from(sources: int) -> str:
    return f", from {sources} sources," if sources > 1 else ""
