"""Hostile talks, captions, collections and feeds, damaged in every way that is known to hurt.

Each comes from a `random.Random` alone, so a number names it: the same number makes the same bytes.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

TOKENS: tuple[str, ...] = (
    *(
        "\0",
        "\ud800",
        "\\ud83d",
        "\u202e",
        "\ufeff",
        "\u2028",
        "\r",
        "\x1b[2J",
        "é",
        "👩‍👩‍👧",
        "\N{HANGUL FILLER}",
    ),
    *(
        "<",
        ">",
        "<a ",
        "<v ",
        "<v Ann>",
        "</v>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "<?",
        "<script>",
        "<p title='",
    ),
    *(
        "&",
        "&amp;",
        "&#x110000;",
        "&#xD800;",
        "&#" + "9" * 5000 + ";",
        "&lol;",
        '<!DOCTYPE x [<!ENTITY a "b">]>',
    ),
    *("{", "}", "[", "]", '"', "\\", ",", ":", "{\\", "null", "NaN", "Infinity", "1e999", "-1", "9" * 5000),
    *(
        "00:00:00,000 --> 00:00:01,000",
        "99:99:99.999",
        "00:00.000 --> ",
        "WEBVTT",
        "Language: xx",
        "::",
        " " * 999,
    ),
    *(
        "9999-12-31T23:59:59-10:00",
        "0001-01-01",
        "2025-02-30",
        "Mon, 99 Foo 99999 99:99:99 +9999",
        "\n\n",
        "\t",
    ),
    *(
        "http://[",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://a:b@c/",
        "../../etc/passwd",
        "'; DROP TABLE",
    ),
)
VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        [],
        {},
        [[]],
        "",
        0,
        -1,
        1e308,
        10**400,
        float("inf"),
        float("nan"),
        "x" * 100_000,
        ["a"] * 10_000,
    ),
    *(
        "\ud800",
        "9999-12-31",
        "0001-01-01",
        "2025-01-01T00:00:00+99:99",
        "\0",
        "http://[",
        {"a": {"b": {}}},
        "en-US",
    ),
)
NAMES = ("x" * 230, os.fsdecode(b"\xff\xfe"), "\n\x1b[2J")
MORE = 200
"""How often a piece is repeated at most; now and then a thousand times as often."""


def talk(random: Random) -> dict[str, Any]:
    segments = [
        {
            "text": f"We chunk by heading {n}.",
            "speaker": random.choice(["Ann", "Bob", None]),
            "start": n * 2.0,
        }
        for n in range(random.randint(1, 6))
    ]
    return {
        "id": f"talk-{random.getrandbits(32):08x}",
        "title": "RAG in production",
        "description": "How we chunk.",
        "channel": "Meetup",
        "url": "https://example.org/talk",
        "published_at": "2025-03-14T09:30:00Z",
        "duration_s": 60,
        "language": "en",
        "speakers": ["Ann", "Bob"],
        "segments": segments,
    }


def json_talk(random: Random) -> bytes:
    about = talk(random)
    for _ in range(random.choice([0, 0, 1, 1, 2])):
        _bend(about, random)
    return json.dumps(about, ensure_ascii=random.random() < 0.8).encode("utf-8", "surrogatepass")


def _bend(value: Any, random: Random) -> None:
    """Replace something in a JSON value."""
    while isinstance(value, dict | list) and value:
        key = random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
        if not isinstance(value[key], dict | list) or not value[key] or random.random() < 0.3:
            value[key] = deepcopy(random.choice(VALUES))  # it may be bent itself
            return
        value = value[key]


def json3(random: Random) -> bytes:
    events = [
        {
            "tStartMs": n * 1000,
            "dDurationMs": 1500,
            "segs": [{"utf8": "We "}, {"utf8": "chunk", "tOffsetMs": 90}],
        }
        for n in range(random.randint(1, 5))
    ]
    about: dict[str, Any] = {"events": events}
    if random.random() < 0.5:
        _bend(about, random)
    return json.dumps(about).encode()


def vtt(random: Random) -> bytes:
    cues = "".join(
        f"00:00:0{n}.000 --> 00:00:0{n + 1}.500\n<v Ann>We <c>chunk</c> by <00:00:0{n}.500>heading {n}.\n\n"
        for n in range(random.randint(1, 5))
    )
    return f"WEBVTT\nLanguage: en\n\n{cues}".encode()


def srt(random: Random) -> bytes:
    return "".join(
        f"{n}\n00:00:0{n},000 --> 00:00:0{n + 1},500\nWe <i>chunk</i> by heading {n}.\n\n"
        for n in range(1, random.randint(2, 6))
    ).encode()


def xml(random: Random) -> bytes:
    lines = "".join(
        f'<text start="{n}.5" dur="2">We chunk &amp;amp; embed {n}</text>'
        for n in range(random.randint(1, 5))
    )
    return f'<?xml version="1.0" encoding="utf-8" ?><transcript>{lines}</transcript>'.encode()


def jsonl(random: Random) -> bytes:
    return b"\n".join(json_talk(random).replace(b"\n", b" ") for _ in range(random.randint(1, 5)))


def jsonl_gz(random: Random) -> bytes:
    return gzip.compress(bent(jsonl(random), random), 1, mtime=0)


def rss(random: Random) -> bytes:
    items = "".join(
        f"""<item><title>RAG {n}</title><guid>{n}</guid><pubDate>Mon, 02 Mar 2026 10:00:00 GMT</pubDate>
