"""Writes the source of a draft: names, nested expressions, blocks."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ..ops.named import SCAN, ZEROS
from ..ops.optimizers import OPTIMIZERS, SLOTS
from ..record import Record, field
from .constants import type_text, usual_dtype, value_text
from .draft import (
    BlockPiece,
    CallPiece,
    FunctionCallPiece,
    FunctionName,
    Given,
    IfPiece,
    IndexPiece,
    LiftedFunction,
    LiftedPiece,
    LoopPiece,
    LoopVariable,
    NotReadable,
    Operand,
    ParameterPiece,
    PlaceholderPiece,
    Produced,
    ReturnPiece,
    ScanPiece,
    Splat,
    StepPiece,
    StoredPiece,
    SummaryPiece,
    VariablePiece,
    block_of,
    changes_something,
    ends_of,
    is_raw,
)
from .expression_text import one_or_list
from .expressions import ExpressionWriter
from .folds.operands import operand
from .graph import Cycle, Endpoint, in_order
from .names import TAKEN, WORDS, unused_name
from .references import last_part
from .scopes import Scope, clear_scopes, is_renamed, is_worth_a_scope, path_to, scope_of, with_outer
from .signatures import served
from .unfolded import ALL_FOLDED, Unfolded

_EXPRESSIONS = (CallPiece, IndexPiece, StoredPiece, FunctionCallPiece)  # what can be a part of a statement
NOBODY = "_"  # takes what nobody needs
_WIDTH = 100  # of a line with a nested expression
_DEEPEST = 4  # nested calls in one expression


class Misplaced(Exception):
    """Raised for a call in a scope that the program does not have, and for a function whose variables would get
    different names."""

    def __init__(self, scope: str):
        super().__init__(scope)
        self.scope = scope


class ScopeBlock(Record):
    """A scope with its statements."""

    name: str
    parts: "tuple[LiftedPiece | ScopeBlock, ...]"


class Writer(ExpressionWriter):
    """Writes a draft. The nodes of the pieces in `kept` keep their names: the program states such a name if the node
    would not get it anyway. `unfolded` says which parts stay as they were."""

    kept: frozenset[str] = frozenset()
    unfolded: Unfolded = ALL_FOLDED
    lines: list[str] = field(default_factory=list[str])  # for each line of the source, the piece that it is from
    said: set[str] = field(default_factory=set[str])  # the comments about parts that stay as they were
    read: set[Endpoint] = field(default_factory=set[Endpoint])
    waited: set[str] = field(default_factory=set[str])  # the pieces that others wait for
    lasts: Counter[str] = field(default_factory=Counter[str])  # how often statements end in a part of a name
    variables: tuple[VariablePiece, ...] = ()  # of the whole program
    steps: dict[str, str] = field(default_factory=dict[str, str])  # the functions of scans
    prefix: str = ""  # of all names, in a function
    results: frozenset[str] = frozenset()  # the nodes whose values nothing in the program uses

    def write(self, roots: Iterable[str]) -> str:
        """The source of these pieces and all that they need."""
        return "".join(f"{line}\n" for line in self.statements(roots))

    def statements(self, roots: Iterable[str]) -> list[str]:
        """The statements for these pieces and all that they need. For a function, these are the statements of its
        body."""
        kept = list(roots)
        pieces = self._ordered(kept)
        self._nest(pieces, set(kept))
        for block in [one for one in self.draft.pieces.values() if isinstance(one, BlockPiece)]:
            for region, ends in block.bodies():
                self._nest(self._body(region, ends), set(), block, ends)
        statements = [
            piece
            for piece in pieces
            if not any(end in self.nested for end in piece.ends) and not isinstance(piece, ParameterPiece)
        ]
        self.scopes = clear_scopes({piece.node: self._scope(piece) for piece in statements})
        parts = self._arranged(statements)
        self.results = self._results(pieces, parts)
        calls = [piece for piece in statements if isinstance(piece, FunctionCallPiece) and piece.parts]
        self._check_places(calls)
        opened = {(*self.scopes[piece.node], last_part(piece.node)) for piece in calls}
        self.written = with_outer({*self.scopes.values(), *opened})
        self.lasts = Counter(last_part(piece.node) for piece in statements)
        self._name_all(parts, (), frozenset({*self.draft.functions, *self.parameters.values()}))
        lines = list(self._lines(parts, ()))
        self.lines = [node for _, node in lines]
        return [line for line, _ in lines]

    def _results(self, pieces: list[LiftedPiece], parts: "tuple[LiftedPiece | ScopeBlock, ...]") -> frozenset[str]:
        """The nodes whose values nothing in the program uses, apart from those of the last statement. A function has
        none: it returns its values."""
        if self.prefix:
            return frozenset()
        used = {name for piece in pieces for name in self._needed(piece)}
        used |= {self._owner(end.node) for end in map(self.draft.end, served(self.draft.graph.signatures))
                 if self._is_there(end.node)}  # fmt: skip
        last = () if self.draft.graph.signatures else parts[-1:]  # signatures come after all statements
        used |= {piece.node for piece in pieces if last and (piece is last[0] or self._is_in(last[0], piece))}
        return frozenset(piece.node for piece in pieces if not isinstance(piece, StepPiece)) - used

    def _is_in(self, part: "LiftedPiece | ScopeBlock", piece: LiftedPiece) -> bool:
        return isinstance(part, ScopeBlock) and any(one is piece or self._is_in(one, piece) for one in part.parts)

    def _scope(self, piece: LiftedPiece) -> Scope:
        is_outside = isinstance(piece, StepPiece) and piece.is_whole
        return () if is_outside or piece.node in self.draft.kept else scope_of(piece.node.removeprefix(self.prefix))

    def _check_places(self, calls: Iterable[FunctionCallPiece]) -> None:
        """Refuse calls whose variables would get different names."""
        for piece in calls:
            last = last_part(piece.node)
            if (*self.scopes[piece.node], last) != (*piece.node.removeprefix(self.prefix).split("/"),):
                raise Misplaced(piece.node)
            if not last.isidentifier() or not last.isascii() or last in WORDS:
                raise Misplaced(piece.node)

    # --- what is nested in what -----------------------------------------------------------------

    def _nest(
        self,
        pieces: list[LiftedPiece],
        roots: set[str],
        around: BlockPiece | None = None,
        results: Sequence[Endpoint] = (),
    ) -> None:
        """Decide which expressions are written where they are used: those used once, while lines stay short."""
        users: dict[Endpoint, list[LiftedPiece]] = {}
        if around is not None:
            for end in results:
                users.setdefault(self.draft.end(end), []).append(around)
        for piece in pieces:
            if isinstance(piece, BlockPiece):  # what a body reads is computed before it
                for end in self._read_by(piece):
                    users.setdefault(end, []).extend((piece, piece))
        for piece in pieces:
            for one in piece.operands():
                for end in self._ends(one):
                    users.setdefault(end, []).append(piece)
        self.read |= users.keys()
        waited = {name for piece in pieces for name in self._waits(piece)}
        self.waited |= waited
        own = {self._scope(piece) for piece in pieces if isinstance(piece, VariablePiece)}  # the scopes of layers
        for piece in pieces:
            self._shorten(piece)
            if not isinstance(piece, _EXPRESSIONS) or len(piece.ends) != 1 or self._controls(piece):
                continue
            if piece.node in self.draft.kept or (isinstance(piece, FunctionCallPiece) and piece.parts):
                continue  # it stays as it was, or its scope has a name
            used = users.get(piece.ends[0], [])
            scope = self._scope(piece)
            is_in_layer = scope and scope in own and (not used or self._scope(used[0])[: len(scope)] != scope)
            if (
                is_in_layer
                or len(used) != 1
                or self._controls(used[0])
                or (used[0] is not around and isinstance(used[0], (LoopPiece, SummaryPiece)))
            ):
                continue
            is_apart = self.unfolded.is_apart or self.unfolded.part(piece.node) is not None
            if piece.node not in roots and piece.node not in waited and not is_apart:
                text = self._expression(piece)
                if text.depth > _DEEPEST and not self._is_named(piece):
                    self._cut(piece)
                    text = self._expression(piece)
                if text.depth <= _DEEPEST and len(text.text) <= _WIDTH - 25:
                    self.nested.add(piece.ends[0])

    def _cut(self, piece: LiftedPiece) -> None:
        """Give a statement of its own to each operand that a person named."""
        for one in piece.operands():
            for end in self._ends(one):
                if end in self.nested and self._is_named(self.draft.pieces[self._owner(end.node)]):
                    self.nested.remove(end)

    def _shorten(self, piece: LiftedPiece) -> None:
        """Give operands of a long statement statements of their own."""
        while not isinstance(piece, VariablePiece):
            nested = {end for one in piece.operands() for end in self._ends(one) if end in self.nested}
            if not nested or len(self._text(piece)) <= _WIDTH:
                return
            lengths = {end: len(self._operand(Produced(end)).text) for end in nested}
            self.nested.remove(max(nested, key=lambda end: (lengths[end], str(end))))

    # --- the order of statements ----------------------------------------------------------------

    def _ordered(self, roots: Iterable[str], region: str = "") -> list[LiftedPiece]:
        """The pieces of one loop body, or outside of all bodies, each after the pieces that it reads."""
        found: dict[str, LiftedPiece] = {}
        opened: set[str] = set()
        pieces = self.draft.pieces
        order = {name: at for at, name in enumerate(self.draft.graph.nodes)}
        for name in sorted(roots, key=lambda one: order.get(one, len(order))):
            stack = [(name, False)]
            while stack:
                one, is_done = stack.pop()
                if one in found:
                    continue
                if is_done:
                    found[one] = pieces[one]
                elif one in opened:
                    raise NotReadable(f"{one} would need itself")
                else:
                    opened.add(one)
                    stack.append((one, True))
                    own = (other for other in self._needed(pieces[one]) if self.draft.regions.get(other, "") == region)
                    needed = [other for other in own if other not in found and other != one]
                    stack += [(other, False) for other in reversed(needed)]
        return list(found.values())

    def _read_by(self, block: BlockPiece) -> Iterator[Endpoint]:
        """The values that the bodies of a block read from outside, and the values that the bodies compute."""
        for region, ends in block.bodies():
            yield from map(self.draft.end, ends)
            for piece in self._body(region, ends):
                if isinstance(piece, BlockPiece):
                    yield from self._read_by(piece)
                for one in piece.operands():
                    yield from self._ends(one)

    def _waits(self, piece: LiftedPiece) -> Iterator[str]:
        """The pieces that a piece and its bodies wait for."""
        yield from self._controls(piece)
        for region, ends in piece.bodies() if isinstance(piece, BlockPiece) else ():
            for one in self._body(region, ends):
                yield from self._waits(one)

    def _body(self, region: str, ends: Iterable[Endpoint]) -> list[LiftedPiece]:
        """The pieces of a body that are needed to compute some endpoints, in order."""
        names = dict.fromkeys(self._owner(end.node) for end in map(self.draft.end, ends) if self._is_there(end.node))
        return self._ordered([name for name in names if self.draft.regions.get(name) == region], region)

    def _needed(self, piece: LiftedPiece) -> Iterator[str]:
        if isinstance(piece, BlockPiece):
            for end in self._read_by(piece):
                if self._is_there(end.node):
                    yield self._owner(end.node)
        for one in piece.operands():
            for end in self._ends(one):
                yield self._owner(end.node)
        if isinstance(piece, StepPiece):
            yield from (self._owner(end.node) for end in piece.trained or ())
            if piece.global_step is not None:
                yield self._owner(piece.global_step.node)
        yield from self._waits(piece)

    def _ends(self, operand: Operand) -> Iterator[Endpoint]:
        """The endpoints that an operand reads, as the program has them."""
        return map(self.draft.end, ends_of(operand))

    def _is_there(self, node: str) -> bool:
        return node in self.draft.pieces or node in self.draft.inside

    def _controls(self, piece: LiftedPiece) -> list[str]:
        """The pieces that a piece waits for. A variable or a constant is never waited for."""
        found: list[str] = []
        for name in piece.controls:
            owner = self._owner(name) if self._is_there(name) else None
            if owner is not None and any(owner in (block, *self._controls(self.draft.pieces[block]))
                                         for block in self.draft.blocks(piece.node)):  # fmt: skip
                continue  # what a block waits for, inside of it
            if owner is not None and owner != piece.node and not isinstance(self.draft.pieces[owner], VariablePiece):
                found.append(owner)
        return list(dict.fromkeys(found))

    def _direct(self, piece: LiftedPiece) -> Iterator[str]:
        """The statements that a statement needs, including the needs of its nested expressions."""
        for name in self._needed(piece):
            other = self.draft.pieces[name]
            if any(end in self.nested for end in other.ends):
                yield from self._direct(other)
            else:
                yield name

    def _arranged(self, statements: list[LiftedPiece], depth: int = 0) -> tuple[LiftedPiece | ScopeBlock, ...]:
        """The statements, grouped by scope. A scope is left out if it has few statements, or if it and another scope
        depend on each other."""
        while True:
            units: dict[str, list[LiftedPiece]] = {}
            for piece in statements:
                scope = self.scopes[piece.node]
                units.setdefault(f"{scope[depth]}/" if len(scope) > depth else piece.node, []).append(piece)
            of = {piece.node: name for name, unit in units.items() for piece in unit}
            needs = {
                name: {of[one] for piece in unit for one in self._direct(piece) if one in of} - {name}
                for name, unit in units.items()
            }
            try:
                order, circle = in_order(needs), set[str]()
            except Cycle as error:
                order, circle = [], set(error.names)
            wrong = [name for name in units if name.endswith("/")
                     and (name in circle or not is_worth_a_scope(units[name]))]  # fmt: skip
            if not wrong:
                break
            for name in wrong:
                for piece in units[name]:
                    self.scopes[piece.node] = self.scopes[piece.node][:depth]
        return tuple(
            ScopeBlock(name[:-1], self._arranged(units[name], depth + 1)) if name.endswith("/") else units[name][0]
            for name in order
        )

    # --- names ----------------------------------------------------------------------------------

    def _name_all(
        self, parts: tuple[LiftedPiece | ScopeBlock, ...], scope: tuple[str, ...], taken: frozenset[str]
    ) -> None:
        """Give names to the values of statements. The names are not bound yet in the scope or around it."""
        bound = {*taken, *(part.name for part in parts if isinstance(part, ScopeBlock))}
        own = "".join(f"{one}/" for one in scope)
        kept = {node.removeprefix(own) for node in self.kept if node.startswith(own)}
        for part in parts:
            if isinstance(part, LoopPiece):
                self._name_loop(part, scope, bound)
                continue
            for end in () if isinstance(part, ScopeBlock) else _bound(part):
                if isinstance(part, CallPiece) and part.names and end not in self.read and end != part.ends[0]:
                    self.names[end] = NOBODY
                    continue
                wanted = self._wanted(end, scope)
                if isinstance(part, FunctionCallPiece) and self._is_unread(part, end):
                    wanted = f"{NOBODY}{wanted}"
                name = unused_name(wanted, bound, kept - {end.node.removeprefix(own)})
                self.names[end] = name
                self.bound[name] += 1
            if isinstance(part, IfPiece):
                self._name_bodies(part, scope, bound)
        for part in parts:
            if isinstance(part, ScopeBlock):
                self._name_all(part.parts, (*scope, part.name), frozenset(bound))

    def _name_loop(self, loop: LoopPiece, scope: tuple[str, ...], bound: set[str]) -> None:
        """Give names to the variables of a loop and to the values in its body."""
        if isinstance(loop, ScanPiece):
            self._name_scan(loop, bound)
        for one in loop.variables:
            is_read = one.now in self.read or not isinstance(loop, ScanPiece)
            name = unused_name(self._inside(loop) + _variable_name(one), bound) if is_read else NOBODY
            self.names[one.now] = name
            self.bound[name] += 1
            if one.last is not None:
                self.names[one.last] = name
        self._name_bodies(loop, scope, bound)

    def _name_bodies(self, block: BlockPiece, scope: tuple[str, ...], bound: set[str]) -> None:
        """Give names to the values in the bodies of a block. Names in branches begin with `_`, so that they are local
        to the branch."""
        for region, ends in block.bodies():
            for piece in self._body(region, ends):
                self.scopes[piece.node] = scope
                if isinstance(piece, LoopPiece):
                    self._name_loop(piece, scope, bound)
                    continue
                if isinstance(block, IfPiece) and isinstance(piece, IfPiece) and piece is self._otherwise(block):
                    self.names |= {end: self.names[outer] for end, outer in zip(piece.ends, block.ends)}
                    self._name_bodies(piece, scope, bound)
                    continue
                for end in () if any(end in self.nested for end in piece.ends) else _bound(piece):
                    name = unused_name(self._wanted(end, scope), bound)
                    self.names[end] = name
                    self.bound[name] += 1
                if isinstance(piece, IfPiece):
                    self._name_bodies(piece, scope, bound)

    def _name_scan(self, scan: ScanPiece, bound: set[str]) -> None:
        """Give names to the function of a scan, to its elements, and to its results."""
        self.steps[scan.node] = unused_name("step", bound)
        for wanted, ends in (("x", [one.now for one in scan.elements]), ("outputs", scan.ends)):
            for end in ends:
                is_waited = scan.node in self.waited and end == scan.ends[0]
                is_read = end in self.read or wanted == "x" or is_waited
                self.names[end] = unused_name(wanted, bound) if is_read else NOBODY
                self.bound[self.names[end]] += 1

    def _is_unread(self, piece: FunctionCallPiece, end: Endpoint) -> bool:
        """Whether the program does not need a result of a call."""
        return end not in self.read if len(piece.ends) > 1 else piece.node in self.results

    def _wanted(self, end: Endpoint, scope: tuple[str, ...]) -> str:
        """The preferred name of an endpoint: the last part of the node's name. The scope before it is added if the
        program leaves out that scope and the part alone would be unclear."""
        *scopes, last = end.node.split("/")
        piece = self.draft.pieces[self._owner(end.node)]
        inside = self._inside(piece)
        if isinstance(piece, CallPiece) and piece.names:
            return inside + piece.names[piece.ends.index(end)]
        if isinstance(piece, FunctionCallPiece) and end == piece.ends[0]:
            own = re.sub(r"\W", "_", last_part(piece.node), flags=re.ASCII)
            if own not in TAKEN and not own[0].isdigit() and own[0] != "_":
                return inside + own
        if isinstance(piece, IfPiece) and scopes:
            last = scopes.pop()
        name = re.sub(r"\W", "_", last, flags=re.ASCII) + (f"_{end.output}" if end.output else "")
        is_doubtful = name[0].isdigit() or name in TAKEN or self.lasts[last] > 1
        if is_doubtful and len(scopes) > len(scope):
            name = f"{re.sub(r'[^A-Za-z0-9_]', '_', scopes[-1])}_{name}"
        return inside + (f"value_{name.lstrip('_')}" if name[0].isdigit() or name[0] == "_" else name)

    def _inside(self, piece: LiftedPiece) -> str:
        """The prefix of names in a branch, which makes them local to it."""
        region = self.draft.regions.get(piece.node, "")
        return "_" if isinstance(self.draft.pieces.get(block_of(region)), IfPiece) else ""

    def called(self) -> set[str]:
        """The functions of the graph that statements call."""
        found: set[str] = set()
        for end in self.names:
            for one in self.draft.pieces[self._owner(end.node)].operands():
                found |= {item.name for item in (one, *getattr(one, "items", ())) if isinstance(item, FunctionName)}
        return found

    def _lines(self, parts: tuple[LiftedPiece | ScopeBlock, ...], scope: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """The lines of parts, each with the piece that it comes from."""
        margin = "    " * len(scope)
        opened = ""
        for part in parts:
            if isinstance(part, ScopeBlock):
                yield f"{margin}scope {part.name}:", ""
                yield from self._lines(part.parts, (*scope, part.name))
                opened = ""
            else:
                self.here = scope
                comment, (first, *others) = list(self._comment(part)), self._statement(part)
                is_open = first == opened and not comment
                for line in (*comment, *([] if is_open else [first]), *others):
                    yield f"{margin}{line}", part.node
                opened = first if first.startswith("after ") and not self._changes(part) else ""

    def _changes(self, piece: LiftedPiece) -> bool:
        """Whether a statement changes or prints something."""
        nodes = self.draft.graph.nodes
        return (
            isinstance(piece, (StepPiece, BlockPiece))
            or piece.node not in nodes
            or changes_something(nodes[piece.node])
        )

    def _comment(self, piece: LiftedPiece) -> Iterator[str]:
        """A comment that says why a part of the graph stays as it was, before the first statement of that part."""
        part = self.unfolded.part(piece.node)
        if part is not None and str(part) not in self.said:
            self.said.add(str(part))
            yield f"# {part}"

    # --- statements -----------------------------------------------------------------------------

    def _statement(self, piece: LiftedPiece) -> Iterator[str]:
        controls = [self._reference(self.draft.pieces[name].ends[0]) for name in self._controls(piece)]
        match piece:
            case ScanPiece():
                lines = self._scan(piece)
            case LoopPiece():
                lines = self._loop(piece)
            case IfPiece():
                lines = self._if(piece)
            case _:
                lines = (self._text(piece),)
        if controls:
            yield f"after {', '.join(controls)}:"
        yield from (f"    {line}" for line in lines) if controls else lines

    def _if(self, piece: IfPiece) -> Iterator[str]:
        """An `if` with its branches, which bind the same names."""
        names = [self._reference(end) for end in piece.ends]
        (region, then), (other, otherwise) = piece.bodies()
        yield self._text(piece)
        yield from self._branch(region, then, names)
        following = self._otherwise(piece)
        if following is not None:
            head, *rest = self._if(following)
            yield from (f"el{head}", *rest)
        else:
            yield "else:"
            yield from self._branch(other, otherwise, names)

    def _branch(self, region: str, ends: Sequence[Endpoint], names: Sequence[str]) -> Iterator[str]:
        for one in self._body(region, ends):
            if not any(end in self.nested for end in one.ends):
                yield from (f"    {line}" for line in self._statement(one))
        values = [self._result(end) for end in ends]
        together = f"{', '.join(names)} = {', '.join(values)}"
        lines = [together] if len(together) <= _WIDTH else [f"{one} = {value}" for one, value in zip(names, values)]
        yield from (f"    {line}" for line in lines)

    def _otherwise(self, piece: IfPiece) -> IfPiece | None:
        """The `if` that makes up the whole other branch, to be written as `elif`."""
        _, (region, ends) = piece.bodies()
        match [one for one in self._body(region, ends) if not any(end in self.nested for end in one.ends)]:
            case [IfPiece() as only] if tuple(map(self.draft.end, ends)) == only.ends and not self._controls(only):
                return only
            case _:
                return None

    def _loop(self, loop: LoopPiece) -> Iterator[str]:
        """A `while` with its variables. Their names are bound before it."""
        changing = [one for one in loop.variables if self.draft.end(one.following) != one.now]
        for one in loop.variables:
            yield f"{self._reference(one.now)} = {self._operand(one.first).text}"
        self.whole = loop.node
        condition = self._operand(Produced(loop.condition)).text
        self.whole = ""
        yield f"while {condition}:"
        ((region, ends),) = loop.bodies()
        for piece in self._body(region, ends):
            if not any(end in self.nested for end in piece.ends) and not self._is_condition(loop, piece):
                for line in self._statement(piece):
                    yield f"    {line}"
        names = ", ".join(self._reference(one.now) for one in changing)
        yield f"    {names} = {', '.join(self._operand(operand(self.draft, one.following)).text for one in changing)}"

    def _scan(self, scan: ScanPiece) -> Iterator[str]:
        """The function of a scan, and its call."""
        states = [self._reference(one.now) for one in scan.variables]
        elements = [self._reference(one.now) for one in scan.elements]
        packed = {"states": states, "elements": elements}
        heads = [names[0] if len(names) == 1 else name for name, names in packed.items()]
        yield f"def {self.steps[scan.node]}({', '.join(heads)}):"
        for name, names in packed.items():
            if len(names) > 1:
                yield f"    {', '.join(names)} = {name}"
        ((region, ends),) = scan.bodies()
        for piece in self._body(region, ends):
            if not any(end in self.nested for end in piece.ends):
                for line in self._statement(piece):
                    yield f"    {line}"
        yield f"    return {one_or_list([self._operand(Produced(one.following)).text for one in scan.variables])}"
        wholes = one_or_list([self._tensor(one.whole) for one in scan.elements])
        firsts = one_or_list([self._tensor(one.first) for one in scan.variables])
        names = ", ".join(map(self._reference, scan.ends))
        yield f"{names} = {SCAN.name}({self.steps[scan.node]}, {wholes}, {firsts})"

    def _is_condition(self, loop: LoopPiece, piece: LiftedPiece) -> bool:
        """Whether only the condition of a loop reads a piece of its body."""
        todo = [self.draft.end(one.following) for one in loop.variables]
        needed: set[str] = set()
        while todo:
            end = todo.pop()
            name = self._owner(end.node) if self._is_there(end.node) else ""
            if name in needed or self.draft.regions.get(name) != loop.node:
                continue
            needed.add(name)
            other = self.draft.pieces[name]
            todo += [end for one in other.operands() for end in self._ends(one)]
            todo += map(Endpoint, self._controls(other))
            todo += self._read_by(other) if isinstance(other, BlockPiece) else ()
        return piece.node not in needed

    def _text(self, piece: LiftedPiece) -> str:
        match piece:
            case PlaceholderPiece(type=type, default=default):
                initial = "" if default is None else f" = {self._operand(default).text}"
                name = self._reference(piece.ends[0])
                return f"placeholder {name}: {type_text(type)}{initial}{self._as(piece, name)}"
            case VariablePiece():
                return self._variable(piece)
            case IfPiece(condition=condition):
                return f"if {self._operand(condition).text}:"
            case SummaryPiece(kind=kind, tag=tag, value=value):
                text = value_text(tag.replace("{", "{{").replace("}", "}}"), "string")
                return f"summary {kind} {self._operand(value).text} as {text}"
            case StepPiece():
                return self._step(piece)
            case StoredPiece():
                name = self._reference(piece.ends[0])
                return f"{name} = {self._expression(piece).text}{self._as(piece, name)}"
            case ReturnPiece(values=values):
                return f"return {', '.join(self._operand(one).text for one in values)}"
            case FunctionCallPiece(parts=parts):
                text = self._expression(piece).text
                names = ", ".join(self.names.get(end, last_part(end.node)) for end in piece.ends)
                scope = f" as {last_part(piece.node)}" if parts else ""
                return f"{names} = {text}{scope}"
            case CallPiece() | IndexPiece():
                text = self._expression(piece).text
                names = ", ".join(self.names.get(end, end.node.rpartition("/")[2]) for end in _bound(piece))
                return f"{names} = {text}{self._as(piece, names) if len(piece.ends) == 1 else ''}"
            case _:
                raise AssertionError(piece)

    def _as(self, piece: LiftedPiece, name: str) -> str:
        """The `as` clause with the name of the node, if the program would give it a different name or does not use the
        value."""
        own = "/".join((*self.here, name))
        is_own = piece.node == own and piece.node not in self.results and not is_renamed(self.here, self.kept)
        if self.prefix or piece.node not in self.kept or is_own:
            return ""
        return f' as "{piece.node}"'

    def _variable(self, piece: VariablePiece) -> str:
        initial, name = piece.initial, self._reference(piece.ends[0])
        options = "" if piece.is_trainable or piece.type.dtype.kind != "float" else ", trainable=false"
        options += ", resource=false" if piece.is_reference else ""
        declared = f": {type_text(piece.type)}"
        made = self._initializer(piece)
        if made is not None:
            text = made
        else:
            match initial:
                case Given(value, dtype) if value != () and usual_dtype(value) == (dtype or piece.type.dtype.name):
                    declared, text = "", value_text(value, dtype)
                case Splat(value, _, dtype):
                    text = ZEROS.name if value == 0 else value_text(value, dtype)
                case _:
                    text = self._operand(initial).text
        return f"variable {name}{declared} = {text}{options}{self._as(piece, name)}"

    def _step(self, piece: StepPiece) -> str:
        arguments = ", ".join(f"{name}={self._operand(value).text}" for name, value in piece.arguments)
        call = f"{piece.optimizer}({arguments})"
        trained = "" if piece.trained is None else f" wrt {self._trained(piece.trained)}"
        step = "" if piece.global_step is None else f", global_step={self._reference(piece.global_step)}"
        if piece.gradients:
            listed = ", ".join(self._operand(one).text for one in piece.gradients)
            names = ", ".join(self._reference(end) for end in piece.trained or ())
            head = f"apply [{listed}] to [{names}] with {call}{step}"
        else:
            head = f"optimize {self._operand(piece.loss).text} with {call}{step}{trained}"
        name = self.step_name(piece)
        return f"{head}{f' as {name}' if name else ''}{self._as(piece, self.names.get(piece.ends[0], name))}"

    def step_name(self, piece: StepPiece) -> str:
        """The name of a step, or "" if it needs no name: nothing refers to it, and its node has the usual name of
        TensorFlow, or it is the only step and has a whole name."""
        name = self.names.get(piece.ends[0], "")
        is_only = sum(isinstance(one, StepPiece) for one in self.draft.pieces.values()) == 1
        is_whole = piece.node != "/".join((*self.scopes.get(piece.node, ()), name)) and piece.node in self.kept
        if piece.node in self.waited or piece.is_restored:
            return name
        given, row = dict(piece.arguments), OPTIMIZERS[piece.optimizer]
        slots = given.get(SLOTS)
        usual = slots.value if isinstance(slots, Given) else row.node
        is_usual = piece.node == usual and row.lacking.keys().isdisjoint(given)
        return "" if is_usual or (is_only and is_whole) else name

    def _trained(self, ends: Sequence[Endpoint]) -> str:
        """The variables that a step trains, or the scope that contains exactly these variables."""
        trainable = {one.ends[0].node for one in self.variables if one.is_trainable}
        names = {end.node for end in ends}
        for scope in sorted(self.written, key=len):
            inside = "/".join((*scope, ""))
            if {name for name in trainable if name.startswith(inside)} == names:
                return ".".join(path_to(scope, self.here, self.written))
        return ", ".join(map(self._reference, ends))


def _variable_name(variable: LoopVariable) -> str:
    """A name for a variable of a loop. A counter is called `i`."""
    return "i" if isinstance(variable.first, Given) and isinstance(variable.first.value, int) else "state"


def _bound(piece: LiftedPiece) -> tuple[Endpoint, ...]:
    """The values that a statement names: its outputs, or the result of a raw call as a whole."""
    if isinstance(piece, (SummaryPiece, ReturnPiece)):
        return ()
    return piece.ends[:1] if is_raw(piece) else piece.ends


def function_lines(function: LiftedFunction, variables: Sequence[str]) -> list[str]:
    """The definition of a function. `variables` are the variables in it. Raises `Misplaced` if they would get different
    names."""
    parameters = {Endpoint(f"%{name}"): name for name in function.parameters}
    writer = Writer(function.body, {}, prefix=function.prefix, parameters=parameters)
    lines = writer.statements(function.roots)
    for name in variables:
        piece = function.body.pieces[name]
        if isinstance(piece, VariablePiece):
            own = "/".join((*writer.scopes[name], writer.names[piece.ends[0]]))
            if f"{function.prefix}{own}" != name:
                raise Misplaced(name)
    return [f"def {function.name}({', '.join(function.parameters)}):", *(f"    {line}" for line in lines), ""]
