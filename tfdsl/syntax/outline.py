"""A tree as indented text, one node a line: what `tfdsl dump --stage tree` prints."""

import dataclasses

from ..diagnostics import TOO_DEEP, Diagnostic, TfgError
from .tree import Tree


def outline(tree: Tree) -> str:
    """The text of a tree; each line has the node's class, its plain fields, and line and column."""
    lines: list[str] = []
    try:
        _node(tree, "", 0, lines)
    except RecursionError:
        raise TfgError([Diagnostic(TOO_DEEP, tree.span, {"limit": 100})]) from None
    return "".join(line + "\n" for line in lines)


def _node(node: Tree, label: str, depth: int, lines: list[str]) -> None:
    plain, children = [], []
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        if field.name == "span":
            continue
        if isinstance(value, Tree) or (isinstance(value, tuple) and value and not isinstance(value[0], str)):
            children.append((field.name, value))
        elif value not in ((), None) or (field.name == "value" and type(node).__name__ == "Constant"):
            plain.append(f"{field.name}={value!r}")
    line, column = node.span.source.position(node.span.start)
    head = f"{label}: " if label else ""
    lines.append("  " * depth + " ".join([f"{head}{type(node).__name__}", *plain, f"@{line}:{column}"]))
    for name, child in children:
        _child(child, name, depth + 1, lines)


def _child(child: object, name: str, depth: int, lines: list[str]) -> None:
    if isinstance(child, Tree):
        _node(child, name, depth, lines)
    elif isinstance(child, tuple):
        lines.append("  " * depth + f"{name}:")
        for item in child:
            _child(item, "", depth + 1, lines)
    else:
        lines.append("  " * depth + repr(child))
