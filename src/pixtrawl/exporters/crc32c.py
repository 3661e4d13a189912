"""CRC-32C (Castagnoli, RFC 3720 appendix B.4), fast enough for images without a C extension.

A byte at a time costs 80 ns each in Python, 8 ms for 100 KB. A CRC is linear, so the data is cut
into lanes of 64 bytes that numpy takes through tables side by side, four bytes a step, and their
remainders are joined pairwise by an operator that stands for as many zero bytes as the right one
covers: 0.75 ms.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

__all__ = ["crc32c", "masked_crc32c"]

Array = np.ndarray[Any, np.dtype[np.uint32]]

_POLYNOMIAL: Final = 0x82F63B78  # reversed
_ONES: Final = 0xFFFFFFFF
_LANE_LEVEL: Final = 6
_LANE: Final = 1 << _LANE_LEVEL


def _byte_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return table


_TABLE: Final = _byte_table()
_LANES: Final[Array] = np.array(_TABLE, dtype=np.uint32)


@cache
def _operator(level: int) -> Array:
    """Return the tables (4 x 256) that advance a CRC state by 2**level zero bytes."""
    bits = np.uint32(1) << np.arange(32, dtype=np.uint32)
    if level == 0:
        after = bits >> np.uint32(8) ^ _LANES[bits & np.uint32(0xFF)]
    else:
        half = _operator(level - 1)
        after = _over_zeros(half, _over_zeros(half, bits))
    tables = np.zeros((4, 256), np.uint32)
    values = np.arange(256)
    for bit in range(32):
        tables[bit // 8] ^= np.where(values >> bit % 8 & 1, after[bit], np.uint32(0))
    return tables


def _over_zeros(tables: Array, states: Array) -> Array:
    low = np.uint32(0xFF)
    after: Array = (
        tables[0][states & low]
        ^ tables[1][states >> np.uint32(8) & low]
        ^ tables[2][states >> np.uint32(16) & low]
        ^ tables[3][states >> np.uint32(24)]
    )
    return after


def crc32c(data: bytes) -> int:
    """Return the checksum of RFC 3720, as an unsigned 32-bit integer."""
    if len(data) < _LANE:
        state = _ONES
        for byte in data:
            state = state >> 8 ^ _TABLE[(state ^ byte) & 0xFF]
        return state ^ _ONES
    # Zero bytes in front leave a state of zero as it is; that of the standard comes in below.
    padding = -len(data) % _LANE
    block = np.zeros(padding + len(data), np.uint8)
    block[padding:] = np.frombuffer(data, np.uint8)
    words = block.view("<u4").reshape(-1, _LANE // 4).T.astype(np.uint32)
    four = _operator(2)
    lanes = np.zeros(words.shape[1], np.uint32)
    for word in words:
        lanes = _over_zeros(four, lanes ^ word)
    level = _LANE_LEVEL
    while len(lanes) > 1:
        if len(lanes) % 2:
            lanes = np.concatenate([np.zeros(1, np.uint32), lanes])
        lanes = _over_zeros(_operator(level), lanes[0::2]) ^ lanes[1::2]
        level += 1
    return int(lanes[0]) ^ _begun(len(data)) ^ _ONES


def _begun(size_bytes: int) -> int:
    """Return the standard's initial state advanced by so many zero bytes."""
    state = _ONES
    for level in range(size_bytes.bit_length()):
        if size_bytes >> level & 1:
            low, second, third, high = _plain_operator(level)
            state = (
                low[state & 0xFF]
                ^ second[state >> 8 & 0xFF]
                ^ third[state >> 16 & 0xFF]
                ^ high[state >> 24]
            )
    return state


@cache
def _plain_operator(level: int) -> list[list[int]]:
    """Return the tables as Python integers, which are faster for single look-ups."""
    tables: list[list[int]] = _operator(level).tolist()
    return tables


def masked_crc32c(data: bytes) -> int:
    """Return TFRecord's masked CRC, which may itself be inside checksummed data."""
    crc = crc32c(data)
    return (crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8 & 0xFFFFFFFF
