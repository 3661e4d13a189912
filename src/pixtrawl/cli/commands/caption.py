"""`pixtrawl caption`: show, write or change captions of images."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pixtrawl.cli.options import add_output

if TYPE_CHECKING:
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.pipeline.curating.deciding import Recorded

_EPILOG = """\
A file is given by its path, or relative to the data set; the folder of a label stands for all of
its images. Written captions win over collected ones in every export, are never overwritten, and
follow their image to another label or a better copy. Without an option the captions are shown. You
can write captions during a run.

examples:
  pixtrawl caption images "cat/000012.jpg" --text "a tabby cat on a red sofa"
  pixtrawl caption images --find "a photo of" --replace "a picture of"
  pixtrawl caption images "cat" --reset
  pixtrawl caption images --txt
  pixtrawl caption images --caption 'alt,title,template:a photo of {label}'
  pixtrawl undo images

exit codes: 0 recorded, 2 no such image, or nothing to change
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "caption",
        usage="%(prog)s [DIR] [FILE...] [--text TEXT | --find WORDS --replace WORDS | --reset]",
        help="show, write or change captions of images",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", metavar="FILE", nargs="*", help="image files or label folders")
    parser.add_argument("--text", metavar="TEXT", help='the caption; "" for none')
    parser.add_argument(
        "--find", metavar="WORDS", help="words to replace, in all captions or FILEs"
    )
    parser.add_argument("--replace", metavar="WORDS", help='in their place; "" drops them')
    parser.add_argument(
        "--reset", action="store_true", help="drop written captions: collected ones hold again"
    )
    parser.add_argument(
        "--caption",
        metavar="ORIGIN[,ORIGIN...]",
        help="choose the origins for the data set, the first there is: title, alt, file, page, "
        "query, template:TEXT, model, hand; none",
    )
    parser.add_argument(
        "--origin",
        choices=("hand", "model"),
        default="hand",
        help="of --text: a model's text never replaces one written by hand (default: hand)",
    )
    parser.add_argument(
        "--txt", action="store_true",
        help="write each caption into a text file beside its image (000012.txt), for trainers that "
        "read the folder; files that you edit are kept, and their text becomes the caption",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="DIR", help="data set folder")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code: 0 once the decision is on the disk."""
    from pixtrawl.captions import read_chain
    from pixtrawl.errors import EXIT_OK
    from pixtrawl.folder.derived import caption_files
    from pixtrawl.pipeline.curating import captioning
    from pixtrawl.pipeline.finished.opened import split_root

    folder, names = split_root(arguments.files, arguments.output, command="caption")
    _check(arguments)
    chain = read_chain("--caption", arguments.caption)
    if chain is not None:
        captioning.choose(folder, chain)
    if arguments.txt or caption_files.is_in_use(folder.root):
        _take_edited(folder)
    done = _decided(folder, names, arguments)
    if done is not None:
        _print(done, as_json=arguments.json)
    if arguments.txt:
        _write_files(folder, as_json=arguments.json)
    elif done is None and (chain is None or names):
        _show(folder, names, as_json=arguments.json)
    return EXIT_OK


def _decided(folder: Folder, names: list[str], arguments: argparse.Namespace) -> Recorded | None:
    """Carry out `--text`, `--reset` or `--find`; None without one of them."""
    from pixtrawl.errors import UsageError
    from pixtrawl.pipeline.curating import captioning

    if arguments.text is not None or arguments.reset:
        if not names:
            raise UsageError("of which images? give FILE or the folder of a label")
        if arguments.reset:
            return captioning.reset(folder, names, who="cli")
        text, origin = arguments.text, arguments.origin
        return captioning.caption(folder, names, text, who="cli", origin=origin)
    if arguments.find is None:
        return None
    words = (arguments.find, arguments.replace)
    done = captioning.replace_words(folder, names, *words, who="cli")
    if not done.records:
        raise UsageError(f"no caption has the words {arguments.find!r}")
    return done


def _check(arguments: argparse.Namespace) -> None:
    from pixtrawl.errors import UsageError

    given = [arguments.text is not None, arguments.find is not None, arguments.reset]
    if sum(given) > 1:
        raise UsageError("give one of --text, --find and --reset")
    if (arguments.find is None) != (arguments.replace is None):
        raise UsageError("--find and --replace belong together")


def _take_edited(folder: Folder) -> None:
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import note
    from pixtrawl.pipeline.curating import captioning

    taken = captioning.take_edited(folder, who="cli")
    if taken is not None:
        note(f"{plural(len(taken.records), 'edited text file')} taken as captions by hand")


def _write_files(folder: Folder, *, as_json: bool) -> None:
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.pipeline.curating import captioning

    done = captioning.write_files(folder)
    if as_json:
        out_json({"written": done.written, "kept": done.kept, "removed": done.removed})
        return
    others = f"; {done.kept:,} of yours kept as they are" if done.kept else ""
    gone = f"; {done.removed:,} removed" if done.removed else ""
    out(f"{plural(done.written, 'text file')} written beside images{gone}{others}")


def _print(done: Recorded, *, as_json: bool) -> None:
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import out, out_json

    if as_json:
        files = [one.file_name for one in done.records]
        out_json({"batch": done.batch, "files": files, "by_run": done.by_run})
        return
    changed = sum(effect.changed for effect in done.effects)
    count = len(done.records) if done.by_run else changed
    tail = "; the run at work carries it out" if done.by_run else ""
    kept = 0 if done.by_run else len(done.records) - changed
    if kept:
        tail = f"; {plural(kept, 'image')} had it already, or one written by hand"
    out(f"{plural(count, 'caption')} written{tail}")


def _show(folder: Folder, names: list[str], *, as_json: bool) -> None:
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.pipeline.curating import captioning

    found = captioning.present(folder, names)
    if as_json:
        rows = [
            {"file": name, "caption": one.text, "caption_origin": one.origin} for name, one in found
        ]
        out_json({"captions": rows})
        return
    out("\n".join(f"{clean(name)}\t{one.origin}\t{clean(one.text)}" for name, one in found))
