"""What a record says of a quantised model, in words: its size, speed and agreement, and what the conversion did."""

from collections.abc import Iterator, Mapping
from typing import Any

from results.cost import number
from results.schema import section

WAYS = {"tensorflow": "TensorFlow", "float": "LiteRT float32", "quantized": "LiteRT"}
_GRAPHS = {"traced": "traced graph", "float": "float model", "quantized": "quantised model"}
_MOST_KINDS = 4  # of operators; more are counted
_SHARES = (50, 90, 99)
_ENOUGH_CALLS = 100  # for a 99th percentile; of fewer it is hardly more than the slowest call
REST = "what the conversion did with operations and transforms: python -m results show, and the record"


def report(found: Mapping[str, Any]) -> list[str]:
    """Return all that is known in lines, from the `quantization` section of a record."""
    if not found:
        return []
    return [*in_short(found), *_graphs(found), *_transforms(found)]


def in_short(found: Mapping[str, Any]) -> Iterator[str]:
    """Return what it is, how large, how fast and how right, a sentence each, of what is known."""
    if not isinstance(found.get("mode"), str):
        return
    yield f"{found['mode']} by {found.get('runtime')}, {_threads(found)}, {_weights(found)}"
    if refusal := found.get("xnnpack_refusal"):
        yield refused(str(refusal))
    yield from _sizes(found)
    yield from _latency(found)
    yield from _agreement(section(found, "agreement"))
    yield _in_float(found)


def _graphs(found: Mapping[str, Any]) -> Iterator[str]:
    graphs = section(found, "operators")
    told = [f"{_GRAPHS[name]} {_kinds(graphs[name])}" for name in _GRAPHS if isinstance(graphs.get(name), dict)]
    if told:
        yield f"operations: {'; '.join(told)}"


def refused(refusal: str) -> str:
    """Return what XNNPACK's `refusal` of a model means."""
    return f"XNNPACK refuses the model, so LiteRT's own kernels run it, which are slower: {refusal}"


def ratio(found: Mapping[str, Any]) -> float | None:
    """Return the size of the quantised file over that of the float file; None where it is not known."""
    plain, narrow = number(found.get("float_bytes")), number(found.get("quantized_bytes"))
    return narrow / plain if plain and narrow is not None else None


def speedup(found: Mapping[str, Any]) -> float | None:
    """Return how many times as fast as TensorFlow single images are, by the medians; None where it is not known."""
    latency = section(found, "latency")
    medians = [number(section(latency, name).get("p50_seconds")) for name in ("tensorflow", "quantized")]
    return medians[0] / medians[1] if medians[0] and medians[1] else None


def _weights(found: Mapping[str, Any]) -> str:
    checkpoint = found.get("checkpoint")
    return f"weights of {checkpoint}" if checkpoint else "weights untrained: what they say of images means nothing"


def _threads(found: Mapping[str, Any]) -> str:
    return "1 thread" if found.get("threads") == 1 else f"{found.get('threads')} threads"


def _sizes(found: Mapping[str, Any]) -> Iterator[str]:
    share = ratio(found)
    if share is not None:
        yield (
            f"size: {found['quantized_bytes']:,} bytes, {share:.3f} of the float model's {found['float_bytes']:,}"
            f"{_calibrated(found)}"
        )


def _calibrated(found: Mapping[str, Any]) -> str:
    images = found.get("calibration_images")
    return f"; ranges of {images} images" if images else ""


def _latency(found: Mapping[str, Any]) -> Iterator[str]:
    latency, told = section(found, "latency"), []
    calls = [number(section(latency, name).get("calls")) for name in WAYS]
    few = min((count for count in calls if count is not None), default=None)
    for name, words in WAYS.items():
        seconds = [number(section(latency, name).get(f"p{share}_seconds")) for share in _SHARES]
        known = [f"{1e3 * each:.2f}" for each in seconds if each is not None]
        if len(known) == len(_SHARES):
            of = f" {found['mode']}" if name == "quantized" else ""
            told.append(f"{words}{of} {', '.join(known)}")
    if told:
        faster = speedup(found)
        times = f" ({faster:.2f} times TensorFlow's speed)" if faster else ""
        of_few = f" of as few as {few:.0f} calls" if few is not None and few < _ENOUGH_CALLS else ""
        yield f"one image, ms (50th, 90th, 99th percentile{of_few}): {'; '.join(told)}{times}"


def _agreement(agreement: Mapping[str, Any]) -> Iterator[str]:
    share = number(agreement.get("top_1_agreement"))
    if share is None:
        return
    accuracy = section(agreement, "accuracy")
    yield (
        f"agreement: the class that comes first is the float model's for {share:.4f} of {agreement.get('images')} "
        f"{'evaluation ' if accuracy else ''}images ({agreement.get('source')})"
        f"{_accuracy(accuracy)}"
    )


def _accuracy(accuracy: Mapping[str, Any]) -> str:
    told = []
    for name in ("float", "quantized"):
        top = [number(section(accuracy, name).get(each)) for each in ("top_1", "top_5")]
        if top[0] is not None and top[1] is not None:
            told.append(f"{_GRAPHS[name]} {top[0]:.4f} and {top[1]:.4f}")
    return f"; top-1 and top-5 accuracy on them: {', '.join(told)}" if told else ""


def _in_float(found: Mapping[str, Any]) -> str:
    left = section(found, "operators_in_float")
    if not left:
        return "no operator computes in float"
    return f"operators left in float: {', '.join(f'{kind} {count}' for kind, count in left.items())}"


def _kinds(kinds: Mapping[str, Any]) -> str:
    counts = [count for count in kinds.values() if isinstance(count, int)]
    named = [f"{kind} {count}" for kind, count in list(kinds.items())[:_MOST_KINDS]]
    more = len(kinds) - len(named)
    return f"{sum(counts):,} ({', '.join(named)}{f' and {more} more' if more > 0 else ''})"


def _transforms(found: Mapping[str, Any]) -> Iterator[str]:
    listed = found.get("transforms")
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict):
            before = f"{each['before']:,} -> " if isinstance(each.get("before"), int) else ""
            after = f"{each['after']:,}" if isinstance(each.get("after"), int) else "?"
            yield f"  {each.get('name')}: {before}{after} {each.get('what')}"
