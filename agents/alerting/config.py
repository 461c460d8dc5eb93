"""Alert configuration of a study: the rules, and the destinations of alerts with their schedule.

Addresses are Apprise URLs. Most contain a secret, so the configuration names a variable or a file with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from models.alerts.quiet_hours import QuietHours, SendSchedule
from streams.errors import Misconfigured
from streams.store.video_progress import STUCK

Rule = Literal[
    "emergence",
    "one source",
    "drift",
    "meaning",
    "rising",
    "declining",
    "threshold",
    "lag",
    "stuck",
    "dead letters",
    "silence",
    "source",
]
RULES: tuple[Rule, ...] = get_args(Rule)
SYSTEM: tuple[Rule, ...] = ("meaning", "lag", "stuck", "dead letters", "silence", "source")
"""Rules about the health of the system and its model; the others are about what talks discuss."""
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
SECRET = re.compile(r"://[^/?#]*@|[?&](\w*(key|token|pass|secret|auth)\w*)=", re.IGNORECASE)
"""Matches a likely secret inside an address."""
OPEN = ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos")
"""Schemes whose address may be free of secrets; in every other scheme the path itself is a secret."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AlertRule(_Strict):
    """A rule: whether it is on, and how long the same subject is not sent again (cool-down)."""

    on: bool = True
    cool_down_hours: float = Field(default=24.0, ge=0, le=24 * 366)

    @property
    def cool_down(self) -> timedelta:
        """The cool-down as a time span."""
        return timedelta(hours=self.cool_down_hours)


class TrendRule(AlertRule):
    """A topic's share of videos rose, as talks arrive; or fell against the equal period before."""

    cool_down_hours: float = Field(default=24.0 * 14, ge=0, le=24 * 366)
    at_least_videos: int = Field(default=5, ge=1)
    """Minimum number of videos since the rise; or in the period or in the one before it."""
    at_least_points: float = Field(default=0.0, ge=0, le=100)
    """Minimum change in percentage points."""


class DriftRule(AlertRule):
    """Talks discuss a topic with other words, or otherwise than before."""

    cool_down_hours: float = Field(default=24.0 * 14, ge=0, le=24 * 366)
    what: tuple[Literal["share", "words", "centre"], ...] = ("words", "centre")
    """share: no longer raised; see the rules `rising` and `declining`."""
    at_least: float = Field(default=0.0, ge=0)
    """Minimum change: of words in bits, of a centre as cosine distance."""


class Bound(_Strict):
    """A threshold for the share of videos of a topic or a theme."""

    topic: int | str | None = None
    """Its number or name."""
    theme: str | None = None
    share: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> Bound:
        if (self.topic is None) == (self.theme is None):
            raise ValueError("name either a topic or a theme")
        return self

    @property
    def name(self) -> str:
        """The topic or theme, in a few words."""
        return f"theme {self.theme}" if self.topic is None else f"topic {self.topic}"


class ThresholdRule(AlertRule):
    """A topic's or theme's share of the videos of the last six months crosses a threshold."""

    cool_down_hours: float = Field(default=24.0 * 7, ge=0, le=24 * 366)
    bounds: tuple[Bound, ...] = ()


class LagRule(AlertRule):
    """Talks have been in the pipeline for too long."""

    talks: int = Field(default=20, ge=1)
    hours: float = Field(default=6.0, ge=0)


class StuckRule(AlertRule):
    """A talk is not finished a number of hours after a source showed it, and only waits for an agent."""

    hours: float = Field(default=STUCK / timedelta(hours=1), gt=0)


class DeadLettersRule(AlertRule):
    """Messages could not be processed and wait for a decision."""

    at_least: int = Field(default=1, ge=1)


class SilenceRule(AlertRule):
    """No watched source has shown a new talk for a number of hours."""

    hours: float = Field(default=24.0 * 14, gt=0)


class AlertRules(_Strict):
    """Every rule, with the values of the file or the defaults."""

    emergence: AlertRule = AlertRule()
    one_source: AlertRule = AlertRule(on=False)
    drift: DriftRule = DriftRule()
    meaning: AlertRule = AlertRule()
    rising: TrendRule = TrendRule()
    declining: TrendRule = TrendRule(on=False)
    threshold: ThresholdRule = ThresholdRule()
    lag: LagRule = LagRule()
    stuck: StuckRule = StuckRule()
    dead_letters: DeadLettersRule = DeadLettersRule()
    silence: SilenceRule = SilenceRule()
    source: AlertRule = AlertRule()

    def of(self, rule: str) -> AlertRule:
        """Return a rule by the name that alerts use."""
        found: AlertRule = getattr(self, rule.replace(" ", "_"))
        return found


class Quiet(_Strict):
    """Hours in which nothing is sent; alerts that come up then are sent afterwards."""

    start: time = Field(alias="from")
    end: time = Field(alias="to")

    @field_validator("start", "end", mode="before")
    @classmethod
    def _written_as_text(cls, value: Any) -> Any:
        return _clock(value)


