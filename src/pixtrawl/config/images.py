"""Settings of images: which are kept, and what the decoders may spend on one."""

from __future__ import annotations

from dataclasses import dataclass

from pixtrawl.config import parse
from pixtrawl.config.setting import setting

__all__ = ["Images"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """Which images are kept."""

    min_size: tuple[int, int] | None = setting(
        None,
        "smallest image to keep, width x height",
        flag="--min-size",
        parse=parse.size_px,
        metavar="WxH",
    )
    max_pixels: int = setting(
        100_000_000, "most pixels; larger images are refused undecoded", parse=parse.positive
    )
    max_scans: int = setting(
        100, "most scans of a JPEG; progressive ones have 10 to 20", parse=parse.positive
    )
    max_frames: int = setting(
        2000, "most frames of an animation, or pages of a TIFF", parse=parse.positive
    )
    max_frame_pixels: int = setting(
        1_000_000_000, "most pixels of all frames or pages together", parse=parse.positive
    )
    max_blocks: int = setting(
        100_000, "most chunks, boxes or strips of a file, and small blocks of a GIF",
        parse=parse.positive,
    )  # fmt: skip
    check: str = setting(
        "full", "full: decode each image; none: only store and hash it", flag="--check",
        choices=("full", "none"),
    )  # fmt: skip
    allow_thumbnails: bool = setting(
        False, "accept a thumbnail if nothing better exists", flag="--allow-thumbnails",
        parse=parse.boolean,
    )  # fmt: skip
    exclude: tuple[str, ...] = setting(
        (), "leave out images by what their files say: ai-made, no-training, c2pa (repeatable)",
        flag="--exclude", parse=parse.mark, metavar="MARK", repeat=True,
    )  # fmt: skip
    junk: str = setting(
        "auto", "icons, empty pictures and the like; auto: drop, but keep those of your own lists",
        flag="--junk", choices=("auto", "drop", "keep"),
    )  # fmt: skip
    max_aspect: float = setting(
        8.0, "longest aspect ratio, longer side by shorter side", parse=parse.ratio
    )
    conflict: str = setting(
        "keep", "same picture under two labels: keep both, the first only, or drop both",
        flag="--conflict", choices=("keep", "first", "drop"),
    )  # fmt: skip
    dedup: str = setting(
        "near", "which duplicates within a label to drop", flag="--dedup",
        choices=("strict", "near", "wide", "exact", "off"),
    )  # fmt: skip
    turned: bool = setting(
        False, "treat mirrored and rotated copies as near duplicates", flag="--turned",
        parse=parse.boolean,
    )  # fmt: skip
    block_hashes: tuple[str, ...] = setting(
        (), "file of SHA-256, MD5 or PDQ hashes of images never to keep nor show (repeatable)",
        flag="--block-hashes", metavar="FILE", repeat=True,
    )  # fmt: skip
    block_distance: int = setting(
        31, "bits by which a PDQ hash may differ from a listed one, at most 31",
        parse=parse.pdq_distance,
    )  # fmt: skip
    block_quality: int = setting(
        50, "lowest PDQ quality at which PDQ hashes are compared", parse=parse.percent
    )
    decoders: int | None = setting(
        None, "decoder processes (default: one per core)", parse=parse.positive
    )
    decoder_memory_bytes: int = setting(
        2**30, "memory limit of a decoder (address space)", parse=parse.size_bytes
    )
    decoder_timeout_s: float = setting(
        10.0, "seconds of CPU time to decode one file; 1 more per 4 MiB", parse=parse.seconds
    )
    decoder_stall_s: float = setting(
        30.0, "seconds until a decoder that gets no CPU time is replaced, and its file asked again",
        parse=parse.seconds,
    )  # fmt: skip
