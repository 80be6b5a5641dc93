"""Finds the symbols of a file: walks its tree with the names in sight, as the analysis does, without their values."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar, assert_never

from ..analysis.expressions.node_names import FIELD
from ..analysis.names import Assumed, BoundTwice, Names, Path, Space, uses
from ..record import State, field
from ..source import Span
from ..syntax import tree as t
from .symbols import (
    WORD,
    Around,
    FileSymbols,
    ImportedFile,
    Kind,
    Meaning,
    Members,
    Occurrence,
    Symbol,
    SymbolNames,
    found,
    meanings,
)

_Made = TypeVar("_Made")
ReadImport = Callable[[t.Import], tuple[str, FileSymbols | None]]


def resolve(tree: t.File, read: ReadImport) -> FileSymbols:
    """The symbols of a file. `read` finds the path and the symbols of an imported file."""
    return _Resolver(tree, read).file()


class _Graph(State):
    """The symbols that belong to one graph: named sizes, and shared variables by their path."""

    env: SymbolNames
    sizes: dict[str, Symbol] = field(default_factory=dict)
    shared: dict[tuple[str, ...], Symbol] = field(default_factory=dict)


class _Resolver:
    def __init__(self, tree: t.File, read: ReadImport):
        self._tree, self._read = tree, read
        self._found = FileSymbols(tree.span.source, tree)
        self._env, self._graph = self._found.env, _Graph(self._found.env)
        self._graphs: dict[str, _Graph] = {"": self._graph}
        self._graph_symbols: dict[str, Symbol] = {}
        self._session: SymbolNames | None = None
        self._scopes: dict[int, Symbol] = {}  # by the identity of their spaces
        self._numbers: dict[tuple[int, Path, str], int] = {}  # of the scopes that have one name
        self._later: list[tuple[SymbolNames, Path, Callable[[], None]]] = []
        self._in_def = 0

    def file(self) -> FileSymbols:
        for statement in sorted(self._tree.body, key=_is_session):  # sessions know all names of the graph half
            self._statement(statement)
        for env, path, action in self._later:
            self._within(env, path, action)
        made = self._found
        made.occurrences = sorted(set(made.occurrences), key=lambda one: (one.start, one.is_binding))
        made.around.sort(key=lambda one: one.statement.span.start)
        return made

    # --- names ----------------------------------------------------------------------------

    def _within(self, env: SymbolNames, path: Path, action: Callable[[], _Made]) -> _Made:
        """Do something with other names in sight."""
        outside, before = self._env, env.path
        self._env, env.path = env, path
        try:
            return action()
        finally:
            self._env, env.path = outside, before

    def _mark(self, span: Span, symbol: Symbol, is_binding: bool = False) -> None:
        if span.source is self._found.source:
            self._found.occurrences.append(Occurrence(span.start, span.end, symbol, is_binding))

    def _symbol(self, name: str, kind: Kind, span: Span, statement: t.Tree) -> Symbol:
        made = Symbol(name, kind, span, statement)
        self._found.symbols.append(made)
        return made

    def _bind(
        self, target: t.Identifier, kind: Kind, statement: t.Tree, again: bool = False, known: Symbol | None = None
    ) -> Symbol:
        """Bind a name. What is bound again, or by mistake, stays the same symbol."""
        env, name = self._env, target.id
        binding = env.reached(name) if again else env.overlapping(name)
        if binding is not None:
            symbol = binding.value
            env.change(name, binding, symbol, target.span)
        else:
            symbol = known or self._symbol(name, kind, target.span, statement)
            with suppress(BoundTwice, Assumed):
                env.bind(name, symbol, target.span)
        self._mark(target.span, symbol, is_binding=True)
        return symbol

    def _name(self, name: str, span: Span) -> None:
        """Mark a bare name. One that is not bound yet may be bound below, as in the body of a function."""

        def mark() -> bool:
            (meaning,) = meanings(self._env, [name])
            self._mark_meaning(name, span, meaning)
            return meaning is not None

        if not mark():
            self._later.append((self._env, self._env.path, lambda: void(mark())))

    # --- scopes ---------------------------------------------------------------------------

    def _open(self, name: str, span: Span, symbol: Symbol, inside: SymbolNames | None = None) -> Space[Symbol]:
        home = self._env.home
        key = (id(home), home.path, name)
        number = self._numbers[key] = self._numbers.get(key, -1) + 1
        made = home.open_scope(name, f"{name}_{number}" if number else name, span, inside)
        self._scopes[id(made)] = symbol
        return made

    def _mark_meaning(self, word: str, span: Span, meaning: Meaning) -> None:
        """Mark a part of a dotted name. That of a numbered call is the function's, with a number behind it."""
        match meaning:
            case Symbol():
                self._mark(span, meaning)
            case Members(scopes=()):
                symbol = found(self._env, word)
                if symbol is not None:
                    self._mark(span, symbol)
            case Members(scopes=(first, *_)):
                symbol = self._scopes.get(id(first))
                if symbol is not None and word.startswith(symbol.name):
                    self._mark(Span(span.source, span.start, span.start + len(symbol.name)), symbol)
            case _:
                pass

    def _dotted(self, parts: list[tuple[str, Span]]) -> Meaning:
        """Mark the parts of a dotted name, and return what the whole means."""
        if len(parts) == 1:
            self._name(*parts[0])
        made = meanings(self._env, [word for word, _ in parts])
        for (word, span), meaning in zip(parts, made, strict=True) if len(parts) > 1 else ():
            self._mark_meaning(word, span, meaning)
        return made[-1]

    # --- expressions ----------------------------------------------------------------------

    def _each(self, parts: Iterable[t.Part]) -> None:
        for part in parts:
            self._part(part)

    def _part(self, part: t.Part) -> None:
        """Mark the names in an expression, or in a part of a statement that binds nothing. Long sums are deep trees."""
        todo = [part]
        while todo:
            part = todo.pop()
            match part:
                case t.Name():
                    self._name(part.id, part.span)
                case t.Later():
                    self._named_later(part)
                case t.Attribute():
                    parts = _parts(part)
                    if parts is None:
                        todo.append(part.value)
                    else:
                        self._now_or_later(parts)
                case t.Identifier():
                    self._now_or_later(_words(part))
                case t.Call():
                    self._call(part, None)
                case t.Comprehension():
                    self._comprehension(part)
                case t.Type():
                    self._each(dim for dim in part.dims or () if not isinstance(dim, t.Name))
                    for dim in part.dims or ():
                        if isinstance(dim, t.Name):
                            self._size(dim)
                case t.NodeName(text=text):
                    self._fields(text)
                case t.Tree():
                    names = [name for name in type(part).__match_args__ if name != "span"]
                    todo += [getattr(part, name) for name in reversed(names)]
                case tuple():
                    todo += reversed(part)
                case _:
                    pass

    def _named_later(self, part: t.Later) -> None:
        place = Span(part.span.source, part.span.end - len(part.id), part.span.end)
        self._later.append((self._env, self._env.path, lambda: self._name(part.id, place)))

    def _now_or_later(self, parts: list[tuple[str, Span]]) -> None:
        if meanings(self._env, [parts[0][0]]) == [None]:
            self._later.append((self._env, self._env.path, lambda: void(self._dotted(parts))))
        else:
            self._dotted(parts)

    def _callee(self, expr: t.Expr) -> Symbol | None:
        """The function that an expression names, which is marked."""
        parts = [(expr.id, expr.span)] if isinstance(expr, t.Name) else _parts(expr)
        if parts is None:
            self._part(expr)
            return None
        meaning = self._dotted(parts)
        return meaning if isinstance(meaning, Symbol) and meaning.kind == "function" else None

    def _call(self, expr: t.Call, name: t.ScopeName | None) -> None:
        function = self._callee(expr.function)
        self._each(one.value for one in expr.arguments)
        if function is None and self._in_def and isinstance(expr.function, t.Name):
            self._later.append((self._env, self._env.path, lambda: self._keywords(expr, self._callee(expr.function))))
        self._keywords(expr, function)
        scope = function
        if name is not None:
            beside = self._env.home.scopes_in((self._env.home.path,), name.target.id)
            known = self._scopes.get(id(beside[0])) if beside else None
            scope = known or self._symbol(name.target.id, "scope", name.target.span, name)
            self._mark(name.target.span, scope, is_binding=True)
        if function is not None and scope is not None:
            self._found.calls.append((expr, function))
            self._open(scope.name, expr.span, scope, function.inside)

    def _keywords(self, expr: t.Call, function: Symbol | None) -> None:
        parameters = function.parameters if function is not None else {}
        for one in expr.arguments:
            if one.name in parameters:
                self._mark(name_place(one), parameters[one.name])

    def _comprehension(self, expr: t.Comprehension) -> None:
        outside = self._env
        try:
            for clause in expr.clauses:
                self._part(clause.iterable)
                self._env = Names(parent=self._env, around_it=self._env)
                for target in clause.targets:
                    self._bind(target, "value", clause)
                self._each(clause.conditions)
            self._part(expr.element)
        finally:
            self._env = outside

    def _size(self, dim: t.Name) -> None:
        """Mark a name in a type: a value, or else a named size."""
        graph = self._graph

        def mark() -> None:
            symbol = found(self._env, dim.id)
            if symbol is None:
                symbol = graph.sizes.get(dim.id)
                is_first = symbol is None
                symbol = symbol or self._symbol(dim.id, "size", dim.span, dim)
                graph.sizes[dim.id] = symbol
                self._mark(dim.span, symbol, is_first)
            else:
                self._mark(dim.span, symbol)

        if self._in_def and not self._env.knows(dim.id):
            self._later.append((self._env, self._env.path, mark))
        else:
            mark()

    def _fields(self, text: t.ExprTree | None) -> None:
        """Mark the names in the braces of a string that is filled in."""
        if not isinstance(text, t.Constant) or not isinstance(text.value, str) or "\\N" in text.span.text:
            return
        span = text.span
        for match in FIELD.finditer(span.text):
            if match[1]:
                place = Span(span.source, span.start + match.start(1), span.start + match.end(1))
                self._now_or_later(_words(t.Identifier(place, match[1])))

    # --- statements -----------------------------------------------------------------------

    def _block(self, block: t.Block) -> None:
        for statement in block:
            self._statement(statement)

    def _statement(self, statement: t.Statement) -> None:
        self._found.around.append(Around(statement, self._env, self._env.path))
        match statement:
            case t.Seed() | t.GraphVersion() | t.Loss() | t.Return() | t.ExpressionStatement():
                self._value_statement(statement)
            case t.Param():
                self._each((statement.type, statement.value))
                self._bind(statement.target, "param", statement)
            case t.Data():
                self._each(one.value for stage in statement.stages for one in stage.arguments)
                self._bind(statement.target, "data", statement)
            case t.Placeholder():
                self._each((statement.type, statement.default, statement.node))
                self._bind(statement.target, "placeholder", statement)
            case t.Variable():
                self._variable(statement)
            case t.Assign():
                self._assign(statement)
            case t.Optimize():
                self._each((statement.loss, statement.optimizer, *_values(statement.options), statement.wrt))
                self._part(statement.node)
                self._step(statement)
            case t.ApplyGradients():
                options = _values(statement.options)
                self._each((statement.gradients, statement.variables, statement.optimizer, *options, statement.node))
                self._step(statement)
            case t.Summary():
                self._part(statement.value)
                self._fields(statement.tag)
                self._part(statement.tag)
            case t.Signature():
                named = (*statement.outputs, *statement.inputs)
                self._each(part for one in named for part in (one.target, one.name))
            case t.Import():
                self._import(statement)
            case t.Scope():
                self._scope(statement)
            case t.Device() | t.Container():
                self._part(statement.value)
                self._block(statement.body)
            case t.After():
                self._part(statement.values)
                self._block(statement.body)
            case t.Graph():
                self._graph_block(statement)
            case t.If():
                for test, body in statement.branches:
                    if self._session is None:
                        self._part(test)
                    else:
                        self._each_text((test,))
                    self._block(body)
            case t.While():
                self._part(statement.condition)
                self._block(statement.body)
            case t.For():
                self._part(statement.iterable)
                for target in statement.targets:
                    self._bind(target, "value", statement, again=self._env.reached(target.id) is not None)
                self._block(statement.body)
            case t.Def():
                self._def(statement)
            case t.GraphFunction():
                self._graph_function(statement)
            case t.Session():
                self._session_block(statement)
            case t.Broken():
                self._broken(statement)
            case _:
                self._session_statement(statement)

    def _graph_function(self, statement: t.GraphFunction) -> None:
        """A function of the graph, whose body has names of its own."""
        env: SymbolNames = Names(parent=self._env)

        def body() -> None:
            for one in statement.inputs:
                self._each((one.type, *_values(one.attributes), one.node))
                self._bind(one.target, "parameter", statement)
            self._each(part for one in statement.outputs for part in (one.type, one.node))
            self._block(statement.body)

        self._each((*_values(statement.attributes), statement.node))
        self._bind(statement.target, "function", statement).inside = env
        self._within(env, (), body)

    def _broken(self, statement: t.Broken) -> None:
        """What a statement with a syntax error binds, and its block, with the names that such a block has."""

        def bind_all(kind: Kind) -> list[Symbol]:
            return [self._bind(target, kind, statement) for target in statement.targets]

        def training() -> None:
            bind_all("batch")
            self._block(statement.body)

        env: SymbolNames = Names(parent=self._env)
        match statement.word:
            case "session":
                outside, self._session = self._session, env
                self._within(env, (), lambda: self._block(statement.body))
                self._session = outside
            case "train":
                self._within(env, (), training)
            case "def":
                for symbol in bind_all("function"):
                    symbol.inside = env
                self._in_def += 1
                self._within(env, (), lambda: self._block(statement.body))
                self._in_def -= 1
            case _:
                bind_all("value")
                self._block(statement.body)

    def _value_statement(self, statement: t.Seed | t.GraphVersion | t.Loss | t.Return | t.ExpressionStatement) -> None:
        name = statement.name if isinstance(statement, (t.Return, t.ExpressionStatement)) else None
        is_return = isinstance(statement, t.Return)
        values = (*statement.values, *statement.after) if is_return else (statement.value,)
        if isinstance(name, t.ScopeName) and len(values) == 1 and isinstance(values[0], t.Call):
            self._call(values[0], name)
        else:
            self._each(values)
            self._part(name)

    def _variable(self, statement: t.Variable) -> None:
        self._each((statement.type, statement.value, *_values(statement.options), statement.node))
        known = None
        path = (*self._env.written(self._env.path), statement.target.id)
        if statement.shared and not self._in_def:
            known = self._graph.shared.get(path)
        made = self._bind(statement.target, "variable", statement, known=known)
        if statement.shared:
            made.is_variable = True
            self._graph.shared.setdefault(path, made)

    def _assign(self, statement: t.Assign) -> None:
        if isinstance(statement.name, t.ScopeName) and isinstance(statement.value, t.Call):
            self._call(statement.value, statement.name)
        else:
            self._each((statement.value, statement.name))
        for target in statement.targets:
            self._bind(target, "value", statement, again=uses(statement.value, target.id))

    def _step(self, statement: t.Optimize | t.ApplyGradients) -> None:
        if statement.target is not None:
            self._bind(statement.target, "step", statement)

    def _import(self, statement: t.Import) -> None:
        path, file = self._read(statement)
        self._found.imports.append(ImportedFile(statement, path, file))
        if statement.names is None:
            stem = path.rpartition("/")[2].removesuffix(".tfg")
            made = self._bind(statement.target or t.Identifier(path_place(statement), stem), "module", statement)
            made.inside = None if file is None else file.env
            return
        for name in statement.names:
            bound = None if file is None else file.env.member(((),), name.id)
            self._bind(name, "value", statement, known=None if bound is None else bound.value)

    def _scope(self, statement: t.Scope) -> None:
        home, target = self._env.home, statement.target
        before = next((one for one in home.scopes_in((home.path,), target.id) if one.inside is None), None)
        known = self._scopes.get(id(before)) if before is not None else None
        symbol = known or self._symbol(target.id, "scope", target.span, statement)
        self._mark(target.span, symbol, is_binding=True)
        made = self._open(target.id, target.span, symbol)
        self._within(home, made.path, lambda: self._block(statement.body))

    def _graph_block(self, statement: t.Graph) -> None:
        target = statement.target
        symbol = self._graph_symbols.setdefault(target.id, self._symbol(target.id, "graph", target.span, statement))
        self._mark(target.span, symbol, is_binding=True)
        env: SymbolNames = Names(parent=self._env)
        outside, self._graph = self._graph, _Graph(env)
        self._graphs[target.id] = self._graph
        self._within(env, (), lambda: self._block(statement.body))
        self._graph = outside

    def _def(self, statement: t.Def) -> None:
        symbol = self._bind(statement.target, "function", statement)
        env: SymbolNames = Names(parent=self._env)
        symbol.inside, symbol.parameters = env, {}
        for one in statement.parameters:
            self._part(one.default)
            place = name_place(one)
            made = self._symbol(one.name, "parameter", place, one)
            symbol.parameters |= {} if one.is_rest else {one.name: made}
            env.take(one.name, made, place)
            self._mark(place, made, is_binding=True)
        self._in_def += 1
        self._within(env, (), lambda: self._block(statement.body))
        self._in_def -= 1

    def _session_block(self, statement: t.Session) -> None:
        if statement.target is not None:
            made = self._symbol(statement.target.id, "session", statement.target.span, statement)
            self._mark(statement.target.span, made, is_binding=True)
        name = statement.graph.id if statement.graph is not None else ""
        if statement.graph is not None and name in self._graph_symbols:
            self._mark(statement.graph.span, self._graph_symbols[name])
        graph = self._graphs.get(name, self._graph)
        env: SymbolNames = Names(parent=graph.env)
        outside, self._session, self._graph = self._graph, env, graph
        self._within(env, (), lambda: self._block(statement.body))
        self._session, self._graph = None, outside

    def _session_statement(self, statement: t.SessionStatement) -> None:
        match statement:
            case t.Log():  # its strings are tags
                self._each((statement.tags, statement.feeds))
            case t.SimpleStatement():
                self._each_text(getattr(statement, name) for name in type(statement).__match_args__ if name != "span")
            case t.Bind():
                self._text(statement.value)
                self._part(statement.feeds)
                for target in statement.targets:
                    self._give(target, statement)
            case t.Evaluate():
                self._evaluate(statement)
            case t.Train():
                self._train(statement)
            case t.Every():
                self._part(statement.count)
                self._block(statement.body)
            case _:
                assert_never(statement)

    def _text(self, expr: t.ExprTree) -> None:
        """Mark the names in an expression, which may be a string that is filled in."""
        self._fields(expr)
        self._part(expr)

    def _each_text(self, parts: Iterable[t.Part]) -> None:
        """The same for parts of a statement, for several values in them, and for operands of conditions and sums."""
        for part in parts:
            match part:
                case t.Compare(operands=operands):
                    self._each_text(operands)
                case t.Boolean(left=left, right=right) | t.Binary(left=left, right=right):
                    self._each_text((left, right))
                case t.Unary(operand=operand):
                    self._each_text((operand,))
                case t.ExprTree():
                    self._text(part)
                case t.Valued(value=value):
                    self._each_text((value,))
                case tuple():
                    self._each_text(part)
                case _:
                    self._part(part)

    def _give(self, target: t.Identifier, statement: t.Statement) -> Symbol:
        """Bind a name of the session."""
        env = self._session if self._session is not None else self._env
        return self._within(env, (), lambda: self._bind(target, "value", statement, again=True))

    def _evaluate(self, statement: t.Evaluate) -> None:
        self._each(one.value for one in statement.values)
        self._each((statement.data, statement.size))
        inner: SymbolNames = Names(parent=self._env)
        if statement.batch is not None:
            self._within(inner, (), lambda: self._batch(statement.batch, statement, statement.data))
        self._within(inner, (), lambda: self._part(statement.feeds))
        fields: dict[str, Symbol] = {}
        for one in statement.values:
            name, known = one.target, self._meant(one.value)
            if name is not None:
                made = self._symbol(name.id, "column", name.span, statement)
                self._mark(name.span, made, is_binding=True)
                fields[name.id] = made
            elif known is not None:
                fields[known.name] = known
        for target in statement.targets:
            given = self._give(target, statement)
            given.fields = {**given.fields, **fields}

    def _meant(self, expr: t.Expr) -> Symbol | None:
        """The symbol that an expression names."""
        parts = [(expr.id, expr.span)] if isinstance(expr, t.Name) else _parts(expr)
        meaning = self._dotted(parts) if parts is not None else None
        return meaning if isinstance(meaning, Symbol) else None

    def _batch(self, target: t.Identifier | None, statement: t.Statement, data: t.Identifier | None) -> None:
        """Bind the batch of a training or an `evaluate`, which has the fields of its data."""
        if target is not None:
            made = self._bind(target, "batch", statement)
            rows = self._dotted(_words(data)) if data is not None else None
            made.fields = rows.fields if isinstance(rows, Symbol) else {}

    def _train(self, statement: t.Train) -> None:
        self._each((statement.count, statement.data, statement.batching, *_values(statement.options)))
        env: SymbolNames = Names(parent=self._env)

        def inside() -> None:
            self._batch(statement.target, statement, statement.data)
            self._block(statement.body)

        self._within(env, (), inside)


