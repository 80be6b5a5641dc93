"""Source of a draft: names, nested expressions, blocks."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ..lowering.tf import op_def
from ..ops import OPS
from ..ops.named import ZEROS
from ..ops.op import REQUIRED, Op
from ..ops.optimizers import OPTIMIZERS
from ..record import Record, State, field
from ..types import DTYPE_NAMES
from .constants import type_text, usual_dtype, value_text
from .draft import (
    BlockPiece,
    CallPiece,
    Draft,
    FunctionName,
    Given,
    IfPiece,
    IndexPiece,
    LiftedPiece,
    Listed,
    LoopPiece,
    LoopVariable,
    NotReadable,
    Operand,
    PlaceholderPiece,
    Produced,
    Splat,
    StepPiece,
    StoredPiece,
    SummaryPiece,
    VariablePiece,
    block_of,
    ends_of,
    has_tensor,
    is_raw,
)
from .exact import ARRAYS, place_of
from .expression_text import ATOM, COMPARISON, LEVELS, UNARY, ExpressionText
from .folds.operands import operand
from .graph import Cycle, Endpoint, in_order
from .names import TAKEN, unused_name
from .scopes import clear_scopes, scope_of, shared_scopes
from .unfolded import ALL_FOLDED, Unfolded

_WIDTH = 100  # of a line with a nested expression
_DEEPEST = 4  # nested calls in one expression


class ScopeBlock(Record):
    """A scope with its statements."""

    name: str
    parts: "tuple[LiftedPiece | ScopeBlock, ...]"


class Writer(State):
    """Writes a draft. Names of nodes are kept for the pieces `kept`: the program names such a node, if it would not
    have this name by itself. `unfolded` says which parts stay as they were."""

    draft: Draft
    functions: dict[str, str]  # names in the source of functions of the graph
    kept: frozenset[str] = frozenset()
    unfolded: Unfolded = ALL_FOLDED
    lines: list[str] = field(default_factory=list[str])  # for each line of the source, the piece that it is from
    said: set[str] = field(default_factory=set[str])  # the comments about parts that stay as they were
    names: dict[Endpoint, str] = field(default_factory=dict[Endpoint, str])  # of what statements bind
    scopes: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])  # of pieces
    nested: set[Endpoint] = field(default_factory=set[Endpoint])  # what is part of a later statement
    bound: Counter[str] = field(default_factory=Counter[str])  # how often statements bind a name
    lasts: Counter[str] = field(default_factory=Counter[str])  # how often statements end in a part of a name
    whole: str = ""  # the loop whose condition is being written, as one expression
    here: tuple[str, ...] = ()  # the scope of the statement that is being written

    def write(self, roots: Iterable[str]) -> str:
        """The source of these pieces and all that they need."""
        kept = list(roots)
        pieces = self._ordered(kept)
        self._nest(pieces, set(kept))
        for block in [one for one in self.draft.pieces.values() if isinstance(one, BlockPiece)]:
            for region, ends in block.bodies():
                self._nest(self._body(region, ends), set(), block, ends)
        statements = [piece for piece in pieces if not any(end in self.nested for end in piece.ends)]
        self.scopes = clear_scopes({piece.node: scope_of(piece) for piece in statements})
        parts = self._arranged(statements)
        self.lasts = Counter(piece.node.rpartition("/")[2] for piece in statements)
        self._name_all(parts, (), frozenset())
        lines = list(self._lines(parts, ()))
        self.lines = [node for _, node in lines]
        return "".join(f"{line}\n" for line, _ in lines)

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
        waited = {self._owner(name) for piece in pieces for name in piece.controls if self._is_there(name)}
        own = {scope_of(piece) for piece in pieces if isinstance(piece, VariablePiece)}  # the scopes of layers
        for piece in pieces:
            self._shorten(piece)
            if not isinstance(piece, (CallPiece, IndexPiece)) or len(piece.ends) != 1 or self._controls(piece):
                continue
            used = users.get(piece.ends[0], [])
            scope = scope_of(piece)
            is_in_layer = scope and scope in own and (not used or scope_of(used[0])[: len(scope)] != scope)
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
                if text.depth <= _DEEPEST and len(text.text) <= _WIDTH - 25:
                    self.nested.add(piece.ends[0])

    def _shorten(self, piece: LiftedPiece) -> None:
        """Write operands of a long statement as statements of their own."""
        while not isinstance(piece, VariablePiece):
            nested = {end for one in piece.operands() for end in self._ends(one) if end in self.nested}
            if not nested or len(self._text(piece)) <= _WIDTH:
                return
            lengths = {end: len(self._operand(Produced(end)).text) for end in nested}
            self.nested.remove(max(nested, key=lambda end: (lengths[end], str(end))))

    # --- the order of statements ----------------------------------------------------------------

    def _ordered(self, roots: Iterable[str], region: str = "") -> list[LiftedPiece]:
        """The pieces to write, each after those that it reads: those in the body of a loop, or in none."""
        found: dict[str, LiftedPiece] = {}
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
                else:
                    stack.append((one, True))
                    own = (other for other in self._needed(pieces[one]) if self.draft.regions.get(other, "") == region)
                    needed = [other for other in own if other not in found and other != one]
                    stack += [(other, False) for other in reversed(needed)]
        return list(found.values())

    def _read_by(self, block: BlockPiece) -> Iterator[Endpoint]:
        """What the bodies of a block read from outside, and what they have to compute."""
        for region, ends in block.bodies():
            yield from map(self.draft.end, ends)
            for piece in self._body(region, ends):
                if isinstance(piece, BlockPiece):
                    yield from self._read_by(piece)
                for one in piece.operands():
                    yield from self._ends(one)

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
            yield from (end.node for end in piece.trained or ())
            if piece.global_step is not None:
                yield piece.global_step.node
        yield from self._controls(piece)

    def _ends(self, operand: Operand) -> Iterator[Endpoint]:
        """The endpoints that an operand reads, as the program has them."""
        return map(self.draft.end, ends_of(operand))

    def _owner(self, node: str) -> str:
        while node not in self.draft.pieces:
            node = self.draft.inside[node]
        return node

    def _is_there(self, node: str) -> bool:
        return node in self.draft.pieces or node in self.draft.inside

    def _controls(self, piece: LiftedPiece) -> list[str]:
        """The pieces that a piece waits for. A variable or a constant is never waited for."""
        found: list[str] = []
        for name in piece.controls:
            owner = self._owner(name) if self._is_there(name) else None
            if owner is not None and any(owner in (block, *self._controls(self.draft.pieces[block]))
                                         for block in self._blocks(piece.node)):  # fmt: skip
                continue  # what a block waits for, inside of it
            if owner is not None and owner != piece.node and not isinstance(self.draft.pieces[owner], VariablePiece):
                found.append(owner)
        return list(dict.fromkeys(found))

    def _blocks(self, node: str) -> Iterator[str]:
        """The blocks that have a node in one of their bodies."""
        while node in self.draft.regions:
            node = block_of(self.draft.regions[node])
            yield node

    def _direct(self, piece: LiftedPiece) -> Iterator[str]:
        """The statements that a statement needs, through what is nested in it."""
        for name in self._needed(piece):
            other = self.draft.pieces[name]
            if any(end in self.nested for end in other.ends):
                yield from self._direct(other)
            else:
                yield name

    def _arranged(self, statements: list[LiftedPiece], depth: int = 0) -> tuple[LiftedPiece | ScopeBlock, ...]:
        """The statements in scopes, each scope in one piece. Scopes that depend on one another both ways are left out,
        and so are those of one statement."""
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
            wrong = [name for name in units if name.endswith("/") and (_is_little(units[name]) or name in circle)]
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
        """Give names to what statements bind: ones that are not bound in the scope or around it."""
        bound = {*taken, *(part.name for part in parts if isinstance(part, ScopeBlock))}
        own = "".join(f"{one}/" for one in scope)
        kept = {node.removeprefix(own) for node in self.kept if node.startswith(own)}
        for part in parts:
            if isinstance(part, LoopPiece):
                self._name_loop(part, scope, bound)
                continue
            for end in () if isinstance(part, ScopeBlock) else _bound(part):
                name = unused_name(self._wanted(end, scope), bound, kept - {end.node.removeprefix(own)})
                self.names[end] = name
                self.bound[name] += 1
            if isinstance(part, IfPiece):
                self._name_bodies(part, scope, bound)
        for part in parts:
            if isinstance(part, ScopeBlock):
                self._name_all(part.parts, (*scope, part.name), frozenset(bound))

    def _name_loop(self, loop: LoopPiece, scope: tuple[str, ...], bound: set[str]) -> None:
        """Give names to the variables of a loop, and to what its body binds."""
        for one in loop.variables:
            name = unused_name(self._inside(loop) + _variable_name(one), bound)
            self.names[one.now] = name
            self.bound[name] += 1
            if one.last is not None:
                self.names[one.last] = name
        self._name_bodies(loop, scope, bound)

    def _name_bodies(self, block: BlockPiece, scope: tuple[str, ...], bound: set[str]) -> None:
        """Give names to what the bodies of a block bind. Names in branches begin with `_`, so that they stay there."""
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

    def _wanted(self, end: Endpoint, scope: tuple[str, ...]) -> str:
        """The name of an endpoint, if nothing else has it: the last part of the node's name, with the scope before it
        where that is left out and the part alone would not do."""
        *scopes, last = end.node.split("/")
        piece = self.draft.pieces[self._owner(end.node)]
        inside = self._inside(piece)
        if isinstance(piece, IfPiece) and scopes:
            last = scopes.pop()
        name = re.sub(r"\W", "_", last, flags=re.ASCII) + (f"_{end.output}" if end.output else "")
        is_doubtful = name[0].isdigit() or name in TAKEN or self.lasts[last] > 1
        if is_doubtful and len(scopes) > len(scope):
            name = f"{re.sub(r'[^A-Za-z0-9_]', '_', scopes[-1])}_{name}"
        return inside + (f"value_{name.lstrip('_')}" if name[0].isdigit() or name[0] == "_" else name)

    def _inside(self, piece: LiftedPiece) -> str:
        """What the names in a branch begin with, so that they stay there."""
        region = self.draft.regions.get(piece.node, "")
        return "_" if isinstance(self.draft.pieces.get(block_of(region)), IfPiece) else ""

    def _reference(self, end: Endpoint) -> str:
        """A name, with its scopes where it alone would not do."""
        if not self.names:  # lines are measured before names are given
            return end.node.rpartition("/")[2]
        piece = self.draft.pieces[self._owner(end.node)]
        place = ""
        if isinstance(piece, LoopPiece) and end not in piece.ends:
            return self.names[end]
        if is_raw(piece):
            place, end = place_in(self.draft, end), piece.ends[0]
        if end not in self.names:
            raise NotReadable(f"{end} is used, which is inside of {piece.node}")
        name, scope = self.names[end], self.scopes[piece.node]
        is_clear = self.bound[name] == 1 or scope == self.here
        return (name if is_clear else ".".join((*scope[shared_scopes(scope, self.here) :], name))) + place

    def called(self) -> set[str]:
        """The functions of the graph that statements call."""
        found: set[str] = set()
        for end in self.names:
            for one in self.draft.pieces[self._owner(end.node)].operands():
                found |= {item.name for item in (one, *getattr(one, "items", ())) if isinstance(item, FunctionName)}
        return found

    def _lines(self, parts: tuple[LiftedPiece | ScopeBlock, ...], scope: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """The lines of parts, each with the piece that it is from."""
        margin = "    " * len(scope)
        for part in parts:
            if isinstance(part, ScopeBlock):
                yield f"{margin}scope {part.name}:", ""
                yield from self._lines(part.parts, (*scope, part.name))
            else:
                self.here = scope
                for line in (*self._comment(part), *self._statement(part)):
                    yield f"{margin}{line}", part.node

    def _comment(self, piece: LiftedPiece) -> Iterator[str]:
        """Why a part of the graph stays as it was, before its first statement."""
        part = self.unfolded.part(piece.node)
        if part is not None and str(part) not in self.said:
            self.said.add(str(part))
            yield f"# {part}"

    # --- statements -----------------------------------------------------------------------------

    def _statement(self, piece: LiftedPiece) -> Iterator[str]:
        controls = [self._reference(self.draft.pieces[name].ends[0]) for name in self._controls(piece)]
        match piece:
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
        """The `if` that is all of the other branch, for an `elif`."""
        _, (region, ends) = piece.bodies()
        match [one for one in self._body(region, ends) if not any(end in self.nested for end in one.ends)]:
            case [IfPiece() as only] if tuple(map(self.draft.end, ends)) == only.ends and not self._controls(only):
                return only
            case _:
                return None

    def _result(self, end: Endpoint) -> str:
        """What a branch gives, which is a tensor."""
        value = operand(self.draft, end)
        text = self._raw_operand(value).text
        return f"constant({text})" if isinstance(value, Given) and not text.startswith("constant(") else text

    def _loop(self, loop: LoopPiece) -> Iterator[str]:
        """A `while` with its variables, whose names are bound before it."""
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
                return f'{name} = stored("{piece.node}", from="{self.draft.arrays or ARRAYS}"){self._as(piece, name)}'
            case CallPiece() | IndexPiece():
                text = self._expression(piece).text
                names = ", ".join(self.names.get(end, end.node.rpartition("/")[2]) for end in _bound(piece))
                return f"{names} = {text}{self._as(piece, names) if len(piece.ends) == 1 else ''}"
            case _:
                raise AssertionError(piece)

    def _as(self, piece: LiftedPiece, name: str) -> str:
        """The name of the node, where that differs from the one that the program gives it."""
        own = "/".join((*self.here, name))
        return "" if piece.node == own or piece.node not in self.kept else f' as "{piece.node}"'

    def _variable(self, piece: VariablePiece) -> str:
        initial, name = piece.initial, self._reference(piece.ends[0])
        options = "" if piece.is_trainable or piece.type.dtype.kind != "float" else ", trainable=false"
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

    def _initializer(self, piece: VariablePiece) -> str | None:
        """A call that makes the initial value, without its shape, if the variable has that shape."""
        initial = piece.initial
        if not isinstance(initial, Produced):
            return None
        end = self.draft.end(initial.end)
        made = self.draft.pieces.get(end.node)
        if not isinstance(made, CallPiece) or end not in self.nested:
            return None
        number = _filled(made, piece)
        if number is not None:
            return ZEROS.name if number.value == 0 else value_text(number.value, number.dtype)
        if made.callee not in OPS or not OPS[made.callee].makes_shape:
            return None
        (_, shape), *others = made.arguments
        if not isinstance(shape, Given) or shape.value != piece.type.shape:
            return None
        parts = [f"{name}={self._operand(value).text}" for name, value in others if name != "dtype"]
        return f"{made.callee}({', '.join(parts)})" if parts else made.callee

    def _step(self, piece: StepPiece) -> str:
        arguments = ", ".join(f"{name}={self._operand(value).text}" for name, value in piece.arguments)
        call = f"{piece.optimizer}({arguments})"
        trained = "" if piece.trained is None else f" wrt {', '.join(self._reference(end) for end in piece.trained)}"
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
        """The name of a step, or "" if the program need not have one: its node has TensorFlow's usual name, or is the
        only step and has a whole name."""
        name = self.names.get(piece.ends[0], "")
        is_only = sum(isinstance(one, StepPiece) for one in self.draft.pieces.values()) == 1
        is_whole = piece.node != "/".join((*self.scopes.get(piece.node, ()), name)) and piece.node in self.kept
        return "" if piece.node == OPTIMIZERS[piece.optimizer].node or (is_only and is_whole) else name

    # --- expressions ----------------------------------------------------------------------------

    def _expression(self, piece: LiftedPiece) -> ExpressionText:
        match piece:
            case CallPiece(callee=callee, arguments=arguments):
                op = OPS.get(callee)
                return self._raw(callee, arguments) if op is None else self._call(op, arguments)
            case IndexPiece(x=x, specs=specs):
                base = self._operand(x)
                return ExpressionText(f"{base.within(ATOM)}[{', '.join(map(self._spec, specs))}]", depth=base.depth + 1)
            case _:
                raise AssertionError(piece)

    def _spec(self, spec: str | Operand | tuple[Operand | None, ...]) -> str:
        match spec:
            case "new":
                return "none"
            case str():
                return spec
            case (start, stop, step):
                first, last = ("" if one is None else self._operand(one).text for one in (start, stop))
                return f"{first}:{last}" + ("" if step is None else f":{self._operand(step).text}")
            case Given() | Splat() | FunctionName() | Produced() | Listed():
                return self._operand(spec).text
            case _:
                raise AssertionError(spec)

    def _call(self, op: Op, arguments: tuple[tuple[str, Operand], ...]) -> ExpressionText:
        values = dict(arguments)
        if op.operator in LEVELS and list(values) == [param.name for param in op.params if param.default is REQUIRED]:
            made = self._operator(op, list(values.values()))
            if made is not None:
                return made
        parts: list[str] = []
        depth, by_position = 0, True
        for param in op.params:
            if param.name not in values:
                by_position = False
                continue
            value = values[param.name]
            text = self._argument(op, param.name, value, values)
            by_position = by_position and not param.by_name and param.is_tensor
            parts.append(text.text if by_position else f"{param.name}={text.text}")
            depth = max(depth, text.depth)
        return ExpressionText(f"{op.name}({', '.join(parts)})", depth=depth + 1)

    def _operator(self, op: Op, operands: list[Operand]) -> ExpressionText | None:
        """An operator with its operands, of which one at least is a tensor."""
        if all(isinstance(one, (Given, Splat)) for one in operands):
            return None
        level = LEVELS[op.operator]
        texts = [self._operand(one) for one in operands]
        depth = max(one.depth for one in texts) + 1
        if len(texts) == 1:
            sign = op.operator.removeprefix("unary ")
            return ExpressionText(f"{sign}{' ' if sign.isalpha() else ''}{texts[0].within(level)}", level, depth)
        left, right = texts
        is_right = op.operator == "**"
        first = left.within(level + (is_right or level == COMPARISON))
        second = right.within(level + (not is_right))
        return ExpressionText(f"{first} {op.operator} {second}", level, depth)

    def _argument(self, op: Op, name: str, value: Operand, values: dict[str, Operand]) -> ExpressionText:
        """An argument. A value whose dtype does not follow from the tensors beside it says which it has."""
        param = next(one for one in op.params if one.name == name)
        if param.kind == "dtype" and isinstance(value, Given):
            return ExpressionText(str(value.value))
        text = self._operand(value)
        if not isinstance(value, Given) or not value.dtype or not param.is_tensor or param.kind == "shape":
            return text
        beside = [other for other in op.params if other.group == param.group and other.name != name]
        is_clear = any(has_tensor(values.get(other.name)) or (other.kind == "dtype" and other.name in values)
                       for other in beside)  # fmt: skip
        if param.group in DTYPE_NAMES or is_clear or usual_dtype(value.value) == value.dtype:
            return text
        return ExpressionText(f"constant({text.text}, dtype={value.dtype})", depth=1)

    def _raw(self, callee: str, arguments: tuple[tuple[str, Operand], ...]) -> ExpressionText:
        texts = [(name, self._raw_operand(value)) for name, value in arguments]
        depth = max((text.depth for _, text in texts), default=0)
        return ExpressionText(f"{callee}({', '.join(f'{name}={text.text}' for name, text in texts)})", depth=depth + 1)

    def _raw_operand(self, value: Operand) -> ExpressionText:
        """An input of a raw call, with its dtype."""
        text = self._operand(value)
        if isinstance(value, Given) and value.dtype and usual_dtype(value.value) != value.dtype:
            return ExpressionText(f"constant({text.text}, dtype={value.dtype})", depth=1)
        return text

    def _operand(self, operand: Operand) -> ExpressionText:
        match operand:
            case Given(value, dtype):
                text = value_text(value, dtype)
                return ExpressionText(text, UNARY if text.startswith("-") else ATOM)
            case Splat(value, shape, dtype):
                number = value_text(value, dtype)
                of = "" if dtype in ("float32", "int32") else f", dtype={dtype}"
                return ExpressionText(f"constant({number}, shape={list(shape)}{of})", depth=1)
            case FunctionName(name):
                return ExpressionText(self.functions.get(name) or value_text(name, "string"))
            case Listed(items):
                texts = [self._operand(item) for item in items]
                depth = max((one.depth for one in texts), default=0)
                return ExpressionText(f"[{', '.join(one.text for one in texts)}]", depth=depth)
            case Produced(end):
                end = self.draft.end(end)
                made = self.draft.pieces.get(end.node)
                is_whole = self.whole != "" and self.draft.regions.get(end.node) == self.whole
                if made is not None and (end in self.nested or (is_whole and not isinstance(made, BlockPiece))):
                    return self._expression(made)
                return ExpressionText(self._reference(end))


def _is_little(pieces: list[LiftedPiece]) -> bool:
    """Whether pieces need no scope of their own: there is one, and its node can have its name without it."""
    return len(pieces) == 1 and not (isinstance(pieces[0], StepPiece) and pieces[0].is_scoped)


def _variable_name(variable: LoopVariable) -> str:
    """A name for a variable of a loop: `i` for one that counts."""
    return "i" if isinstance(variable.first, Given) and isinstance(variable.first.value, int) else "state"


def _bound(piece: LiftedPiece) -> tuple[Endpoint, ...]:
    """What a statement gives names: the outputs, or what a raw call gives as one."""
    if isinstance(piece, SummaryPiece):
        return ()
    return piece.ends[:1] if is_raw(piece) else piece.ends


def _filled(made: CallPiece, piece: VariablePiece) -> Given | None:
    """The number that fills the shape of a variable."""
    match made.arguments:
        case (("dims", Given(shape)), ("value", Given() as value)) if shape == piece.type.shape:
            return value
        case _:
            return None


def place_in(draft: Draft, end: Endpoint) -> str:
    """The place of an endpoint in the value of a raw call."""
    node = draft.graph.nodes[end.node]
    definition = op_def(node.op)
    assert definition is not None
    return place_of(definition, node.attrs, end.output)
