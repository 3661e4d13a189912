"""Sandbox of a decoder: limits it sets on itself, irrevocably, before it reads any file.

Resource limits, then Landlock (Linux 5.13 and newer: no file can be opened by name; without
descriptor passing, only files of one folder, for reading), then a seccomp filter (an allow-list;
any other system call ends the process). The filter alone is enough: it lets a decoder neither name
a file nor reach a process or a network, so that kernels without Landlock, or with an older one that
knows no scopes, hold the same. Mechanisms that the system lacks are left out; `contain` returns
which ones are active. Every library must be loaded before: a later import would be refused
like any other attempt to open a file.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import signal
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Final

__all__ = ["MEANS", "contain", "die_with_parent", "landlock_abi", "load_filter_library"]

RLIMITS, LANDLOCK, SECCOMP, PARENT_DEATH = 1, 2, 4, 8
MEANS: Final = {
    RLIMITS: "resource limits",
    LANDLOCK: "landlock",
    SECCOMP: "seccomp",
    PARENT_DEATH: "dies with its parent",
}

_ABI_SHIFT: Final = 24  # bits of HELLO from here on: version of Landlock

_CPU_SECONDS: Final = 900  # for a lifetime of 2,000 files; the parent limits each file
_OPEN_FILES: Final = 16

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NO_NEW_PRIVS: Final = 38

# The three system calls have these numbers on every architecture (asm-generic/unistd.h).
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_READ_FILE: Final = 1 << 2
# Bits of file access by ABI version (landlock(7)).
_FILE_BITS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NET_BITS: Final = 0b11  # bind and connect of TCP, ABI 4
_SCOPE_BITS: Final = 0b11  # abstract sockets and signals of other processes, ABI 6

_ALLOWED: Final = (
    "read", "readv", "pread64", "write", "writev", "recvfrom", "recvmsg", "sendto", "sendmsg",
    "close", "fstat", "lseek", "dup",
    "munmap", "mremap", "madvise", "brk", "membarrier",
    "futex", "set_robust_list", "rseq", "sched_yield", "sched_getaffinity", "getcpu",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall",
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrandom", "getrusage",
    "setitimer", "times", "uname", "sysinfo", "poll", "ppoll", "exit", "exit_group",
)  # fmt: skip
# `fcntl` by command: others name a process that gets a signal (F_SETOWN with F_SETSIG and O_ASYNC),
# which ends any process of the same user where Landlock has no scopes (before Linux 6.12).
_FCNTL_COMMANDS: Final = {"F_GETFD": 1, "F_SETFD": 2, "F_GETFL": 3, "F_DUPFD_CLOEXEC": 1030}
# Memory that is or becomes executable: everything that runs was loaded before.
_NOT_EXECUTABLE: Final = ("mmap", "mprotect")
# Refused: whatever takes a path. Libraries then do without, as for a file that is not there.
_BY_PATH: Final = (
    "newfstatat", "stat", "lstat", "statx", "access", "faccessat", "faccessat2", "readlink",
    "readlinkat", "getcwd", "open",
)  # fmt: skip
# Refused with an error instead of ending the process: starting a thread (libraries then work with
# one), terminal ioctls, raising a limit.
_REFUSED: Final = (
    ("clone", errno.EAGAIN), ("clone3", errno.ENOSYS), ("ioctl", errno.ENOTTY),
    ("prlimit64", errno.EPERM), ("prctl", errno.EPERM), ("sched_setaffinity", errno.EPERM),
    ("mbind", errno.EPERM), ("set_mempolicy", errno.EPERM), ("get_mempolicy", errno.EPERM),
)  # fmt: skip


def load_filter_library() -> ModuleType | None:
    """Return pyseccomp, loaded early; None where it or libseccomp is missing."""
    if sys.platform != "linux":
        return None
    try:
        import pyseccomp
    except (ImportError, RuntimeError, OSError):
        return None
    module: ModuleType = pyseccomp
    return module


def die_with_parent(parent: int) -> bool:
    """Ask to be killed when the parent (strictly: its thread) ends. Return whether it worked."""
    if sys.platform != "linux":
        return False
    held: bool = _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0
    if os.getppid() != parent:  # it ended before the call
        os._exit(0)
    return held


def contain(folder: str | None, memory_bytes: int, filters: ModuleType | None) -> int:
    """Give up everything but reading files of `folder`, or with None, of passed descriptors.

    Return the bits of the active mechanisms, with the version of Landlock above them.
    """
    held = RLIMITS if _limit(memory_bytes) else 0
    if sys.platform != "linux":
        return held
    _libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if version := _landlock(folder):
        held |= LANDLOCK | version << _ABI_SHIFT
    if filters is not None and _seccomp(filters, opens=folder is not None):
        held |= SECCOMP
    return held


def landlock_abi(held: int) -> int:
    """Return the version of Landlock in the bits that `contain` returned; 0: it is missing."""
    return held >> _ABI_SHIFT


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _limit(memory_bytes: int) -> bool:
    try:
        import resource
    except ImportError:  # Windows
        return False
    wanted = {
        "RLIMIT_AS": memory_bytes,
        "RLIMIT_CPU": _CPU_SECONDS,
        "RLIMIT_CORE": 0,
        "RLIMIT_NOFILE": _OPEN_FILES,
        "RLIMIT_FSIZE": 0,
        "RLIMIT_NPROC": 0,
    }
    missing = 0
    for name, value in wanted.items():
        try:
            number = getattr(resource, name)
            _, hard = resource.getrlimit(number)
            most = value if hard == resource.RLIM_INFINITY else min(value, hard)
            resource.setrlimit(number, (most, most))
        except (AttributeError, ValueError, OSError):  # macOS sets no RLIMIT_AS
            missing += 1
    return missing == 0


def _landlock(folder: str | None) -> int:
    """Restrict this process; return the version of Landlock, 0 where it could not be done."""
    libc = _libc()
    version = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 1:
        return 0
    file_bits = (1 << _FILE_BITS.get(version, 16)) - 1
    rules = struct.pack(
        "<QQQ",
        file_bits,
        _NET_BITS if version >= 4 else 0,
        _SCOPE_BITS if version >= 6 else 0,
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(size), 0)
    if ruleset < 0:
        return 0
    try:
        if folder is not None:
            with _opened(folder) as place:
                rule = struct.pack("<Qi", _READ_FILE, place)
                if libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0):
                    return 0
        return int(version) if libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


@contextlib.contextmanager
def _opened(folder: str) -> Iterator[int]:
    place = os.open(Path(folder), os.O_PATH | os.O_CLOEXEC)
    try:
        yield place
    finally:
        os.close(place)


def _seccomp(library: ModuleType, *, opens: bool) -> bool:
    try:
        rules = library.SyscallFilter(library.KILL_PROCESS)
        for name in _ALLOWED:
            _rule(library, rules, library.ALLOW, name)
        for name in _NOT_EXECUTABLE:
            plain = library.Arg(2, library.MASKED_EQ, mmap.PROT_EXEC, 0)
            _rule(library, rules, library.ALLOW, name, plain)
        for command in _FCNTL_COMMANDS.values():
            _rule(library, rules, library.ALLOW, "fcntl", library.Arg(1, library.EQ, command))
        for name in _BY_PATH:
            _rule(library, rules, library.ERRNO(errno.EACCES), name)
        for name, number in _REFUSED:
            _rule(library, rules, library.ERRNO(number), name)
        if opens:  # for reading; Landlock restricts the folder
            reading = library.Arg(2, library.MASKED_EQ, os.O_ACCMODE | os.O_CREAT | os.O_TRUNC, 0)
            _rule(library, rules, library.ALLOW, "openat", reading)
        else:  # libraries work without the optional files they try to open
            _rule(library, rules, library.ERRNO(errno.EACCES), "openat")
        rules.load()
    except (OSError, RuntimeError, ValueError):
        return False
    return True


def _rule(library: ModuleType, rules: object, action: int, name: str, *args: object) -> None:
    """Add a rule; ignore system calls that this architecture lacks."""
    try:
        library.resolve_syscall(library.system_arch(), name)
    except (OSError, ValueError):
        return
    with contextlib.suppress(FileNotFoundError):
        rules.add_rule(action, name, *args)  # type: ignore[attr-defined]
