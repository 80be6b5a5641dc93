"""Values that only the running session knows: they are computed outside the graph, or fed to a placeholder in it."""

from ...diagnostics import NO_CONTENT, TOO_DEEP
from ...limits import MAX_MOVING
from ...program import Apply, Fetch, PlanExpr, SessionValue, Value
from ...record import replace
from ...source import Span
from ...types import UNREADABLE, DType, TensorType
from ..context import Analysis, StatementFailed
from ..values import (
    PLAIN,
    Array,
    ErrorValue,
    ExprValue,
    Initializer,
    Operation,
    Outputs,
    Results,
    RuntimeValue,
    ShapeOf,
    Tensor,
    freeze,
    is_host,
)
from .arguments import Arguments, sizes_of
from .lists import is_array, one_shape
from .wrong_kind import not_tensor, several_values

_AS_THEY_ARE = PLAIN | {Tensor}  # the types of values that are the same as operands of the graph
FEWER_OPERATORS = "use fewer operators on values that only the session knows"


def in_node(ctx: Analysis, value: ExprValue, span: Span) -> ExprValue:
    """A value as an operand of the graph. The value of a name of the session becomes a placeholder."""
    match value:
        case Tensor() | int() | float():  # the usual cases
            return value
        case RuntimeValue(expr=SessionValue() as expr, type=TensorType() as type):
            return Tensor(ctx.graph.session_value(expr, type, ctx.origin(span)), type, ctx.graph.name, span)
        case list() | tuple() if any(isinstance(one, RuntimeValue) for one in value):
            return [in_node(ctx, one, span) for one in value]
        case Initializer():
            not_tensor(ctx, value, span)
        case _:
            return value


def as_arguments(ctx: Analysis, given: Arguments) -> Arguments:
    """Arguments of an op, in the graph."""
    if _AS_THEY_ARE.issuperset([type(one.value) for _, one in given]):  # the usual case
        return given
    if not any(isinstance(one.value, (RuntimeValue, list, tuple)) for _, one in given):
        return given
    return [(name, replace(one, value=in_node(ctx, one.value, one.span))) for name, one in given]


def as_operands(ctx: Analysis, *operands: tuple[ExprValue, Span]) -> list[ExprValue]:
    """Operands in the graph. Values of the session's names become placeholders, unless another operand is known only
    to the running session: then the operator is applied outside the graph."""
    if _AS_THEY_ARE.issuperset([type(value) for value, _ in operands]):  # the usual case
        return [value for value, _ in operands]
    moves = any(isinstance(value, RuntimeValue) and value.type is None for value, _ in operands)
    return [value if moves else in_node(ctx, value, span) for value, span in operands]


def moving(ctx: Analysis, op: str, operands: tuple[ExprValue, ...], span: Span) -> RuntimeValue:
    """Apply an operator to values of which one is known only to the running session. It is computed outside the
    graph."""
    made = Apply(op, tuple(plan_value(ctx, value, span) for value in operands))
    if _operators(made) > MAX_MOVING:
        ctx.fail(TOO_DEEP, span, help=FEWER_OPERATORS, limit=MAX_MOVING)
    return RuntimeValue(made)


def _operators(expr: PlanExpr) -> int:
    return 1 + sum(map(_operators, expr.args)) if isinstance(expr, Apply) else 0


def plan_value(ctx: Analysis, value: ExprValue, span: Span) -> PlanExpr:
    """A value in the plan: a fetch, an array of data, or a value that the session knows."""
    match value:
        case Tensor(type=TensorType(dtype=dtype)) if dtype.name in UNREADABLE:
            ctx.fail(NO_CONTENT, span, name=span.one_line[:40], dtype=dtype)
        case Tensor():
            return Fetch(ctx.use(value, span).ref)
        case Operation():
            not_tensor(ctx, value, span, f"it has no value; write: run {span.one_line}")
        case Array():
            return value.field
        case RuntimeValue():
            return value.expr
        case ShapeOf():
            return Value(tuple(sizes_of(ctx, value, span)))
        case DType():
            return Value(value.name)
        case ErrorValue():
            raise StatementFailed(None)
        case list() | tuple() | range() if not is_host(value):
            if isinstance(value, (Outputs, Results)) and not is_array(ctx, value):
                several_values(ctx, value, span)
            one_shape(ctx, value, span)
            return Apply("list", tuple(plan_value(ctx, item, span) for item in value))
        case _ if is_host(value):
            return Value(freeze(value))
    not_tensor(ctx, value, span)
