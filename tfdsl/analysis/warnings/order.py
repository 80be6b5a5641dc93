"""Warns if only the order of the lines decides in which order an execution reads and writes a variable.

An execution reads and writes a variable in the order in which the graph half makes the ops (LANGUAGE.md,
"Order"). This is expected if data or `after` give the same order. If they do not, and one of the two ops writes,
the program relies on an order that it does not state. The statement itself reads its values at the end.

A node reads a variable before it computes. Its inputs need not come before the read, but ops that an `after`
around it waits for do. A node writes after all its inputs are computed. An optimizer comes after its whole loss.
A `while` or an `if` reads and writes after all its inputs are computed.
"""

from collections.abc import Iterable, Iterator

from ...diagnostics import (
    ORDER_EXPORTED,
    ORDER_NAMED,
    ORDER_OPEN,
    ORDER_RANDOM,
    ORDER_REFERENCE,
    READ_AGAIN,
    Diagnostic,
    Message,
    Note,
)
from ...program import (
    Export,
    Graph,
    Log,
    Node,
    Program,
    Ref,
    Run,
    Session,
    Statement,
    kept_nodes,
    refs_of,
    walk,
    written,
)
from ...record import Record
from ..context import Analysis
from ..executed import Kind
from ..gradient_flow import depending, trained

_READ, _GIVEN, _WRITE, _WHOLE = range(4)  # a variable; the output of a write; a write; a `while` or an `if`


class _Access(Record):
    """A node that reads or writes a variable. The node `after` always comes before it."""

    node: int
    variable: int
    kind: int
    writes: bool
    after: int | None = None


class _Open(Record):
    """Two nodes that access a variable in an order that only the lines decide."""

    variable: int
    first: _Access
    second: _Access


def warn(ctx: Analysis, program: Program) -> None:
    """Warn once for each pair of places, at the first statement that executes both."""
    told: set[tuple] = set()
    for session in program.sessions:
        graph = program.graph(session.graph)
        kept = kept_nodes(program, graph)
        for statement, refs, fed in _executions(session):
            key = graph.name, frozenset(refs), fed, type(statement)
            if not refs or key in told:
                continue
            told.add(key)
            if not ctx.executed(graph, refs, statement.origin.span, fed).has(Kind.STEP, Kind.WRITE):
                continue
            execution = _Execution(ctx, graph, refs, fed, statement, kept)
            for pairs, diagnostic in execution.diagnostics():
                new = {(graph.name, diagnostic.code, *pair) for pair in pairs} - told
                told |= new
                if new:
                    ctx.bag.add(diagnostic)


def _executions(session: Session) -> Iterator[tuple[Statement, list[Ref], frozenset[Ref]]]:
    """The executions of a session: what each executes, and what it is fed. A call of an exported signature is one."""
    for statement in walk(session.body):
        if isinstance(statement, Export):
            yield from ((statement, list(one.executes), statement.given) for one in statement.signatures)
        else:
            uses = statement.uses()
            yield statement, list(uses.executes), frozenset(feed.ref for feed in uses.feeds)


