"""Finds the folds that are to blame when a program does not compute the same values as its graph.

The program is compared again, now with a statement for each value, and with the graph without calls. The first values
that differ then name the nodes that made them. In the next attempt, the fold that took such a node leaves it alone.
"""

from collections.abc import Callable, Iterator

from ..diagnostics import TfgError
from ..record import Record, replace
from ..source import Source
from .constants import value_text
from .draft import (
    BlockPiece,
    CallPiece,
    Draft,
    IfPiece,
    IndexPiece,
    LiftedPiece,
    LoopPiece,
    NotReadable,
    PlaceholderPiece,
    StepPiece,
    StoredPiece,
    SummaryPiece,
    VariablePiece,
    is_raw,
)
from .folds.calls import fold_calls
from .graph import SavedGraph
from .inline import inlined
from .lifted import Lifted
from .options import USUAL, LiftOptions
from .readable import ReadableForm, readable
from .unfolded import ALL_FOLDED, Unfolded, UnfoldedPart
from .verify import AFTER, Unequal, VerifyReport

Compare = Callable[[SavedGraph, Lifted, Source], VerifyReport]  # compiles a source and compares it with the graph
_FEWEST_TRIES, _MOST_NODES = 12, 100_000  # the fewest attempts, and the most nodes in all attempts together


class ProofAttempt(Record):
    """A program and its report, which is missing if the program does not compile. `wrong` maps each node whose value
    differs or cannot be computed to the reason."""

    made: ReadableForm
    report: VerifyReport | None
    wrong: dict[str, str]
    failure: str = ""  # why there is no report


