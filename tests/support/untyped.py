"""Finds uses of `Any` and `cast` of `typing` that have no reason beside them."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

_NAMES = {"Any", "cast"}
_IS_FOR_TOOLS = re.compile(r"# *(fmt|noqa|pragma|pyright|type):")


def unreasoned(text: str, tree: ast.Module) -> list[int]:
    """The lines of statements that use one, and have a comment neither on their lines nor on the line above. Of a
    statement with a body only the lines before it count. One comment stands for all such statements in adjacent
    lines."""
    names = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "typing"
        for alias in node.names
        if alias.name in _NAMES
    }
    if not names:
        return []
    comments = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and not _IS_FOR_TOOLS.match(token.string)
    }
    found: list[int] = []
    last_with_reason = -1
    for first, last in sorted(set(_uses(tree, names, (0, 0)))):
        if last_with_reason == first - 1 or not comments.isdisjoint(range(first - 1, last + 1)):
            last_with_reason = last
        else:
            found.append(first)
    return found


def _uses(node: ast.AST, names: set[str], lines: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """For each use, the first and the last line of its statement. `lines` are those of the statement around."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Name(id=name) if name in names:
                yield lines
            case ast.Constant(value=str() as text) if _is_type(text, names):
                yield lines
            case _:
                yield from _uses(child, names, _lines(child) if isinstance(child, ast.stmt) else lines)


def _lines(statement: ast.stmt) -> tuple[int, int]:
    """The lines of a statement, without those of its body."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    body: list[ast.stmt] = getattr(statement, "body", [])
    first = min(one.lineno for one in (statement, *decorators))
    last = max(body[0].lineno - 1, statement.lineno) if body else statement.end_lineno
    return first, last or first


def _is_type(text: str, names: set[str]) -> bool:
    """Whether a string is a type in quotation marks that uses one."""
    if not any(name in text for name in names):
        return False
    try:
        parsed = ast.parse(text, mode="eval")
    except SyntaxError:
        return False
    return any(isinstance(node, ast.Name) and node.id in names for node in ast.walk(parsed))
