"""Ready transcripts of every kind become segments; any other file is refused with the reason."""

import contextlib
import gzip
import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BadInput
from models.transcripts.captions import Captions, parse
from tests.realdata import shared


def vtt(body: str, header: str = "WEBVTT") -> Captions:
    return parse(f"{header}\n\n{body}".encode(), "talk.vtt")


def said(captions: Captions) -> list[str]:
    return [segment.text for segment in captions.segments]


class TestWebVTT:
    def test_cues_become_segments(self) -> None:
        captions = vtt(
            "00:00.000 --> 00:02.500\nWe run agents\nin production.\n\n"
            "01:00:00.000 --> 01:00:04.000\nThanks.\n"
        )
        first, last = captions.segments
        assert (first.start, first.end, first.text) == (0.0, 2.5, "We run agents in production.")
        assert (last.start, last.end) == (3600.0, 3604.0)
        assert captions.duration_s == 3604.0
        assert captions.language is None
        assert captions.meta is None

    def test_the_header_names_the_language(self) -> None:
        header = "WEBVTT\nKind: captions\nLanguage: de"
        assert vtt("00:00.000 --> 00:02.000\nHallo zusammen", header).language == "de"

    def test_only_voice_tags_name_speakers(self) -> None:
        captions = vtt(
            "00:00.000 --> 00:02.000\n<v.loud Ann Lee>Welcome to the show.</v>\n\n"
            "00:02.000 --> 00:03.000\nBob: thank you\n\n"
            "00:03.000 --> 00:04.000\n&gt;&gt; Let us start\n"
        )
        assert [segment.speaker for segment in captions.segments] == ["Ann Lee", None, None]
        assert said(captions) == ["Welcome to the show.", "Bob: thank you", "Let us start"]

    def test_two_voices_in_one_cue_share_its_time_by_words(self) -> None:
        captions = vtt("00:00.000 --> 00:08.000\n<v Ann>How does it scale?</v> <v Bob>It does not.\nYet.\n")
        ann, bob = captions.segments
        assert (ann.speaker, ann.text, ann.start, ann.end) == ("Ann", "How does it scale?", 0.0, 4.0)
        assert (bob.speaker, bob.text, bob.start, bob.end) == ("Bob", "It does not. Yet.", 4.0, 8.0)

    def test_markup_and_entities_are_cleaned(self) -> None:
        captions = vtt(
            "00:00.000 --> 00:02.000 align:start\n"
            "<c.yellow>Q&amp;A</c> about <i>&lt;div&gt;</i> and a&nbsp;<b>b</b>\n"
        )
        assert said(captions) == ["Q&A about <div> and a b"]

    def test_notes_styles_and_cue_names_are_not_speech(self) -> None:
        captions = vtt(
            "STYLE\n::cue { color: red }\n\nNOTE made by hand\n\n"
            "intro\n00:00.000 --> 00:01.000\nHello all\n\n"
            "NOTE\ncheck this\n\nthe-end\n00:01.000 --> 00:02.000\nGoodbye all\n"
        )
        assert said(captions) == ["Hello all", "Goodbye all"]

    def test_a_number_that_was_said_stays(self) -> None:
        captions = vtt("00:00.000 --> 00:01.000\nthat was in\n2024\n\n00:01.000 --> 00:02.000\n42\n")
        assert said(captions) == ["that was in 2024", "42"]

    def test_rolling_captions_are_read_once(self) -> None:
        captions = vtt(
            "00:00:00.080 --> 00:00:02.000 align:start position:0%\n \nwelcome<00:00:00.400><c> to</c>"
            "<00:00:00.560><c> the</c>\n\n"
            "00:00:02.000 --> 00:00:02.010\nwelcome to the\n \n\n"
            "00:00:02.010 --> 00:00:05.000\nwelcome to the\nLLMOps<00:00:02.400><c> meetup</c>\n\n"
            "00:00:05.000 --> 00:00:05.010\nLLMOps meetup\n \n\n"
            "00:00:05.010 --> 00:00:08.000\nLLMOps meetup\nof the year\n",
            "WEBVTT\nKind: captions\nLanguage: en",
        )
        assert said(captions) == ["welcome to the", "LLMOps meetup", "of the year"]
        assert [segment.start for segment in captions.segments] == [0.08, 2.01, 5.01]

    def test_what_was_said_twice_stays_twice(self) -> None:
        lines = ["So thank you.", "Thank you.", "Thank you.", "And you too.", "See you soon.", "Bye."]
        cues = [f"00:{n:02}.000 --> 00:{n + 1:02}.000\n{line}\n" for n, line in enumerate(lines)]
        assert said(vtt("\n".join(cues))) == lines


