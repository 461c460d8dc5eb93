"""Words at the edges of turns, and words that are nobody's: through to paragraphs and subtitles.

The plain cases are in test_speakers.py.
"""

import json

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from models.speakers.attribution import assign, attribute, smooth
from models.transcripts.splitting import Splitter
from models.transcripts.subtitles import cues, plain_text, subrip, webvtt
from models.transcripts.transcript import Segment, Transcript, Turn, Word

ANN, BOB = Turn(start=0, end=2, speaker="ann"), Turn(start=2, end=4, speaker="bob")


def word(start: float, end: float, text: str = " word", speaker: str | None = None) -> Word:
    return Word(start=start, end=end, text=text, speaker=speaker)


def who(words: tuple[Word, ...]) -> list[str | None]:
    return [each.speaker for each in words]


def segment(*words: Word) -> Segment:
    text = "".join(each.text for each in words).strip()
    return Segment(start=words[0].start, end=words[-1].end, text=text, words=words)


def talk(*segments: Segment) -> Transcript:
    return Transcript(
        language="en", language_probability=0.9, duration_s=60, segments=segments, made_by={"test": "1"}
    )


@pytest.fixture(scope="module")
def splitter(tmp_path_factory: pytest.TempPathFactory) -> Splitter:
    """Real cutting, with a tokenizer to which a word is a token."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    path = tmp_path_factory.mktemp("model") / "tokenizer.json"
    tokenizer.save(str(path))
    return Splitter(path, 40)


def test_a_word_outlasting_a_short_turn_is_not_that_turns() -> None:
    turns = [Turn(start=0, end=1, speaker="ann"), Turn(start=1, end=1.2, speaker="bob"), ANN]
    assert who(assign([word(0.7, 1.6)], turns)) == ["ann"]


def test_a_word_from_silence_into_a_turn_is_that_turns() -> None:
    turns = [Turn(start=0, end=1, speaker="ann"), Turn(start=3, end=5, speaker="bob")]
    assert who(assign([word(1.4, 3.01)], turns)) == ["bob"]


def test_a_word_of_zero_length_goes_to_the_nearer_neighbour() -> None:
    turns = [Turn(start=0, end=1, speaker="ann"), Turn(start=1.8, end=3, speaker="bob")]
    assert who(assign([word(1.3, 1.3), word(1.5, 1.5)], turns)) == ["ann", "bob"]
    alone = [Turn(start=0, end=1, speaker="ann"), Turn(start=2.2, end=3, speaker="bob")]
    assert who(assign([word(1.6, 1.6)], alone)) == [None]


def test_a_zero_length_word_in_an_overlap_is_the_firsts() -> None:
    turns = [Turn(start=0, end=3, speaker="zoe"), Turn(start=1, end=4, speaker="ann")]
    assert who(assign([word(2, 2)], turns)) == ["zoe"]
    assert who(assign([word(2, 2)], turns[::-1])) == ["zoe"]


def test_a_turn_of_zero_length_takes_no_word_from_whoever_speaks() -> None:
    cough = Turn(start=1, end=1, speaker="bob")
    assert who(assign([word(0.8, 1.2), word(1, 1)], [cough, ANN])) == ["ann", "ann"]


def test_words_far_outside_all_turns_are_nobodys() -> None:
    turns = [Turn(start=10, end=12, speaker="ann")]
    words = [word(9, 9.4), word(9.2, 9.6), word(12.3, 12.6), word(12.6, 13)]
    assert who(assign(words, turns)) == [None, "ann", "ann", None]


def test_of_two_with_as_many_words_in_a_sentence_none_loses_one() -> None:
    words = (word(0, 0.3, " we", "ann"), word(0.3, 0.6, " agree.", "bob"))
    assert smooth(words) == words


def test_a_sentence_heard_from_nobody_has_no_speaker() -> None:
    heard = segment(word(0.2, 0.6, " Yes."), word(8, 8.4, " Who"), word(8.4, 8.9, " knows?"))
    cut = attribute([heard], [ANN, BOB])
    assert [(each.speaker, each.text) for each in cut] == [("ann", "Yes."), (None, "Who knows?")]
    assert [word.speaker for word in cut[1].words] == [None, None]


def test_without_turns_the_words_stay_one_segment() -> None:
    heard = segment(word(0, 1, " Is"), word(1, 2, " anybody"), word(2, 3, " there?"))
    assert attribute([heard], []) == (heard,)


def test_nobody_is_no_name() -> None:
    """A word without speaker is null in the artefact, and comes back as nobody."""
    unknown = talk(*attribute([segment(word(8, 9, " Hm."))], [ANN]))
    stored = json.loads(unknown.model_dump_json())
    assert stored["segments"][0]["speaker"] is None
    assert stored["segments"][0]["words"][0]["speaker"] is None
    assert Transcript.model_validate_json(unknown.model_dump_json()) == unknown


def test_nobody_is_not_in_subtitles_and_ends_the_turn_before() -> None:
    heard = attribute(
        [segment(word(0, 0.5, " Fine."), word(8, 8.5, " None"), word(8.5, 9, " of it."))], [ANN, BOB]
    )
    shown = talk(*heard)
    assert [cue.speaker for cue in cues(shown)] == ["ann", None]
    assert webvtt(shown).count("<v ") == 1
    assert subrip(shown).splitlines().count("ann: Fine.") == 1
    assert plain_text(shown) == "ann: Fine.\n\nNone of it.\n"


def test_a_paragraph_names_who_speaks_in_it_and_nobody_else(splitter: Splitter) -> None:
    heard = attribute(
        [segment(word(0, 0.5, " Fine."), word(8, 8.5, " Who"), word(8.5, 9, " knows?"))], [ANN, BOB]
    )
    (paragraph,) = splitter.split(talk(*heard))
    assert (paragraph.text, paragraph.speakers) == ("Fine. Who knows?", ("ann",))
    (nobodys,) = splitter.split(talk(*attribute([segment(word(8, 9, " Hm, well."))], [])))
    assert (nobodys.text, nobodys.speakers) == ("Hm, well.", ())
