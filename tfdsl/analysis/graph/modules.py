"""`import` and `from ... import`: other files, each analysed once, and the names they provide.

A path is relative to the importing file; `import nn` imports a library of the package. The declarations at the
top of an imported file belong to the program, with the file's name as prefix. So do its params and data, as in
`--set layers.rate=0.5`. Its sessions are left out.
"""

import os
from contextlib import contextmanager
from functools import cache
from typing import BinaryIO

from ...access import AccessRefused
from ...diagnostics import (
    FILE_MISSING,
    GRAPH_PLACE,
    IMPORT_CYCLE,
    IMPORT_DEEP,
    IMPORT_FAILED,
    IMPORT_LIBRARY,
    IMPORT_NAME,
    NO_MEMBER,
    TfgError,
)
from ...libraries import FOLDER, LIBRARIES
from ...record import replace
from ...source import Source
from ...syntax import tree as t
from ...syntax.parse import parse, parse_anyway
from ...syntax.read import read_open, reason_of
from ..context import Analysis, StatementFailed
from ..expressions.binding import bind
from ..values import Env, Namespace
from .primitives import primitives


def imported(ctx: Analysis, env: Env, statement: t.Import) -> None:
    """Bind the names of an import: the whole file under one name, or single names from it."""
    if ctx.calling or env is not ctx.env or env.path:
        ctx.fail(GRAPH_PLACE, statement.span, what="'import'", hint="it belongs to the top level of a file")
    stem = os.path.splitext(os.path.basename(statement.path))[0]
    target = statement.target
    if target is None and statement.names is None:
        if not stem.isidentifier():
            ctx.fail(IMPORT_NAME, statement.span, path=statement.path)
        target = t.Identifier(statement.span, stem)
    module = _module(ctx, stem, statement)
    if target is not None:
        bind(ctx, env, target, Namespace(module, ((),), target.id))
        return
    failed = False
    assert statement.names is not None  # the grammar requires one of the two
    for name in statement.names:
        binding = module.member(((),), name.id)
        if binding is None:
            failed = True
            if not ctx.is_doubtful(name.id):
                help = ctx.did_you_mean(name.id, module.members(((),)))
                ctx.report(NO_MEMBER, name.span, help=help, value=statement.path, name=name.id)
        else:
            bind(ctx, env, name, binding.value)
    if failed:
        raise StatementFailed(None)


def _opened(ctx: Analysis, statement: t.Import) -> tuple[str, BinaryIO]:
    """Open an imported file; return its path and the open file."""
    if statement.is_library:
        path = _library(ctx, statement)
        return path, open(path, "rb")
    path = os.path.normpath(os.path.join(ctx.folder, statement.path))
    if not path.endswith(".tfg"):  # errors in a file show its lines, so only .tfg files may be read
        match = ctx.access.similar(statement.path, ctx.folder, wanted=".tfg") or ""
        help = f"did you mean '{match}'?" if match.endswith(".tfg") else ""
        ctx.fail(IMPORT_FAILED, statement.span, help=help, path=statement.path, reason="its name does not end in .tfg")
    try:
        return path, ctx.access.reading(statement.path, ctx.folder)
    except AccessRefused as error:
        ctx.fail(error.message, statement.span, **error.details)
    except (OSError, ValueError) as error:  # ValueError: the path has a null character
        help, own = "", os.path.basename(statement.span.source.path)
        if isinstance(error, FileNotFoundError) and (match := ctx.access.similar(statement.path, ctx.folder, own)):
            help = f"did you mean '{match}'?"
        ctx.fail(IMPORT_FAILED, statement.span, help=help, path=statement.path, reason=reason_of(error))


def _library(ctx: Analysis, statement: t.Import) -> str:
    if statement.path not in LIBRARIES:
        help = ctx.did_you_mean(statement.path, LIBRARIES)
        if statement.path in ("tensorflow", "numpy", "keras", "torch", "pandas", "sklearn", "scipy", "math", "os"):
            help = "no import is needed: ops are called by their names, as in square(x); the layers are in: import nn"
        ctx.fail(IMPORT_LIBRARY, statement.span, help=help, name=statement.path, known=", ".join(LIBRARIES))
    return os.path.join(FOLDER, f"{statement.path}.tfg")


def _module(ctx: Analysis, stem: str, statement: t.Import) -> Env:
    """The names of a file, which is read and analysed at its first import."""
    path, file = _opened(ctx, statement)
    with file:
        return _analysed(ctx, path, file, stem, statement)


def _analysed(ctx: Analysis, path: str, file: BinaryIO, stem: str, statement: t.Import) -> Env:
    identity = ctx.access.identity(file)
    if identity in ctx.importing:
        chain = [*list(ctx.importing.values())[list(ctx.importing).index(identity) :], path]
        ctx.fail(IMPORT_CYCLE, statement.span, chain=" -> ".join(chain))
    if identity not in ctx.modules:
        if len(ctx.importing) > ctx.limits.imports:
            ctx.fail(IMPORT_DEEP, statement.span, limit=ctx.limits.imports)
        tree = _parsed(ctx, path, file, statement)
        ctx.allowed += ctx.limits.work_of(tree.span.source.text)
        ctx.modules[identity] = module = Env(
            parent=primitives(statement.span) if statement.is_library else None, importer=ctx.env
        )
        start = len(ctx.graph.bound)
        with _inside(ctx, tree, module, path, identity, stem), ctx.entering("imported", statement.span):
            ctx.begin(tree)
            ctx.block(module, tuple(s for s in tree.body if not isinstance(s, t.Session)))
        del ctx.graph.bound[start:]  # names that the importing file does not use are fine
    return ctx.modules[identity]


def _parsed(ctx: Analysis, path: str, file: BinaryIO, statement: t.Import) -> t.File:
    try:
        source = read_open(path, file, ctx.limits)
        if statement.is_library:
            return _library_tree(Source(f"<{statement.path}>", source.text, is_library=True))
        if ctx.texts is not None:
            ctx.texts[path] = source.text
        return parse_anyway(source, ctx.limits, ctx.clock)
    except TfgError as error:
        first = error.diagnostics[0]
        if first.message is FILE_MISSING:
            assert first.details is not None
            reason = first.details["reason"]
            ctx.fail(IMPORT_FAILED, statement.span, path=statement.path, reason=reason)
        chain = (*ctx.chain, ("imported", statement.span))
        for diagnostic in error.diagnostics:
            ctx.bag.add(replace(diagnostic, span=diagnostic.span or statement.span, chain=chain))
        raise StatementFailed(None) from None


@cache
def _library_tree(source: Source) -> t.File:
    """The tree of a library. Many programs of a process import the same one, and nodes are frozen."""
    return parse(source)


@contextmanager
def _inside(ctx: Analysis, tree: t.File, env: Env, path: str, identity: object, stem: str):
    """Analyse another file with its own folder, names and params."""
    outside = ctx.tree, ctx.env, ctx.folder, ctx.prefix, ctx.outside
    ctx.tree, ctx.env, ctx.folder = tree.body, env, os.path.dirname(path) or "."
    ctx.prefix, ctx.outside = f"{stem}.", None
    ctx.importing[identity] = path
    try:
        yield
    finally:
        del ctx.importing[identity]
        ctx.tree, ctx.env, ctx.folder, ctx.prefix, ctx.outside = outside
