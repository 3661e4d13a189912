"""Checks of this computer, each with a status and the next step.

They block, for up to half a minute in all; call them in a thread inside an event loop.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.metadata
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pixtrawl import sources
from pixtrawl.config.groups import Config
from pixtrawl.config.user_agent import HOW_TO_SET, has_contact, user_agent
from pixtrawl.errors import EngineError, PixtrawlError, UsageError
from pixtrawl.operations.check import FAIL, OK, WARN, Check
from pixtrawl.operations.network_checks import network

# Import name, distribution, and whether it is optional.
_PACKAGES: Final = (
    ("pycurl", "pycurl", False),
    ("simplejpeg", "simplejpeg", False),
    ("PIL.Image", "pillow", False),
    ("numpy", "numpy", False),
    ("selectolax.lexbor", "selectolax", False),
    ("can_ada", "can-ada", False),
    ("uvloop", "uvloop", True),
)
_LITTLE_BYTES: Final = 2**30
_TOO_LITTLE_BYTES: Final = 100 * 2**20
_DECODER_TIMEOUT_S: Final = 20.0


def python() -> Iterator[Check]:
    """Check the interpreter and that each compiled package can be imported."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", OK, f"{version}, {sys.platform}")
    for module, package, optional in _PACKAGES:
        if package == "uvloop" and sys.platform == "win32":
            continue
        try:
            importlib.import_module(module)
            yield Check(package, OK, importlib.metadata.version(package))
        except ImportError as error:
            status = WARN if optional else FAIL
            yield Check(package, status, str(error), f"pip install --force-reinstall {package}")


def decoders(config: Config) -> Iterator[Check]:
    """Start a decoder pool, as a run does, and report which containment measures are active."""
    from pixtrawl.images.decoders import containment_report
    from pixtrawl.images.decoders.pool import DecoderPool

    async def start(staging: str) -> tuple[dict[str, bool], int]:
        pool = DecoderPool(config.images, Path(staging))
        try:
            await asyncio.wait_for(pool.prepare(), _DECODER_TIMEOUT_S)
            return dict(pool.containment()), pool.held or 0
        finally:
            await pool.aclose()

    try:
        with tempfile.TemporaryDirectory(prefix="pixtrawl-doctor-") as staging:
            held, bits = asyncio.run(start(staging))
    except (EngineError, TimeoutError) as error:
        yield Check("decoders", FAIL, str(error) or "did not start in time", "see the line above")
        return
    lacking = [name for name, holds in held.items() if not holds]
    if lacking:
        step = "this system lacks it; run in a container or virtual machine of its own"
        yield Check("decoders", WARN, f"start, but without {', '.join(lacking)}", step)
    else:
        yield Check("decoders", OK, f"contained: {', '.join(held)}")
    for one in containment_report.report(bits):
        yield Check(f"- {one.topic}", OK if one.holds else WARN, f"a decoder {one.sentence}")


def browser(config: Config) -> Iterator[Check]:
    """Check the browser and its driver; failures are warnings unless a chosen source needs it."""
    from pixtrawl.browser import executable as browser_path

    names = sources.expand(config.job.sources, config.sources)
    needed = [name for name in names if "browser" in sources.load(name).info.needs]
    worst = FAIL if needed else WARN
    why = f" (needed by {', '.join(needed)})" if needed else " (only some sources need it)"
    found = browser_path.find_browser()
    if found is None:
        message = browser_path.missing_message() + why
        yield Check("browser", worst, message, browser_path.install_command())
    else:
        yield Check("browser", OK, f"{found.path} ({found.how})")
    if importlib.util.find_spec("playwright") is None:
        step = "pip install 'pixtrawl[browser]'"
        if browser_path.can_drive():
            worst, why = OK, " (only windows, kept profiles and proxies need it here)"
        yield Check("playwright", worst, f"not installed{why}", step)
    else:
        yield Check("playwright", OK, importlib.metadata.version("playwright"))
    if found is not None and not browser_path.has_display():
        step = "to solve a captcha by hand: xvfb-run pixtrawl run …"
        yield Check("display", WARN if needed else OK, "none: browsers run without a window", step)


def contact(config: Config) -> Iterator[Check]:
    """Check that the User-Agent has a contact, as the rules of Wikimedia and others require."""
    if has_contact(config.fetch):
        yield Check("contact", OK, user_agent(config.fetch))
    else:
        message = "no contact is set: a site that objects cannot reach you"
        yield Check("contact", WARN, message, HOW_TO_SET)


