"""Computes a step of an optimizer in several towers. Each has a part of the batch's rows, and the results are summed.

    rows of tower k    = n // towers, one more in the first n % towers
    gradient           = sum over the towers, in their order, of (rows of k / n) * gradient of k

This is the gradient of the mean over the whole batch. For the gradient of a sum, each part has weight 1. The order is
fixed, so the bits depend only on the number of towers, not on their places or on which is ready first. Each tower draws
different random numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import assert_never

from ..analysis.batch_split import BatchSplit, NotSplit, split
from ..program import Enter, Exit, Item, Literal, Node, Ref, Static
from .built import NodeLowering
from .layout import SEED_DISTANCE
from .optimizers import optimizer
from .tf import Operand, seeds_taken, tf, v1


@dataclass(frozen=True)
class _TowerPart:
    """The inputs of a tower: its rows of each placeholder, and their weight. In a mean this is their share of all rows,
    in a sum 1, or 0 if there are no rows."""

    rows: dict[Ref, tf.Tensor]
    weight: tf.Tensor


def minimize(lowering: NodeLowering, node: Node, arguments: dict[str, Operand]) -> tf.Operation | None:
    """The training op of an `optimize` node, or None if its step cannot be split; `built.undivided` has the reason."""
    built = lowering.built
    how = split(built.program, node, built.setting.fed)
    if isinstance(how, NotSplit):
        built.undivided[node.id] = how
        return None
    wrt, counted = arguments.pop("wrt", None), arguments.pop("global_step", None)
    del arguments["loss"]
    made = optimizer(**arguments)
    taken = seeds_taken.get(built.graph, 0)
    gradients, losses = [], []
    for number, part in enumerate(_parts(lowering, how)):
        seeds_taken[built.graph] = taken + SEED_DISTANCE * (number + 1)
        device = tf.device(built.setting.layout.tower(number) or None)
        with v1.name_scope(None), v1.name_scope(f"tower_{number}"), device:
            inner = lowering.with_values(part.rows)
            inner.items(tuple(_rebuilt_items(built.program.items, how.between, number)), is_alike=False)
            loss = tf.convert_to_tensor(inner.built.value(node.ref("loss")))
            gradients.append([(_weighted(g, part), v) for g, v in made.compute_gradients(loss, wrt)])
            losses.append(_weighted(loss, part))
        built.mark(node)
    seeds_taken[built.graph] = taken  # later ops draw as if there were no towers
    built.losses[node.ref("loss")] = tf.add_n(losses)
    together = [(_sum([g for g, _ in pairs], pairs[0][1]), pairs[0][1]) for pairs in zip(*gradients, strict=True)]
    return made.apply_gradients(together, counted, name=node.name)


def _parts(lowering: NodeLowering, how: BatchSplit) -> list[_TowerPart]:
    """The parts of a batch, one for each tower. If there are fewer rows than towers, those without rows get the last
    row: for empty batches TensorFlow raises errors, or returns gradients of uninitialized memory."""
    towers = lowering.built.setting.layout.towers
    with v1.name_scope(None), v1.name_scope("towers"), tf.device(None):
        whole = {ref: lowering.built.value(ref) for ref in how.fed}
        n: Operand = tf.shape(next(iter(whole.values())))[0]
        firsts = [n // towers * k + tf.minimum(n % towers, k) for k in range(towers)] + [n]
        parts = []
        for first, last in pairwise(firsts):
            begin = tf.minimum(first, n - 1)
            rows = {ref: tensor[begin : tf.maximum(last, begin + 1)] for ref, tensor in whole.items()}
            share = tf.cast(last - first, tf.float64) / tf.cast(n, tf.float64)
            parts.append(_TowerPart(rows, share if how.is_mean else tf.sign(share)))
        return parts


def _rebuilt_items(items: tuple[Item, ...], between: frozenset[int], tower: int) -> Iterator[Item]:
    """The items that a tower rebuilds, in their scopes."""
    scopes: list[Enter] = []  # open scopes without ops
    opened: list[bool] = []
    for item in items:
        match item:
            case Enter():
                scopes.append(item)
                opened.append(False)
            case Exit():
                if opened.pop():
                    yield item
                else:
                    scopes.pop()
            case Node() if item.id in between:
                yield from scopes
                scopes.clear()
                opened = [True] * len(opened)
                yield _with_seed(item, tower)
            case Node():
                pass
            case _:
                assert_never(item)


def _with_seed(node: Node, tower: int) -> Node:
    """A node that draws random numbers, with the tower's own seed."""
    if node.row is None or not node.row.takes_seed:
        return node
    match node.args.get("seed"):
        case Literal() | Static() as seed if isinstance(seed.value, int):
            own = replace(seed, value=(seed.value + SEED_DISTANCE * (tower + 1)) % (1 << 31))
            return replace(node, args={**node.args, "seed": own})
    return node


def _weighted(value: Operand, part: _TowerPart) -> Operand:
    """A tower's part times its weight. A part without rows of its own is 0, even if it is infinite."""
    if value is None:
        return value
    if isinstance(value, tf.IndexedSlices):
        return tf.IndexedSlices(_weighted(value.values, part), value.indices, value.dense_shape)
    return tf.math.multiply_no_nan(value, tf.cast(part.weight, value.dtype))


def _sum(gradients: list, variable: v1.Variable):
    """The sum of the gradients of a variable, on the variable's device."""
    gradients = [gradient for gradient in gradients if gradient is not None]
    if not gradients:
        return None
    with v1.get_default_graph().colocate_with(variable.op):
        if all(isinstance(gradient, tf.IndexedSlices) for gradient in gradients):
            values = tf.concat([gradient.values for gradient in gradients], 0)
            indices = tf.concat([gradient.indices for gradient in gradients], 0)
            return tf.IndexedSlices(values, indices, gradients[0].dense_shape)
        return tf.add_n([tf.convert_to_tensor(gradient) for gradient in gradients])
