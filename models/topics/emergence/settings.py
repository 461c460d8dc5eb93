"""Settings of emergence, except those of the term channel."""

from dataclasses import dataclass
from datetime import timedelta

from models.topics.settings import Sensitivity


@dataclass(frozen=True)
class EmergenceSettings:
    """Settings of the birth channel and of the identity of two sightings.

    Cosines are centred on the background, as everywhere in this package.
    """

    sensitivity: Sensitivity = "normal"
    """Evidence that an alert needs; the term channel has the same setting.

    Both channels together on newsletter items (`benchmarks/topics/planted.py`, 10 streams of 1,000 videos and
    more): at `normal` 3 false alarms per 10,000 videos if something else begins, and 2 if nothing does; a
    subject that begins in a fifth of the videos is reported after 9 of them. At `low` there are none, and
    some subjects are never reported; at `high` there are 16 and 10, and more slow beginnings are reported.
    """

    warm_up: int = 40
    """Videos that must have come before the founders: without a past nothing is new."""

    member: float = 0.38
    """Cosine of a video's paragraph with a newborn from which the video mentions it."""

    ratio: float = 5.0
    """Minimum ratio of its recent share to its share of all earlier videos, and of any quarter of them."""

    sources: int = 3
    """Sources needed, or half of the effective number if that is smaller."""

    source_share: float = 0.4
    """Largest share of the counted confirming videos of one source, if there are several."""

    late: timedelta = timedelta(days=180)
    """Age from which an arriving video is history: it can only be part of the past."""

    horizon: int = 1500
    """Recent videos after which a candidate that is not news expires."""

    trials: int = 64
    """Maximum number of candidates at a time; those confirmed longest ago go first."""

    glimpse_paragraphs: int = 1500
    """Latest paragraphs that are searched for bursts before a topic is born …"""

    glimpse_pair: float = 0.36
    """… in which paragraphs of this cosine …"""

    glimpse_videos: int = 3
    """… come from at least this many videos …"""

    glimpse_log10_p: float = -2.0
    """… within a time so short that chance has at most this probability (a power of ten)."""

    glimpses: int = 2
    """Maximum number of bursts per video."""

    told: int = 256
    """Maximum number of reported subjects that are remembered, so that each is reported once."""

    past_paragraphs: int = 8000
    """Maximum number of paragraphs in the sample of the past …"""

    past_per_video: int = 48
    """… and of one video."""

    source_window: int = 500
    """Number of the latest videos over which sources are counted."""

    same_paragraphs: float = 0.5
    """Share of the smaller sighting's paragraphs from which two sightings are one subject …"""

    same_cosine: float = 0.55
    """… or cosine of their centroids from which they are …"""

    new_name_cosine: float = 0.70
    """… or this cosine, for a burst of a name that no reported subject has …"""

    named_cosine: float = 0.35
    """… or this cosine, if they share a name."""

    @property
    def least_videos(self) -> int:
        """Later videos that must confirm a newborn."""
        return {"low": 5, "normal": 4, "high": 3}[self.sensitivity]

    @property
    def log10_p(self) -> float:
        """Significance needed, as a power of ten."""
        return {"low": -6.0, "normal": -4.0, "high": -3.5}[self.sensitivity]
