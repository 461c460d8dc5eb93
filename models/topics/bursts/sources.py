"""Of how many sources something must come to be news, and for how much one source may count."""

import math
from collections.abc import Iterable, Mapping, Sequence

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


def established(videos: Mapping[str, int], past: Mapping[str, int]) -> list[int]:
    """Of each source, how many of its videos count: one where it has no past.

    When a show joins, its subjects, hosts and habits are new to the study and not to the world.

    Args:
        videos: of each source, how many speak of something.
        past: how many videos it had before the recent ones; of a source that is not in it, none.

    >>> established({"old": 4, "joined": 9}, {"old": 30, "joined": 2})
    [4, 1]
    """
    return [count if past.get(source, 0) >= PAST else min(count, 1) for source, count in videos.items()]


def one_without_past(recent: Mapping[str, int], past: Mapping[str, int], warm_up: int) -> bool:
    """Whether there is one source in effect, and it has spoken for too short a time to say what is new to it.

    Others' past does not help: against theirs, all its subjects are new.

    >>> one_without_past({"joined": 27, "old": 2}, {"old": 40, "joined": 6}, 30)
    True
    """
    main = max(sorted(recent), key=recent.__getitem__)
    return spread(recent.values()) < ONE and past.get(main, 0) < warm_up
