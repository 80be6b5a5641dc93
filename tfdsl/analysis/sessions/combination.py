"""How the values of tensors over all rows of a data set are made of their values for batches.

A tensor that is a mean or a sum over the rows, has a row for each row, or does not depend on them, is combined as such.
One that adds, subtracts or scales such tensors is computed from their combined values, outside the graph. What a tensor
is, its ops say, not its shape.
"""

from collections.abc import Collection, Mapping

from ...ops.batch import FIXED, MEAN, ROWS, SUM
from ...ops.named import OPERATORS
from ...program import Apply, Arg, Combination, Fetch, Literal, Node, PlanExpr, Ref, Value, refs_of, upstream
from ..batch_kinds import Nodes, batch_kind, outside_regions

_COMBINED: Mapping[str, Combination] = {FIXED: "fixed", ROWS: "rows", MEAN: "mean", SUM: "sum"}
_ADDED = {OPERATORS[sign]: sign for sign in ("+", "-")}
_NEGATED, _MULTIPLIED, _DIVIDED, _CHOSEN = (OPERATORS[sign] for sign in ("unary -", "*", "/", "if"))
_DEEPEST = 200


class NotCombined(Exception):
    """A node whose value over all rows cannot be made of its values for batches."""

    def __init__(self, node: Node, kinds: Mapping[str, str]):
        """`kinds` are those of its arguments."""
        super().__init__()
        self.node, self.kinds = node, kinds


class Combinations:
    """The combinations of some tensors of a graph. `rows` are the nodes that are fed rows of the batch, `mixed` those
    that are fed something else made of it. `off` are bools that are false, besides the placeholders that are so by
    default and are not `fed`."""

    def __init__(
        self, nodes: Nodes, reached: Collection[int], rows: Collection[int], mixed: Collection[int],
        off: Collection[int], fed: Collection[Ref],
    ):  # fmt: skip
        self._nodes, self.mixed = nodes, mixed
        self._off = {*off, *(id for id in reached if Ref(id) not in fed and _is_false(nodes[id]))}
        self._kinds: dict[int, str | None] = {}  # None if it cannot be combined
        self._known: dict[int, str] = {}
        self.leaves: dict[Ref, Combination] = {}
        for id in outside_regions(nodes, reached):
            kind = ROWS if id in rows else None if id in mixed else self._kind(nodes[id])
            self._kinds[id] = kind
            if kind is not None:
                self._known[id] = kind

    def kind(self, ref: Ref) -> Combination | None:
        """How a tensor itself is combined, if it can be."""
        kind = self._kinds.get(ref.node, FIXED)
        return None if kind is None else _COMBINED.get(kind)

    def combined(self, ref: Ref, depth: int = 0) -> PlanExpr:
        """A tensor's value over all rows. Its parts are added to `leaves`. Raises `NotCombined`."""
        kind, node = self.kind(ref), self._nodes[ref.node]
        if kind is not None:
            self.leaves[ref] = kind
            return Fetch(ref)
        row, kinds = node.row, {name: self._kind_of(arg) for name, arg in node.args.items()}
        scaled = [name for name in ("x", "y") if kinds.get(name) != FIXED]
        if depth < _DEEPEST and row is not None:
            if row in _ADDED:
                return Apply(_ADDED[row], (self._part(node, "x", depth), self._part(node, "y", depth)))
            if row is _NEGATED:
                return Apply("unary -", (self._part(node, "x", depth),))
            if (row is _MULTIPLIED and len(scaled) == 1) or (row is _DIVIDED and scaled == ["x"]):
                sign = "*" if row is _MULTIPLIED else "/"
                return Apply(sign, (self._part(node, "x", depth), self._part(node, "y", depth)))
        totals = self._totals(node)
        if totals is None:
            raise NotCombined(self._culprit(node), kinds)
        self.leaves |= totals
        self.leaves[ref] = "made"
        return Fetch(ref)

    def is_fixed(self, node: Node) -> bool:
        """Whether the outputs of a node have nothing to do with the rows."""
        return self._kinds.get(node.id, FIXED) == FIXED

    def changes(self, node: Node) -> bool:
        """Whether a node that writes variables changes them. A layer of the library leaves them as they are while
        `training` is off."""
        is_layer = node.origin.span.source.is_library
        return not (is_layer and any(one.id in self._off for one in upstream(self._nodes, node.inputs())))

    def _totals(self, node: Node) -> dict[Ref, Combination] | None:
        """The means and sums over all rows of which a library makes the output of a node. None if it is not made of
        these alone, or not by a library."""
        found: dict[Ref, Combination] = {}
        seen, todo = {node.id}, [node]
        while todo:
            one = todo.pop()
            if not one.origin.span.source.is_library or one.id in self.mixed or one.regions:
                return None
            for ref in one.inputs():
                kind = self.kind(ref)
                if kind in ("mean", "sum"):
                    found[ref] = kind
                elif kind is None and self._kinds.get(ref.node, FIXED) is None:
                    if ref.node not in seen:
                        seen.add(ref.node)
                        todo.append(self._nodes[ref.node])
                elif kind != "fixed":
                    return None
        return found

    def _part(self, node: Node, name: str, depth: int) -> PlanExpr:
        match node.args[name]:
            case Ref() as ref:
                if self.kind(ref) == "rows":  # it is a row for each row, and another operand is not
                    raise NotCombined(node, {one: self._kind_of(arg) for one, arg in node.args.items()})
                return self.combined(ref, depth + 1)
            case Literal(value=value):
                return Value(value)
            case _:
                raise NotCombined(node, {})

    def _culprit(self, node: Node) -> Node:
        """The first node on the way that has no kind, although its inputs have."""
        while True:
            below = [ref.node for ref in node.inputs() if self._kinds.get(ref.node, FIXED) is None]
            if not below:
                return node
            node = self._nodes[below[0]]

    def _kind_of(self, arg: Arg) -> str:
        kinds = {self._kinds.get(ref.node, FIXED) for ref in refs_of(arg)}
        return next((kind or "" for kind in kinds if kind != FIXED), FIXED)

    def _kind(self, node: Node) -> str | None:
        if node.row is _CHOSEN:
            test, _, otherwise = (node.args.get(param.name) for param in _CHOSEN.params[:3])
            if isinstance(test, Ref) and test.node in self._off and otherwise is not None:
                return self._kind_of(otherwise) or None
        if any(self._kinds.get(ref.node, FIXED) is None for ref in node.inputs()):
            return None
        return batch_kind(self._nodes, node, self._known)


def _is_false(node: Node) -> bool:
    """Whether a node is a placeholder that is false unless it is fed."""
    default = node.args.get("default") if node.is_placeholder else None
    return isinstance(default, Literal) and default.value is False
