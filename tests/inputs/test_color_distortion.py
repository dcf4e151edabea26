import colorsys
import math

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.inputs import color_distortion
from benchmarks.inputs.color_distortion import Change

IMAGE = np.random.default_rng(0).uniform(0, 1, (6, 7, 3)).astype(np.float32)
CHANGES = [
    Change(0.0, 1.0, 0.0, 1.0),
    Change(0.1, 1.0, 0.0, 1.0),
    Change(0.0, 0.5, 0.0, 1.0),
    Change(0.0, 1.0, 0.15, 1.0),
    Change(0.0, 1.0, 0.0, 1.5),
    Change(-0.12, 1.4, -0.2, 0.6),
    Change(0.05, 1.5, 0.2, 1.5),
]


def constants(change):
    return Change(*(tf.constant(value) for value in change))


def contrast(image, factor):
    mean = image.mean(axis=(0, 1))
    return (image - mean) * factor + mean


def turned(image, change):
    """Hue and saturation step by step, by way of tf.image's conversions."""
    brightness, in_phase, quadrature = np.moveaxis(tf.image.rgb_to_yiq(image).numpy(), -1, 0)
    plane = (in_phase + 1j * quadrature) * change.saturation * np.exp(1j * math.pi * change.hue)
    return tf.image.yiq_to_rgb(np.stack([brightness, plane.real, plane.imag], axis=-1).astype(np.float32)).numpy()


@pytest.mark.parametrize("change", CHANGES)
def test_in_yiq_it_is_one_change_after_the_other_in_either_order(change):
    found = color_distortion.in_yiq(tf.constant(IMAGE), constants(change))
    brighter = IMAGE + change.brightness
    for expected in (
        contrast(turned(brighter, change), change.contrast),
        turned(contrast(brighter, change.contrast), change),
    ):
        np.testing.assert_allclose(found, np.clip(expected, 0, 1), atol=2e-3)


def in_hsv(image, change):
    """Hue and saturation of each pixel by the standard library."""
    found = []
    for pixel in image.reshape(-1, 3):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        found.append(colorsys.hsv_to_rgb((hue + change.hue) % 1, min(saturation * change.saturation, 1), value))
    return np.array(found).reshape(image.shape)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("contrast_first", [True, False])
def test_in_hsv_contrast_comes_first_or_last(change, contrast_first):
    image = 0.3 + 0.3 * IMAGE  # the standard library's pixels keep within 0 to 1
    change = change._replace(contrast=min(change.contrast, 1.2))
    found = color_distortion.in_hsv(tf.constant(image), constants(change), contrast_first=tf.constant(contrast_first))
    brighter = image + change.brightness
    if contrast_first:
        expected = in_hsv(contrast(brighter, change.contrast), change)
    else:
        expected = contrast(in_hsv(brighter, change), change.contrast)
    np.testing.assert_allclose(found, np.clip(expected, 0, 1), atol=1e-4)


def test_no_change_is_none():
    for found in (
        color_distortion.in_yiq(tf.constant(IMAGE), constants(CHANGES[0])),
        color_distortion.in_hsv(tf.constant(IMAGE), constants(CHANGES[0]), contrast_first=tf.constant(True)),
    ):
        np.testing.assert_allclose(found, IMAGE, atol=1e-5)


def test_changes_are_drawn_from_all_of_their_ranges():
    drawn = tf.data.Dataset.range(2000).map(lambda number: tf.stack(color_distortion.draw(tf.stack([number, 1]))))
    drawn = np.array(list(drawn.as_numpy_iterator()))
    np.testing.assert_allclose(drawn.min(axis=0), [-32 / 255, 0.5, -0.2, 0.5], atol=0.01)
    np.testing.assert_allclose(drawn.max(axis=0), [32 / 255, 1.5, 0.2, 1.5], atol=0.01)
    assert np.abs(np.corrcoef(drawn.T) - np.eye(4)).max() < 0.08
