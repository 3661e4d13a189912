"""Adaptive limit of concurrent transfers, between a start of 16 and the cap.

Congestion control in the manner of TCP slow start: while throughput rises from one measuring window
to the next, each transfer that ends, or whose answer begins soon, raises the limit; once more
transfers bring no more throughput it stays. Time-outs lower it multiplicatively, and so do
transfers that need a large part of their allowed time: too many on a slow line would all time out.
"""

from __future__ import annotations

from typing import Final

__all__ = ["AdaptiveLimit", "most_at_once"]

_START: Final = 16
_LEAST: Final = 4
_WINDOW_S: Final = (0.1, 1.0)  # shortest, longest
_BETTER: Final = 1.1
_PROBE_EVERY: Final = 8  # windows in a row without growth
_TIMEOUT_SHARE: Final = 0.1
_ROOMY: Final = 0.125  # share of a file's allowed time below which the limit may double
# From the request to its answer. Answers queue behind bodies where a line is full, each with its
# first ten segments (14.6 KB): below this everyone gets 44 KB/s or more, a megabyte in 23 s.
_SOON_S: Final = 0.33
# Routers that queue fairly let answers through at once: beyond twice the start, bodies must come as
# fast as that for everyone, as seen over some time.
_FLOW_BYTES_S: Final = 44_000
_SEEN_S: Final = 0.1


def most_at_once(concurrency: int, rate_bytes_s: float | None) -> int:
    """Return the cap: `concurrency`, or fewer where `--limit-rate` holds for all together.

    Waiting for its share of that rate counts against a file's time-out.
    """
    if rate_bytes_s is None:
        return concurrency
    return max(1, min(concurrency, int(rate_bytes_s / _FLOW_BYTES_S)))


class AdaptiveLimit:
    """The current limit. Pure: callers pass the time `now`, in seconds of a monotonic clock."""

    def __init__(self, cap: int, timeout_s: float, now: float) -> None:
        """`cap` is the upper bound, `timeout_s` the time allowed for one file."""
        self._cap = cap
        self._timeout_s = timeout_s
        self.limit = min(_START, cap)
        self._growing = True
        self._best = (0.0, 0.0)  # files/s and bytes/s of the best window so far
        self._settled_at = self.limit
        self._windows_idle = 0
        self._first_answer: tuple[int, float] | None = None  # bytes received before it, when
        self._open_window(now)

    def _open_window(self, now: float) -> None:
        self._since = now
        self._ceiling = 2 * self.limit
        self._files = self._bytes = self._timeouts = 0
        self._busy_s = 0.0
        self._full = False

    def answered(self, waited_s: float, received_bytes: int, now: float) -> None:
        """Register that an answer began, `waited_s` seconds after its request.

        `received_bytes` counts all transfers since the run began.
        """
        if self._first_answer is None:
            self._first_answer = (received_bytes, now)
        if not self._growing or not self._full or waited_s >= _SOON_S:
            return
        if self.limit < 2 * _START or self._flows(received_bytes, now):
            self.limit = min(self._cap, self.limit + 1)

    def _flows(self, received_bytes: int, now: float) -> bool:
        assert self._first_answer is not None
        bytes_before, since = self._first_answer
        span_s = now - since
        needed_bytes = self.limit * _FLOW_BYTES_S * span_s
        return span_s >= _SEEN_S and received_bytes - bytes_before >= needed_bytes

    def ended(self, *, size_bytes: int, elapsed_s: float, timed_out: bool, now: float) -> None:
        """Register the end of a transfer, successful or not."""
        self._files += 1
        self._bytes += size_bytes
        self._busy_s += elapsed_s
        self._timeouts += timed_out
        if self._growing and self._full and elapsed_s < self._timeout_s * _ROOMY and not timed_out:
            self.limit = max(self.limit, min(self._cap, self._ceiling, self.limit + 2))
        span_s = now - self._since
        shortest_s, longest_s = _WINDOW_S
        if span_s >= longest_s or (span_s >= shortest_s and self._files >= self.limit // 2):
            self._judge(span_s)
            self._open_window(now)

    def full(self) -> None:
        """Register that a transfer had to wait: the limit is reached and may grow."""
        self._full = True

    def _judge(self, span_s: float) -> None:
        rates = (self._files / span_s, self._bytes / span_s)
        if self._timeouts >= 3 and self._timeouts > self._files * _TIMEOUT_SHARE:
            self._shrink(0.7)
        elif self._full and self._busy_s / self._files > self._timeout_s / 4:
            self._shrink(0.8)
        elif self._full:
            better = any(
                now > before * _BETTER for now, before in zip(rates, self._best, strict=True)
            )
            self._grow_or_settle(better)
        self._best = (max(rates[0], self._best[0] * 0.95), max(rates[1], self._best[1] * 0.95))

    def _grow_or_settle(self, better: bool) -> None:
        if better:
            self._settled_at = self.limit
            self._windows_idle = 0
            return
        self._windows_idle += 1
        if self._growing and self._windows_idle >= 2:
            self._growing = False
            self.limit = max(self._settled_at, min(_START, self._cap))
        elif self._windows_idle >= _PROBE_EVERY:
            self._growing = True
            self._windows_idle = 0

    def _shrink(self, factor: float) -> None:
        self._growing = False
        self._windows_idle = 0
        self.limit = max(min(_LEAST, self._cap), int(self.limit * factor))
        self._settled_at = self.limit
