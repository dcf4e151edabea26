"""What a tower's batch of images looks like. Imports no TensorFlow."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ImageSpec:
    """Size, layout and type of the images that a tower gets at each step.

    `data_format` is "NHWC" or "NCHW"; `dtype` is "float32", "bfloat16" or "float16".
    """

    batch_size: int
    height: int
    width: int
    data_format: str = "NHWC"
    dtype: str = "float32"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """The shape of a batch, in this layout, of images with three channels."""
        if self.data_format == "NCHW":
            return (self.batch_size, 3, self.height, self.width)
        return (self.batch_size, self.height, self.width, 3)
