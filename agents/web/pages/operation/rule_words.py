"""Alert rules in plain words: the condition of each, with its thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

SENSITIVITY: Mapping[str, str] = {
    "low": "much evidence",
    "normal": "the default amount of evidence",
    "high": "little evidence",
}
DRIFTS: Mapping[str, str] = {"words": "words", "centre": "centre"}


def in_words(rule: Mapping[str, Any], sensitivity: str) -> str:
    """Return the condition under which a rule raises an alert.

    Args:
        rule: as of `agents.alerting.queries.rules`.
        sensitivity: how much evidence it takes to call a subject new: low, normal or high.

    Example:
        >>> in_words({"rule": "silence", "settings": {"hours": 72}}, "normal")
        'No watched channel, playlist or search has shown a new talk for 3 days.'
    """
    given = rule["settings"]
    match rule["rule"]:
        case "emergence":
            return (
                "Several talks from different sources have begun to discuss something new. Sensitivity is "
                f"{sensitivity}: it requires {SENSITIVITY[sensitivity]}."
            )
        case "one source":
            return (
                "A single source has begun to discuss something new, in several talks over four weeks or "
                "more, and hardly any other mentions it. When others follow, the alert becomes a new topic."
            )
        case "drift":
            return _drift(given["what"], given["at_least"])
        case "meaning":
            return (
                "The latest paragraphs of a codebook topic no longer contain its words, so it may no longer "
                "be what its name says; or they contain them again."
            )
        case "rising":
            return (
                f"The share of talks that discuss a topic rose{_points(given)}, in several sources, to "
                f"{_many(given['at_least_videos'], 'talk')} or more: more than chance explains among all "
                "topics, and by a medium effect or more. It is raised as soon as talks show it."
            )
        case "declining":
            return (
                f"The share of talks that discuss a topic fell{_points(given)} compared with the "
                "preceding period of equal length, with 95 % confidence and at least "
                f"{_many(given['at_least_videos'], 'talk')} in one of the two periods."
            )
        case "threshold":
            return _bounds(given["bounds"])
        case "lag":
            hours = f"have been waiting for {length(given['hours'])}" if given["hours"] else "are waiting"
            many = given["talks"]
            return f"{many:,} or more talks {hours}."
        case "stuck":
            late = length(given["hours"])
            return f"A talk is unfinished {late} after it was found, although nothing holds it up."
        case "dead letters":
            many = _many(given["at_least"], "message")
            waits = "waits" if given["at_least"] == 1 else "wait"
            return f"{many} or more could not be processed and {waits} for a decision."
        case "silence":
            return (
                f"No watched channel, playlist or search has shown a new talk for {length(given['hours'])}."
            )
        case _:
            return "A watched channel, playlist or search cannot be read."


def length(hours: float) -> str:
    """Return a length of time in words.

    Example:
        >>> length(336), length(6), length(1), length(0.5), length(30)
        ('14 days', '6 hours', '1 hour', '30 minutes', '30 hours')
    """
    if hours >= 48 and hours % 24 == 0:
        return _many(round(hours / 24), "day")
    if hours and hours < 1:
        return _many(round(hours * 60), "minute")
    return f"{hours:,g} hour{'s' * (hours != 1)}"


def _points(given: Mapping[str, Any]) -> str:
    points = given["at_least_points"]
    return f", by {points:g} percentage points or more," if points else ""


def _drift(what: Sequence[str], at_least: float) -> str:
    *others, last = [DRIFTS[each] for each in what if each in DRIFTS] or ["nothing"]
    named = f"{', '.join(others)} or {last}" if others else last
    least = f", by {at_least:g} or more" if at_least else ""
    return (
        f"Talks discuss a topic otherwise than before: its {named} changed{least}, more than chance explains "
        "among all topics, and by more than a medium effect."
    )


def _bounds(bounds: Sequence[Mapping[str, Any]]) -> str:
    if not bounds:
        return "No threshold is set, so it raises no alert: name a topic or a theme, and a share of talks."
    crossed = "; ".join(
        f"{100 * each['share']:g}\u00a0% for "
        + (f"theme {each['theme']}" if each["topic"] is None else f"topic {each['topic']}")
        for each in bounds
    )
    return f"The share of talks in the last six months reaches a threshold: {crossed}."


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
