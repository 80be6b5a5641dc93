"""Prints a tree as indented text, one node per line, for `tfdsl dump --stage tree`."""

import dataclasses

from ..diagnostics import TOO_DEEP, Diagnostic, TfgError
from .tree import Part, Tree

_Parts = list[tuple[Part, str]]  # with their labels

_MAX_DEPTH = 10_000  # of a node: its line begins with twice as many spaces


def outline(tree: Tree) -> str:
    """The text of a tree. Each line has the node's class, its plain fields, and its line and column."""
    lines: list[str] = []
    todo: list[tuple[Part, str, int]] = [(tree, "", 0)]
    while todo:
        part, label, depth = todo.pop()
        if depth > _MAX_DEPTH:
            raise TfgError([Diagnostic(TOO_DEEP, tree.span, {"limit": _MAX_DEPTH})])
        if isinstance(part, Tree):
            text, children = _node(part, label)
        elif isinstance(part, tuple):
            text, children = f"{label}:", [(item, "") for item in part]
        else:
            text, children = repr(part), []
        lines.append("  " * depth + text)
        todo += [(child, name, depth + 1) for child, name in reversed(children)]
    return "".join(line + "\n" for line in lines)


def _node(node: Tree, label: str) -> tuple[str, _Parts]:
    """The line of a node, and its parts with their labels."""
    plain: list[str] = []
    children: _Parts = []
    for field in dataclasses.fields(node):
        value: Part = getattr(node, field.name)
        if field.name == "span":
            continue
        if isinstance(value, Tree) or (isinstance(value, tuple) and value and not isinstance(value[0], str)):
            children.append((value, field.name))
        elif value not in ((), None) or (field.name == "value" and type(node).__name__ == "Constant"):
            plain.append(f"{field.name}={value!r}")
    line, column = node.span.source.position(node.span.start)
    head = f"{label}: " if label else ""
    return " ".join([f"{head}{type(node).__name__}", *plain, f"@{line}:{column}"]), children
