"""A program that grows entry by entry, and keeps the values of its variables between its sessions.

Each entry is checked with all declarations before it, and its sessions run at once. A declaration takes the place of
an earlier one of the same names, unless its expression uses the name: then it binds the name again, as in a file. An
entry that fails changes nothing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace as replaced
from typing import TYPE_CHECKING

from ...access import Access
from ...analysis.names import declared, names_of_import, rebinding
from ...diagnostics import UNUSED, UNUSED_VALUE, Diagnostic, Note, TfgError
from ...driver import Compiled, check
from ...editor.shown import several
from ...editor.values import Values
from ...inputs import CompileInputs, ExternalNames
from ...known_values import NO_VALUE, as_values
from ...program import Graph, Node, Ref
from ...record import Record, replace
from ...runtime.options import Options
from ...source import Source, Span
from ...syntax import tree as t
from ...syntax.blocks import whole
from ...syntax.format import format_text
from ...syntax.parse import parse_expression
from ...types import Operand
from .. import tensorflow
from .entries import Parsed, parsed

if TYPE_CHECKING:
    from ...runtime.result import Result


class _Piece(Record):
    """A declaration with its place, the names that it binds and those that it uses."""

    tree: t.Statement
    whole: Span
    names: frozenset[str]
    uses: frozenset[str]

    @property
    def is_rebinding(self) -> bool:
        """Whether it needs the earlier value of a name that it binds."""
        return isinstance(self.tree, t.While) or any(rebinding((self.tree,)))


class _Ran(Record):
    """A session that has run, and the declarations that it needed."""

    tree: t.Session
    needed: tuple[_Piece, ...]


class _State(Record):
    """The value of a variable. `owner` is the declaration that made it: the place of the declaration, and the number of
    the variable in it. It is None for variables of optimizers."""

    value: object
    owner: "_Owner | None"


class SavedText(Record):
    """A program to save as a file. `changed` are the names that changed after statements ran, so that the file does not
    repeat exactly what has run. `left_out` is true if the statements no longer fit the declarations."""

    text: str
    changed: tuple[str, ...]
    left_out: bool


class Effect(Record):
    """What an entry did: its warnings, the names that it declared, the earlier names that it changed, and the variables
    whose names it has bound to something else."""

    warnings: tuple[Diagnostic, ...]
    declared: tuple[str, ...]
    changed: tuple[str, ...]
    hidden: tuple[str, ...]
    result: "Result | None"


class LiveProgram:
    """The program of a prompt. `inputs` are those of the command line, and `path` is that of a loaded file."""

    def __init__(self, inputs: CompileInputs, path: str = ""):
        self.path: str = path
        self._inputs = inputs
        self._pieces: tuple[_Piece, ...] = ()
        self._values: dict[str, object] = {}  # of sessions, by name
        self._states: dict[str, _State] = {}  # by the names of variables in TensorFlow
        self._compiled: Compiled | None = None  # the last that ran
        self._count = 0
        self._ran: list[_Ran] = []

    # --- entries --------------------------------------------------------------------------

    def enter(self, text: str, options: Options) -> Effect:
        """Check an entry and run its sessions. Raises `TfgError` if it is wrong or fails; then nothing has changed."""
        self._count += 1
        return self._enter(parsed(f"[{self._count}]", text), options)

    def load(self, path: str, text: str) -> Effect:
        """Add the declarations of a file. Its sessions do not run."""
        entry = parsed(path, text)
        before, self.path = self.path, self.path or path
        try:
            return self._enter(replace(entry, sessions=()), None)
        except TfgError:
            self.path = before
            raise

    def _enter(self, entry: Parsed, options: Options | None) -> Effect:
        pieces, new = self._pieces, tuple(map(_piece, entry.declarations))
        own = {one.tree.span.source for one in new} | {one.span.source for one in entry.sessions}
        try:
            program, pieces = self._placed(pieces, new, entry.sessions)
        except TfgError as error:
            raise TfgError([self._blamed(one, new, own) for one in error.diagnostics]) from None
        names = [name for piece in new for name in sorted(piece.names)]
        old = {name for piece in self._pieces for name in piece.names}
        changed = tuple(_depending(pieces, {name for name in names if name in old}))
        variables = {name for piece in self._pieces if isinstance(piece.tree, t.Variable) for name in piece.names}
        bound = dict.fromkeys(name for piece in new if isinstance(piece.tree, t.Assign) for name in sorted(piece.names))
        hidden = tuple(name for name in bound if name in variables)
        warnings = tuple(
            one for one in program.diagnostics
            if one.message not in (UNUSED, UNUSED_VALUE) and one.span is not None and one.span.source in own
        )  # fmt: skip
        states, result = self._remaining(pieces), None
        if entry.sessions and options is not None:
            result = self._run(program, pieces, states, options)
            self._ran += [_Ran(one, _needed(pieces, one)) for one in entry.sessions]
        else:
            self._states = states
        self._pieces = pieces
        for name in names:
            self._values.pop(name, None)  # a declaration hides a value of a session
        return Effect(warnings, tuple(dict.fromkeys(names)), changed, hidden, result)

    def _blamed(self, one: Diagnostic, new: tuple[_Piece, ...], own: set[Source]) -> Diagnostic:
        """An error in an earlier entry, with the declaration of this one that leads to it."""
        if one.span is None or one.span.source in own:
            return one
        for piece in new:
            old = next((old for old in self._pieces if _replaces(piece, old)), None)
            if old is None:
                continue
            name = next(iter(sorted(piece.names)), "")
            text = f"'{piece.tree.span.one_line}' would replace '{old.tree.span.one_line}', and is not accepted"
            help = one.help
            if isinstance(piece.tree, t.Assign) and isinstance(old.tree, t.Variable):
                help = f"to give the variable another value, write: set {name} = {piece.tree.value.span.one_line}"
            return replace(one, notes=(Note(text, piece.tree.span), *one.notes), help=help)
        return one

    def _placed(
        self, pieces: tuple[_Piece, ...], new: tuple[_Piece, ...], sessions: tuple[t.Session, ...]
    ) -> tuple[Compiled, tuple[_Piece, ...]]:
        """The program with new pieces, in the place of those that they replace or, if they use what comes later, at
        the end. Raises the errors of the first."""
        first: TfgError | None = None
        for placed in dict.fromkeys((_with(pieces, new, is_last=False), _with(pieces, new, is_last=True))):
            try:
                return self._compile(placed, sessions), placed
            except TfgError as error:
                first = first or error
        assert first is not None
        raise first

    def _compile(self, pieces: tuple[_Piece, ...], sessions: tuple[t.Session, ...] = ()) -> Compiled:
        known, inputs = self._compiled, self._inputs_of(pieces)
        program, diagnostics = check(self._tree(pieces, sessions), inputs)
        if program is None:
            raise TfgError(diagnostics)
        specs = {one.name: one for one in known.program.data} if known is not None else {}
        same = [one.name for one in program.data if one == specs.get(one.name)]
        read = {name: known.pipeline(name) for name in same} if known is not None else {}
        made = Compiled(program, inputs.data, diagnostics, inputs.outside, access=inputs.access, read=read)
        if known is not None:
            made.datasets.update({name: known.datasets[name] for name in same if name in known.datasets})
        return made

    def _inputs_of(self, pieces: Iterable[_Piece]) -> CompileInputs:
        """The inputs of a program, with the params from the command line that are declared by now."""
        names = {name for piece in pieces if isinstance(piece.tree, t.Param) for name in piece.names}
        return replace(
            self._inputs, outside=ExternalNames(self._values, {}), foreign=tensorflow.foreign(),
            access=Access(self.path), params={name: one for name, one in self._inputs.params.items() if name in names},
        )  # fmt: skip

    def _tree(self, pieces: Iterable[_Piece], sessions: Iterable[t.Session] = ()) -> t.File:
        body = (*(piece.tree for piece in pieces), *sessions)
        return t.File(Span(Source(self.path or "[program]", ""), 0, 0), body)

    # --- running --------------------------------------------------------------------------

    def _run(
        self, program: Compiled, pieces: tuple[_Piece, ...], states: Mapping[str, _State], options: Options
    ) -> "Result":
        """Run the sessions of a program whose variables begin with the values in `states`, and keep what they have at
        the end."""
        tensorflow.load()
        owners = dict(_owners(program, pieces))
        given = dict(_carried(program, states, owners))
        result = program.run(options=replaced(options, variables=given, keep_variables=True))
        values = {name: as_values(value) for name, value in result.session_values.items()}
        self._values |= {name: value for name, value in values.items() if value is not NO_VALUE}
        self._states = {name: _State(value, owners.get(name)) for name, value in result.variables.items()}
        self._compiled = program
        return result

    def _remaining(self, pieces: tuple[_Piece, ...]) -> dict[str, _State]:
        """The values of variables whose declaration is still there; those of optimizers, until one is replaced."""
        kept = {id(piece.tree) for piece in pieces}
        gone = [one.tree for one in self._pieces if id(one.tree) not in kept]
        steps = any(isinstance(one, t.Optimize | t.ApplyGradients) for one in gone)
        return {
            name: one for name, one in self._states.items()
            if (id(one.owner[0]) in kept if one.owner is not None else not steps)
        }  # fmt: skip

    def reset(self) -> None:
        """Reset all variables to their initial values, and forget the sessions and their values."""
        self._states, self._values, self._ran = {}, {}, []

    # --- what it is -----------------------------------------------------------------------

    def compiled(self) -> Compiled:
        """The declarations as a program."""
        return self._compile(self._pieces)

    def type_of(self, text: str) -> str:
        """The dtype and shape of an expression, or its kind. Raises `TfgError` if it is wrong."""
        source = Source("[type]", text)
        expr = parse_expression(source)
        shown = t.ExpressionStatement(expr.span, expr, None)
        seen = Values()
        tree = self._tree((*self._pieces, _piece(shown)))
        program, diagnostics = check(tree, replace(self._inputs_of(self._pieces), observer=seen))
        if program is None:
            raise TfgError(diagnostics)
        return several(seen.of(expr)) or "its type is unknown"

    def variables(self) -> dict[str, object]:
        """The variables of the declarations by their names, with their values, or None if no session has run since
        they were declared."""
        program = self.compiled()
        values = {_key(one.owner): one.value for one in self._states.values() if one.owner is not None}
        found: dict[str, object] = {}
        for graph in program.program.graphs:
            names = {named.value.node: name for name, named in graph.names.items() if isinstance(named.value, Ref)}
            for node, owner in _made(graph, self._pieces):
                found[names.get(node.id, node.shown)] = values.get(_key(owner))
        return found

    @property
    def values(self) -> Mapping[str, object]:
        """The values of sessions by name."""
        return self._values

    @property
    def text(self) -> str:
        """The text of the declarations."""
        return "".join(f"{one.whole.text.rstrip()}\n" for one in self._pieces)

    def saved(self) -> SavedText:
        """The program as a file. Its session repeats what has run, as far as the declarations still exist."""
        statements = [_as_statement(one) for session in self._ran for one in session.tree.body]
        lines = [f"    {line}" for one in statements for line in _inner(one).split("\n")]
        whole = self.text + ("\nsession:\n" + "\n".join(lines) + "\n" if lines else "")
        source = Source(self.path or "program.tfg", whole)
        inputs = replace(self._inputs_of(self._pieces), outside=None)  # a file cannot use values of earlier sessions
        left_out = bool(lines) and check(source, inputs)[0] is None
        text = format_text(Source(source.path, self.text) if left_out else source)
        return SavedText(text, tuple(dict.fromkeys(self._changed())), left_out)

    def _changed(self) -> Iterator[str]:
        """The names whose declarations have changed since a session that needed them ran."""
        for session in self._ran:
            now = {id(one.tree): one for one in _needed(self._pieces, session.tree)}
            then = {id(one.tree): one for one in session.needed}
            for key in (then | now).keys() - (then.keys() & now.keys()):
                one = (then | now)[key]
                yield from sorted(one.names) or [f"'{one.tree.span.one_line}'"]


def _as_statement(tree: t.Statement) -> str:
    """The text of a statement of a session. A bare expression is printed."""
    text = whole(tree).text
    return f"print {text}" if isinstance(tree, t.Print) and tree.span == tree.values[0].span else text


def _piece(tree: t.Statement) -> _Piece:
    bound = frozenset(target.id for target, _ in declared((tree,)))
    if isinstance(tree, t.Import):
        bound = frozenset(names_of_import(tree))
    if isinstance(tree, t.Scope):
        bound |= {tree.target.id}
    used = frozenset(one.id for one in t.trees(tree) if isinstance(one, t.Name))
    return _Piece(tree, whole(tree), bound, used)


def _needed(pieces: tuple[_Piece, ...], session: t.Session) -> tuple[_Piece, ...]:
    """The declarations that a session needs. A training needs all losses and optimizers."""
    parts = list(t.trees(session))
    names = {one.id.partition(".")[0] for one in parts if isinstance(one, t.Name | t.Identifier)}
    trains = any(isinstance(one, t.Train) for one in parts)
    found: list[_Piece] = []
    for one in reversed(pieces):
        training = trains and isinstance(one.tree, t.Loss | t.Optimize | t.ApplyGradients)
        if isinstance(one.tree, t.Seed) or training or one.names & names:
            found.append(one)
            names |= one.uses
    return tuple(found)


def _replaces(new: _Piece, old: _Piece) -> bool:
    """Whether a declaration takes the place of an earlier one."""
    match new.tree, old.tree:
        case (t.Seed(), t.Seed()) | (t.Loss(), t.Loss()):
            return True
        case (t.Optimize(target=None), t.Optimize(target=None)):
            return new.tree.loss == old.tree.loss or _texts(new.tree.loss) == _texts(old.tree.loss)
        case (t.Summary(), t.Summary()):
            return new.tree.span.text == old.tree.span.text
        case (t.Scope(), t.Scope()):
            return new.tree.target.id == old.tree.target.id and not new.tree.reuse
        case (t.Scope(), _) | (_, t.Scope()):
            return False
        case (t.Signature(), t.Signature()):
            return new.tree.name.value == old.tree.name.value
        case _:
            return bool(old.names) and old.names <= new.names and not new.is_rebinding


def _texts(expr: t.Expr | None) -> str:
    return "" if expr is None else expr.span.one_line


def _with(pieces: tuple[_Piece, ...], new: tuple[_Piece, ...], is_last: bool) -> tuple[_Piece, ...]:
    """Pieces with new ones, at the place of the first that each replaces, or at the end."""
    for one in new:
        at = next((number for number, old in enumerate(pieces) if _replaces(one, old)), len(pieces))
        rest = tuple(old for old in pieces if not _replaces(one, old))
        at = len(rest) if is_last else at
        pieces = (*rest[:at], one, *rest[at:])
    return pieces


def _depending(pieces: Iterable[_Piece], changed: set[str]) -> Iterator[str]:
    """The names whose values change with those of some names."""
    known = set(changed)
    for piece in pieces:
        if piece.uses & known and not piece.names <= changed:
            known |= piece.names
            yield from sorted(piece.names - changed)


_Owner = tuple[t.Statement, int]  # a declaration, and the number of a variable among those that it makes


def _key(owner: _Owner) -> tuple[int, int]:
    return id(owner[0]), owner[1]


def _made(graph: Graph, pieces: Iterable[_Piece]) -> Iterator[tuple[Node, _Owner]]:
    """The variables of a graph with their declarations."""
    pieces, counts = tuple(pieces), dict[int, int]()
    for node in graph.nodes.values():
        statement = _statement_of(pieces, node) if node.is_variable else None
        if statement is not None:
            number = counts[id(statement)] = counts.get(id(statement), -1) + 1
            yield node, (statement, number)


def _owners(program: Compiled, pieces: Iterable[_Piece]) -> Iterator[tuple[str, _Owner]]:
    """The declarations of the variables, by the names of these in TensorFlow."""
    for graph in program.program.graphs:
        built = program.built(graph.name)
        for node, owner in _made(graph, pieces):
            variable: Operand = built.value(Ref(node.id))
            yield graph.prefix + variable.op.name, owner


def _statement_of(pieces: Iterable[_Piece], node: Node) -> t.Statement | None:
    """The declaration that made a node."""
    span = node.origin.chain[0][1] if node.origin.chain else node.origin.span
    return next((one.tree for one in pieces if one.whole.holds(span)), None)


def _carried(
    program: Compiled, states: Mapping[str, _State], owners: Mapping[str, _Owner]
) -> Iterator[tuple[str, object]]:
    """The values that the variables of a program keep: those of the same declaration and of the same type."""
    by_owner = {_key(one.owner): one.value for one in states.values() if one.owner is not None}
    for graph in program.program.graphs:
        for variable in program.built(graph.name).variables():
            name = graph.prefix + variable.op.name
            if name in owners:
                value = by_owner.get(_key(owners[name]))
            else:
                own = states.get(name)
                value = None if own is None or own.owner is not None else own.value
            if value is not None and _fits(value, variable):
                yield name, value


def _fits(value: Operand, variable: Operand) -> bool:
    """Whether a variable of TensorFlow can have the value of an earlier one."""
    return variable.dtype.base_dtype.as_numpy_dtype == value.dtype and variable.shape.is_compatible_with(value.shape)


def _inner(text: str) -> str:
    """A statement of a block, whose further lines are indented by as much as its own."""
    first, *rest = text.rstrip().split("\n")
    width = min((len(one) - len(one.lstrip()) for one in rest if one.strip()), default=0)
    return "\n".join([first, *(f"    {one[width:]}" for one in rest)])
