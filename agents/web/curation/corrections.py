"""Corrections of a talk: withdraw, restore, redate, keep."""

from __future__ import annotations

from typing import Literal

from agents.curation.video_corrections import Corrected, Corrector, moment_of
from agents.web.curation.context import PATIENCE_S, CurationContext, as_refusal
from agents.web.security.access import Who

What = Literal["withdraw", "restore", "redate", "keep"]


def correct_talk(
    desk: CurationContext, who: Who, video_id: str, what: What, *, reason: str, published: str
) -> Corrected:
    """Apply a person's correction of a talk.

    Raises:
        RequestRefused: 422, there is no such talk, no reason, or no such date.
        Unavailable: it is kept, but could not be sent.
    """
    now = desk.site.runtime.parts.now
    with as_refusal(), desk.deliver() as deliver:
        corrector = Corrector(desk.blobs, desk.ask, deliver, now, who.name, patience_s=PATIENCE_S)
        match what:
            case "withdraw":
                return corrector.withdraw([video_id], reason)[0]
            case "restore":
                return corrector.restore([video_id], reason)[0]
            case "redate":
                return corrector.redate(video_id, moment_of(published, now()), reason)[0]
            case "keep":
                return corrector.keep(video_id, reason)[0]
