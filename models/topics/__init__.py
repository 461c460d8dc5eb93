"""Online topic model with stable ids, births, merges, drift and emergence.

Importing this package is cheap; BERTopic and river are imported when a model is made.
"""

from models.topics.model import TopicModel
from models.topics.online.batch import Batch
from models.topics.results import (
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
    RiseEvidence,
    SourceQuote,
    TopicState,
)
from models.topics.settings import TopicSettings
from models.topics.snapshot.snapshot import Snapshot, dump, load

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
    "RiseEvidence",
    "Snapshot",
    "SourceQuote",
    "TopicModel",
    "TopicSettings",
    "TopicState",
    "dump",
    "load",
]
