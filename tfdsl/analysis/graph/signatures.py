"""Analyses `signature`, a named computation of exported models."""

from collections.abc import Iterable

from ...diagnostics import EXPORT_TWICE, FEED_TARGET, NOT_TEXT, SIGNATURE_NAME, SIGNATURE_STEP, SIGNATURE_TWICE, Note
from ...program import Ref, Signature
from ...syntax import tree as t
from ..calls.wrong_kind import not_tensor
from ..context import Analysis
from ..expressions.expressions import dotted, value_of
from ..values import Env, Operation, Tensor, describe


def signature(ctx: Analysis, env: Env, statement: t.Signature) -> None:
    """Add a signature to the graph."""
    name = statement.name.value
    assert isinstance(name, str)
    if not name or not name.isprintable():
        ctx.fail(SIGNATURE_NAME, statement.name.span)
    if name in ctx.graph.signatures:
        note = Note("the first is on line {line}", ctx.graph.signatures[name][1])
        ctx.fail(SIGNATURE_TWICE, statement.name.span, (note,), name=name)
    (outputs, steps), (inputs, _) = ctx.together(
        lambda: _named(ctx, env, statement.outputs, is_input=False),
        lambda: _named(ctx, env, statement.inputs, is_input=True),
    )
    if not outputs:
        ctx.fail(SIGNATURE_STEP, statement.outputs[0].span, name=name, step=statement.outputs[0].target.id)
    ctx.graph.signatures[name] = Signature(name, outputs, inputs, steps), statement.span


def _named(
    ctx: Analysis, env: Env, given: Iterable[t.Saved], is_input: bool
) -> tuple[tuple[tuple[str, Ref], ...], tuple[Ref, ...]]:
    """The tensors of a signature, each with the name that callers use, and the steps among its outputs."""
    found: dict[str, Ref] = {}
    steps: list[Ref] = []
    for one in given:
        value = dotted(ctx, env, one.target)
        if not is_input and isinstance(value, Operation) and ctx.graph.nodes[value.ref.node].is_step:
            if one.name is not None:
                not_tensor(ctx, value, one.span, f"a step has no value to name: write {one.target.id}")
            steps.append(value.ref)
            continue
        if not isinstance(value, Tensor):
            not_tensor(ctx, value, one.target.span)
        if is_input and (value.is_variable or value.ref in found.values()):
            hint = "a signature takes placeholders after 'with', each once"
            ctx.fail(FEED_TARGET, one.target.span, value=f"'{one.target.id}', {describe(value)},", hint=hint)
        name = one.target.id.rpartition(".")[2] if one.name is None else value_of(ctx, env, one.name)
        if not isinstance(name, str) or not name:
            place = one.target.span if one.name is None else one.name.span
            ctx.fail(NOT_TEXT, place, what="a name in a signature", value=describe(name))
        if name in found:
            ctx.fail(EXPORT_TWICE, one.span, help=f'name one of them: {one.target.id} as "other"', name=name)
        found[name] = value.ref
    return tuple(found.items()), tuple(dict.fromkeys(steps))
