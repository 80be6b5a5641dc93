"""Turns the statements of sessions into the plan.

A statement that needs a value which is not fed, or feeds a value that does not fit, is an error here.
"""

import math
import re
from typing import Any, NoReturn

from ...diagnostics import (
    AFTER_NEVER,
    ARGUMENT_KIND,
    BATCH_WITHOUT_DATA,
    BETTER_VALUE,
    BRANCH_VALUES,
    CHECKPOINT_MOVING,
    CHECKPOINT_TWICE,
    CONDITION_TENSOR,
    ENGINE_UNKNOWN,
    NAN_UNKNOWN,
    NESTED_CHECKPOINT,
    NESTED_TRAIN,
    NO_STEP,
    NOT_TEXT,
    OPTION_UNKNOWN,
    OUTSIDE_TRAIN,
    PLAN_PLACE,
    SEED_VALUE,
    SESSION_NAME,
    SESSION_TWICE,
    STREAM_BATCHES,
    UNKNOWN_NAME,
    Note,
)
from ...diagnostics.spelling import counted, shortened
from ...program import (
    COUNTERS,
    ENGINES,
    ON_NAN,
    Checkpoint,
    Counter,
    Every,
    If,
    Keep,
    Origin,
    PlanExpr,
    Ref,
    Run,
    Session,
    Statement,
    Stop,
    StopAfter,
    Train,
    fetches_of,
    known_text,
)
from ...record import replace
from ...source import Span
from ...syntax import tree as t
from ..calls.session_values import plan_value
from ..calls.wrong_kind import no_condition, one_each, scalar_name
from ..context import Analysis, StatementFailed
from ..expressions.expressions import bind_targets, condition, iterate, value_of
from ..expressions.node_names import FIELD
from ..names import Binding
from ..other_graph import on_graph
from ..values import Batch, DataValue, Env, ErrorValue, Evaluation, ExprValue, RuntimeValue, Tensor, Unbound, describe
from .braces import refuse_all, refuse_inside
from .evaluation import bind_batch, rows_of, type_text
from .fed_data import Trained, check_fed
from .fed_rows import check_rows
from .feeds import GivenAfter, Loop, Plan, check_last_batch, checked_feeds, feed_entries
from .initial import all_variables, check_initial, check_initialised
from .plan_values import batch_size_of, count_of, distance_of, path_of, session_condition
from .statements import made, need_variables

_BEFORE = "give it a value before the training"


def session(ctx: Analysis, statement: t.Session, names: dict[str, Span]) -> Session | None:
    """The plan of one session. None if its graph is unknown."""
    graph_name = statement.graph.id if statement.graph else ""
    name = statement.target.id if statement.target else ""
    if name in names and statement.target is not None:
        note = Note("the first is on line {line}", names[name])
        ctx.report(SESSION_TWICE, statement.target.span, (note,), name=name)
    names.setdefault(name, statement.span)
    if graph_name not in ctx.graphs:
        if ctx.is_doubtful(graph_name):
            return None
        help = ctx.did_you_mean(graph_name, ctx.graphs) or "declare it: graph " + graph_name + ": ..."
        place = statement.graph.span if statement.graph is not None else statement.span
        ctx.report(SESSION_NAME, place, help=help, name=graph_name)
        return None
    graph = ctx.graphs[graph_name]
    env = Env(parent=graph.env)
    first = next((s for s in statement.body if not isinstance(s, t.LogTo)), None)
    by_hand = isinstance(first, (t.Init, t.Restore, t.Broken))
    is_known = isinstance(first, (t.Init, t.Restore)) and t.Device not in graph.broken
    initialised = graph.on_servers() if is_known else None
    plan = Plan(env, env, initialised=initialised)
    with on_graph(ctx, graph):
        if not by_hand:
            try:
                check_initial(ctx, all_variables(ctx), "'session'", statement)
            except StatementFailed as failure:
                ctx.abandon(failure)
        body = _block(ctx, plan, statement.body)
        check_fed(ctx, plan.fed, plan.trained, body)
        check_rows(ctx, body)
    return Session(name, graph_name, not by_hand, body, Origin(statement.span))


