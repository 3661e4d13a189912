"""Describe a published data set in Croissant 1.0, with fields of its responsible-AI vocabulary.

Croissant is the format by which dataset search engines and loaders understand a data set:
https://docs.mlcommons.org/croissant/docs/croissant-spec.html. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from pixtrawl.amounts import plural
from pixtrawl.folder.derived.card import Summary
from pixtrawl.folder.derived.features import Features

__all__ = ["DataFile", "croissant"]

_FORMAT: Final = "application/x-parquet"
_REPO: Final = "repo"
_RECORDS: Final = "default"
_SPLIT_URL: Final = "https://mlcommons.org/croissant/1.0#"
_SPLIT_KINDS: Final = {
    "train": "TrainingSplit",
    "validation": "ValidationSplit",
    "test": "TestSplit",
}
_TYPES: Final = {"int64": "sc:Integer", "float64": "sc:Float", "float32": "sc:Float",
                 "bool": "sc:Boolean"}  # fmt: skip
# The context that the specification asks for, appendix 1.
_PLAIN: Final = (
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject",
    "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField",
    "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator",
    "source", "subField", "transform",
)  # fmt: skip
_CONTEXT: Final[Mapping[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _PLAIN},
}
_LICENSES: Final = "each image has a licence claim of its own: column license_id"


class DataFile(Struct, frozen=True, kw_only=True):
    """A file of rows. `split` as the exporter names it."""

    name: str  # relative to the repository
    split: str
    size_bytes: int
    sha256: str


def croissant(  # noqa: PLR0913 - what a description is made of
    summary: Summary,
    features: Features,
    files: Sequence[DataFile],
    splits: Mapping[str, str],
    *,
    patterns: Mapping[str, Sequence[str]],
    title: str,
    url: str,
    version: str,
) -> dict[str, Any]:
    """Return the description as plain values for JSON.

    Args:
        summary: counts over the images.
        features: of the columns, `image` and `label` included.
        files: all files of rows.
        splits: the name of each split for loaders, by its name in the files' names.
        patterns: the globs of each split's files, as the card has them.
        title: of the data set.
        url: of its page; "" where it is published nowhere.
        version: a hash over its content.
    """
    found: dict[str, Any] = {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": [
            "http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0",
        ],
        "name": _name(title),
        "description": f"{plural(summary.images, 'image')} of "
        f"{plural(len(_labels(features)), 'label')}, found on the web, with "
        "source, page, creator and licence claim of each.",
        "license": _licenses(summary),
        "creator": {"@type": "sc:Organization", "name": url.split("/")[-2] if url else "unknown"},
        "citeAs": _cite(title, url, summary),
        "keywords": ["image", "web", *_labels(features)[:20]],
        "version": f"1.0.0+{version[:12]}",
        "isLiveDataset": False,
    }  # fmt: skip
    if summary.last:
        found["datePublished"] = summary.last
    if url:
        found["url"] = url
    found |= _responsible(summary)
    found["distribution"] = [*_distribution(files, splits, patterns, url)]
    found["recordSet"] = [*_record_sets(features, splits)]
    return found


def _name(title: str) -> str:
    """Return a title as a name that Croissant takes: letters, digits, `.`, `-` and `_`."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", title).strip("_") or "images"


def _labels(features: Features) -> list[str]:
    return list(features["label"]["names"])


def _licenses(summary: Summary) -> list[str]:
    """Return the URLs (or words) of all licences claimed, the most frequent first."""
    ranked = sorted(summary.licenses.items(), key=lambda item: (-item[1], item[0]))
    stated = (url or claim for (claim, url), _ in ranked if claim.strip() or url)
    return [*list(dict.fromkeys(stated))[:50], _LICENSES]


def _cite(title: str, url: str, summary: Summary) -> str:
    year = summary.last[:4] or "n.d."
    where = f", url={{{url}}}" if url else ""
    name = re.sub(r"[{}\\]", "", title)
    return f"@misc{{{_name(title)}, title={{{name}}}, year={{{year}}}{where}}}"


