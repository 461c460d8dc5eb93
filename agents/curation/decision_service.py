"""Base class of the decision services: they log a decision, deliver it, and wait for the store."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.instance.event_publisher import PATIENCE_S, Deliver, arrived
from models.codebook import commands
from streams.state.blobs import Blobs


@dataclass
class DecisionService:
    """Makes decisions about a study on behalf of one author.

    Attributes:
        blobs: the study's blob store, which holds the log.
        ask: queries a view by name with its parameters; over HTTP or from the database.
        deliver: sends events to the store, or writes their rows itself if no store runs.
        now: the clock.
        author: the person who decides.
        say: shows the person a progress message.
        pause: sleeps for a number of seconds.
        patience_s: how long to wait for the store (seconds).
    """

    blobs: Blobs
    ask: Callable[..., Any]
    deliver: Deliver
    now: Callable[[], datetime]
    author: str
    say: Callable[[str], None] = lambda _: None
    pause: Callable[[float], None] = time.sleep
    patience_s: float = PATIENCE_S

    def __post_init__(self) -> None:
        self.author = commands.clean(self.author, "the author")

    def _arrived(self, stored: Callable[[], bool]) -> bool:
        """Wait until the store shows the delivered events; return whether it did in time."""
        return arrived(stored, say=self.say, pause=self.pause, patience_s=self.patience_s)
