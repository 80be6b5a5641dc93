"""Checks what a session feeds: each value must fit its placeholder, and a statement must feed everything it needs."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial

from ...data.schema import Schema, shown
from ...diagnostics import (
    BROADCAST,
    FEED_DTYPE,
    FEED_SHAPE,
    FEED_SIZE,
    FEED_TARGET,
    FEED_TWICE,
    SIZE_UNKNOWN,
    UNFED,
    Diagnostic,
    Note,
)
from ...diagnostics.spelling import counted
from ...ops.named import ASSIGN
from ...program import (
    Arg,
    BatchField,
    Feed,
    Fetch,
    Field,
    Index,
    Literal,
    Node,
    Origin,
    PlanExpr,
    Ref,
    Statement,
    Stop,
    Value,
    walk,
)
from ...record import Record, State, field
from ...source import Span
from ...syntax import tree as t
from ...types import (
    ALL_DTYPES,
    BECOMES,
    FLOAT32,
    INT64,
    STRING,
    Dim,
    Shape,
    Size,
    SizeMismatch,
    TensorType,
    match_shape,
    nested_shape,
    shape_text,
)
from ..calls.arguments import ArgumentValue, check_range, check_rounded, literal_shape, scalar_class, size_notes
from ..calls.members import field_of, targetless
from ..calls.session_values import plan_value
from ..calls.set_values import keeps_shape
from ..calls.training import with_training
from ..calls.wrong_kind import one_each
from ..context import Analysis, GraphBuilder, StatementFailed
from ..executed import Kind, Reached
from ..expressions.expressions import dotted, given
from ..names import Binding
from ..values import (
    Array,
    Batch,
    DataValue,
    Env,
    ExprValue,
    RuntimeValue,
    Tensor,
    describe,
    has_tensor,
    is_host,
)
from ..warnings.column_slips import instead, left_out
from .braces import refuse_all
from .fed_data import FedValue, Trained
from .initial import check_initialised
from .unfed import PARTS, after_training, at_end, in_condition, in_evaluate, in_training, rebound


class GivenAfter(Record):
    """What an `after every` block gives a name, and when it is first due."""

    bindings: list[Binding[ExprValue]]
    unit: str
    count: float


class Loop(State):
    """The training loop around a statement."""

    data: str | None = None
    schema: Schema | None = None  # of the data, or of its part
    rows: int = 0  # of its batches
    feeds: dict[Ref, Feed] = field(default_factory=dict)
    runs: bool = False  # in the body itself
    asides: int = 0  # number of open `every` blocks
    runs_aside: bool = False  # in one of these blocks
    ran: dict[Ref, Span] = field(default_factory=dict)  # what `run` statements have run so far, and where
    broken: bool = False  # a `feed` of it failed
    is_guess: bool = False  # its first line has an error and its block is missing: the lines below may be the block
    checkpoint: Span | None = None
    before: frozenset[str] = frozenset()  # names of the session that have values when the training begins
    stop: Span | None = None  # the first 'stop when' so far
    doubtful: list[str] = field(default_factory=list)  # names that get their first value after it
    given_after: dict[str, GivenAfter] = field(default_factory=dict)  # names of `after every` blocks
    rare: dict[str, Span] = field(default_factory=dict)  # those of them whose blocks may not run at all
    count: int = 0  # of epochs or steps
    unit: str = ""
    per_epoch: int = 1  # steps

    def reached(self, unit: str) -> int:
        """The epochs, batches of an epoch, or steps that the training has."""
        steps = self.count * self.per_epoch if self.unit == "epoch" else self.count
        return {"epoch": steps // self.per_epoch, "batch": min(steps, self.per_epoch), "step": steps}[unit]

    def is_reached(self, unit: str, count: float) -> bool:
        """Whether the training has as many epochs, batches of an epoch, or steps."""
        return self.reached(unit) >= count


class Plan(State):
    """One session under analysis. `initialised` is None if every variable is initialised."""

    env: Env
    names: Env  # of the session
    loop: Loop | None = None
    logging: bool = False
    initialised: set[Ref] | None = None
    restored: dict[Ref, Span] = field(default_factory=dict)  # variables restored by a `restore`, and where
    around: Span | None = None  # the training around the statements
    restoring: t.Restore | None = None  # the last `restore` of some variables
    partly: tuple[Note, ...] = ()  # why variables that a `restore` does not name may have no value
    fed: list[FedValue] = field(default_factory=list)  # so far, also by statements with errors
    trained: list[Trained] = field(default_factory=list)


_NONE: Mapping[Ref, Feed] = {}


def feed_entries(
    ctx: Analysis, plan: Plan, feds: tuple[t.Fed, ...], above: Mapping[Ref, Feed] = _NONE
) -> dict[Ref, Feed]:
    """The feeds of a statement or a loop, by the fed tensor. `above` are those of the statements `feed` above it, which
    apply to the same loop."""
    result: dict[Ref, Feed] = {}

    def add(fed: t.Fed) -> None:
        target = dotted(ctx, plan.env, fed.target)
        name = fed.target.id
        if not isinstance(target, Tensor):
            ctx.fail(FEED_TARGET, fed.target.span, value=f"'{name}', {describe(target)},", hint="feed a placeholder")
        if target.is_variable:
            ctx.fail(FEED_TARGET, fed.target.span, value=f"the variable '{name}'", hint=f"write: set {name} = ...")
        if target.ref in result:
            ctx.fail(FEED_TWICE, fed.target.span, name=name)
        if target.ref in above:
            note = Note("the feed of line {line} applies to the whole training, too", above[target.ref].origin.span)
            ctx.fail(FEED_TWICE, fed.target.span, (note,), _FEED_ONCE.format(name=name), name=name)
        if not isinstance(fed.value, t.Attribute):
            refuse_all(ctx, plan.env, fed.value, "for a feed")
        value = given(ctx, plan.env, fed.value)
        if isinstance(value.value, Tensor):
            shown = f"{value.text}, {describe(value.value)},"
            ctx.fail(FEED_TARGET, fed.value.span, value=shown, hint="feed numbers, or data such as housing.features")
        if isinstance(value.value, (DataValue, Batch)):
            parts = " or ".join(f"{name} = {value.text}.{part}" for part in _fitting(ctx, target.type, value.value))
            hint = f"feed a part of it: {parts}" if parts else f"feed a part of it that fits {target.type}"
            ctx.fail(FEED_TARGET, fed.value.span, value=describe(value.value), hint=hint)
        check_feed(ctx, plan, fed, target, value, feds)
        expr = plan_value(ctx, value.value, value.span)
        result[target.ref] = Feed(target.ref, name, expr, Origin(fed.span))
        plan.fed.append(FedValue(result[target.ref], plan.loop and plan.loop.data, fed.value.span))

    ctx.each(add, feds)
    return result


_FEED_ONCE = "keep one of them; for one statement alone, write at its end: with {name} = ..."


def _fitting(ctx: Analysis, declared: TensorType, value: DataValue | Batch) -> list[str]:
    """The parts of data or of a batch that fit a placeholder, or all of them if none does."""
    known = [name for name in PARTS if field_of(value, name) is not None]
    return [name for name in known if _fits_array(ctx, declared, field_of(value, name))] or known


def _fits_array(ctx: Analysis, declared: TensorType, array: Array | None) -> bool:
    try:
        match_shape(declared.shape, array and array.type.shape, {}, ctx.graph.sizes)
    except SizeMismatch:
        return False
    return array is not None and declared.dtype.kind in BECOMES[array.type.dtype.kind]


def _check_swapped(ctx: Analysis, plan: Plan, fed: t.Fed, target: Tensor, mine: Array, feds: tuple[t.Fed, ...]) -> None:
    """Refuse a value that does not fit because features and target are fed the wrong way round: each only fits the
    other's placeholder."""
    expr = fed.value
    if not isinstance(expr, t.Attribute) or expr.name not in PARTS:
        return
    owner, other_part = expr.value.span.text, PARTS[1 - PARTS.index(expr.name)]
    data = given(ctx, plan.env, expr.value).value
    theirs = field_of(data, other_part) if isinstance(data, (DataValue, Batch)) else None
    for other in feds:
        if not (isinstance(other.value, t.Attribute) and other.value.span.text == f"{owner}.{other_part}"):
            continue
        swapped = dotted(ctx, plan.env, other.target)
        if (
            isinstance(swapped, Tensor)
            and _fits_array(ctx, target.type, theirs)
            and _fits_array(ctx, swapped.type, mine)
            and not _fits_array(ctx, swapped.type, theirs)
        ):
            if other.span.start < fed.span.start:  # reported there
                raise StatementFailed(None)
            note = _declared_note(fed, target)
            help = f"swap them: {fed.target.id} = {owner}.{other_part}, {other.target.id} = {owner}.{expr.name}"
            ctx.fail(FEED_SHAPE, expr.span, note, help, name=fed.target.id, declared=target.type, actual=mine.type)


