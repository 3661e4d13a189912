"""Forecast of a run: from earlier runs on the data set, else from a small probe of its sources."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from pixtrawl import events
from pixtrawl.config.groups import Config
from pixtrawl.model import Candidate, Query
from pixtrawl.operations.estimate import Estimate, estimate

__all__ = ["forecast"]

_PROBED: Final = 20  # candidates of one query
_PROBE_S: Final = 15.0
_HOSTS: Final = 20
# Bytes of an image and images a second, as low and high as runs over usual sources have had them.
_IMAGE_BYTES: Final = (60_000, 600_000)
_IMAGES_S: Final = (2.0, 20.0)
_KEPT_SHARE: Final = (0.4, 0.9)  # of candidates: others are refused, duplicates, or gone
_SPREAD: Final = (0.6, 1.8)  # of an estimate from earlier runs


def forecast(queries: Sequence[Query], config: Config) -> dict[str, Any]:
    """Return time, bytes, requests by host and yield by source, each rough.

    The probe asks the sources of the first query for a page at the most, and fetches no image.
    Raise PixtrawlError where a source cannot be asked at all.
    """
    earlier = estimate(config.job.output, queries)
    if earlier is not None:
        return _from_earlier(earlier)
    return asyncio.run(_probed(queries, config))


def _from_earlier(one: Estimate) -> dict[str, Any]:
    seconds = one.seconds or one.images / _IMAGES_S[0]
    return {
        "images": one.images, "time_s": _around(seconds), "bytes": _around(one.fetched_bytes),
        "requests_by_host": {}, "yield_by_source": {}, "from": "earlier runs",
    }  # fmt: skip


def _around(value: float) -> list[int]:
    return [math.floor(value * _SPREAD[0]), math.ceil(value * _SPREAD[1])]


async def _probed(queries: Sequence[Query], config: Config) -> dict[str, Any]:
    from pixtrawl.pipeline.feeders.discover import discover

    found: list[Candidate] = []
    by_source: Counter[str] = Counter()

    def count_candidates(event: events.Event) -> None:
        if isinstance(event, events.CandidatesFound):
            by_source[event.source] += event.new

    first = Query(queries[0].text, queries[0].label, _PROBED, queries[0].filters)
    job = replace(config.job, limit=_PROBED, max_time_s=_PROBE_S)
    await discover(
        [first], replace(config, job=job), out=None, listener=count_candidates, take=found.append
    )
    images = sum(one.limit or _PROBED for one in queries)
    hosts = Counter(urlsplit(one.url).hostname or "" for one in found)
    total = sum(hosts.values())
    tried = images / _KEPT_SHARE[1]
    share = {host: math.ceil(n / total * tried) for host, n in hosts.most_common(_HOSTS)}
    return {
        "images": images,
        "time_s": [math.ceil(images / _IMAGES_S[1]), math.ceil(images / _IMAGES_S[0])],
        "bytes": [images * _IMAGE_BYTES[0], round(images * _IMAGE_BYTES[1] / _KEPT_SHARE[0])],
        "requests_by_host": share, "yield_by_source": dict(by_source), "from": "probe",
    }  # fmt: skip
