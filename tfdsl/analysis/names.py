"""Keeps the names of a program, by the rules of sections 3 and 11 of the language.

A name is bound once, or again by an expression that uses it. After a scope, its names stay visible without
qualification. If two separate scopes bind the same name, only the qualified names can be used. A `for` can rebind
names from before the loop. Each scope also keeps the last value that it gave each name.
"""

import os
from collections.abc import Iterator, Mapping
from operator import eq
from typing import Any, Generic, TypeVar

from ..record import Record, State, field, replace
from ..source import Span
from ..syntax import tree as t

Path = tuple[str, ...]
_Value = TypeVar("_Value")
_FEW = 8  # bindings of one name that are looked at one by one


class Binding(State, Generic[_Value]):
    """The value of a name. `first` and `latest` count the bindings at its first and last binding."""

    value: _Value
    span: Span
    path: Path
    first: int
    latest: int

    def qualified(self, name: str) -> str:
        return ".".join((*self.path, name))


class _Places(State, Generic[_Value]):
    """The bindings of a name that many scopes bind. A binding never moves, except to a scope around it."""

    first_in: dict[Path, Binding[_Value]] = field(default_factory=dict)  # by scope: the first one in it, at any depth
    first_of: dict[Path, Binding[_Value]] = field(default_factory=dict)  # and the first one of the scope itself

    def add(self, binding: Binding[_Value]) -> None:
        for depth in range(len(binding.path) + 1):
            self.first_in.setdefault(binding.path[:depth], binding)
        self.place(binding)

    def place(self, binding: Binding[_Value]) -> None:
        known = self.first_of.setdefault(binding.path, binding)
        if binding.first < known.first:
            self.first_of[binding.path] = binding

    def around(self, path: Path) -> list[Binding[_Value]]:
        """The first binding of a scope, and of each scope around it."""
        of = self.first_of
        return [of[path[:depth]] for depth in range(len(path) + 1) if path[:depth] in of]

    def overlapping(self, path: Path) -> Binding[_Value] | None:
        """The first binding in a scope, around it or inside it."""
        inside = self.first_in.get(path)
        found = [*self.around(path), *([inside] if inside is not None else [])]
        return min(found, key=_first, default=None)


def _first(binding: Binding[Any]) -> int:  # of any value: what can change is no `Binding[object]`
    return binding.first


class Bound(Record, Generic[_Value]):
    """The last value that a scope gave a name."""

    value: _Value
    span: Span


class BoundTwice(Exception):
    """The name is already bound, by the given binding."""

    def __init__(self, binding: Binding[Any]):  # of any value: `except` cannot say of which
        super().__init__()
        self.binding = binding


class Assumed(Exception):
    """The name was used as a name of the language, at the given place."""

    def __init__(self, span: Span):
        super().__init__()
        self.span = span


class Ambiguous(Exception):
    """Several scopes bind the name, or are called so. `choices` has what it could mean, with the places."""

    def __init__(self, choices: dict[str, Span]):
        super().__init__()
        self.choices = choices


class _Loop(State):
    """A `for` that is being unrolled."""

    started: int  # number of bindings when the loop began
    turn: int  # and when its current iteration began


class Space(State, Generic[_Value]):
    """A `scope` block, or the scope that a call opens."""

    path: Path  # in its environment, by TensorFlow's names
    written: Path  # as the program writes it
    span: Span
    inside: "Names[_Value] | None" = None  # of a call: its names
    variables: dict[int, _Value] = field(default_factory=dict)  # all that it made, shared or took over, by node
    made: list[_Value] = field(default_factory=list)  # those of its `variable` statements, in their order

    def forget(self, first: int) -> None:
        """Forget the variables from node number `first` on."""
        self.variables = {node: one for node, one in self.variables.items() if node < first}
        self.made = [one for one in self.made if any(one is kept for kept in self.variables.values())]


