"""Statements of sessions that need no training: what they execute, feed, read and write."""

from functools import partial
from typing import assert_never

from ...data.outputs import OUTPUTS, output_suffixes, suffix_of
from ...diagnostics import (
    ARGUMENT_KIND,
    EXPORT_NAME,
    EXPORT_NOTHING,
    EXPORT_TWICE,
    FEED_DTYPE,
    FEED_SHAPE,
    FEED_TARGET,
    INIT_TARGET,
    LOG_UNTAGGED,
    LOG_WITHOUT_TO,
    NO_SUMMARIES,
    NO_SUMMARY,
    NO_VARIABLES,
    NOT_TEXT,
    PLAN_PLACE,
    PRINT_CALLED,
    RUN_VALUE,
    SAVED_AS_MANY,
    VALUE_TWICE,
    WRITE_SUFFIX,
    Note,
)
from ...diagnostics.spelling import listed, near_suffix, shortened
from ...program import (
    Expect,
    Export,
    Field,
    Init,
    Log,
    LogTo,
    LogValues,
    Moved,
    Origin,
    Pairs,
    PlanExpr,
    Print,
    Ref,
    Restore,
    Run,
    Save,
    Set,
    Shown,
    Signature,
    Statement,
    Template,
    Value,
    Write,
    fetches_of,
    known_text,
)
from ...source import Span
from ...syntax import tree as t
from ...types import SizeMismatch, match_shape
from ..calls.arguments import ArgumentValue, operand_notes
from ..calls.scopes import as_expression, first_other, scopes_meant, variables_of
from ..calls.session_values import plan_value
from ..calls.set_values import keeps_shape
from ..calls.wrong_kind import described, not_tensor, not_variable, scalar_name, variable_help
from ..context import Analysis, StatementFailed
from ..expressions.expressions import dotted, given, value_of, values_of
from ..values import Evaluation, Function, NodeValue, Operation, RuntimeValue, Tensor, describe
from .braces import refuse_all
from .evaluation import bind, evaluation, written_values
from .export_inputs import check_columns, made_input
from .feeds import Plan, check_feed, check_needs, checked_feeds
from .initial import all_variables, check_initial, check_initialised, check_made_from, overwritten
from .plan_values import path_of, session_condition, session_value


def made(ctx: Analysis, plan: Plan, statement: t.Statement) -> list[Statement]:
    """The statement of the plan for one of the text."""
    if isinstance(statement, t.GraphStatement):
        raise AssertionError(f"a statement of the graph half in a session: {statement}")
    match statement:
        case t.Init():
            return [_init(ctx, plan, statement)]
        case t.Restore():
            return [_restore(ctx, plan, statement)]
        case t.Save():
            return [_save(ctx, plan, statement)]
        case t.Run():
            return [_run(ctx, plan, statement)]
        case t.Print():
            return [_print(ctx, plan, statement)]
        case t.Set():
            return [_set(ctx, plan, statement)]
        case t.LogTo():
            outside_loop(ctx, plan, statement, "'log to'")
            plan.logging = True
            return [LogTo(Origin(statement.span), path_of(ctx, plan, statement.path))]
        case t.Log():
            return _log(ctx, plan, statement)
        case t.Expect():
            return [_expect(ctx, plan, statement)]
        case t.Export():
            return [_export(ctx, plan, statement)]
        case t.Write():
            return [_write(ctx, plan, statement)]
        case t.Bind():
            return [bind(ctx, plan, statement)]
        case t.Evaluate():
            return [evaluation(ctx, plan, statement)]
        case (
            t.Train() | t.Feed() | t.Every() | t.Stop() | t.StopAfter() | t.Keep() | t.Checkpoint() | t.If() | t.For()
            | t.Broken()
        ):  # fmt: skip
            raise AssertionError(f"plan.py makes it: {statement}")
        case _:
            assert_never(statement)


def outside_loop(ctx: Analysis, plan: Plan, statement: t.Statement, what: str) -> None:
    if plan.loop is not None:
        ctx.fail(PLAN_PLACE, statement.span, what=what)


# --- statements -------------------------------------------------------------------------------


