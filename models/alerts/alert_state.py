"""Decision when a lasting condition raises an alert: when it begins, not at every check.

A sign is a condition that holds or does not, such as "this topic is rising". An alert is raised once the sign
has held for its patience. The next alert comes only after the sign has ended and begun again, or, for a sign
with reminders, while it still holds; never within the cool-down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, Field


@dataclass(frozen=True)
class AlertSign:
    """A condition that holds at the time of a check.

    Attributes:
        key: identifies the condition; the same at every check.
        patience: how long the condition must hold before an alert.
        cool_down: the shortest time between two alerts.
        reminds: alert again after the cool-down while the condition still holds.
        from_the_start: alert even if the condition held at the first check ever.
    """

    key: str
    patience: timedelta = timedelta(0)
    cool_down: timedelta = timedelta(0)
    reminds: bool = False
    from_the_start: bool = False


class SignState(BaseModel):
    """State of a sign: since when it has held (None: it does not hold) and when it was last alerted."""

    since: AwareDatetime | None = None
    told: bool = False
    """Whether an alert was raised since the sign began to hold."""
    told_at: AwareDatetime | None = None


class AlertState(BaseModel):
    """State of all signs of one subject, named by `of`; it is not valid for another subject."""

    of: str = ""
    signs: dict[str, SignState] = Field(default_factory=dict)
    looked: list[str] = Field(default_factory=list)
    """Kinds of signs that were checked before: a sign that holds at its kind's first check is not news."""


def look(
    memory: AlertState, signs: Iterable[AlertSign], kinds: Iterable[str], now: datetime
) -> tuple[AlertState, list[str]]:
    """Return the new state after a check, and the keys of the signs to alert, in order.

    Args:
        memory: the state after the last check.
        signs: the signs that hold now. The kind of a sign is the part of its key before the first ":".
        kinds: the kinds that were checked; the state of other kinds is unchanged.
        now: the time of the check.
    """
    looked, found = set(kinds), {sign.key: sign for sign in signs}
    standings: dict[str, SignState] = {}
    for key, known in memory.signs.items():
        if _kind(key) not in looked:
            standings[key] = known
        elif key not in found and known.told_at is not None:
            standings[key] = SignState(told_at=known.told_at)
    told = []
    for key, sign in found.items():
        if _kind(key) not in looked:
            continue
        standing = memory.signs.get(key, SignState()).model_copy()
        if standing.since is None:
            standing.since, standing.told = now, False
            if _kind(key) not in memory.looked and not sign.from_the_start:
                standing.told = True
        if _is_due(sign, standing, now):
            standing.told, standing.told_at = True, now
            told.append(key)
        standings[key] = standing
    return AlertState(of=memory.of, signs=standings, looked=sorted({*memory.looked, *looked})), told


def _is_due(sign: AlertSign, standing: SignState, now: datetime) -> bool:
    assert standing.since is not None
    if now - standing.since < sign.patience:
        return False
    if standing.told and not (sign.reminds and standing.told_at is not None):
        return False
    return standing.told_at is None or now - standing.told_at >= sign.cool_down


def _kind(key: str) -> str:
    return key.split(":", 1)[0]
