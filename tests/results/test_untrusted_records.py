"""Whatever stands in a record file, a command ends with an exit code that it promises, and prints no control code."""

import io
import json
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from results.__main__ import main
from results.commands.export import FORMATS
from tests.results.records import record

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**400) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
TEMPLATE = json.loads(
    record(
        exchange={"exchanges": 1, "sent_bytes": {"/gpu:0": 1}, "exposed_share": 0.1},
        placement={
            "towers": ["/gpu:0"],
            "variables": {"/gpu:0": {"variables": 1, "bytes": 2}},
            "operations": {"/gpu:0": {"Conv2D": 1}},
            "moved": [{"type": "a", "requested": "b", "device": "c", "operations": 1, "names": ["d"]}],
            "crossing": [{"from": "a", "to": "b", "tensors": 1, "bytes": 2, "unknown": 0}],
        },
        telemetry={
            "gpus": {"GPU 0": {"series": {"seconds": [1.0, 2.0], "power_watts": [3.0, None]}}},
            "joules_per_image": 0.5,
        },
        step_breakdown={
            "parts": [
                {"part": "forward", "seconds": {"value": 0.1, "low": 0.1, "high": 0.1}, "share": 1.0, "doubt": ""}
            ],
            "step": {"value": 0.1},
        },
        cost={"flops_an_image": 1.0, "flops_per_second": 2.0, "peaks": {"convolution": {"flops_per_second": 3.0}}},
        checks={"variable_update": {"largest_difference": 0.0}},
        cluster={"hosts": {"worker": ["a:1"]}},
        not_acting=({"flag": "a", "value": 1, "kind": "b", "reason": "c"},),
        seeds={"tf_random_seed": 1},
        environment={
            "packages": {"tensorflow": "2"},
            "git": {"commit": "a"},
            "variables": {"TF_X": "1"},
            "container": "docker",
            "libraries": {"cudnn": "9.3.0"},
        },
        hardware={
            "cpu": {"model": "a", "governor": "performance", "turbo": True},
            "virtualisation": {"kind": "kvm"},
            "gpus": [{"name": "b", "power_limit_watts": 300.0}],
            "memory_bytes": 1,
            "driver": "1",
        },
        preflight={"findings": [{"check": "a", "severity": "warns", "what": "b", "why": "c", "remedy": "d"}]},
    ).to_json()
)


def places(data, path=()):
    """The path of every value in `data`."""
    if path:
        yield path
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in entries:
        yield from places(value, (*path, key))


@st.composite
def records(draw):
    """The template with a few values replaced by anything."""
    data = json.loads(json.dumps(TEMPLATE))
    for path in draw(st.lists(st.sampled_from(list(places(TEMPLATE))), min_size=1, max_size=3)):
        inner = data
        try:
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = draw(ANYTHING)
        except (KeyError, IndexError, TypeError):
            continue  # another replacement has taken this place away
    if path[0] == "configuration" or draw(st.booleans()):
        data.pop("configuration_key", None)
    return json.dumps(data)


def with_numbers(value):
    """The template with `value` in place of every number that is in a free-form section."""
    data = json.loads(json.dumps(TEMPLATE))
    free = ("exchange", "placement", "checks", "cluster", "seeds", "environment", "hardware", "model")
    for path in places(TEMPLATE):
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        if path[0] in free and isinstance(inner[path[-1]], int | float):
            inner[path[-1]] = value
    return json.dumps(data)


def run(*arguments):
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main([str(argument) for argument in arguments], stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue()


@settings(max_examples=60)
@example(with_numbers(10**400))
@given(records())
def test_every_command_survives_any_record(text):
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "a.json")
        path.write_text(text, encoding="utf-8")
        Path(place, "good.json").write_text(record(record_id="f" * 32).to_json())
        for command in (["table", place], ["history", place, "--include_invalid"], ["show", path]):
            code, out, err = run(*command)
            assert code in (0, 1, 2)
            assert all(character.isprintable() or character == "\n" for character in out + err)
        for form in set(FORMATS) - {"parquet"}:  # which has the frame that csv has
            assert run("export", place, f"--format={form}", "--include_invalid", f"--out={place}/out")[0] in (0, 1)
