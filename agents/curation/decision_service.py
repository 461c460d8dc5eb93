"""Base of the services through which a person decides: kept in a log, delivered, and waited for."""

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
    """Decides about a study, as one author.

    Attributes:
        blobs: the study's blob store, where the log is.
        ask: a view by name, with its parameters; over HTTP or from the database.
        deliver: brings events to the store, or writes their rows itself where no store runs.
        now: the clock.
        author: who decides.
        say: tells the person what is waited for.
        pause: sleeps so many seconds.
        patience_s: how long to wait for the store.
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
        """Wait until the store shows what was delivered; return whether it did in time."""
        return arrived(stored, say=self.say, pause=self.pause, patience_s=self.patience_s)
