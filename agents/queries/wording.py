"""Wording of view results, shared by the page and the command line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the command line's --help comes without the store
    from agents.queries.rows import Interval, Trend
    from streams.store.rows.alerts import EvidenceCounts
    from streams.store.rows.topics import Change, Drift, Health

MOST_ODDS = 12
"""Odds with fewer decimal digits than this are written out; longer ones are a power of ten."""


def day(value: Any) -> str:
    """Return the day of a date or datetime as YYYY-MM-DD, or a dash for None.

    Example:
        >>> day("2025-03-04T12:00:00Z"), day(None)
        ('2025-03-04', '-')
    """
    return str(value)[:10] if value else "-"


def percent(share: float) -> str:
    """Return a share as a percentage.

    Example:
        >>> percent(0.5225)
        '52.2 %'
    """
    return f"{100 * share:.1f} %"


def between(row: Interval) -> str:
    """Return the interval of a share, in per cent without the sign.

    Example:
        >>> between({"low": 0.449, "high": 0.595})
        '44.9 to 59.5'
    """
    return f"{100 * row['low']:.1f} to {100 * row['high']:.1f}"


def transcripts(videos: Mapping[str, int]) -> str:
    """Return which tools made the transcripts, given the number of videos by transcript version.

    A version ends with a hash (of its settings; for captions, of the captions), which is left out. Versions
    that begin with `draft` are captions, used until the recording is transcribed.

    Example:
        >>> transcripts({"captions-1-00828e789e9d": 1, "captions-1-00eb0403bcd8": 1, "whisper-9ece8fe8": 3})
        'whisper (3 videos), captions-1 (2 videos)'
        >>> transcripts({})
        'none yet'
    """
    kinds: Counter[str] = Counter()
    for version, count in videos.items():
        kinds[re.sub(r"(-[0-9a-f]{8,})+$", "", version)] += count
    told = [f"{kind} ({count:,} video{'s' if count != 1 else ''})" for kind, count in kinds.most_common()]
    return ", ".join(told) or "none yet"


def minutes(length: float) -> str:
    """Return a length in minutes, rounded.

    Example:
        >>> minutes(90.26), minutes(1234.5)
        ('90', '1,234')
    """
    return f"{length:,.0f}"


def change(trend: Trend | None) -> str:
    """Return the change of a share in percentage points, or a dash without a trend.

    Example:
        >>> change({"change": 0.051}), change(None)
        ('+5.1', '-')
    """
    return f"{100 * trend['change']:+.1f}" if trend else "-"


def compared(trend: Trend | None) -> str:
    """Return the evidence for a status: the two periods' counts, and the change with its 95 % interval."""
    if trend is None:
        return ""
    return (
        f"{trend['videos']} of {trend['of_videos']} videos from {trend['first']} to {trend['last']}, "
        f"{trend['before_videos']} of {trend['before_of_videos']} from {trend['before_first']} "
        f"to {trend['before_last']}: {change(trend)} points, 95 % interval "
        f"{100 * trend['change_low']:+.1f} to {100 * trend['change_high']:+.1f}"
    )


def happened(row: Change) -> str:
    """Return a genealogy row in words."""
    topic, other = f"{row['topic']} ({row['topic_id']})", f"{row['other']} ({row['other_id']})"
    counts = f"{row['topics_before']} topics, then {row['topics_after']}"
    return {
        "born": f"born: {topic}",
        "split": f"split: {topic} from {other}",
        "merged": f"merged: {topic} into {other}",
        "asleep": f"became dormant: {topic}",
        "awake": f"active again: {topic}",
        "consolidated": f"consolidated: {row['reason']} ({counts})",
        "rejected": f"consolidation rejected: {row['reason']} ({counts})",
    }[row["what"]]


def drifted(row: Drift) -> str:
    """Return how a topic drifted, since when and on how many videos the finding rests."""
    since = f"since {day(row['since'] or row['drifted_at'])}"
    rests = f"{row['videos_before']} videos before, {row['videos_after']} after"
    evidence = f" ({rests})" if row["videos_before"] or row["videos_after"] else ""
    if row["what"] == "share":
        shares = f"from {percent(row['share_before'])} to {percent(row['share_after'])}"
        return f"{since} its share changed {shares}{evidence}"
    if row["what"] == "meaning":
        words = (
            f"{percent(row['share_after'])} of its {row['videos_after']} latest paragraphs have a word of it"
        )
        if row["share_after"] < row["share_before"]:
            return f"{since} only {words}: it may not be what its name says"
        return f"{since} {words}: it is what its name says again"
    lost, gained = ", ".join(row["words_before"]) or "-", ", ".join(row["words_after"]) or "-"
    if row["what"] == "words":
        return f"{since} its words changed from {lost} to {gained}: {row['moved']:.2f} bits{evidence}"
    return f"{since} its centre moved by {row['moved']:.2f}, from {lost} to {gained}{evidence}"


def health(row: Health) -> str:
    """Return how the topic model's fit to the talks changed.

    Example:
        >>> health({"what": "outliers", "before": 0.12, "after": 0.2, "since": "2025-02-01", "day": None})
        'since 2025-02-01 20.0 % of the paragraphs have no topic, previously 12.0 %'
    """
    since = f"since {day(row['since'] or row['day'])}"
    if row["what"] == "outliers":
        none = f"{percent(row['after'])} of the paragraphs have no topic"
        return f"{since} {none}, previously {percent(row['before'])}"
    how = "less" if row["after"] > row["before"] else "more"
    return f"{since} paragraphs are {how} similar to the topics: {row['before']:.2f}, then {row['after']:.2f}"


def figures(row: EvidenceCounts) -> str:
    """Return the statistics of an alert or emergence.

    Example:
        >>> figures({"recent": 4, "recent_of": 50, "sources": 3, "earlier": 0, "earlier_of": 200,
        ...          "log10_p": -6.0})[-52:]
        'if nothing had changed, the odds were 1 in 1,000,000'
    """
    rare = -row["log10_p"]
    odds = f"{10**rare:,.0f}" if rare < MOST_ODDS else f"10^{rare:.0f}"
    return (
        f"{row['recent']} of the {row['recent_of']} latest videos discuss it, from {row['sources']} sources; "
        f"of the {row['earlier_of']} before them, {row['earlier']} did; "
        f"if nothing had changed, the odds were 1 in {odds}"
    )
