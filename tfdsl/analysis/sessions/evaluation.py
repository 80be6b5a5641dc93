"""Turns `NAME = EXPR` and `NAME = evaluate ...` into the plan: they give names of the session their values."""

from collections.abc import Iterable, Mapping

from ...data.schema import Column, Schema
from ...diagnostics import (
    EVALUATE_BATCH,
    EVALUATE_CHANGES,
    EVALUATE_COUNT,
    EVALUATE_DRAWS,
    EVALUATE_NAME,
    EVALUATE_OTHER,
    EVALUATE_ROWS,
    EVALUATE_SAME,
    NOT_COMBINED,
    STREAM_BATCHES,
    VALUE_NONE,
    VALUE_OF,
    VALUE_TAKEN,
    VALUE_TWICE,
    VALUE_TYPE,
    Note,
)
from ...ops.batch import COLUMNS, MEAN, ROWS, SIZES, SUM
from ...ops.named import OPERATORS
from ...program import (
    Apply,
    BatchField,
    Bind,
    Combination,
    Evaluate,
    Evaluated,
    Feed,
    Fetch,
    Field,
    Origin,
    PlanExpr,
    Ref,
    SessionValue,
    Shown,
    Value,
    parts_of,
)
from ...record import replace
from ...syntax import tree as t
from ...types import STRING, Dim, TensorType, nested_shape
from ..calls import training
from ..calls.arguments import default_dtype, scalar_class
from ..calls.session_values import plan_value
from ..calls.wrong_kind import not_tensor
from ..context import Analysis
from ..executed import Kind
from ..expressions.binding import unpacked
from ..expressions.expressions import dotted, value_of
from ..values import (
    Array,
    Batch,
    DataValue,
    Env,
    Evaluation,
    ExprValue,
    Operation,
    RuntimeValue,
    ShapeOf,
    Tensor,
    describe,
    is_host,
)
from .braces import refuse_inside
from .combination import Combinations, NotCombined
from .feeds import Loop, Plan, check_short_batch, checked_feeds
from .outside_types import items_of, numbers_of, type_of_list
from .plan_values import count_of, session_value

_KINDS: Mapping[str, str] = {
    ROWS: "the rows", COLUMNS: "the rows as columns", SIZES: "their shape", MEAN: "a mean over them",
    SUM: "a sum over them",
}  # fmt: skip

# --- names ------------------------------------------------------------------------------------


def _check_once(ctx: Analysis, targets: tuple[t.Identifier, ...]) -> None:
    """Refuse a name that a statement gives two values."""
    for at, target in enumerate(targets):
        if any(other.id == target.id for other in targets[:at]):
            ctx.fail(VALUE_TAKEN, target.span, name=target.id, what="another name of this statement")


def give(ctx: Analysis, plan: Plan, target: t.Identifier, value: RuntimeValue | Evaluation) -> None:
    """Give a name of the session a value."""
    name, env = target.id, plan.names
    if name == training.NAME:
        ctx.fail(VALUE_TAKEN, target.span, name=name, what="a bool of every graph")
    others = next((found for one in plan.env.around() if one is not env and (found := one.names.get(name))), [])
    for other in others[:1]:
        is_variable = isinstance(other.value, Tensor) and other.value.is_variable
        what = "a variable" if is_variable else "a name of the program"
        called = other.qualified(name) if len(others) > 1 else name
        help = f"to change the variable, write: set {called} = ..." if is_variable else ""
        note = (Note("it is from line {line}", other.span),)
        ctx.fail(VALUE_TAKEN, target.span, note, help, name=name, what=what)
    before = env.find(name)
    if plan.loop is not None and before is not None and name in plan.loop.before:
        old, new = type_text(before.value), type_text(value)
        if old != new:
            note = (Note("it had a value on line {line}", before.span),)
            help = _type_help(name, before.value, value)
            ctx.fail(VALUE_TYPE, target.span, note, help, name=name, before=old, after=new)
    if plan.loop is not None and plan.loop.stop is not None and before is None:
        plan.loop.doubtful.append(name)
    env.rebind(name, value, target.span)
    if ctx.observer is not None:
        ctx.observer.value(target, value)


