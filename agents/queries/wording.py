"""Wording of view results, shared by the page and the command line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the command line's --help comes without the store
    from agents.queries.rows import Interval, MixChange, Trend
    from streams.store.rows.alerts import EvidenceCounts
    from streams.store.rows.topics import Change, Drift, Health

MOST_WORDS = 5
"""Maximum number of words that a change of a topic is told by, lost and gained each."""
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
    """Return which tools made the transcripts, given the number of talks by transcript version.

    A version ends with a hash (of its settings; for captions, of the captions), which is left out. Versions
    that begin with `draft` are captions, used until the recording is transcribed.

    Example:
        >>> transcripts({"captions-1-00828e789e9d": 1, "captions-1-00eb0403bcd8": 1, "whisper-9ece8fe8": 3})
        'whisper (3 talks), captions-1 (2 talks)'
        >>> transcripts({})
        'none yet'
    """
    kinds: Counter[str] = Counter()
    for version, count in videos.items():
        kinds[re.sub(r"(-[0-9a-f]{8,})+$", "", version)] += count
    told = [f"{kind} ({count:,} talk{'s' if count != 1 else ''})" for kind, count in kinds.most_common()]
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
        f"{trend['videos']} of {trend['of_videos']} talks from {trend['first']} to {trend['last']}, "
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
    """Return how a topic drifted, since when and on how many talks the finding rests."""
    since = f"since {day(row['since'] or row['drifted_at'])}"
    rests = f"{row['videos_before']} talks before, {row['videos_after']} after"
    evidence = f" ({rests})" if row["videos_before"] or row["videos_after"] else ""
    if row["what"] in ("share", "rise"):
        shares = f"from {percent(row['share_before'])} to {percent(row['share_after'])}"
        return f"{since} its share {'rose' if row['what'] == 'rise' else 'changed'} {shares}{evidence}"
    if row["what"] == "meaning":
        words = (
            f"{percent(row['share_after'])} of its {row['videos_after']} latest paragraphs have a word of it"
        )
        if row["share_after"] < row["share_before"]:
            return f"{since} only {words}: it may no longer be what its name says"
        return f"{since} {words}: it is what its name says again"
    return f"{since} talks discuss it {rather(row['words_before'], row['words_after'])}{evidence}"


def rather(lost: Sequence[str], gained: Sequence[str], most: int = MOST_WORDS) -> str:
    """Return how a topic is discussed now, by the words that it lost and gained most.

    Example:
        >>> rather(["voice", "alexa"], ["agent"]), rather([], ["agent"])
        ('with agent rather than voice, alexa', 'with agent as well')
        >>> rather(["voice"], []), rather([], [])
        ('no longer with voice', 'in another way, with the same words')
    """
    then, now = ", ".join(lost[:most]), ", ".join(gained[:most])
    if now:
        return f"with {now} rather than {then}" if then else f"with {now} as well"
    return f"no longer with {then}" if then else "in another way, with the same words"


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
        ...          "log10_p": -6.0})[-64:]
        'if nothing had changed, the odds of this would be 1 in 1,000,000'
    """
    rare = -row["log10_p"]
    odds = f"{10**rare:,.0f}" if rare < MOST_ODDS else f"10^{rare:.0f}"
    return (
        f"{row['recent']} of the {row['recent_of']} latest talks discuss it, from {row['sources']} "
        f"source{'s' * (row['sources'] != 1)}; "
        f"of the {row['earlier_of']} before them, {row['earlier']} did; "
        f"if nothing had changed, the odds of this would be 1 in {odds}"
    )


def of_length(low: int | None, high: int | None) -> str:
    """Return a class of lengths, [low, high) in minutes, as what is said of talks in it.

    Example:
        >>> of_length(None, 15), of_length(15, 40), of_length(90, None)
        ('shorter than 15 minutes', '15 to 40 minutes long', '90 minutes or longer')
    """
    if low is None:
        return f"shorter than {high} minutes"
    return f"{low} to {high} minutes long" if high is not None else f"{low} minutes or longer"


_PARTS = (
    (1 / 10, "one in ten"),
    (1 / 5, "one in five"),
    (1 / 4, "one in four"),
    (1 / 3, "one in three"),
    (2 / 5, "two in five"),
    (1 / 2, "half"),
    (3 / 5, "three in five"),
    (2 / 3, "two in three"),
    (3 / 4, "three in four"),
    (4 / 5, "four in five"),
    (9 / 10, "nine in ten"),
)
_FEW = 0.05


def in_parts(share: float) -> str:
    """Return about which part a share is.

    Example:
        >>> [in_parts(share) for share in (0, 0.02, 0.09, 0.79, 1)]
        ['none', 'almost none', 'one in ten', 'four in five', 'all']
    """
    if share in (0, 1):
        return "all" if share else "none"
    if not _FEW < share < 1 - _FEW:
        return "almost none" if share <= _FEW else "almost all"
    return min(_PARTS, key=lambda part: abs(part[0] - share))[1]


def mix_changed(row: MixChange) -> str:
    """Return a change of the mix of talks in one sentence.

    Example:
        >>> row = {"month": "2024-07", "kind": "length", "name": "shorter than 15 minutes", "share": 0.8,
        ...        "videos": 160, "of_videos": 200, "before_share": 0.1, "before_videos": 5,
        ...        "before_of_videos": 50}
        >>> mix_changed(row)[:62]
        'From 2024-07 four in five talks are shorter than 15 minutes (1'
        >>> mix_changed(row)[62:]
        '60 of 200); before, one in ten were (5 of 50).'
    """
    now = in_parts(row["share"])
    talks = {"none": "no talks", "almost none": "almost no talks", "half": "half of the talks"}.get(
        now, f"{now} talks"
    )
    if row["kind"] == "length":
        what, did = f"are {row['name'] or 'of unknown length'}", "were"
    else:
        what, did = f"come from {row['name'] or 'no known channel'}", "did"
    then = f"{in_parts(row['before_share'])} {did}"
    return (
        f"From {row['month']} {talks} {what} ({row['videos']:,} of {row['of_videos']:,}); "
        f"before, {then} ({row['before_videos']:,} of {row['before_of_videos']:,})."
    )
