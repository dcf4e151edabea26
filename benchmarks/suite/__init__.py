"""`python -m benchmarks.suite`: many runs as one, each in a process of its own, that survive the night.

Imports no TensorFlow.
"""
