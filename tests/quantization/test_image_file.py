"""A file with an image, as a network wants it: what is refused, and what is made of the rest."""

import re

import numpy as np
import pytest

from benchmarks.errors import UserError
from benchmarks.inputs.evaluation import open_evaluation
from benchmarks.inputs.imagenet_images import Preparation
from benchmarks.params import Params, resolve
from benchmarks.quantization.image_file import decoded, prepared
from tests.inputs import jpegs

EVALUATION = Preparation(distortions=False)


@pytest.mark.parametrize(
    ("mode", "kind", "problem"),
    [
        ("L", "JPEG", "is grey (1 channel(s)), and the models were made for RGB. Convert it"),
        ("L", "PNG", "is grey (1 channel(s))"),
        ("LA", "PNG", "is grey with transparency (2 channel(s))"),
        ("RGBA", "PNG", "is RGB with transparency, or CMYK (4 channel(s))"),
        ("CMYK", "JPEG", "is RGB with transparency, or CMYK (4 channel(s))"),
    ],
)
def test_what_is_not_rgb_is_refused(mode, kind, problem):
    with pytest.raises(UserError) as found:
        decoded("--image=a", jpegs.encoded(jpegs.pixels_of(1), mode, kind))
    assert str(found.value).startswith(f"--image=a {problem}")
    assert "\n" not in str(found.value)


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
    problem = "--image=a is no image that can be decoded. Give a JPEG, PNG, GIF or BMP file that is whole."
    with pytest.raises(UserError, match=re.escape(problem)):
        decoded("--image=a", data)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF"])
def test_other_formats_have_the_same_pixels(kind):
    pixels = jpegs.even(7)
    np.testing.assert_array_equal(decoded("", jpegs.encoded(pixels, kind=kind)).numpy(), pixels)


def test_an_image_is_prepared_as_an_evaluation_prepares_it(tmp_path):
    """On the way from a JPEG, evaluations decode faster, and not quite as exactly."""
    data = jpegs.encoded(jpegs.pixels_of(3, 60, 90))
    jpegs.write_shards(tmp_path, [jpegs.record(data, label=7)], split="validation")
    params = resolve(Params(model="trivial", data_name="imagenet", data_dir=str(tmp_path), batch_size=1), device="cpu")
    expected = next(iter(open_evaluation(params, 32).dataset(tower=0, num_towers=1)))[0].numpy()
    found = prepared(decoded("", data), "imagenet", 32, EVALUATION)
    assert found.shape == expected.shape == (1, 32, 32, 3)
    assert np.abs(found - expected).max() < 0.05


def test_cifar10_has_the_whole_image_standardised():
    found = prepared(decoded("", jpegs.encoded(jpegs.pixels_of(3, 64, 64), kind="PNG")), "cifar10", 32, EVALUATION)
    assert (found.shape, found.dtype) == ((1, 32, 32, 3), np.float32)
    assert (found.mean(), found.std()) == pytest.approx((0, 1), abs=1e-4)
