"""Keeps the names of a program, by the rules of section 3 of the language.

A name is bound once. After a scope, its names stay visible without qualification. If two separate scopes bind the
same name, only the qualified names can be used. A `for` can rebind names from before the loop.
"""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from ..record import State, field, replace
from ..source import Span
from ..syntax import tree as t

Path = tuple[str, ...]
_Value = TypeVar("_Value")


class Binding(State, Generic[_Value]):
    """The value of a name. `first` and `latest` count the bindings at its first and last binding."""

    value: _Value
    span: Span
    path: Path
    first: int
    latest: int

    def qualified(self, name: str) -> str:
        return ".".join((*self.path, name))


class BoundTwice(Exception):
    """The name is already bound, by the given binding."""

    def __init__(self, binding: Binding[Any]):
        super().__init__()
        self.binding = binding


class Assumed(Exception):
    """The name was used as a name of the language, at the given place."""

    def __init__(self, span: Span):
        super().__init__()
        self.span = span


class Ambiguous(Exception):
    """Several scopes bind the name."""

    def __init__(self, bindings: list[Binding[Any]]):
        super().__init__()
        self.bindings = bindings


class _Loop(State):
    """A `for` that is being unrolled."""

    started: int  # number of bindings when the loop began
    turn: int  # and when its current iteration began


class Names(State, Generic[_Value]):
    """The names of a file, a function call or a `graph` block."""

    parent: "Names[_Value] | None" = None
    names: dict[str, list[Binding[_Value]]] = field(default_factory=dict)
    path: Path = ()
    scopes: dict[Path, Path] = field(default_factory=dict)  # the path of each scope, and how the program writes it
    loops: list[_Loop] = field(default_factory=list)
    count: int = 0
    caller: "Names[_Value] | None" = None  # of a function: the names visible at its call
    importer: "Names[_Value] | None" = None  # of a file: the file that imports it
    assumed: dict[str, Span] = field(default_factory=dict)  # names of the language that cannot be bound here any more

    def bind(self, name: str, value: _Value, span: Span) -> None:
        """Bind a name in the open scopes. Raises `BoundTwice` or `Assumed` if it cannot be bound."""
        if name in self.assumed:
            raise Assumed(self.assumed[name])
        self.count += 1
        bindings = self.names.setdefault(name, [])
        for binding in bindings:
            short, long = sorted((binding.path, self.path), key=len)
            if long[: len(short)] != short:
                continue
            if not self._may_rebind(binding):
                raise BoundTwice(binding)
            binding.value, binding.span, binding.latest = value, span, self.count
            return
        bindings.append(Binding(value, span, self.path, self.count, self.count))

    def rebind(self, name: str, value: _Value, span: Span) -> None:
        """Bind a name that may be bound already, outside all scopes."""
        self.count += 1
        self.names[name] = [Binding(value, span, (), self.count, self.count)]

    def _may_rebind(self, binding: Binding) -> bool:
        return any(binding.first <= loop.started or binding.latest <= loop.turn for loop in self.loops)

    def enclosing(self, name: str) -> Binding[_Value] | None:
        """The binding that a statement at this point would rebind."""
        for binding in self.names.get(name, ()):
            short, long = sorted((binding.path, self.path), key=len)
            if long[: len(short)] == short:
                return binding
        return None

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

    def snapshot(self) -> dict[str, list[Binding[_Value]]]:
        """A copy of all current bindings."""
        return {name: [replace(binding) for binding in bindings] for name, bindings in self.names.items()}

    def restore(self, names: dict[str, list[Binding[_Value]]]) -> None:
        """Go back to a snapshot."""
        self.names = {name: [replace(binding) for binding in bindings] for name, bindings in names.items()}

    def since(self, names: dict[str, list[Binding[_Value]]]) -> Iterator[tuple[str, Binding[_Value]]]:
        """The names bound or rebound since a snapshot."""
        for name, bindings in self.names.items():
            known = {binding.path: binding.latest for binding in names.get(name, ())}
            yield from ((name, binding) for binding in bindings if known.get(binding.path) != binding.latest)

    def binds(self, name: str) -> bool:
        """Whether a name is bound here or in an enclosing environment, in any scope."""
        return any(name in one.names for one in self.around())

    def knows(self, name: str) -> bool:
        """Whether a name or a scope can be found here."""
        return name in self.names or self.find_scope(name) is not None or bool(self.parent and self.parent.knows(name))

    def find(self, name: str) -> Binding[_Value] | None:
        """The binding of an unqualified name, or None. Raises `Ambiguous` if there are several."""
        bindings = self.names.get(name)
        if bindings:
            for binding in bindings:
                if self.path[: len(binding.path)] == binding.path:
                    return binding
            first = bindings[0].value
            # Scopes that share a variable agree on its name.
            is_one = getattr(first, "is_variable", False) and all(b.value is first for b in bindings)
            if len(bindings) > 1 and not is_one:
                raise Ambiguous(bindings)
            return bindings[0]
        return self.parent.find(name) if self.parent else None

    def member(self, path: Path, name: str) -> Binding[_Value] | None:
        """The binding of a qualified name, in the scope itself or in a later scope with the same name."""
        bindings = self.names.get(name, ())
        exact = (b for b in bindings if b.path == path)
        alike = (b for b in bindings if self.written(b.path) == self.written(path))
        return next(exact, None) or next(alike, None)

    def written(self, path: Path) -> Path:
        """The path of a scope as the program writes it. A scope opened twice has two paths and one name."""
        return self.scopes.get(path, path)

    def subscope(self, path: Path, name: str) -> Path | None:
        """The path of a scope inside another."""
        wanted = (*self.written(path), name)
        return next((inner for inner, written in self.scopes.items() if wanted in (inner, written)), None)

    def members(self, path: Path) -> set[str]:
        """The names and scopes in a scope, for suggestions."""
        own = self.written(path)
        names = {n for n, bindings in self.names.items() if any(self.written(b.path) == own for b in bindings)}
        return names | {written[-1] for written in self.scopes.values() if written[:-1] == own}

    def find_scope(self, name: str) -> "tuple[Names[_Value], Path] | None":
        """Find a scope by name, starting with the children of the open scopes."""
        for depth in range(len(self.path), -1, -1):
            path = (*self.path[:depth], name)
            if path in self.scopes:
                return self, path
        return self.parent.find_scope(name) if self.parent else None

    def open_scope(self, name: str) -> Path:
        """Open a scope and return the path to go back to. A second scope with the same name is `name_1`."""
        outside = self.path
        path, count = (*outside, name), 0
        while path in self.scopes:
            count += 1
            path = (*outside, f"{name}_{count}")
        self.scopes[path] = (*self.written(outside), name)
        self.path = path
        return outside

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
            case t.Param() | t.Data() | t.Placeholder() | t.Variable() | t.Optimize():
                yield from ((target, owner) for target in (statement.target,) if target)
            case t.Def() | t.Graph():
                if isinstance(statement, t.Def):
                    yield statement.target, owner
                yield from declared(statement.body, statement)
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