class Names(State, Generic[_Value]):
    """The names of a file, a function call or a `graph` block."""

    parent: "Names[_Value] | None" = None
    names: dict[str, list[Binding[_Value]]] = field(default_factory=dict)
    last: dict[Path, dict[str, Bound[_Value]]] = field(default_factory=dict)  # by scope
    path: Path = ()
    scopes: dict[Path, Space[_Value]] = field(default_factory=dict)
    called: dict[str, tuple[Space[_Value], ...]] = field(default_factory=dict)  # the scopes by both their last names
    loops: list[_Loop] = field(default_factory=list)
    count: int = 0
    caller: "Names[_Value] | None" = None  # of a function: the names visible at its call
    importer: "Names[_Value] | None" = None  # of a file: the file that imports it
    around_it: "Names[_Value] | None" = None  # of a comprehension: the names around it, which get its scopes
    assumed: dict[str, Span] = field(default_factory=dict)  # names of the language that cannot be bound here any more
    places: dict[str, _Places[_Value]] = field(default_factory=dict)  # of the names with many bindings

    @property
    def home(self) -> "Names[_Value]":
        """The names that a scope opened here belongs to."""
        return self.around_it.home if self.around_it is not None else self

    def take(self, name: str, value: _Value, span: Span) -> None:
        """Bind a parameter of a function. It is no member of the scope of the call."""
        self.count += 1
        self.names[name] = [Binding(value, span, (), self.count, self.count)]

    def bind(self, name: str, value: _Value, span: Span, again: bool = False) -> None:
        """Bind a name in the open scopes, `again` if it may be bound already. Raises `BoundTwice` or `Assumed` if it
        cannot be bound."""
        if name in self.assumed:
            raise Assumed(self.assumed[name])
        bindings = self.names.setdefault(name, [])
        known = self.reached(name) if again else self.overlapping(name)
        if known is not None and not (again or self._may_rebind(known)):
            raise BoundTwice(known)
        self.count += 1
        self._keep(name, value, span)
        if known is None:
            made = Binding(value, span, self.path, self.count, self.count)
            bindings.append(made)
            if name in self.places:
                self.places[name].add(made)
            return
        known.value, known.span, known.latest = value, span, self.count
        self._move(name, known, self.path)

    def offer(self, values: Mapping[str, _Value], span: Span) -> None:
        """Bind those names that are not known here."""
        for name, value in values.items():
            if not self.knows(name):
                self.bind(name, value, span)

    def rebind(self, name: str, value: _Value, span: Span) -> None:
        """Bind a name that may be bound already, outside all scopes."""
        self.count += 1
        self.names[name] = [Binding(value, span, (), self.count, self.count)]
        self.places.pop(name, None)
        self.last.setdefault((), {})[name] = Bound(value, span)

    def change(self, name: str, binding: Binding[_Value], value: _Value, span: Span, path: Path | None = None) -> None:
        """Give a bound name another value, as a loop does, or a branch that binds it in the scope `path`."""
        self.count += 1
        binding.value, binding.span, binding.latest = value, span, self.count
        self._move(name, binding, self.path if path is None else path)
        self._keep(name, value, span)

    def _move(self, name: str, binding: Binding[_Value], path: Path) -> None:
        """Move a binding to the scope around its own one and another."""
        common = _common(binding.path, path)
        if common != binding.path:
            binding.path = common
            if name in self.places:
                self.places[name].place(binding)

    def _keep(self, name: str, value: _Value, span: Span) -> None:
        """Record the last value of a name in the open scope, and in those around it that have the name."""
        made = Bound(value, span)
        self.last.setdefault(self.path, {})[name] = made
        for depth in range(len(self.path)):
            around = self.last.get(self.path[:depth])
            if around is not None and name in around:
                around[name] = made

    def _may_rebind(self, binding: Binding) -> bool:
        return any(binding.first <= loop.started or binding.latest <= loop.turn for loop in self.loops)

    def overlapping(self, name: str, path: Path | None = None) -> Binding[_Value] | None:
        """The binding of a name in a scope, the open one unless `path` is given, in one around it or in one inside
        it."""
        at = self.path if path is None else path
        bindings = self.names.get(name, ())
        if len(bindings) > _FEW:
            return self._places_of(name).overlapping(at)
        for binding in bindings:
            if all(map(eq, binding.path, at)):  # one scope is around the other
                return binding
        return None

    def _places_of(self, name: str) -> _Places[_Value]:
        """The places of a name with many bindings."""
        known = self.places.get(name)
        if known is None:
            known = self.places[name] = _Places()
            for binding in self.names[name]:
                known.add(binding)
        return known

    def reached(self, name: str) -> Binding[_Value] | None:
        """The binding that an expression which uses the name binds again."""
        bindings = self.names.get(name, ())
        return bindings[0] if len(bindings) == 1 else self.overlapping(name)

    def around(self) -> "Iterator[Names[_Value]]":
        """This environment and the ones around it, up to the file's."""
        env: Names[_Value] | None = self
        while env is not None:
            yield env
            env = env.parent

    def bind_in(self, path: Path, name: str, value: _Value, span: Span) -> None:
        """Bind a name in a closed scope."""
        outside, self.path = self.path, path
        try:
            self.bind(name, value, span)
        finally:
            self.path = outside

    def snapshot(self) -> "Names[_Value]":
        """A copy of all current bindings and scopes."""
        names = {name: [replace(binding) for binding in bindings] for name, bindings in self.names.items()}
        last = {path: {**last} for path, last in self.last.items()}
        return Names(names=names, last=last, scopes={**self.scopes}, called={**self.called})

    def restore(self, names: "Names[_Value]") -> None:
        """Go back to a snapshot."""
        kept = names.snapshot()
        self.places = {}
        self.names, self.last, self.scopes, self.called = kept.names, kept.last, kept.scopes, kept.called

    def since(self, names: "Names[_Value]") -> Iterator[tuple[str, Binding[_Value]]]:
        """The names bound or rebound since a snapshot."""
        for name, bindings in self.names.items():
            known = {binding.path: binding.latest for binding in names.names.get(name, ())}
            yield from ((name, binding) for binding in bindings if known.get(binding.path) != binding.latest)

    def binds(self, name: str) -> bool:
        """Whether a name is bound here or in an enclosing environment, in any scope."""
        return any(name in one.names for one in self.around())

    def knows(self, name: str) -> bool:
        """Whether a name or a scope can be found here."""
        return any(name in one.names or name in one.called for one in self.around())

    def find(self, name: str) -> Binding[_Value] | None:
        """The binding of an unqualified name, or None. Raises `Ambiguous` if there are several."""
        bindings = self.names.get(name)
        if bindings:
            if len(bindings) > _FEW:
                around = min(self._places_of(name).around(self.path), key=_first, default=None)
                if around is not None:
                    return around
            else:
                for binding in bindings:
                    if self.path[: len(binding.path)] == binding.path:
                        return binding
            first = bindings[0].value
            # Scopes that share a variable agree on its name.
            is_one = getattr(first, "is_variable", False) and all(b.value is first for b in bindings)
            if len(bindings) > 1 and not is_one:
                raise Ambiguous({binding.qualified(name): binding.span for binding in bindings})
            return bindings[0]
        return self.parent.find(name) if self.parent else None

    def single(self, name: str) -> Binding[_Value] | None:
        """Like `find`, but None if there are several: where the name is used, that is an error."""
        try:
            return self.find(name)
        except Ambiguous:
            return None

    # --- scopes -----------------------------------------------------------------------------

    def open_scope(self, name: str, unique: str, span: Span, inside: "Names[_Value] | None" = None) -> Space[_Value]:
        """Open a new scope in the current one. `unique` is its name in TensorFlow. `inside` has the names of a call;
        several calls of one function are numbered, as TensorFlow numbers them."""
        around, number = self.written(self.path), 0
        last = name
        while inside is not None and any(one.written == (*around, last) for one in self.called.get(last, ())):
            number += 1
            last = f"{name}_{number}"
        made = Space((*self.path, unique), (*around, last), span, inside)
        self.scopes[made.path] = made
        for one in {unique, last}:
            self.called[one] = (*self.called.get(one, ()), made)
        return made

    def scopes_in(self, paths: tuple[Path, ...], name: str) -> list[Space[_Value]]:
        """The scopes of a name in others: the call with TensorFlow's name, or all blocks that the program calls so."""
        found = self.called.get(name, ())
        exact = [one for one in found if one.path[-1] == name and one.path[:-1] in paths]
        if exact and exact[0].inside is not None:
            return exact[:1]
        around = [self.written(path) for path in paths]
        return [one for one in found if one.written[-1] == name and one.written[:-1] in around] or exact

    def find_scopes(self, name: str) -> "tuple[Names[_Value], list[Space[_Value]]] | None":
        """The scopes of an unqualified name, and whose they are. Raises `Ambiguous` if these are several."""
        called = self.called.get(name)
        for depth in range(len(self.path), -1, -1) if called else ():
            found = self.scopes_in((self.path[:depth],), name)
            if found:
                return self, found
        if called:
            exact = [one for one in called if one.path[-1] == name] or list(called)
            if len({one.written for one in exact}) > 1:
                raise Ambiguous({".".join(one.written): one.span for one in exact})
            return self, exact
        return self.parent.find_scopes(name) if self.parent else None

    def member(self, paths: tuple[Path, ...], name: str) -> Bound[_Value] | None:
        """The last value of a name in a scope, or in the first of several blocks that has one."""
        return next((self.last[path][name] for path in paths if name in self.last.get(path, ())), None)

    def members(self, paths: tuple[Path, ...]) -> set[str]:
        """The names and scopes in a scope, for suggestions."""
        names = {name for path in paths for name in self.last.get(path, ())}
        return names | {one.path[-1] for one in self.scopes.values() if one.path[:-1] in paths}

    def written(self, path: Path) -> Path:
        """The path of a scope as the program writes it. A block opened twice has two paths and one name."""
        return self.scopes[path].written if path in self.scopes else path

    def begin_loop(self) -> None:
        self.loops.append(_Loop(self.count, self.count))

    def next_turn(self) -> None:
        self.loops[-1].turn = self.count

    def end_loop(self) -> None:
        self.loops.pop()

    def visible(self) -> set[str]:
        """All names that the program could mean here, for suggestions."""
        own = set(self.names) | {".".join(path) for path in self.scopes}
        return own | self.parent.visible() if self.parent else own


