"""Pages that pictures stand on, robots.txt, and the table of credits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape

from pixtrawl.playground.faults.faultline import FaultTruth
from pixtrawl.playground.faults.owners import ROBOTS_LINES, TDMREP
from pixtrawl.playground.messages import ServerRequest, ServerResponse
from pixtrawl.playground.search.listing import Listings, Original

ROBOTS = (
    "User-agent: *\n"
    "Disallow: /private/\n"
    "Disallow: /gallery/private/\n"
    "Disallow: /fault/robots-disallowed/\n"
    "Disallow: /search\n"
    "Disallow: /images/search\n"
    "Disallow: /images/async\n"
    "Allow: /private/open/\n"
    f"{ROBOTS_LINES}"
    "\n"
    "Sitemap: http://{host}/sitemap.xml\n"
)


def robots(request: ServerRequest) -> ServerResponse:
    """Return the robots.txt of any host (RFC 9309)."""
    body = ROBOTS.format(host=request.host).encode()
    return ServerResponse(body, content_type="text/plain; charset=utf-8")


def tdmrep() -> ServerResponse:
    """Return the tdmrep.json of any host (TDM Reservation Protocol)."""
    return ServerResponse(TDMREP, content_type="application/json")


def landing_page(entry: Original) -> ServerResponse:
    """Return the page of one picture, with og:image and JSON-LD of licence and creator."""
    traits = entry.traits
    about: dict[str, object] = {
        "@context": "https://schema.org", "@type": "ImageObject", "contentUrl": entry.url,
        "name": entry.title, "width": entry.width, "height": entry.height,
        "creator": {"@type": "Person", "name": traits.creator},
    }  # fmt: skip
    if traits.license_url:
        about["license"] = traits.license_url
    title, url = escape(entry.title), escape(entry.url, quote=True)
    data = json.dumps(about).replace("<", "\\u003c")
    return ServerResponse(
        (
            f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title}</title>"
            f"<meta property='og:image' content='{url}'>"
            f"<meta property='og:title' content='{title}'>"
            f"<script type='application/ld+json'>{data}</script></head><body><h1>{title}</h1>"
            f"<figure><img src='{url}' width='{entry.width}' height='{entry.height}' alt='{title}'>"
            f"<figcaption>Picture: {escape(traits.creator)}, {escape(traits.license)}</figcaption>"
            "</figure></body></html>"
        ).encode()
    )


def faults_page(truths: Iterable[FaultTruth]) -> ServerResponse:
    """Return a table of all faults, with links."""
    rows = "".join(
        f"<tr><td><a href='{escape(truth.url[:2000], quote=True)}'>{truth.name}</a></td>"
        f"<td>{escape(truth.sentence)}</td><td>{truth.reason}</td></tr>"
        for truth in truths
    )
    return ServerResponse(f"<!doctype html><title>Faults</title><table>{rows}</table>".encode())


def credits_table(listings: Listings, query: str) -> str:
    """Who made what under which licence, as tab-separated lines with a header."""
    rows = ["url\ttitle\tcreator\tlicense\tlicense_url"]
    for entry in listings.all(query):
        t = entry.traits
        rows.append("\t".join([entry.url, entry.title, t.creator, t.license, t.license_url or ""]))
    return "\n".join(rows) + "\n"