_SHOWN = {"int": "whole numbers", "float": "numbers with a fraction", "bool": "true or false", "string": "strings"}


def check_feed(
    ctx: Analysis, plan: Plan, fed: t.Fed, target: Tensor, value: ArgumentValue, feds: tuple[t.Fed, ...] = ()
) -> None:
    """Check that a value can be fed to a tensor: dtype and rank, as far as both are known. `feds` are all feeds of the
    statement."""
    batches_of = plan.loop.data if plan.loop and feds else None  # of the enclosing training
    if isinstance(value.value, RuntimeValue):
        return
    declared, is_host_value = target.type, False
    if isinstance(value.value, Array):
        actual = value.value.type
        kind = actual.dtype.kind
    elif _is_list_of_run(value.value):
        kind = None
        actual = TensorType(declared.dtype, nested_shape(value.value))
    elif is_host(value.value):
        kind, is_host_value = scalar_class(ctx, value.value, value.span), True
        actual = TensorType(declared.dtype, literal_shape(ctx, value.value, value.span))
    else:
        one_each(ctx, (value.value, fed.value.span))
        ctx.fail(FEED_TARGET, fed.value.span, value=describe(value.value), hint=_fed_way(fed, target, value))
    if kind == "int" and declared.dtype.kind in ("int", "uint"):
        check_range(ctx, value, declared.dtype)
    if is_host_value:
        check_rounded(ctx, value, declared.dtype)
    if kind is not None and declared.dtype.kind not in BECOMES[kind]:
        help = ""
        if kind == "float" and target.is_variable:
            help = f"write a whole number, or give {fed.target.id} floats where it is declared, such as 1.0 for 1"
        elif kind == "float" and declared.dtype.kind in ("int", "uint"):
            help = (
                f"declare {fed.target.id}: {TensorType(FLOAT32, declared.shape)}, and where whole numbers are needed, "
                f"write cast({fed.target.id}, {declared.dtype})"
            )
        shown = _SHOWN.get(kind, "nothing") if is_host_value else actual
        note = _declared_note(fed, target)
        if isinstance(value.value, Array):
            _check_swapped(ctx, plan, fed, target, value.value, feds)
            help = _numbered(ctx, value.value, batches_of) if kind == "string" else help
            help = _one_hot(ctx, fed, declared, value.value, batches_of) or help
            help = _meant(ctx, fed, declared, value.value, batches_of, feds) or help
        ctx.fail(FEED_DTYPE, fed.value.span, note, help, name=fed.target.id, declared=declared, actual=shown)
    try:
        match_shape(declared.shape, actual.shape, {}, ctx.graph.sizes)
    except SizeMismatch:
        if isinstance(value.value, Array):
            _check_swapped(ctx, plan, fed, target, value.value, feds)
        dims = declared.shape or ()  # without a shape, nothing is refused
        notes = _declared_note(fed, target)
        notes += size_notes(ctx, *(dim for dim in dims if ctx.graph.sizes.resolve(dim) != dim))
        help = _rank_help(ctx, fed, declared, actual, isinstance(value.value, Array))
        made = ctx.graph.nodes[target.ref.node]
        if made.is_variable:  # of a `set`
            form = f"set {fed.target.id} = {{}}"
            help = keeps_shape(ctx, declared, value.value, actual, value.text, form, fed.target.id)
        elif not made.is_placeholder and actual.shape and declared.shape:
            sizes = ", ".join(map(str, ("n", *actual.shape[1:])))
            type = f"{declared.dtype}[{sizes}]"
            help = rebound(ctx.tree, fed.target.id)
            help = help or f"the graph computes {fed.target.id}; declare instead: placeholder {fed.target.id}: {type}"
        elif isinstance(value.value, Array):
            meant = _meant(ctx, fed, declared, value.value, batches_of, feds)
            if meant and actual.rank is not None and actual.rank > 2:  # a target often fits beside windows and pictures
                meant = f"{help}; or {meant}"
            data, field = _data_of(value.value, batches_of), value.value.field.field
            notes += left_out(ctx, data, field)
            owner = fed.value.span.text.rpartition(".")[0]
            way = instead(ctx, data, field, owner, fed.target.id, declared)
            help += _numbers_aside(ctx, data, field, declared, actual)
            help = _misfed(ctx, target, value.value, batches_of) or way or meant or help

        ctx.fail(FEED_SHAPE, fed.value.span, notes, help, name=fed.target.id, declared=declared, actual=actual)
    if ctx.failed and isinstance(value.value, Array) and declared.shape and actual.shape:
        type = TensorType(declared.dtype, (declared.shape[0], *actual.shape[1:]))
        ctx.bag.explain(SIZE_UNKNOWN, target.span, f"declare {fed.target.id}: {type}, as it is fed {value.text}")


