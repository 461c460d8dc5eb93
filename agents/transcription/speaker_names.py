"""Names that people gave to the speakers of talks, from the view `corrections`."""

from __future__ import annotations

from collections.abc import Iterable

from streams.store.rows.talks import Correction, WholeTalk

Names = dict[tuple[str, str, str], str]
"""Names by talk, transcript version and speaker label."""


def names(corrections: Iterable[Correction]) -> Names:
    """Return the current names, the latest given first; `corrections`: rows of that view."""
    held: Names = {}
    for row in corrections:  # newest first
        if row["what"] == "named":
            held.setdefault((row["video_id"], row["transcript_version"], row["speaker"]), row["name"])
    return {key: name for key, name in held.items() if name}


def names_in(talk: WholeTalk, version: str) -> dict[str, str]:
    """Return the names of the speakers in a transcript of a talk."""
    return {speaker: name for (_, of, speaker), name in names(talk["corrections"]).items() if of == version}
