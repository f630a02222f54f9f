"""What belongs to our own user alone: a folder, and the process at the other end of a unix socket.

Who listens where the bot keeps its data can run code in its name, so nothing that another user of this machine made,
or could still change, is used.
"""

import os
import socket
import stat
import struct
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from fnmatch import fnmatch
from pathlib import Path

import structlog

from bot.errors import StoreError

PRIVATE = 0o700
FOR_OTHERS, WRITABLE_BY_OTHERS = 0o077, 0o022
CONNECT_SECONDS = 1
SOL_LOCAL = 0  # macOS' <sys/un.h>; Python does not name it
CREDENTIALS_BYTES = 76  # macOS' xucred; Linux' ucred is shorter
log = structlog.get_logger(__name__)


def create(folder: Path) -> list[Path]:
    """Create a folder for our own user, with those above it; returns the new ones, outermost first.

    Raises StoreError where that cannot be.
    """
    created: list[Path] = []
    for place in (*reversed(folder.parents), folder):
        try:
            place.mkdir(mode=PRIVATE if place == folder else 0o777)
        except FileExistsError:
            continue
        except OSError as error:
            if not os.path.isdir(place):  # a read-only place may say so of what is there
                take_away(created)
                raise StoreError(
                    f"DATA_DIR={folder} cannot be created ({_reason(error)}): create it as root and give it to me "
                    f"(install -d -m 700 -o {os.geteuid()} {folder}), or set DATA_DIR to a folder of my own"
                ) from error
        else:
            created.append(place)
    if not folder.is_dir():
        raise StoreError(f"DATA_DIR={folder} is no folder: set it to one")
    return created


def take_away(created: list[Path]) -> None:
    """Remove folders that were created, where nothing is in them yet."""
    for folder in reversed(created):
        with suppress(OSError):
            folder.rmdir()


def try_to_write(folder: Path) -> None:
    """Raise StoreError when a folder cannot be read and written; what is tried leaves nothing behind."""
    try:
        os.scandir(folder).close()
        with tempfile.TemporaryFile(dir=folder) as tried:
            tried.write(b"\0")
    except OSError as error:
        raise StoreError(
            f"I cannot write to DATA_DIR={folder} ({_reason(error)}): let me (chmod u+rwx {folder}), make room, or "
            "set DATA_DIR to another folder"
        ) from error


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def keep_private(folder: Path, uid: int, ours: tuple[str, ...]) -> None:
    """Close `folder`, which `uid` must own, to all others; raises StoreError where one could be behind what is in it.

    `ours` are patterns of the names we use. A folder that holds anything else may serve others and is never closed:
    it is taken as it is when only we may write to it, and refused otherwise.
    """
    examine(folder, uid, ours)
    if _mode(folder) & FOR_OTHERS and _holds_ours_alone(folder, ours):
        folder.chmod(PRIVATE)
        log.info("folder_closed_to_other_users", folder=str(folder))
    if _mode(folder) & WRITABLE_BY_OTHERS:
        raise StoreError(f"the file system of DATA_DIR={folder} does not keep others out: set it to another one")
    refuse_foreign(folder, uid, ours)  # once more: nobody can add to it any longer


def examine(folder: Path, uid: int, ours: tuple[str, ...]) -> None:
    """Raise StoreError when `folder` cannot be made private to `uid`; nothing is changed."""
    refuse_replaceable(folder)
    owner = folder.stat().st_uid
    if owner != uid:
        raise StoreError(
            f"DATA_DIR={folder} belongs to another user (uid {owner}, and I run as {uid}): start me as that user, "
            f"give it to mine (chown -R {uid} {folder}), or set DATA_DIR to another folder"
        )
    try_to_write(folder)
    if _mode(folder) & WRITABLE_BY_OTHERS and not _holds_ours_alone(folder, ours):
        raise StoreError(
            f"other users may write to DATA_DIR={folder}, and it holds more than my data: "
            f"chmod 700 {folder} if it is mine alone, or set DATA_DIR to a folder of its own"
        )
    refuse_foreign(folder, uid, ours)


def refuse_replaceable(folder: Path) -> None:
    """Raise StoreError when anybody may put another folder in the place of this one, or of one above it."""
    for parent in folder.parents:
        mode = parent.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise StoreError(
                f"any user may replace what is in {parent}, and with it {folder}: "
                f"chmod o-w {parent}, or set DATA_DIR to a folder elsewhere"
            )


def refuse_foreign(folder: Path, uid: int, ours: tuple[str, ...]) -> None:
    """Raise StoreError when something that we would read, or write to, is not `uid`'s."""
    for entry in _what_is_ours(folder, ours):
        owner = entry.lstat().st_uid
        if owner != uid:
            raise StoreError(
                f"{entry} belongs to another user (uid {owner}): if all of it is mine (a restored copy), "
                f"chown -R {uid} {folder}; if not, somebody else could write here: set DATA_DIR to a new folder"
            )


def refuse_other_listeners(path: Path, uid: int) -> None:
    """Raise StoreError when another user's process listens on the socket `path`, or it is another user's."""
    others = listeners(path) - {uid}
    if others:
        raise StoreError(
            f"a process of another user (uid {', '.join(map(str, sorted(others)))}) listens on {path}, where my own "
            "server should: find out what it is and end it, or set DATA_DIR to a new folder"
        )


def listeners(path: Path) -> set[int]:
    """Return whose the socket `path` is and who listens on it, one user or two; nobody when it takes no connection."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(CONNECT_SECONDS)
        try:
            connection.connect(str(path))
            return {path.lstat().st_uid, _peer(connection)}
        except OSError:
            return set()


def _peer(connection: socket.socket) -> int:
    """Ask the kernel who listens at the other end."""
    if sys.platform == "linux":
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS_BYTES)
    else:  # pragma: no cover  # macOS
        credentials = connection.getsockopt(SOL_LOCAL, socket.LOCAL_PEERCRED, CREDENTIALS_BYTES)
    # Both begin with a number of 32 bits that is not asked for (the process id, a version); the user id is the second.
    return int(struct.unpack_from("=I", credentials, 4)[0])


def _mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def _holds_ours_alone(folder: Path, ours: tuple[str, ...]) -> bool:
    return all(_is_ours(entry, ours) for entry in folder.iterdir())


def _what_is_ours(folder: Path, ours: tuple[str, ...]) -> Iterator[Path]:
    """Yield each of our entries before what is in it."""
    for entry in folder.iterdir():
        if _is_ours(entry, ours):
            yield entry
            if entry.is_dir():
                yield from entry.iterdir()


def _is_ours(entry: Path, ours: tuple[str, ...]) -> bool:
    return any(fnmatch(entry.name, pattern) for pattern in ours)
