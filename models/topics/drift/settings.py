"""Every number of the drift detectors, in one place."""

from dataclasses import dataclass

from models.errors import BadInput


@dataclass(frozen=True)
class DriftSettings:
    """Thresholds for changes of share, words or centre. All counts are of videos, not of months.

    Chosen on the Practical AI podcast in random orders, in which nothing changes, and with planted changes.
    """

    delta: float = 0.05
    """ADWIN's delta (Bifet and Gavaldà 2007). On bits it is far more cautious than that number says: in
    144,000 simulated videos this gave no false alarm, and it saw 10 % become 50 % after some 30 videos
    and, two times in three, 10 % become 30 % after some 110. river's default of .002 hardly ever saw that."""

    clock: int = 1
    """ADWIN looks for a change every this many videos."""

    history: int = 4096
    """Videos a share detector remembers at most; when full it starts again from the later half."""

    memory: int = 80
    """Videos with a topic whose words and centre are kept to compare the latest ones with."""

    latest: tuple[int, ...] = (12, 24)
    """So many of the latest videos with a topic are compared with those before them; the clearest counts."""

    side: int = 6
    """A change needs at least this many videos on either side."""

    splits: int = 48
    """Random splits of the same videos that show how far apart chance alone puts two parts."""

    cap: float = 6.0
    """Standard deviations beyond chance that one comparison counts at most; so no single one is enough."""

    allowance: float = 2.0
    """Page-Hinkley's delta: standard deviations beyond chance that a video is allowed …"""

    threshold: float = 8.0
    """… and its lambda: what the excess over that may add up to before it is a change."""

    prior: int = 100
    """Comparisons that found nothing but chance, told to Page-Hinkley first: its mean is to stay near 0."""

    told: int = 512
    """Comparisons remembered to restore Page-Hinkley; when full it starts again from the later half."""

    words_of_video: int = 40
    """A video's most frequent words of a topic; so a long talk has no more to say than a short one."""

    words_of_topic: int = 80
    """A topic's words that are compared: those in most videos."""

    word_videos: int = 4
    """A word is compared if at least this many of the kept videos have it."""

    shown: int = 8
    """Words that a change names, lost and gained each."""

    odds_prior: float = 20.0
    """How many videos the prior of a word's log-odds weighs (Monroe et al. 2008)."""

    odds_z: float = 1.96
    """A word is named if its log-odds have moved by this many standard deviations …"""

    odds_share: float = 0.5
    """… and by this share of what the word that moved most has."""

    def __post_init__(self) -> None:
        if not 1 <= self.side <= min(self.latest) or self.memory < 2 * max(self.latest):
            raise BadInput(
                f"side {self.side}, latest {self.latest} and memory {self.memory} do not fit together",
                "let side be at most the smallest of latest, and memory twice the largest",
            )
        if self.history < 2 or self.told < 2:
            raise BadInput("a drift detector cannot remember less than 2 videos", "raise history and told")
