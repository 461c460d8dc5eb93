"""Fingerprint of all settings that a model was learned with, to check whether it can continue."""

from dataclasses import fields
from typing import Any

from models.topics.bursts.settings import BurstSettings
from models.topics.drift.health import HealthSettings
from models.topics.drift.watch import DriftSettings
from models.topics.emergence.settings import EmergenceSettings
from models.topics.online.boilerplate import BoilerplateSettings
from models.topics.settings import TopicSettings

_FREE = ("sensitivity",)
"""Settings that may be changed at any time: they affect alerts, and not what is learned."""


def numbers(settings: TopicSettings) -> dict[str, str]:
    """Return name and value of each setting of the model and its parts, by name.

    >>> numbers(TopicSettings())["drift.delta"]
    '0.05'
    """
    parts: dict[str, Any] = {
        "": settings,
        "boilerplate.": BoilerplateSettings(),
        "bursts.": BurstSettings(),
        "drift.": DriftSettings(),
        "emergence.": EmergenceSettings(),
        "health.": HealthSettings(),
    }
    return {
        f"{part}{field.name}": repr(getattr(parts[part], field.name))
        for part in sorted(parts)
        for field in fields(parts[part])
        if field.name not in _FREE
    }
