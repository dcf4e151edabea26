import numpy as np
import pytest
import tensorflow as tf

from tests.inputs import jpegs
from tests.inputs.converted import convert, examples, manifest, shards

GOOD = jpegs.encoded(jpegs.pixels_of(1))
PNG = jpegs.encoded(jpegs.pixels_of(4), kind="PNG")


HOSTILE = {
    "cmyk.JPEG": (jpegs.encoded(jpegs.pixels_of(2), "CMYK"), "CMYK"),
    "gray.JPEG": (jpegs.encoded(jpegs.pixels_of(3), "L"), "grayscale"),
    "png.JPEG": (jpegs.encoded(jpegs.pixels_of(4), kind="PNG"), "PNG"),
    "alpha.JPEG": (jpegs.encoded(jpegs.pixels_of(5), "RGBA", "PNG"), "PNG"),
    "palette.png": (jpegs.encoded(jpegs.pixels_of(5), "P", "PNG"), "PNG"),
    "gif.JPEG": (jpegs.encoded(jpegs.pixels_of(6), "P", "GIF"), "no JPEG"),
    "text.JPEG": (b"<html>404 Not Found</html>", "no JPEG"),
    "empty.JPEG": (b"", "empty"),
    "half.JPEG": (GOOD[: len(GOOD) // 2], "damaged"),
    "almost.JPEG": (GOOD[:-40], "damaged"),
    "head.JPEG": (b"\xff\xd8\xff" + bytes(50), "damaged"),
    "half.png": (PNG[: len(PNG) // 2], "damaged"),
    "short.png": (PNG[:-4], "damaged"),
    "wrong.png": (PNG[:60] + b"wrong" + PNG[65:], "damaged"),
}


@pytest.fixture
def hostile(tmp_path):
    """Three good images, and one of everything that is not."""
    images = jpegs.folder(tmp_path / "images", classes=1, images=3)
    for name, (data, _) in HOSTILE.items():
        (images / "train/n00" / name).write_bytes(data)
    (images / "train/n00/.DS_Store").write_bytes(b"x")
    return images


def test_what_is_not_an_rgb_jpeg_is_counted_named_and_mended_or_left_out(hostile, tmp_path, capsys):
    assert convert(tmp_path / "data", f"--images={hostile}") == 0
    expected = {}
    for name, (_, kind) in HOSTILE.items():
        expected.setdefault(kind, set()).add(f"n00/{name}")
    assert {kind: set(names) for kind, names in manifest(tmp_path / "data")["findings"].items()} == expected
    out = capsys.readouterr().out
    assert "  train: 8 examples in 1 shard(s)\n  validation: 0 examples in 0 shard(s)\n" in out
    assert "  1 CMYK (JPEG with four channels, encoded anew as RGB): n00/cmyk.JPEG\n" in out
    assert "  6 damaged (truncated or damaged, left out): n00/" in out


def test_mended_images_show_what_they_did(hostile, tmp_path):
    convert(tmp_path / "data", f"--images={hostile}")
    found = {example["image/filename"][0].decode(): example for example in examples(tmp_path / "data")}
    for name, number in {"cmyk.JPEG": 2, "png.JPEG": 4, "alpha.JPEG": 5}.items():
        data = found[name]["image/encoded"][0]
        assert data.startswith(b"\xff\xd8\xff")
        shown = tf.io.decode_jpeg(data).numpy().astype(int)
        assert np.abs(shown - jpegs.pixels_of(number)).mean() < 8
        assert [*found[name]["image/channels"], *found[name]["image/colorspace"]] == [3, b"RGB"]
    gray = found["gray.JPEG"]
    assert gray["image/encoded"][0] == HOSTILE["gray.JPEG"][0]
    assert [*gray["image/channels"], *gray["image/colorspace"]] == [1, b"Grayscale"]


def test_too_many_bad_images_end_it_and_a_higher_limit_goes_on(hostile, tmp_path, capsys):
    size = "--shard_megabytes=0.002"
    assert convert(tmp_path / "data", f"--images={hostile}", size, "--max_bad=12") == 2
    err = capsys.readouterr().err
    assert "More than --max_bad=12 images had to be mended or left out:\n" in err
    assert "no JPEG (neither JPEG nor PNG, left out): n00/" in err
    assert not (tmp_path / "data/dataset.json").exists()
    assert shards(tmp_path / "data")
    assert convert(tmp_path / "data", f"--images={hostile}", size, "--max_bad=13") == 0
    assert "were there before" in capsys.readouterr().out
    assert convert(tmp_path / "at once", f"--images={hostile}", size) == 0
    assert shards(tmp_path / "data") == shards(tmp_path / "at once")
    assert manifest(tmp_path / "data") == manifest(tmp_path / "at once")


def test_no_image_that_can_be_used_is_an_error(tmp_path, capsys):
    images = jpegs.folder(tmp_path / "images", classes=1, images=1)
    (images / "train/n00/image000.JPEG").write_bytes(b"")
    assert convert(tmp_path / "data", f"--images={images}") == 2
    assert "None of the images of train can be used:\n  1 empty (no bytes, left out)" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()  # or the next attempt, with better images, would be refused