def _type_help(name: str, before: ExprValue, after: ExprValue) -> str:
    """A help line for a value of another type than the name had before a training, or ""."""
    match before, after:
        case RuntimeValue(type=TensorType() as old), RuntimeValue(type=TensorType() as new):
            if old.dtype == new.dtype:
                return "a value keeps its shape in a training: log it, or collect it with scatter_update(v, i, x)"
            if old.dtype.kind == "int" and new.dtype.kind == "float" and old.shape == new.shape == ():
                return f"give it a fraction there, such as {name} = 0.0"
    return ""


def type_text(value: ExprValue) -> str:
    match value:
        case RuntimeValue(type=TensorType() as type):
            return str(type)
        case Evaluation(fields=fields):
            return "values of " + ", ".join(f"{name} {one.type}" for name, one in fields.items())
        case _:
            return describe(value)


def bind(ctx: Analysis, plan: Plan, statement: t.Bind) -> Bind:
    """`a, b = EXPR`: one execution."""
    expr, targets, first = statement.value, statement.targets, statement.targets[0].id
    _check_once(ctx, targets)
    if isinstance(expr, t.Constant) and isinstance(expr.value, str) and len(targets) == 1:
        values: list[PlanExpr] = [session_value(ctx, plan, expr)]
        types: list[TensorType | None] = [TensorType(STRING, ())]
        found: Iterable[ExprValue] = [None]
    else:
        refuse_inside(ctx, plan.env, expr)
        value = value_of(ctx, plan.env, expr)
        found = unpacked(ctx, targets, items_of(value), expr.span) if len(targets) > 1 else [value]
        types = [_type(ctx, plan, one, expr) for one in found]
        exact = _exact(ctx, plan, expr) if len(targets) == 1 and _is_whole(types[0]) else None
        values = [plan_value(ctx, one, expr.span) for one in found] if exact is None else [exact]
    refs = [part.ref for one in values for part in parts_of(one) if isinstance(part, Fetch)]
    feeds = checked_feeds(ctx, plan, statement.feeds, refs, f"'{first} ='", statement)
    dtypes: list[str] = []
    for target, type, one, part in zip(targets, types, found, values, strict=True):
        kept = _type_before(ctx, plan, target, part) if type is None else None
        is_made = isinstance(part, Apply) and (isinstance(one, (list, tuple)) or _is_whole(type))
        made = kept or (type if is_made else None)
        dtypes.append("" if made is None else made.dtype.name)
        of = one.ref if isinstance(one, Tensor) else None
        give(ctx, plan, target, RuntimeValue(SessionValue(target.id), kept or type, None, of))
    return Bind(Origin(statement.span), tuple(one.id for one in targets), tuple(values), tuple(dtypes), feeds)


def _is_whole(type: TensorType | None) -> bool:
    return type is not None and type.shape == () and type.dtype.kind in ("int", "uint")


def _exact(ctx: Analysis, plan: Plan, expr: t.Expr) -> Apply | None:
    """A sum, difference or product of whole numbers that the session knows, computed outside the graph: there they have
    no largest one, and a result outside the range of its dtype is an error. In the graph it would wrap around."""

    def part(expr: t.Expr) -> PlanExpr | None:
        match expr:
            case t.Constant(value=int() as value) if not isinstance(value, bool):
                return Value(value)
            case t.Name(id=name):
                binding = plan.env.single(name) if plan.env.knows(name) else None
                match binding.value if binding is not None else None:
                    case RuntimeValue(expr=SessionValue() as kept, type=type) if _is_whole(type):
                        return kept
                    case int() as value if not isinstance(value, bool):
                        return Value(value)
                    case _:
                        return None
            case t.Unary(op="-" | "+" as op, operand=operand):
                inner = part(operand)
                return None if inner is None else Apply(f"unary {op}", (inner,))
            case t.Binary(op="+" | "-" | "*" as op, left=left, right=right):
                both = part(left), part(right)
                return None if both[0] is None or both[1] is None else Apply(op, (both[0], both[1]))
            case _:
                return None

    made = part(expr)
    return made if isinstance(made, Apply) else None


