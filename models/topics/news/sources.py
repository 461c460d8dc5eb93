"""Of how many sources something must come to be news, and for how much one source may count."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

ONE = 1.5
"""With fewer sources in effect than this there is one, and it cannot be asked for several."""

PAST = 5
"""A source with fewer earlier videos than this has no past: whatever it says, it says for the first time."""


def spread(videos: Iterable[int]) -> float:
    """How many equally busy sources would be as mixed: exp of the entropy (Hill 1973); 0 without videos.

    Args:
        videos: of each source, how many there are.

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
    """From how many sources: half of those there are in effect, 2 at least where there are several.

    >>> [needed(mixed, 4) for mixed in (1.0, 2.0, 5.0, 30.0)]
    [1, 2, 2, 4]
    """
    return min(most, max(round(mixed / 2), 2 if mixed >= ONE else 1))


def counted(videos: Sequence[int], mixed: float, share: float) -> int:
    """How many videos count when no source may have more than this share of them.

    Where there is one source, all count; whether one will do says `needed`.

    Args:
        videos: of each source, how many there are; at least one.

    >>> counted([9, 2, 1], 6.0, 0.4), counted([9, 2, 1], 1.2, 0.4)
    (5, 12)
    """
    share = max(share, 1.4 / max(mixed, 1.0))
    if share >= 1.0 or len(videos) < 2:
        return sum(videos)
    most = max(videos)
    rest = sum(videos) - most
    return rest + min(most, math.floor(rest * share / (1.0 - share) + 1e-9))


def established(videos: Mapping[str, int], past: Callable[[str], int]) -> list[int]:
    """Of each source, how many of its videos count: one where it has no past.

    When a show joins, its subjects, hosts and habits are new to the study and not to the world.

    Args:
        videos: of each source, how many there are.
        past: how many videos a source had before the recent ones.

    >>> established({"old": 4, "joined": 9}, {"old": 30, "joined": 2}.__getitem__)
    [4, 1]
    """
    return [count if past(source) >= PAST else min(count, 1) for source, count in videos.items()]
