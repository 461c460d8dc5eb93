"""yt-dlp's exceptions become verdicts: whose fault the failure is, and whether to try again."""

import errno
import io

import pytest
from yt_dlp.networking import Response
from yt_dlp.networking.exceptions import (
    CertificateVerifyError,
    HTTPError,
    IncompleteRead,
    ProxyError,
    TransportError,
)
from yt_dlp.utils import (
    ContentTooShortError,
    DownloadError,
    ExtractorError,
    GeoRestrictedError,
    UnavailableVideoError,
    UnsupportedError,
)

from streams.errors import DataError, Unavailable
from streams.youtube.errors import CURES, Kind, RefusalVerdict, classify, explained, hidden_in

WORDS: list[tuple[str, str, str]] = [
    # what YouTube or yt-dlp says, kind, scope
    ("Private video. Sign in if you've been granted access to this video", "permanent", "video"),
    ("This video is private. If the owner has granted you access, please sign in.", "permanent", "video"),
    ("Video unavailable. This video has been removed by the uploader", "permanent", "video"),
    ("This video has been removed for violating YouTube's Community Guidelines", "permanent", "video"),
    (
        "This video is no longer available because the YouTube account associated with this video "
        "has been terminated.",
        "permanent",
        "video",
    ),
    (
        "Video unavailable. It contains content from SME, who has blocked it on copyright grounds",
        "permanent",
        "video",
    ),
    ("This video is no longer available due to a copyright claim by SME", "permanent", "video"),
    ("Sign in to confirm your age. This video may be inappropriate for some users.", "auth", "video"),
    ("Join this channel to get access to members-only content like this video", "auth", "video"),
    ("This video is available to this channel's members on level: Silver", "auth", "video"),
    ("This video requires payment to watch", "auth", "video"),
    ("This video is only available to Music Premium members", "auth", "video"),
    ("Please sign in", "auth", "video"),
    ("The uploader has not made this video available in your country", "geo", "video"),
    ("It contains content from SME, who has blocked it in your country on copyright grounds", "geo", "video"),
    ("Premieres in 3 hours", "wait", "video"),
    ("This live event will begin in 2 days.", "wait", "video"),
    ("We're processing this video. Check back later.", "wait", "video"),
    ("This live stream recording is not available.", "wait", "video"),
    ("Video unavailable", "recheck", "video"),
    ("This video is not available", "recheck", "video"),
    ("This channel does not have a streams tab", "no tab", "source"),
    ("YouTube said: The playlist does not exist.", "gone", "source"),
    ("YouTube said: This channel does not exist.", "gone", "source"),
    ("YouTube said: This account has been terminated for violating the Terms of Service.", "gone", "source"),
    ("The channel/playlist does not exist and the URL redirected to youtube.com home page", "gone", "source"),
    ("Failed to resolve url (does the playlist exist?)", "gone", "source"),
    ("Sign in to confirm you’re not a bot. This helps protect our community.", "blocked", "session"),
    ("Sign in to confirm you're not a bot", "blocked", "session"),
    ("Video unavailable. YouTube is requiring a captcha challenge before playback", "blocked", "session"),
    ("All player responses are invalid. Your IP is likely being blocked by Youtube", "blocked", "session"),
    ("Incomplete yt initial data received", "blocked", "session"),
    ("This content isn’t available, try again later.", "throttled", "session"),
    ("Unable to download webpage: HTTP Error 429: Too Many Requests", "throttled", "session"),
    ("unable to download video data: HTTP Error 403: Forbidden", "transient", "video"),
    ("Unable to download API page: HTTP Error 503: Service Unavailable", "transient", "video"),
    ("The read operation timed out", "transient", "video"),
    ("65166 bytes read, 65167 more expected. Giving up after 2 retries", "transient", "video"),
    (
        "Failed to resolve 'www.youtube.com' ([Errno -3] Temporary failure in name resolution)",
        "transient",
        "video",
    ),
    ("Incomplete data received", "transient", "video"),
    ("unable to write data: [Errno 28] No space left on device", "local", "session"),
    ("unable to open for writing: [Errno 13] Permission denied: 'x.part'", "local", "session"),
    ("Requested format is not available", "unsupported", "video"),
    ("An extractor error has occurred. (caused by KeyError('contents'))", "unsupported", "video"),
    ("No suitable extractor found for URL https://vimeo.com/1", "unsupported", "video"),
    ("something that was never seen before", "unsupported", "video"),
]


def raised(inner: BaseException, message: str = "unable to download video data") -> DownloadError:
    """Return the error as yt-dlp's report_error raises it: the real exception travels in exc_info."""
    return DownloadError(f"ERROR: {message}: {inner}", (type(inner), inner, None))


