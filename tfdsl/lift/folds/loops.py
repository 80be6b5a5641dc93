"""Loops of TensorFlow 1: the frames of Enter, Merge, Switch, NextIteration and Exit are `while`."""

from collections import defaultdict
from collections.abc import Iterator

from ...ops.raw import PREFIX
from ...types import Shape
from ..constants import attribute
from ..draft import CallPiece, Draft, Given, LoopPiece, LoopVariable, NotFolded, Operand, Produced, changes_something
from ..graph import DEFAULTED, ENTERS, GRADIENTS_SCOPE, Endpoint, GraphNode
from ..unfolded import UnfoldedPart
from .loop_shapes import changing_shapes
from .operands import operand

_MERGE, _SWITCH, _NEXT, _EXIT, _COND = "Merge", "Switch", "NextIteration", "Exit", "LoopCond"
_PASSES = ("Identity", _SWITCH)
_STACKS = ("StackPushV2", "StackPush", "StackPopV2", "StackPop")  # for what gradients need of each iteration


def fold_loops(draft: Draft) -> None:
    frames = _frames(draft)
    parents: dict[str, str] = {}
    for node in draft.graph.nodes.values():
        if node.op in ENTERS:
            parents[_frame(node)] = frames.get(node.inputs[0].node, "")

    def around(frame: str) -> Iterator[str]:
        while frame:
            yield frame
            frame = parents[frame]

    outer = {frame: [*around(frame)][-1] for frame in parents}
    stay = {outer[frame] for name, frame in frames.items() if name in draft.closed}
    draft.kept = frozenset(name for name, frame in frames.items() if outer[frame] in stay)
    loops = {
        frame: _Frame(
            draft,
            frame,
            [name for name, own in frames.items() if own == frame],
            [name for name, own in frames.items() if frame in around(own)],
        )
        for frame in parents
        if any(draft.is_open(name) for name, own in frames.items() if own == frame)
    }
    wrong = {frame: reason for frame, loop in loops.items() if (reason := loop.reason)}
    if wrong:
        stay = {outer[frame] for frame in wrong}
        nodes = frozenset(name for name, frame in frames.items() if outer[frame] in stay)
        reason = next(iter(wrong.values()))
        raise NotFolded(reason, UnfoldedPart(fold_loops.__name__, nodes, "", reason))
    for frame, loop in loops.items():
        piece = loop.piece()
        inside = {*loop.plumbing} - {piece.node}
        draft.claim(piece, *inside)
        for one in loop.before.values():
            draft.claim(one)
        for name in loop.names:
            draft.regions[name] = piece.node
        for name in (piece.node, *loop.before):
            del draft.regions[name]
            if parents[frame]:
                draft.regions[name] = loops[parents[frame]].condition.name


def _frame(node: GraphNode) -> str:
    name: str = attribute(node.attrs["frame_name"])
    return name


def _frames(draft: Draft) -> dict[str, str]:
    """The frame of each node in one."""
    found: dict[str, str] = {}
    outer: dict[str, str] = {}  # of frames
    for node in draft.graph.nodes.values():
        above = [found[name] for name in (*(end.node for end in node.inputs), *node.controls) if name in found]
        if node.op in ENTERS:
            outer[_frame(node)] = above[0] if above else ""
            found[node.name] = _frame(node)
        elif node.op == _EXIT and above:
            if outer[above[0]]:
                found[node.name] = outer[above[0]]
        elif above:
            found[node.name] = above[0]
    return found