def broken_session(ctx: Analysis, statement: t.Broken) -> None:
    """A session with a syntax error in its first line. Its statements are analysed if its graph is known."""
    on = re.search(r"\bon[ \t]+(\w+)", statement.span.text)
    name = on[1] if on else ""
    if name in ctx.graphs and (on or len(ctx.graphs) == 1):
        graph = t.Identifier(statement.span, name) if name else None
        session(ctx, t.Session(statement.span, None, graph, statement.body), {})


def _block(ctx: Analysis, plan: Plan, statements: t.Block) -> tuple[Statement, ...]:
    """The statements of a block. A training whose first line is broken goes on to the end of the block at most."""
    result: list[Statement] = []
    outside = plan.env, plan.loop
    for statement in statements:
        try:
            result += _statement(ctx, plan, statement)
        except StatementFailed as failure:
            ctx.abandon(failure)
            _bind_broken(ctx, plan, statement)
    plan.env, plan.loop = outside
    return tuple(result)


def _bind_broken(ctx: Analysis, plan: Plan, statement: t.Statement) -> None:
    """Bind the names of a failed statement and of its block, so their uses are not reported as errors, and check its
    feeds, which may have errors too."""
    for one in t.trees((statement,)):
        for target in one.targets if isinstance(one, t.Bind | t.Evaluate) else ():
            if not plan.env.binds(target.id) or (one is statement and target.id in plan.names.names):
                plan.names.rebind(target.id, ErrorValue(), target.span)
    if isinstance(statement, t.Feeding):
        try:
            feed_entries(ctx, plan, statement.feeds)
        except StatementFailed as failure:
            ctx.abandon(failure)


def _statement(ctx: Analysis, plan: Plan, statement: t.Statement) -> list[Statement]:
    match statement:
        case t.Train():
            return [_train(ctx, plan, statement)]
        case t.Feed():  # of the body itself, `_body` takes it
            loop = _inside_loop(ctx, plan, statement, "feed")
            if loop.is_guess:
                return []
            help = "put it directly in the body of 'train', or write '... with ...'"
            ctx.fail(PLAN_PLACE, statement.span, help=help, what="'feed' inside a block")
        case t.Every():
            return [_every(ctx, plan, statement)]
        case t.Stop():
            return [_stop(ctx, plan, statement)]
        case t.StopAfter():
            return [_stop_after(ctx, plan, statement)]
        case t.Keep():
            return [_keep(ctx, plan, statement)]
        case t.Checkpoint():
            return [_checkpoint(ctx, plan, statement)]
        case t.If():
            return _if(ctx, plan, statement)
        case t.For():
            return _for(ctx, plan, statement)
        case t.Broken():
            return _broken(ctx, plan, statement)
        case _:
            return made(ctx, plan, statement)


def _broken(ctx: Analysis, plan: Plan, statement: t.Broken) -> NoReturn:
    """A statement with a syntax error. It may initialise, feed, run and bind anything. The body of a training and of
    'every' is analysed."""
    if plan.initialised is not None:
        plan.initialised.update(all_variables(ctx))
    plan.restored.clear()
    plan.logging = True
    if plan.loop is not None:
        plan.loop.broken = plan.loop.runs = plan.loop.runs_aside = True
    if statement.word == "train" and plan.loop is None:
        env = _counting(ctx, plan, statement)
        for target in statement.targets:
            env.rebind(target.id, ErrorValue(), target.span)
        if statement.body:
            outside, ctx.is_unread = ctx.is_unread, ctx.is_unread or not statement.targets  # perhaps the batch
            _body(ctx, replace(plan, env=env, loop=Loop(broken=True, is_guess=True), around=statement.span), statement)
            ctx.is_unread = outside
        else:
            plan.env, plan.loop = env, Loop(broken=True, is_guess=True)
    elif statement.word in ("every", "after") and plan.loop is not None:
        _block(ctx, plan, statement.body)
    else:
        for one in t.trees((statement,)):
            for target in one.targets if isinstance(one, t.Broken | t.Bind | t.Evaluate) else ():
                if target.id in plan.names.names or not plan.env.binds(target.id):
                    plan.names.rebind(target.id, ErrorValue(), target.span)
    raise StatementFailed(None)


# --- blocks -------------------------------------------------------------------------------


