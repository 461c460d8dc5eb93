"""Attribution of words to speakers, from words and turns.

Each *word* is attributed, not each segment: a recogniser's segments run across changes of speaker, and giving
a whole segment to its main speaker mislabels about one word in eight.
"""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby

from models.transcripts.transcript import Segment, Turn, Word

WITHIN_REACH_S = 0.5
"""Longest distance in seconds from a word that no turn covers to the nearest turn, which gets the word."""

SENTENCE_PAUSE_S = 1.0
"""A silence longer than this ends a sentence, whatever the punctuation."""

ISLAND_WORDS = 3
ISLAND_S = 1.2
"""Longest run of words, in words and seconds, that may be an error at the edge of a turn."""

_SHORTEST_S = 1e-3
_SENTENCE_END = re.compile(r"[.?!…。？！][\"'”’)\]]*$")


def assign(
    words: Sequence[Word], turns: Iterable[Turn], within_reach_s: float = WITHIN_REACH_S
) -> tuple[Word, ...]:
    """Attribute every word to the speaker with the largest overlap.

    Args:
        words: in any order; a word of zero length counts as one millisecond long.
        turns: in any order; they may overlap.
        within_reach_s: longest distance, in seconds, between a word that no turn covers and its turn.

    Returns:
        The words in the given order, with `speaker` set; None if no turn is within reach. If two speakers
        overlap equally, the turn that began first wins, so the result is deterministic.

    >>> hello = Word(start=1.8, end=2.4, text=" hello")
    >>> turns = [Turn(start=0, end=2, speaker="ann"), Turn(start=2, end=5, speaker="bob")]
    >>> assign([hello], turns)[0].speaker
    'bob'
    """
    by_start = sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))
    latest_end = list(accumulate((turn.end for turn in by_start), max))

    def speaker_of(word: Word) -> str | None:
        start, end = word.start, max(word.end, word.start + _SHORTEST_S)
        overlap: defaultdict[str, float] = defaultdict(float)
        nearest: tuple[float, str] | None = None
        # latest_end is monotonic, so every turn that could reach the word is at this index or later.
        for i in range(bisect_left(latest_end, start - within_reach_s), len(by_start)):
            turn = by_start[i]
            if turn.start > end + within_reach_s:
                break
            shared = min(end, turn.end) - max(start, turn.start)
            if shared > 0:
                overlap[turn.speaker] += shared
            elif -shared <= within_reach_s and (nearest is None or -shared < nearest[0]):
                nearest = (-shared, turn.speaker)
        if overlap:
            return max(overlap, key=lambda speaker: overlap[speaker])
        return nearest[1] if nearest else None

    return tuple(word.model_copy(update={"speaker": speaker_of(word)}) for word in words)


def smooth(
    words: Sequence[Word], island_words: int = ISLAND_WORDS, island_s: float = ISLAND_S
) -> tuple[Word, ...]:
    """Reattribute islands within a sentence to the sentence's main speaker.

    Diarization misplaces the edge of a turn by some tenths of a second, which gives the first or last words
    of a sentence to the neighbour. An island is a run of at most `island_words` words and `island_s` seconds,
    in a sentence whose main speaker said at least twice as many words. Words without a speaker go to the main
    speaker. An answer of one word ("Exactly.") is a sentence of its own and stays.

    Args:
        words: in spoken order, with speakers from `assign`.
        island_words: maximum words of an island.
        island_s: maximum duration of an island, in seconds.

    Returns:
        The same words, some with another speaker.
    """
    smoothed: list[Word] = []
    for sentence in _sentences(words):
        spoken = Counter(word.speaker for word in sentence if word.speaker is not None)
        if not spoken:
            smoothed.extend(sentence)
            continue
        main, said = spoken.most_common(1)[0]
        for speaker, run in _runs(sentence):
            is_island = (
                len(run) <= island_words and run[-1].end - run[0].start <= island_s and said >= 2 * len(run)
            )
            relabel = speaker is None or is_island
            smoothed.extend(_spoken_by(main, run) if relabel else run)
    return tuple(smoothed)


def attribute(segments: Sequence[Segment], turns: Iterable[Turn]) -> tuple[Segment, ...]:
    """Attribute segments to speakers; a segment is split where the speaker changes.

    Args:
        segments: in spoken order, as the recogniser cut them.
        turns: speech turns of the speakers, in any order.

    Returns:
        Segments of one speaker each, in the same order. No word is added, lost or moved. A segment whose
        words have no times stays whole and goes to the speaker with the largest overlap.
    """
    turns = list(turns)
    words = iter(smooth(assign([word for segment in segments for word in segment.words], turns)))
    attributed: list[Segment] = []
    for segment in segments:
        if not segment.words:
            whole = Word(start=segment.start, end=segment.end, text=segment.text)
            speaker = assign([whole], turns)[0].speaker
            attributed.append(segment.model_copy(update={"speaker": speaker}))
            continue
        spoken = [next(words) for _ in segment.words]
        attributed.extend(_segment(run, speaker) for speaker, run in _runs(spoken))
    return tuple(attributed)


def _segment(words: Sequence[Word], speaker: str | None) -> Segment:
    return Segment(
        start=min(word.start for word in words),
        end=max(word.end for word in words),
        text="".join(word.text for word in words).strip(),
        speaker=speaker,
        words=tuple(words),
    )


def _spoken_by(speaker: str | None, words: Iterable[Word]) -> list[Word]:
    return [word.model_copy(update={"speaker": speaker}) for word in words]


def _runs(words: Iterable[Word]) -> Iterator[tuple[str | None, list[Word]]]:
    for speaker, run in groupby(words, key=lambda word: word.speaker):
        yield speaker, list(run)


def _sentences(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    begin = 0
    for i, word in enumerate(words):
        last = i == len(words) - 1
        if (
            last
            or _SENTENCE_END.search(word.text.strip())
            or words[i + 1].start - word.end > SENTENCE_PAUSE_S
        ):
            yield words[begin : i + 1]
            begin = i + 1