def _meant(
    ctx: Analysis, fed: t.Fed, declared: TensorType, array: Array, batches_of: str | None, feds: tuple[t.Fed, ...]
) -> str:  # fmt: skip
    """A help line if the features or the target of the same data fit the placeholder, and nothing else gets them."""
    expr = fed.value
    known = ctx.datasets.get(_data_of(array, batches_of))
    if known is None or not isinstance(expr, (t.Attribute, t.Index)):
        return ""
    for part in PARTS:
        text = f"{expr.value.span.text}.{part}"
        if part == array.field.field or any(one.value.span.text == text for one in feds):
            continue
        if _fits_part(ctx, declared, known.schema, part):
            return f"feed the {part}: {fed.target.id} = {text}"
    return ""


def _one_hot(ctx: Analysis, fed: t.Fed, declared: TensorType, array: Array, batches_of: str | None) -> str:
    """A help line for a target of several columns where the numbers of classes are wanted."""
    known = ctx.datasets.get(_data_of(array, batches_of))
    count = len(known.schema.columns_of("target")) if known is not None and array.field.field == "target" else 0
    if count < 2 or declared.dtype.kind not in ("int", "uint"):
        return ""
    rows = declared.shape[0] if declared.shape else None
    type = TensorType(FLOAT32, (rows, count))
    return (
        f"the target has {count} columns: for the numbers of its classes in one, write categories for one_hot; or "
        f"declare {fed.target.id}: {type}, with the loss nn.softmax_cross_entropy({fed.target.id}, logits)"
    )


