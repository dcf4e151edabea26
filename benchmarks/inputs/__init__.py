"""Where a tower's images and labels come from: synthetic tensors or TFRecord files."""
