"""All claims that there are studies of, in the order in which they are measured."""

from benchmarks.studies.claims.batch_norm import FUSED_BATCH_NORM
from benchmarks.studies.claims.claim import Claim
from benchmarks.studies.claims.compiling import XLA
from benchmarks.studies.claims.feeding import INPUT_BOUND, INPUT_METHOD, PREPROCESS_DEVICE
from benchmarks.studies.claims.files import FILE_SIZE
from benchmarks.studies.claims.graph import CONSTANT_REUSE, STEPS_PER_LOOP
from benchmarks.studies.claims.layouts import DATA_FORMAT
from benchmarks.studies.claims.number_formats import PRECISION
from benchmarks.studies.claims.placing import PLACEMENT
from benchmarks.studies.claims.threads import THREADS
from benchmarks.studies.claims.variables import VARIABLE_UPDATE

CLAIMS: tuple[Claim, ...] = (
    INPUT_BOUND,
    INPUT_METHOD,
    PREPROCESS_DEVICE,
    FILE_SIZE,
    DATA_FORMAT,
    FUSED_BATCH_NORM,
    XLA,
    PRECISION,
    VARIABLE_UPDATE,
    THREADS,
    PLACEMENT,
    CONSTANT_REUSE,
    STEPS_PER_LOOP,
)


def names() -> list[str]:
    """The names of all studies."""
    return [claim.name for claim in CLAIMS]