def _type_before(ctx: Analysis, plan: Plan, target: t.Identifier, value: PlanExpr) -> TensorType | None:
    """The type that a name keeps in a training, if numbers that are computed outside the graph can have it."""
    if plan.loop is None or target.id not in plan.loop.before:
        return None
    before = plan.names.find(target.id)
    match before.value if before is not None else None:
        case RuntimeValue(type=TensorType(dtype=dtype, shape=shape) as type) if dtype.kind in ("int", "uint", "float"):
            found = numbers_of(ctx, value, plan.names)
            if found is None or found[1] != shape or (found[0] == "float" and dtype.kind != "float"):
                return None
            return type
        case _:
            return None


def _type(ctx: Analysis, plan: Plan, value: ExprValue, expr: t.Expr) -> TensorType | None:
    match value:
        case Operation():
            ctx.fail(VALUE_NONE, expr.span, value="an operation", way=f"write: run {expr.span.one_line}")
        case Evaluation():
            way = f"name one of them: {expr.span.one_line}.{next(iter(value.fields))}"
            ctx.fail(VALUE_NONE, expr.span, value="an evaluate of several values", way=way)
        case DataValue() | Batch():
            not_tensor(ctx, value, expr.span)
        case Tensor(type=type):
            return TensorType(type.dtype, _unnamed(ctx, type.shape))
        case Array(type=type) | RuntimeValue(type=type):
            return type
        case ShapeOf():
            return None
        case list() | tuple() if not is_host(value):
            return type_of_list(ctx, value)
        case _ if is_host(value) and value is not None:
            return TensorType(default_dtype(value, scalar_class(ctx, value, expr.span)), nested_shape(value))
        case _:
            return None


def _unnamed(ctx: Analysis, shape: Iterable[Dim] | None) -> tuple[Dim, ...] | None:
    """A shape without names of sizes, which may be other numbers at another time."""
    sizes = None if shape is None else [ctx.graph.sizes.resolve(size) for size in shape]
    return None if sizes is None else tuple(size if isinstance(size, int) else None for size in sizes)


def written_values(ctx: Analysis, value: t.Valued, found: ExprValue) -> list[Shown]:
    """The values that a `write` writes for an expression, with their names."""
    text = own_name(value) or value.value.span.one_line
    if isinstance(found, Evaluation):
        return [Shown(name, one.expr) for name, one in found.fields.items()]
    if isinstance(found, (DataValue, Batch)):
        not_tensor(ctx, found, value.span)
    return [Shown(text, plan_value(ctx, found, value.span))]


# --- evaluate ---------------------------------------------------------------------------------


