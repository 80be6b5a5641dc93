"""Folds branches of TensorFlow 1: Switch ops with the same condition, their Merge ops, and the nodes between them
become an `if`."""

from collections import defaultdict
from collections.abc import Iterator

from ...ops.named import GRADIENTS
from ...record import Record
from ..constants import attribute
from ..draft import CallPiece, Draft, IfPiece, IndexPiece, LoopPiece, StepPiece, VariablePiece, changes_something
from ..graph import PLACEHOLDERS, SWITCHES, Endpoint, GraphNode, reached
from .operands import operand
from .saver import INITIALIZED

_MERGE, _NEXT = "Merge", "NextIteration"
_ASSERT = "Assert"
_ENTER, _EXIT, _COND = "Enter", "Exit", "LoopCond"


class Step(Record):
    """One step into control flow: a frame, or with `branch` a branch of a condition."""

    name: str
    branch: int | None = None


Context = tuple[Step, ...]  # the steps into a place, outermost first


def fold_conds(draft: Draft) -> None:
    found = _contexts(draft)
    pieces: dict[tuple[Context, str], IfPiece] = {}
    for (context, name), merges in found.merges.items():
        cond = _Cond(draft, found, context, name, merges)
        if cond.initialized is not None:
            cond.take_variable(cond.initialized)
        elif cond.guarded is not None:
            cond.unguard(cond.guarded)
        elif cond.is_if:
            piece = cond.piece()
            pieces[context, name] = piece
            draft.claim(piece, *cond.plumbing(piece))
    if pieces:
        _place(draft, found, pieces)


def contexts(draft: Draft) -> dict[str, Context]:
    """The context of each node in a branch or a loop."""
    return _contexts(draft).of


def _contexts(draft: Draft) -> "_Contexts":
    found = _Contexts(draft, by_scope=True)
    return _Contexts(draft, by_scope=False) if any(map(draft.is_free, found.unclear)) else found


def _place(draft: Draft, found: "_Contexts", pieces: dict[tuple[Context, str], IfPiece]) -> None:
    """Record the body that each node is in."""
    loops = {found.of[one.node][-1].name: one.node for one in draft.pieces.values() if isinstance(one, LoopPiece)}

    def region(context: Context) -> str:
        for at in range(len(context) - 1, -1, -1):
            step = context[at]
            if step.branch is None and step.name in loops:
                return loops[step.name]
            piece = pieces.get((context[:at], step.name))
            if step.branch is not None and piece is not None:
                return piece.region(step.branch)
        return ""

    for name, context in found.of.items():
        piece = draft.pieces.get(name)
        own = region(context[:-1] if isinstance(piece, LoopPiece) else context)
        if own:
            draft.regions[name] = own


class _Contexts:
    """The control flow contexts of nodes, and the Merge ops of each condition in each context.

    Two conditions can test the same tensor. They are distinguished by their scopes: `tf.cond` makes an identity
    `pred_id` and a Switch in its scope. If the identities were removed from the graph, scopes are not used.
    """

    def __init__(self, draft: Draft, by_scope: bool):
        self._draft, self._graph, self._by_scope = draft, draft.graph, by_scope
        self.of: dict[str, Context] = {}
        self.unclear: list[str] = []
        self.merges: dict[tuple[Context, str], list[GraphNode]] = defaultdict(list)
        for node in draft.graph.nodes.values():
            context = self._context(node)
            if context is None:
                self.unclear.append(node.name)
            elif context:
                self.of[node.name] = context

    def at(self, end: Endpoint) -> Context:
        """The context in which an output is used."""
        node, context = self._graph.nodes[end.node], self.of.get(end.node, ())
        return (*context, Step(self.condition(node), end.output)) if self.is_switch(node) else context

    def is_switch(self, node: GraphNode) -> bool:
        """Whether a node is a Switch of a condition, not of a loop."""
        return node.op in SWITCHES and self._graph.input(node, 1).op != _COND

    def condition(self, switch: GraphNode) -> str:
        """The condition of a Switch: its tensor, and its scope."""
        given = self._graph.input(switch, 1)
        named = given.name if given.op == "Identity" and switch.inputs[0] != switch.inputs[1] else switch.name
        end = switch.inputs[1]
        while self._graph.nodes[end.node].op == "Identity":
            end = self._graph.nodes[end.node].inputs[0]
        return f"{end} {named.rpartition('/')[0] if self._by_scope else ''}"

    def _context(self, node: GraphNode) -> Context | None:
        """The context of a node: the deepest context of its inputs, or None if their contexts are not nested in one
        another."""
        if node.op == _MERGE:
            return self._merged(node)
        found = [*map(self.at, node.inputs), *(self.of.get(name, ()) for name in node.controls)]
        deepest = max(found, key=len, default=())
        if any(deepest[: len(one)] != one for one in found):
            return None
        if node.op == _ENTER:
            return (*deepest, Step(attribute(node.attrs["frame_name"])))
        if node.op == _EXIT:
            last = max((at for at, step in enumerate(deepest) if step.branch is None), default=None)
            return None if last is None else deepest[:last]
        return deepest

    def _merged(self, node: GraphNode) -> Context | None:
        if any(self._graph.nodes[end.node].op == _NEXT for end in node.inputs):
            return self.at(node.inputs[0])
        found = sorted(map(self.at, node.inputs), key=lambda one: one[-1].branch or 0 if one else 0)
        match found:
            case [(*context, Step(name, 0)), (*other, Step(same, 1))] if context == other and name == same:
                if self._draft.is_free(node.name):  # it is not part of a folded gradient
                    self.merges[tuple(context), name].append(node)
                return tuple(context)
            case _:
                return None