class Destination(_Strict):
    """A recipient: the address, the rules, and the schedule."""

    name: str = Field(pattern=r"^[\w .-]{1,60}$")
    url: str = ""
    url_env: str = ""
    url_file: str = ""
    rules: tuple[Rule, ...] | None = None
    """None: every rule that is on."""
    send: Literal["instant", "daily", "weekly"] = "instant"
    at: time = time(8)
    day: Weekday = "monday"
    zone: str = "UTC"
    quiet: Quiet | None = None
    cool_down_hours: Annotated[float, Field(ge=0, le=24 * 366)] | None = None
    """None: the cool-down of each rule."""

    @field_validator("at", mode="before")
    @classmethod
    def _written_as_text(cls, value: Any) -> Any:
        return _clock(value)

    @field_validator("rules", mode="before")
    @classmethod
    def _either_spelling(cls, value: Any) -> Any:
        listed = isinstance(value, list | tuple)
        return (
            [each.replace("_", " ") if isinstance(each, str) else each for each in value] if listed else value
        )

    @field_validator("zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            if not available_timezones():
                raise ValueError("this machine has no time zones: install its package tzdata") from None
            raise ValueError(
                f"there is no time zone {name!r}: write it as Area/City, such as Europe/Berlin"
            ) from None
        return name

    @model_validator(mode="after")
    def _has_one_address(self) -> Destination:
        given = [name for name in ("url", "url_env", "url_file") if getattr(self, name)]
        if len(given) != 1:
            had = f"it has {' and '.join(given)}" if given else "it has none"
            raise ValueError(f"a destination needs exactly one of url_env, url_file and url, but {had}")
        scheme = self.url.split("://", 1)[0].lower()
        if self.url and (SECRET.search(self.url) or scheme not in OPEN):
            raise ValueError(
                "this url holds a secret, or may: put it into an environment variable and name that as "
                "url_env, or into a file and name that as url_file"
            )
        return self

    @property
    def quiet_hours(self) -> QuietHours | None:
        """The hours in which nothing is sent; None: there are none."""
        return QuietHours(self.quiet.start, self.quiet.end, ZoneInfo(self.zone)) if self.quiet else None

    @property
    def schedule(self) -> SendSchedule | None:
        """The times at which a digest is due; None: alerts are sent at once."""
        if self.send == "instant":
            return None
        weekday = get_args(Weekday).index(self.day) if self.send == "weekly" else None
        return SendSchedule(self.at, ZoneInfo(self.zone), weekday)

    def address(self, environment: Mapping[str, str], beside: Path) -> str:
        """Return the Apprise URL, which is a secret; a relative `url_file` is resolved against `beside`.

        Raises:
            Misconfigured: the variable or the file is missing or empty.
        """
        if self.url:
            return self.url
        if self.url_env:
            found = environment.get(self.url_env, "").strip()
            if not found:
                raise Misconfigured(
                    f"the variable {self.url_env} of destination {self.name!r} is not set",
                    "set it to an Apprise URL in the environment of groundswell, and start it again",
                )
            return found
        path = beside / Path(self.url_file).expanduser()
        try:
            found = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(
                f"the file {path} of destination {self.name!r} cannot be read ({type(error).__name__})",
                "write one line with an Apprise URL into it, readable only by groundswell",
            ) from error
        if not found or len(found.splitlines()) > 1:
            raise Misconfigured(
                f"the file {path} of destination {self.name!r} has {len(found.splitlines())} lines",
                "write one line with an Apprise URL into it",
            )
        return found


class AlertConfig(_Strict):
    """The rules, and the destinations of their alerts."""

    fresh_days: float = Field(default=30.0, gt=0, le=3660)
    """Alerts raised longer ago than this many days are not sent."""
    rules: AlertRules = AlertRules()
    destinations: tuple[Destination, ...] = ()

    @model_validator(mode="after")
    def _names_are_different(self) -> AlertConfig:
        names = [each.name for each in self.destinations]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two destinations are called {twice[0]!r}: deliveries are recorded by name")
        return self

    def destination(self, name: str) -> Destination:
        """Return a destination by name.

        Raises:
            Misconfigured: there is no destination of this name.
        """
        for each in self.destinations:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.destinations)
        raise Misconfigured(
            f"there is no destination {name!r}", f"choose from {known}" if known else "add one to alerts.yaml"
        )


def _clock(value: Any) -> Any:
    """Return a time of day; YAML reads an unquoted 22:00 as a number in base 60."""
    if isinstance(value, int) and not isinstance(value, bool):
        hours, minutes = divmod(value, 60)
        if 0 <= hours < 24:
            return time(hours, minutes)
    if isinstance(value, str) and re.fullmatch(r"\d{1,2}:\d{2}", value.strip()):
        hours, minutes = map(int, value.split(":"))
        if hours < 24 and minutes < 60:
            return time(hours, minutes)
    raise ValueError(f"{value!r} is not a time of day: write it as '22:00'")