def _variables(ctx: Analysis, plan: Plan, expr: t.Expr, what: str) -> list[Ref]:
    """The variables that an expression means, or a step of an optimizer, for the variables that it keeps."""
    value = value_of(ctx, plan.env, expr)
    if (step := _keeping_step(ctx, value)) is not None:
        return [step]
    variables = variables_of(ctx, plan.env, expr, value, what)
    if ctx.is_partial and variables is None and isinstance(value, Function):
        raise StatementFailed(None)  # its variables may be missing because a call of it has an error
    if variables is None:
        other = first_other(value)
        help = variable_help(ctx, "init", other, expr.span)
        ctx.fail(INIT_TARGET, expr.span, help=help, what=what, value=described(ctx, other))
    return [one.ref for one in variables]


def _keeping_step(ctx: Analysis, value: object) -> Ref | None:
    """The step that a value is, if its optimizer keeps variables."""
    if isinstance(value, Operation) and ctx.graph.nodes[value.ref.node].keeps_variables:
        return value.ref
    return None


def _init(ctx: Analysis, plan: Plan, statement: t.Init) -> Init:
    if statement.values is None:
        variables = all_variables(ctx)
        is_needed = plan.initialised is not None and not plan.initialised.issuperset(variables)
        initialise_all(ctx, plan)
        overwritten(ctx, plan.restored, variables, statement, is_needed)
        check_initial(ctx, all_variables(ctx), "'init'", statement)
        return Init(Origin(statement.span), None)
    try:
        found = ctx.each(lambda expr: _variables(ctx, plan, expr, "'init'"), statement.values)
    except StatementFailed:
        initialise_all(ctx, plan)  # any may have been meant
        raise
    named = dict.fromkeys(ref for variables in found for ref in variables)
    refs = [ref for ref in named if ctx.graph.nodes[ref.node].is_variable]
    is_needed = plan.initialised is not None and not plan.initialised.issuperset(refs)
    if plan.initialised is not None:
        plan.initialised.update(refs)
    overwritten(ctx, plan.restored, refs, statement, is_needed)
    check_initial(ctx, refs, "'init'", statement)
    if plan.initialised is not None:
        check_made_from(ctx, plan.initialised, plan.around, refs, statement)
    return Init(Origin(statement.span), tuple(refs), tuple(ref for ref in named if ref not in refs))


def initialise_all(ctx: Analysis, plan: Plan) -> None:
    """All variables have a value from here on, also after the training around the statement."""
    if plan.initialised is not None:
        plan.initialised.update(all_variables(ctx))  # a training shares the set
    plan.initialised = None


def need_variables(ctx: Analysis, statement: t.Statement, what: str) -> list[Ref]:
    """All variables, of which there must be some."""
    variables = all_variables(ctx)
    if not variables:
        if ctx.graph.broken:  # layers and calls make variables too
            raise StatementFailed(None)
        ctx.fail(NO_VARIABLES, statement.span, what=what)
    return variables


def _stored(ctx: Analysis, plan: Plan, statement: t.Restore | t.Save, word: str) -> tuple[PlanExpr, Pairs]:
    """The path and the variables of a `restore` or a `save`."""
    path = path_of(ctx, plan, statement.path)
    need_variables(ctx, statement, word)
    if not statement.saved:
        return path, None
    pairs = ctx.each(lambda saved: _saved(ctx, plan, saved, word), statement.saved)
    return path, tuple(dict.fromkeys(pair for many in pairs for pair in many))


def _save(ctx: Analysis, plan: Plan, statement: t.Save) -> Save:
    path, pairs = _stored(ctx, plan, statement, "save")
    plan.restored.clear()
    if plan.initialised is not None:
        refs = [ref for ref, _ in pairs] if pairs else all_variables(ctx)
        needed = [ref for ref in refs if ctx.graph.nodes[ref.node].is_variable]
        check_initialised(ctx, plan.initialised, plan.around, statement, needed, *plan.partly, restore=plan.restoring)
    return Save(Origin(statement.span), path, pairs)


