"""Evaluates the rules: declining topics, crossed thresholds, problems of the system.

A finding states its reason in plain words. `models.alerts.alert_state` decides whether it is raised, since it
records the earlier alerts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agents.alerting.config import AlertRules, Bound, Rule
from agents.queries.rows import Theme, Topic, Trend
from agents.queries.wording import day, percent
from models.alerts.alert_state import AlertSign
from streams.store.rows.deliveries import FailingOfLate, VitalSigns
from streams.store.rows.operations import UnfinishedVideo

SETTLED = 0.05
"""Trends are evaluated only if at most this share of the videos is still in the pipeline …"""
FEW = 10
"""… or at most this many videos: the shares in the middle of an import mean nothing."""


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """A condition of a rule that holds now. `sign.key` begins with the rule."""

    sign: AlertSign
    rule: Rule
    title: str
    reason: str
    topic_id: int | None = None
    about: str = ""
    size: float = 0.0
    model_version: str = ""


def is_settled(vital: VitalSigns) -> bool:
    """Return whether the figures cover nearly all talks: few are in the pipeline or being relearned."""
    return vital["waiting"] + vital["relearning"] <= max(FEW, SETTLED * vital["videos"])


def of_system(vital: VitalSigns, rules: AlertRules, now: datetime) -> Iterator[RuleFinding]:
    """Yield the problems of the system."""
    if rules.lag.on and vital["waiting"] >= rules.lag.talks:
        hours = f"for {rules.lag.hours:g} hours" if rules.lag.hours else "now"
        yield RuleFinding(
            AlertSign(
                "lag:",
                patience=timedelta(hours=rules.lag.hours),
                cool_down=rules.lag.cool_down,
                reminds=True,
                from_the_start=True,
            ),
            "lag",
            f"{vital['waiting']:,} talks wait to be processed",
            f"At least {rules.lag.talks} talks have been in the pipeline {hours}; currently "
            f"{vital['waiting']:,} are. Find the agent that is behind, and check that it runs.",
            size=vital["waiting"],
        )
    letters, latest = vital["dead_letters"], vital["latest_letter"]
    if rules.dead_letters.on and letters >= rules.dead_letters.at_least and latest is not None:
        many = f"{letters:,} message{'s' * (letters != 1)}"
        yield RuleFinding(
            _at_once("dead letters:", rules.dead_letters.cool_down),
            "dead letters",
            f"{many} could not be processed",
            f"{many} wait{'s' * (letters == 1)} for a decision. The latest: {latest['cause']}. "
            f"What to do: {latest['cure']}. Then replay it, or drop it.",
            size=letters,
        )
    seen = vital["last_sighted"]
    if rules.silence.on and seen is not None and now - seen >= timedelta(hours=rules.silence.hours):
        hours_since = (now - seen) / timedelta(hours=1)
        yield RuleFinding(
            _at_once("silence:", rules.silence.cool_down),
            "silence",
            f"No new talk for {_length(hours_since)}",
            f"No watched channel, playlist or search has shown a new talk since {day(seen)}. Either nobody "
            "published one, or the sources cannot be read.",
            size=round(hours_since, 1),
        )
    if rules.source.on:
        for failing in vital["failing"]:
            yield _failing(failing, rules)


def of_stuck(videos: Sequence[UnfinishedVideo], rules: AlertRules) -> Iterator[RuleFinding]:
    """Yield the finding that these videos should be finished by now."""
    if rules.stuck.on and videos:
        one, first = len(videos) == 1, videos[0]
        many = f"{len(videos):,} talk{'' if one else 's'}"
        yield RuleFinding(
            _at_once("stuck:", rules.stuck.cool_down),
            "stuck",
            f"{many} {'has' if one else 'have'} not been finished for {_length(rules.stuck.hours)}",
            f"The first of them, {first['title'] or first['video_id']}, was found on {day(first['seen_at'])} "
            f"and waits for {first['waits_for']}. Check that this agent runs and how many messages it has to "
            "process; groundswell reconcile sends again what the log has lost.",
            size=len(videos),
        )


def _failing(failing: FailingOfLate, rules: AlertRules) -> RuleFinding:
    name = _locator(failing["payload"]) or failing["source_id"] or "a source"
    times = "once" if failing["failures"] == 1 else f"{failing['failures']} times"
    return RuleFinding(
        _at_once(f"source:{failing['source_id']}", rules.source.cool_down),
        "source",
        f"{name} cannot be read",
        f"It failed {times} within a day, the last time because {failing['cause']}. "
        f"What to do: {failing['cure']}.",
        about=failing["source_id"],
        size=failing["failures"],
    )


def of_trends(topics: Sequence[Topic], rules: AlertRules, model_version: str) -> Iterator[RuleFinding]:
    """Yield declining topics; rising ones are told by the model, as soon as talks show it."""
    wanted = rules.declining
    for topic in topics if wanted.on else ():
        trend = topic["trend"]
        if topic["status"] != "declining" or trend is None:
            continue
        enough = max(trend["videos"], trend["before_videos"]) >= wanted.at_least_videos
        if enough and abs(trend["change"]) * 100 >= wanted.at_least_points:
            yield RuleFinding(
                AlertSign(f"declining:{topic['topic_id']}", cool_down=wanted.cool_down),
                "declining",
                f"Declining: {topic['name']}",
                change_in_words(trend),
                topic_id=topic["topic_id"],
                size=round(trend["change"], 6),
                model_version=model_version,
            )


def of_bounds(
    topics: Sequence[Topic], themes: Sequence[Theme], rules: AlertRules, model_version: str
) -> Iterator[RuleFinding]:
    """Yield crossed thresholds, by the share in the trend's period, or over all talks without a trend."""
    for bound in rules.threshold.bounds if rules.threshold.on else ():
        topic, theme = _topic_of(bound, topics), _theme_of(bound, themes)
        row = topic or theme
        if row is None:
            continue
        trend = row["trend"]
        counts = trend or row
        videos, of_videos = counts["videos"], counts["of_videos"]
        if not of_videos or videos / of_videos < bound.share:
            continue
        name = topic["name"] if topic else row["theme"]
        when = f"published from {trend['first']} to {trend['last']} " if trend else ""
        yield RuleFinding(
            AlertSign(f"threshold:{bound.name}:{bound.share}", cool_down=rules.threshold.cool_down),
            "threshold",
            f"{name} is in {percent(videos / of_videos)} of the talks",
            f"{videos} of the {of_videos} talks {when}discuss it: {percent(videos / of_videos)}. The "
            f"threshold is {percent(bound.share)}.",
            topic_id=topic["topic_id"] if topic else None,
            about="" if topic else name,
            size=round(videos / of_videos, 6),
            model_version=model_version,
        )


