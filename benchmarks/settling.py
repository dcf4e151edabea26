"""What is settled before the model is built: devices, data, settings, and what shows only then."""

from __future__ import annotations

from benchmarks.cluster.place import Place
from benchmarks.console import Console
from benchmarks.devices import addresses_in_use, unused_gpus
from benchmarks.draft import Draft, cost_facts, learning_facts, learning_notices, model_facts
from benchmarks.in_effect import in_effect, words_on
from benchmarks.params import environment_variables
from benchmarks.precision import COMPUTE_DTYPE
from benchmarks.preflight import command as preflight
from benchmarks.telemetry import wiring
from benchmarks.topology import tower_wiring
from benchmarks.workload import Workload, images_per_update, settle


def settle_workload(draft: Draft, console: Console, place: Place) -> Workload:
    """Settle devices and data at `place`, and warn of what shows only now."""
    asked = draft.notices()
    workload = settle(draft.params, place.set_up)
    if draft.params.device == "auto":
        explained = preflight.leaves_gpus_out(draft.sections.get("preflight", {}))
        if warning := unused_gpus(workload.devices, draft.hardware["gpus"], explained=explained):
            console.notice(f"WARNING: {warning}")
    if workload.devices.kind == "gpu":  # of a run on the CPU nobody asks how the machine's GPUs are wired
        draft.hardware |= wiring.recorded()
    draft.params = workload.params
    draft.sections |= place.sections()
    if not draft.sections.get("cluster"):  # of others' GPUs this process does not know
        draft.hardware |= wiring.of_run(addresses_in_use(workload.devices))
    _tell_effect(draft, workload, console)
    for notice in draft.notices():
        if notice not in asked:  # those were told before TensorFlow was imported
            console.notice(f"WARNING: {notice}")
    if workload.topology:
        console.notice(f"NOTE: --network_topology=auto: {tower_wiring.told(workload.topology)}")
    if workload.source.facts.get("deterministic_order") is False:
        console.notice("NOTE: the order of the images depends on timing: runs with the same seed see other batches.")
    if "data_format" in draft.command.given and (layout := draft.advice().get("data_format")):
        console.notice(f"NOTE: --data_format=auto: {layout['value']}: {layout['reason']}. Source: {layout['source']}.")
    draft.sections["dataset"] = workload.source.facts
    if not workload.params.input_only:
        _describe_model(draft, workload, console)
    return workload


def _tell_effect(draft: Draft, workload: Workload, console: Console) -> None:
    """Record what of the settings for the processors is in effect, and say what is not as it was asked for."""
    kind = workload.devices.kind
    own = environment_variables(draft.command.params)
    draft.environment["in_effect"] = facts = in_effect(kind, own)
    for words in words_on(facts, workload.params.mkl, kind, own):
        console.notice(words)


def _describe_model(draft: Draft, workload: Workload, console: Console) -> None:
    """Record what the model is, what it costs and how it learns, and say what nobody has typed of that."""
    params = workload.params
    learning = learning_facts(params, draft.command.given, images_per_update(workload))
    for told in learning_notices(params, learning):
        console.notice(f"NOTE: {told}")
    draft.sections["model"] = model_facts(params.model, workload.declarations) | learning
    draft.sections["cost"] = cost_facts(
        workload.network,
        workload.source.num_classes,
        COMPUTE_DTYPE[params.precision].size,
        training=not params.forward_only,
    )
