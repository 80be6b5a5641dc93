"""`import` and `from ... import`: other files, analysed once each, and the names that they give.

A file is found relative to the one that imports it; `import nn` is a library that comes with the package. What
an imported file declares at its top belongs to the program as if it stood there, under names of its own; its
params and data are called after the file, as in `--set layers.rate=0.5`. Its sessions are left out.
"""

import os
from contextlib import contextmanager
from dataclasses import replace

from ..diagnostics import (
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
from ..source import Source
from ..suggest import did_you_mean
from ..syntax import tree as t
from ..syntax.parse import parse
from ..syntax.read import read
from .context import Abandoned, Analysis
from .names import Env
from .statements import bind, block
from .values import Namespace

_LIBRARIES = os.path.join(os.path.dirname(os.path.dirname(__file__)), "nn")


def imported(ctx: Analysis, env: Env, statement: t.Import) -> None:
    """Bind what an import gives: the file under one name, or names out of it."""
    if ctx.calling or env is not ctx.env or env.path:
        ctx.fail(GRAPH_PLACE, statement.span, what="'import'", hint="it stands at the top of a file")
    stem = os.path.splitext(os.path.basename(statement.path))[0]
    target = statement.target
    if target is None and statement.names is None:
        if not stem.isidentifier():
            ctx.fail(IMPORT_NAME, statement.span, path=statement.path)
        target = t.Identifier(statement.span, stem)
    module = _module(ctx, _found(ctx, statement), stem, statement)
    if target is not None:
        bind(ctx, env, target, Namespace(module, (), target.id))
        return
    failed = False
    for name in statement.names:
        binding = module.member((), name.id)
        if binding is None:
            failed = True
            help = did_you_mean(name.id, module.members(()))
            ctx.report(NO_MEMBER, name.span, help=help, value=statement.path, name=name.id)
        else:
            bind(ctx, env, name, binding.value)
    if failed:
        raise Abandoned(None)


def _found(ctx: Analysis, statement: t.Import) -> str:
    """The path of the file."""
    if not statement.is_library:
        return os.path.normpath(os.path.join(ctx.folder, statement.path))
    path = os.path.join(_LIBRARIES, f"{statement.path}.tfg")
    if not os.path.exists(path):
        known = sorted(name.removesuffix(".tfg") for name in os.listdir(_LIBRARIES) if name.endswith(".tfg"))
        help = did_you_mean(statement.path, known)
        ctx.fail(IMPORT_LIBRARY, statement.span, help=help, name=statement.path, known=", ".join(known))
    return path


def _module(ctx: Analysis, path: str, stem: str, statement: t.Import) -> Env:
    """The names of a file, which is read and analysed when it is imported first."""
    identity = _identity(path)
    if identity in ctx.importing:
        chain = [*list(ctx.importing.values())[list(ctx.importing).index(identity) :], path]
        ctx.fail(IMPORT_CYCLE, statement.span, chain=" -> ".join(chain))
    if identity not in ctx.modules:
        if len(ctx.importing) > ctx.limits.imports:
            ctx.fail(IMPORT_DEEP, statement.span, limit=ctx.limits.imports)
        tree = _parsed(ctx, path, statement)
        ctx.allowed += ctx.limits.work_of(tree.span.source.text)
        ctx.modules[identity] = module = Env()
        start = len(ctx.graph.bound)
        with _inside(ctx, tree, module, path, identity, stem), ctx.entering("imported", statement.span):
            block(ctx, module, tuple(s for s in tree.body if not isinstance(s, t.Session)))
        del ctx.graph.bound[start:]  # what the importing file does not need of another is no slip
    return ctx.modules[identity]


def _identity(path: str) -> str:
    """A path without links; one that no file can have, as reading it will say, is as it is."""
    try:
        return os.path.realpath(path)
    except ValueError:
        return path


def _parsed(ctx: Analysis, path: str, statement: t.Import) -> t.File:
    try:
        source = read(path, ctx.limits)
        source = Source(f"<{statement.path}>", source.text) if statement.is_library else source
        return parse(source, ctx.limits, ctx.clock)
    except TfgError as error:
        first = error.diagnostics[0]
        if first.message is FILE_MISSING:
            reason = first.details["reason"]
            ctx.fail(IMPORT_FAILED, statement.span, help=_similar(path), path=statement.path, reason=reason)
        chain = (*ctx.chain, ("imported", statement.span))
        for diagnostic in error.diagnostics:
            ctx.bag.add(replace(diagnostic, span=diagnostic.span or statement.span, chain=chain))
        raise Abandoned(None) from None


def _similar(path: str) -> str:
    """The file that may have been meant."""
    folder, name = os.path.split(path)
    try:
        known = [other for other in os.listdir(folder or ".") if other.endswith(".tfg")]
    except (OSError, ValueError):
        return ""
    return did_you_mean(name, known)


@contextmanager
def _inside(ctx: Analysis, tree: t.File, env: Env, path: str, identity: str, stem: str):
    """Analyse another file: its folder, its names, its params."""
    outside = ctx.tree, ctx.env, ctx.folder, ctx.prefix, ctx.outside
    ctx.tree, ctx.env, ctx.folder = tree.body, env, os.path.dirname(path) or "."
    ctx.prefix, ctx.outside = f"{stem}.", None
    ctx.importing[identity] = path
    try:
        yield
    finally:
        del ctx.importing[identity]
        ctx.tree, ctx.env, ctx.folder, ctx.prefix, ctx.outside = outside
