import pytest

from tests.engine.training import images_and_labels


@pytest.fixture
def batch():
    """Images NHWC and labels of one global batch that 1, 2, 3, 4 and 8 towers can share."""
    return images_and_labels(24)