class TestSubRip:
    SRT = (
        "1\n00:00:01,000 --> 00:00:02,500\n{\\an8}We run <i>agents</i>.\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nIn 42 places\n"
    )

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
    @pytest.mark.parametrize("line_end", ["\n", "\r\n"])
    def test_it_is_read_in_every_dress(self, encoding: str, line_end: str) -> None:
        captions = parse(self.SRT.replace("\n", line_end).encode(encoding), "talk.txt")
        assert said(captions) == ["We run agents.", "In 42 places"]
        assert [(segment.start, segment.end) for segment in captions.segments] == [(1.0, 2.5), (3.0, 4.0)]

    def test_the_content_decides_and_not_the_name(self) -> None:
        assert said(parse(self.SRT.encode(), "talk.vtt")) == ["We run agents.", "In 42 places"]

    def test_cues_out_of_order_are_put_in_order(self) -> None:
        first, second = self.SRT.split("\n\n")
        assert said(parse(f"{second}\n\n{first}\n".encode(), "talk.srt")) == [
            "We run agents.",
            "In 42 places",
        ]


class TestJson3:
    def test_automatic_captions_have_words_and_no_scrolling(self) -> None:
        events = [
            {"tStartMs": 0, "dDurationMs": 9000, "id": 1, "wpWinPosId": 1},
            {
                "tStartMs": 80,
                "dDurationMs": 4000,
                "segs": [{"utf8": "welcome"}, {"utf8": " all", "tOffsetMs": 400}],
            },
            {"tStartMs": 2000, "dDurationMs": 2000, "aAppend": 1, "segs": [{"utf8": "\n"}]},
            {"tStartMs": 2010, "dDurationMs": 3000, "segs": [{"utf8": "thanks"}]},
            {
                "tStartMs": 6000,
                "dDurationMs": 1000,
                "segs": [{"utf8": ">> "}, {"utf8": "bye", "tOffsetMs": 50}],
            },
        ]
        captions = parse(json.dumps({"wireMagic": "pb3", "events": events}).encode(), "talk.json3")
        assert said(captions) == ["welcome all", "thanks", "bye"]
        assert captions.duration_s == 9.0
        welcome, thanks, bye = captions.segments
        assert (welcome.start, welcome.end) == (0.08, 2.01)  # until the next line, not as long as it is shown
        assert [(word.text, word.start, word.end) for word in welcome.words] == [
            ("welcome", 0.08, 0.48),
            (" all", 0.48, 2.01),
        ]
        assert [word.text for word in thanks.words] == ["thanks"]
        assert bye.end == 7.0

    def test_captions_written_by_hand_have_no_words(self) -> None:
        events = [
            {
                "tStartMs": 210,
                "dDurationMs": 3830,
                "segs": [{"utf8": "Some good news\nand some bad &amp; ugly."}],
            }
        ]
        (segment,) = parse(json.dumps({"events": events}).encode(), "talk.json3").segments
        assert segment.text == "Some good news and some bad & ugly."
        assert (segment.start, segment.end, segment.words) == (0.21, 4.04, ())


def record(*segments: dict[str, object], **fields: object) -> Captions:
    return parse(json.dumps({"title": "A talk", "segments": segments, **fields}).encode(), "talk.json")


def starts(captions: Captions) -> list[float]:
    return [segment.start for segment in captions.segments]


