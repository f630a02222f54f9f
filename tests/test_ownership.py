"""What another user of the machine made, or could change, is refused in words; what is ours alone is closed to others.

Nobody but root can become somebody else, so the other user is mostly played by asking about a user id that is not ours.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot import ownership
from bot.errors import StoreError
from tests.other_users import ME, OTHER, posing_as_another

NOT_ME = ME + 1
OURS = ("lock", "appendonly*")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder as a version before this one left it."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / "appendonlydir").mkdir()
    (folder / "appendonlydir" / "appendonly.aof.1.incr.aof").touch()
    return folder


def mode(folder: Path) -> int:
    return folder.stat().st_mode & 0o7777


@contextmanager
def listening(path: Path) -> Iterator[None]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen()
        yield


@pytest.mark.parametrize("open_to", [0o755, 0o775, 0o777, 0o2770, 0o700])
def test_a_folder_that_holds_our_data_alone_is_closed(data: Path, open_to: int) -> None:
    data.chmod(open_to)
    ownership.keep_private(data, ME, OURS)
    assert mode(data) & 0o777 == 0o700


def test_a_folder_that_serves_others_too_stays_as_it_is_when_they_only_read(data: Path) -> None:
    (data / "index.html").touch()
    data.chmod(0o755)
    ownership.keep_private(data, ME, OURS)
    assert mode(data) == 0o755


@pytest.mark.parametrize("open_to", [0o777, 0o775, 0o1777])
def test_a_folder_that_others_write_to_as_well_is_refused_and_not_touched(data: Path, open_to: int) -> None:
    # DATA_DIR=/tmp, started as root: closing it would stop the machine.
    (data / "somebody's").touch()
    data.chmod(open_to)
    for look in (ownership.keep_private, ownership.examine):
        with pytest.raises(StoreError, match=f"chmod 700 {data}"):
            look(data, ME, OURS)
    assert mode(data) == open_to


def test_a_folder_of_another_user_is_refused_and_not_touched(data: Path) -> None:
    with pytest.raises(StoreError, match=f"belongs to another user .uid {ME}, and I run as {NOT_ME}.*chown"):
        ownership.keep_private(data, NOT_ME, OURS)
    assert mode(data) & 0o777 != 0o700


def test_a_folder_that_its_file_system_leaves_open_is_refused(tmp_path: Path) -> None:
    class Stubborn(type(tmp_path)):  # type: ignore[misc]  # a path's class depends on the platform
        def chmod(self, mode: int, *, follow_symlinks: bool = True) -> None:
            """Take no notice, as a file system without owners does."""

    folder = Stubborn(tmp_path / "data")
    folder.mkdir()
    os.chmod(folder, 0o777)  # noqa: S103  # its own method does nothing
    with pytest.raises(StoreError, match="does not keep others out"):
        ownership.keep_private(folder, ME, OURS)


@pytest.mark.parametrize("what", ["lock", "appendonlydir", "appendonlydir/appendonly.aof.1.incr.aof"])
def test_what_another_user_put_there_is_not_read(data: Path, what: str) -> None:
    ownership.refuse_foreign(data, ME, OURS)
    with pytest.raises(StoreError, match="belongs to another user"):
        ownership.refuse_foreign(data, NOT_ME, (what.partition("/")[0],))


def test_a_link_is_whose_it_is_and_not_whose_it_leads_to(data: Path) -> None:
    (data / "appendonly.aof").symlink_to("/nowhere")
    ownership.refuse_foreign(data, ME, OURS)


def test_what_is_not_ours_may_be_anybodys(data: Path) -> None:
    (data / "lost+found").mkdir()
    ownership.refuse_foreign(data, NOT_ME, ("nothing",))


def test_a_folder_that_anybody_may_put_another_in_place_of_is_refused(tmp_path: Path, data: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(StoreError, match=f"any user may replace what is in {tmp_path}.*chmod o-w"):
        ownership.keep_private(data, ME, OURS)
    tmp_path.chmod(0o1777)  # as /tmp: each may replace only what is their own
    ownership.keep_private(data, ME, OURS)


def test_nobody_listens_where_there_is_no_socket_or_a_dead_one(tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert ownership.listeners(path) == set()
    with listening(path):
        assert ownership.listeners(path) == {ME}
    assert path.exists()
    assert ownership.listeners(path) == set()
    ownership.refuse_other_listeners(path, NOT_ME)


def test_another_users_server_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with listening(path):
        ownership.refuse_other_listeners(path, ME)
        with pytest.raises(StoreError, match=rf"another user \(uid {ME}\) listens on {path}"):
            ownership.refuse_other_listeners(path, NOT_ME)


def test_the_kernel_is_asked_who_listens() -> None:
    with TemporaryDirectory() as name, ExitStack() as stack:
        path = Path(name) / "s"
        Path(name).chmod(0o1777)
        with posing_as_another():
            stack.enter_context(listening(path))
        assert ownership.listeners(path) == {OTHER}
        os.chown(path, ME, -1)
        assert ownership.listeners(path) == {OTHER, ME}  # somebody's server behind a socket that looks like ours
