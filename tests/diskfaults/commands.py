"""Every command that writes, on a small data set: what it does, and the state that it leads to."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from tests.diskfaults.trials import Answer, Fault, Server, faults_of, state_of
from tests.pipeline.pictures import Host, encoded, fetch, manifest, scene

KILL: Final = -1  # in place of an error number: the process is killed at that call


class Command(NamedTuple):
    """Words, with `{}` for the data set and CAT1 for its first cat; `before` are commands that prepare it."""

    words: Sequence[str]
    before: Sequence[Sequence[str]] = ()
    output: str = ""  # the folder that it makes, beside the data set


COMMANDS: Final = {
    "label": Command(["label", "{}", "CAT2", "--to", "lynx"]),
    "label --undo": Command(["label", "{}", "--undo"], [["label", "{}", "CAT2", "--to", "lynx"]]),
    "reject": Command(["reject", "{}", "CAT1", "DOG1"]),
    "takedown": Command(["takedown", "{}", "CAT1"]),
    "restore": Command(["restore", "{}", "CAT1"], [["reject", "{}", "CAT1"]]),
    "undo": Command(["undo", "{}"], [["reject", "{}", "CAT1"]]),
    "dedup": Command(["dedup", "{}"]),
    "dedup --undo": Command(["dedup", "{}", "--undo", "COPY"]),
    "merge": Command(["merge", "{}", "-o", "{}-merged"], output="{}-merged"),
    "export": Command(["export", "{}", "--to", "imagefolder", "-o", "{}-out", "-q"]),
}


def prepare(folder: Path, host: Host) -> tuple[Path, str]:
    """Make a data set of two labels with one near duplicate set aside; return that one's SHA-256."""
    for number in range(6):
        host.answers[f"/{number}.png"] = encoded(scene(number), "PNG")
    host.answers["/copy.jpg"] = encoded(scene(0), "JPEG", quality=70)
    rows = [("cat", f"{host.url}/{name}") for name in ("0.png", "1.png", "2.png", "copy.jpg")]
    rows += [("dog", f"{host.url}/{number}.png") for number in (3, 4, 5)]
    root = fetch(manifest(folder / "list.jsonl", rows), folder / "base").root
    (aside,) = root.glob(".pixtrawl-quarantine-*")
    return Path(root), aside.name.removeprefix(".pixtrawl-quarantine-").partition(".")[0]


class CommandTrials:
    """Runs a command on copies of one data set."""

    def __init__(self, server: Server, base: Path, copy: str) -> None:
        self._server = server
        self._base = base
        cats, dogs = (sorted(base.glob(f"{label}/*")) for label in ("cat", "dog"))
        self._names = {
            "COPY": copy,
            "CAT1": f"cat/{cats[0].name}",
            "CAT2": f"cat/{cats[1].name}",
            "DOG1": f"dog/{dogs[0].name}",
        }

    def _fresh(self, name: str) -> Path:
        root = self._base.parent / "set"
        for old in self._base.parent.glob("set*"):
            shutil.rmtree(old)
        shutil.copytree(self._base, root)
        for words in COMMANDS[name].before:
            assert self._run(words, root).code == 0
        return root

    def _run(self, words: Sequence[str], root: Path, fault: Fault | None = None) -> Answer:
        given = [self._names.get(word, word).format(root) for word in words]
        return self._server.run(given, root, fault)

    def undisturbed(self, name: str) -> tuple[int, object]:
        """Return the number of calls of a command, and the state that it leads to."""
        root = self._fresh(name)
        answer = self._run(COMMANDS[name].words, root)
        assert answer.code == 0, answer.said
        return answer.calls, self._state(name, root)

    def _state(self, name: str, root: Path) -> object:
        command = COMMANDS[name]
        states = [state_of(root)]
        if command.output:
            states.append(state_of(Path(command.output.format(root))))
        exported = Path(f"{root}-out")
        files = sorted(
            (path.relative_to(exported).as_posix(), path.read_bytes())
            for path in exported.rglob("*")
            if path.is_file() and not path.name.startswith(".")
        )
        return [(sorted(found.values()), wrong) for found, wrong in states], files

    def wrong(self, name: str, fault: Fault, state: object) -> str:
        """Return what went wrong with a fault; "" if nothing."""
        root = self._fresh(name)
        killed = fault.error == KILL
        answer = self._run(COMMANDS[name].words, root, fault)
        said = f"{name}: {fault if not killed else f'kill at call {fault.at}'} ({answer.failed})"
        if not killed and (wrong := faults_of(answer)):
            return f"{said}: {wrong}"
        again = self._run(COMMANDS[name].words, root)
        # 2: what was decided before the fault is done by now.
        if again.code not in {0, 2} or "Traceback" in again.said:
            return f"{said}: again exit code {again.code}: {again.said[-300:]}"
        try:
            found = self._state(name, root)
        except (OSError, ValueError) as error:
            return f"{said}: {error!r} after {again.code} {again.said[-200:]}"
        return "" if found == state else f"{said}: {found} after {again.code} {again.said[-200:]}"
