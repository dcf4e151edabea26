"""A file with an image, as a network wants it: what is refused, and what is made of the rest."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import ExifTags, Image

from benchmarks.errors import UserError
from benchmarks.inputs.evaluation import open_evaluation
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.params import Params, resolve
from benchmarks.quantization.image_file import UPRIGHT, decoded, prepared
from tests.inputs import jpegs

WEBP = pytest.mark.skipif(not hasattr(tf.io, "decode_webp"), reason="this TensorFlow has no WebP")
EVALUATION = Preparation(distortions=False)


@pytest.mark.parametrize(
    ("mode", "kind", "problem"),
    [
        ("L", "JPEG", "is grey (1 channel(s)), and the models were made for RGB. Convert it"),
        ("L", "PNG", "is grey (1 channel(s))"),
        ("LA", "PNG", "is grey with transparency (2 channel(s))"),
        ("RGBA", "PNG", "is RGB with transparency, or CMYK (4 channel(s))"),
        ("CMYK", "JPEG", "is RGB with transparency, or CMYK (4 channel(s))"),
        (
            "P",
            "BMP",
            "is of colours in a palette, which TensorFlow does not look up, and the models were",
        ),
        ("L", "BMP", "is grey (1 channel(s))"),
    ],
)
def test_what_is_not_rgb_is_refused(mode, kind, problem):
    with pytest.raises(UserError) as found:
        decoded("--image=a", jpegs.encoded(jpegs.pixels_of(1), mode, kind))
    assert str(found.value).startswith(f"--image=a {problem}")
    assert "\n" not in str(found.value)


def test_a_palette_with_transparency_is_looked_up_and_refused_for_its_transparency():
    image = jpegs.encoded(jpegs.pixels_of(1), "P", "PNG", transparency=0)
    with pytest.raises(UserError, match=r"is RGB with transparency, or CMYK \(4 channel"):
        decoded("--image=a", image)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no image",
        jpegs.encoded(jpegs.pixels_of(1))[:200],
        jpegs.encoded(jpegs.pixels_of(1), kind="TIFF"),
    ],
    ids=["empty", "text", "truncated", "TIFF"],
)
def test_what_is_no_image_is_refused(data):
    problem = "--image=a is no image that can be decoded. Give a whole JPEG, PNG, GIF"
    with pytest.raises(UserError, match=problem):
        decoded("--image=a", data)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", pytest.param("WEBP", marks=WEBP)])
def test_other_formats_have_the_same_pixels(kind):
    pixels = jpegs.even(7)
    lossless = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decoded("", jpegs.encoded(pixels, kind=kind, **lossless)).pixels.numpy(), pixels)


# What a camera that was held so stores, from pixels as they are to be seen, by the table of the EXIF standard: where
# the 0th row and the 0th column of what is stored are.
STORED = {
    1: lambda seen: seen,  # top, left
    2: lambda seen: seen[:, ::-1],  # top, right
    3: lambda seen: seen[::-1, ::-1],  # bottom, right
    4: lambda seen: seen[::-1],  # bottom, left
    5: lambda seen: seen.transpose(1, 0, 2),  # left, top
    6: lambda seen: seen.transpose(1, 0, 2)[::-1],  # right, top
    7: lambda seen: seen.transpose(1, 0, 2)[::-1, ::-1],  # right, bottom
    8: lambda seen: seen.transpose(1, 0, 2)[:, ::-1],  # left, bottom
}


def with_exif(pixels, kind, orientation, **options):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return jpegs.encoded(np.ascontiguousarray(pixels), kind=kind, exif=exif, **options)


@pytest.mark.parametrize("orientation", STORED)
def test_an_image_that_was_taken_sideways_is_turned_upright(orientation):
    seen = jpegs.pixels_of(3)
    found = decoded("", with_exif(STORED[orientation](seen), "PNG", orientation))
    np.testing.assert_array_equal(found.pixels.numpy(), seen)
    assert found.orientation == orientation
    photo = decoded("", with_exif(STORED[orientation](seen), "JPEG", orientation)).pixels.numpy()
    assert photo.shape == seen.shape
    assert np.abs(photo.astype(int) - seen).mean() < 6


@pytest.mark.parametrize("orientation", [0, 9])
def test_an_orientation_that_is_none_turns_nothing(orientation):
    pixels = jpegs.pixels_of(3)
    found = decoded("", with_exif(pixels, "PNG", orientation))
    np.testing.assert_array_equal(found.pixels.numpy(), pixels)
    assert found.orientation == UPRIGHT


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("kept", [0, 8, 10, 20, 56])
def test_an_image_whose_exif_data_are_broken_is_taken_as_it_is_stored(kept, kind, recwarn):
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = 40 * "A"
    exif[ExifTags.Base.Orientation] = 6
    data = exif.tobytes()[:kept] if kept else b"Exif\0\0XX*\0junk"
    pixels = jpegs.pixels_of(3)
    found = decoded("", jpegs.encoded(pixels, kind=kind, exif=data))
    assert (found.pixels.shape, found.orientation) == (pixels.shape, None)
    assert not recwarn.list


def test_what_only_tensorflow_knows_is_told_in_words(monkeypatch):
    monkeypatch.setattr(Image, "ID", [])
    monkeypatch.setattr(Image, "preinit", lambda: None)
    monkeypatch.setattr(Image, "init", lambda: False)
    with pytest.raises(UserError, match=r"cannot be read: Pillow does not know it\. Convert it to PNG\."):
        decoded("--image=a", jpegs.encoded(jpegs.pixels_of(1)))


def test_where_the_orientation_cannot_be_read_that_is_said(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)  # Pillow refuses what has more than twice as many
    with pytest.raises(UserError, match=r"--image=a: whether it is upright cannot be read: .*768 pixels.* to PNG"):
        decoded("--image=a", jpegs.encoded(jpegs.pixels_of(1)))


def test_an_image_is_prepared_as_an_evaluation_prepares_it(tmp_path):
    """On the way from a JPEG, evaluations decode faster, and not quite as exactly."""
    data = jpegs.encoded(jpegs.pixels_of(3, 60, 90))
    jpegs.write_shards(tmp_path, [jpegs.record(data, label=7)], split="validation")
    params = resolve(Params(model="trivial", data_name="imagenet", data_dir=str(tmp_path), batch_size=1), device="cpu")
    expected = next(iter(open_evaluation(params, 32).dataset(tower=0, num_towers=1)))[0].numpy()
    found = prepared(decoded("", data).pixels, "imagenet", 32, EVALUATION)
    assert found.shape == expected.shape == (1, 32, 32, 3)
    assert np.abs(found - expected).max() < 0.05


def test_cifar10_has_the_whole_image_standardised():
    picture = decoded("", jpegs.encoded(jpegs.pixels_of(3, 64, 64), kind="PNG"))
    found = prepared(picture.pixels, "cifar10", 32, EVALUATION)
    assert (found.shape, found.dtype) == ((1, 32, 32, 3), np.float32)
    assert (found.mean(), found.std()) == pytest.approx((0, 1), abs=1e-4)
