"""A data set whose pictures have texts of every origin."""

from __future__ import annotations

import json
from pathlib import Path

import pixtrawl
from tests.pipeline.pictures import Answer, fetch, jpeg, scene, serving

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description>'
    '<dc:description><rdf:Alt><rdf:li xml:lang="de">Ein Fuchs im Schnee</rdf:li>'
    '<rdf:li xml:lang="x-default">A fox in deep snow</rdf:li></rdf:Alt></dc:description>'
    "{more}</rdf:Description></rdf:RDF></x:xmpmeta>"
)
AI = (
    "<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/"
    "trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>"
)


def xmp(more: str = "") -> bytes:
    return XMP.format(more=more).encode()


def foxes(folder: Path, **settings: object) -> pixtrawl.Dataset:
    """Six pictures of two labels: alt, title, page, file, nothing, made by AI."""
    answers: dict[str, Answer] = {
        "/alt.jpg": jpeg(scene(1)), "/title.jpg": jpeg(scene(2)), "/page.jpg": jpeg(scene(3)),
        "/file.jpg": jpeg(scene(4), xmp=xmp()), "/bare.jpg": jpeg(scene(5)),
        "/ai.jpg": jpeg(scene(6), xmp=xmp(AI)),
    }  # fmt: skip
    texts = {
        "/alt.jpg": {"alt": "Image of a red fox | Shutterstock", "title": "IMG_0001.jpg"},
        "/title.jpg": {"title": "Two foxes at play - Stock Photo"},
        "/page.jpg": {"page_text": "The fox sleeps in its den."},
    }
    with serving(answers) as host:
        lines = [
            {
                "query": "red fox" if path < "/b" else "arctic fox", "url": host.url + path,
                "source": "page", "rank": rank, **texts.get(path, {}),
            }
            for rank, path in enumerate(answers, 1)
        ]  # fmt: skip
        file = folder / "m.jsonl"
        file.write_text("\n".join(map(json.dumps, lines)))
        return fetch(file, folder / "images", **settings)


def rows(path: Path) -> dict[str, dict[str, object]]:
    """The rows of a metadata.jsonl, by the name of the picture at its host."""
    found = map(json.loads, path.read_text().splitlines())
    return {str(row["url"]).rpartition("/")[2].partition(".")[0]: row for row in found}