def _if(ctx: Analysis, plan: Plan, statement: t.If) -> list[Statement]:
    for at, (test, body) in enumerate(statement.branches):
        if test is None:
            return list(_block(ctx, plan, body))
        with ctx.graph.trial():
            is_of_run = _is_of_run(ctx, plan, test)
        if is_of_run:
            return [_decided_by_run(ctx, plan, statement, at)]
        value = condition(ctx, plan.env, test)
        if not isinstance(value, bool):
            ctx.fail(CONDITION_TENSOR, test.span, help=no_condition(ctx, value, test.span), value=describe(value))
        if value:
            return list(_block(ctx, plan, body))
    return []


def _is_of_run(ctx: Analysis, plan: Plan, test: t.Expr) -> bool:
    """Whether a condition depends on a value that only the session knows."""
    match test:
        case t.Compare(operands=operands):
            return any(_is_of_run(ctx, plan, operand) for operand in operands)
        case t.Unary(op="not", operand=operand):
            return _is_of_run(ctx, plan, operand)
        case t.Boolean(op=op, left=left, right=right):
            if _is_of_run(ctx, plan, left):
                return True
            is_decided = condition(ctx, plan.env, left) is (op == "or")  # then the right side does not count
            return not is_decided and _is_of_run(ctx, plan, right)
        case t.Constant(value=str() as text):
            return any(field[1] for field in FIELD.finditer(text))  # it is filled in
        case _:
            refuse_inside(ctx, plan.env, test)
            return isinstance(value_of(ctx, plan.env, test), (Tensor, RuntimeValue))


def _decided_by_run(ctx: Analysis, plan: Plan, statement: t.If, at: int) -> If:
    """An `if` whose branch from `at` on only the session can choose."""
    test, body = statement.branches[at]
    assert test is not None
    decided = session_condition(ctx, plan, test)
    feeds = checked_feeds(ctx, plan, (), fetches_of(decided), "'if'", statement)
    for one in statement.branches[at:]:
        _refuse_in_branch(ctx, plan, one[1])
    before, inside = _copied(plan), plan.loop
    if inside is not None:
        inside.asides += 1
    then = _block(ctx, plan, body)
    first = _copied(plan)
    plan.names.names = dict(before)
    rest = replace(statement, branches=statement.branches[at + 1 :])
    otherwise = tuple(_if(ctx, plan, rest)) if rest.branches else ()
    second = _copied(plan)
    if inside is not None:
        inside.asides -= 1
    plan.names.names |= first
    for name in dict.fromkeys((*first, *second)):
        given = [one[name][0] for one in (before, first, second) if name in one]
        _check_same(ctx, name, [one for one in given if not isinstance(one.value, Unbound)])
        made = [name in one and not isinstance(one[name][0].value, Unbound) for one in (first, second)]
        if not all(made) and (any(made) or name not in before):
            why = "the 'if' on line {line} may not give it one"
            help = "give it a value before the 'if', or in all of its branches, with an 'else'"
            plan.names.rebind(name, Unbound(test.span, why, help), test.span)
    return If(Origin(statement.span), decided, feeds, then, otherwise)


def _copied(plan: Plan) -> dict[str, list[Binding[ExprValue]]]:
    return {name: [replace(one) for one in bindings] for name, bindings in plan.names.names.items()}


def _check_same(ctx: Analysis, name: str, given: list[Binding[ExprValue]]) -> None:
    """Refuse values of several types that a name has before an `if` and gets in its branches."""
    for other in given[1:]:
        before, after = type_text(given[0].value), type_text(other.value)
        if before != after and not isinstance(other.value, ErrorValue):
            note = (Note("the other value is from line {line}", given[0].span),)
            ctx.fail(BRANCH_VALUES, other.span, note, name=name, before=before, after=after)


def _refuse_in_branch(ctx: Analysis, plan: Plan, body: t.Block) -> None:
    """Refuse statements on which the rest of the session depends in the branch of an `if`."""
    for one in body:
        if isinstance(one, (t.LogTo, t.Checkpoint)):
            word = "log to" if isinstance(one, t.LogTo) else "checkpoint"
            ctx.report(PLAN_PLACE, one.span, what=f"'{word}' in an 'if' on a value of the run", help="put it outside")
        is_needed = plan.initialised is not None and not plan.initialised.issuperset(all_variables(ctx))
        if isinstance(one, (t.Init, t.Restore)) and is_needed:
            word = "init" if isinstance(one, t.Init) else "restore"
            help = "initialise the variables above the 'if'"
            ctx.report(PLAN_PLACE, one.span, what=f"'{word}' in an 'if' on a value of the run", help=help)
        own = t.Checkpoint if isinstance(one, t.Train) else ()
        _refuse_in_branch(ctx, plan, tuple(part for part in _inner(one) if not isinstance(part, own)))


