"""Finds unused names that are not nodes: params, data, functions, imports and compile-time values.

Input: the tree of a program with sessions; a file without sessions may be imported by others. Output: a warning
for each name.
"""

import re
from collections.abc import Collection, Iterator
from typing import Any

from ...diagnostics import UNUSED, Diagnostic
from ...source import Span
from ...syntax import tree as t
from ...syntax.hints import code_of, seed_statement
from ..calls.training import NAME


def unused(tree: t.File, known: Collection[Span]) -> Iterator[Diagnostic]:
    """Warnings for the unused names of a file. `known` has the places of names that are nodes."""
    names = {target.span: target for target in _values(tree.body) if target.span not in known}
    imported = {target.span: target for target in _imported(tree)}
    targets = {span: target for span, target in {**names, **imported}.items() if not target.id.startswith("_")}
    unmentioned = _unmentioned(tree, {target.id for target in targets.values()})
    is_seeded = any(isinstance(one, t.Seed) for one in tree.body)
    for span, target in targets.items():
        if target.id in unmentioned:
            help = "use it, or remove the import" if span in imported else ""
            if not is_seeded:
                help = help or seed_statement(code_of(span.source.line_text(span.line)).strip())
            yield Diagnostic(UNUSED, span, {"name": target.id}, help=help)


def _values(block: t.Block) -> Iterator[t.Identifier]:
    """The names of a file and its graphs that may stand for values other than nodes. Layers read `training`."""
    for statement in block:
        match statement:
            case t.Assign(targets=targets):
                yield from (target for target in targets if target.id != NAME)
            case t.Param(target=target) | t.Data(target=target) | t.Def(target=target):
                yield target
            case t.Session(body=body):
                yield from _given(body)
            case t.Graph() | t.Scope() | t.After() | t.Device() | t.Container():
                yield from _values(statement.body)


def _given(block: t.Block, trains: bool = False) -> Iterator[t.Identifier]:
    """The names to which a session gives values, except by `evaluate` in a training: these are in the record of the
    run, and tell `tfdsl tune` which trials to end."""
    for statement in block:
        match statement:
            case t.Evaluate() if trains:
                pass
            case t.Bind(targets=targets) | t.Evaluate(targets=targets):
                yield from targets
            case t.Train(body=body) | t.Every(body=body) | t.For(body=body):
                yield from _given(body, trains or isinstance(statement, t.Train))
            case t.If(branches=branches):
                for _, body in branches:
                    yield from _given(body, trains)


def _imported(tree: t.File) -> Iterator[t.Identifier]:
    """The names of a file's imports. A file imported as a whole may be needed for the nodes that it adds."""
    for statement in tree.body:
        match statement:
            case t.Import(names=tuple() as names):
                yield from names
            case t.Import(is_library=True):
                yield statement.target or t.Identifier(statement.span, statement.path)


class _NamingFields(dict[type, tuple[str, ...]]):
    """The fields of each kind of node that can mention names, which those that bind names do not."""

    def __missing__(self, kind: type) -> tuple[str, ...]:
        all = kind.__match_args__ if issubclass(kind, t.Tree) else ()
        self[kind] = made = tuple(name for name in all if name != "span")
        return made


_FIELDS = _NamingFields({
    t.Import: (), t.Attribute: ("value",), t.Assign: ("value",),
    t.Param: ("value",), t.Data: ("stages",), t.Def: ("parameters", "body"), t.Bind: ("value", "feeds"),
    t.Evaluate: ("values", "data", "feeds"),
})  # fmt: skip


def _unmentioned(tree: t.File, names: set[str]) -> set[str]:
    """Those of some names that a file does not have outside the places that bind names."""
    rest = set(names)
    todo: list[Any] = [tree]  # its parts: trees, tuples of them, and plain values
    while todo and rest:
        part = todo.pop()
        kind = type(part)
        if kind is tuple:
            todo += part
        elif kind is t.Name:
            rest.discard(part.id)
        elif kind is t.Identifier:
            rest.difference_update(part.id.split("."))
        elif kind is t.Constant:
            if isinstance(part.value, str):
                rest.difference_update(re.findall(r"\w+", part.value))
        else:
            if kind is t.Attribute:
                rest.discard(part.name)
            todo += [getattr(part, name) for name in _FIELDS[kind]]
    return rest