# --- places of names ------------------------------------------------------------------------------


def void(_: object) -> None:
    """Nothing, for an action whose result nobody needs."""


def _is_session(statement: t.Statement) -> bool:
    return isinstance(statement, t.Session) or (isinstance(statement, t.Broken) and statement.word == "session")


def _values(arguments: tuple[t.Argument, ...]) -> Iterable[t.Expr]:
    return (one.value for one in arguments)


def name_place(part: t.Argument | t.DefParameter | t.Stage | t.Attribute) -> Span:
    """The place of the name of a part of a tree: an attribute ends with it, the others begin with it."""
    words = list(WORD.finditer(part.span.text)) if isinstance(part, t.Attribute) else []
    found = words[-1] if words else WORD.search(part.span.text)
    if found is None:
        return part.span
    return Span(part.span.source, part.span.start + found.start(), part.span.start + found.end())


def path_place(statement: t.Import) -> Span:
    """The path or the library of an import."""
    text = statement.span.text
    at = text.find('"')
    start = at if at >= 0 else len(text) - len(text.split()[-1])
    return Span(statement.span.source, statement.span.start + start, statement.span.end)


def _words(target: t.Identifier) -> list[tuple[str, Span]]:
    """The parts of a dotted name, with their places."""
    span, names = target.span, target.id.split(".")
    places = [Span(span.source, span.start + m.start(), span.start + m.end()) for m in WORD.finditer(span.text)]
    return list(zip(names, places))


def _parts(expr: t.Expr) -> list[tuple[str, Span]] | None:
    """The parts of an expression that is a dotted name, with their places. None for other expressions."""
    made: list[tuple[str, Span]] = []
    while isinstance(expr, t.Attribute):
        made.append((expr.name, name_place(expr)))
        expr = expr.value
    if not made or not isinstance(expr, t.Name):
        return None
    return [(expr.id, expr.span), *reversed(made)]
