"""How the statements of a lifted program refer to values that have names."""

from collections import Counter

from ..lowering.tf import op_def
from ..ops.raw import PREFIX
from ..record import State, field
from .draft import CallPiece, Draft, FunctionCallPiece, LiftedPiece, LoopPiece, NotReadable, is_raw
from .exact import place_of
from .graph import Endpoint
from .scopes import Scope, path_to


class References(State):
    """The names of a draft, and where they are known."""

    draft: Draft
    functions: dict[str, str]  # names in the source of functions of the graph
    names: dict[Endpoint, str] = field(default_factory=dict[Endpoint, str])  # of the values that statements bind
    scopes: dict[str, Scope] = field(default_factory=dict[str, Scope])  # of pieces
    written: set[Scope] = field(default_factory=set[Scope])
    bound: Counter[str] = field(default_factory=Counter[str])  # how often statements bind a name
    parameters: dict[Endpoint, str] = field(default_factory=dict[Endpoint, str])  # of a function
    here: Scope = ()  # the scope of the statement that is being written

    def _owner(self, node: str) -> str:
        while node not in self.draft.pieces:
            node = self.draft.inside[node]
        return node

    def _reference(self, end: Endpoint) -> str:
        """A name, with its scopes if the name alone would be unclear."""
        if end in self.parameters:
            return self.parameters[end]
        if not self.names:  # lines are measured before names are given
            return last_part(end.node)
        piece = self.draft.pieces[self._owner(end.node)]
        place = ""
        if isinstance(piece, FunctionCallPiece) and end not in piece.ends:
            inner = dict(piece.parts).get(end)
            if inner is None:
                raise _inside(end, piece)
            scope = (*self.scopes[piece.node], last_part(piece.node))
            return ".".join((*path_to(scope, self.here, self.written), *inner))
        if isinstance(piece, LoopPiece) and end not in piece.ends:
            return self.names[end]
        if is_raw(piece):
            place, end = place_in(self.draft, end), piece.ends[0]
        if end not in self.names:
            raise _inside(end, piece)
        name, scope = self.names[end], self.scopes[piece.node]
        is_clear = self.bound[name] == 1 or scope == self.here[: len(scope)]
        return (name if is_clear else ".".join((*path_to(scope, self.here, self.written), name))) + place


def _inside(end: Endpoint, piece: LiftedPiece) -> NotReadable:
    return NotReadable(f"{end} is used outside of {piece.node}, which contains it")


def last_part(node: str) -> str:
    """The last part of the name of a node."""
    return node.rpartition("/")[2]


def place_in(draft: Draft, end: Endpoint) -> str:
    """The index of an endpoint in the value of a raw call, which can have another op than the node."""
    node, piece = draft.graph.nodes[end.node], draft.pieces[draft.owner(end.node)]
    definition = op_def(piece.callee.removeprefix(PREFIX) if isinstance(piece, CallPiece) else node.op)
    assert definition is not None
    return place_of(definition, node.attrs, end.output)