def _fits_part(ctx: Analysis, declared: TensorType, schema: Schema, part: str) -> bool:
    """Whether a batch of the features or of the target of data fits a placeholder."""
    type = schema.type_of(part)
    if type is None or declared.dtype.kind not in BECOMES[type.dtype.kind] or not schema.is_complete(part):
        return False
    with suppress(SizeMismatch):
        match_shape(declared.shape, (None, *(type.shape or ())[1:]), {}, ctx.graph.sizes)
        return True
    return False


def _data_of(array: Array, batches_of: str | None) -> str:
    """The data that an array is of, "" if it is of none."""
    return array.field.data if isinstance(array.field, Field) else batches_of or ""


def _declared_note(fed: t.Fed, target: Tensor) -> tuple[Note, ...]:
    return (Note(f"{fed.target.id}: {target.type} is from line {{line}}", target.span),)


def _numbered(ctx: Analysis, array: Array, batches_of: str | None) -> str:
    """A help line for text of data where numbers are wanted."""
    name = _data_of(array, batches_of)
    known = ctx.datasets.get(name)
    columns = known.schema.columns_of(array.field.field) if known is not None else ()
    if known is None or not columns:
        return ""
    text = next((one for one in columns if one.dtype == STRING), columns[0])
    ways = ctx.pipelines[known.name].ways_out(text)
    if text.role == "target":  # one_hot makes several targets of it
        ways = ways.replace(f"| one_hot({shown(text.name)}) or ", "")
    return f"make numbers of {shown(text.name)} where {name} is declared: {ways}"


def _misfed(ctx: Analysis, target: Tensor, array: Array, batches_of: str | None) -> str:
    """A help line for data whose target is still one of its columns. Of the statements that feed a part of some data
    to a placeholder that it does not fit, only the first is reported."""
    data = _data_of(array, batches_of)
    key = target.ref, data, array.field.field, array.type.shape[1:] if array.type.shape else None
    if key in ctx.graph.told:
        raise StatementFailed(None)
    ctx.graph.told.add(key)
    wanted, found = target.type.shape or (), array.type.shape or ()
    known = ctx.datasets.get(data)
    if array.field.field != "features" or known is None or known.schema.targets or len(wanted) != 2 or len(found) != 2:
        return ""
    columns = ctx.graph.sizes.resolve(wanted[1])
    return targetless(ctx, known.name) if isinstance(columns, int) and columns + 1 == found[1] else ""


