"""Describes the parts of a graph that stay as they were, because their readable form does not compute the same
values."""

from typing import Any

from ..record import Record


class UnfoldedPart(Record):
    """Nodes that a fold leaves alone. `form` is the form that the fold would write, if it has one, and `reason` is a
    clause that says what is wrong with it."""

    fold: str
    nodes: frozenset[str]
    form: str
    reason: str

    def __str__(self) -> str:
        return f"stays as it was: as {self.form}, {self.reason}" if self.form else f"stays as it was: {self.reason}"


class Unfolded(Record):
    """Limits on the folding of a program. `parts` are left alone. With `is_apart`, each value has a statement of its
    own. A non-empty `exact` is the reason why nothing is folded."""

    parts: tuple[UnfoldedPart, ...] = ()
    is_apart: bool = False
    exact: str = ""

    def of(self, fold: str) -> frozenset[str]:
        """The nodes that a fold leaves alone."""
        return frozenset[str]().union(*(part.nodes for part in self.parts if part.fold == fold))

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes of all parts."""
        return frozenset[str]().union(*(part.nodes for part in self.parts))

    def part(self, node: str) -> UnfoldedPart | None:
        """The part that a node is in."""
        return next((part for part in self.parts if node in part.nodes), None)


ALL_FOLDED = Unfolded()


def unfolded_json(unfolded: Unfolded) -> dict[str, object]:
    """The limits as JSON."""
    parts = [{"fold": one.fold, "nodes": sorted(one.nodes), "form": one.form, "reason": one.reason}
             for one in unfolded.parts]  # fmt: skip
    return {"parts": parts, "apart": unfolded.is_apart, "exact": unfolded.exact}


def unfolded_of(text: dict[str, Any]) -> Unfolded:  # JSON of `unfolded_json`, from another process
    """The inverse of `unfolded_json`."""
    parts = (UnfoldedPart(one["fold"], frozenset(one["nodes"]), one["form"], one["reason"]) for one in text["parts"])
    return Unfolded(tuple(parts), text["apart"], text["exact"])
