"""The Hub, through its official client: the only module that imports `huggingface_hub`.

Tokens come from where the client looks for them (HF_TOKEN, `hf auth login`); none is ever shown.
Every error of the client becomes one line with the next step.
"""

from __future__ import annotations

import io
import json
import logging
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, cast

try:
    import huggingface_hub as hf
    from huggingface_hub import errors as hf_errors
    from huggingface_hub.hf_api import RepoFile
    from huggingface_hub.utils import (  # type: ignore[attr-defined]
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )
except ImportError:
    from pixtrawl.errors import MissingExtraError

    raise MissingExtraError("publish", "publish") from None

from pixtrawl.errors import EnvironmentFailedError, UsageError
from pixtrawl.publishing.difference import RemoteFile
from pixtrawl.publishing.repository import Repository
from pixtrawl.secrets import KnownSecrets

__all__ = ["MANIFEST", "Hub", "RemoteState"]

MANIFEST: Final = "pixtrawl.json"  # of the repository: what was published, by hash
_BATCH_FILES: Final = 16  # opened at a time
_KIND: Final = "dataset"
_PUBLIC_HUBS: Final = ("https://huggingface.co", "https://hf.co")
_WAIT: Final = re.compile(r"(?:Waiting|Retrying in) ([\d.]+) ?s")
_LOG_IN: Final = "log in with `hf auth login`, or set HF_TOKEN"

# Of httpx or httpx2, by the client's version.
_TransportError: Final = cast(
    "type[Exception]",
    next(base for base in hf_errors.HfHubHTTPError.__mro__ if base.__name__ == "HTTPError"),
)

_CLIENT_ERRORS: Final = (
    _TransportError, OSError, RuntimeError, ValueError,  # Xet raises the latter two, too
)  # fmt: skip
_REFUSALS: Final = {
    403: "the token may not write to {name} (403){said}; use one with the right to write there",
    404: "{name} is not to be found at {hub} (404){said}; check user and name",
}

Sent = Callable[[int, int], None]  # files sent, bytes sent
Told = Callable[[str], None]


class RemoteState:
    """The files of a repository at a commit; none where it does not exist."""

    def __init__(
        self,
        files: Mapping[str, RemoteFile],
        published: Mapping[str, frozenset[str]],
        commit: str | None,
        is_private: bool | None = None,
    ) -> None:
        self.files = files
        self.published = published
        self.commit = commit
        self.is_private = is_private

    @property
    def exists(self) -> bool:
        return self.commit is not None


