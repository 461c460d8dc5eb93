"""Progress of videos: the rows of the table `progress`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streams import events as e
from streams.talks.caption_drafts import is_draft

STATES = ("seen", "accepted", "fetched", "transcribed", "split", "rejected", "assigned")
"""States of a video, in order; a later one replaces an earlier one."""
STUCK = timedelta(hours=48)
"""A video that was first seen longer ago, and is still on its way, is probably stuck."""
_BY_MODEL, _HIGHEST = 2, 255
"""Number of states that a topic model can set (the last two), and the maximum of the table's rank."""
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
    """Return the row of `progress` for an event, or None.

    The row with the highest rank counts. The model of a later epoch overrides an earlier one: it may reject a
    talk that the earlier one assigned. Drafts do not change a video's progress.
    """
    if not isinstance(event, e.VideoEvent) or (state := _OF.get(type(event))) is None:
        return None
    if getattr(event, "draft", False) or is_draft(getattr(event, "transcript_version", "")):
        return None
    later = _BY_MODEL * getattr(event, "epoch", 0)
    return {"video_id": event.key, "state": state, "rank": min(STATES.index(state) + 1 + later, _HIGHEST)}
