"""Filter of advertising in English: a sponsor's name is no evidence that anybody talks about it."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

BEFORE, AFTER = 40, 150
"""Words around an announcement that belong to it: most of a sponsor read follows it."""

ANNOUNCEMENT = re.compile(
    r"""
    \b(?: (?:our|a|another|main|(?:today|episode|video|show|week|month)['’]s) \s+ sponsors?
    | sponsored \s+ (?:by|news|segment|message|content|mention|post|section|video|read)
    | (?:for|is|are|been) \s+ sponsoring | sponsoring \s+ (?:this|our|the|today)
    | sponsors? \s+ of \s+ (?:this|our|the|today)
    | brought \s+ to \s+ you \s+ by
    | our \s+ (?:\w+\s+)? friends \s+ (?:over \s+)? (?:at|from)
    | (?:promo|coupon|discount|referral|voucher) \s+ code
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
WORD = re.compile(r"\S+")


def without(texts: Sequence[str]) -> list[str]:
    """Return the paragraphs of a video, of unchanged length, with advertisements blanked out.

    An advertisement may continue in the next paragraph.

    >>> without(["Rust is fast.", "Thanks to Acme for sponsoring."])
    [',            ', '                              ']
    >>> without(["Rust is fast.", "GitHub Sponsors pays maintainers."])[1]
    'GitHub Sponsors pays maintainers.'
    """
    whole = "\n".join(texts)
    found = list(ANNOUNCEMENT.finditer(whole))
    if not found:
        return list(texts)
    words = [(match.start(), match.end()) for match in WORD.finditer(whole)]
    starts, ends = [start for start, _ in words], [end for _, end in words]
    for match in found:
        start = starts[max(0, bisect_right(starts, match.start()) - 1 - BEFORE)]
        end = ends[min(len(ends) - 1, bisect_left(ends, match.end()) + AFTER)]
        whole = f"{whole[:start]},{' ' * (end - start - 1)}{whole[end:]}"
    begins = accumulate((len(text) + 1 for text in texts), initial=0)
    return [whole[begin : begin + len(text)] for begin, text in zip(begins, texts, strict=False)]