def _common(one: Path, other: Path) -> Path:
    """The scopes that are around both."""
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    return one[:at]


def declared(
    block: t.Block, owner: t.Def | t.Graph | t.While | None = None
) -> Iterator[tuple[t.Identifier, t.Def | t.Graph | t.While | None]]:
    """Every name that a block binds at any depth, with its owner: a function, graph or loop.

    A `while` can rebind earlier names, so those are listed with the loop as owner too.
    """
    for statement in block:
        match statement:
            case t.Assign(targets=targets):
                yield from ((target, owner) for target in targets)
            case t.Param() | t.Data() | t.Placeholder() | t.Variable() | t.Optimize() | t.ApplyGradients():
                yield from ((target, owner) for target in (statement.target,) if target)
            case t.Def() | t.Graph():
                if isinstance(statement, t.Def):
                    yield statement.target, owner
                yield from declared(statement.body, statement)
            case t.GraphFunction():
                yield statement.target, owner
            case t.Scope() | t.After() | t.Device() | t.Container():
                yield from declared(statement.body, owner)
            case t.While():
                yield from declared(statement.body, owner or statement)
            case t.For(targets=targets, body=body):
                yield from ((target, owner) for target in targets)
                yield from declared(body, owner)
            case t.If(branches=branches):
                for _, body in branches:
                    yield from declared(body, owner)
            case t.Broken(word=word, targets=targets, body=body) if word != "train":  # its names are known only inside
                yield from ((target, owner) for target in targets)
                if word not in ("def", "graph", "scope", "session"):
                    yield from declared(body, owner)