<description>&lt;p&gt;We &lt;b&gt;chunk&lt;/b&gt;.&lt;/p&gt;</description>
<itunes:duration>1:02:03</itunes:duration>
<content:encoded><![CDATA[<p>We <a href="/x">chunk</a></p>]]></content:encoded>
<enclosure url="https://cdn.example.org/{n}.mp3" type="audio/mpeg" length="1"/></item>"""
        for n in range(random.randint(1, 4))
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
 xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>MLOps</title><language>en-US</language>{items}</channel></rss>""".encode()


def atom(random: Random) -> bytes:
    entries = "".join(
        f"""<entry><id>yt:video:abcdefghij{n}</id><yt:videoId>abcdefghij{n}</yt:videoId><title>RAG {n}</title>
<yt:channelId>UC0123456789abcdefghijkl</yt:channelId>
<link rel="alternate" href="https://www.youtube.com/watch?v=x"/>
<author><name>A</name><uri>https://www.youtube.com/channel/UC0123456789abcdefghijkl</uri></author>
<published>2026-01-22T15:01:42+00:00</published>
<media:group><media:description>x</media:description></media:group>
</entry>"""
        for n in range(random.randint(1, 4))
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?><feed xmlns:yt="http://www.youtube.com/xml/schemas/2015"
 xmlns:media="http://search.yahoo.com/mrss/" xmlns="http://www.w3.org/2005/Atom">{entries}</feed>""".encode()


FILES: dict[str, Callable[[Random], bytes]] = {
    ".json": json_talk,
    ".json3": json3,
    ".vtt": vtt,
    ".srt": srt,
    ".xml": xml,
    ".jsonl": jsonl,
    ".jsonl.gz": jsonl_gz,
}
FEEDS = (rss, atom)


def bent(content: bytes, random: Random) -> bytes:
    """Return the bytes with a few random changes, or unchanged."""
    for _ in range(random.choice([0, 1, 1, 2, 4])):
        content = random.choice(WAYS)(content, random)
    return content


def _place(content: bytes, random: Random) -> tuple[int, int]:
    begin, end = sorted(random.randint(0, len(content)) for _ in range(2))
    return begin, min(end, begin + 400)


def _cut(content: bytes, random: Random) -> bytes:
    return content[: random.randint(0, len(content))]


def _left_out(content: bytes, random: Random) -> bytes:
    begin, end = _place(content, random)
    return content[:begin] + content[end:]


def _repeated(content: bytes, random: Random) -> bytes:
    begin, end = _place(content, random)
    times = random.randint(2, MORE) * (100 if random.random() < 0.02 else 1)
    return content[:end] + content[begin:end] * min(times, 1 + 2_000_000 // (end - begin + 1)) + content[end:]


def _inserted(content: bytes, random: Random) -> bytes:
    at, token = random.randint(0, len(content)), random.choice(TOKENS).encode("utf-8", "surrogatepass")
    often = random.choice([1, 1, 1, MORE]) * (100 if random.random() < 0.02 else 1)
    return content[:at] + token * min(often, 1 + 200_000 // len(token)) + content[at:]


def _noisy(content: bytes, random: Random) -> bytes:
    begin, end = _place(content, random)
    return content[:begin] + random.randbytes(end - begin) + content[end:]


def _noise(_: bytes, random: Random) -> bytes:
    return random.randbytes(random.randint(0, 3000))


def _recoded(content: bytes, random: Random) -> bytes:
    text = content.decode(errors="replace")
    return text.encode(random.choice(["utf-16", "utf-16-le", "utf-8-sig", "utf-32", "cp037"]), "replace")


def _deep(content: bytes, random: Random) -> bytes:
    opening = random.choice([b"[", b'{"a":', b"<a>", b'<text start="1">', b"<item>", b"<!--", b"("])
    at = random.randint(0, len(content))
    return content[:at] + opening * random.choice([10, 100, 2000, 20_000]) + content[at:]


WAYS: tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_cut, _left_out, _repeated, _inserted, _inserted, _inserted, _noisy, _noise, _recoded, _deep),
)


def put_file(folder: Path, number: int, random: Random) -> None:
    """Put a file into a folder: mostly a damaged one, at times one that cannot be read at all."""
    suffix = random.choice(list(FILES))
    path = folder / f"{number:05}{suffix}"
    match random.randint(0, 99):
        case 0:
            path.mkdir()
        case 1:
            os.mkfifo(path)
        case 2:
            path.symlink_to(random.choice(["/dev/zero", "nowhere", path.name, "/"]))
        case 3:
            path = folder / f"{number:05}{random.choice(NAMES)}{suffix}"
            path.write_bytes(FILES[suffix](random))
        case 4:
            with path.open("wb") as file:
                file.truncate(random.choice([1, 70_000, 5_000_000_000]))
        case _:
            path.write_bytes(bent(FILES[suffix](random), random))
    if suffix != ".json" and random.random() < 0.7:
        describing = random.choice(
            [b'{"published_at": "2025-03-14"}'] * 4 + [bent(json_talk(random), random)]
        )
        (folder / path.stem).with_suffix(".json").write_bytes(describing)
