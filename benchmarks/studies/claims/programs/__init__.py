"""Programs of the studies' own, for ways that run_benchmark.py cannot run; each ends with a line of JSON."""