def _restore(ctx: Analysis, plan: Plan, statement: t.Restore) -> Restore:
    outside_loop(ctx, plan, statement, "'restore'")
    try:
        path, pairs = _stored(ctx, plan, statement, "restore")
    except StatementFailed:
        initialise_all(ctx, plan)  # any may have been meant
        raise
    refs = all_variables(ctx) if pairs is None else [ref for ref, _ in pairs]
    if statement.if_exists:
        overwritten(ctx, plan.restored, [ref for ref in all_variables(ctx) if ref not in refs], statement)
    plan.restored.update((ref, statement.span) for ref in refs)
    if plan.initialised is not None:
        if pairs is None:
            initialise_all(ctx, plan)
        else:
            plan.initialised.update(refs)
            plan.restoring = statement
            if statement.if_exists:
                note = "the restore of line {line} initialises the others only if there is no such file"
                plan.partly = (Note(note, statement.span),)
    return Restore(Origin(statement.span), path, pairs, statement.if_exists)


def _saved(ctx: Analysis, plan: Plan, saved: t.Saved, word: str) -> list[tuple[Ref, str | Moved]]:
    """A variable with its name in the checkpoint, "" for its own, those of a scope, or a step of an optimizer, for the
    variables that it keeps."""
    value, target = dotted(ctx, plan.env, saved.target), as_expression(saved.target)
    if saved.name is None and (step := _keeping_step(ctx, value)) is not None:
        return [(step, "")]
    variables = variables_of(ctx, plan.env, target, value, f"'{word}'")
    if variables is None:
        not_variable(ctx, f"'{word}'", value, saved.target.span)
    if saved.name is None:
        return [(one.ref, "") for one in variables]
    scopes = scopes_meant(ctx, plan.env, target, value)
    if len(variables) > 1 and not scopes:
        ctx.fail(SAVED_AS_MANY, saved.span, name=saved.target.id, count=len(variables))
    name = value_of(ctx, plan.env, saved.name)
    if not isinstance(name, str) or not name:
        ctx.fail(NOT_TEXT, saved.name.span, what="the name in the checkpoint", value=describe(name))
    if not scopes:
        return [(variables[0].ref, name)]
    around = {node: "/".join(scope.path) for scope in scopes for node in scope.variables}
    return [(one.ref, Moved(around[one.ref.node], name)) for one in variables]


def _export(ctx: Analysis, plan: Plan, statement: t.Export) -> Export:
    """A SavedModel. Its inputs and outputs have the names of the program."""
    outside_loop(ctx, plan, statement, "'export'")
    path = path_of(ctx, plan, statement.path)
    if not statement.values:
        return _export_declared(ctx, plan, statement, path)
    outputs: dict[str, Ref] = {}
    values, named = ctx.together(
        lambda: values_of(ctx, plan.env, statement.values),
        lambda: ctx.each(lambda one: dotted(ctx, plan.env, one.target), statement.inputs),
    )
    for expr, value in zip(statement.values, values, strict=True):
        if not isinstance(value, Tensor):
            not_tensor(ctx, value, expr.span)
        if not isinstance(expr, (t.Name, t.Attribute)):
            ctx.fail(EXPORT_NAME, expr.span, text=expr.span.one_line)
        _add_signature(ctx, outputs, expr.span.text.rpartition(".")[2], value.ref, expr.span)
    inputs: dict[str, Ref] = {}
    made: dict[Ref, Field] = {}
    for one, value in zip(statement.inputs, named, strict=True):
        target = one.target
        if not isinstance(value, Tensor) or value.is_variable:
            hint = "export takes placeholders after 'with'"
            ctx.fail(FEED_TARGET, target.span, value=f"'{target.id}', {describe(value)},", hint=hint)
        if value.ref in (*inputs.values(), *made):
            ctx.fail(EXPORT_TWICE, target.span, name=target.id)
        if one.value is None:
            _add_signature(ctx, inputs, target.id.rpartition(".")[2], value.ref, target.span)
        else:
            made[value.ref] = made_input(ctx, plan, target, value, one.value, outputs)
    check_columns(ctx, statement, inputs, made)
    given = frozenset((*inputs.values(), *made))
    check_needs(ctx, plan, list(outputs.values()), given, "export", statement)
    signature = Signature("serving_default", tuple(outputs.items()), tuple(inputs.items()))
    return Export(Origin(statement.span), path, (signature,), tuple(made.items()))


