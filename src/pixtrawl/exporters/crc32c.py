"""CRC-32C (Castagnoli, RFC 3720 appendix B.4), fast enough for images without a C extension.

A byte at a time costs 80 ns each in Python, 8 ms for 100 KB. A CRC is linear, so the data is cut
into lanes of 256 bytes that numpy takes through the table side by side, and the lanes' remainders
are joined by an operator that stands for 256 zero bytes: 1 ms for 100 KB.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

__all__ = ["crc32c", "masked_crc32c"]

_POLYNOMIAL: Final = 0x82F63B78  # reversed
_LANE: Final = 256


def _byte_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)  # noqa: PLW2901
        table.append(value)
    return table


_TABLE: Final = _byte_table()
_LANES: Final[np.ndarray[Any, np.dtype[np.uint32]]] = np.array(_TABLE, dtype=np.uint32)


def _zeros(state: int, count: int) -> int:
    for _ in range(count):
        state = state >> 8 ^ _TABLE[state & 0xFF]
    return state


def _operator() -> list[list[int]]:
    """What 256 zero bytes make of a state, byte of the state by byte."""
    bits = [_zeros(1 << bit, _LANE) for bit in range(32)]
    tables = []
    for place in range(4):
        table = [0] * 256
        for value in range(256):
            for bit in range(8):
                if value >> bit & 1:
                    table[value] ^= bits[8 * place + bit]
        tables.append(table)
    return tables


_SHIFT: Final = _operator()


def crc32c(data: bytes) -> int:
    """The checksum of RFC 3720, as an unsigned 32-bit number."""
    state = 0xFFFFFFFF
    whole = len(data) // _LANE
    if whole > 1:
        block = np.frombuffer(data, np.uint8, whole * _LANE).reshape(whole, _LANE)
        columns = np.ascontiguousarray(block.T).astype(np.uint32)
        lanes = np.zeros(whole, np.uint32)
        for column in columns:
            lanes = (lanes >> np.uint32(8)) ^ _LANES[(lanes ^ column) & np.uint32(0xFF)]
        zero, one, two, three = _SHIFT
        for lane in lanes.tolist():
            state = (
                zero[state & 0xFF]
                ^ one[state >> 8 & 0xFF]
                ^ two[state >> 16 & 0xFF]
                ^ three[state >> 24]
                ^ lane
            )
        data = data[whole * _LANE :]
    for byte in data:
        state = state >> 8 ^ _TABLE[(state ^ byte) & 0xFF]
    return state ^ 0xFFFFFFFF


def masked_crc32c(data: bytes) -> int:
    """TFRecord's form of it, which may itself lie inside checksummed data."""
    crc = crc32c(data)
    return (crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8 & 0xFFFFFFFF
