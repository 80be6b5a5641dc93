"""The executions of a graph that the statements of a session make."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...lowering.built import BuiltGraph
from ...lowering.cloning import name_of
from ...program import Statement, Train
from .nan import watched_losses


@dataclass(frozen=True, slots=True)
class Executed:
    """One execution. `fetches` are the names of its tensors ("a:0") and operations ("^a"), including the losses that a
    training watches. `fed` are the names of the fed tensors."""

    statement: Statement
    fetches: tuple[str, ...]
    fed: frozenset[str]


def executions(
    built: BuiltGraph, statements: tuple[Statement, ...], training: Train | None = None
) -> Iterator[Executed]:
    """The executions of statements and of those in their bodies. `training` is the one around them."""
    for one in statements:
        refs = one.uses().executes
        if refs:
            values = [built.graph.as_graph_element(built.value(ref)) for ref in refs]
            if training is not None:
                values += map(built.loss_tensor, watched_losses(built.program, training, refs))
            fed = frozenset(built.tensor(feed.ref).name for feed in one.uses().feeds)
            yield Executed(one, tuple(map(name_of, values)), fed)
        yield from executions(built, one.uses().body, one if isinstance(one, Train) else training)