class _Execution:
    """The nodes that one statement executes."""

    def __init__(
        self, ctx: Analysis, graph: Graph, refs: list[Ref], fed: frozenset[Ref], statement: Statement,
        kept: frozenset[int],
    ):  # fmt: skip
        """Random nodes in `kept` take their numbers from variables."""
        self.kept = kept
        self.ctx, self.graph, self.refs, self.fed, self.statement = ctx, graph, refs, fed, statement
        reached = graph.reach(refs, fed)
        ctx.spend(len(reached), statement.origin.span)
        self.reached = [id for id in graph.nodes if id in reached]
        # What has the value of a variable: the variable, and the ops that write it.
        self._values = {id for id, node in graph.nodes.items() if node.is_variable or (node.row and node.row.writes)}
        self._accesses: dict[int, list[_Access]] = {}
        self.found: list[_Open] = []

    def diagnostics(self) -> Iterator[tuple[set[tuple], Diagnostic]]:
        """Warnings, each with its pairs of nodes."""
        inner = {node.id for one in self.reached for node in self.graph.nodes[one].inside()}
        level = [id for id in self.reached if id not in inner]
        accesses = [access for id in level for access in self._of(id)]
        given = () if isinstance(self.statement, Run) else self._given()
        self._compare(level, [*accesses, *given])
        is_exported = isinstance(self.statement, Export)
        references = [one for one in self.found if self.graph.nodes[one.variable].is_reference_variable]
        self.found = [one for one in self.found if one not in references]
        is_lifted = self.statement.origin.span.source.is_lifted  # its graph has no order either
        if references and not is_lifted:
            yield self._open(ORDER_REFERENCE, references)
        if self.found:
            yield self._open(ORDER_EXPORTED if is_exported else ORDER_OPEN, self.found)
        if self.found and not is_exported:
            yield from self._drawn_twice(level)
        yield from self._read_again(accesses)
        written = {access.variable: access for access in reversed(accesses) if access.writes}
        for ref in dict.fromkeys(self._named()):
            if ref.node in written:
                name = self._name(ref.node)
                notes = (Note("line {line} writes it", self._span(written[ref.node])),)
                pair = ref.node, written[ref.node].node
                message = ORDER_EXPORTED if is_exported else ORDER_NAMED
                if self.graph.nodes[ref.node].is_reference_variable:
                    if is_lifted:
                        continue
                    message, notes = ORDER_REFERENCE, (*notes, Note("line {line} reads it", self.statement.origin.span))
                yield {pair}, self._diagnostic(message, notes, name=name, what="read and written")

    def _drawn_twice(self, level: list[int]) -> Iterator[tuple[set[tuple], Diagnostic]]:
        """Warn of random ops after the second access that cannot be copied although the order needs a copy."""
        behind: set[int] = set()
        seconds = {one.second.node for one in self.found}
        for id in level:
            node = self.graph.nodes[id]
            before = [ref.node for ref in (*node.inputs(), *self.graph.controls(node)) if ref not in self.fed]
            if id in seconds or (not node.is_variable and not behind.isdisjoint(before)):
                behind.add(id)
                if node.row is not None and node.row.draws_alone and id not in self.kept:
                    details = {"name": node.name or "this", "op": node.op}
                    notes = (Note("it is drawn on line {line}", node.origin.span),)
                    yield {(id, id)}, self._diagnostic(ORDER_RANDOM, notes, **details)

    def _read_again(self, accesses: list[_Access]) -> Iterator[tuple[set[tuple], Diagnostic]]:
        """Warn of gradients that compute their ys again from a variable that has changed since."""
        reached = set(self.reached)
        for again in self.ctx.again.get(self.graph.name, ()):
            if not again.results & reached:
                continue
            way = depending(self.ctx, self.graph.nodes, list(again.xs)) & self.graph.reach(again.ys)
            reads = [access for id in sorted(way) for access in self._of(id) if not access.writes]
            pairs = [
                (read, write) for read in reads for write in accesses
                if write.writes and write.variable == read.variable and read.node < write.node <= again.last
            ]  # fmt: skip
            for read, write in pairs[:1]:
                notes = (
                    Note("line {line} has already read it", self._span(read)),
                    Note("line {line} writes it", self._span(write)),
                    Note("line {line} does both", self.statement.origin.span),
                )
                name, origin = self._name(read.variable), again.origin
                details = {"name": name, "method": again.method}
                found = Diagnostic(READ_AGAIN, origin.span, details, notes, chain=origin.chain)
                yield {(again.last, write.node)}, found

    def _named(self) -> Iterator[Ref]:
        """The variables that the statement itself names, and therefore reads."""
        if not isinstance(self.statement, (Run, Log)):
            yield from (ref for ref in self.refs if self.graph.nodes[ref.node].is_variable)

    def _given(self) -> Iterator[_Access]:
        """The output of a write is read right after it if a statement fetches it."""
        for ref in dict.fromkeys(self.refs):
            target = self._target(self.graph.nodes[ref.node])
            if target is not None and ref.node in self._accesses:
                yield _Access(ref.node, target, _GIVEN, False, ref.node)

    # --- what nodes read and write --------------------------------------------------------

    def _of(self, id: int) -> list[_Access]:
        known = self._accesses.get(id)
        if known is None:
            node = self.graph.nodes[id]
            touches = not node.is_variable and (
                node.is_step or node.is_write or node.regions
                or not self._values.isdisjoint([ref.node for ref in node.inputs()])
            )  # fmt: skip
            known = self._accesses[id] = list(dict.fromkeys(self._found(node))) if touches else []
        return known

    def _found(self, node: Node) -> Iterator[_Access]:
        handles = node.handles
        for name, arg in node.args.items() if not _only_shape(node) else ():
            for ref in refs_of(arg) if name not in handles else ():
                if ref not in self.fed:
                    yield from self._read(node.id, ref)
        if node.is_step:
            for variable in trained(self.ctx, self.graph.nodes, node):
                yield _Access(node.id, variable, _WRITE, True)
        for variable in written(self.graph.nodes, node):
            yield _Access(node.id, variable, _WRITE, True)
        inside: dict[int, bool] = {}
        for region in node.regions:
            level = self.graph.needed(region)
            accesses = [access for one in level for access in self._of(one)]
            accesses += [read for arg in region.results for ref in refs_of(arg) for read in self._read(node.id, ref)]
            self._compare(level, accesses)
            for access in accesses:
                inside[access.variable] = inside.get(access.variable, False) or access.writes
        for variable, writes in inside.items():
            yield _Access(node.id, variable, _WHOLE, writes)

    def _read(self, id: int, ref: Ref) -> Iterator[_Access]:
        """The access of a node that uses the value of a reference."""
        made = self.graph.nodes[ref.node]
        if made.is_variable:
            yield _Access(id, ref.node, _READ, False)
            return
        target = self._target(made)
        if target is not None:
            yield _Access(id, target, _READ, False, ref.node)

    def _target(self, node: Node) -> int | None:
        """The variable that a node wrote and whose value it returns."""
        if node.row is not None and node.row.writes:
            (ref,) = refs_of(node.args["ref"])
            return ref.node if self.graph.nodes[ref.node].is_variable else None
        return None

    # --- which comes first ----------------------------------------------------------------

    def _compare(self, level: list[int], accesses: list[_Access]) -> None:
        """Find accesses by the nodes of one list that nothing orders. Sets of writing nodes are bit masks."""
        writers = dict.fromkeys(access.node for access in accesses if access.writes)
        bits = {id: 1 << at for at, id in enumerate(writers)}
        if not bits or len(accesses) < 2:
            return
        self.ctx.spend(len(level) * (1 + len(bits) // 512), self.statement.origin.span)
        known, nodes, cut = set(level), self.graph.nodes, {ref.node for ref in self.fed}
        controls: dict[int, list[int]] = {}
        before: dict[int, list[int]] = {}  # the nodes that come right before each node
        done: dict[int, int] = {}  # the writes before and including each node
        for id in level:
            node, own = nodes[id], bits.get(id, 0)
            if node.is_variable:  # nothing has to come before its handle
                controls[id] = before[id] = []
            else:
                held = self.graph.controls(node)
                controls[id] = [ref.node for ref in held if ref not in self.fed] if held else []
                before[id] = [
                    ref.node for ref in (*node.inputs(), *held)
                    if ref.node in known and (ref.node not in cut or ref not in self.fed)
                ]  # fmt: skip
                for one in before[id]:
                    own |= done[one]
            done[id] = own
        follow: dict[int, int] = dict.fromkeys(level, 0)  # the nodes that wait for each node
        for id in reversed(level):
            waiting = follow[id] | bits.get(id, 0)
            if waiting:
                for one in before[id]:
                    follow[one] |= waiting
        writing: dict[int, dict[int, _Access]] = {}
        for access in accesses:
            if access.writes:
                writing.setdefault(access.variable, {})[bits.get(access.node, 0)] = access
        for access in accesses:
            others = writing.get(access.variable, {})
            if access.kind in (_WRITE, _WHOLE):
                ordered = done[access.node] | follow[access.node]
            else:
                # All reads of a reference variable share one op, which does not wait for an 'after'.
                shares = access.after is None and nodes[access.variable].is_reference_variable
                waits = [] if shares else controls.get(access.node, [])
                waits = waits + ([] if access.after is None else [access.after])
                ordered = _union(done[one] for one in waits if one in known)
                ordered |= 0 if access.kind == _GIVEN else follow.get(access.node, 0) | bits.get(access.node, 0)
            rest = _union(others) & ~ordered
            if rest:  # one pair is enough
                first, second = sorted((access, others[rest & -rest]), key=lambda one: one.node)
                self.found.append(_Open(access.variable, first, second))

    # --- what is said ---------------------------------------------------------------------

    def _open(self, message: Message, pairs: list[_Open]) -> tuple[set[tuple], Diagnostic]:
        nodes = self.graph.nodes
        found = sorted(pairs, key=lambda one: (not nodes[one.first.node].name, one.variable, one.second.node))
        first, second = found[0].first, found[0].second
        names = list(dict.fromkeys(self._name(one.variable) for one in found))
        given = next((one.first for one in found if one.first.kind == _GIVEN and one.first.node == first.node), None)
        shown = self._shown(first)
        does = f"gives {shown or 'a value'}, which is read here," if given else f"{_verb(first)} '{names[0]}',"
        notes = [
            Note(f"line {{line}} {does} and comes first", self._span(first)),
            Note(f"line {{line}} {_verb(second)} it, and comes second", self._span(second)),
        ]
        if names[1:]:
            notes.append(Note(f"the same is true of {', '.join(names[1:4])}{' and others' if names[4:] else ''}"))
        what = "written twice" if first.writes and second.writes else "read and written"
        before = nodes[first.node].name or "..."
        places = {(one.variable, one.first.node, one.second.node) for one in found}
        help = self._help_given(shown) if given and message is ORDER_OPEN else ""
        common = self._writes_of(first.node) & self._writes_of(second.node)
        details = {"before": before, "or_two": "" if common else ", or write two statements"}
        return places, self._diagnostic(message, tuple(notes), help, name=names[0], what=what, **details)

    def _writes_of(self, id: int) -> set[int]:
        """The nodes that change variables when a node is computed. Two statements with this node would change them
        twice."""
        reached = self.graph.reach([Ref(id)], self.fed)
        self.ctx.spend(len(reached), self.statement.origin.span)
        return {one for one in reached if self.graph.nodes[one].is_step or self.graph.nodes[one].is_write}

    def _shown(self, access: _Access) -> str:
        """The program's name for a node. A name at the top of its file comes first."""
        outside = (name for name, named in self.graph.names.items() if named.value == Ref(access.node))
        return next(outside, self.graph.nodes[access.node].name or "")

    def _help_given(self, name: str) -> str:
        """How to read the output of a write before another write: an 'after' that waits for the write does not wait
        for the read."""
        seen = "seen" if "seen" not in self.graph.names else f"seen_{name}"
        return (
            f"write below the first one: {seen} = identity({name or '...'}); put the second one into "
            f"'after {seen}:'; and name {seen} here"
        )

    def _diagnostic(self, message: Message, notes: tuple[Note, ...], help: str = "", **details: str) -> Diagnostic:
        origin = self.statement.origin
        return Diagnostic(message, origin.span, details, notes, help, origin.chain)

    def _span(self, access: _Access):
        return self.graph.nodes[access.node].origin.span

    def _name(self, id: int) -> str:
        return self.graph.nodes[id].name or ""


def _verb(access: _Access) -> str:
    return "writes" if access.writes else "reads"


def _union(bits: Iterable[int]) -> int:
    result = 0
    for one in bits:
        result |= one
    return result


def _only_shape(node: Node) -> bool:
    return node.row is not None and node.row.by_shape