def _fed_way(fed: t.Fed, target: Tensor, value: ArgumentValue) -> str:
    """What to write for a value that cannot be fed. A list may have elements that only the graph can compute."""
    if not isinstance(value.value, (list, tuple)) or not has_tensor(value.value):
        return "feed numbers or data"
    text, is_flat = fed.value.span.one_line, not any(isinstance(one, (list, tuple)) for one in value.value)
    if target.is_variable and is_flat:  # of a `set`
        return f"write: set {fed.target.id} = stack({text})"
    use = f"set {fed.target.id} = now" if target.is_variable else f"with {fed.target.id} = now"
    return f"compute it first, in a line of its own: now = {text}; then write: {use}"


def _is_list_of_run(value: ExprValue) -> bool:
    """Whether a value is a list with numbers that only the running session knows."""
    if not isinstance(value, (list, tuple)):
        return False
    return any(isinstance(one, RuntimeValue) or _is_list_of_run(one) for one in value) and all(
        isinstance(one, RuntimeValue) or _is_list_of_run(one) or is_host(one) for one in value
    )


def _rank_help(ctx: Analysis, fed: t.Fed, declared: TensorType, actual: TensorType, is_data: bool) -> str:
    """A help line for extra axes, missing axes or a different size."""
    wanted, found, text = declared.shape or (), actual.shape, fed.value.span.one_line
    if found is not None and len(found) == len(wanted) + 1 and found[-1] == 1 and _fits(ctx, wanted, found[:-1]):
        type = f"{declared.dtype}[{', '.join(map(str, (*wanted, 1)))}]"
        first = ", ".join([*":" * len(wanted), "0"])
        return f"declare {fed.target.id}: {type}" + (f", or feed {text}[{first}]" if is_data else "")
    if found and wanted and len(found) == len(wanted) - 1 and wanted[-1] == 1 and _fits(ctx, wanted[1:-1], found[1:]):
        type = TensorType(declared.dtype, (wanted[0], *found[1:]))
        declare = f"declare {fed.target.id}: {type}"
        return declare if is_data else f"feed rows of one number, as in [[1], [2]], or {declare}"
    if found is None:
        return ""
    if is_data and len(found) != len(wanted):
        rows = next((one for one in wanted[:1] if not isinstance(ctx.graph.sizes.resolve(one), int)), None)
        return f"declare {fed.target.id}: {TensorType(declared.dtype, (rows, *found[1:]))}"
    if not wanted:
        return f"feed one number, or declare {fed.target.id}: {declared.dtype}[n]"
    if len(found) == len(wanted):
        return _sizes_help(ctx, fed, declared, wanted, found)
    if declared.dtype.kind == "string":
        return ""
    if len(found) == len(wanted) - 1 and 0 not in found and _fits(ctx, wanted, (1, *found)):
        return f"feed a list of them: {fed.target.id} = [{text}]"
    last = ctx.graph.sizes.resolve(wanted[-1])
    count = last if isinstance(last, int) else 2
    example = ", ".join(map(str, range(1, min(count, 4) + 1))) + (", ..." if count > 4 else "")
    what = {1: "a list", 2: "a list of rows"}.get(len(wanted), f"lists {len(wanted)} deep")
    return f"feed {what}, as in {'[' * len(wanted)}{example}{']' * len(wanted)}"


def _fits(ctx: Analysis, wanted: tuple[Dim, ...], found: tuple[Dim, ...]) -> bool:
    sizes = map(ctx.graph.sizes.resolve, wanted)
    return all(not isinstance(size, int) or size == other for size, other in zip(sizes, found, strict=True))