def _export_declared(ctx: Analysis, plan: Plan, statement: t.Export, path: PlanExpr) -> Export:
    """A SavedModel with the signatures that the graph declares."""
    declared = [one for one, _ in ctx.graph.signatures.values()]
    if not declared and (ctx.is_partial or t.Signature in ctx.graph.broken):
        raise StatementFailed(None)
    if not declared or statement.inputs:
        place = statement.inputs[0].span if statement.inputs else statement.span
        ctx.fail(EXPORT_NOTHING, place, what="export")
    for one in declared:
        check_needs(ctx, plan, list(one.executes), frozenset(ref for _, ref in one.inputs), "export", statement)
    return Export(Origin(statement.span), path, tuple(declared))


def _add_signature(ctx: Analysis, names: dict[str, Ref], name: str, ref: Ref, span: Span) -> None:
    if name in names:
        ctx.fail(EXPORT_TWICE, span, name=name)
    names[name] = ref


def _run(ctx: Analysis, plan: Plan, statement: t.Run) -> Run:
    refs: list[Ref] = []
    for expr, value in zip(statement.values, values_of(ctx, plan.env, statement.values), strict=True):
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if not isinstance(one, NodeValue):
                ctx.fail(RUN_VALUE, expr.span, value=describe(one))
            refs.append(ctx.use(one, expr.span, expr.span.one_line).ref)
    feeds = checked_feeds(ctx, plan, statement.feeds, refs, "'run'", statement)
    if plan.loop:
        plan.loop.runs |= not plan.loop.asides
        plan.loop.runs_aside |= bool(plan.loop.asides)
        plan.loop.ran |= dict.fromkeys(refs, statement.span)
    return Run(Origin(statement.span), tuple(refs), feeds)


def _print(ctx: Analysis, plan: Plan, statement: t.Print) -> Print:

    def shown(expr: t.Expr) -> Shown:
        return Shown(expr.span.one_line, session_value(ctx, plan, expr))

    items = ctx.each(shown, statement.values)
    match statement.values:
        case (t.Tuple(span=span, items=parts),) if any(
            isinstance(one, t.Constant) and isinstance(one.value, str) for one in parts
        ):
            ctx.report(PRINT_CALLED, span, items=", ".join(part.span.one_line for part in parts))
    refs = fetches_of(*(item.value for item in items))
    line, column = statement.span.line, statement.span.column
    is_written = statement.span.source.line_text(line).startswith("print", column - 1)  # not at a prompt
    what = "'print'" if is_written else f"'{shortened(statement.values[0].span.one_line)}'"
    feeds = checked_feeds(ctx, plan, statement.feeds, refs, what, statement)
    return Print(Origin(statement.span), tuple(items), feeds)


def _set(ctx: Analysis, plan: Plan, statement: t.Set) -> Set:
    refuse_all(ctx, plan.env, statement.value, "for 'set'")
    target, value = ctx.together(
        lambda: dotted(ctx, plan.env, statement.target), lambda: given(ctx, plan.env, statement.value)
    )
    if not isinstance(target, Tensor) or not target.is_variable:
        not_variable(ctx, "'set'", target, statement.target.span)
    if not isinstance(value.value, NodeValue | RuntimeValue):
        fed = t.Fed(statement.span, statement.target, statement.value)
        check_feed(ctx, plan, fed, target, value)
    elif isinstance(value.value, Tensor) and value.value.type.dtype != target.type.dtype:
        ctx.fail(FEED_DTYPE, value.span, name=statement.target.id, declared=target.type, actual=value.value.type)
    elif isinstance(value.value, Tensor):
        try:
            match_shape(target.type.shape, value.value.type.shape, {}, ctx.graph.sizes)
        except SizeMismatch:
            notes = operand_notes([ArgumentValue(target, statement.target.span), value])
            name, actual = statement.target.id, value.value.type
            help = keeps_shape(ctx, target.type, value.value, actual, value.text, f"set {name} = {{}}", name)
            ctx.fail(FEED_SHAPE, value.span, notes, help, name=name, declared=target.type, actual=actual)
    expr = plan_value(ctx, value.value, value.span)
    feeds = checked_feeds(ctx, plan, statement.feeds, fetches_of(expr), "'set'", statement, target.ref)
    if plan.initialised is not None:
        plan.initialised.add(target.ref)
    return Set(Origin(statement.span), target.ref, expr, feeds)


