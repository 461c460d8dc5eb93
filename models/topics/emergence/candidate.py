"""A candidate for emergence: a newborn topic that is news, or an old subject that no topic covered."""

from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict
from scipy.special import bdtrc

from models.stats.tails import log10_of
from models.topics.emergence.history_sample import Past
from models.topics.online.centring import Vectors
from models.topics.results import SourceQuote


@dataclass(frozen=True, eq=False)
class Newborn:
    """A topic that has just been born, with the data that the emergence watch needs.

    Attributes:
        words: strongest first.
        centre: float64 [d], mean of the founding paragraphs' unit vectors, one per video; not centred.
        paragraph_ids: the founding paragraphs, oldest first.
        videos: their videos by index (`Outcome.video_index`).
    """

    topic_id: int
    label: str
    words: tuple[str, ...]
    centre: Vectors
    paragraph_ids: tuple[str, ...]
    videos: dict[int, str]

    @property
    def onset(self) -> int:
        """Index of the second founding video, since the first may be a stray."""
        indexes = sorted(self.videos)
        return indexes[min(1, len(indexes) - 1)]


@dataclass(frozen=True)
class RateEvidence:
    """Videos with the subject among the recent ones and among those before them.

    `log10_p` is that of the exact comparison of two Poisson rates (Przyborowski and Wilenski, Biometrika
    1940): if nothing had changed, each of the videos with the subject would be among the recent ones with the
    probability recent_of / (recent_of + earlier_of). Unlike a Poisson test against the earlier share, it
    accounts for the uncertainty of a short past.
    """

    recent: int
    recent_of: int
    earlier: int
    earlier_of: int
    log10_p: float

    @property
    def share(self) -> float:
        """Share of the recent videos."""
        return self.recent / self.recent_of

    @property
    def earlier_share(self) -> float:
        """Share of the earlier videos, with half a video added, since none seen does not mean none."""
        return (self.earlier + 0.5) / (self.earlier_of + 1.0)

    def with_recent(self, recent: int) -> "RateEvidence":
        """Return the same evidence with another number of recent videos with the subject."""
        return compare_rates(recent, self.recent_of, self.earlier, self.earlier_of)


def compare_rates(recent: int, recent_of: int, earlier: int, earlier_of: int) -> RateEvidence:
    """Return the evidence that the rate `recent` of `recent_of` is higher than `earlier` of `earlier_of`.

    >>> compare_rates(5, 100, 0, 900).log10_p
    -5.0
    """
    share = recent_of / (recent_of + earlier_of)
    total = recent + earlier
    if recent == 0 or share == 1.0:
        return RateEvidence(recent, recent_of, earlier, earlier_of, 0.0)
    log10_p = round(log10_of(bdtrc(recent - 1, total, share)), 6)
    return RateEvidence(recent, recent_of, earlier, earlier_of, log10_p)


class Hit(BaseModel):
    """A video after the birth that mentions the newborn's subject.

    Attributes:
        at: number of recent videos that had arrived, this one included.
        quote: its paragraph that is closest to the newborn's centroid.
    """

    model_config = ConfigDict(frozen=True)

    at: int
    quote: SourceQuote


class Candidate(BaseModel):
    """A newborn and the later videos that mention it.

    The founding paragraphs are no evidence: they were selected for their similarity.

    Attributes:
        topic_id: None until a topic is born of it; then `label` and `words` are empty.
        founders: the founding paragraphs that are still stored, oldest first; the latest always is.
        founding_videos: all of them, oldest first.
        born: number of recent videos that had arrived at its birth.
        past: videos before the second founding one. (The first may be a stray; the videos between that and
            the birth are neither past nor evidence.)
        hits: the latest `KEPT`, oldest first; `confirmed` counts all.
    """

    KEPT: ClassVar[int] = 64

    topic_id: int | None = None
    label: str = ""
    words: tuple[str, ...] = ()
    founders: tuple[SourceQuote, ...]
    founding_videos: tuple[str, ...]
    born: int
    past: Past
    hits: list[Hit] = []
    confirmed: int = 0

    def name(self, newborn: Newborn) -> None:
        """Set the topic that was born of the candidate."""
        self.topic_id, self.label, self.words = newborn.topic_id, newborn.label, newborn.words

    @property
    def video_ids(self) -> tuple[str, ...]:
        """Videos of founders and hits, oldest first."""
        hits = (hit.quote.video_id for hit in self.hits)
        return tuple(dict.fromkeys([*self.founding_videos, *hits]))

    @property
    def paragraph_ids(self) -> tuple[str, ...]:
        """Stored paragraphs of founders and hits, oldest first."""
        hits = (hit.quote.paragraph_id for hit in self.hits)
        return tuple(dict.fromkeys([*(quote.paragraph_id for quote in self.founders), *hits]))

    def confirm(self, hit: Hit) -> None:
        """Add a later video."""
        self.hits = [*self.hits, hit][-self.KEPT :]
        self.confirmed += 1

    def evidence(self, now: int, least: int, ratio: float) -> RateEvidence | None:
        """Return the strongest evidence of any run of the latest hits, or None if none suffices.

        A run begins just after the hit before it, or at the birth; videos between birth and run are past.

        Args:
            now: recent videos so far.
            least: minimum number of hits in a run.
            ratio: minimum ratio of the run's share to the earlier share and to the highest share at any time.
        """
        starts = [hit.at for hit in self.hits]
        if self.confirmed == len(self.hits):
            starts = [self.born, *starts]
        found = []
        for length, start in enumerate(reversed(starts[:-1]), 1):
            earlier, earlier_of = self.past.spoke + self.confirmed - length, self.past.of + start - self.born
            share = max(self.past.peak, (earlier + 0.5) / (earlier_of + 1.0))
            if length >= least and length >= ratio * share * (now - start):
                found.append(compare_rates(length, now - start, earlier, earlier_of))
        return min(found, key=lambda each: each.log10_p, default=None)
