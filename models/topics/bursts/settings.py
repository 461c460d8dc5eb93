"""Settings of the term channel of emergence."""

from dataclasses import dataclass

from models.topics.settings import Sensitivity


@dataclass(frozen=True)
class BurstSettings:
    """All parameters of the term channel."""

    sensitivity: Sensitivity = "normal"
    """Evidence that an alert needs; `EmergenceSettings` says what each level lets through."""

    window_share: float = 1 / 6
    """Share of all videos that is the window of recent ones …"""

    window_least: int = 30
    """… but at least this many …"""

    window_most: int = 1000
    """… and at most this many …"""

    window_days: int = 400
    """… and not older than this, unless there are fewer than the least."""

    warm_up: int = 30
    """Videos that must have left the window before the first alert (with a single source in effect, videos of
    that source): on the first day everything is new."""

    mentions: int = 3
    """Mentions of a term that a long talk needs to count for it (see `terms.needed`) …"""

    name_mentions: int = 1
    """… and mentions of a term that is written as a name, though the talk may then only mention it …"""

    about: int = 2
    """… and videos that must have `mentions` mentions: news is something that somebody talks about."""

    ratio: float = 6.0
    """Smallest ratio of a term's recent share to its earlier share."""

    source_share: float = 0.4
    """Largest share of the counted videos of one source, if there are several; two are needed then."""

    rare: float = 0.1
    """Share of earlier videos up to which a term is rare, so that the details of its mentions are kept."""

    common_concentration: float = 0.10
    """Mean centred pair cosine that the paragraphs of a term need that is not written as a name."""

    concentration: float = 0.05
    """Mean centred pair cosine above which a name gets relief, so that a higher probability passes …"""

    concentrated: float = 0.09
    """… how far above it the relief is full …"""

    relief: float = 1.0
    """… and the full relief, in powers of ten; in between it is proportional. Other terms get no
    relief: words come and go, and their paragraphs are similar as well."""

    most_terms: int = 100_000
    """Terms with a count from before the window; the rarest and oldest are forgotten."""

    most_kept: int = 50_000
    """Mentions stored with quote and direction; those of the oldest videos are dropped first."""

    @property
    def least_videos(self) -> int:
        """Recent videos that must mention a term."""
        return {"low": 6, "normal": 5, "high": 4}[self.sensitivity]

    @property
    def log10_p(self) -> float:
        """Significance needed (Poisson), as a power of ten."""
        return {"low": -10.0, "normal": -8.0, "high": -6.0}[self.sensitivity]
