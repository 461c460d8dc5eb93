"""Every number of emergence but the term channel's."""

from dataclasses import dataclass
from datetime import timedelta

from models.topics.bursts.term_bursts import Sensitivity


@dataclass(frozen=True)
class EmergenceSettings:
    """Every number of the birth channel and of what makes two sightings one subject.

    Cosines are centred on the background, as everywhere in this package.
    """

    sensitivity: Sensitivity = "normal"
    """How much evidence an alert needs; the term channel has the same setting.

    Both channels together on newsletter items (`benchmarks/topics/planted.py`, 10 streams of 1,000 videos and
    more): at `normal` 3 false alarms per 10,000 videos where something else begins, and 2 where nothing does;
    what begins with a fifth of the videos is told after 9 of them. At `low` there are none, and some of what
    begins is never told; at `high` there are 16 and 10, and of what begins slowly more is told.
    """

    warm_up: int = 40
    """So many videos must have come before the founders: without a past nothing is new."""

    member: float = 0.38
    """A video speaks of a newborn if one of its paragraphs has this cosine with it."""

    ratio: float = 5.0
    """So many times its share of all earlier videos, and of any quarter of them, its recent share must be."""

    sources: int = 3
    """From so many sources, or from half of them where there are fewer than twice as many."""

    source_share: float = 0.4
    """A source counts for no more than this share of the confirming videos, where there are several."""

    late: timedelta = timedelta(days=180)
    """A video that is older than this when it arrives is history: it can only be part of the past."""

    horizon: int = 1500
    """A newborn that is not news after so many recent videos never will be."""

    trials: int = 64
    """Newborns on trial at a time; those confirmed longest ago go first."""

    glimpse_paragraphs: int = 1500
    """Latest paragraphs in which subjects are glimpsed before a topic is born of them …"""

    glimpse_pair: float = 0.36
    """… where paragraphs of this cosine …"""

    glimpse_videos: int = 3
    """… come from so many videos …"""

    glimpse_log10_p: float = -2.0
    """… within a time that is so short that chance would bring as many only so often (a power of ten)."""

    glimpses: int = 2
    """Of one video at most."""

    told: int = 256
    """Subjects remembered, so that each is told once."""

    past_paragraphs: int = 8000
    """Paragraphs kept of a sample of the past …"""

    past_per_video: int = 48
    """… of one video at most."""

    source_window: int = 500
    """Over so many of the latest videos it is counted how many sources there are."""

    same_paragraphs: float = 0.5
    """Two sightings that have this share of the smaller one's paragraphs in common are one subject …"""

    same_cosine: float = 0.55
    """… and so are two whose centres are so close …"""

    new_name_cosine: float = 0.70
    """… or so close, where a name that no told subject has bursts …"""

    named_cosine: float = 0.35
    """… or so close while they share a name."""

    @property
    def least_videos(self) -> int:
        """Later videos that must confirm a newborn."""
        return {"low": 5, "normal": 4, "high": 3}[self.sensitivity]

    @property
    def log10_p(self) -> float:
        """Significance needed, as a power of ten."""
        return {"low": -6.0, "normal": -4.0, "high": -3.5}[self.sensitivity]
