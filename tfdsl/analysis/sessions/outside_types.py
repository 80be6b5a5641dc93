"""The types of values that a session computes outside the graph, as far as the analysis knows them."""

from typing import assert_never

from ...program import Apply, BatchField, Counter, Fetch, Field, PlanExpr, SessionValue, Template, Value
from ...record import replace
from ...types import DType, TensorType
from ..context import Analysis
from ..names import Binding
from ..values import Env, Evaluation, ExprValue, RuntimeValue, Tensor

_KINDS = {"int": "int", "uint": "int", "float": "float"}
_ARITHMETIC = ("+", "-", "*", "/", "//", "%", "unary -", "unary +")
# "int" or "float", and the shape.
Numbers = tuple[str, tuple[int, ...]]


def numbers_of(ctx: Analysis, value: PlanExpr, names: Env) -> Numbers | None:
    """What kind of numbers an expression gives, and in which shape. None if it is not known."""
    match value:
        case Counter(name="epoch" | "step") | BatchField(field="rows", index=()):
            return "int", ()
        case Value(value=bool()):
            return None
        case Value(value=int() | float() as number):
            return type(number).__name__, ()
        case Fetch(ref=ref):
            return _of_type(ctx, ctx.graph.nodes[ref.node].outputs[ref.output])
        case SessionValue(name=name):
            return _of_name(ctx, value, names.find(name), names)
        case Apply(op="list", args=args):
            found = [numbers_of(ctx, one, names) for one in args]
            if not found or None in found or len({one[1] for one in found if one}) > 1:
                return None
            return _kind(found), (len(found), *(found[0][1] if found[0] else ()))
        case Apply(op=op, args=args) if op in _ARITHMETIC:
            found = [numbers_of(ctx, one, names) for one in args]
            shapes = {one[1] for one in found if one} - {()}
            if None in found or len(shapes) > 1:
                return None
            return "float" if op == "/" else _kind(found), shapes.pop() if shapes else ()
        case Value() | Counter() | Field() | BatchField() | Template() | Apply():
            return None
        case _:
            assert_never(value)


def _kind(found: "list[Numbers | None]") -> str:
    return "float" if any(one is not None and one[0] == "float" for one in found) else "int"


def _of_name(ctx: Analysis, value: SessionValue, binding: Binding[ExprValue] | None, names: Env) -> Numbers | None:
    known = binding.value if binding is not None else None
    if isinstance(known, Evaluation):
        known = known.fields.get(value.field)
    match known:
        case RuntimeValue(type=TensorType() as kept):
            found = _of_type(ctx, kept)
            if found is None or len(value.index) > len(found[1]) or not all(isinstance(at, int) for at in value.index):
                return None
            return found[0], found[1][len(value.index) :]
        case RuntimeValue(expr=expr) if expr != value and not value.index:
            return numbers_of(ctx, expr, names)
        case _:
            return None


def _of_type(ctx: Analysis, type: TensorType) -> Numbers | None:
    kind = _KINDS.get(type.dtype.kind)
    shape = None if type.shape is None else [ctx.graph.sizes.resolve(size) for size in type.shape]
    if kind is None or shape is None or not all(isinstance(size, int) for size in shape):
        return None
    return kind, tuple(size for size in shape if isinstance(size, int))


def type_of_list(ctx: Analysis, items: "list[ExprValue] | tuple[ExprValue, ...]") -> TensorType | None:
    """The type of a list of tensors and values of the session, with plain numbers beside them. None if they differ."""
    typed = [one.type for one in items if isinstance(one, (Tensor, RuntimeValue)) and one.type is not None]
    plain = [one for one in items if isinstance(one, (int, float)) and not isinstance(one, bool)]
    dtypes: set[DType] = {one.dtype for one in typed}
    found = {_of_type(ctx, one) for one in typed}
    if len(typed) + len(plain) < len(items) or len(dtypes) != 1 or len(found) != 1:
        return None
    numbers = found.pop()
    if (
        numbers is None
        or (plain and numbers[1])
        or (numbers[0] == "int" and any(isinstance(one, float) for one in plain))
    ):
        return None
    return TensorType(dtypes.pop(), (len(items), *numbers[1]))


def items_of(value: ExprValue) -> ExprValue:
    """The items of a value of the session that has several, or the value itself."""
    match value:
        case RuntimeValue(
            expr=SessionValue(index=()) as expr, type=TensorType(dtype=dtype, shape=(int() as size, *rest))
        ):
            return [RuntimeValue(replace(expr, index=(at,)), TensorType(dtype, tuple(rest))) for at in range(size)]
        case _:
            return value
