"""`python -m benchmarks.suite SUITE.yaml --results_dir=DIR`."""

import sys

from benchmarks.suite.command import main

if __name__ == "__main__":
    sys.exit(main())
