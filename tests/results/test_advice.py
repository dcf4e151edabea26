"""What a record says of the choice for auto."""

import pytest

from results.explanation import explain
from tests.results.records import record

CHOSEN = {"value": "replicated", "rule": "GPUs with NVLink", "reason": "NVLinks join all GPUs", "source": "counted"}
LAYOUT = {"value": "NCHW", "rule": "GPU", "reason": "cuDNN is made for it", "source": "the guide"}


def test_a_choice_is_told_with_its_reason():
    advice = {"variable_update": CHOSEN, "all_reduce_spec": CHOSEN | {"value": "nccl"}, "data_format": LAYOUT}
    words = " ".join(explain(record(advice=advice), []).split())
    assert "auto --variable_update=replicated --all_reduce_spec=nccl: NVLinks join all GPUs. Source: counted" in words
    assert "cuDNN" not in words  # that is the default, which nobody has typed
    assert "--data_format=NCHW: cuDNN is made for it" in explain(record(advice=advice, given=("data_format",)), [])


@pytest.mark.parametrize("advice", [{"variable_update": "replicated"}, {"variable_update": {}}, {"x": [1]}])
def test_another_programs_advice_is_left_out(advice):
    assert "\nauto" not in explain(record(advice=advice), [])