def uses(part: t.Part, name: str) -> bool:
    """Whether an expression uses a name of the program. The names of its comprehensions are their own."""
    todo: list[t.Part] = [part]
    while todo:
        match todo.pop():
            case t.Name(id=id):
                if id == name:
                    return True
            case t.Comprehension(element=element, clauses=clauses):
                for clause in clauses:
                    todo.append(clause.iterable)
                    if any(target.id == name for target in clause.targets):
                        break
                    todo += clause.conditions
                else:
                    todo.append(element)
            case t.Tree() as node:
                todo += [getattr(node, field) for field in type(node).__match_args__ if field != "span"]
            case tuple() as parts:
                todo += parts
            case _:
                pass
    return False


def rebinding(block: t.Block) -> Iterator[str]:
    """The names that assignments of a block bind by expressions that use them, at any depth."""
    for statement in block:
        match statement:
            case t.Assign(targets=targets, value=value):
                yield from (target.id for target in targets if uses(value, target.id))
            case t.Broken(targets=targets, body=body):
                yield from (target.id for target in targets)
                yield from rebinding(body)
            case t.Scope() | t.After() | t.Device() | t.Container() | t.While() | t.For():
                yield from rebinding(statement.body)
            case t.If(branches=branches):
                for _, body in branches:
                    yield from rebinding(body)


def names_of_import(statement: t.Import) -> list[str]:
    """The names that an import binds."""
    if statement.names is not None:
        return [name.id for name in statement.names]
    return [statement.target.id if statement.target else os.path.splitext(os.path.basename(statement.path))[0]]