def evaluation(ctx: Analysis, plan: Plan, statement: t.Evaluate) -> Evaluate:
    """`test = evaluate accuracy, mse on moons.test in batches of 100 as b with X = b.features`."""
    _check_once(ctx, statement.targets)
    data, size = ctx.together(
        lambda: rows_of(ctx, plan, statement.data, "'evaluate ... on'"),
        lambda: None if statement.size is None else count_of(ctx, plan, statement.size, "the size of a batch"),
    )
    rows = data.schema.rows
    if size is None and data.schema.streamed:
        help = f"write: evaluate ... on {statement.data.id} in batches of 100 as batch"
        ctx.fail(STREAM_BATCHES, statement.data.span, help=help, name=statement.data.id, what="an evaluate")
    size = None if size is None else min(size, rows)
    inner = _inside(ctx, plan, statement, data, size or rows)
    tensors = [value_of(ctx, plan.env, one.value) for one in statement.values]
    refs: list[Ref] = []
    for one, value in zip(statement.values, tensors, strict=True):
        if not isinstance(value, Tensor):
            not_tensor(ctx, value, one.value.span)
        refs.append(ctx.use(value, one.value.span, one.value.span.one_line).ref)
    feeds = checked_feeds(ctx, inner, statement.feeds, refs, "'evaluate'", statement)
    if size is not None and rows % size:
        check_short_batch(ctx, inner, feeds, rows % size, f"write a size that divides the {rows} rows")
    names = _names(ctx, statement)
    combinations = _combinations(ctx, refs, feeds)
    has_other_rows = _doubt_rows(ctx, statement, data, feeds)
    if size is not None:
        _doubt_batches(ctx, statement, refs, feeds, combinations, has_other_rows)
    items: list[Evaluated] = []
    for name, one, ref in zip(names, statement.values, refs, strict=True):
        value = Fetch(ref) if size is None else _combined(ctx, statement, combinations, one, name, ref)
        dtype = ctx.graph.nodes[ref.node].outputs[ref.output].dtype.name
        items.append(Evaluated(ref, name, own_name(one) or "value", value, dtype))
    types = [_evaluated_type(ctx, ref, combinations.kind(ref), rows) for ref in refs]
    _give(ctx, plan, statement, names, types, [combinations.kind(ref) for ref in refs], refs, rows)
    combined = tuple(combinations.leaves.items()) if size is not None else ()
    targets = tuple(one.id for one in statement.targets)
    pair = (data.name, data.part)
    return Evaluate(Origin(statement.span), targets, tuple(items), pair, rows, size, combined, feeds)


def _doubt_rows(ctx: Analysis, statement: t.Evaluate, data: DataValue, feeds: tuple[Feed, ...]) -> bool:
    """Warn of an `evaluate` that is fed the rows of other data, and no batch of its own. Returns whether it is."""
    parts = [(feed, part) for feed in feeds for part in parts_of(feed.value)]
    others = [
        (feed, part)
        for feed, part in parts
        if isinstance(part, Field) and part.field not in ("rows", "columns") and part.data in ctx.datasets
    ]
    own = (data.name, data.part)
    if any(
        isinstance(part, BatchField) or (isinstance(part, Field) and (part.data, part.part) == own) for _, part in parts
    ):
        return False
    for _, part in others[:1]:
        batch = statement.batch.id if statement.batch is not None else "b"
        given = ", ".join(
            f"{one.text} = {batch}.{field.field if field.field in ('features', 'target') else 'features'}"
            for one, field in others
        )
        there = f"{part.data}.{part.part}" if part.part else part.data
        way = f"feed the batch, as in: as {batch} with {given}; or write evaluate ... on {there}"
        shown = f"{own[0]}.{own[1]}" if own[1] else own[0]
        ctx.report(EVALUATE_OTHER, statement.data.span, data=shown, field=f"{there}.{part.field}", way=way)
    return bool(others)


def _doubt_batches(
    ctx: Analysis, statement: t.Evaluate, refs: list[Ref], feeds: tuple[Feed, ...], combinations: Combinations,
    has_other_rows: bool,
) -> None:  # fmt: skip
    """Warn of batches that nothing is fed, and of changes that are made once for each batch."""
    parts = [part for feed in feeds for part in parts_of(feed.value)]
    if not has_other_rows and not any(isinstance(part, BatchField) for part in parts):
        batch = statement.batch.id if statement.batch is not None else "b"
        ctx.report(EVALUATE_SAME, statement.data.span, batch=batch)
    executed = ctx.executed(ctx.graph, refs, statement.span, frozenset(feed.ref for feed in feeds))
    changes = [node for id in executed.all(Kind.CHANGE) if combinations.changes(node := ctx.graph.nodes[id])]
    if changes:
        ctx.report(EVALUATE_CHANGES, statement.span, op=changes[0].op)
    nodes = (ctx.graph.nodes[id] for id in sorted(ctx.graph.reach(refs, frozenset(feed.ref for feed in feeds))))
    drawn = [node for node in nodes if node.row is not None and node.row.draws and combinations.is_fixed(node)]
    if drawn:
        ctx.report(EVALUATE_DRAWS, statement.span, name=f"'{drawn[0].name}'" if drawn[0].name else drawn[0].op)


