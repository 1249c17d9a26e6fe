import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from training.data.cifar_download import OFFICIAL, RemoteFile, locate_archive
from training.data.errors import (
    ArchiveNotFound,
    ChecksumMismatch,
    DiskFull,
    DownloadRefused,
    NoNetwork,
    WriteFailed,
)

CONTENT = bytes(range(256)) * 4000
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
NAME = "cifar-100-python.tar.gz"


@dataclass
class Server:
    """A file server that can be told to misbehave."""

    url: str = ""
    content: bytes = CONTENT
    status: int = 0  # answered instead of the file
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)  # bytes after which each of the next answers breaks off
    asked: list[str | None] = field(default_factory=list)  # the Range header of each request

    def remote(self, size: int = len(CONTENT), md5: str = MD5) -> RemoteFile:
        return RemoteFile(f"{self.url}/{NAME}", size, md5)


class Handler(BaseHTTPRequestHandler):
    """Answers as the server's settings say."""

    settings: ClassVar[Server]

    def do_GET(self) -> None:
        server, byte_range = self.settings, self.headers.get("Range")
        server.asked.append(byte_range)
        if server.status:
            self.send_error(server.status)
            return
        start = int(byte_range.removeprefix("bytes=").rstrip("-")) if byte_range and server.ranges else 0
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        self.end_headers()
        self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[Server]:
    settings = Server()
    handler = type("Configured", (Handler,), {"settings": settings})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        settings.url = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, args=(0.02,))
        thread.start()
        yield settings
        http.shutdown()
        thread.join()


@pytest.fixture
def pauses() -> list[float]:
    return []


def fetch(server: Server, cache: Path, pauses: list[float], remote: RemoteFile | None = None) -> Path:
    with httpx.Client() as client:
        return locate_archive(None, cache, client=client, remote=remote or server.remote(), sleep=pauses.append)


def test_the_official_archive_is_known_by_its_checksum() -> None:
    assert (OFFICIAL.name, OFFICIAL.size, OFFICIAL.md5) == (NAME, 169_001_437, "eb9058c3a382ffc7106e4002c42a8d85")


def test_a_specified_archive_is_used_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.tar.gz"
    path.write_bytes(b"anything")
    assert locate_archive(path, tmp_path / "cache") == path
    assert not (tmp_path / "cache").exists()


def test_a_specified_archive_that_does_not_exist_is_never_replaced_by_a_download(
    tmp_path: Path, server: Server
) -> None:
    with pytest.raises(ArchiveNotFound):
        locate_archive(tmp_path / "mine.tar.gz", tmp_path, remote=server.remote())
    assert server.asked == []


def test_a_download_is_kept_and_not_repeated(tmp_path: Path, server: Server, pauses: list[float]) -> None:
    path = fetch(server, tmp_path / "a/cache", pauses)
    assert (path, path.read_bytes()) == (tmp_path / "a/cache" / NAME, CONTENT)
    assert fetch(server, tmp_path / "a/cache", pauses) == path
    assert (server.asked, pauses) == ([None], [])
    assert [file.name for file in path.parent.iterdir()] == [NAME]


def test_a_cut_connection_is_resumed_where_it_broke(tmp_path: Path, server: Server, pauses: list[float]) -> None:
    server.cuts = [300_000, 200_000]
    assert fetch(server, tmp_path, pauses).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=300000-", "bytes=500000-"]
    assert pauses == [1.0, 2.0]


def test_the_next_call_resumes_what_an_earlier_one_could_not_finish(
    tmp_path: Path, server: Server, pauses: list[float]
) -> None:
    server.cuts = [100_000] * 4
    with pytest.raises(NoNetwork, match=r"go online, or download the archive elsewhere"):
        fetch(server, tmp_path, pauses)
    assert not (tmp_path / NAME).exists()
    assert fetch(server, tmp_path, pauses).read_bytes() == CONTENT
    assert server.asked[-1] == "bytes=400000-"


def test_a_server_without_ranges_sends_it_all_again(tmp_path: Path, server: Server, pauses: list[float]) -> None:
    server.cuts, server.ranges = [300_000], False
    assert fetch(server, tmp_path, pauses).read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_progress_ends_at_the_whole(tmp_path: Path, server: Server) -> None:
    seen: list[tuple[int, int]] = []
    locate_archive(None, tmp_path, lambda done, total: seen.append((done, total)), remote=server.remote())
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_wrong_checksum_leaves_nothing_and_harms_nothing(tmp_path: Path, server: Server, pauses: list[float]) -> None:
    (tmp_path / NAME).write_bytes(b"an older file of another size")
    with pytest.raises(ChecksumMismatch, match=f"has MD5 {MD5} instead of 0+"):
        fetch(server, tmp_path, pauses, server.remote(md5="0" * 32))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {NAME: b"an older file of another size"}


def test_a_file_of_another_size_under_the_name_is_replaced_once_the_right_one_is_there(
    tmp_path: Path, server: Server, pauses: list[float]
) -> None:
    (tmp_path / NAME).write_bytes(b"half a file")
    assert fetch(server, tmp_path, pauses).read_bytes() == CONTENT


@pytest.mark.parametrize("status", [404, 403, 500, 416])
def test_a_refusal_is_said_once_and_not_retried(
    tmp_path: Path, server: Server, pauses: list[float], status: int
) -> None:
    server.status = status
    with pytest.raises(DownloadRefused, match=rf"{NAME} responded {status}"):
        fetch(server, tmp_path, pauses)
    assert len(server.asked) == 1
    assert not (tmp_path / NAME).exists()


def test_a_file_larger_than_announced_is_refused(tmp_path: Path, server: Server, pauses: list[float]) -> None:
    with pytest.raises(DownloadRefused, match="responded with more than the 1,000 bytes"):
        fetch(server, tmp_path, pauses, server.remote(size=1000))
    assert not (tmp_path / NAME).exists()


def test_no_network_is_one_clear_line(tmp_path: Path, server: Server, pauses: list[float]) -> None:
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Name or service not known", request=request)

    with httpx.Client(transport=httpx.MockTransport(unreachable)) as client, pytest.raises(NoNetwork) as caught:
        locate_archive(None, tmp_path, client=client, sleep=pauses.append)
    assert str(caught.value).startswith("cannot reach https://www.cs.toronto.edu/~kriz/")
    assert "Name or service not known" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert pauses == [1.0, 2.0, 4.0]
    assert not (tmp_path / NAME).exists()


def test_a_disk_without_room_is_said_before_anything_is_fetched(
    tmp_path: Path, server: Server, pauses: list[float]
) -> None:
    with pytest.raises(DiskFull, match="needs 1000000000 MB"):
        fetch(server, tmp_path, pauses, server.remote(size=10**15))
    assert server.asked == []


def test_a_cache_that_cannot_be_made_is_said(tmp_path: Path, server: Server, pauses: list[float]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteFailed):
        fetch(server, tmp_path / "file" / "cache", pauses)


def test_two_downloads_at_once_fetch_the_file_once(tmp_path: Path, server: Server, pauses: list[float]) -> None:
    threads = [threading.Thread(target=fetch, args=(server, tmp_path, pauses)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / NAME).read_bytes() == CONTENT
    assert len(server.asked) == 1
