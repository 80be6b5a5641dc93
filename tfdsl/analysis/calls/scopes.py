"""Scopes as namespaces: what their dotted names mean, and the variables that they stand for."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from ...diagnostics import (
    AMBIGUOUS,
    LISTED_KIND,
    LISTED_NAME,
    LISTED_NONE,
    REUSE_DISAGREES,
    REUSE_UNKNOWN,
    SCOPE_EMPTY,
    SCOPE_TAKEN,
    Note,
)
from ...source import Span
from ...syntax import tree as t
from ...types import TensorType
from ..context import Analysis, StatementFailed
from ..names import Ambiguous, Path, Space
from ..values import Env, ExprValue, Function, Lister, Namespace, Tensor, describe
from .arguments import ArgumentValue, assign_arguments

LISTERS = {one.name: one for one in (Lister("variables", False), Lister("trainable_variables", True))}
_SOME = 8  # maximum number of names in a message


def ambiguous(ctx: Analysis, name: str, error: Ambiguous, span: Span) -> NoReturn:
    """Refuse a bare name that several scopes bind or have."""
    if ctx.is_partial:
        raise StatementFailed(None)
    some = list(error.choices.items())[:_SOME]
    notes = tuple(Note(f"{one} is from line {{line}}", there) for one, there in some)
    names = [one for one, _ in some] + (["..."] if len(error.choices) > _SOME else [])
    ctx.fail(AMBIGUOUS, span, notes, name=name, names=" or ".join(names), first=names[0])


def space(env: Env, scopes: list[Space[ExprValue]], name: str) -> Namespace:
    """The names of scopes: blocks of one name, whose names `env` has, or a call."""
    inside = scopes[0].inside
    paths: tuple[Path, ...] = ((),) if inside is not None else tuple(one.path for one in scopes)
    return Namespace(env if inside is None else inside, paths, name, tuple(scopes))


def inner_space(outer: Namespace, name: str) -> Namespace | None:
    """A scope in another."""
    found = outer.env.scopes_in(outer.paths, name)
    return space(outer.env, found, f"{outer.name}.{name}") if found else None


def space_of(ctx: Analysis, env: Env, expr: t.Expr) -> Namespace | None:
    """The scope or the imported file that an expression names. A value of the name does not count."""
    inner: list[str] = []
    while isinstance(expr, t.Attribute):
        inner.append(expr.name)
        expr = expr.value
    if not isinstance(expr, t.Name):
        return None
    found = scopes_of(ctx, env, expr)
    if found is None and isinstance(bound := _value_of_name(env, expr.id), Namespace):
        found = bound
    while found is not None and inner:
        found = inner_space(found, inner.pop())
    return found


def scopes_of(ctx: Analysis, env: Env, expr: t.Name) -> Namespace | None:
    """The scopes that a bare name means."""
    try:
        found = env.find_scopes(expr.id)
    except Ambiguous as error:
        value = _value_of_name(env, expr.id)
        if value is None or isinstance(value, Function):
            ambiguous(ctx, expr.id, error, expr.span)
        return None
    return None if found is None else space(*found, expr.id)


def _value_of_name(env: Env, name: str) -> ExprValue:
    """The value of a bare name. None if it has none, or several that only its use would tell apart."""
    binding = env.single(name)
    return None if binding is None else binding.value


def as_expression(target: t.Identifier) -> t.Expr:
    """A dotted name, from a place where the grammar allows only a name, as an expression."""
    first, *rest = target.id.split(".")
    source, start, end = target.span.source, target.span.start, target.span.start + len(first)
    is_plain = target.span.text == target.id  # not in the braces of a string
    expr: t.Expr = t.Name(Span(source, start, end) if is_plain else target.span, first)
    for part in rest:
        end += len(f".{part}")
        expr = t.Attribute(Span(source, start, end) if is_plain else target.span, expr, part)
    return expr


# --- scopes that are opened -------------------------------------------------------------------


@contextmanager
def block_scope(ctx: Analysis, env: Env, name: str, span: Span, reuse: bool) -> Iterator[None]:
    """Open the scope of a `scope` block."""
    home, outside = env.home, env.home.path
    made = home.open_scope(name, ctx.graph.naming.unique(name, span), span)
    home.path = made.path
    try:
        with ctx.graph.scope(made, name, reuse):
            yield
    finally:
        home.path = outside


@contextmanager
def call_scope(
    ctx: Analysis, caller: Env, inside: Env, function: str, span: Span, named: t.ScopeName | None
) -> Iterator[None]:
    """Open the scope of a call, whose names are `inside`. It is called after the function, or as the call says."""
    home, name = caller.home, function if named is None else named.target.id
    beside = home.scopes_in((home.path,), name) if named is not None else []
    if named is not None and not named.reuse:
        if beside:
            note = Note("it is from line {line}", beside[0].span)
            again = (
                f"each turn of a loop makes this call: leave 'as {name}' out, and each has its own variables; to use "
                f"the same ones, write a call with 'as {name}' before the loop, and in it: as {name} reuse"
            )
            ctx.fail(SCOPE_TAKEN, named.span, (note,), again if beside[0].span == span else "", name=name)
    elif named is not None and not (beside and beside[0].inside is not None):
        _refuse_reuse(ctx, home, name, named.span)
    made = home.open_scope(name, ctx.graph.naming.unique(name, span), span, inside)
    with ctx.graph.scope(made, name):
        if named is None or not named.reuse:
            yield
            return
        failed = ctx.failed
        with ctx.graph.taking_over(beside[0], named.span) as taking:
            yield
        if taking.left and ctx.failed == failed:
            left = ctx.graph.nodes[taking.left[0].ref.node]
            note = Note("this variable is made on line {line}", left.origin.span)
            difference = f"its call makes more variables, such as '{left.shown}'"
            ctx.fail(REUSE_DISAGREES, named.span, (note,), name=name, difference=difference)


def _refuse_reuse(ctx: Analysis, home: Env, name: str, span: Span) -> NoReturn:
    """Refuse the reuse of a call that is not beside it. A call of this name may be in another scope, or around or in a
    function."""
    if ctx.is_doubtful(name):
        raise StatementFailed(None)
    calls = [one for one in home.called.get(name, ()) if one.inside is not None]
    if calls:
        *around, _ = calls[0].written
        note = Note(f"'{'.'.join(calls[0].written)}' is from line {{line}}", calls[0].span)
        where = " and in it ".join(f"scope {one}:" for one in around)
        where = f"open that again, {where}" if around else "write this call outside of the scope"
        help = f"the variables of a call can be used again in its scope only: {where}"
        ctx.fail(REUSE_UNKNOWN, span, (note,), help, name=name)
    others = [one for env in home.around() for one in env.called.get(name, ()) if env is not home]
    others += [one for scope in home.scopes.values() if scope.inside for one in scope.inside.called.get(name, ())]
    calls = [one for one in others if one.inside is not None]
    if calls:
        note = Note(f"the call '{name}' of line {{line}} is in another function, or in none", calls[0].span)
        help = "the variables of a call can be used again in its function only: write both calls there, or both outside"
        ctx.fail(REUSE_UNKNOWN, span, (note,), help, name=name)
    known = {one.written[-1] for one in home.scopes.values() if one.inside is not None}
    ctx.fail(REUSE_UNKNOWN, span, help=ctx.did_you_mean(name, known), name=name)


def taken(ctx: Analysis, type: TensorType, name: str) -> Tensor:
    """The variable that a `variable` statement takes from an earlier call."""
    taking = ctx.graph.taking
    assert taking is not None
    called = taking.scope.written[-1]
    if not taking.left:
        ctx.fail(REUSE_DISAGREES, taking.span, name=called, difference=f"its call makes no variable for '{name}'")
    first = taking.left.pop(0)
    if first.type != type:
        node = ctx.graph.nodes[first.ref.node]
        note = Note("it is made on line {line}", node.origin.span)
        difference = f"its '{node.shown}' is {first.type}, and '{name}' is {type}"
        ctx.fail(REUSE_DISAGREES, taking.span, (note,), name=called, difference=difference)
    return first


# --- variables --------------------------------------------------------------------------------


def variables_in(scopes: Iterable[Space[ExprValue]]) -> list[Tensor]:
    """The variables that scopes made, shared or took over, in their order."""
    found = {node: one for scope in scopes for node, one in scope.variables.items()}
    return [one for _, one in sorted(found.items()) if isinstance(one, Tensor)]


def variables_of(
    ctx: Analysis, env: Env, expr: t.Expr, value: ExprValue, what: str,
    fits: Callable[[Tensor], bool] = lambda _: True, fitting: str = "",
) -> list[Tensor] | None:  # fmt: skip
    """The variables that a value means where variables are wanted: its own, or those of the scope that it names which
    fit. None if it means none. `fitting` says which of them fit."""
    own = _own(value)
    if own is not None:
        return own
    named = _scope_meant(ctx, env, expr, value)
    if named is None:
        return None
    found = [one for one in variables_in(named.scopes) if fits(one)]
    if not found and ctx.is_partial:
        raise StatementFailed(None)
    if not found and variables_in(named.scopes):
        ctx.fail(SCOPE_EMPTY, expr.span, what=what, name=named.name, fitting=fitting)
    if not found:
        ctx.fail(SCOPE_EMPTY, expr.span, what=what, name=named.name, fitting="")
    return found


def scopes_meant(ctx: Analysis, env: Env, expr: t.Expr, value: ExprValue) -> tuple[Space[ExprValue], ...]:
    """The scopes that a value refers to where variables are expected. Empty if the value itself is variables."""
    named = None if _own(value) is not None else _scope_meant(ctx, env, expr, value)
    return () if named is None else named.scopes


def _own(value: ExprValue) -> list[Tensor] | None:
    """The value as a list of variables, or None if it is something else."""
    many = value if isinstance(value, (list, tuple)) else [value]
    own = [one for one in many if isinstance(one, Tensor) and one.is_variable]
    return own if len(own) == len(many) else None


def _scope_meant(ctx: Analysis, env: Env, expr: t.Expr, value: ExprValue) -> Namespace | None:
    named = value if isinstance(value, Namespace) else space_of(ctx, env, expr)
    return named if named is not None and named.scopes else None


def first_other(value: ExprValue) -> ExprValue:
    """The first of some values that is no variable."""
    many = value if isinstance(value, (list, tuple)) else [value]
    return next(one for one in many if not (isinstance(one, Tensor) and one.is_variable))


def listed(ctx: Analysis, env: Env, lister: Lister, expr: t.Call) -> list[ExprValue]:
    """The value of `variables(scope, "kernel")`: the variables made so far."""
    every = [(one.name, ArgumentValue(at, one.value.span, one.span)) for at, one in enumerate(expr.arguments)]
    matched = assign_arguments(ctx, lister.name, "scope = none, name = none", ["scope", "name"], every, expr.span)
    given = {word: expr.arguments[int(at.value)].value for word, at in matched.items() if isinstance(at.value, int)}
    if "scope" in given:
        chosen = _variables_listed(ctx, env, lister, given["scope"])
    else:
        chosen = [ctx.graph.variable(node) for node in ctx.graph.nodes.values() if node.is_variable]
    if ctx.is_partial and ctx.graph.broken:
        raise StatementFailed(None)
    if "name" in given:
        name = ctx.evaluate(env, given["name"])
        if not isinstance(name, str):
            ctx.fail(LISTED_NAME, given["name"].span, function=lister.name, value=describe(name))
        named = [one for one in chosen if ctx.graph.nodes[one.ref.node].name == name]
        if not named:
            known = list(dict.fromkeys(ctx.graph.nodes[one.ref.node].name or "" for one in chosen))
            help = ctx.did_you_mean(name, known) or (f"there are: {', '.join(known)}" if known else "")
            ctx.report(LISTED_NONE, given["name"].span, help=help, name=name)
        chosen = named
    return [one for one in chosen if not lister.trainable or ctx.graph.nodes[one.ref.node].is_trainable]


def _variables_listed(ctx: Analysis, env: Env, lister: Lister, expr: t.Expr) -> list[Tensor]:
    named = space_of(ctx, env, expr)
    if named is None or not named.scopes:
        value = describe(ctx.evaluate(env, expr))
        ctx.fail(LISTED_KIND, expr.span, function=lister.name, text=expr.span.one_line, value=value)
    return variables_in(named.scopes)
