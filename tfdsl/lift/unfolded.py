"""Parts of a graph that stay as they were in the program, since their readable form does not compute the same."""

from typing import Any

from ..record import Record


class UnfoldedPart(Record):
    """Nodes that a fold leaves alone. `form` is what it would write for them, and `reason` is a sentence that says what
    is wrong with that."""

    fold: str
    nodes: frozenset[str]
    form: str
    reason: str

    def __str__(self) -> str:
        return f"stays as it was: as {self.form}, {self.reason}"


class Unfolded(Record):
    """How a program differs from the one that all folds would make. With `is_apart`, each value has a statement of its
    own. A program that is `exact` has nothing folded, for the reason that it says."""

    parts: tuple[UnfoldedPart, ...] = ()
    is_apart: bool = False
    exact: str = ""

    def of(self, fold: str) -> frozenset[str]:
        """The nodes that a fold leaves alone."""
        return frozenset[str]().union(*(part.nodes for part in self.parts if part.fold == fold))

    def part(self, node: str) -> UnfoldedPart | None:
        """The part that a node is in."""
        return next((part for part in self.parts if node in part.nodes), None)


ALL_FOLDED = Unfolded()


def unfolded_json(unfolded: Unfolded) -> dict[str, object]:
    """What is not folded, in JSON."""
    parts = [{"fold": one.fold, "nodes": sorted(one.nodes), "form": one.form, "reason": one.reason}
             for one in unfolded.parts]  # fmt: skip
    return {"parts": parts, "apart": unfolded.is_apart, "exact": unfolded.exact}


def unfolded_of(text: dict[str, Any]) -> Unfolded:
    """The inverse of `unfolded_json`."""
    parts = (UnfoldedPart(one["fold"], frozenset(one["nodes"]), one["form"], one["reason"]) for one in text["parts"])
    return Unfolded(tuple(parts), text["apart"], text["exact"])
