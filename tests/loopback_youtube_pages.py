"""YouTube's pages and player answers in the shapes that yt-dlp reads; all content is made up."""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import av
import numpy as np

REFUSALS: dict[str, tuple[str, str, str]] = {
    "private": ("LOGIN_REQUIRED", "Private video", "Sign in if you've been granted access to this video"),
    "removed": ("ERROR", "Video unavailable", "This video has been removed by the uploader"),
    "terminated": (
        "ERROR",
        "Video unavailable",
        "This video is no longer available because the YouTube account associated with this video "
        "has been terminated.",
    ),
    "unavailable": ("ERROR", "This video is unavailable", ""),
    "members": ("UNPLAYABLE", "Join this channel to get access to members-only content like this video.", ""),
    "age": ("LOGIN_REQUIRED", "Sign in to confirm your age", "It may be inappropriate for some users."),
    "geo": (
        "UNPLAYABLE",
        "Video unavailable",
        "The uploader has not made this video available in your country",
    ),
    "premiere": ("LIVE_STREAM_OFFLINE", "Premieres in 3 hours", ""),
    "bot check": (
        "LOGIN_REQUIRED",
        "Sign in to confirm you’re not a bot",
        "This helps protect our community.",
    ),
    "rate limit": ("UNPLAYABLE", "This content isn't available, try again later.", ""),
}
"""How the player refuses a video: status, reason, subreason."""

_YTCFG = {
    "INNERTUBE_API_KEY": "k",
    "INNERTUBE_CONTEXT": {
        "client": {"clientName": "WEB", "clientVersion": "2.20261101.00.00", "hl": "en", "visitorData": "v"}
    },
    "INNERTUBE_CONTEXT_CLIENT_NAME": 1,
    "PLAYER_JS_URL": "/s/player/0a1b2c3d/player_ias.vflset/en_US/base.js",
}


BLOCKED = "<html><body>Our systems have detected unusual traffic from your network.</body></html>"


@dataclass(frozen=True)
class FakeVideo:
    """A video of a channel; with `audio` None, the player offers nothing to download."""

    id: str
    title: str = "A talk"
    channel: str = "Meetup"
    published_at: datetime | None = datetime(2026, 3, 1, 12, tzinfo=UTC)
    duration_s: int = 1200
    description: str = ""
    audio: bytes | None = None
    language: str | None = None
    live_now: bool = False
    streamed: bool = False
    """Listed under the channel's streams, not its videos."""
    begins_at: datetime | None = None
    """A premiere or stream that is still to begin."""
    just_ended: bool = False
    """A stream whose recording is not complete yet."""
    short: bool = False
    captions: Mapping[str, bytes] = field(default_factory=dict)
    """The tracks that people wrote, as WebVTT, by language (`en`, `en-GB`)."""
    heard: Mapping[str, bytes] = field(default_factory=dict)
    """The tracks that YouTube made by itself."""

    @property
    def channel_id(self) -> str:
        return "UC" + hashlib.sha256(self.channel.encode()).hexdigest()[:22]

    @property
    def handle(self) -> str:
        return "@" + re.sub(r"\W", "", self.channel)


def html(**scripts: dict[str, Any]) -> str:
    lines = [f"<script>ytcfg.set({json.dumps(_YTCFG)});</script>"]
    lines += [f"<script>var {name} = {json.dumps(value)};</script>" for name, value in scripts.items()]
    return f"<html><head>{''.join(lines)}</head></html>"


def tabs(tabs: list[dict[str, Any]]) -> dict[str, Any]:
    return {"contents": {"twoColumnBrowseResultsRenderer": {"tabs": tabs}}}


def continuation(token: str) -> dict[str, Any]:
    return {"continuationItemRenderer": {"continuationEndpoint": {"continuationCommand": {"token": token}}}}


def _clock(duration_s: int) -> str:
    return f"{duration_s // 3600}:{duration_s // 60 % 60:02}:{duration_s % 60:02}"


def channel_entry(video: FakeVideo) -> dict[str, Any]:
    badge = {"thumbnailBadgeViewModel": {"text": _clock(video.duration_s)}}
    lockup = {
        "contentId": video.id,
        "contentType": "LOCKUP_CONTENT_TYPE_VIDEO",
        "metadata": {"lockupMetadataViewModel": {"title": {"content": video.title}}},
        "contentImage": {
            "thumbnailViewModel": {"overlays": [{"thumbnailBottomOverlayViewModel": {"badges": [badge]}}]}
        },
    }
    return {"richItemRenderer": {"content": {"lockupViewModel": lockup}}}


def _byline(video: FakeVideo) -> dict[str, Any]:
    owner = {"browseEndpoint": {"browseId": video.channel_id, "canonicalBaseUrl": f"/{video.handle}"}}
    return {"runs": [{"text": video.channel, "navigationEndpoint": owner}]}


def playlist_entry(video: FakeVideo) -> dict[str, Any]:
    steps = f"/shorts/{video.id}" if video.short else f"/watch?v={video.id}"
    return {
        "playlistVideoRenderer": {
            "videoId": video.id,
            "navigationEndpoint": {"commandMetadata": {"webCommandMetadata": {"url": steps}}},
            "title": {"runs": [{"text": video.title}]},
            "shortBylineText": _byline(video),
            "lengthSeconds": str(video.duration_s),
        }
    }


