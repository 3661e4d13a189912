"""The final words: six statuses, and the closed list of reasons with a sentence each.

A closed list can be counted, documented, filtered and tested for completeness; free text cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

__all__ = ["LOOKS_LIKE", "REASONS", "Reason", "ReasonInfo", "Status"]

LOOKS_LIKE: Final = "looks like "
"""Begins the detail of a kept image that is junk by its look; a reason and its detail follow."""


class Status(StrEnum):
    """Final status of a candidate; after a run the six counts add up to all candidates.

    A text: `outcome.status == "saved"`. Counts of all six add up to the candidates of a report.
    """

    SAVED = "saved"
    DUPLICATE = "duplicate"
    NEAR_DUPLICATE = "near_duplicate"
    REJECTED = "rejected"
    FAILED = "failed"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why a candidate ended as it did. `REASONS` gives status, sentence and whether to retry.

    A text: `outcome.reason == "not_found"`. Each belongs to one `Status` (docs/reasons.md).
    """

    SAVED = "saved"

    SAME_BYTES = "same_bytes"
    SAME_PICTURE = "same_picture"
    BETTER_COPY_KEPT = "better_copy_kept"

    BAD_URL = "bad_url"
    SCHEME_REFUSED = "scheme_refused"
    BAD_DATA_URL = "bad_data_url"
    ADDRESS_REFUSED = "address_refused"
    HOST_EXCLUDED = "host_excluded"
    ROBOTS_TXT = "robots_txt"
    ROBOTS_HEADER = "robots_header"
    OPTED_OUT = "opted_out"
    TAKEN_DOWN = "taken_down"
    BLOCKED_HASH = "blocked_hash"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    EMPTY_BODY = "empty_body"
    TOO_MANY_BYTES = "too_many_bytes"
    NOT_AN_IMAGE = "not_an_image"
    HTML = "html"
    UNSUPPORTED_FORMAT = "unsupported_format"
    TRUNCATED = "truncated"
    CORRUPT = "corrupt"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_SCANS = "too_many_scans"
    TOO_MANY_FRAMES = "too_many_frames"
    TOO_MANY_BLOCKS = "too_many_blocks"
    DECODER_CRASHED = "decoder_crashed"
    DECODER_TIMEOUT = "decoder_timeout"
    DECODER_MEMORY = "decoder_memory"
    TOO_SMALL = "too_small"
    EXTREME_ASPECT = "extreme_aspect"
    UNWANTED_ASPECT = "unwanted_aspect"
    UNWANTED_SIZE = "unwanted_size"
    UNWANTED_FORMAT = "unwanted_format"
    ANIMATED = "animated"
    THUMBNAIL = "thumbnail"
    PLACEHOLDER = "placeholder"
    TRACKING_PIXEL = "tracking_pixel"
    ICON = "icon"
    HUMAN_CHECK = "human_check"
    WATERMARKED = "watermarked"
    FLAT = "flat"
    UNWANTED_LICENSE = "unwanted_license"
    UNWANTED_MARK = "unwanted_mark"
    LABEL_CONFLICT = "label_conflict"
    CHANGED = "changed"
    REFUSED_BY_PERSON = "refused_by_person"
    OFF_TOPIC = "off_topic"
    NOT_BEST = "not_best"

    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"
    RATE_LIMITED = "rate_limited"
    CLIENT_ERROR = "client_error"
    SERVER_ERROR = "server_error"
    DNS_FAILED = "dns_failed"
    CONNECT_FAILED = "connect_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    TOO_SLOW = "too_slow"
    DEADLINE = "deadline"
    TLS_FAILED = "tls_failed"
    PROTOCOL_ERROR = "protocol_error"
    BODY_INCOMPLETE = "body_incomplete"
    PROXY_FAILED = "proxy_failed"
    ROBOTS_UNAVAILABLE = "robots_unavailable"
    CRAWL_DELAY = "crawl_delay"
    HOST_OUT = "host_out"
    DECODER_LOST = "decoder_lost"
    WORKER_LOST = "worker_lost"
    STORE_FAILED = "store_failed"
    INTERNAL_ERROR = "internal_error"

    NOT_NEEDED = "not_needed"
    BUDGET = "budget"
    INTERRUPTED = "interrupted"
    REMOVED_BY_USER = "removed_by_user"
    MOVED_BY_USER = "moved_by_user"