def _responsible(summary: Summary) -> dict[str, Any]:
    """Return what is known of the making of the data set, in the terms of Croissant RAI 1.0."""
    sources = ", ".join(f"{name} ({count:,})" for name, count in summary.sources.most_common())
    noes = summary.preferences["train", "no"]
    unknown = sum(count for (claim, _), count in summary.licenses.items() if not claim.strip())
    frame = [day for day in (summary.first, summary.last) if day]
    found: dict[str, Any] = {
        "rai:dataCollection": "Images were found by queries at search sources and in lists of "
        "addresses, and downloaded with pixtrawl, which honours robots.txt and the opt-outs of "
        f"owners. Sources: {sources or 'unknown'}.",
        "rai:dataCollectionType": ["Web Scraping"],
        "rai:dataCollectionRawData": "Address, page, title, creator and licence claim of each "
        "image are columns; the bytes are as served unless the columns original_* are there.",
        "rai:dataPreprocessingProtocol": [
            "Every file was decoded in full; damaged files, placeholders and logos were left out.",
            "Exact and near duplicates were removed; splits keep near duplicates on one side.",
        ],
        "rai:dataAnnotationProtocol": "The label is the query by which an image was found, unless "
        "a person moved it; labels were not verified one by one.",
        "rai:dataBiases": "What search sources rank high is over-represented: popular objects, "
        "clean views, English-speaking sites.",
        "rai:dataLimitations": "Licences are claims of the sources and were not verified; "
        f"{unknown:,} images have none. {noes:,} images have owners that refuse training.",
        "rai:personalSensitiveInformation": "Images of people may be among them; faces were "
        "neither looked for nor hidden.",
        "rai:dataUseCases": "Training and evaluation of image classifiers.",
        "rai:dataSocialImpact": "Not assessed. Check labels and licences before use.",
        "rai:dataReleaseMaintenancePlan": "Owners can have images removed; they are then left "
        "out of later versions for good.",
    }
    if frame:
        found["rai:dataCollectionTimeframe"] = frame
    return found


def _distribution(
    files: Sequence[DataFile],
    splits: Mapping[str, str],
    patterns: Mapping[str, Sequence[str]],
    url: str,
) -> Iterator[dict[str, Any]]:
    """Yield the repository, its files with their hashes, and the set of files of each split."""
    yield {
        "@type": "cr:FileObject",
        "@id": _REPO,
        "name": _REPO,
        "description": "The repository of the data set.",
        "contentUrl": f"{url}/tree/main" if url else ".",
        "encodingFormat": "git+https",
        # of a repository there is none: https://github.com/mlcommons/croissant/issues/80
        "sha256": "https://github.com/mlcommons/croissant/issues/80",
    }
    for file in files:
        yield {
            "@type": "cr:FileObject",
            "@id": file.name,
            "name": file.name.rpartition("/")[2],
            "containedIn": {"@id": _REPO},
            "contentUrl": file.name,
            "contentSize": f"{file.size_bytes} B",
            "encodingFormat": _FORMAT,
            "sha256": file.sha256,
        }
    yield {
        "@type": "cr:FileSet",
        "@id": "shards",
        "name": "shards",
        "description": f"Rows with images; splits: {', '.join(splits.values())}.",
        "containedIn": {"@id": _REPO},
        "encodingFormat": _FORMAT,
        "includes": [one for split in splits for one in patterns[split]],
    }


def _record_sets(features: Features, splits: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    yield {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [_inline("splits", "name", "sc:Text"), _inline("splits", "url", "sc:URL")],
        "data": [
            {"splits/name": name, "splits/url": f"{_SPLIT_URL}{_SPLIT_KINDS.get(shown, 'Split')}"}
            for name, shown in splits.items()
        ],
    }
    yield {
        "@type": "cr:RecordSet",
        "@id": "labels",
        "name": "labels",
        "dataType": "sc:Enumeration",
        "key": {"@id": "labels/number"},
        "field": [_inline("labels", "number", "sc:Integer"), _inline("labels", "name", "sc:Text")],
        "data": [
            {"labels/number": number, "labels/name": name}
            for number, name in enumerate(_labels(features))
        ],
    }
    yield {
        "@type": "cr:RecordSet",
        "@id": _RECORDS,
        "name": _RECORDS,
        "description": "One record for each image.",
        "field": [_split_field(), *(_field(name, one) for name, one in features.items())],
    }


def _inline(records: str, name: str, kind: str) -> dict[str, Any]:
    return {"@type": "cr:Field", "@id": f"{records}/{name}", "name": name, "dataType": kind}


def _split_field() -> dict[str, Any]:
    return {
        **_inline(_RECORDS, "split", "sc:Text"),
        "references": {"field": {"@id": "splits/name"}},
        "source": {
            "fileSet": {"@id": "shards"},
            "extract": {"fileProperty": "fullpath"},
            # the tail is optional: mlcroissant applies it to its own result once more
            "transform": {"regex": r"^(?:.*/)?(\w+?)(?:-\d{5,}-of-\d{5,}\.parquet)?$"},
        },
    }


def _field(name: str, feature: Mapping[str, Any]) -> dict[str, Any]:
    source: dict[str, Any] = {"fileSet": {"@id": "shards"}, "extract": {"column": name}}
    kind = feature["_type"]
    if kind == "Image":
        source["transform"] = {"jsonPath": "bytes"}
        return {**_inline(_RECORDS, name, "sc:ImageObject"), "source": source}
    if kind == "ClassLabel":
        return {
            **_inline(_RECORDS, name, "sc:Integer"),
            "references": {"field": {"@id": "labels/number"}},
            "source": source,
        }
    if kind == "Sequence":
        return {**_inline(_RECORDS, name, "sc:Float"), "repeated": True, "source": source}
    return {**_inline(_RECORDS, name, _TYPES.get(feature["dtype"], "sc:Text")), "source": source}
