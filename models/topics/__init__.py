"""The heart of it: an online topic model with stable ids, births and drift.

Importing this package is cheap; BERTopic and river are imported when a model is made.
"""

from models.topics.batch import Batch
from models.topics.model import TopicModel
from models.topics.outcome import (
    Assignment,
    Birth,
    Consolidation,
    Dormancy,
    Drift,
    EarlierAssignment,
    Emergence,
    HealthChange,
    Merge,
    Outcome,
    Quote,
    TopicState,
)
from models.topics.settings import TopicSettings
from models.topics.snapshot import Snapshot, dump, load

__all__ = [
    "Assignment",
    "Batch",
    "Birth",
    "Consolidation",
    "Dormancy",
    "Drift",
    "EarlierAssignment",
    "Emergence",
    "HealthChange",
    "Merge",
    "Outcome",
    "Quote",
    "Snapshot",
    "TopicModel",
    "TopicSettings",
    "TopicState",
    "dump",
    "load",
]