class ReasonInfo(Struct, frozen=True):
    """Facts about a reason: its status, a sentence, whether a later run retries."""

    status: Status
    sentence: str
    transient: bool = False


def _table() -> dict[Reason, ReasonInfo]:
    r, s = Reason, Status
    rows: list[tuple[Reason, Status, str, bool]] = [
        (r.SAVED, s.SAVED, "kept in the data set", False),
        (r.SAME_BYTES, s.DUPLICATE, "byte for byte the same as a kept image", False),
        (r.SAME_PICTURE, s.NEAR_DUPLICATE, "looks the same as a kept image", False),
        (r.BETTER_COPY_KEPT, s.NEAR_DUPLICATE, "was kept until a better copy replaced it", False),
        (r.BAD_URL, s.REJECTED, "the line is no URL", False),
        (r.SCHEME_REFUSED, s.REJECTED, "only http, https and data URLs are fetched", False),
        (r.BAD_DATA_URL, s.REJECTED, "the data: URI cannot be decoded", False),
        (r.ADDRESS_REFUSED, s.REJECTED, "leads to an inner address (see --allow-address)", False),
        (r.HOST_EXCLUDED, s.REJECTED, "the host is excluded by --exclude-host", False),
        (r.ROBOTS_TXT, s.REJECTED, "robots.txt of the host disallows it", False),
        (r.ROBOTS_HEADER, s.REJECTED, "the answer opts out (X-Robots-Tag or meta robots)", False),
        (r.OPTED_OUT, s.REJECTED, "its owner says no to the use that --purpose names", False),
        (r.TAKEN_DOWN, s.REJECTED, "was taken down from this data set", False),
        (r.BLOCKED_HASH, s.REJECTED, "its hash is in a list of --block-hashes", False),
        (r.TOO_MANY_REDIRECTS, s.REJECTED, "redirects too often or in a circle", False),
        (r.EMPTY_BODY, s.REJECTED, "the answer has no body", False),
        (r.TOO_MANY_BYTES, s.REJECTED, "larger than --max-bytes", False),
        (r.NOT_AN_IMAGE, s.REJECTED, "the content is no image", False),
        (r.HTML, s.REJECTED, "the content is an HTML page", False),
        (r.UNSUPPORTED_FORMAT, s.REJECTED, "an image, but of a format that is not kept", False),
        (r.TRUNCATED, s.REJECTED, "the image file is cut short", False),
        (r.CORRUPT, s.REJECTED, "the image does not decode", False),
        (r.TOO_MANY_PIXELS, s.REJECTED, "more pixels than the cap, refused undecoded", False),
        (r.TOO_MANY_SCANS, s.REJECTED, "a JPEG of more scans than images.max_scans", False),
        (
            r.TOO_MANY_FRAMES,
            s.REJECTED,
            "more frames or pages than images.max_frames, or too large ones (max_frame_pixels)",
            False,
        ),
        (
            r.TOO_MANY_BLOCKS,
            s.REJECTED,
            "more chunks, segments, tags or strips than images.max_blocks: costly to read",
            False,
        ),
        (r.DECODER_CRASHED, s.REJECTED, "crashed its decoder", False),
        (r.DECODER_TIMEOUT, s.REJECTED, "took its decoder too much CPU time", False),
        (r.DECODER_MEMORY, s.REJECTED, "needs more memory than a decoder has", False),
        (r.TOO_SMALL, s.REJECTED, "smaller than --min-size", False),
        (r.EXTREME_ASPECT, s.REJECTED, "a sliver: width and height are too far apart", False),
        (r.UNWANTED_ASPECT, s.REJECTED, "not of the shape asked for by --aspect", False),
        (r.UNWANTED_SIZE, s.REJECTED, "not of the size asked for by --size", False),
        (r.UNWANTED_FORMAT, s.REJECTED, "not of the format asked for", False),
        (r.ANIMATED, s.REJECTED, "animated, and animation was not asked for", False),
        (r.THUMBNAIL, s.REJECTED, "only a thumbnail (see --allow-thumbnails)", False),
        (r.PLACEHOLDER, s.REJECTED, "a 'not available' or hot-link placeholder", False),
        (r.TRACKING_PIXEL, s.REJECTED, "a tracking pixel", False),
        (r.ICON, s.REJECTED, "an icon or a logo", False),
        (r.HUMAN_CHECK, s.REJECTED, "a captcha, or a page that asks for a human", False),
        (r.WATERMARKED, s.REJECTED, "a picture agency's preview, which has its watermark", False),
        (r.FLAT, s.REJECTED, "one colour or next to nothing on it", False),
        (r.UNWANTED_MARK, s.REJECTED, "its file states what --exclude leaves out", False),
        (r.UNWANTED_LICENSE, s.REJECTED, "its licence is not one asked for by --license", False),
        (r.LABEL_CONFLICT, s.REJECTED, "the same picture is kept under another label", False),
        (r.CHANGED, s.REJECTED, "no longer the picture that the lock file names", False),
        (r.REFUSED_BY_PERSON, s.REJECTED, "a person refused this picture", False),
        (r.OFF_TOPIC, s.REJECTED, "by the model of --relevant it does not show its query", False),
        (r.NOT_BEST, s.REJECTED, "other images of the pool fit the query better", False),
        (r.NOT_FOUND, s.FAILED, "the host says it is not there (404, 410)", False),
        (r.FORBIDDEN, s.FAILED, "the host refuses it (401, 403, 451)", False),
        (r.RATE_LIMITED, s.FAILED, "the host asks to slow down (429)", True),
        (r.CLIENT_ERROR, s.FAILED, "the host answers with another 4xx", False),
        (r.SERVER_ERROR, s.FAILED, "the host answers with a 5xx", True),
        (r.DNS_FAILED, s.FAILED, "the host name does not resolve", True),
        (r.CONNECT_FAILED, s.FAILED, "the host cannot be connected to", True),
        (r.CONNECT_TIMEOUT, s.FAILED, "the host does not answer a connection in time", True),
        (r.FIRST_BYTE_TIMEOUT, s.FAILED, "connected, but no first byte in time", True),
        (r.TOO_SLOW, s.FAILED, "below the minimum speed for too long", True),
        (r.DEADLINE, s.FAILED, "not complete within --timeout", True),
        (r.TLS_FAILED, s.FAILED, "no secure connection (certificate or protocol)", False),
        (r.PROTOCOL_ERROR, s.FAILED, "the answer breaks the HTTP protocol", True),
        (r.BODY_INCOMPLETE, s.FAILED, "the connection ended before the body did", True),
        (r.PROXY_FAILED, s.FAILED, "the proxy cannot be used", True),
        (
            r.ROBOTS_UNAVAILABLE,
            s.FAILED,
            "the host gives no robots.txt that can be used: nothing is fetched until it does",
            True,
        ),
        (
            r.CRAWL_DELAY,
            s.FAILED,
            "its robots.txt asks for more time between requests than --max-crawl-delay",
            True,
        ),
        (
            r.HOST_OUT,
            s.FAILED,
            "its host cannot be reached, or asked for a long pause: out for this run",
            True,
        ),
        (
            r.DECODER_LOST,
            s.FAILED,
            "its decoder was stopped, starved or ended by the system: nothing is known of the file",
            True,
        ),
        (
            r.WORKER_LOST,
            s.FAILED,
            "every worker process that fetched it has ended, the last ones with nothing else to do",
            False,
        ),
        (r.STORE_FAILED, s.FAILED, "could not be written to disk", True),
        (r.INTERNAL_ERROR, s.FAILED, "an error of pixtrawl itself, please report it", True),
        (r.NOT_NEEDED, s.SKIPPED, "the query had enough images without it", True),
        (r.BUDGET, s.SKIPPED, "--max-total-bytes or --max-time was reached", True),
        (r.INTERRUPTED, s.SKIPPED, "the run was interrupted before its turn", True),
        (r.REMOVED_BY_USER, s.SKIPPED, "was deleted from the data set by hand", False),
        (r.MOVED_BY_USER, s.SKIPPED, "a person has put this picture under another label", False),
    ]
    return {
        reason: ReasonInfo(status, sentence, transient)
        for reason, status, sentence, transient in rows
    }


REASONS: Final[Mapping[Reason, ReasonInfo]] = _table()
