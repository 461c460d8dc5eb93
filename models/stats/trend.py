"""Trend of a topic: its share of videos in a period against the period of equal length before it."""

import math
from dataclasses import dataclass
from typing import Literal

from models.errors import BadInput

Direction = Literal["new", "rising", "stable", "declining", "dormant"]

Z_95 = 1.959963984540054
"""0.975 quantile of the standard normal distribution."""


@dataclass(frozen=True)
class Interval:
    """A confidence interval from `low` to `high`."""

    low: float
    high: float


@dataclass(frozen=True)
class Trend:
    """Trend of a topic: its shares of videos in two equal periods, and the significance of the change.

    Attributes:
        share, share_before: 0 for a period without videos.
        interval, interval_before: 95 % Wilson intervals of the shares.
        change: share - share_before, with its 95 % interval.
    """

    direction: Direction
    share: float
    share_before: float
    interval: Interval
    interval_before: Interval
    change: float
    change_interval: Interval


def trend(videos: int, of: int, videos_before: int, of_before: int) -> Trend:
    """Compare a topic's videos in a period with those in the equal period before it.

    - `dormant`: none in the period, some before, and the change is significant: its interval is below 0.
      A topic without videos in both periods is dormant too.
    - `new`: some in the period, none before, and the interval is above 0.
    - `rising`, `declining`: the interval of the change is above 0, or below.
    - `stable`: the interval contains 0, so the videos show no change; there may be one.

    The interval of the change is Newcombe's hybrid score interval (Statistics in Medicine 1998, method 10),
    from Wilson's interval of each share. It is valid for small counts and for shares of 0 and 1, where the
    textbook (Wald) interval has no width.

    Args:
        videos, of: videos with the topic in the period, and videos in it.
        videos_before, of_before: the same for the period before.

    Raises:
        BadInput: a count is negative, or larger than its number of videos.

    >>> trend(30, 100, 10, 100).direction, trend(12, 100, 10, 100).direction
    ('rising', 'stable')
    """
    for count, total in ((videos, of), (videos_before, of_before)):
        if not 0 <= count <= total:
            raise BadInput(
                f"{count} of {total} videos cannot have a topic",
                "count videos with the topic among all videos",
            )
    share, before = _share(videos, of), _share(videos_before, of_before)
    now, then = wilson(videos, of), wilson(videos_before, of_before)
    change = share - before
    low = change - math.hypot(share - now.low, then.high - before)
    high = change + math.hypot(now.high - share, before - then.low)
    interval = Interval(max(low, -1.0), min(high, 1.0))
    return Trend(
        direction=_direction(videos, videos_before, interval),
        share=share,
        share_before=before,
        interval=now,
        interval_before=then,
        change=change,
        change_interval=interval,
    )


def wilson(videos: int, of: int) -> Interval:
    """Return the 95 % score interval of a share (Wilson, JASA 1927); 0 to 1 without videos.

    >>> interval = wilson(0, 10)
    >>> interval.low, round(interval.high, 3)
    (0.0, 0.278)
    """
    if not of:
        return Interval(0.0, 1.0)
    share, z2 = videos / of, Z_95**2
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z_95 / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return Interval(0.0 if not videos else middle - half, 1.0 if videos == of else middle + half)


def _share(videos: int, of: int) -> float:
    return videos / of if of else 0.0


def _direction(videos: int, before: int, change: Interval) -> Direction:
    if not videos and not before:
        return "dormant"
    if change.low > 0:
        return "rising" if before else "new"
    if change.high < 0:
        return "declining" if videos else "dormant"
    return "stable"