def rows_of(ctx: Analysis, plan: Plan, target: t.Identifier, function: str) -> DataValue:
    """Data, or what an `evaluate` gave a name, as data."""
    value = dotted(ctx, plan.env, target)
    match value:
        case DataValue():
            return value
        case Evaluation(schema=schema) | RuntimeValue(schema=Schema() as schema) if schema.table:
            return DataValue(target.id, "", schema, target.span)
    if isinstance(value, (RuntimeValue, Evaluation)):
        ctx.fail(EVALUATE_ROWS, target.span, value=target.id)
    help = ctx.did_you_mean(target.id, ctx.datasets)
    ctx.fail(VALUE_OF, target.span, help=help, name=f"'{target.id}'", value=describe(value), function=function)


def _inside(ctx: Analysis, plan: Plan, statement: t.Evaluate, data: DataValue, rows: int) -> Plan:
    """The plan for the feeds of an `evaluate`, which has batches of its own."""
    env, loop = Env(parent=plan.env), Loop(None, data.schema, rows)
    if data.name in ctx.datasets:
        loop.data = data.name
    if statement.batch is not None:
        size = None if data.schema.rows % rows else rows
        bind_batch(ctx, env, statement.batch, Batch(data.schema, size, data.name))
    if plan.loop is not None:
        loop.broken = plan.loop.broken
        loop.feeds = {
            ref: feed for ref, feed in plan.loop.feeds.items()
            if not any(isinstance(part, BatchField) for part in parts_of(feed.value))
        }  # fmt: skip
        _refuse_other_batch(ctx, plan, statement)
    return replace(plan, env=env, loop=loop)


def bind_batch(ctx: Analysis, env: Env, target: t.Identifier, batch: Batch) -> None:
    """Bind the batch name of a training or an `evaluate`. It may hide a counter of the same name."""
    env.rebind(target.id, batch, target.span)
    if ctx.observer is not None:
        ctx.observer.value(target, batch)


def _refuse_other_batch(ctx: Analysis, plan: Plan, statement: t.Evaluate) -> None:
    """Refuse feeds with the batch of the training around an `evaluate`."""
    own = statement.batch.id if statement.batch is not None else ""
    for feed in statement.feeds:
        match feed.value:
            case t.Attribute(value=t.Name(id=name), name=field) if name != own:
                binding = plan.env.single(name)
                if binding is not None and isinstance(binding.value, Batch):
                    ctx.fail(EVALUATE_BATCH, feed.value.span, name=name, field=field)


def _names(ctx: Analysis, statement: t.Evaluate) -> list[str]:
    """The names of the fields, or "" for a value that is the name's own."""
    values, targets = statement.values, statement.targets
    if len(targets) > 1:
        if len(targets) != len(values):
            field = own_name(values[0]) or "NAME"
            ctx.fail(EVALUATE_COUNT, statement.span, names=len(targets), values=len(values), name=targets[0].id,
                     field=field)  # fmt: skip
        return [""] * len(values)
    if len(values) == 1:
        return [""]
    names: list[str] = []
    for one in values:
        name = own_name(one)
        if not name:
            ctx.fail(EVALUATE_NAME, one.span, text=one.value.span.one_line)
        if name in names:
            ctx.fail(VALUE_TWICE, one.span, name=name, text=one.value.span.one_line)
        names.append(name)
    return names


def own_name(value: t.Valued) -> str:
    """The name that a value is given by `as`, or that it has."""
    if value.target is not None:
        return value.target.id
    match value.value:
        case t.Name(id=name) | t.Attribute(name=name):
            return name
        case _:
            return ""


