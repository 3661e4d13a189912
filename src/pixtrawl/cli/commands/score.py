"""`pixtrawl score`: score images by an ONNX model, into columns of the data set."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings

if TYPE_CHECKING:
    from pixtrawl.config.groups import Config
    from pixtrawl.scoring.models.known_models import KnownModel
    from pixtrawl.scoring.score import ScoreResult

_EPILOG = """\
MODEL is an ONNX file with a description beside it (MODEL.toml: input and meaning of the outputs), a
folder of an image-text pair, or a known model, which is fetched at its first use (--list shows
them). Columns are filters (export --where), orders and fields of metadata.jsonl and exports.
Scoring is resumed by the same command; nothing is deleted.

examples:
  pixtrawl score images --model nsfw --as nsfw --yes
  pixtrawl score images --model models/quality.onnx --as quality
  pixtrawl export images --to csv -o good.csv --where 'quality>=0.5'
"""
_SETTINGS = frozenset({"models.base_url", "models.folder"})


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "score",
        usage="%(prog)s DIR --model MODEL --as NAME [--yes] [OPTIONS]\n"
        "       pixtrawl score DIR --remove NAME\n       pixtrawl score --list",
        help="score images by a model",
        description=__doc__,
        epilog=_EPILOG,
    )
    parser.add_argument("folder", metavar="DIR", nargs="?", help="data set folder")
    parser.add_argument("--model", metavar="MODEL", help="ONNX file, folder, or known model")
    parser.add_argument("--as", dest="name", metavar="NAME", help="name of the column")
    parser.add_argument("--remove", metavar="NAME", help="remove the columns of this name")
    parser.add_argument("--list", action="store_true", help="list the known models")
    parser.add_argument("--yes", action="store_true", help="fetch a known model without asking")
    add_scoring(parser, device="auto")
    add_settings(parser, _SETTINGS)
    add_config(parser)
    add_output(parser)


def add_scoring(parser: argparse.ArgumentParser, device: str) -> None:
    """Add the options that all scoring commands share."""
    parser.add_argument("--batch", metavar="N", type=int, default=32, help="images at a time (32)")
    parser.add_argument(
        "--device", metavar="NAME", default=device,
        help=f"auto, cpu, cuda, rocm, directml or coreml ({device})",
    )  # fmt: skip
    parser.add_argument(
        "--prompt", metavar="TEXT", default="a photo of {}",
        help="text to compare with, {} standing for the query (default: 'a photo of {}')",
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--outliers", action="store_true",
        help="flag images that score far lower than the rest of their query (default)",
    )  # fmt: skip
    which.add_argument(
        "--flag-below", metavar="X", type=float, help="flag images that score below X"
    )
    parser.add_argument(
        "--duplicates", metavar="COSINE", type=float,
        help="list images of a label whose embeddings have at least this cosine, such as 0.95",
    )  # fmt: skip


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code: 0, or 4 where there is no image to score."""
    from pixtrawl.display.screen import out
    from pixtrawl.errors import EXIT_OK, UsageError
    from pixtrawl.folder.dataset_folder import Folder

    if arguments.list:
        out("\n".join(_known_lines()))
        return EXIT_OK
    if arguments.folder is None:
        raise UsageError("score wants DIR, the data set folder")
    if arguments.remove is not None:
        from pixtrawl.scoring.removing import remove_scores

        columns = remove_scores(Folder(arguments.folder), arguments.remove)
        out(f"removed: {', '.join(columns)}")
        return EXIT_OK
    given = {"--model MODEL": arguments.model, "--as NAME": arguments.name}
    if missing := [option for option, value in given.items() if value is None]:
        raise UsageError(f"score wants {' and '.join(missing)} (see pixtrawl score --help)")
    return run_scoring(arguments, arguments.name, load_settings(arguments).config)


def run_scoring(arguments: argparse.Namespace, name: str, config: Config) -> int:
    """Score the data set of the command line into the column `name`; print the result."""
    from pixtrawl.display.screen import note, out, out_json
    from pixtrawl.errors import EXIT_NOTHING, EXIT_OK
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.scoring.models.loading import load_any
    from pixtrawl.scoring.score import ScoreOptions, score

    options = ScoreOptions(
        name=name,
        batch=arguments.batch,
        prompt=arguments.prompt,
        flag_below=arguments.flag_below,
        duplicates=arguments.duplicates,
    )
    folder = Folder(arguments.folder)
    folder.require()
    fetching = ModelFetch(arguments, config, folder)
    model = load_any(arguments.model, arguments.device, fetching)
    show = shows_progress(arguments)
    found = score(folder, model, options, _show if show else None, note=fetching.note)
    if show:
        sys.stderr.write("\n")
    if not arguments.quiet:
        for one in found.unreadable:
            note(f"{one.file_name}: {one.why}")
    if arguments.json:
        out_json(as_json(found))
    else:
        out("\n".join(_lines(found)))
    return EXIT_OK if any(one.images for one in found.columns) else EXIT_NOTHING


def shows_progress(arguments: argparse.Namespace) -> bool:
    """Return whether progress is shown on stderr."""
    return not (arguments.quiet or arguments.no_progress) and sys.stderr.isatty()


