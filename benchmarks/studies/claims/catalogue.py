"""All claims that there are studies of, in the order in which they are measured."""

from benchmarks.studies.claims.claim import Claim
from benchmarks.studies.claims.compiling import XLA

CLAIMS: tuple[Claim, ...] = (XLA,)


def names() -> list[str]:
    """The names of all studies."""
    return [claim.name for claim in CLAIMS]
