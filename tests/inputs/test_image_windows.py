import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from benchmarks.inputs import image_windows
from tests.inputs import jpegs

SHAPE = (300, 400)
NO_BOXES = [tf.zeros([0])] * 4


def windows(count, boxes=NO_BOXES, shape=SHAPE):
    dataset = tf.data.Dataset.range(count).map(
        lambda number: image_windows.random_window(tf.constant([*shape, 3]), boxes, tf.stack([number, 5]))
    )
    return np.array(list(dataset.as_numpy_iterator()))


def test_random_windows_are_inceptions():
    row, column, height, width = windows(3000).T
    assert row.min() >= 0
    assert column.min() >= 0
    assert (row + height).max() <= SHAPE[0]
    assert (column + width).max() <= SHAPE[1]
    area, aspect = height * width / np.prod(SHAPE), width / height
    assert 0.099 <= area.min() < 0.12  # of an image without boxes a tenth has to be covered
    assert 0.8 < area.max() <= 1  # a window as wide as the image is at least 1.33 high
    assert 0.74 <= aspect.min() < 0.8
    assert 1.28 < aspect.max() <= 1.35
    assert np.mean(aspect < 1) == pytest.approx(0.5, abs=0.1)


def test_random_windows_cover_a_part_of_an_object():
    box = [tf.constant([side]) for side in (0.0, 0.0, 0.2, 0.2)]
    row, column, height, width = windows(300, box).T
    covered = np.clip(60 - row, 0, height) * np.clip(80 - column, 0, width) / (60 * 80)
    assert covered.min() >= 0.095
    assert np.median(row) < np.median(windows(300).T[0])


def test_boxes_beyond_the_image_end_at_its_edge():
    beyond, within = (
        windows(20, [tf.constant([side]) for side in box]) for box in ((-0.2, 0.5, 0.5, 1.7), (0.0, 0.5, 0.5, 1.0))
    )
    np.testing.assert_array_equal(beyond, within)


def test_the_seed_draws_the_window():
    np.testing.assert_array_equal(windows(5), windows(5))
    assert len({tuple(window) for window in windows(20)}) > 15


@pytest.mark.parametrize(
    ("shape", "square", "window"),
    [
        ((400, 200), False, [25, 12, 350, 175]),
        ((400, 200), True, [112, 12, 175, 175]),
        ((256, 341), True, [16, 58, 224, 224]),
        ((1, 1), False, [0, 0, 1, 1]),
    ],
)
def test_the_middle(shape, square, window):
    assert image_windows.central_window(tf.constant([*shape, 3]), square=square).numpy().tolist() == window


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("fused", [True, False])
def test_what_is_cut_out_is_what_pillow_sees_there(mode, fused):
    data = jpegs.encoded(jpegs.pixels_of(3, 90, 120), mode)
    cut = image_windows.cut_out(tf.constant(data), tf.constant([16, 32, 40, 50]), fused=fused).numpy()
    seen = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[16:56, 32:82]
    assert cut.shape == (40, 50, 3)
    difference = np.abs(cut.astype(int) - seen)
    assert difference.mean() < 3  # the way that is fast is rougher at edges of colour
    assert np.abs(cut.mean(axis=(0, 1)) - seen.mean(axis=(0, 1))).max() < 2


def test_cutting_while_decoding_changes_little():
    data = tf.constant(jpegs.encoded(jpegs.pixels_of(3, 90, 120)))
    window = tf.constant([13, 29, 40, 50])
    fused, whole = (image_windows.cut_out(data, window, fused=each).numpy() for each in (True, False))
    np.testing.assert_array_equal(fused, whole)


def bilinear(pixels, height, width):
    """In NumPy, with pixels as squares: the centre of the first is half a pixel from the edge."""

    def weights(old, new):
        at = np.clip((np.arange(new) + 0.5) * old / new - 0.5, 0, old - 1)
        low = np.floor(at).astype(int)
        found = np.zeros((new, old))
        found[np.arange(new), low] += 1 - (at - low)
        found[np.arange(new), np.minimum(low + 1, old - 1)] += at - low
        return found

    return np.einsum("yr,rcd,xc->yxd", weights(pixels.shape[0], height), pixels, weights(pixels.shape[1], width))


@pytest.mark.parametrize("size", [(7, 60), (50, 5), (24, 32)])
def test_bilinear_resizing(size):
    pixels = jpegs.pixels_of(2)
    found = image_windows.resized(tf.constant(pixels), *size, "bilinear", tf.constant(0))
    np.testing.assert_allclose(found, bilinear(pixels, *size), atol=2e-3)


def test_round_robin_takes_each_method_in_turn():
    pixels = tf.constant(jpegs.pixels_of(2))
    expected = [image_windows.resized(pixels, 9, 9, method, tf.constant(0)).numpy() for method in image_windows.METHODS]
    assert len({each.tobytes() for each in expected}) == 4
    for number in range(8):
        found = image_windows.resized(pixels, 9, 9, "round_robin", tf.constant(number, tf.int64))
        np.testing.assert_array_equal(found, expected[number % 4])


@pytest.mark.parametrize("method", [*image_windows.METHODS, "round_robin"])
def test_an_even_image_stays_as_it_is(method):
    found = image_windows.resized(tf.constant(jpegs.even(77)), 13, 50, method, tf.constant(2, tf.int64))
    np.testing.assert_allclose(found, np.broadcast_to(jpegs.even(77)[:1, :1], (13, 50, 3)), atol=1e-3)
