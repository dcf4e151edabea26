"""`python -m benchmarks.topology`."""

import sys

from benchmarks.topology.command import main

if __name__ == "__main__":
    sys.exit(main())
