"""names: who people said the speakers of talks are, from the view `corrections`."""

from __future__ import annotations

from collections.abc import Iterable

from streams.store.rows.talks import Correction, WholeTalk

Names = dict[tuple[str, str, str], str]
"""By talk, transcript and speaker."""


def names(corrections: Iterable[Correction]) -> Names:
    """Return the names that hold, the latest given first; `corrections` as the view has them."""
    held: Names = {}
    for row in corrections:  # newest first
        if row["what"] == "named":
            held.setdefault((row["video_id"], row["transcript_version"], row["speaker"]), row["name"])
    return {key: name for key, name in held.items() if name}


def names_in(talk: WholeTalk, version: str) -> dict[str, str]:
    """Return the names of the speakers of a transcript of a talk."""
    return {speaker: name for (_, of, speaker), name in names(talk["corrections"]).items() if of == version}