def search_entry(video: FakeVideo) -> dict[str, Any]:
    return {
        "videoRenderer": {
            "videoId": video.id,
            "title": {"runs": [{"text": video.title}]},
            "ownerText": _byline(video),
            "shortBylineText": _byline(video),
            "lengthText": {"simpleText": _clock(video.duration_s)},
            "publishedTimeText": {"simpleText": "2 months ago"},
        }
    }


def player(video_id: str, video: FakeVideo | None, refusal: str | None) -> dict[str, Any]:
    """Return the player API's answer about a video, or its refusal."""
    details = {"videoDetails": _details(video) if video else {"videoId": video_id}}
    if video is None or refusal is not None:
        status, reason, subreason = REFUSALS[refusal or "unavailable"]
        screen = {"reason": {"simpleText": reason}, "subreason": {"simpleText": subreason}}
        error = {"errorScreen": {"playerErrorMessageRenderer": screen}}
        return details | {"playabilityStatus": {"status": status, "reason": reason, **error}}
    if video.begins_at is not None:
        status, reason, _ = REFUSALS["premiere"]
        return details | {"playabilityStatus": {"status": status, "reason": reason}}
    formats = [_format(video, len(video.audio))] if video.audio is not None else []
    return details | {
        "playabilityStatus": {"status": "OK"},
        "streamingData": {"adaptiveFormats": formats},
        **_caption_tracks(video),
    }


def _caption_tracks(video: FakeVideo) -> dict[str, Any]:
    tracks = [(name, "") for name in video.captions] + [(name, "asr") for name in video.heard]
    if not tracks:
        return {}
    listed = [
        {
            "baseUrl": f"/api/timedtext?v={video.id}&lang={name}{f'&kind={kind}' if kind else ''}",
            "name": {"simpleText": name},
            "vssId": f"{'a' if kind else ''}.{name}",
            "languageCode": name,
            "isTranslatable": True,
            **({"kind": kind} if kind else {}),
        }
        for name, kind in tracks
    ]
    translations = [{"languageCode": code, "languageName": {"simpleText": code}} for code in ("en", "de")]
    tracklist = {"captionTracks": listed, "translationLanguages": translations}
    return {"captions": {"playerCaptionsTracklistRenderer": tracklist}}


def watch_page(video_id: str, video: FakeVideo | None, refusal: str | None) -> str:
    """Return the page of a video: only the page states the date; its player offers no download."""
    answer = player(video_id, video, refusal) | {"streamingData": {}}
    if video is not None:
        answer["microformat"] = _microformat(video)
    return html(ytInitialData=watch_data(video), ytInitialPlayerResponse=answer)


def watch_data(video: FakeVideo | None) -> dict[str, Any]:
    """Return the data of the page below the player: the video's channel."""
    owner = {"videoOwnerRenderer": {"title": {"runs": [{"text": video.channel if video else ""}]}}}
    contents = [{"videoSecondaryInfoRenderer": {"owner": owner}}]
    return {"contents": {"twoColumnWatchNextResults": {"results": {"results": {"contents": contents}}}}}


def _details(video: FakeVideo) -> dict[str, Any]:
    return {
        "videoId": video.id,
        "title": video.title,
        "lengthSeconds": str(video.duration_s),
        "channelId": video.channel_id,
        "shortDescription": video.description,
        "author": video.channel,
        "isLiveContent": video.streamed,
        "isLive": video.live_now,
        **({"isUpcoming": True} if video.begins_at is not None else {}),
        **({"isPostLiveDvr": True} if video.just_ended else {}),
    }


def _microformat(video: FakeVideo) -> dict[str, Any]:
    facts: dict[str, Any] = {"externalChannelId": video.channel_id, "category": "Science & Technology"}
    if video.published_at is not None:
        facts["uploadDate"] = video.published_at.isoformat()
    if video.begins_at is not None:
        facts["liveBroadcastDetails"] = {"startTimestamp": video.begins_at.isoformat()}
    if video.short:
        facts["isShortsEligible"] = True
    return {"playerMicroformatRenderer": facts}


def _format(video: FakeVideo, size: int) -> dict[str, Any]:
    language = {
        "audioTrack": {"displayName": "original", "id": f"{video.language}.4", "audioIsDefault": True}
    }
    return {
        "itag": 140,
        "url": f"https://rr1---sn-loopback.googlevideo.com/videoplayback?id={video.id}&itag=140",
        "mimeType": 'audio/mp4; codecs="mp4a.40.2"',
        "bitrate": 128_000,
        "contentLength": str(size),
        "quality": "tiny",
        "audioQuality": "AUDIO_QUALITY_MEDIUM",
        "approxDurationMs": str(video.duration_s * 1000),
        **(language if video.language else {}),
    }


def m4a(seconds: float) -> bytes:
    """Return an m4a file of quiet noise, about 16 kB a second: long enough to be cut."""
    rate = 44_100
    noise = np.random.default_rng(0).normal(0, 0.05, int(seconds * rate)).astype(np.float32)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        stream.bit_rate = 128_000
        for start in range(0, len(noise), 1024):
            frame = av.AudioFrame.from_ndarray(
                noise[None, start : start + 1024], format="fltp", layout="mono"
            )
            frame.sample_rate = rate
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()