def chosen_sources(config: Config) -> Iterator[Check]:
    """Check that each chosen source has what it needs, such as a key or a browser."""
    for name in sources.expand(config.job.sources, config.sources):
        lacking = sources.missing(name, config.sources)
        if lacking:
            yield Check(f"source {name}", FAIL, "; ".join(lacking), f"pixtrawl sources {name}")
        else:
            yield Check(f"source {name}", OK, "has what it needs")


def disk(config: Config) -> Iterator[Check]:
    """Check that the data set folder is writable, has free space, and is not in use."""
    from pixtrawl.folder.dataset_folder import Folder, in_use

    folder = Folder(config.job.output)
    there = next(one for one in (folder.root, *folder.root.absolute().parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"pixtrawl")
    except OSError as error:
        step = "choose another folder with -o DIR"
        yield Check("disk", FAIL, f"{there} cannot be written: {error.strerror or error}", step)
        return
    free = shutil.disk_usage(there).free
    step = "free some, or choose another disk with -o DIR" if free < _LITTLE_BYTES else ""
    status = FAIL if free < _TOO_LITTLE_BYTES else WARN if free < _LITTLE_BYTES else OK
    yield Check("disk", status, f"{free / 2**30:.1f} GiB free at {there}", step)
    if folder.is_lost():
        step = f"`pixtrawl verify --repair {folder.shown}` makes it again, as the next run does"
        yield Check("data set", WARN, f"{folder.shown}: its catalog is missing or empty", step)
    elif not folder.exists():
        yield Check("data set", OK, f"{folder.shown}: none yet")
    elif in_use(folder):
        step = "wait for that run, or stop it"
        yield Check("data set", FAIL, f"{folder.shown}: another run is at work on it", step)
    else:
        yield Check("data set", OK, f"{folder.shown}: there, not in use")


def limits(config: Config) -> Iterator[Check]:
    """Check the limit of open files: each transfer uses a socket and a file."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * config.fetch.concurrency + 128
    if soft != resource.RLIM_INFINITY and soft < wanted:
        step = f"ulimit -n {min(wanted, hard)}, or lower --concurrency"
        yield Check("open files", WARN, f"{soft} allowed, {wanted} may be wanted", step)
    else:
        yield Check("open files", OK, "no limit" if soft < 0 else f"{soft} allowed")


def certificates() -> Iterator[Check]:
    """Report which certificates are trusted, and the variables that set them."""
    from pixtrawl.net.trust import trusted

    try:
        trust = trusted()
    except UsageError as error:
        yield Check("certificates", FAIL, str(error), "correct the variable, or unset it")
        return
    if trust is None:
        yield Check("certificates", OK, "libcurl's own (no variable, no file of the system)")
        return
    place = ", ".join(one for one in (trust.file, trust.folder) if one) or "several files"
    yield Check("certificates", OK, f"{', '.join(trust.origin) or 'the system'}: {place}")


def proxy(config: Config) -> Iterator[Check]:
    """Report the proxies in use and where each is set; yield nothing if there is none."""
    from pixtrawl.net.proxy import Proxies, named
    from pixtrawl.secrets import masked_text

    found = {"--proxy": config.fetch.proxy} if config.fetch.proxy else named(os.environ)
    if not found:
        return
    try:
        Proxies(config.fetch.proxy)
    except UsageError as error:
        yield Check("proxy", FAIL, str(error), "correct it, or unset it")
        return
    said = ", ".join(
        f"{name} {masked_text(text if '://' in text else f'http://{text}')}"
        for name, text in found.items()
    )
    direct = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    beside = f"; not for {direct} (NO_PROXY)" if direct and not config.fetch.proxy else ""
    yield Check("proxy", OK, f"{said}{beside}")


def all_checks(config: Config, *, ask_network: bool) -> Iterator[Check]:
    """Run every check in order; one that raises counts as failed."""
    for group in (
        python(),
        decoders(config),
        browser(config),
        chosen_sources(config),
        contact(config),
        disk(config),
        limits(config),
        certificates(),
        proxy(config),
        network(config) if ask_network else iter(()),
    ):
        try:
            yield from group
        except PixtrawlError as error:
            yield Check("check", FAIL, str(error), "see the message")
