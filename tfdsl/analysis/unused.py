"""Names that nothing mentions and that are no nodes: params, data, functions, imports, and values of the compiler.

Input: the tree of a program with sessions, for others may import one without. Output: a warning for each.
"""

import re
from collections.abc import Collection, Iterator

from ..diagnostics import UNUSED, Diagnostic
from ..source import Span
from ..syntax import tree as t
from .training import NAME


def unused(tree: t.File, known: Collection[Span]) -> Iterator[Diagnostic]:
    """Warnings for the names of a file; `known` are the places of those that are nodes."""
    names = {target.span: target for target in _values(tree.body) if target.span not in known}
    imported = {target.span: target for target in _imported(tree)}
    mentioned = _mentioned(tree) if names or imported else set()
    for span, target in {**names, **imported}.items():
        if target.id not in mentioned and not target.id.startswith("_"):
            help = "use it, or remove the import" if span in imported else ""
            yield Diagnostic(UNUSED, span, {"name": target.id}, help=help)


def _values(block: t.Block) -> Iterator[t.Identifier]:
    """The names of a file and its graphs that may stand for something else than nodes; layers look for `training`."""
    for statement in block:
        match statement:
            case t.Assign(targets=targets):
                yield from (target for target in targets if target.id != NAME)
            case t.Param(target=target) | t.Data(target=target) | t.Def(target=target):
                yield target
            case t.Graph(body=body) | t.Scope(body=body) | t.After(body=body) | t.Device(body=body):
                yield from _values(body)


def _imported(tree: t.File) -> Iterator[t.Identifier]:
    """The names of a file's imports. A file that is imported as a whole may be there for what it adds to the graph."""
    for statement in tree.body:
        match statement:
            case t.Import(names=tuple() as names):
                yield from names
            case t.Import(is_library=True):
                yield statement.target or t.Identifier(statement.span, statement.path)


def _mentioned(tree: t.File) -> set[str]:
    """Every name of a file but those in the places where names are bound."""
    found: set[str] = set()
    todo: list[object] = [tree]
    while todo:
        match todo.pop():
            case t.Name(id=name) | t.Attribute(name=name) as node:
                found.add(name)
                todo += [node.value] if isinstance(node, t.Attribute) else []
            case t.Constant(value=str() as text):
                found.update(re.findall(r"\w+", text))
            case t.Identifier(id=name):
                found.update(name.split("."))
            case t.Assign(value=value) | t.Param(value=value):
                todo.append(value)
            case t.Data(stages=stages):
                todo += stages
            case t.Def(parameters=parameters, body=body):
                todo += [*parameters, *body]
            case t.Import():
                pass
            case tuple() as parts:
                todo += parts
            case t.Tree() as node:
                todo += [getattr(node, name) for name in type(node).__match_args__ if name != "span"]
    return found
