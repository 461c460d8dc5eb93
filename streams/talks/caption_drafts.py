"""Captions that stand in for a talk's transcript until its recording is transcribed.

The ledger of a talk, `captions/<talk>.json`, is written when YouTube was asked: a pointer to the captions,
or null where people wrote none. So nobody is asked twice, and a replay leads to the same.
"""

from __future__ import annotations

import json

from streams.events import Blob, stable_id
from streams.state.blobs import Blobs
from streams.talks.transcripts import versions

FOLDER = "captions"
DRAFT = "draft-"
"""How the version of a transcript begins that is a draft; no model's does."""


def is_draft(transcript_version: str) -> bool:
    """Whether a transcript is only there until the recording is transcribed.

    Example:
        >>> is_draft("draft-captions-1-00828e789e9d"), is_draft("captions-1-00828e789e9d")
        (True, False)
    """
    return transcript_version.startswith(DRAFT)


class Drafts:
    """Captions found for a study's talks, as drafts in its blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def asked(self, video_id: str) -> bool:
        """Whether it is known which captions there are, or that there are none."""
        return self._blobs.exists(_ledger(video_id))

    def kept(self, video_id: str) -> Blob | None:
        """Return the captions that are kept; None: there are none, or nobody has asked."""
        if not self.asked(video_id):
            return None
        pointer = json.loads(self._blobs.get(_ledger(video_id)))
        return None if pointer is None else Blob.model_validate(pointer)

    def keep(self, video_id: str, suffix: str, content: bytes) -> Blob:
        """Keep captions for good; `suffix` names their format, such as `.vtt`."""
        blob = self._blobs.put(f"{FOLDER}/{stable_id(video_id)}{suffix}", content)
        self._blobs.put(_ledger(video_id), blob.model_dump_json().encode())
        return blob

    def keep_none(self, video_id: str) -> None:
        """Keep that there are none of any use."""
        self._blobs.put(_ledger(video_id), b"null")

    def superseded(self, video_id: str) -> bool:
        """Whether the talk has a transcript that is no draft, so that a draft has nothing more to say."""
        return not all(is_draft(version) for version in versions(self._blobs, video_id))


def _ledger(video_id: str) -> str:
    return f"{FOLDER}/{stable_id(video_id)}.json"
