"""Fetches the published CIFAR-10 archive, or leaves the folder as it was."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.errors import UserError
from benchmarks.inputs.cifar10_archive import PUBLISHED_MD5, checksums

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
_ARCHIVE = "cifar-10-python.tar.gz"
_TIMEOUT_SECONDS = 30  # without a byte


def fetch(folder: Path, *, url: str = URL, md5: str = PUBLISHED_MD5) -> Path:
    """The archive in `folder`: the one that is there if its checksum is right, else downloaded from `url`.

    A download goes to a temporary name and gets its own once the checksum is right. Raises UserError on anything else,
    and leaves nothing behind.
    """
    path = folder / _ARCHIVE
    if not path.exists():
        _download(url, path, md5)
    elif checksums(path)[0] != md5:
        raise UserError(
            f"{path} is not the published archive: its MD5 is {checksums(path)[0]}, not {md5}. "
            f"Pass --archive={path} to convert it anyway, or remove it to download the published one."
        )
    return path


def _download(url: str, path: Path, md5: str) -> None:
    import pooch  # takes a moment to import, and most conversions need no download
    import requests

    pooch.get_logger().setLevel("ERROR")  # what happens is said once, below and by the command
    progress = sys.stderr.isatty()
    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=_TIMEOUT_SECONDS)
    try:
        pooch.retrieve(url, f"md5:{md5}", fname=path.name, path=path.parent, downloader=downloader)
    except requests.exceptions.HTTPError as error:
        raise _failure(url, path, str(error)) from error
    except (requests.exceptions.Timeout, requests.exceptions.ConnectionError) as error:
        raise _failure(url, path, "no connection, or it was lost") from error
    except requests.exceptions.RequestException as error:
        raise _failure(url, path, "the transfer broke off") from error
    except ValueError as error:
        raise _failure(url, path, f"what arrived does not have the MD5 {md5} of the published archive") from error
    except OSError as error:
        raise _failure(url, path, error.strerror or str(error)) from error


def _failure(url: str, path: Path, reason: str) -> UserError:
    return UserError(
        f"Cannot download {url} to {path}: {reason}. Nothing was kept. Try again, fetch it by other means and pass "
        "--archive=FILE, or pass --sample for generated images."
    )
