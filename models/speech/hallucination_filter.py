"""Filters hallucinated segments by decoding them again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from models.audio.samples import SAMPLE_RATE, Audio
from models.audio.voice_activity import VoiceActivity
from models.speech.decoding import Passage
from models.speech.hallucinations import Utterance, Verdict, judge
from models.transcripts.transcript import Dropped, Segment, Word

AROUND_S = 0.2
"""So much before and after what is suspicious is listened to with it, up to its neighbours."""

_DOUBTED = "what was written there first was not believed either"

Again = Callable[[Audio, float], list[Passage]]
"""Decodes a part of the recording with all safeguards; told the second at which the part begins."""


def filter_hallucinations(
    audio: Audio,
    passages: Sequence[Passage],
    again: Again,
    prompted: frozenset[str] = frozenset(),
    known: Sequence[str] = (),
) -> tuple[list[Segment], list[Dropped]]:
    """Decide what of the passages was said.

    What is suspicious is decoded a second time, by itself; what of that is suspicious still, is dropped.
    So is what was suspicious and is not heard at all the second time.

    Args:
        audio: the whole recording.
        passages: in spoken order.
        again: the second decoding.
        prompted: words that the recogniser was told to expect, as `models.speech.hallucinations.bare` writes
            them.
        known: signs against all of the recording.

    Returns:
        Segments and what was dropped, both in spoken order; a passage that is believed is one segment.
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
    """Return what holds of an utterance that nobody heard the second time; what was good is good still."""
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
    """Join what belongs to one passage again."""
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
