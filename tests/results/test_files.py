import os
import stat
import threading

import pytest

from results.files import check_writable, write_whole


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    check_writable(pipe)
    write_whole(pipe, b"figures")
    reader.join(60)
    assert read == [b"figures"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_that_is_full_is_told_and_stays_a_device(tmp_path):
    device = tmp_path / "full"
    try:
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 7))  # what /dev/full is
        device.open("ab").close()
    except PermissionError:
        pytest.skip("only root makes devices")
    with pytest.raises(OSError, match="No space left"):
        write_whole(device, b"figures")
    assert stat.S_ISCHR(device.stat().st_mode)


@pytest.mark.parametrize("there", [True, False], ids=["file", "dangling"])
def test_of_a_link_the_target_is_replaced(tmp_path, there):
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.parent.mkdir()
    if there:
        target.write_bytes(b"old")
    link.symlink_to(target)
    write_whole(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"


def test_to_ask_whether_a_file_can_be_written_leaves_it_and_the_folder_as_they_were(tmp_path):
    good = tmp_path / "good.json"
    good.write_bytes(b"measured")
    check_writable(good)
    check_writable(tmp_path / "new.json")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("good.json", b"measured")]


@pytest.mark.parametrize("name", ["nowhere/a.json", "file/a.json", ".", "x" * 300, "loop"])
def test_what_cannot_be_written_is_known_before(tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for attempt in (check_writable, lambda path: write_whole(path, b"")):
        with pytest.raises(OSError, match=r"."):
            attempt(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "loop"]
