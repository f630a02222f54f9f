"""The embedded server is reached by its own user alone, is found again, and nobody else's is taken for it."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

import pytest
from redis.asyncio import Redis

from bot.embedded import SOCKET, EmbeddedServer, _binary, check
from bot.errors import StoreError
from tests.other_users import ME, OTHER, posing_as_another


@asynccontextmanager
async def valkey(folder: Path, path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a server that nobody looks after, as a killed bot leaves one behind on macOS."""
    server = await asyncio.create_subprocess_exec(
        *(str(_binary()), "--port", "0", "--unixsocket", str(path), "--dir", str(folder)),
        *("--appendonly", "yes", "--save", ""),
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    try:
        async with asyncio.timeout(10), Redis(unix_socket_path=str(path)) as client:
            while b"ready to accept" not in (await server.stdout.readline()).lower():
                assert server.returncode is None
            await client.set("kept", "yes")
        yield server
    finally:
        if server.returncode is None:
            server.kill()
        await server.communicate()


def place_of_earlier_versions(data_dir: Path) -> Path:
    name = sha256(str(data_dir.resolve()).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"ci-chatops-{name}.sock"


async def kept(server: EmbeddedServer) -> bytes | None:
    async with Redis.from_url(server.url) as client:
        found = await client.getset("kept", "still")
        assert found is None or isinstance(found, bytes)
        return found


def is_there(url: str) -> bool:
    return os.path.lexists(unquote(url.removeprefix("unix://")))


async def test_all_that_it_makes_is_its_own_users_alone(tmp_path: Path) -> None:
    async with EmbeddedServer(tmp_path / "data") as server:
        await kept(server)
        assert server.url == f"unix://{tmp_path}/data/{SOCKET}"
        entries = [tmp_path / "data", *(tmp_path / "data").rglob("*")]
        assert SOCKET in {entry.name for entry in entries}
        assert "appendonly.aof.1.incr.aof" in {entry.name for entry in entries}
        open_ones = [str(entry) for entry in entries if entry.stat().st_mode & 0o077 and entry.name != "lock"]
    assert open_ones == []


@pytest.mark.parametrize("name", ["x" * 120, "50% of #1? ä"], ids=["a path too long for a socket", "odd signs"])
async def test_a_folder_of_any_name_will_do(tmp_path: Path, name: str) -> None:
    for expected in (None, b"still"):
        async with EmbeddedServer(tmp_path / name) as server:
            assert await kept(server) == expected
            assert (tmp_path / name / SOCKET).is_socket()
            assert is_there(server.url)
        assert not is_there(server.url)


async def test_a_path_that_is_too_long_both_ways_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / ("y" * 100)
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    with pytest.raises(StoreError, match="set a shorter DATA_DIR"):
        await EmbeddedServer(tmp_path / ("x" * 100)).__aenter__()
    assert not list(elsewhere.iterdir())


async def test_a_live_server_of_our_own_is_adopted(tmp_path: Path) -> None:
    async with valkey(tmp_path, tmp_path / SOCKET), EmbeddedServer(tmp_path, orphan_seconds=0.1) as server:
        assert server.pid is None
        assert await kept(server) == b"yes"


async def test_a_server_of_an_earlier_version_is_ended_and_its_data_kept(tmp_path: Path) -> None:
    # As after kill -9 of the bot on macOS, where the server lives on, and an upgrade.
    place = place_of_earlier_versions(tmp_path)
    async with valkey(tmp_path, place) as earlier, EmbeddedServer(tmp_path) as server:
        assert await earlier.wait() == 0
        assert server.pid not in {None, earlier.pid}
        assert await kept(server) == b"yes"
    async with EmbeddedServer(tmp_path) as server:
        assert await kept(server) == b"still"


async def test_what_another_user_put_in_the_earlier_place_is_neither_adopted_nor_asked(tmp_path: Path) -> None:
    # Whoever is not root can only pose as themselves: theirs is asked to stop, but not adopted either.
    asked: list[bytes] = []

    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1000))
        server.close()
        writer.close()

    path = place_of_earlier_versions(tmp_path)
    with posing_as_another():
        server = await asyncio.start_unix_server(pretend, path)
    try:
        async with EmbeddedServer(tmp_path) as embedded:
            assert await kept(embedded) is None
            assert embedded.pid is not None
    finally:
        server.close()
        path.unlink(missing_ok=True)
    assert not any(asked) or OTHER == ME


async def test_a_server_of_an_earlier_version_that_does_not_stop_is_named(tmp_path: Path) -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.close()

    path = place_of_earlier_versions(tmp_path)
    server = await asyncio.start_unix_server(deaf, path)
    try:
        with pytest.raises(StoreError, match=f"end what listens on {path}"):
            await EmbeddedServer(tmp_path, stop_seconds=0.1).__aenter__()
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def test_a_folder_that_anybody_may_change_starts_no_server(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "somebody's").touch()
    folder.chmod(0o777)
    for start in (EmbeddedServer(folder).__aenter__, EmbeddedServer(folder / "data").__aenter__):
        with pytest.raises(StoreError, match="chmod"):
            await start()
    for place in (folder, folder / "data", folder / "not" / "made"):
        with pytest.raises(StoreError, match="chmod"):
            check(place)


def _a_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file"


NOWHERE: dict[str, Callable[[Path], Path]] = {
    "a file": _a_file,
    "below a file": lambda folder: _a_file(folder) / "data" / "more",
    "below what the kernel makes": lambda _: Path("/proc/ci/data"),
}


@pytest.mark.parametrize("where", NOWHERE)
async def test_a_folder_that_cannot_be_is_found_by_the_check_as_by_the_start(where: str, tmp_path: Path) -> None:
    place = NOWHERE[where](tmp_path)
    with pytest.raises(StoreError, match=r"DATA_DIR=.* set (DATA_DIR|it) to") as looked:
        check(place)
    with pytest.raises(StoreError) as started:
        await EmbeddedServer(place).__aenter__()
    assert str(looked.value) == str(started.value)


@pytest.fixture
def forbidden() -> Iterator[Path]:
    """Return a folder with two of another user's in it, which that user may not write to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        with posing_as_another():
            (folder / "closed").mkdir(mode=0o500)
            (folder / "unseen").mkdir(mode=0o000)
        folder.chmod(0o755)
        yield folder


@pytest.mark.parametrize(
    ("place", "said"),
    [("closed", "cannot write to"), ("closed/data", "cannot be created"), ("unseen/data", "create it")],
)
async def test_what_we_may_not_write_is_found_by_the_check_as_by_the_start(
    place: str, said: str, forbidden: Path
) -> None:
    with posing_as_another():
        with pytest.raises(StoreError, match=said) as looked:
            check(forbidden / place)
        with pytest.raises(StoreError) as started:
            await EmbeddedServer(forbidden / place).__aenter__()
    assert str(looked.value) == str(started.value)
    assert "permission denied" in str(looked.value)


def test_a_check_leaves_nothing_behind(tmp_path: Path) -> None:
    check(tmp_path / "new" / "data")
    (tmp_path / "data").mkdir()
    check(tmp_path / "data")
    assert [path.name for path in tmp_path.rglob("*")] == ["data"]
