"""The third-party scripts of the studio's page: pinned, compared with their hashes, laid once."""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.util
import io
import json
import re
import subprocess
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.studio.fake_server import WEB

ROOT = Path(__file__).parents[2]
PIECES = {
    "preact": ("preact-11.2.0.tgz", ["dist/preact.mjs", "hooks/dist/hooks.mjs"]),
    "@preact/signals": ("preact-signals-2.11.4.tgz", ["dist/signals.mjs"]),
    "@preact/signals-core": ("preact-signals-core-1.14.5.tgz", ["dist/signals-core.mjs"]),
    "htm": ("htm-3.1.1.tgz", ["dist/htm.mjs"]),
}


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("studio_web", ROOT / "scripts/studio_web.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def archive(names: list[str]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name in [*names, "LICENSE"]:
            content = f'import{{h}}from"preact";// {name}\n//# sourceMappingURL=x.map'.encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with a lock, and an `npm` whose `pack` hands out archives."""
    shop, places = tmp_path / "shop", tmp_path / "bin"
    shop.mkdir()
    places.mkdir()
    packages = {}
    for package, (name, inside) in PIECES.items():
        content = archive(inside)
        (shop / name).write_bytes(content)
        digest = base64.b64encode(hashlib.sha512(content).digest()).decode()
        version = name.removesuffix(".tgz").rpartition("-")[2]
        packages[f"node_modules/{package}"] = {"version": version, "integrity": f"sha512-{digest}"}
    root = tmp_path / "tree"
    root.mkdir()
    (root / "package-lock.json").write_text(json.dumps({"packages": packages}))
    npm = places / "npm"
    npm.write_text(
        f'#!/bin/sh\necho "$@" >>"{places}/calls"\n'
        'while [ "$1" != --pack-destination ]; do shift; done\n'
        f'cp "{shop}"/*.tgz "$2"\n'
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{places}:/usr/bin:/bin")
    return root


def vendor(tree: Path) -> Path:
    return tree / "src/pixtrawl/studio/web/vendor"


def test_scripts_are_laid_with_relative_imports_and_licences(
    script: ModuleType, tree: Path
) -> None:
    assert script.lay(tree)
    text = (vendor(tree) / "preact-hooks.js").read_text()
    assert 'from"./preact.js"' in text
    assert "sourceMappingURL" not in text
    assert len(list(vendor(tree).glob("*-LICENSE.txt"))) == len(PIECES)


def test_a_second_call_fetches_nothing_and_a_damaged_file_is_laid_anew(
    script: ModuleType, tree: Path
) -> None:
    calls = tree.parent / "bin" / "calls"
    script.lay(tree)
    assert not script.lay(tree)
    assert len(calls.read_text().splitlines()) == 1
    (vendor(tree) / "htm.js").write_text("other")
    assert script.lay(tree)
    assert "other" not in (vendor(tree) / "htm.js").read_text()


def test_an_archive_that_is_not_that_of_the_lock_is_refused(script: ModuleType, tree: Path) -> None:
    other = tree.parent / "shop" / "htm-3.1.1.tgz"
    other.write_bytes(gzip.compress(b"something else"))
    with pytest.raises(script.FetchError, match=r"htm-3\.1\.1\.tgz is not the archive"):
        script.lay(tree)
    assert not vendor(tree).exists()


def test_without_network_one_sentence_says_so(
    script: ModuleType,
    tree: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tree.parent / "bin" / "npm").write_text("#!/bin/sh\necho npm error EAI_AGAIN >&2\nexit 1\n")
    lay = script.lay
    monkeypatch.setattr(script, "lay", lambda: lay(tree))
    assert script.main() == 1
    assert capsys.readouterr().err == (
        "studio: npm could not fetch the scripts of the studio's page: npm error EAI_AGAIN "
        "(the studio will say so; all else works).\n"
    )


def test_the_lock_names_no_host_and_pins_what_is_taken(script: ModuleType) -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert re.findall(r"https?://", text) == []
    packages = json.loads(text)["packages"]
    for package in script.TAKEN:
        assert packages[f"node_modules/{package}"]["integrity"].startswith("sha512-")


def test_the_scripts_of_the_page_are_under_150_kb_compressed() -> None:
    total = sum(
        len(gzip.compress(path.read_bytes()))
        for path in WEB.rglob("*.js")
        if "node_modules" not in path.parts
    )
    assert total < 150_000


def test_the_page_has_no_inline_script_or_style_and_no_foreign_address() -> None:
    page = (WEB / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bon\w+=|\bstyle=|<style", page)
    own = [*WEB.glob("*.js"), *WEB.glob("*.css"), *WEB.glob("*.html")]
    for path in own:
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"""["'(]https?://|innerHTML|dangerouslySet|\beval\(|new Function""", text
        ), path


def test_git_holds_no_third_party_script() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "src/pixtrawl/studio/web/vendor"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert listed.stdout == ""