class Prover:
    """Finds the parts of a graph that must stay as they were."""

    def __init__(self, graph: SavedGraph, arrays: str, compare: Compare, options: LiftOptions = USUAL):
        self._graph, self._arrays, self._compare, self._options = inlined(graph).graph, arrays, compare, options
        self._tries, self._most = 0, max(_FEWEST_TRIES, _MOST_NODES // len(graph.nodes))

    def unfolded(self) -> Unfolded:
        """The parts that must not be folded for the program to compute the same values, or the whole graph."""
        found, hopeless = replace(ALL_FOLDED, is_apart=True), dict[str, str]()
        apart = self._attempt(found)
        while apart is not None and self._tries < self._most:
            part = self._next(found, apart, hopeless)
            if part is None:
                break
            found = replace(found, parts=(*found.parts, part))
            apart = self._attempt(found)
        if apart is None:  # there is no readable form to begin with
            return ALL_FOLDED
        if apart.report is None or apart.wrong:
            said = [f"{name} {reason}" for name, reason in (hopeless or apart.wrong).items()]
            return Unfolded(exact=said[0] if said else f"the readable form does not compile: {apart.failure}")
        nested = replace(found, is_apart=False)
        attempt = self._attempt(nested)
        return nested if attempt is not None and attempt.report is not None and not attempt.wrong else found

    def _next(self, found: Unfolded, attempt: ProofAttempt, hopeless: dict[str, str]) -> UnfoldedPart | None:
        """The next part that must stay as it was. Nodes that nothing makes right are added to `hopeless`."""
        while self._tries < self._most:
            left = attempt.wrong.keys() - hopeless.keys()
            if not left:
                return self._unbuilt(found, attempt) if attempt.report is None and not attempt.wrong else None
            node = min(left, key=lambda name: (len(self._graph.above(name) & left), name))
            part = self._culprit(found, attempt, node)
            if part is not None:
                return part
            hopeless[node] = attempt.wrong[node]
        return None

    def _unbuilt(self, found: Unfolded, attempt: ProofAttempt) -> UnfoldedPart | None:
        """The step, loop or branch to blame for an error that names no statement: the first one without which there is
        no such error."""
        pieces = [one for one in attempt.made.draft.pieces.values() if isinstance(one, (StepPiece, BlockPiece))]
        for piece in sorted(pieces, key=lambda one: isinstance(one, BlockPiece)):
            part = _part(attempt.made.draft, piece, f"it cannot be built: {attempt.failure}")
            tried = self._attempt(replace(found, parts=(*found.parts, part)))
            if tried is not None and tried.failure != attempt.failure:
                return part
        return None

    def _attempt(self, unfolded: Unfolded) -> ProofAttempt | None:
        """Lift and compare the graph with some parts left as they were. None if the graph has no readable form."""
        self._tries += 1
        try:
            made = readable(self._graph, self._arrays, unfolded, self._options)
        except NotReadable:
            return None
        source = Source("lifted", made.text)
        try:
            report = self._compare(self._graph, made.lifted, source)
        except TfgError as error:
            lines = [(one, one.span.source.position(one.span.start)[0]) for one in error.diagnostics if one.span]
            said = {made.lines[line - 1]: f"does not compile: {one.headline}" for one, line in lines}
            wrong = {name: text for name, text in said.items() if name}
            return ProofAttempt(made, None, wrong, error.diagnostics[0].headline)
        except Exception as error:  # TensorFlow raises errors of many classes while it builds a graph
            return ProofAttempt(made, None, {}, " ".join((type(error).__name__, *str(error).splitlines()[:1])))
        return ProofAttempt(made, report, dict(_wrong(report)))

    def _culprit(self, found: Unfolded, attempt: ProofAttempt, node: str) -> UnfoldedPart | None:
        """The fold to blame for a node: the first one whose removal makes the node right."""
        for part in _suspects(attempt.made.draft, node, attempt.wrong[node]):
            tried = self._attempt(replace(found, parts=(*found.parts, part)))
            compiles = tried is not None and (tried.report is not None or attempt.report is None)
            if tried is not None and compiles and node not in tried.wrong:
                return part
        return None


def _wrong(report: VerifyReport) -> Iterator[tuple[str, str]]:
    for one in report.unequal:
        if not one.is_rounding:
            yield _node(one.name), difference(one)
    for name, message in report.failed.items():
        yield _node(name), f"fails: {message}"


def _node(name: str) -> str:
    """The node that a name in a report refers to: a tensor's node, or the update after which a variable differs."""
    return name.rpartition(AFTER)[2].partition(":")[0]


def difference(one: Unequal) -> str:
    """The difference between two values, in words."""
    return f"differs by up to {one.difference:.3g}" if one.difference < float("inf") else "differs in shape or dtype"


def _suspects(draft: Draft, node: str, reason: str) -> Iterator[UnfoldedPart]:
    """The folds that may be to blame for a node: first the folds that computed its inputs while lifting, then the fold
    that took the node."""
    owner = draft.owner(node)
    own = _nodes_of(draft, owner)
    computed: list[str] = []
    todo = [end.node for name in own for end in draft.graph.nodes[name].inputs]
    while todo:
        name = todo.pop()
        if name in draft.dropped and name not in computed:
            computed.append(name)
            todo += [end.node for end in draft.graph.nodes[name].inputs]
    for name in reversed(computed):
        value = next((one for end, one in draft.known.items() if end.node == name), None)
        form = "nothing" if value is None else value_text(value.tolist(), "")
        yield UnfoldedPart(draft.folded[name], frozenset({name}), form, f"{node} {reason}")
    piece = draft.pieces.get(owner)
    if piece is not None and not (is_raw(piece) and draft.folded[owner] == fold_calls.__name__):
        yield _part(draft, piece, f"it {reason}")


def _nodes_of(draft: Draft, owner: str) -> set[str]:
    """The nodes that are part of a piece."""
    return {name for name in (*draft.inside, owner) if draft.owner(name) == owner}


def _part(draft: Draft, piece: LiftedPiece, reason: str) -> UnfoldedPart:
    """The part of the graph that a fold turned into a piece."""
    fold = draft.folded[piece.node]
    nodes = frozenset(one for one in _nodes_of(draft, piece.node) if draft.folded[one] == fold)
    return UnfoldedPart(fold, nodes, _form(piece), reason)


def _form(piece: LiftedPiece) -> str:
    """A short description of a piece."""
    match piece:
        case CallPiece(callee=callee):
            return callee
        case StepPiece(optimizer=optimizer):
            return f"optimize with {optimizer}"
        case IndexPiece():
            return "an index"
        case LoopPiece():
            return "while"
        case IfPiece():
            return "if"
        case VariablePiece():
            return "variable"
        case PlaceholderPiece():
            return "placeholder"
        case StoredPiece():
            return "a constant of a file"
        case SummaryPiece():
            return "summary"
        case _:
            raise AssertionError(piece)
