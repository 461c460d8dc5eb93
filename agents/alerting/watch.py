"""Evaluates the rules on the study's figures and raises each new finding once, as an alert.

No event of the log leads to these alerts, so each is stored in the blob store before it is sent: if the
process is killed in between, the next start sends it under the same id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import structlog

from agents.alerting import rule_evaluation
from agents.alerting.config import SYSTEM, AlertRules
from agents.alerting.rule_evaluation import RuleFinding
from agents.queries import registry
from models.alerts.alert_state import AlertState, look
from streams.events import AlertRaised, Event
from streams.logs.delivery_log import DeliveryLog
from streams.store.operations import completeness, deliveries
from streams.store.queries import prevalence
from streams.store.warehouse import Warehouse

log = structlog.get_logger()
MOST_STUCK = 100_000
"""The most stuck talks to count."""
TALKED = ("declining", "threshold")


class AlertWatch:
    """Watches the figures of one study."""

    def __init__(self, warehouse: Warehouse, kept: DeliveryLog) -> None:
        self._warehouse = warehouse
        self._kept = kept
        self._unknown: list[str] = []

    def missing(self) -> list[Event]:
        """Return earlier alerts of this watch that have not reached the database."""
        return list(self._kept.raised_but(deliveries.raised_by_the_clock(self._warehouse)))

    def look(self, rules: AlertRules, now: datetime) -> Sequence[AlertRaised]:
        """Return the alerts to raise now; they are already stored."""
        vital = deliveries.vital_signs(self._warehouse, now)
        memory = AlertState.model_validate_json(self._kept.memory() or "{}")
        found = list(rule_evaluation.of_system(vital, rules, now))
        long_ago = now - timedelta(hours=rules.stuck.hours)
        found.extend(
            rule_evaluation.of_stuck(completeness.unfinished(self._warehouse, long_ago, MOST_STUCK), rules)
        )
        kinds: list[str] = list(SYSTEM)
        if rule_evaluation.is_settled(vital) and vital["model_version"]:
            if memory.of != vital["model_version"]:
                memory = _of_another_model(memory, vital["model_version"])
            found.extend(self._talked(rules, vital["model_version"]))
            kinds.extend(_kinds(rules))
        memory, told = look(memory, (each.sign for each in found), kinds, now)
        by_key = {each.sign.key: each for each in found}
        raised = [self._alert(by_key[key], now) for key in told]
        for event in raised:
            self._kept.keep_raised(event)
        self._kept.remember(memory.model_dump_json())
        return raised

    def _talked(self, rules: AlertRules, model_version: str) -> Iterator[RuleFinding]:
        if not (rules.declining.on or (rules.threshold.on and rules.threshold.bounds)):
            return
        topics = registry.topics(self._warehouse)
        themes = registry.themes(self._warehouse) if rules.threshold.bounds else []
        unknown = rule_evaluation.unknown_bounds(rules, topics, themes)
        if unknown != self._unknown:
            self._unknown = unknown
            if unknown:
                log.warning("alerts: thresholds name unknown topics or themes", bounds=unknown)
        yield from rule_evaluation.of_trends(topics, rules, model_version)
        yield from rule_evaluation.of_bounds(topics, themes, rules, model_version)

    def _alert(self, finding: RuleFinding, now: datetime) -> AlertRaised:
        log.warning("ALERT", title=finding.title, why=finding.reason)
        return AlertRaised(
            rule=finding.rule,
            model_version=finding.model_version,
            topic_id=finding.topic_id,
            title=finding.title,
            reason=finding.reason,
            raised_at=now,
            video_ids=self._ends(finding.topic_id),
            about=finding.about,
            size=finding.size,
        )

    def _ends(self, topic_id: int | None) -> tuple[str, ...]:
        """Return the first and the latest talk of a topic."""
        if topic_id is None:
            return ()
        talks = prevalence.videos(self._warehouse, topic_id, limit=10_000)
        ids = [
            row["video_id"] for row in sorted(talks, key=lambda row: (row["published_on"], row["video_id"]))
        ]
        return tuple(dict.fromkeys([*ids[:1], *ids[-1:]]))


def _kinds(rules: AlertRules) -> Iterator[str]:
    """Yield the topic rules that are on; a rule switched on later has its first evaluation then."""
    for rule in TALKED:
        if rules.of(rule).on and (rule != "threshold" or rules.threshold.bounds):
            yield rule


def _of_another_model(memory: AlertState, model_version: str) -> AlertState:
    """Return the state without topic signs: another model renumbers topics, and its first look is no news."""
    kept = {key: standing for key, standing in memory.signs.items() if key.split(":", 1)[0] in SYSTEM}
    looked: list[str] = [kind for kind in memory.looked if kind in SYSTEM]
    return AlertState(of=model_version, signs=kept, looked=looked)