class Hub:
    """A data set repository on a hub.

    Args:
        repository: which one.
        base_url: the hub's address; None for HF_ENDPOINT or the public one.
        on_wait: called with a sentence before the client waits and asks again.
    """

    def __init__(
        self,
        repository: Repository,
        base_url: str | None = None,
        on_wait: Told = lambda sentence: None,
    ) -> None:
        self._waits = _Waits(on_wait)
        self._repository = repository
        self._api = hf.HfApi(endpoint=base_url.rstrip("/") if base_url else None)
        self.endpoint: str = self._api.endpoint
        self._secrets = KnownSecrets()
        self._token: str | None = None
        with self._explained_errors():
            self._token = hf.get_token()
        self._secrets = KnownSecrets([self._token] if self._token else [])

    @property
    def url(self) -> str:
        """The page of the data set."""
        return f"{self.endpoint}/datasets/{self._repository.name}"

    def demand_token(self) -> None:
        """Raise UsageError where nobody is logged in."""
        if not self._token:
            raise UsageError(f"publishing to {self.endpoint} needs a token: {_LOG_IN}")

    def state(self) -> RemoteState:
        """Return what the repository holds. Raise UsageError or EnvironmentFailedError."""
        name, revision = self._repository.name, self._repository.revision
        with self._explained_errors():
            try:
                asked = None if revision == "main" else revision
                info = self._api.dataset_info(name, revision=asked)
            except hf_errors.RepositoryNotFoundError as error:
                # The public Hub answers 401 to the nameless for whatever they may not see.
                if _status(error) == 401 and self._token:
                    raise
                if isinstance(error, hf_errors.GatedRepoError):
                    raise
                return RemoteState({}, {}, None)
            except hf_errors.RevisionNotFoundError:
                raise UsageError(
                    f"{name} has no branch {revision!r}; make it on the Hub first"
                ) from None
            # By branch: if it moves meanwhile, the commit is refused, as its parent is another one.
            commit = str(info.sha)
            tree = self._api.list_repo_tree(
                name, recursive=True, revision=revision, repo_type=_KIND
            )
            files = {one.path: _remote(one) for one in tree if isinstance(one, RepoFile)}
            published = self._published() if MANIFEST in files else {}
        return RemoteState(files, published, commit, getattr(info, "private", None))

    def create(self, *, private: bool) -> None:
        """Create the repository, if it does not exist."""
        with self._explained_errors():
            self._api.create_repo(
                self._repository.name, repo_type=_KIND, private=private or None, exist_ok=True
            )

    def commit(
        self,
        files: Mapping[str, Path | bytes],
        removed: Sequence[str],
        *,
        message: str,
        parent: str | None,
        on_sent: Sent,
    ) -> str:
        """Send files and commit them with the removals at once; return the commit's address.

        What was sent by an attempt that broke off is not sent again: the Hub knows it by its hash.

        Raises:
            UsageError: the token may not write, or the Hub refuses a file.
            EnvironmentFailedError: the Hub cannot be reached, or changed meanwhile.
        """
        with self._explained_errors():
            operations: list[Any] = []
            sent_bytes = 0
            for start in range(0, len(files), _BATCH_FILES):
                batch = dict([*files.items()][start : start + _BATCH_FILES])
                operations += self._sent(batch)
                sent_bytes += sum(map(_size, batch.values()))
                on_sent(len(operations), sent_bytes)
            operations += [
                hf.CommitOperationDelete(path_in_repo=name, is_folder=False) for name in removed
            ]
            done = self._api.create_commit(
                self._repository.name,
                operations,
                commit_message=message,
                repo_type=_KIND,
                revision=self._repository.revision,
                parent_commit=parent,
            )
        return str(done.commit_url)

    def _sent(self, batch: Mapping[str, Path | bytes]) -> list[Any]:
        """Send the large files of a batch; return all of it as operations of a commit."""
        with ExitStack() as stack:
            operations = []
            for name, content in batch.items():
                given: Any = content
                if isinstance(content, Path):
                    # The client sends open files by HTTP, and paths by Xet, which mirrors of the
                    # Hub do not speak.
                    by_xet = self.endpoint in _PUBLIC_HUBS
                    given = str(content) if by_xet else stack.enter_context(content.open("rb"))
                operations.append(hf.CommitOperationAdd(name, given))
            self._api.preupload_lfs_files(
                self._repository.name,
                operations,
                repo_type=_KIND,
                revision=self._repository.revision,
                free_memory=False,
            )
            for operation in operations:
                # What a mirror takes as a small file goes along in the commit, after we close it.
                if isinstance(operation.path_or_fileobj, io.BufferedIOBase):
                    path = batch[operation.path_in_repo]
                    operation.path_or_fileobj = str(path)
        return operations

    def _published(self) -> dict[str, frozenset[str]]:
        with tempfile.TemporaryDirectory(prefix="pixtrawl-publish-") as folder:
            path = self._api.hf_hub_download(
                self._repository.name,
                MANIFEST,
                repo_type=_KIND,
                revision=self._repository.revision,
                local_dir=folder,
            )
            try:
                found = dict(json.loads(Path(path).read_text("utf-8"))["files"])
            except (ValueError, TypeError, KeyError):
                return {}  # somebody else's file of this name
        return {str(name): frozenset(map(str, hashes)) for name, hashes in found.items()}

    @contextmanager
    def _explained_errors(self) -> Iterator[None]:
        """Turn the client's errors into one line with the next step, and report when it waits."""
        logger = logging.getLogger("huggingface_hub")
        before = logger.handlers, logger.propagate
        logger.handlers, logger.propagate = [self._waits], False
        bars = are_progress_bars_disabled()
        with suppress(Exception):  # an environment variable has the last word on them
            disable_progress_bars()
        try:
            yield
        except _CLIENT_ERRORS as error:
            raise self._explained(error) from error
        finally:
            logger.handlers, logger.propagate = before
            if not bars:
                with suppress(Exception):
                    enable_progress_bars()

    def _explained(self, error: BaseException) -> UsageError | EnvironmentFailedError:
        """Return our error for one of the client's, or for what it was raised from."""
        refused = _in_chain(error, hf_errors.HfHubHTTPError)
        if refused is not None:
            return self._refused(refused)
        if _in_chain(error, hf_errors.OfflineModeIsEnabled):
            return EnvironmentFailedError(
                "the Hub cannot be asked: HF_HUB_OFFLINE is set; unset it and repeat the command"
            )
        if isinstance(error, hf_errors.HFValidationError):
            return UsageError(self._line(error))
        if isinstance(error, hf_errors.LocalTokenNotFoundError):
            return UsageError(f"publishing to {self.endpoint} needs a token: {_LOG_IN}")
        broken = _in_chain(error, (_TransportError, ConnectionError, TimeoutError))
        what = "cannot be reached" if broken else "gives an answer that cannot be used"
        return EnvironmentFailedError(
            f"{self.endpoint} {what} ({self._line(broken or error)}); repeat the command to go on"
        )

    def _refused(self, error: Any) -> UsageError | EnvironmentFailedError:
        """Return our error for a status of the Hub's."""
        status, name = _status(error), self._repository.name
        said = self._line(error.server_message) if error.server_message else ""
        said = f": {said}" if said else ""
        if status == 401:
            why = "does not accept the token" if self._token else "wants a token"
            return UsageError(f"{self.endpoint} {why} (401){said}; {_LOG_IN}")
        if status in _REFUSALS:
            return UsageError(_REFUSALS[status].format(name=name, hub=self.endpoint, said=said))
        if status in {409, 412}:
            return EnvironmentFailedError(
                f"{name} was changed by somebody else meanwhile ({status}){said}; repeat the "
                "command"
            )
        if status == 429:
            wait = error.response.headers.get("retry-after", "")
            wait = f" in {wait} s" if wait.isdigit() else " later"
            return EnvironmentFailedError(
                f"{self.endpoint} asks for fewer requests (429); repeat the command{wait}"
            )
        if status >= 500:
            return EnvironmentFailedError(
                f"{self.endpoint} fails ({status}){said}; repeat the command to go on"
            )
        return UsageError(
            f"{self.endpoint} refuses it ({status}){said or ': ' + self._line(error)}"
        )

    def _line(self, error: object) -> str:
        """Return a message as one line without secrets, cut at 300 characters."""
        text = str(error) or type(error).__name__
        if isinstance(error, BaseException) and error.__cause__ is not None:
            cause = str(error.__cause__)
            text = text if cause in text else f"{text} {cause}"
        text = " ".join(text.split())
        return self._secrets.masked(text)[:300]


class _Waits(logging.Handler):
    """Take the client's messages; pass on those about a wait."""

    def __init__(self, on_wait: Told) -> None:
        super().__init__(logging.WARNING)
        self._on_wait = on_wait

    def emit(self, record: logging.LogRecord) -> None:
        found = _WAIT.search(record.getMessage())
        if found is not None:
            self._on_wait(f"the Hub is busy or out of reach; asked again in {found[1]} s")


def _remote(file: Any) -> RemoteFile:
    large = getattr(file, "lfs", None)
    return RemoteFile(
        size_bytes=file.size, git_sha1=file.blob_id, sha256=large.sha256 if large else None
    )


def _in_chain(error: BaseException | None, kinds: Any) -> Any:
    """Return the first of an error and its causes that is of these kinds; None without one."""
    while error is not None and not isinstance(error, kinds):
        error = error.__cause__ or error.__context__
    return error


def _status(error: Any) -> int:
    response = getattr(error, "response", None)
    return int(getattr(response, "status_code", 0) or 0)


def _size(content: Path | bytes) -> int:
    return len(content) if isinstance(content, bytes) else content.stat().st_size