class TestTalkRecords:
    def test_what_it_says_about_the_talk_is_kept(self) -> None:
        captions = record(
            {"speaker": "Ann", "text": " two\nwords ", "start": 1, "section": "Intro"},
            {"speaker": "", "text": "bye"},
            id="show:1",
            published_at="2026-01-02",
            speakers=["Ann"],
            language="en",
            duration_s=60,
        )
        assert captions.meta == {
            "title": "A talk",
            "id": "show:1",
            "published_at": "2026-01-02",
            "speakers": ["Ann"],
            "language": "en",
            "duration_s": 60,
        }
        assert (captions.language, captions.duration_s) == ("en", 60.0)
        assert [(segment.speaker, segment.text) for segment in captions.segments] == [
            ("Ann", "two words"),
            (None, "bye"),
        ]

    def test_code_that_was_spoken_about_is_not_markup(self) -> None:
        assert said(record({"text": "put it in a <i> tag &amp; go"})) == ["put it in a <i> tag &amp; go"]

    def test_a_missing_end_is_the_next_start(self) -> None:
        captions = record(
            {"text": "a", "start": 1, "end": 2}, {"text": "b", "start": 5}, {"text": "c", "start": 9}
        )
        assert [segment.end for segment in captions.segments] == [2.0, 9.0, 9.4]

    def test_a_missing_start_lies_between_its_neighbours_by_words(self) -> None:
        captions = record(
            {"text": "one two three", "start": 10}, {"text": "four"}, {"text": "five", "start": 18}
        )
        assert starts(captions) == [10.0, 16.0, 18.0]

    def test_an_estimate_serves_where_nothing_was_measured(self) -> None:
        assert starts(record({"text": "a", "start": 3, "start_est": 4}, {"text": "b", "start_est": 7})) == [
            3.0,
            7.0,
        ]

    def test_without_times_there_are_two_and_a_half_words_a_second(self) -> None:
        captions = record({"text": "one two three four five"}, {"text": "six"})
        assert starts(captions) == [0.0, 2.0]
        assert captions.duration_s == 2.4

    def test_the_length_of_the_talk_is_a_known_time_too(self) -> None:
        assert starts(record({"text": "one"}, {"text": "two"}, {"text": "three four"}, duration_s=8)) == [
            0.0,
            2.0,
            4.0,
        ]

    def test_a_start_that_runs_backwards_is_no_start(self) -> None:
        captions = record({"text": "a", "start": 10}, {"text": "b", "start": 4}, {"text": "c", "start": 20})
        assert starts(captions) == [10.0, 15.0, 20.0]

    @given(
        segments=st.lists(
            st.fixed_dictionaries(
                {"text": st.sampled_from(["", "word", "two words", "many more words than that"])},
                optional={
                    "start": st.floats(0, 1e5) | st.none(),
                    "start_est": st.floats(0, 1e5),
                    "end": st.floats(0, 1e5),
                },
            ),
            min_size=1,
        ),
        duration_s=st.none() | st.floats(0, 1e5),
    )
    def test_time_never_runs_backwards(
        self, segments: list[dict[str, object]], duration_s: float | None
    ) -> None:
        captions = record({"text": "start"}, *segments, duration_s=duration_s)
        assert all(before.start <= after.start for before, after in pairwise(captions.segments))
        assert len(captions.segments) == 1 + sum(bool(segment["text"]) for segment in segments)


class TestWhatIsNoTranscript:
    @pytest.mark.parametrize(
        ("content", "cause"),
        [
            (b"", "is empty"),
            (b" \r\n ", "is empty"),
            (b"\xef\xbb\xbf", "is empty"),
            (b"<!DOCTYPE html><html><body>Sign in --> now</body></html>", "is a web page"),
            (b"  <html lang='en'>", "is a web page"),
            (b"\x00\x00\x00\x20ftypM4A ", "is a binary file"),
            (b"\xff\xfb\x90\x44\x00", "is not text in UTF-8"),
            (b"Just some notes about a talk.", "is not a transcript"),
            (b'["a", "b"]', "is not a transcript"),
            (b'{"title": "A talk"}', "is JSON without segments"),
            (b'{"segments": []}', r"is not a transcript \(segments: "),
            (b'{"segments": "none"}', r"is not a transcript \(segments: "),
            (b'{"segments": [{"start": 3}]}', r"is not a transcript \(segments.0.text: "),
            (b'{"segments": [{"text": "a", "start": -3}]}', r"is not a transcript \(segments.0.start: "),
            (b'{"segments": [{"text": "a", "start": NaN}]}', r"is not a transcript \(segments.0.start: "),
            (b'{"segments": [{"text": "a", "start": "soon"}]}', r"is not a transcript \(segments.0.start: "),
            (b'{"events": 3}', r"is not a transcript \(events: "),
            (b'{"events": [{"tStartMs": 1e400, "segs": [{"utf8": "a"}]}]}', "is not a transcript"),
            (b'{"segments": [{"text": "half', "is broken JSON"),
            (b'{"a":' * 100_000, "is broken JSON"),
            (b"WEBVTT\n", "has no words"),
            (
                b"WEBVTT\n\n00:00.000 --> 00:10.000\n[Music]\n\n00:10.000 --> 00:12.000\n(applause)\n",
                "has no words",
            ),
            (b'{"events": []}', "has no words"),
            (b'{"segments": [{"text": "  "}, {"text": "..."}]}', "has no words"),
        ],
    )
    def test_it_says_what_it_is_instead_and_what_to_do(self, content: bytes, cause: str) -> None:
        with pytest.raises(BadInput, match=f"^talk.file {cause}") as refusal:
            parse(content, "talk.file")
        assert refusal.value.cure

    @given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
    def test_any_bytes_are_a_transcript_or_bad_input(self, content: bytes) -> None:
        for start in (b"", b"WEBVTT\n\n00:00.000 --> 00:01.000\n", b'{"segments": ['):
            with contextlib.suppress(BadInput):
                assert parse(start + content, "x").segments


