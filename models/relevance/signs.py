"""Telling signs of a kind of talk in a title, a description or a length: "tutorial", "lecture 3", "how we".

Each sign is a plain rule with a name for display. English only, as the study is; other languages show no
sign.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from models.relevance.prompts import EXPERIENCE

LONGEST = 2_000
"""Characters of a description that are searched: links, chapters and sponsors follow them."""
_LONGEST_TITLE = 300
_LINK = re.compile(r"(?:https?://|www\.)\S+")


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign, the kind of talk it indicates, and its weight without labels (log-odds of that kind)."""

    says: str
    kind: str
    weight: float


TITLE: Mapping[str, tuple[Sign, str]] = {
    "how we": (
        Sign("“how we …” in the title", EXPERIENCE, 1.5),
        r"\b(?:how|why|when|what) (?:we|our|i)(?:['’]\w+)?\b|\bhow (?!to\b)[\w.&-]+(?: [\w.&-]+)? "
        r"(?:built|builds|uses?|used|runs?|scaled?|scales|moved|migrated|deployed|made|saved|reduced|cut)\b",
    ),
    "lessons": (
        Sign("“lessons”, “case study” or “our story” in the title", EXPERIENCE, 1.5),
        r"\blessons?\b|\blearn(?:ed|t|ings)\b|\bcase stud(?:y|ies)\b|\bwar stor(?:y|ies)\b|\bpost-?mortem\b"
        r"|\b(?:our|my|the|a) (?:journey|story|experience)\b|\bexperiences? (?:with|from|of|in)\b"
        r"|\bin the wild\b"
        r"|\breal[- ]world\b|\b(?:journey|story|tale)s?\b|\bpitfalls?\b|\bfail(?:ure|ures|ed|ing)\b",
    ),
    "production": (
        Sign("“in production” or “at scale” in the title", EXPERIENCE, 0.8),
        r"\b(?:in|to|into) prod(?:uction)?\b|\bat scale\b|\bscaling\b|\bmigrat(?:ing|ion|ed)\b"
        r"|\bmoving (?:from|to)\b"
        r"|\bfrom [\w. -]{2,30} to (?:prod|scale)",
    ),
    "at somebody": (
        Sign("who did it is in the title (“… at Name”)", EXPERIENCE, 0.7),
        r"\b(?:at|@) ?(?-i:(?!Scale\b|Py|The\b|University\b|Home\b|Work\b)[A-Z]\w+)",
    ),
    "tutorial": (
        Sign("“tutorial”, “course” or “for beginners” in the title", "tutorial", 2.0),
        r"\btutorials?\b|\bcrash course\b|\bfull course\b|\bstep[- ]by[- ]step\b|\bbeginners?\b"
        r"|\bfrom scratch\b"
        r"|\b101\b|\bcheat ?sheet\b|\bexplained\b|\bcode along\b|\bfor dummies\b|\bin \d+ minutes\b|\bguide\b"
        r"|\b(?:learn|learning) (?:the basics|to code|how)\b|\bfundamentals\b|\bbasics\b",
    ),
    "how to": (
        Sign("“how to …” in the title", "tutorial", 1.2),
        r"\bhow (?:to|do i|you can)\b|^(?:build|create|make|install|set ?up|write|deploy) (?:a|an|your"
        r"|the)\b",
    ),
    "introduction": (
        Sign("“introduction to …” in the title", "tutorial", 1.0),
        r"\bintro(?:duction)?(?: to)?\b|\bgetting started\b|\bprimer\b|\bfirst steps\b",
    ),
    "lecture": (
        Sign("“lecture” or “course” with a number in the title", "lecture", 2.0),
        r"\blectures?\b|\bseminar\b|\bcolloquium\b|\b(?:week|chapter|module|unit|class|session) \d+\b"
        r"|\b(?:cs|mit|ee)[ -]?\d{2,4}\w?\b|\bpaper (?:reading|review|explained)\b|\bprof(?:essor|\.)"
        r"|\bthesis\b",
    ),
    "new tool": (
        Sign("an announcement or a demo by its title", "tool introduction", 1.5),
        r"\bintroducing\b|\bannounc(?:ing|ement)\b|\bdemo\b|\bwhat(?:['’]s| is| are)\b|\bnew in\b"
        r"|\breleased?\b"
        r"|\boverview\b|\b(?:product )?launch\b|\bwalkthrough\b|\bfeatures?\b|\bpresenting\b"
        r"|:\s*an? \w+ (?:tool|library"
        r"|framework|package)\b",
    ),
    "workshop": (
        Sign("“workshop” or “hands-on” in the title", "workshop", 2.0),
        r"\bworkshops?\b|\bhands[- ]on\b|\bbootcamp\b|\blabs?\b|\btraining day\b|\bcode ?lab\b|\bsprints?\b",
    ),
    "webinar": (Sign("“webinar” in the title", "tool introduction", 0.7), r"\bwebinars?\b"),
    "opinion": (
        Sign("“future of”, “panel” or “why …” in the title", "opinion", 1.2),
        r"\bfuture of\b|\bpanel\b|\bis dead\b|\bwill (?:replace|change|kill)\b|\bpredictions?\b"
        r"|\bhot takes?\b"
        r"|\bthoughts on\b|\bdebate\b|\bwhy (?:you|every|everyone|nobody)\b|\bmyths?\b|\bkeynote\b"
        r"|\bhype\b|\bstate of\b",
    ),
    "other": (
        Sign("an opening, a trailer, news or an interview by its title", "other", 1.5),
        r"\bopening (?:remarks|session)\b|\bclosing\b|\bwelcome\b|\btrailer\b|\bhighlights?\b|\bnews\b"
        r"|\binterview\b"
        r"|\blightning talks?\b|\bq ?& ?a\b|\bama\b|\bteaser\b|\blive ?stream\b|\baward",
    ),
}
"""Signs in a title: the patterns ignore case, except for names."""