def _log(ctx: Analysis, plan: Plan, statement: t.Log) -> list[Statement]:
    if not plan.logging:
        place = f"above the 'train' of line {plan.around.line}" if plan.around else "above it"
        ctx.fail(LOG_WITHOUT_TO, statement.span, place=place)
    summaries, origin = ctx.graph.summaries, Origin(statement.span)
    values = [one for one in statement.tags if isinstance(one, t.Name) and one.id in plan.names.names]
    tags = {one.span: str(one.value if isinstance(one, t.Constant) else one.id) for one in statement.tags}
    for one in values:
        del tags[one.span]
    is_partial = ctx.is_partial or t.Summary in ctx.graph.broken
    if is_partial and (not summaries or any(tag not in summaries for tag in tags.values())):
        raise StatementFailed(None)
    if not summaries:
        ctx.fail(NO_SUMMARIES, statement.span, name=scalar_name(ctx) or "VALUE")

    def tagged(place: Span) -> list[Ref]:
        tag = tags[place]
        if tag not in summaries:
            help = ctx.did_you_mean(tag, summaries) or "there are " + listed(summaries)
            ctx.fail(NO_SUMMARY, place, help=help, tag=tag)
        return summaries[tag]

    made: list[Statement] = [LogValues(origin, *logged) for logged in ctx.each(partial(_logged, ctx, plan), values)]
    refs = [ref for group in ctx.each(tagged, tags) for ref in group]
    if not statement.tags:
        refs = [ref for group in summaries.values() for ref in group]
    feeds = checked_feeds(ctx, plan, statement.feeds, refs, "'log'", statement)
    return [*([Log(origin, tuple(refs), feeds)] if refs else []), *made]


def _logged(ctx: Analysis, plan: Plan, name: t.Name) -> tuple[str, tuple[tuple[Ref, PlanExpr], ...]]:
    """A name of the session that is logged, with a scalar summary for each of its values that has one."""
    value = value_of(ctx, plan.env, name)
    fields = value.fields.values() if isinstance(value, Evaluation) else [value]
    tagged = {
        node.args["value"]: Ref(node.id) for node in ctx.graph.nodes.values()
        if node.is_summary and node.text("kind") == "scalar"
    }  # fmt: skip
    items = tuple((tagged[one.of], one.expr) for one in fields if isinstance(one, RuntimeValue) and one.of in tagged)
    if not items:
        named = next(iter(value.fields), "...") if isinstance(value, Evaluation) else "..."
        ctx.fail(LOG_UNTAGGED, name.span, name=name.id, value=named)
    return name.id, items


def _expect(ctx: Analysis, plan: Plan, statement: t.Expect) -> Expect:
    sides: list[Shown] = []
    test = session_condition(ctx, plan, statement.condition, sides)
    within = None if statement.within is None else session_value(ctx, plan, statement.within)
    known = within.value if isinstance(within, Value) else ""  # or a text
    is_number = isinstance(known, (int, float)) and not isinstance(known, bool)
    if statement.within and isinstance(within, (Value, Template)) and not is_number:
        ctx.fail(ARGUMENT_KIND, statement.within.span, function="'expect'", wanted="a number", name="within",
                 value=describe(known))  # fmt: skip
    refs = fetches_of(test, *((within,) if within else ()))
    feeds = checked_feeds(ctx, plan, statement.feeds, refs, "'expect'", statement)
    return Expect(Origin(statement.span), test, statement.condition.span.one_line, tuple(sides), within, feeds)


def _write(ctx: Analysis, plan: Plan, statement: t.Write) -> Write:
    path = path_of(ctx, plan, statement.path)
    shown = known_text(path)
    if shown is not None and suffix_of(shown) not in OUTPUTS:
        known = output_suffixes()
        help = near_suffix(shown, known)
        ctx.fail(WRITE_SUFFIX, statement.path.span, help=help, path=shown, suffixes=listed(known))
    items: list[Shown] = []
    for one, value in zip(
        statement.values, values_of(ctx, plan.env, (one.value for one in statement.values)), strict=True
    ):
        made = written_values(ctx, one, value)
        twice = [item.text for item in made if item.text in (other.text for other in items)]
        if twice:
            ctx.fail(VALUE_TWICE, one.span, name=twice[0], text=one.value.span.one_line)
        items += made
    refs = fetches_of(*(item.value for item in items))
    feeds = checked_feeds(ctx, plan, statement.feeds, refs, "'write'", statement)
    return Write(Origin(statement.span), path, tuple(items), feeds)