def _sizes_help(ctx: Analysis, fed: t.Fed, declared: TensorType, dims: tuple[Dim, ...], found: tuple[Dim, ...]) -> str:
    """A help line for a size that differs. `dims` are declared, `found` are fed."""
    wanted = [ctx.graph.sizes.resolve(size) for size in dims]
    sizes = [
        one if not isinstance(size, int) or size == other else other
        for one, size, other in zip(dims, wanted, found, strict=True)
    ]
    if wanted[0] != found[0] and isinstance(wanted[0], int):
        sizes[0] = None
    last = wanted[-1]
    feed = f"{'feed' if len(wanted) == 1 else 'feed rows of'} {counted(last, 'number')}"
    shown = ", ".join("?" if one is None else str(one) for one in sizes)
    declare = f"declare {fed.target.id}: {declared.dtype}[{shown}]"
    return f"{declare}, or {feed}" if isinstance(last, int) and last != found[-1] else declare


def checked_feeds(
    ctx: Analysis, plan: Plan, feds: tuple[t.Fed, ...], refs: list[Ref], what: str, statement: t.Statement,
    changed: Ref | None = None,
) -> tuple[Feed, ...]:  # fmt: skip
    """The feeds of a statement. Its own feeds take precedence over the loop's, and all that it needs must be fed.
    `changed` is a variable that it changes by other means than its nodes."""
    own = feed_entries(ctx, plan, feds) if feds else {}
    feeds = {**_of_loop(ctx, plan, own, refs, statement), **own}
    if ctx.graph.session_fed:
        reached = ctx.executed(ctx.graph, refs, statement.span, frozenset(feeds)).all(Kind.PLACEHOLDER)
        own |= {ref: feed for ref, feed in ctx.graph.session_fed.items() if ref.node in reached}
        feeds |= own
    sizes = _check_sizes(ctx, plan, feeds.values(), plan.loop.rows if plan.loop and refs else 0)
    executed = check_needs(ctx, plan, refs, frozenset(feeds), what, statement)
    _check_met(ctx, executed, sizes, statement)
    return tuple(with_training(ctx, feeds, own, refs, executed, what, statement, changed).values())


def _of_loop(
    ctx: Analysis, plan: Plan, own: Mapping[Ref, Feed], refs: list[Ref], statement: t.Statement
) -> Mapping[Ref, Feed]:
    """The feeds of the training around a statement. If it has its own, only those that it needs: others may be of
    another number of rows."""
    feeds = plan.loop.feeds if plan.loop else {}
    if not feeds or not own:
        return feeds
    ctx.graph.executions.ask(feeds)  # perhaps tensors that no statement has fed before
    needed = ctx.executed(ctx.graph, refs, statement.span, frozenset(own)).needed(feeds)
    return {ref: feed for ref, feed in feeds.items() if ref in needed}


def check_needs(
    ctx: Analysis, plan: Plan, refs: list[Ref], fed: frozenset[Ref], what: str, statement: t.Statement
) -> Reached:
    """What a statement executes. Its placeholders must be fed and its variables initialised."""
    graph = ctx.graph
    executed = ctx.executed(graph, refs, statement.span, fed)
    for ref in [ref for ref in plan.restored if ref.node in executed]:
        del plan.restored[ref]  # it is used, so what happens to it later does not matter
    needed = [n for n in executed.all(Kind.PLACEHOLDER) if "default" not in graph.nodes[n].args]
    if needed and plan.loop and plan.loop.broken:
        raise StatementFailed(None)
    if needed:
        names = [graph.nodes[n].shown for n in needed]
        notes = tuple(
            Note(
                f"{graph.nodes[n].name}: {graph.nodes[n].outputs[0]} is from line {{line}}", graph.nodes[n].origin.span
            )
            for n in needed
        )
        if any(map(executed.is_for_gradients, needed)):
            below = " and ".join(graph.nodes[n].shown for n in needed if executed.is_for_gradients(n))
            notes += (Note(f"the gradients read {below} below what is fed"),)
        first = " = ..., ".join(names)
        nodes, schema, help = [graph.nodes[n] for n in needed], plan.loop.schema if plan.loop else None, ""

        def fits(node: Node, part: str) -> bool:
            return schema is not None and _fits_part(ctx, node.outputs[0], schema, part)

        if isinstance(statement, t.Evaluate):
            help = in_evaluate(nodes, statement, schema is not None, fits)
        elif isinstance(statement, t.Train) and not plan.loop:
            help = f"write in the body: feed {first} = ..."
        elif plan.loop is not None and plan.around is not None:
            why, help = in_training(nodes, statement, plan.loop.feeds, plan.around, fits)
            notes += (Note(why, plan.around),)
        elif not isinstance(statement, t.Export):
            place, help = after_training(nodes, statement, plan.fed, partial(_unseen, ctx))
            if isinstance(statement, t.Feeding):
                help = help or at_end(statement, f"{first} = ...")
            elif isinstance(statement, t.If):
                help = in_condition(names)
            notes += (Note("the 'feed' of line {line} is for its training only", place),) if place is not None else ()
        if isinstance(statement, t.Export):  # it names its inputs, and feeds nothing
            values, inputs = (", ".join(one.span.text for one in many) for many in (statement.values, statement.inputs))
            inputs = ", ".join(filter(None, (inputs, *names)))
            help = f"write: export {values} with {inputs} to {statement.path.span.text}"
            if not values:
                help = f"add {', '.join(names)} behind the 'with' of the signature"
        help = next(filter(None, (rebound(ctx.tree, name) for name in names)), help)
        ctx.fail(UNFED, statement.span, notes, help, what=what, names=" and ".join(names), first=first)
    if plan.initialised is not None:
        variables = executed.all(Kind.VARIABLE)
        ctx.spend(len(variables), statement.span)
        needed = list(map(Ref, variables))
        check_initialised(ctx, plan.initialised, plan.around, statement, needed, *plan.partly, restore=plan.restoring)
        # An assignment that ran initialises its variable.
        writes = [graph.nodes[n] for n in executed.all(Kind.WRITE)]
        plan.initialised.update(node.ref("ref") for node in writes if node.row is ASSIGN)
    return executed


