"""A step of an optimizer in several towers: each has a part of the batch's rows, and what they find is put together.

    rows of tower k    = n // towers, one more in the first n % towers
    gradient           = sum over the towers, in their order, of (rows of k / n) * gradient of k

which is the gradient of the mean over the whole batch; in that of a sum each part counts once. The order is fixed, so
the bits depend on the number of towers and on nothing else: not on where they are, nor on which is ready first. Random
numbers are others in each tower.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import assert_never

from ..analysis.batch_split import BatchSplit, NotSplit, split
from ..program import Enter, Exit, Item, Literal, Node, Ref, Static
from .layout import APART
from .optimizers import optimizer
from .tf import Operand, seeds_taken, tf, v1


@dataclass(frozen=True)
class _TowerPart:
    """What a tower computes on: its rows of each placeholder, and what they count: in a mean their share of all rows,
    in a sum 1, or 0 where there are none."""

    rows: dict[Ref, tf.Tensor]
    weight: tf.Tensor


def minimize(lowering, node: Node, arguments: dict[str, Operand]) -> tf.Operation | None:
    """The training op of an `optimize` node; None where its step cannot be split, of which `built.undivided` tells."""
    built = lowering.built
    how = split(built.program, node, built.setting.fed)
    if isinstance(how, NotSplit):
        built.undivided[node.id] = how
        return None
    wrt = arguments.pop("wrt", None)
    del arguments["loss"]
    made = optimizer(**arguments)
    taken = seeds_taken.get(built.graph, 0)
    gradients, losses = [], []
    for number, part in enumerate(_parts(lowering, how)):
        seeds_taken[built.graph] = taken + APART * (number + 1)
        device = tf.device(built.setting.layout.tower(number) or None)
        with v1.name_scope(None), v1.name_scope(f"tower_{number}"), device:
            inner = lowering.again(part.rows)
            inner.items(tuple(_again(built.program.items, how.between, number)), is_alike=False)
            loss = tf.convert_to_tensor(inner.built.value(node.ref("loss")))
            gradients.append([(_weighed(g, part), v) for g, v in made.compute_gradients(loss, wrt)])
            losses.append(_weighed(loss, part))
        built.mark(node)
    seeds_taken[built.graph] = taken  # what comes after draws as if there were no towers
    built.losses[node.ref("loss")] = tf.add_n(losses)
    together = [(_sum([g for g, _ in pairs], pairs[0][1]), pairs[0][1]) for pairs in zip(*gradients, strict=True)]
    return made.apply_gradients(together, name=node.name)


def _parts(lowering, how: BatchSplit) -> list[_TowerPart]:
    """The parts of a batch, one for each tower. Where there are fewer rows than towers, those without one are lent the
    last: of no rows at all TensorFlow makes errors, or gradients that are memory nobody has written to."""
    towers = lowering.built.setting.layout.towers
    with v1.name_scope(None), v1.name_scope("towers"), tf.device(None):
        whole = {ref: lowering.built.value(ref) for ref in how.fed}
        n = tf.shape(next(iter(whole.values())))[0]
        firsts = [n // towers * k + tf.minimum(n % towers, k) for k in range(towers)] + [n]
        parts = []
        for first, last in pairwise(firsts):
            begin = tf.minimum(first, n - 1)
            rows = {ref: tensor[begin : tf.maximum(last, begin + 1)] for ref, tensor in whole.items()}
            share = tf.cast(last - first, tf.float64) / tf.cast(n, tf.float64)
            parts.append(_TowerPart(rows, share if how.is_mean else tf.sign(share)))
        return parts


def _again(items: tuple[Item, ...], between: frozenset[int], tower: int) -> Iterator[Item]:
    """The items that a tower builds again, in their scopes."""
    scopes: list[Enter] = []  # those that are open, but in which nothing was built yet
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
    """A node that draws random numbers, with a seed of the tower's own."""
    if node.row is None or not node.row.takes_seed:
        return node
    match node.args.get("seed"):
        case Literal() | Static() as seed if isinstance(seed.value, int):
            own = replace(seed, value=(seed.value + APART * (tower + 1)) % (1 << 31))
            return replace(node, args={**node.args, "seed": own})
    return node


def _weighed(value, part: _TowerPart):
    """A tower's part as it counts. One without rows of its own counts nothing, be it infinite."""
    if value is None:
        return value
    if isinstance(value, tf.IndexedSlices):
        return tf.IndexedSlices(_weighed(value.values, part), value.indices, value.dense_shape)
    return tf.math.multiply_no_nan(value, tf.cast(part.weight, value.dtype))


def _sum(gradients: list, variable: v1.Variable):
    """The gradients of a variable together, where the variable is."""
    gradients = [gradient for gradient in gradients if gradient is not None]
    if not gradients:
        return None
    with v1.get_default_graph().colocate_with(variable.handle):
        if all(isinstance(gradient, tf.IndexedSlices) for gradient in gradients):
            values = tf.concat([gradient.values for gradient in gradients], 0)
            indices = tf.concat([gradient.indices for gradient in gradients], 0)
            return tf.IndexedSlices(values, indices, gradients[0].dense_shape)
        return tf.add_n([tf.convert_to_tensor(gradient) for gradient in gradients])
