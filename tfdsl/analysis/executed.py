"""Answers what the execution of some tensors does: which placeholders and variables it needs, what it changes, and
where its layers drop elements.

Many checks ask this of every statement, and a statement often executes thousands of nodes. Only few of these matter to
the checks. Such nodes are marked: each is a bit, and each node of the graph has a mask with the bits of all marked
nodes that computing it executes. The answer for a statement is the union of the masks of the tensors that it names.
"""

from collections.abc import Iterable, Mapping
from enum import Enum, auto

from ..ops.named import GRADIENTS
from ..program import Node, Ref
from ..record import Record
from .gradient_paths import gradient_reads


class Kind(Enum):
    """Why a node is marked."""

    PLACEHOLDER = auto()
    VARIABLE = auto()
    STEP = auto()  # of an optimizer
    WRITE = auto()  # changes a variable in another way
    CHANGE = auto()  # a step or a write outside branches and loops, which therefore always happens
    GRADIENT = auto()  # a step or reverse `gradients` outside branches and loops
    DROP = auto()  # has a mode or a rate, as dropout does
    MET = auto()  # meets a named size, outside branches and loops
    ASKED = auto()  # a tensor that a session feeds, or that sets the mode of a layer


_NOTHING: frozenset[Ref] = frozenset()


class Executions:
    """The marked nodes of a graph under construction, and which of them each node executes.

    Masks are computed for all nodes when the first statement asks, and then for the nodes added since. `work` counts
    units of work.
    """

    def __init__(self, nodes: Mapping[int, Node], controls: Mapping[int, tuple[Ref, ...]]):
        """The ids of nodes count from 0, and a node comes after its inputs."""
        self.nodes, self.controls, self.work = nodes, controls, 0
        self.marked: list[int] = []  # by the position of its bit
        self.bits: dict[int, int] = {}
        self.kinds: dict[Kind, int] = dict.fromkeys(Kind, 0)
        # By the fed tensors that have inputs. Besides the masks without such feeds, only the latest are kept.
        self.masks: dict[frozenset[Ref], list[int]] = {_NOTHING: []}
        self.reads: dict[int, list[Ref]] = {}  # what the gradients of a node read
        self.merges: list[int] = []  # nodes that have inputs from further down

    def ask(self, refs: Iterable[Ref]) -> None:
        """Mark tensors: `Reached` can be asked for them from now on."""
        for ref in refs:
            self.mark(ref.node, Kind.ASKED)

    def mark(self, id: int, *kinds: Kind) -> None:
        """Mark a node, as of some kinds."""
        if id not in self.bits:
            self.bits[id] = 1 << len(self.marked)
            self.marked.append(id)
            for masks in self.masks.values():
                del masks[id:]
        for kind in kinds:
            self.kinds[kind] |= self.bits[id]

    def forget(self, count: int) -> None:
        """Forget all nodes after the first `count`: they were removed."""
        removed = 0
        for id in [id for id in self.bits if id >= count]:
            removed |= self.bits.pop(id)
        while self.marked and self.marked[-1] not in self.bits:
            self.marked.pop()
        for kind, mask in self.kinds.items():
            self.kinds[kind] = mask & ~removed
        self.reads = {id: refs for id, refs in self.reads.items() if id < count}
        self.merges = [id for id in self.merges if id < count]
        for masks in self.masks.values():
            del masks[count:]

    def all(self, *kinds: Kind) -> list[int]:
        """All nodes of some kinds, in program order."""
        self._below(_NOTHING)
        return self.among(-1, kinds)

    def among(self, mask: int, kinds: Iterable[Kind]) -> list[int]:
        """The nodes of a mask of some kinds, in program order."""
        wanted = 0
        for kind in kinds:
            wanted |= self.kinds[kind] & mask
        digits = reversed(f"{wanted:b}") if wanted else ()
        return sorted(id for id, digit in zip(self.marked, digits, strict=False) if digit == "1")

    def of(self, refs: Iterable[Ref], fed: Iterable[Ref] = ()) -> "Reached":
        """What computing `refs` executes if the tensors in `fed` are fed."""
        masks, cut, without, mask = self._below(_NOTHING), set[Ref](), 0, 0
        for ref in fed:
            self.work += 1 + len(self.marked) // 512
            own = self.bits.get(ref.node, 0)
            if own & self.kinds[Kind.PLACEHOLDER] and masks[ref.node] == own:
                without |= own
            else:
                cut.add(ref)
                self.mark(ref.node, Kind.ASKED)
        if cut:
            self._below(_NOTHING)
            masks = self._below(frozenset(cut))
        for ref in refs:
            self.work += 1 + len(self.marked) // 512
            if ref not in cut:
                mask |= masks[ref.node]
        forward = mask
        for id in self.among(mask, [Kind.GRADIENT]) if cut else ():
            for ref in self._reads(id):
                if ref not in cut:
                    mask |= masks[ref.node]
        return Reached(self, mask & ~without, mask & ~forward)

    def _reads(self, id: int) -> list[Ref]:
        if id not in self.reads:
            self.reads[id] = list(dict.fromkeys(gradient_reads(self.nodes, self.nodes[id])))
            self.work += 2 * id
        self.work += len(self.reads[id])
        return self.reads[id]

    def _below(self, cut: frozenset[Ref]) -> list[int]:
        """The masks of all nodes if the tensors in `cut` are fed."""
        if cut not in self.masks:
            self.masks = {_NOTHING: self.masks[_NOTHING], cut: []}
        masks = self.masks[cut]
        for id in range(len(masks), len(self.nodes)):
            node = self.nodes[id]
            if not cut:
                self._classify(node)
            mask, inputs = self.bits.get(id, 0), () if node.is_variable else node.inputs()
            for ref in (*inputs, *self.controls.get(id, ())):
                if not cut or ref not in cut:
                    below = masks[ref.node]
                    union = mask | below
                    mask = below if union == below else union  # equal masks share memory
            masks.append(mask)
            self.work += 4 + len(self.marked) // 512
            if node.is_merge and any(node.back()):
                self.merges.append(id)
        self._go_round(masks, cut)
        return masks

    def _go_round(self, masks: list[int], cut: frozenset[Ref]) -> None:
        """Add to the masks the inputs that come back into a merge, which TensorFlow 1 loops execute."""
        while True:
            first = len(masks)
            for id in self.merges:
                for _, ref in self.nodes[id].back():
                    if ref not in cut and masks[ref.node] | masks[id] != masks[id]:
                        masks[id] |= masks[ref.node]
                        first = min(first, id)
            if first == len(masks):
                return
            for id in range(first + 1, len(masks)):
                if not self.nodes[id].is_variable:
                    for ref in (*self.nodes[id].inputs(), *self.controls.get(id, ())):
                        if ref not in cut:
                            masks[id] |= masks[ref.node]
                self.work += 4

    def _classify(self, node: Node) -> None:
        if node.is_placeholder:
            self.mark(node.id, Kind.PLACEHOLDER)
        elif node.is_variable:
            self.mark(node.id, Kind.VARIABLE)
        elif node.is_step:
            self.mark(node.id, Kind.STEP, Kind.CHANGE, Kind.GRADIENT)
        elif node.is_write:
            self.mark(node.id, Kind.WRITE, Kind.CHANGE)
        elif node.row is GRADIENTS and node.static("method", "reverse") == "reverse":
            self.mark(node.id, Kind.GRADIENT)
        elif node.row is not None and node.row.modes:
            self.mark(node.id, Kind.DROP)
        for inner in node.inside() if node.regions else ():
            for kind in (Kind.CHANGE, Kind.GRADIENT):
                self.kinds[kind] &= ~self.bits.get(inner.id, 0)


class Reached(Record):
    """What one execution executes, as far as it is marked."""

    graph: Executions
    mask: int
    by_gradients: int = 0  # those nodes of the mask that only gradients read, below a tensor that is fed

    def __contains__(self, id: int) -> bool:
        """Whether it executes a marked node."""
        return bool(self.graph.bits[id] & self.mask)

    def needed(self, refs: Iterable[Ref]) -> set[Ref]:
        """Those of some marked tensors that it executes."""
        return {ref for ref in refs if ref.node in self}

    def is_for_gradients(self, id: int) -> bool:
        """Whether only gradients read a marked node, below a tensor that is fed."""
        return bool(self.graph.bits[id] & self.by_gradients)

    def has(self, *kinds: Kind) -> bool:
        return any(self.graph.kinds[kind] & self.mask for kind in kinds)

    def all(self, *kinds: Kind) -> list[int]:
        """Its nodes of some kinds, in program order."""
        return self.graph.among(self.mask, kinds)

    @property
    def takes_step(self) -> bool:
        """Whether it takes an optimizer step, so `training` is true."""
        return self.has(Kind.STEP)