def http_error(status: int) -> HTTPError:
    return HTTPError(Response(fp=io.BytesIO(), url="https://www.youtube.com/", headers={}, status=status))


@pytest.mark.parametrize(("text", "kind", "scope"), WORDS)
def test_words_say_what_happened(text: str, kind: str, scope: str) -> None:
    verdict = classify(DownloadError(f"ERROR: [youtube] abcdefghijk: {text}"))
    assert (verdict.kind, verdict.scope) == (kind, scope)


@pytest.mark.parametrize(
    ("error", "kind", "scope"),
    [
        (raised(http_error(403)), "transient", "video"),
        (raised(http_error(404)), "recheck", "video"),
        (raised(http_error(410)), "recheck", "video"),
        (raised(http_error(401)), "auth", "video"),
        (raised(http_error(429)), "throttled", "session"),
        (raised(http_error(500)), "transient", "video"),
        (ExtractorError("Unable to download webpage", cause=http_error(429)), "throttled", "session"),
        (raised(ExtractorError("Unable to download API page", cause=http_error(502))), "transient", "video"),
        (GeoRestrictedError("not here", countries=["US"]), "geo", "video"),
        (raised(GeoRestrictedError("not here", countries=["US"])), "geo", "video"),
        (UnsupportedError("https://example.org/"), "unsupported", "video"),
        (raised(ContentTooShortError(5, 10)), "transient", "video"),
        (raised(IncompleteRead(5, 10)), "transient", "video"),
        (raised(TransportError("[Errno 104] reset")), "transient", "video"),
        (ConnectionResetError("reset"), "transient", "video"),
        (raised(ProxyError("Unable to connect to proxy")), "local", "session"),
        (raised(CertificateVerifyError("self-signed certificate")), "local", "session"),
        (OSError(errno.ENOSPC, "No space left on device"), "local", "session"),
        (
            raised(UnavailableVideoError(PermissionError(errno.EACCES, "Permission denied"))),
            "local",
            "session",
        ),
    ],
)
def test_classes_say_what_happened(error: BaseException, kind: str, scope: str) -> None:
    verdict = classify(error)
    assert (verdict.kind, verdict.scope) == (kind, scope)


@pytest.mark.parametrize(
    ("warning", "kind"),
    [
        ("[youtube] Unable to download API page: HTTP Error 429: Too Many Requests", "throttled"),
        ("[youtube] HTTP Error 503: Service Unavailable. Retrying (1/1)...", "transient"),
        ("[youtube] abcdefghijk: Sign in to confirm you’re not a bot", "blocked"),
        ("[youtube] No supported JavaScript runtime could be found", "local"),
        ("[youtube] abcdefghijk: n challenge solving failed: Some formats may be missing", "local"),
        ("[youtube] abcdefghijk: Some web client https formats have been skipped", "unsupported"),
    ],
)
@pytest.mark.parametrize(
    "vague",
    ["No video formats found!", "Failed to extract any player response", "Requested format is not available"],
)
def test_a_refusal_that_was_only_a_warning_is_found(vague: str, warning: str, kind: str) -> None:
    error = DownloadError(f"ERROR: [youtube] abcdefghijk: {vague}; please report this issue on GitHub")
    assert classify(error, ["[youtube] something harmless", warning]).kind == kind


def test_a_clear_refusal_does_not_yield_to_warnings() -> None:
    error = DownloadError("ERROR: [youtube] abcdefghijk: Private video")
    assert classify(error, ["[youtube] HTTP Error 503: Service Unavailable"]).kind == "permanent"


def test_nothing_is_hidden_in_harmless_warnings() -> None:
    assert hidden_in([]) is None
    assert (
        hidden_in(["[youtube] Some formats may be missing", "HTTP Error 404: Not Found. Retrying (1/1)..."])
        is None
    )


def test_exceptions_that_contain_each_other_come_to_an_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert classify(first).kind == "unsupported"


@pytest.mark.parametrize("kind", CURES)
def test_every_kind_has_a_cause_and_a_cure(kind: Kind) -> None:
    error = explained(RefusalVerdict(kind, "it is private"), "video abcdefghijk")
    assert error.cause == "cannot get video abcdefghijk: it is private"
    assert error.cure
    again = kind in {"transient", "throttled", "blocked", "local"}
    assert isinstance(error, Unavailable if again else DataError)


def test_the_reason_leaves_out_what_yt_dlp_tells_its_own_users() -> None:
    text = (
        "ERROR: [youtube] abcdefghijk: Sign in to confirm your age. Use --cookies-from-browser or --cookies "
        "for the authentication. See https://github.com/yt-dlp/yt-dlp/wiki"
    )
    assert (
        classify(DownloadError(text)).reason
        == "it is for signed-in adults only (Sign in to confirm your age)"
    )