def _combinations(ctx: Analysis, refs: list[Ref], feeds: Iterable[Feed]) -> Combinations:
    graph, rows, mixed, off = ctx.graph, set[int](), set[int](), set[int]()
    fed = {feed.ref: feed.value for feed in feeds}
    for ref, value in fed.items():
        match value:
            case BatchField(field=field, index=index) if field != "rows" and index[:1] in ((), ((None, None, None),)):
                rows.add(ref.node)
            case Value(value=False):
                off.add(ref.node)
            case _ if any(isinstance(part, BatchField) for part in parts_of(value)):
                mixed.add(ref.node)
    if graph.training is not None and Ref(graph.training.id) not in fed:
        off.add(graph.training.id)
    reached = graph.reach(refs, frozenset(fed))
    return Combinations(graph.nodes, reached | rows | mixed, rows, mixed, off, fed)


def _combined(
    ctx: Analysis, statement: t.Evaluate, combinations: Combinations, value: t.Valued, name: str, ref: Ref
) -> PlanExpr:
    try:
        return combinations.combined(ref)
    except NotCombined as error:
        node = error.node
        called = f"'{node.name}'" if node.name else node.op.rpartition(".")[2]
        operator = node.row.operator if node.row is not None else ""
        is_called = operator and node.origin.span.text.startswith(f"{node.op}(")
        what = f"'{operator}'" if operator and not is_called else node.op.rpartition(".")[2]
        mixed = [ref for ref in combinations.mixed if ref == node.id]
        given = sorted({kind for kind in error.kinds.values() if kind and kind != "fixed"})
        why = f"{called} mixes the rows of a batch"
        if mixed:
            given, why = [], f"{called} is fed a value that is made of the batch"
        if given:
            why = f"{what} of {' and '.join(_KINDS[kind] for kind in given)} is not a mean or a sum over all rows"
        text, data = value.value.span.one_line, statement.data.id
        way = "evaluate it at once: leave out 'in batches of'"
        if given in (["mean"], ["sum"]) and node.row is not None and len(node.row.params) == 1:
            way = f"evaluate what is in {node.row.name}(...), and apply {node.row.name} to the result"
        if node.row is OPERATORS["/"] and set(given) <= {"mean", "sum"} and not node.origin.span.source.is_library:
            way = "evaluate both sides of '/' separately, and divide the results"
        for array in [arg for arg in node.args.values() if isinstance(arg, Field)][:1]:  # whose shape rules do not see
            why, way = f"how {what} treats the rows beside {array} is not known", f"write constant({array}) for {array}"
        is_here = node.origin.span.line == value.span.line
        notes = () if is_here else (Note("it is computed on line {line}", node.origin.span),)
        ctx.fail(NOT_COMBINED, value.span, notes, value=text, why=why, way=way, data=data)


def _evaluated_type(ctx: Analysis, ref: Ref, kind: Combination | None, rows: int) -> TensorType:
    type = ctx.graph.nodes[ref.node].outputs[ref.output]
    shape = _unnamed(ctx, type.shape)
    if kind == "rows" and shape:
        shape = (rows, *shape[1:])
    return TensorType(type.dtype, shape)


def _give(
    ctx: Analysis, plan: Plan, statement: t.Evaluate, names: list[str], types: list[TensorType],
    kinds: list[Combination | None], refs: list[Ref], rows: int,
) -> None:  # fmt: skip
    columns, first = list[Column | None](), statement.targets[0]
    for one, type, kind in zip(statement.values, types, kinds, strict=True):
        sizes = [size for size in (type.shape or ())[1:] if isinstance(size, int)]
        if kind == "rows" and type.shape and len(sizes) == len(type.shape) - 1:
            columns.append(Column(own_name(one) or "value", type.dtype, tuple(sizes), "aside"))
        else:
            columns.append(None)
    if len(statement.targets) > 1 or len(names) == 1:
        for target, type, column, ref in zip(statement.targets, types, columns, refs, strict=True):
            schema = None if column is None else Schema(rows, (column,))
            give(ctx, plan, target, RuntimeValue(SessionValue(target.id), type, schema, ref))
        return
    fields = {
        name: RuntimeValue(SessionValue(first.id, name), type, None, ref)
        for name, type, ref in zip(names, types, refs, strict=True)
    }
    give(ctx, plan, first, Evaluation(first.id, fields, Schema(rows, tuple(filter(None, columns)))))
