import hashlib
import http.server
import threading

import pytest

from benchmarks.errors import UserError
from benchmarks.inputs import cifar10, cifar10_archive, cifar10_download
from tests.inputs import archives

ARCHIVE = b"archive" * 50_000
MD5 = hashlib.md5(ARCHIVE, usedforsecurity=False).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # the name that the library calls
        if self.path == "/missing":
            self.send_error(404)
            return
        body = self.server.archive
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:1000] if self.path == "/truncated" else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.archive = ARCHIVE
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_downloads_the_archive_once(server, tmp_path):
    path = cifar10_download.fetch(tmp_path, url=f"{server.url}/archive", md5=MD5)
    assert path.read_bytes() == ARCHIVE
    assert list(tmp_path.iterdir()) == [path]
    assert cifar10_download.fetch(tmp_path, url=f"{server.url}/missing", md5=MD5) == path


@pytest.mark.parametrize(
    ("page", "md5", "reason"),
    [
        ("missing", MD5, "404"),
        ("truncated", MD5, "broke off|was lost|does not have the MD5"),
        ("archive", "0" * 32, "does not have the MD5 0{32}"),
    ],
)
def test_a_failed_download_leaves_nothing(server, tmp_path, page, md5, reason):
    with pytest.raises(UserError, match=rf"Cannot download .*/{page} to .*: .*({reason}).*--sample"):
        cifar10_download.fetch(tmp_path, url=f"{server.url}/{page}", md5=md5)
    assert not list(tmp_path.iterdir())


def test_a_refused_connection_is_one_error_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}/archive"
    assert cifar10.main([f"--data_dir={tmp_path / 'data'}"], url=url) == 2
    error = capsys.readouterr().err
    assert f"Cannot download {url} to" in error
    assert "no connection" in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_another_archive_of_that_name_is_neither_used_nor_replaced(tmp_path):
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(b"mine")
    with pytest.raises(UserError, match=r"is not the published archive: its MD5 is .*Pass --archive="):
        cifar10_download.fetch(tmp_path)
    assert path.read_bytes() == b"mine"


def test_the_command_downloads_and_converts(server, tmp_path, monkeypatch):
    path = archives.write(tmp_path / "served.tar.gz", archives.pickles())
    server.archive = path.read_bytes()
    fetch = cifar10_download.fetch
    md5 = cifar10_archive.checksums(path)[0]
    monkeypatch.setattr(cifar10_download, "fetch", lambda folder, url: fetch(folder, url=url, md5=md5))
    conversion = cifar10.prepare(tmp_path / "data", url=f"{server.url}/archive")
    assert conversion.manifest.examples["train.tfrecords"] == 12
    assert (tmp_path / "data" / "cifar-10-python.tar.gz").read_bytes() == server.archive