def _inner(statement: t.Statement) -> t.Block:
    """The statements in the blocks of a statement."""
    if isinstance(statement, t.If):
        return tuple(one for _, branch in statement.branches for one in branch)
    return statement.body if isinstance(statement, (t.Train, t.Every, t.For, t.Broken)) else ()


def _may_feed(block: t.Block) -> bool:
    """Whether a block has a `feed` at any depth, or a statement with a syntax error, which may be one."""
    return any(isinstance(one, (t.Feed, t.Broken)) or _may_feed(_inner(one)) for one in block)


def _for(ctx: Analysis, plan: Plan, statement: t.For) -> list[Statement]:
    result: list[Statement] = []
    refuse_all(ctx, plan.env, statement.iterable, "for the list of a 'for'")
    plan.env.begin_loop()
    try:
        for value in iterate(ctx, value_of(ctx, plan.env, statement.iterable), statement.iterable.span):
            plan.env.next_turn()
            bind_targets(ctx, plan.env, statement.targets, value, statement.iterable.span)
            result += _block(ctx, plan, statement.body)
    finally:
        plan.env.end_loop()
    return result


# --- training ---------------------------------------------------------------------------------


def _train(ctx: Analysis, plan: Plan, statement: t.Train) -> Train:
    if plan.loop is not None and plan.loop.is_guess:
        plan.env, plan.loop = plan.names, None
    if plan.loop is not None:
        ctx.fail(NESTED_TRAIN, statement.span)
    env = _counting(ctx, plan, statement)
    try:
        options, count, (dataset, size, order, seed) = ctx.together(
            lambda: _options(ctx, plan, statement),
            lambda: count_of(ctx, plan, statement.count, "the length of a training"),
            lambda: _batching(ctx, plan, statement),
        )
        if statement.target is not None and dataset is None:
            ctx.fail(
                BATCH_WITHOUT_DATA, statement.target.span, header=_with_data(ctx, statement, statement.target.span)
            )
    except StatementFailed:
        if statement.target is not None:
            env.rebind(statement.target.id, ErrorValue(), statement.target.span)
        _body(ctx, replace(plan, env=env, loop=Loop(broken=True), around=statement.span), statement)
        raise
    short, loop = 0, Loop()
    if dataset is not None:
        short = dataset.schema.rows % size if size and order != "sampled" else 0  # rows of a short last batch
        loop = Loop(dataset.name if dataset.name in ctx.datasets else None, dataset.schema, size or dataset.schema.rows)
    loop.before = frozenset(plan.names.names)
    loop.count, loop.unit, loop.per_epoch = count, statement.unit, _per_epoch(dataset, size, order)
    if statement.target is not None and dataset is not None:
        bind_batch(ctx, env, statement.target, Batch(dataset.schema, None if short else loop.rows, dataset.name))
    failed = ctx.failed
    inner = replace(plan, env=env, loop=loop, around=statement.span)
    body = _body(ctx, inner, statement)
    for name, place in loop.rare.items():
        why = "'after every' on line {line} may not run in this training"
        plan.names.rebind(name, Unbound(place, why, _BEFORE), place)
    for name in dict.fromkeys((*loop.doubtful, *(loop.given_after if loop.stop is not None else ()))):
        assert loop.stop is not None
        why = "'stop when' on line {line} may end the training before it has one"
        below = "" if name in loop.given_after else ", or put the 'stop when' below the line that gives it one"
        plan.names.rebind(name, Unbound(loop.stop, why, _BEFORE + below), statement.span)
    if not loop.runs and ctx.failed == failed and ctx.graph.broken.isdisjoint({t.Optimize, t.ApplyGradients}):
        if not ctx.graph.optimizers and not loop.runs_aside:
            if ctx.is_partial:
                raise StatementFailed(None)
            steps = [name for name, _, refs in ctx.graph.bound if any(_writes(ctx, ref) for ref in refs)]
            way = f"write in its body: run {steps[-1]}" if steps else ""
            way = way or f"declare an optimizer: optimize {scalar_name(ctx) or 'LOSS'} with adam(learning_rate=0.001)"
            ctx.fail(NO_STEP, statement.span, way=way)
        for ref in ctx.graph.optimizers:
            feeds = checked_feeds(ctx, inner, (), [ref], "the optimizer", statement)
            body.append(Run(ctx.graph.nodes[ref.node].origin, (ref,), feeds))
    if dataset is not None and ctx.failed == failed:
        plan.trained.append(Trained(statement, tuple(body)))
        if short and (statement.unit == "epoch" or count * size >= dataset.schema.rows):
            check_last_batch(ctx, inner, body, short, size)
    data = (dataset.name, dataset.part) if dataset else None
    return Train(Origin(statement.span), count, statement.unit, data, size, order, seed, tuple(body), **options)


