"""Finds names of ops as strings outside `ops/`: facts about an op that are not on its row.

    python tests/support/op_names.py

prints each place and the number of places. Texts are left out: docstrings, f-strings, arguments of messages, and keys
of help texts. Some names are also ordinary words. Those count only where they stand for an op: compared with `node.op`
or an op's name, looked up in the table, or listed beside unambiguous names.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tfdsl.ops import OPS
from tfdsl.program import CARRIED, COND, INDEX, OPTIMIZE, PLACEHOLDER, SHARED, SUMMARY, VARIABLE, WHILE

PACKAGE = Path(__file__).resolve().parents[2] / "tfdsl"
OTHER_NODES = {CARRIED, COND, INDEX, OPTIMIZE, PLACEHOLDER, SHARED, SUMMARY, VARIABLE, WHILE}
HOMONYMS = {
    "add": "a reduction of ONNX",
    "complex": "a kind of dtypes",
    "constant": "a limit of the compiler, and a kind of item in pictures",
    "fill": "a transform of data",
    "gradients": "a key of JSON, and a scope",
    "identity": "what a checkpoint is compared by",
    "log": "a statement",
    "one_hot": "a transform of data",
    "real": "a class of dtypes",
    "reverse": "a method of gradients",
    "shape": "a member of tensors, a kind of parameter, an attribute of ops of raw",
    "size": "a way to place variables, and the size of a file",
    "split": "a transform of data",
    **dict.fromkeys(OTHER_NODES, "a word of the language"),
    "where": "a transform of data",
}
_NAMES = set(OPS) | OTHER_NODES
# Other texts name no op, and need not be parsed.
MENTION = re.compile(rf"""["'](?:{"|".join(map(re.escape, sorted(_NAMES)))})["']|\bstartswith\(""")
# Nodes without strings below them.
_EMPTY = (ast.Name, ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.alias)
_MESSAGES = {"fail", "report", "Diagnostic", "Note", "failure", "warn"}
_MAKERS = {"add", "of", "Node", "call_op", "get"}


def found(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a module that name an op as a string, with the name."""
    yield from named(ast.parse(text))


def named(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The same, of a parsed module."""
    yield from sorted(set(_in(tree)))


def _in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    match tree:
        case ast.JoinedStr():
            return
        case ast.Expr(value=ast.Constant()):  # a docstring
            return
        case ast.Call(func=function, args=args, keywords=keywords) if _called(function) in _MESSAGES:
            for value in (*args, *(keyword.value for keyword in keywords)):
                if isinstance(value, ast.IfExp):
                    yield from _in(value.test)
                elif not isinstance(value, ast.Constant):
                    yield from _in(value)
            return
        case ast.Call(func=ast.Attribute(value=value, attr="startswith"), args=[ast.Constant(value=str() as start)]):
            if _is_op(value) and any(name.startswith(start) for name in _NAMES):
                yield tree.lineno, start
            return
        case ast.Call(func=function, args=args) if _called(function) in _MAKERS:
            yield from (one for arg in args for one in _named(arg, is_op=True))
        case ast.Compare(left=left, comparators=[right]):
            is_op = _is_op(left) or _is_op(right)
            yield from (one for side in (left, right) for one in _named(side, is_op))
        case ast.Subscript(value=ast.Name(id="OPS"), slice=key):
            yield from _named(key, is_op=True)
        case ast.MatchClass(kwd_attrs=attributes, kwd_patterns=patterns):
            for attribute, pattern in zip(attributes, patterns, strict=True):
                if attribute == "op" and isinstance(pattern, ast.MatchValue):
                    yield from _named(pattern.value, is_op=True)
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            yield from _listed([key for key, value in pairs if key is not None and not _is_text(value)])
            yield from _listed(values)
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            yield from _listed(items)
        case ast.Constant():
            yield from _named(tree, is_op=False)
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, _EMPTY) and not (isinstance(tree, ast.Dict) and isinstance(child, ast.Constant)):
            yield from _in(child)


def _named(node: ast.AST, is_op: bool) -> Iterator[tuple[int, str]]:
    """The op that a string names, if it must be one or is unambiguous. Each op, if there are several."""
    match node:
        case ast.Constant(value=str() as name) if name in _NAMES and (is_op or name not in HOMONYMS):
            yield node.lineno, name
        case ast.Tuple(elts=items) | ast.List(elts=items) | ast.Set(elts=items):
            for item in items:
                yield from _named(item, is_op)


def _listed(items: list[ast.expr]) -> Iterator[tuple[int, str]]:
    """The ops in a list, if one of the names is unambiguous."""
    is_of_ops = any(True for item in items for _ in _named(item, is_op=False))
    for item in items:
        if isinstance(item, ast.Constant):
            yield from _named(item, is_of_ops)


def _is_op(node: ast.AST) -> bool:
    """`node.op`, or the `name` of something that is called an op."""
    match node:
        case ast.Attribute(attr="op"):
            return True
        case ast.Attribute(attr="name", value=ast.Name(id=owner) | ast.Attribute(attr=owner)):
            return owner in ("op", "row", "function")
        case ast.Name(id="op"):
            return True
    return False


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and not node.value.isidentifier()


def _called(function: ast.AST) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def places() -> list[str]:
    """`tfdsl/draw/picture.py:28: gradients`, for each."""
    result = []
    for path in sorted(PACKAGE.rglob("*.py")):
        if "ops" not in path.relative_to(PACKAGE).parts[:1]:
            name = path.relative_to(PACKAGE.parent)
            result += [f"{name}:{line}: {op}" for line, op in found(path.read_text(encoding="utf-8"))]
    return result


if __name__ == "__main__":
    listed = places()
    print(*listed, f"{len(listed)} names of ops as strings outside ops/", sep="\n")
    sys.exit(1 if listed else 0)