class _Cond:
    """The Merge ops of one condition in one context."""

    def __init__(self, draft: Draft, found: _Contexts, context: Context, name: str, merges: list[GraphNode]):
        self._draft, self._found, self._context, self._name, self._merges = draft, found, context, name, merges
        own = ((*context, Step(name, branch)) for branch in (0, 1))
        self._branches = [
            {node for node, one in found.of.items() if one[: len(context) + 1] == branch} for branch in own
        ]
        self._switches = [
            node
            for node in draft.graph.nodes.values()
            if draft.is_free(node.name)
            and found.of.get(node.name, ()) == context
            and found.is_switch(node)
            and found.condition(node) == name
        ]

    @property
    def initialized(self) -> Endpoint | None:
        """The variable whose value or initial value this condition chooses, or None. TensorFlow writes such a condition
        where an initial value depends on another variable."""
        asked = self._draft.graph.nodes[self._tested(self._pred).node]
        return self._tested(asked.inputs[0]) if asked.op in INITIALIZED else None

    def take_variable(self, variable: Endpoint) -> None:
        """Replace the condition with the value of the variable, which is always initialized when it is read."""
        for merge in self._merges:
            self._draft.aliases[Endpoint(merge.name)] = variable
        asked = self._tested(self._pred).node
        inside = {one.name for one in (*self._merges, *self._switches)}.union(*self._branches)
        if all(user in inside or not self._draft.is_free(user) for user in self._passed_on(asked)):
            inside.add(asked)
        self._draft.dropped |= {name for name in inside if self._draft.is_free(name)}

    def _passed_on(self, name: str) -> Iterator[str]:
        """The users of a node. An identity is replaced with its own users."""
        for user in self._draft.graph.users[name]:
            if self._draft.graph.nodes[user].op == "Identity":
                yield from self._passed_on(user)
            else:
                yield user

    @property
    def guarded(self) -> GraphNode | None:
        """The assertion that the branches guard, if they do nothing else and it tests the condition itself. Without the
        branches, it does the same."""
        draft, nodes = self._draft, self._draft.graph.nodes
        users = [nodes[user] for merge in self._merges for user in draft.graph.users[merge.name]]
        acting = [name for branch in self._branches for name in branch if changes_something(nodes[name])]
        if len(acting) != 1 or nodes[acting[0]].op != _ASSERT or not draft.is_open(acting[0]):
            return None
        if any(end.node == merge.name for merge in self._merges for user in users for end in user.inputs):
            return None
        return nodes[acting[0]] if self._tested(nodes[acting[0]].inputs[0]) == self._tested(self._pred) else None

    @property
    def _pred(self) -> Endpoint:
        return self._switches[0].inputs[1]

    def _tested(self, end: Endpoint) -> Endpoint:
        """The tensor that Switch ops and identities pass on as this value."""
        while self._draft.graph.nodes[end.node].op in (*SWITCHES, "Identity"):
            end = self._draft.graph.nodes[end.node].inputs[0]
        return end

    def unguard(self, assertion: GraphNode) -> None:
        """Remove the guard of an assertion."""
        self._pass_on()
        needed = self._above(assertion.name)
        branches = {name for branch in self._branches for name in branch if name not in needed}
        for name in (*branches, *(one.name for one in (*self._merges, *self._switches))):
            if self._draft.is_free(name):
                self._draft.inside[name] = assertion.name

    def _pass_on(self) -> None:
        """Replace the outputs of the Switch ops with their inputs."""
        for switch in self._switches:
            for branch in (0, 1):
                self._draft.aliases[Endpoint(switch.name, branch)] = switch.inputs[0]

    @property
    def is_if(self) -> bool:
        """Whether an `if` can replace all of these nodes."""
        draft, graph = self._draft, self._draft.graph
        merges = {one.name for one in self._merges}
        if not all(draft.is_open(one.name) for one in (*self._merges, *self._switches)):
            return False
        if merges & self._above(*(end.node for one in self._merges for end in one.inputs)):
            return False  # one Merge needs another
        if any(Endpoint(name, 1) in graph.nodes[user].inputs for name in merges for user in graph.users[name]):
            return False
        if not all(self._have_one_type(one) for one in self._merges):
            return False
        needed = self._above(*merges)
        for branch in self._branches:
            for name in branch:
                node = graph.nodes[name]
                if not draft.is_free(name):
                    if isinstance(draft.pieces.get(name), VariablePiece):
                        return False
                    continue
                if node.op in PLACEHOLDERS or (changes_something(node) and name not in needed):
                    return False
                if any(draft.is_free(user) and user not in branch and user not in merges for user in graph.users[name]):
                    return False
        return True

    def _above(self, *names: str) -> set[str]:
        """These nodes and the nodes that they need within one iteration of the loops around them."""
        nodes = self._draft.graph.nodes

        def needs(name: str) -> Iterator[str]:
            if nodes[name].op != _NEXT:
                yield from (*(end.node for end in nodes[name].inputs), *nodes[name].controls)

        return reached(names, needs)

    def _have_one_type(self, merge: GraphNode) -> bool:
        one, other = (self._draft.type(end).shape for end in merge.inputs)
        if one is None or other is None:
            return True
        return len(one) == len(other) and not any(
            isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(one, other)
        )

    def piece(self) -> IfPiece:
        self._pass_on()
        merges = [one for one in self._merges if self._is_needed(one)] or self._merges[:1]
        sides: list[list[Endpoint]] = [[], []]
        for merge in merges:
            for end in merge.inputs:
                sides[self._found.at(end)[len(self._context)].branch or 0].append(end)
        ends = tuple(Endpoint(one.name) for one in merges)
        return IfPiece(ends[0].node, ends, condition=operand(self._draft, self._pred), then=tuple(sides[1]),
                       otherwise=tuple(sides[0]))  # fmt: skip

    def _is_needed(self, merge: GraphNode) -> bool:
        """Whether anything other than folded gradients uses a result."""
        users = self._draft.graph.users[merge.name]
        return not users or not all(map(self._is_for_gradients, users))

    def _is_for_gradients(self, name: str) -> bool:
        """Whether a node is part of folded gradients, or only passes a result on to them."""
        users = self._draft.graph.users[name]
        passes = self._draft.graph.nodes[name].op in (_MERGE, "Identity") and bool(users)
        return is_gradient(self._draft, name) or (passes and all(map(self._is_for_gradients, users)))

    def plumbing(self, piece: IfPiece) -> Iterator[str]:
        """The nodes that are part of the statement itself."""
        yield from (one.name for one in (*self._merges, *self._switches) if one.name != piece.node)


def is_gradient(draft: Draft, name: str) -> bool:
    """Whether a node is part of folded gradients, or was dropped."""
    match draft.pieces.get(draft.owner(name)):
        case StepPiece() | CallPiece(callee=GRADIENTS.name) | IndexPiece():
            return True
        case _:
            return name in draft.dropped