def unknown_bounds(rules: AlertRules, topics: Sequence[Topic], themes: Sequence[Theme]) -> list[str]:
    """Return the thresholds whose topic or theme the study does not have; probably they are misspelled."""
    return [
        bound.name
        for bound in rules.threshold.bounds
        if _topic_of(bound, topics) is None and _theme_of(bound, themes) is None
    ]


def change_in_words(trend: Trend) -> str:
    """Return the change of a share with its confidence interval, in words.

    Example:
        >>> change_in_words({"first": "2025-01", "last": "2025-06", "videos": 30, "of_videos": 100,
        ...     "before_first": "2024-07", "before_last": "2024-12", "before_videos": 10,
        ...     "before_of_videos": 100, "change": 0.2, "change_low": 0.09, "change_high": 0.31})
        '30 of 100 talks discussed it from 2025-01 to 2025-06 (30.0 %), against 10 of 100 in the equal \
period before (10.0 %). Its share rose by 20.0 percentage points (95 % interval 9.0 to 31.0).'
    """
    share = trend["videos"] / trend["of_videos"] if trend["of_videos"] else 0.0
    before = trend["before_videos"] / trend["before_of_videos"] if trend["before_of_videos"] else 0.0
    up = trend["change"] >= 0
    moved, sign = ("rose", 100) if up else ("fell", -100)
    ends = sorted(sign * each for each in (trend["change_low"], trend["change_high"]))
    low, high = (f"{each:.1f}" for each in ends)
    return (
        f"{trend['videos']} of {trend['of_videos']} talks discussed it from {trend['first']} to "
        f"{trend['last']} ({percent(share)}), against {trend['before_videos']} of "
        f"{trend['before_of_videos']} in the equal period before ({percent(before)}). Its share {moved} by "
        f"{abs(trend['change']) * 100:.1f} percentage points (95 % interval {low} to {high})."
    )


def _topic_of(bound: Bound, topics: Sequence[Topic]) -> Topic | None:
    """Return the topic that a bound is about, by its number or name."""
    return next((row for row in topics if bound.topic in (row["topic_id"], row["name"])), None)


def _theme_of(bound: Bound, themes: Sequence[Theme]) -> Theme | None:
    return next((row for row in themes if row["theme"] == bound.theme), None)


def _at_once(key: str, cool_down: timedelta) -> AlertSign:
    return AlertSign(key, cool_down=cool_down, reminds=True, from_the_start=True)


def _length(hours: float) -> str:
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"


def _locator(payload: str) -> str:
    """Return the locator of an unreadable source from its message; empty if the message has none."""
    try:
        return str(json.loads(base64.b64decode(payload))["source"]["locator"])
    except (ValueError, KeyError, TypeError):
        return ""