class _Frame:
    """One frame: the variables of its loop, and its condition."""

    def __init__(self, draft: Draft, frame: str, names: list[str], inside: list[str]):
        self._draft = draft
        self._inside = [name for name in inside if draft.is_open(name)]  # including the frames inside this one
        self.names = [name for name in names if draft.is_open(name)]
        self._by_op: dict[str, list[GraphNode]] = defaultdict(list)
        for name in self.names:
            node = draft.graph.nodes[name]
            if node.op != _MERGE or any(draft.graph.nodes[end.node].op == _NEXT for end in node.inputs):
                self._by_op[node.op].append(node)
        self._exits = [
            node for one in self._by_op[_SWITCH] for name in draft.graph.users[one.name]
            if (node := draft.graph.nodes[name]).op == _EXIT
        ]  # fmt: skip
        self.plumbing: set[str] = set()
        self.before: dict[str, CallPiece] = {}  # pieces for the first values of variables
        self._frame = frame

    @property
    def condition(self) -> GraphNode:
        return self._by_op[_COND][0]

    @property
    def is_loop(self) -> bool:
        """Whether the frame is the loop that `tf.while_loop` makes."""
        merges = self._by_op[_MERGE]
        return len(self._by_op[_COND]) == 1 and all(
            self._draft.graph.input(one, 0).op in ENTERS and self._draft.graph.input(one, 1).op == _NEXT
            for one in merges
        )

    @property
    def reason(self) -> str:
        """Why the frame cannot be a `while`, or "" if it can."""
        if not self.is_loop:
            return f"the frame {self._frame} is not a loop of tf.while_loop"
        stacks = [name for name in self.names if self._draft.graph.nodes[name].op in _STACKS]
        if stacks:
            scope = GRADIENTS_SCOPE.match(stacks[0])
            return f"{scope[1] if scope else stacks[0]} has gradients of the loop that are no call of gradients"
        effect = next(self._lost(), None)
        return "" if effect is None else f"nothing waits for {effect}, which has an effect in a loop"

    def _lost(self) -> Iterator[str]:
        """The ops with an effect that neither the condition nor a variable waits for."""
        graph = self._draft.graph
        ends = [node.name for op in (_COND, _NEXT) for node in self._by_op[op]]
        needed = graph.above(*ends) if ends else set[str]()
        for name in self.names:
            if graph.nodes[name].op not in ENTERS and changes_something(graph.nodes[name]) and name not in needed:
                yield name

    def _source(self, end: Endpoint) -> Endpoint:
        """The endpoint whose value an identity of the body passes on."""
        node = self._draft.graph.nodes[end.node]
        while node.op in _PASSES:
            end = node.inputs[0]
            node = self._draft.graph.nodes[end.node]
        return end

    def piece(self) -> LoopPiece:
        draft, graph = self._draft, self._draft.graph
        own = [one for op in ENTERS for one in self._by_op[op] if _frame(one) == self._frame]
        self.plumbing |= {one.name for one in own}
        merged = {graph.input(one, 0).name for one in self._by_op[_MERGE]}
        for one in own:
            if one.name not in merged:
                draft.aliases[Endpoint(one.name)] = one.inputs[0]
        variables: list[LoopVariable] = []
        shapes = changing_shapes(draft, self._inside, self._by_op[_MERGE])
        for merge in self._by_op[_MERGE]:
            enter, following = graph.input(merge, 0), graph.input(merge, 1)
            now, last = Endpoint(merge.name), None
            self.plumbing |= {merge.name, following.name}
            for name in graph.users[merge.name]:
                switch = graph.nodes[name]
                if switch.op == _SWITCH and switch.inputs[0] == now:
                    self.plumbing.add(name)
                    draft.aliases[Endpoint(name, 1)] = now
                    last = next((one for one in self._exits if one.inputs[0] == Endpoint(name)), last)
            if last is not None:
                self.plumbing.add(last.name)
            end = None if last is None else Endpoint(last.name)
            if self._source(following.inputs[0]) == now:  # it never changes
                draft.aliases[now] = enter.inputs[0]
                if end is not None:
                    draft.aliases[end] = enter.inputs[0]
                continue
            first = operand(draft, enter.inputs[0])
            if merge.name in shapes:
                first = self._without_shape(enter, first, shapes[merge.name])
            variables.append(LoopVariable(now, first, following.inputs[0], end))
        self.plumbing -= {*self.before}
        ends = tuple(one.last for one in variables if one.last is not None)
        condition = self.condition
        return LoopPiece(condition.name, ends, variables=tuple(variables), condition=condition.inputs[0])

    def _without_shape(self, enter: GraphNode, first: Operand, shape: Shape) -> Operand:
        """The first value of a variable, with no more of its shape known than this. A PlaceholderWithDefault op hides
        the rest."""
        sizes = None if shape is None else tuple(one if isinstance(one, int) else None for one in shape)
        made = (("input", first), ("shape", Given(sizes, "")))
        end = Endpoint(enter.name)
        self.before[enter.name] = CallPiece(enter.name, (end,), callee=f"{PREFIX}{DEFAULTED}", arguments=made)
        return Produced(end)
