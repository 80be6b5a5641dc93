"""Finds the random ops of a program that correspond to those of its graph, where no statement names them."""

from collections.abc import Iterable, Iterator

from ..lowering.tf import Operand
from .sides import in_order, is_random


def paired_draws(
    left: Operand, right: Operand, pairs: Iterable[tuple[Operand, Operand]]
) -> Iterator[tuple[Operand, Operand]]:
    """Pairs of random ops in two graphs. `pairs` are tensors or ops that correspond. If each of the two needs exactly
    one random op without a counterpart, these two ops are a pair."""
    pairs = [tuple(getattr(one, "op", one) for one in pair) for pair in pairs]
    found = {one.name: other.name for one, other in pairs if is_random(one.type)}
    needed = _draws(left), _draws(right)
    taken = set(found.values())
    for one, other in pairs:
        draws, others = needed[0][one.name] - found.keys(), needed[1][other.name] - taken
        if len(draws) == len(others) == 1:
            (name,), (counterpart,) = draws, others
            ops = left.get_operation_by_name(name), right.get_operation_by_name(counterpart)
            if ops[0].type == ops[1].type and ops[0].outputs[0].dtype == ops[1].outputs[0].dtype:
                found[name] = counterpart
                taken.add(counterpart)
                yield ops


def _draws(graph: Operand) -> dict[str, frozenset[str]]:
    """The random ops that each op of a graph needs."""
    found: dict[str, frozenset[str]] = {}
    for one in in_order(graph):
        own = {one.name} if is_random(one.type) else set[str]()
        above = (*(tensor.op for tensor in one.inputs), *one.control_inputs)
        found[one.name] = frozenset(own).union(*(found.get(other.name, ()) for other in above))
    return found
