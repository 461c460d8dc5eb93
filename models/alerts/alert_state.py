"""Decides when a lasting condition is worth an alert: when it begins, not at each look.

A sign is something that holds or does not, such as "this topic is rising". It is told when it has held for
long enough; then again only after it ended and began anew, or, where it wants a reminder, while it goes on,
and never within its cool-down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, Field


@dataclass(frozen=True)
class AlertSign:
    """Something that holds when somebody looks.

    Attributes:
        key: what it is about; the same from one look to the next.
        patience: it is told once it has held for so long.
        cool_down: it is not told again for so long.
        reminds: it is told again after the cool-down while it goes on.
        from_the_start: it is told even if it held at the first look ever.
    """

    key: str
    patience: timedelta = timedelta(0)
    cool_down: timedelta = timedelta(0)
    reminds: bool = False
    from_the_start: bool = False


class SignState(BaseModel):
    """The state of a sign: since when it holds (None: it does not), and when it was last told."""

    since: AwareDatetime | None = None
    told: bool = False
    """Whether it was told since it began to hold."""
    told_at: AwareDatetime | None = None


class AlertState(BaseModel):
    """The state of a watch; `of` names what it looks at: of something else it remembers nothing."""

    of: str = ""
    signs: dict[str, SignState] = Field(default_factory=dict)
    looked: list[str] = Field(default_factory=list)
    """Kinds of signs that were looked at before: what holds at a kind's first look is not news."""


def look(
    memory: AlertState, signs: Iterable[AlertSign], kinds: Iterable[str], now: datetime
) -> tuple[AlertState, list[str]]:
    """Return what is remembered after a look, and the keys of the signs that are to be told, in order.

    Args:
        memory: of the last look.
        signs: those that hold now. The kind of a sign is what stands before the first ":" of its key.
        kinds: the kinds that were looked for; what is remembered of others stays as it is.
        now: the moment of the look.
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