DESCRIPTION: Mapping[str, tuple[Sign, str]] = {
    "told as experience": (
        Sign("the description promises lessons or a case", EXPERIENCE, 1.0),
        r"\blessons? (?:we |i |that we )?(?:have )?learn|\blearnings\b|\bcase stud(?:y|ies)\b"
        r"|\bour (?:journey|story)\b"
        r"|\b(?:our|my) experiences?\b|\bwar stor|\bpost-?mortem\b|\bwhat (?:worked|went wrong|we learned)\b"
        r"|\b(?:challenges|problems|issues|pitfalls) (?:that )?(?:we|i|our team) (?:\w+ )?(?:faced|met"
        r"|had|encountered|ran)",
    ),
    "what they did": (
        Sign("the description says what “we” built or ran", EXPERIENCE, 0.8),
        r"\bwe(?:['’]ve| have)? (?:built|developed|moved|migrated|deployed|scaled|switched|run|ran|use"
        r"|used|decided|chose|"
        r"replaced|rewrote|implemented|started|needed|faced|reduced|adopted)\b|\bat my (?:company|work"
        r"|job)\b",
    ),
    "their company": (
        Sign("the description speaks of their own team, company or customers", EXPERIENCE, 0.7),
        r"\bour (?:team|company|customers|users|platform|product|stack|infrastructure|data ?cent"
        r"|engineers|startup|systems?)"
        r"|\bin production\b",
    ),
    "teaches": (
        Sign("the description promises to teach", "tutorial", 1.0),
        r"\b(?:this|the|our|my) (?:\w+ )?tutorial\b|\byou(?:['’]ll| will) learn\b|\bstep[- ]by[- ]step\b"
        r"|\bfor beginners\b"
        r"|\b(?:attendees|students|participants|audience) will (?:learn|be able|leave|gain|get|understand"
        r"|have|know)"
        r"|\bno prior (?:knowledge|experience)\b|\bprerequisites?\b|\bin this video\b|\bsource code\b",
    ),
    "exercises": (
        Sign("the description asks to take part: exercises, laptop, installation", "workshop", 1.3),
        r"\bexercises?\b|\bhands[- ]on\b|\blaptops?\b|\bthis workshop\b|\b(?:please )?install (?:the"
        r"|anaconda|python)"
        r"|\bset-?up instructions\b|\bjupyter notebooks?\b|\bworkshop\b|\bclone the\b|\bcourse material",
    ),
    "of a university": (
        Sign("the description is of a course or a paper", "lecture", 0.8),
        r"\bprofessor\b|\blecturer?\b|\bsyllabus\b|\bphd (?:student|candidate)\b|\babstract:"
        r"|\bwe (?:propose|prove|show that)\b"
        r"|\bproceedings\b|\bstate[- ]of[- ]the[- ]art results\b",
    ),
    "sells": (
        Sign("the description advertises", "tool introduction", 0.7),
        r"\bsign up\b|\bfree trial\b|\bdiscount\b|\bpromo code\b|\bget started (?:for free|today)\b"
        r"|\bavailable now\b"
        r"|\bbook a demo\b|\bthis (?:talk|session) (?:introduces|presents|gives an overview)\b"
        r"|\bnew features\b",
    ),
}
"""Signs in a description."""

LENGTHS: Mapping[str, tuple[Sign, float, float]] = {
    "very short": (Sign("shorter than 5 minutes", "other", 0.8), 0, 300),
    "short": (Sign("5 to 15 minutes long", "tutorial", 0.3), 300, 900),
    "talk": (Sign("15 to 60 minutes long, as talks are", EXPERIENCE, 0.4), 900, 3600),
    "long": (Sign("more than 80 minutes long", "workshop", 1.5), 4800, float("inf")),
}
"""Signs in a duration: from, to (exclusive), in seconds."""

SIGNS: Mapping[str, Sign] = {
    **{name: sign for name, (sign, _) in (*TITLE.items(), *DESCRIPTION.items())},
    **{name: sign for name, (sign, _, _) in LENGTHS.items()},
}
"""All signs by name, in the order of `shown`'s columns."""

_TITLE = {name: re.compile(pattern, re.IGNORECASE) for name, (_, pattern) in TITLE.items()}
_DESCRIPTION = {name: re.compile(pattern, re.IGNORECASE) for name, (_, pattern) in DESCRIPTION.items()}


def shown(title: str, description: str, duration_s: float | None) -> list[bool]:
    """Return which of `SIGNS` a video shows, in their order.

    >>> [name for name, yes in zip(SIGNS, shown("How we run LLMs at Acme", "", 1800.0)) if yes]
    ['how we', 'at somebody', 'talk']
    """
    title, description = title[:_LONGEST_TITLE], spoken(description)
    return [
        *(pattern.search(title) is not None for pattern in _TITLE.values()),
        *(pattern.search(description) is not None for pattern in _DESCRIPTION.values()),
        *(duration_s is not None and low <= duration_s < high for _, low, high in LENGTHS.values()),
    ]


def spoken(description: str) -> str:
    """Return the beginning of a description in one line, without links."""
    return " ".join(_LINK.sub(" ", description[: 2 * LONGEST]).split())[:LONGEST]
