"""Filter of hallucinated segments: suspicious passages are decoded again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from models.audio.samples import SAMPLE_RATE, Audio
from models.audio.voice_activity import VoiceActivity
from models.speech.decoding import Passage
from models.speech.hallucinations import Utterance, Verdict, judge
from models.transcripts.transcript import Dropped, Segment, Word

AROUND_S = 0.2
"""Context in seconds before and after a suspicious part in the second decoding, up to its neighbours."""

_DOUBTED = "the first decoding of it was rejected too"

Again = Callable[[Audio, float], list[Passage]]
"""Decodes a part of the recording with all safeguards; its second argument is the part's start in seconds."""


def filter_hallucinations(
    audio: Audio,
    passages: Sequence[Passage],
    again: Again,
    prompted: frozenset[str] = frozenset(),
    known: Sequence[str] = (),
) -> tuple[list[Segment], list[Dropped]]:
    """Decide which words of the passages were really said.

    Suspicious parts are decoded a second time, separately; parts of that result that are still suspicious are
    dropped. If the second decoding has no words, the first verdict applies, and passages that had failed are
    dropped.

    Args:
        audio: the whole recording.
        passages: in spoken order.
        again: the second decoding.
        prompted: words in the recogniser's hints, as `models.speech.hallucinations.bare` normalises them.
        known: signs against the whole recording.

    Returns:
        Segments and dropped parts, both in spoken order; a passage that is accepted is one segment.
    """
    activity = VoiceActivity(audio) if passages else None
    segments: list[Segment] = []
    dropped: list[Dropped] = []
    if activity is None:
        return segments, dropped
    utterances = _utterances(passages, activity)
    first = judge(utterances, prompted, known)
    judged = list(zip(utterances, first, strict=True))
    looped = {utterance.passage for utterance, verdict in judged if verdict.loops}
    suspicious = [
        bool(verdict.reason) or utterance.passage in looped or passages[utterance.passage].failed
        for utterance, verdict in judged
    ]
    lasts_s = len(audio) / SAMPLE_RATE
    for doubtful, numbers in groupby(range(len(utterances)), lambda number: suspicious[number]):
        group = list(numbers)
        heard = [utterances[number] for number in group]
        if not doubtful:
            segments += _segments(heard)
            continue
        before = utterances[group[0] - 1].end if group[0] else 0.0
        after = utterances[group[-1] + 1].start if group[-1] + 1 < len(utterances) else lasts_s
        begin = max(min(before, heard[0].start), heard[0].start - AROUND_S, 0.0)
        end = min(max(after, heard[-1].end), max(utterance.end for utterance in heard) + AROUND_S)
        part = audio[int(begin * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
        found = _utterances(again(part, begin) if part.size else [], activity)
        if found:
            doubted = all(first[number].reason for number in group)
            kept, lost = _sifted(found, judge(found, prompted, (*known, *[_DOUBTED] * doubted)))
        else:
            failed = [passages[utterance.passage].failed for utterance in heard]
            kept, lost = _sifted(
                heard, [_unheard(first[n], fails) for n, fails in zip(group, failed, strict=True)]
            )
        segments += _segments(kept)
        dropped += lost
    return segments, dropped


def _unheard(verdict: Verdict, failed: bool) -> Verdict:
    """Return the verdict on an utterance without a second decoding; one that had not failed is unchanged."""
    return Verdict(verdict.reason or "nothing was heard there the second time") if failed else verdict


def _utterances(passages: Sequence[Passage], activity: VoiceActivity) -> list[Utterance]:
    return [
        utterance for number, each in enumerate(passages) for utterance in each.utterances(activity, number)
    ]


def _sifted(
    utterances: Sequence[Utterance], verdicts: Sequence[Verdict]
) -> tuple[list[Utterance], list[Dropped]]:
    kept: list[Utterance] = []
    dropped: list[Dropped] = []
    for utterance, verdict in zip(utterances, verdicts, strict=True):
        if verdict.reason:
            dropped.append(_dropped(utterance, verdict.reason))
            continue
        at = 0
        for begin, end, reason in (*verdict.loops, (len(utterance.words), len(utterance.words), "")):
            if utterance.words[at:begin]:
                kept.append(_part(utterance, utterance.words[at:begin]))
            if utterance.words[begin:end]:
                dropped.append(_dropped(_part(utterance, utterance.words[begin:end]), reason))
            at = end
        if not utterance.words:
            kept.append(utterance)
    return kept, dropped


def _part(utterance: Utterance, words: Sequence[Word]) -> Utterance:
    return Utterance(
        text="".join(word.text for word in words),
        start=min(word.start for word in words),
        end=max(word.end for word in words),
        words=tuple(words),
        log_probability=utterance.log_probability,
        no_speech=utterance.no_speech,
        passage=utterance.passage,
    )


def _segments(utterances: Sequence[Utterance]) -> Iterator[Segment]:
    """Yield segments, joining the utterances of each passage."""
    for _, each in groupby(utterances, lambda utterance: utterance.passage):
        joined = list(each)
        yield Segment(
            start=min(utterance.start for utterance in joined),
            end=max(utterance.end for utterance in joined),
            text="".join(utterance.text for utterance in joined).strip(),
            words=tuple(word for utterance in joined for word in utterance.words),
        )


def _dropped(utterance: Utterance, reason: str) -> Dropped:
    return Dropped(start=utterance.start, end=utterance.end, text=utterance.text.strip(), reason=reason)
