"""From the towers' gradients to their mean on every tower: algorithms, packing and compression put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from variable_mgr.all_reduce import mean_everywhere
from variable_mgr.exchange_plan import Exchange, Plan
from variable_mgr.libraries import LaunchOrder
from variable_mgr.packs import GRADIENT_BYTES, Pack, is_one_gradient
from variable_mgr.store import Declaration
from variable_mgr.strategies import Gradients, Reduce


def gradient_sizes(declarations: Sequence[Declaration]) -> dict[str, int]:
    """The number of elements of each gradient: of the trainable ones of `declarations`."""
    return {each.name: each.nbytes // GRADIENT_BYTES for each in declarations if each.trainable}


def reduce_of(plan: Plan) -> Reduce:
    """The function that carries out `plan`."""
    if len(plan.towers) == 1:
        return lambda tower_gradients: [dict(tower_gradients[0])]
    reduce = one_by_one(plan.exchanges)
    transfer = tf.dtypes.as_dtype(plan.options.transfer_format)
    if transfer != tf.float32:
        reduce = compressed(reduce, transfer, plan.towers)
    return packed(reduce, {each.name: each.pack for each in plan.exchanges}, plan.towers)


def one_by_one(exchanges: Sequence[Exchange]) -> Reduce:
    """Each of the `exchanges` by its own schedule; the gradients are called as they are."""

    def reduce(tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        means: list[Gradients] = [{} for _ in tower_gradients]
        order = LaunchOrder()
        for exchange in reversed(exchanges):  # what is declared last has its gradient first
            tensors = [gradients[exchange.name] for gradients in tower_gradients]
            for mean, result in zip(means, mean_everywhere(exchange.schedule, tensors, order), strict=True):
                mean[exchange.name] = result
        return [{name: mean[name] for name in tower_gradients[0]} for mean in means]

    return reduce


def compressed(reduce: Reduce, dtype: tf.DType, towers: Sequence[str]) -> Reduce:
    """`reduce` on gradients that are rounded to `dtype` and whose means are float32 again.

    What it costs: each gradient is rounded when it leaves its tower, and each sum on the way again; schedules divide
    such numbers before they add them, so that a sum overflows only where a gradient does. float16 keeps 11 bits,
    overflows to infinity above 65504, and is coarse below 6e-5 and zero below 6e-8 (after the division by the
    number of towers): it needs a loss scale. bfloat16 has the range of float32 and keeps 8 bits. Gradients that were
    computed in `dtype` lose nothing when they leave.
    """

    def compress(tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        narrow = [_cast(gradients, dtype, device) for gradients, device in zip(tower_gradients, towers, strict=True)]
        return [_cast(mean, tf.float32, device) for mean, device in zip(reduce(narrow), towers, strict=True)]

    return compress


def packed(reduce: Reduce, packs: Mapping[str, Pack], towers: Sequence[str]) -> Reduce:
    """`reduce` on flat tensors that have the gradients of each of `packs` in a row, under the pack's name.

    A pack of one whole gradient keeps its shape.
    """

    def reduce_packs(tower_gradients: Sequence[Gradients]) -> list[Gradients]:
        shapes = {name: gradient.shape for name, gradient in tower_gradients[0].items()}
        joined = [_join(gradients, packs, device) for gradients, device in zip(tower_gradients, towers, strict=True)]
        return [_part(mean, packs, shapes, device) for mean, device in zip(reduce(joined), towers, strict=True)]

    return reduce_packs


def _cast(gradients: Gradients, dtype: tf.DType, device: str) -> Gradients:
    with tf.device(device):
        return {name: tf.cast(gradient, dtype) for name, gradient in gradients.items()}


def _join(gradients: Gradients, packs: Mapping[str, Pack], device: str) -> Gradients:
    sizes = {name: gradient.shape.num_elements() for name, gradient in gradients.items()}
    joined = {}
    with tf.device(device):
        for pack_name, pack in packs.items():
            if is_one_gradient(pack, sizes):
                joined[pack_name] = gradients[pack[0].name]
                continue
            pieces = []
            for name, begin, end in pack:
                flat = tf.reshape(gradients[name], [-1])
                pieces.append(flat if end - begin == sizes[name] else tf.slice(flat, [begin], [end - begin]))
            joined[pack_name] = pieces[0] if len(pieces) == 1 else tf.concat(pieces, axis=0)
    return joined


def _part(joined: Gradients, packs: Mapping[str, Pack], shapes: Mapping[str, tf.TensorShape], device: str) -> Gradients:
    pieces: dict[str, list[tf.Tensor]] = {name: [] for name in shapes}
    with tf.device(device):
        for pack_name, pack in packs.items():
            several = len(pack) > 1
            lengths = [part.end - part.begin for part in pack]
            split = tf.split(joined[pack_name], lengths) if several else [joined[pack_name]]
            for part, piece in zip(pack, split, strict=True):
                pieces[part.name].append(piece)
        gradients = {}
        for name, shape in shapes.items():
            whole = pieces[name][0] if len(pieces[name]) == 1 else tf.concat(pieces[name], axis=0)
            gradients[name] = whole if whole.shape == shape else tf.reshape(whole, shape)
    return gradients
