"""All claims that there are studies of, in the order in which they are measured."""

from benchmarks.studies.claims.claim import Claim
from benchmarks.studies.claims.compiling import XLA
from benchmarks.studies.claims.feeding import INPUT_BOUND, INPUT_METHOD, PREPROCESS_DEVICE
from benchmarks.studies.claims.files import FILE_SIZE
from benchmarks.studies.claims.graph import CONSTANT_REUSE, STEPS_PER_LOOP

CLAIMS: tuple[Claim, ...] = (
    XLA,
    INPUT_BOUND,
    INPUT_METHOD,
    PREPROCESS_DEVICE,
    FILE_SIZE,
    CONSTANT_REUSE,
    STEPS_PER_LOOP,
)


def names() -> list[str]:
    """The names of all studies."""
    return [claim.name for claim in CLAIMS]