class TestRealTranscripts:
    """Captions and transcripts recorded from the web; see `tests/realdata.py`."""

    @staticmethod
    def read(name: str) -> Captions:
        path: Path = shared(f"fixtures/youtube/captions/{name}")
        content = path.read_bytes()
        return parse(gzip.decompress(content) if path.suffix == ".gz" else content, path.name)

    @pytest.mark.parametrize(
        ("name", "segments", "words", "duration_s"),
        [
            ("auto_asr_50min.json3.gz", 1053, 7578, 2974.8),
            ("manual_8min.json3", 151, 0, 620.66),
            ("pinchflat_subtitle.srt", 9, 0, 40.0),
            ("talkpython_438_podcast.vtt.gz", 979, 0, 3894.9),
            ("talkpython_438_youtube.vtt.gz", 1346, 0, 4168.3),
        ],
    )
    def test_captions(self, name: str, segments: int, words: int, duration_s: float) -> None:
        captions = self.read(name)
        assert len(captions.segments) == segments
        assert sum(len(segment.words) for segment in captions.segments) == words
        assert captions.duration_s == pytest.approx(duration_s)
        assert all(before.end <= after.start for before, after in pairwise(captions.segments))
        for segment in captions.segments:
            assert not segment.words or segment.text == "".join(word.text for word in segment.words)
            assert not {"<c", "&gt;", ">>", "\n"} & set(segment.text.split())

    @pytest.mark.parametrize(
        "name",
        [
            "yta__youtube_consent_page.html",
            "yta__youtube_too_many_requests.html",
            "yta__youtube_request_blocked.innertube.json",
            "yta__youtube_transcripts_disabled.innertube.json.gz",
        ],
    )
    def test_what_youtube_sends_instead(self, name: str) -> None:
        with pytest.raises(BadInput):
            self.read(name)

    def test_talk_records(self) -> None:
        files = sorted(shared("talks").glob("*.jsonl.gz"))
        assert files
        for file in files:
            with gzip.open(file) as lines:
                captions = parse(next(lines), file.name)
            assert captions.meta is not None
            assert captions.meta["published_at"]
            assert starts(captions) == sorted(starts(captions))


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b'<transcript><text start="0" dur="1">hello', "is broken XML"),
        (b'<transcript><text dur="1">hello</text></transcript>', "is broken XML"),
        (b'<transcript><text start="nan" dur="1">hello</text></transcript>', "is not a transcript"),
        (b'<transcript><text start="-3" dur="1">hello</text></transcript>', "is not a transcript"),
        (
            b'<?xml?><!DOCTYPE t [<!ENTITY a "b">]><transcript>&a;</transcript>',
            "is not a transcript",
        ),
        (b'<transcript><text start="0" dur="1"></text></transcript>', "has no words"),
    ],
)
def test_xml_that_cannot_be_meant_is_refused(content: bytes, cause: str) -> None:
    with pytest.raises(BadInput, match=f"^talk.xml {cause}"):
        parse(content, "talk.xml")


def test_lines_of_xml_come_in_the_order_of_time() -> None:
    lines = '<text start="5" dur="2">later</text><text start="1">first &amp;amp; foremost</text>'
    found = parse(f'<?xml version="1.0"?><transcript>{lines}</transcript>'.encode(), "talk.xml")
    assert [(each.start, each.end, each.text) for each in found.segments] == [
        (1.0, 1.0, "first & foremost"),
        (5.0, 7.0, "later"),
    ]