def _counting(ctx: Analysis, plan: Plan, statement: t.Train | t.Broken) -> Env:
    """The names inside a training: its counters."""
    env = Env(parent=plan.env)
    counters = {name: ErrorValue() if ctx.is_doubtful(name) else RuntimeValue(Counter(name)) for name in COUNTERS}
    env.offer(counters, statement.span)  # unless the file has its own
    return env


def _per_epoch(dataset: DataValue | None, size: int | None, order: str) -> int:
    """The steps of an epoch."""
    return 1 if dataset is None or not size else -(-dataset.schema.rows // size)


def _writes(ctx: Analysis, ref: Ref) -> bool:
    row = ctx.graph.nodes[ref.node].row
    return row is not None and row.writes


def _with_data(ctx: Analysis, statement: t.Train, place: Span) -> str:
    """The first line of a training with data, if the program has some."""
    data = ctx.data[0].name if ctx.data else "DATA"
    if data in ctx.datasets and ctx.datasets[data].schema.parts:
        data += ".train"
    source = statement.span.source
    begun = source.text[statement.span.start : place.start]
    begun, *named = " ".join(begun.split()).rsplit(" as", 1)
    return f"{begun} on {data} {'as ' if named else ''}{place.text}"


def _body(ctx: Analysis, plan: Plan, statement: t.Train | t.Broken) -> list[Statement]:
    """The statements of a training. A `feed` applies to all of them, wherever it is. Names that `after every` blocks
    give values have them after the training."""
    loop = plan.loop
    assert loop is not None
    feeds = [one for one in statement.body if isinstance(one, t.Feed)]
    rest = tuple(one for one in statement.body if not isinstance(one, t.Feed))
    loop.broken = loop.broken or _may_feed(rest)
    for one in feeds:
        try:
            loop.feeds |= feed_entries(ctx, plan, one.feeds, loop.feeds)
        except StatementFailed as failure:
            ctx.abandon(failure)
            loop.broken = True
    body = list(_block(ctx, plan, rest))
    plan.names.names.update({name: given.bindings for name, given in loop.given_after.items()})
    return body


# The options of `train ... with`: the allowed values, and the error for other values.
_OPTIONS = {"engine": (ENGINES, ENGINE_UNKNOWN), "on_nan": (ON_NAN, NAN_UNKNOWN)}


def _options(ctx: Analysis, plan: Plan, statement: t.Train) -> dict[str, Any]:  # literals, of the allowed values
    options: dict[str, Any] = {}
    for option in statement.options:
        if option.name not in _OPTIONS:
            help, known = ctx.did_you_mean(option.name or "", _OPTIONS), ", ".join(_OPTIONS)
            ctx.fail(OPTION_UNKNOWN, option.span, help=help, statement="train", name=option.name, known=known)
        known, message = _OPTIONS[option.name]
        bare = option.value.id if isinstance(option.value, t.Name) else ""
        if bare in known and not plan.env.knows(bare):
            ctx.fail(UNKNOWN_NAME, option.value.span, help=f'write {option.name}="{bare}"', name=bare)
        value = value_of(ctx, plan.env, option.value)
        if not isinstance(value, str):
            ctx.fail(NOT_TEXT, option.value.span, what=f"the option {option.name}", value=describe(value))
        if value not in known:
            ctx.fail(message, option.value.span, help=ctx.did_you_mean(value, known), name=value)
        options[option.name] = value
    return options


def _batching(ctx: Analysis, plan: Plan, statement: t.Train) -> tuple[DataValue | None, int | None, str, int]:
    batching, data = statement.batching, statement.data
    if data is None:
        if batching is not None:
            ctx.fail(BATCH_WITHOUT_DATA, batching.span, header=_with_data(ctx, statement, batching.span))
        return None, None, "ordered", 0
    dataset = rows_of(ctx, plan, data, "'train ... on'")
    if batching is None:
        if dataset.schema.streamed:
            ctx.fail(STREAM_BATCHES, data.span, name=data.id, what="a training")
        return dataset, None, "ordered", 0
    size = batch_size_of(ctx, plan, batching.size, dataset)
    seed = 0
    if batching.seed is not None:
        seed = value_of(ctx, plan.env, batching.seed)
        if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 2**31:
            ctx.fail(SEED_VALUE, batching.seed.span, value=describe(seed))
    order = batching.order or "shuffled"
    if order != "sampled" and size > dataset.schema.rows:
        size = dataset.schema.rows
    return dataset, size, order, seed


def _inside_loop(ctx: Analysis, plan: Plan, statement: t.Statement, what: str) -> Loop:
    if plan.loop is None:
        trains = [
            one
            for session in ctx.tree
            if isinstance(session, t.Session)
            for one in session.body
            if isinstance(one, t.Train)
        ]
        help = ""
        if trains:
            help = f"indent it into the body of a training, such as the one on line {trains[-1].span.line}"
        elif isinstance(statement, t.Feed) and statement.feeds:
            feeds = ", ".join(one.span.one_line for one in statement.feeds)
            help = f"write at the end of each statement that needs it: with {shortened(feeds)}"
        ctx.fail(OUTSIDE_TRAIN, statement.span, help=help, what=what)
    return plan.loop


def _every(ctx: Analysis, plan: Plan, statement: t.Every) -> Every:
    loop = _inside_loop(ctx, plan, statement, "every")
    try:
        count = distance_of(ctx, plan, statement.count, "the number after 'every'", statement.unit == "second")
    except StatementFailed:
        _aside(ctx, plan, loop, statement)
        raise
    if statement.after and loop.count and not loop.is_reached(statement.unit, count):
        most = loop.reached(statement.unit)
        where = "an epoch" if statement.unit == "batch" else "this training"
        units = "batches" if statement.unit == "batch" else f"{statement.unit}s"
        why = f"{where} has only {counted(most, statement.unit, units)}"
        help = f"write {most}{' or less' if most > 1 else ''}, or train longer"
        if most == 0:
            steps = counted(loop.reached("step"), "step")
            why, help = f"{where} is shorter than an epoch", f"train longer, or write: after every {steps}:"
        ctx.report(AFTER_NEVER, statement.count.span, help=help, count=counted(count, statement.unit, units), why=why)
    for one in statement.body:
        if isinstance(one, t.Checkpoint):
            ctx.fail(NESTED_CHECKPOINT, one.span)
    names = plan.names.names
    before = set(names)
    for name, one in loop.given_after.items() if statement.after else ():
        if one.unit == statement.unit and one.count <= count:  # then it has one by the time that this block runs
            names[name] = one.bindings
    body = _aside(ctx, plan, loop, statement)
    if statement.after:
        _give_after(plan, loop, statement, before, count)
    return Every(Origin(statement.span), count, statement.unit, body, statement.after)


def _aside(ctx: Analysis, plan: Plan, loop: Loop, statement: t.Every) -> tuple[Statement, ...]:
    loop.asides += 1
    body = _block(ctx, plan, statement.body)
    loop.asides -= 1
    return body


def _give_after(plan: Plan, loop: Loop, statement: t.Every, before: set[str], count: int | float) -> None:
    """Names that only `after every` blocks give values have them from the first time on: in the block itself, in blocks
    below it that do not run before it, and after the training."""
    names = plan.names.names
    for name in [name for name in names if name not in before]:
        loop.given_after[name] = GivenAfter(names[name], statement.unit, count)
        if not loop.is_reached(statement.unit, count):
            loop.rare[name] = statement.span
    for name in loop.given_after:
        why = "'after every' on line {line} gives it one, and may not have run yet"
        below = ", or use it in that 'after every', below the line that gives it one"
        plan.names.rebind(name, Unbound(statement.span, why, _BEFORE + below), statement.span)


def _number(ctx: Analysis, plan: Plan, expr: t.Expr, word: str) -> PlanExpr:
    """A value of the session that is one number."""
    value = value_of(ctx, plan.env, expr)
    one_each(ctx, (value, expr.span))
    type = value.type if isinstance(value, (Tensor, RuntimeValue)) else None
    is_number = type is None or (type.rank in (0, None) and type.dtype.kind in ("float", "int", "uint"))
    if not isinstance(value, (Tensor, RuntimeValue)) or not is_number:
        help = f"name one of its values: {expr.span.one_line}.{next(iter(value.fields))}" if (
            isinstance(value, Evaluation) and value.fields
        ) else ""  # fmt: skip
        shown = describe(value) if type is None else f"a value of {type}"
        ctx.fail(BETTER_VALUE, expr.span, help=help, what=f"'{word}'", value=shown)
    return plan_value(ctx, value, expr.span)


def _state(ctx: Analysis, word: str) -> str:
    """A name under which the session keeps something for a statement. No name of a program has a space."""
    ctx.remembered += 1
    return f"{word} {ctx.remembered}"


def _keep(ctx: Analysis, plan: Plan, statement: t.Keep) -> Keep:
    _inside_loop(ctx, plan, statement, "keep")
    value, path = ctx.together(
        lambda: _number(ctx, plan, statement.value, "keep"), lambda: path_of(ctx, plan, statement.path)
    )
    need_variables(ctx, statement, "keep")
    plan.restored.clear()
    feeds = checked_feeds(ctx, plan, (), fetches_of(value), "'keep'", statement)
    state, text = _state(ctx, "keep"), statement.value.span.one_line
    return Keep(Origin(statement.span), value, text, statement.highest, path, state, feeds)


def _stop(ctx: Analysis, plan: Plan, statement: t.Stop) -> Stop:
    _inside_loop(ctx, plan, statement, "stop when")
    test = session_condition(ctx, plan, statement.condition)
    if plan.loop is not None and plan.loop.stop is None:
        plan.loop.stop = statement.span
    feeds = checked_feeds(ctx, plan, statement.feeds, fetches_of(test), "'stop when'", statement)
    return Stop(Origin(statement.span), test, feeds)


def _stop_after(ctx: Analysis, plan: Plan, statement: t.StopAfter) -> StopAfter:
    _inside_loop(ctx, plan, statement, "stop after")
    count, value, by = ctx.together(
        lambda: count_of(ctx, plan, statement.count, "the number after 'stop after'"),
        lambda: _number(ctx, plan, statement.value, "stop after"),
        lambda: 0.0 if statement.by is None else value_of(ctx, plan.env, statement.by),
    )
    if not isinstance(by, (int, float)) or isinstance(by, bool) or not 0 <= by < math.inf:
        assert statement.by is not None
        ctx.fail(ARGUMENT_KIND, statement.by.span, function="'stop after'", wanted="a number that is not negative",
                 name="by", value=describe(by))  # fmt: skip
    feeds = checked_feeds(ctx, plan, (), fetches_of(value), "'stop after'", statement)
    state, text = _state(ctx, "stop after"), statement.value.span.one_line
    return StopAfter(
        Origin(statement.span), count, statement.unit, value, text, statement.highest, float(by), state, feeds
    )


def _checkpoint(ctx: Analysis, plan: Plan, statement: t.Checkpoint) -> Checkpoint:
    loop = _inside_loop(ctx, plan, statement, "checkpoint")
    if loop.checkpoint:
        ctx.fail(CHECKPOINT_TWICE, statement.span, (Note("the first is on line {line}", loop.checkpoint),))
    loop.checkpoint = statement.span
    count = distance_of(ctx, plan, statement.count, "the number after 'every'", statement.unit == "second")
    path = path_of(ctx, plan, statement.path)
    if known_text(path) is None:
        ctx.fail(CHECKPOINT_MOVING, statement.path.span)
    needed = need_variables(ctx, statement, "keep")
    if plan.initialised is not None:
        check_initialised(ctx, plan.initialised, plan.around, statement, needed, *plan.partly, restore=plan.restoring)
    return Checkpoint(Origin(statement.span), count, statement.unit, path)
