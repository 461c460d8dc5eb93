"""Progress of a video: the rows of the table `progress`."""

from __future__ import annotations

from typing import Any

from streams import events as e
from streams.talks.caption_drafts import is_draft

STATES = ("seen", "accepted", "fetched", "transcribed", "split", "rejected", "assigned")
"""How far a video got, in order; a later one replaces an earlier one."""
_BY_MODEL, _HIGHEST = 2, 255
"""States that a topic model gives (the last two of them); the most that the table's rank can be."""
_OF: dict[type[e.Event], str] = {
    e.VideoSeen: "seen",
    e.VideoAccepted: "accepted",
    e.VideoRejected: "rejected",
    e.AudioStored: "fetched",
    e.TranscriptReady: "transcribed",
    e.ParagraphsEmbedded: "split",
    e.ParagraphsAssigned: "assigned",
}


def reached(event: e.Event) -> dict[str, Any] | None:
    """Return the row of `progress` that an event makes, None where it makes none.

    The row with the highest rank holds. What the model of a later epoch says replaces what an earlier one
    said: it may reject a talk that one assigned. A draft is a step beside a video's path, not on it.
    """
    if not isinstance(event, e.VideoEvent) or (state := _OF.get(type(event))) is None:
        return None
    if getattr(event, "draft", False) or is_draft(getattr(event, "transcript_version", "")):
        return None
    later = _BY_MODEL * getattr(event, "epoch", 0)
    return {"video_id": event.key, "state": state, "rank": min(STATES.index(state) + 1 + later, _HIGHEST)}
