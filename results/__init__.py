"""Records of benchmark runs: stored, loaded, tabulated, plotted. Imports no TensorFlow."""