class ModelFetch:
    """Fetches a known model after consent; `note` then says where its files are from."""

    def __init__(self, arguments: argparse.Namespace, config: Config, folder: Any) -> None:
        self._arguments = arguments
        self._config = config
        self._folder = folder
        self.note: dict[str, object] = {}

    def __call__(self, known: KnownModel) -> Path:
        """Return the folder of the model. Raises UsageError without consent."""
        from pixtrawl.cli.loop import run_loop
        from pixtrawl.scoring.models.fetching import fetch_model, is_here, recorded
        from pixtrawl.scoring.removing import recorded_hashes

        if not is_here(self._config, known):
            self._consent(known)
        folder, _ = run_loop(
            fetch_model(
                self._config, known, expected=recorded_hashes(self._folder, known.name),
                on_progress=_fetched if shows_progress(self._arguments) else _silent,
            )
        )  # fmt: skip
        self.note = {"name": known.name, **recorded(self._config)[known.name]}
        return Path(folder)

    def _consent(self, known: KnownModel) -> None:
        from pixtrawl.errors import UsageError

        where = f"{self._config.models.base_url.rstrip('/')}/{known.repository}"
        if self._arguments.yes:
            return
        if sys.stdin.isatty() and sys.stderr.isatty():
            sys.stderr.write(
                f"{known.name} ({known.what}, {known.licence}) is at {where}. Fetch it? [y/N] "
            )
            sys.stderr.flush()
            if sys.stdin.readline().strip().lower() in {"y", "yes"}:
                return
        raise UsageError(
            f"--model {known.name} is not on this computer; --yes fetches it from {where} "
            f"(licence: {known.licence}; the files' own: {where}/blob/main/README.md)"
        )


def _silent(name: str, done: int, whole: int | None) -> None:
    """Show nothing."""


def _fetched(name: str, done: int, whole: int | None) -> None:
    share = f" of {whole / 1e6:,.1f}" if whole else ""
    sys.stderr.write(f"\r{name}: {done / 1e6:,.1f}{share} MB fetched ")
    sys.stderr.flush()


def _show(done: int) -> None:
    sys.stderr.write(f"\r{done:,} images scored")
    sys.stderr.flush()


def as_json(found: ScoreResult) -> dict[str, object]:
    """Return the result as an object for `--json`."""
    import msgspec

    return {
        "model": found.model,
        "embedded": found.embedded,
        "columns": msgspec.to_builtins(found.columns),
        "queries": [
            {
                "query": one.text,
                "label": one.label,
                "images": one.images,
                "median": round(one.median, 4),
                "flagged_below": None if one.limit is None else round(one.limit, 4),
                "flagged": [{"file_name": n, "score": round(s, 4)} for n, s in one.flagged],
            }
            for one in found.queries
        ],
        "duplicates": [
            {"file_name": d.file_name, "of": d.of, "cosine": round(d.cosine, 4)}
            for d in found.duplicates
        ],
        "unreadable": [{"file_name": u.file_name, "why": u.why} for u in found.unreadable],
    }


def _known_lines() -> list[str]:
    from pixtrawl.display.screen import columns
    from pixtrawl.scoring.models.known_models import KNOWN

    rows = [("name", "gives", "repository", "licence")]
    rows += [(one.name, one.what, one.repository, one.licence) for one in KNOWN.values()]
    return [columns(rows)]


def _lines(found: ScoreResult) -> list[str]:
    if found.queries:
        return query_lines(found)
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import clean, columns

    numbers = [one for one in found.columns if one.type == "float" and one.images]
    if not any(one.images for one in found.columns):
        return ["no image to score"]
    rows = [("column", "images", "lowest", "median", "highest")]
    for one in numbers:
        low, middle, high = (f"{v or 0:.3f}" for v in (one.lowest, one.median, one.highest))
        rows.append((one.name, f"{one.images:,}", low, middle, high))
    lines = [columns(rows, right=(1, 2, 3, 4))] if numbers else []
    for one in found.columns:
        lines += [f"{one.name}: {clean(text)} ({n:,})" for text, n in one.most]
    return [*lines, f"{plural(found.columns[0].images, 'image')} scored (none deleted)"]


def query_lines(found: ScoreResult) -> list[str]:
    """Return the lines of a scoring that compares images with their query or label."""
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import clean, columns

    if not found.queries:
        return ["no image to score"]
    rows = [("query", "images", "median", "flagged")]
    rows += [
        (clean(one.text), f"{one.images:,}", f"{one.median:.3f}", f"{len(one.flagged):,}")
        for one in found.queries
    ]
    lines = [columns(rows, right=(1, 2, 3))]
    flagged = [pair for one in found.queries for pair in one.flagged]
    lines += [f"{value:6.3f}  {clean(name)}" for name, value in flagged]
    lines += [
        f"{d.cosine:6.3f}  {clean(d.file_name)}  like {clean(d.of)}" for d in found.duplicates
    ]
    total = sum(one.images for one in found.queries)
    return [*lines, f"{plural(total, 'image')} scored, {len(flagged):,} flagged (none deleted)"]