def _unseen(ctx: Analysis, data: str) -> str:
    """The part of data whose rows are kept for tests, or for validation; "" if it has neither."""
    parts = dict(ctx.datasets[data].schema.parts) if data in ctx.datasets else {}
    return next((one for one in ("test", "validation") if one in parts), "")


def _check_sizes(
    ctx: Analysis, plan: Plan, feeds: Iterable[Feed], rows: int, notes: tuple[Note, ...] = (), help: str = ""
) -> dict[str, tuple[int, str]]:
    """Check that arrays fed together agree on named sizes, as far as their sizes are known, and return these: the
    number of each and the fed name that it is from. `rows` is the batch size, 0 if it does not count."""
    graph = ctx.graph
    bound: dict[str, tuple[int, str]] = {}
    for feed in feeds:
        actual, declared = known_shape(ctx, plan, feed.value, rows), graph.nodes[feed.ref.node].outputs[feed.ref.output]
        try:
            match_shape(declared.shape, actual, bound, graph.sizes, feed.text)
        except SizeMismatch as error:
            if error.size:
                help = help or _same_rows(feed, feeds)
                ctx.fail(FEED_SIZE, feed.origin.span, notes, help, size=error.size, first=error.first,
                         first_name=error.first_name, second=error.second, second_name=feed.text)  # fmt: skip
            note = Note(f"{feed.text}: {declared} is from line {{line}}", graph.nodes[feed.ref.node].origin.span)
            shape = ", ".join("?" if at == 0 else str(size) for at, size in enumerate(declared.shape or ()))
            help = help and f"declare {feed.text}: {declared.dtype}[{shape}], or {help}"
            ctx.fail(FEED_SHAPE, feed.origin.span, (note, *notes), help, name=feed.text, declared=declared,
                     actual=f"a batch of shape {shape_text(actual)}")  # fmt: skip
    return bound


def _numbers_aside(ctx: Analysis, data: str, field: str, declared: TensorType, actual: TensorType) -> str:
    """The end of a help line for features with one column too many, if one has the numbers of categories."""
    known, wanted, found = ctx.datasets.get(data), declared.shape or (), actual.shape or ()
    if known is None or field != "features" or len(wanted) != 2 or len(found) != 2:
        return ""
    numbers = [one for one in known.schema.table if one.role == "feature" and one.is_learned and one.dtype == INT64]
    size = ctx.graph.sizes.resolve(wanted[1])
    if len(numbers) != 1 or not isinstance(size, int) or size + 1 != found[1]:
        return ""
    return f"; or leave the numbers of categories out of the features: | aside({shown(numbers[0].name)})"


def _same_rows(feed: Feed, others: Iterable[Feed]) -> str:
    """A help line for all rows of some data beside a batch. "" for other feeds."""
    value = feed.value
    batch = next(
        (one.origin.span.text.rpartition("=")[2].strip() for one in others if type(one.value) is BatchField), ""
    )
    if not isinstance(value, Field) or not batch or value.field not in PARTS:
        return ""
    return f"feed the rows of the batch: {feed.text} = {batch.partition('.')[0]}.{value.field}"


