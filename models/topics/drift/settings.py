"""Settings of the drift detectors."""

from dataclasses import dataclass

from models.errors import BadInput


@dataclass(frozen=True)
class DriftSettings:
    """Thresholds for changes of share, words or centroid. All counts are of videos, not of months.

    Chosen on the Practical AI podcast in random orders, in which nothing changes, and with planted changes.
    """

    delta: float = 0.05
    """ADWIN's delta (Bifet and Gavaldà 2007). On bits it is far more conservative than its bound: in 144,000
    simulated videos this value gave no false alarm, and it detected 10 % becoming 50 % after some 30 videos
    and, two times in three, 10 % becoming 30 % after some 110. river's default of .002 hardly ever did."""

    clock: int = 1
    """ADWIN checks for a change every this many videos."""

    history: int = 4096
    """Maximum number of videos that a share detector stores; when full it restarts with the later half."""

    memory: int = 80
    """Videos with a topic whose words and centroid are stored for comparison with the latest ones."""

    latest: tuple[int, ...] = (12, 24)
    """Numbers of latest videos with a topic to compare with those before; the clearest result counts."""

    side: int = 6
    """Minimum number of videos on either side of a change."""

    splits: int = 48
    """Random splits of the same videos that estimate the distance of two parts under the null hypothesis."""

    cap: float = 6.0
    """Upper bound of one comparison, in standard deviations above the null, so that one is never enough."""

    allowance: float = 2.0
    """Page-Hinkley's delta: tolerated standard deviations above the null per video …"""

    threshold: float = 8.0
    """… and its lambda: the cumulative excess over that which is a change."""

    prior: int = 100
    """Comparisons without effect that initialise Page-Hinkley, so that its mean stays near 0."""

    told: int = 512
    """Maximum number of comparisons stored to restore Page-Hinkley; when full, the later half stays."""

    words_of_video: int = 40
    """Most frequent words of a topic used per video, so that long and short talks have equal weight."""

    words_of_topic: int = 80
    """Maximum number of a topic's words that are compared: those in most videos."""

    word_videos: int = 4
    """Minimum number of stored videos that must have a word for it to be compared."""

    shown: int = 8
    """Maximum number of words that a change names, lost and gained each."""

    odds_prior: float = 20.0
    """Weight of the prior of a word's log-odds, in videos (Monroe et al. 2008)."""

    odds_z: float = 1.96
    """Standard deviations by which a word's log-odds must have moved for it to be named …"""

    odds_share: float = 0.5
    """… and the share of the largest movement in the same direction that it must reach."""

    def __post_init__(self) -> None:
        if not 1 <= self.side <= min(self.latest) or self.memory < 2 * max(self.latest):
            raise BadInput(
                f"side {self.side}, latest {self.latest} and memory {self.memory} do not fit together",
                "set side to at most the smallest of latest, and memory to at least twice the largest",
            )
        if self.history < 2 or self.told < 2:
            raise BadInput("a drift detector cannot remember less than 2 videos", "raise history and told")
