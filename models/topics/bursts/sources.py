"""Number of sources that news needs, and the limit on the weight of one source."""

import math
from collections.abc import Iterable, Mapping, Sequence

ONE = 1.5
"""Below this effective number of sources there is a single source, so several cannot be required."""

PAST = 5
"""Earlier videos below which a source has no history: all its subjects are first mentions."""


def spread(videos: Iterable[int]) -> float:
    """Return the effective number of sources: exp of the entropy (Hill 1973); 0 without videos.

    Args:
        videos: number of videos of each source.

    >>> spread([5, 5, 5, 5]), spread([20]), round(spread([18, 1, 1]), 2)
    (4.0, 1.0, 1.48)
    """
    counts = [count for count in videos if count > 0]
    total = sum(counts)
    if not total:
        return 0.0
    entropy = -math.fsum(count / total * math.log(count / total) for count in counts)
    return round(math.exp(entropy), 9)


def needed(mixed: float, most: int) -> int:
    """Return the number of sources needed: half of the effective number, at least 2 if there are several.

    >>> [needed(mixed, 4) for mixed in (1.0, 2.0, 5.0, 30.0)]
    [1, 2, 2, 4]
    """
    return min(most, max(round(mixed / 2), 2 if mixed >= ONE else 1))


def counted(videos: Sequence[int], mixed: float, share: float) -> int:
    """Return the number of videos that count if no source may have more than this share of them.

    With a single source all its videos count; `needed` decides whether one source is enough.

    Args:
        videos: number of videos of each source; at least one source.

    >>> counted([9, 2, 1], 6.0, 0.4), counted([9, 2, 1], 1.2, 0.4)
    (5, 12)
    """
    share = max(share, 1.4 / max(mixed, 1.0))
    if share >= 1.0 or len(videos) < 2:
        return sum(videos)
    most = max(videos)
    rest = sum(videos) - most
    return rest + min(most, math.floor(rest * share / (1.0 - share) + 1e-9))


def established(videos: Mapping[str, int], past: Mapping[str, int]) -> list[int]:
    """Return each source's number of videos that count: one if the source has no history.

    When a show joins the study, its subjects, hosts and habits are new to the study but not to the world.

    Args:
        videos: number of videos about something, by source.
        past: number of videos before the recent ones, by source; a missing source has none.

    >>> established({"old": 4, "joined": 9}, {"old": 30, "joined": 2})
    [4, 1]
    """
    return [count if past.get(source, 0) >= PAST else min(count, 1) for source, count in videos.items()]


def one_without_past(recent: Mapping[str, int], mixed: float, past: Mapping[str, int], warm_up: int) -> bool:
    """Return whether there is a single source in effect, with too short a history to show what is new.

    The history of other sources does not help: compared with theirs, all its subjects are new.

    Args:
        mixed: effective number of sources of the recent videos.

    >>> one_without_past({"joined": 27, "old": 2}, spread([27, 2]), {"old": 40, "joined": 6}, 30)
    True
    """
    return mixed < ONE and past.get(max(sorted(recent), key=recent.__getitem__), 0) < warm_up