def _check_met(ctx: Analysis, executed: Reached, sizes: Mapping[str, tuple[int, str]], statement: t.Statement) -> None:
    """Check that the named sizes of a statement broadcast against the numbers that they meet in the nodes it
    executes, apart from those of branches and loops, which may not run."""
    graph = ctx.graph
    for id in executed.all(Kind.MET) if sizes and graph.met else ():
        node = graph.nodes[id]
        for size, number in graph.met[id]:
            named = graph.sizes.resolve(size)
            found, name = sizes.get(named.name, (1, "")) if isinstance(named, Size) else (1, "")
            if found in (1, number):
                continue
            note = Note(f"'{size}' is {found} on line {{line}}, by the value that {name} is fed", statement.span)
            types = [type for arg in node.args.values() if (type := _type(graph, arg)) is not None][:2]
            first, last = types[0].shape or (), types[-1].shape or ()
            operator = node.table_row.operator
            is_product = operator == "*" and len(last) == 2 and first[-1:] == last[:1]
            help = "the matrix product is written with @" if is_product else ""
            details = {"op": f"'{operator}'" if operator else node.op, "left": found, "right": number}
            details |= {"a": types[0], "b": types[-1]}
            raise StatementFailed(Diagnostic(BROADCAST, node.origin.span, details, (note,), help, node.origin.chain))


def _type(graph: GraphBuilder, arg: Arg) -> TensorType | None:
    match arg:
        case Ref(node=id, output=output) if graph.nodes[id].outputs:
            return graph.nodes[id].outputs[output]
        case Literal(value=value, dtype=dtype):
            return TensorType(ALL_DTYPES[dtype], nested_shape(value))
    return None


def check_last_batch(ctx: Analysis, plan: Plan, body: Iterable[Statement], rows: int, size: int) -> None:
    """Check that the feeds of a training fit the short last batch of an epoch, which has `rows` rows instead of
    `size`."""
    if any(isinstance(one, Stop) for one in walk(tuple(body))):
        return  # it may end before then
    notes = (Note(f"the last batch of each epoch has {counted(rows, 'row')}"),)
    help = f"write 'in batches of {size} sampled', which gives every batch {counted(size, 'row')}"
    for one in body:
        uses = one.uses()
        if uses.feeds and uses.executes:
            _check_sizes(ctx, plan, uses.feeds, rows, notes, help)


def check_short_batch(ctx: Analysis, plan: Plan, feeds: Iterable[Feed], rows: int, help: str) -> None:
    """Check that feeds fit the short last batch of an `evaluate`."""
    notes = (Note(f"the last batch has {counted(rows, 'row')}"),)
    _check_sizes(ctx, plan, feeds, rows, notes, help)


def known_shape(ctx: Analysis, plan: Plan, value: PlanExpr, rows: int = 0) -> Shape:
    """The shape of a value, as far as it is known. `rows` is the batch size."""
    match value:
        case Value(value=literal):
            return nested_shape(literal)
        case Fetch(ref=ref) if ctx.graph.nodes[ref.node].outputs:
            return ctx.graph.nodes[ref.node].outputs[ref.output].shape
        case Field(data=data, part=part, field=name, index=index):
            if data not in ctx.datasets:
                return ctx.taken[data].type.shape if index == () else None
            dataset = ctx.datasets[data]
            type = dataset.schema.type_of(name)
            schema = dataset.schema.part(part) if part else dataset.schema
            if type is None or type.shape is None or schema is None:
                return None
            return _indexed((schema.rows, *type.shape[1:]), index)
        case BatchField(field=name, index=index) if rows and plan.loop and plan.loop.schema:
            type = plan.loop.schema.type_of(name)
            return None if type is None or type.shape is None else _indexed((rows, *type.shape[1:]), index)
    return None


def _indexed(shape: tuple[Dim, ...], index: tuple[Index, ...]) -> tuple[Dim, ...]:
    """The shape of an indexed array."""
    known = [size if isinstance(size, int) else 0 for size in shape]  # sizes of data are numbers
    parts = [range(size)[slice(*item)] for size, item in zip(known, index) if isinstance(item, tuple)]
    return (*map(len, parts), *shape[len(index) :])
