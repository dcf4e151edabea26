"""What the experiments after a run need: the breakdown a training step."""

from __future__ import annotations

from benchmarks.params.params import Params
from benchmarks.params.rules import excluded, rule


@rule("step_breakdown", "forward_only", "input_only")
def training_step_to_take_apart(params: Params) -> list[str]:
    """Without training there is no backward pass, and no update."""
    reasons = {
        "forward_only": "a forward pass has no parts",
        "input_only": "without a model there is no step that has parts",
    }
    return excluded(params, "step_breakdown", reasons) if params.step_breakdown else []
