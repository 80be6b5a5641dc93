"""Analyses expressions: tree in, value out. Operations on tensors add nodes to the graph.

`name` is the program's name for the value of the whole expression. It goes to the node that makes the value. Long
chains of operators are walked in a loop, so generated programs do not exhaust the stack.
"""

import operator
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar, assert_never

from ...diagnostics import (
    ARITHMETIC,
    CONDITION_TENSOR,
    DICTIONARY,
    INDEX_KIND,
    INDEX_RANGE,
    NO_VALUE,
    NOT_CALLABLE,
    NOT_ITERABLE,
    NOT_STATIC,
    OPERATOR_ONE,
    REST_KIND,
    SIZE_UNKNOWN,
    UNKNOWN_NAME,
    Note,
)
from ...diagnostics.spelling import SHORT
from ...libraries import LIBRARIES
from ...limits import MAX_ADVICE
from ...ops import OPS, left_out, other_names
from ...ops.named import LOGICAL_AND, MATMUL, OPERATORS, STORED
from ...ops.optimizers import OPTIMIZERS
from ...program import SessionValue
from ...record import replace
from ...source import Span
from ...syntax import tree as t
from ...types import DTYPE_NAMES, TensorType
from ..calls import elsewhere, raw, training
from ..calls.arguments import ArgumentValue, sizes_of
from ..calls.builtins import BUILTINS
from ..calls.calls import call, check_names, inlined
from ..calls.lists import doubt_appended, list_help, list_needed
from ..calls.magnitude import check_power, check_size, too_large
from ..calls.members import column_of, member
from ..calls.op_calls import call_op
from ..calls.optimizer_slips import doubt_quotient
from ..calls.scopes import LISTERS, ambiguous, as_expression, inner_space, listed, scopes_of, space_of
from ..calls.session_values import as_operands, in_node, moving
from ..calls.wrong_kind import OF_MANY, ORDERS, bool_help, feed_help, no_condition, no_number, no_operator, one_each
from ..context import Analysis, StatementFailed
from ..names import Ambiguous
from ..values import (
    Array,
    Batch,
    DataValue,
    Env,
    ErrorValue,
    ExprValue,
    Function,
    IndexItem,
    Lister,
    Namespace,
    Rest,
    RuntimeValue,
    ShapeOf,
    Tensor,
    as_dtypes,
    describe,
    has_tensor,
    in_graph,
    is_host,
)
from . import global_step, outside
from .binding import bind_targets
from .choices import chooser
from .foreign_names import argument_of, declaration, is_before, of_data, of_library, without_module
from .indexing import gathered, index_array, index_kept, index_tensor
from .later import later
from .misplaced import batch_name, counted_line, meant_line, misplaced, not_imported, returning, step_of
from .stored import stored

_Item = TypeVar("_Item")

_SOME = 8  # maximum number of names in a message

# The operators on values known at compile time.
_PYTHON = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "@": operator.matmul,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def evaluate(ctx: Analysis, env: Env, expr: t.Expr, name: str | None = None) -> ExprValue:
    """The value of an expression."""
    ctx.work += 8
    match expr:
        case t.Constant():
            return expr.value
        case t.Name():
            value = find(ctx, env, expr)
        case t.Attribute(value=t.Name()):
            value = _attribute(ctx, env, expr)
        case _:
            value = ctx.with_depth(_evaluate, expr.span, ctx, env, expr, name)
    if ctx.observer is not None:
        ctx.observer.value(expr, value)
    return value


def _evaluate(ctx: Analysis, env: Env, expr: t.Expr, name: str | None) -> ExprValue:
    """The value of a compound expression."""
    match expr:
        case t.Call():
            return called(ctx, env, expr, name)
        case t.Binary():
            return _binary_chain(ctx, env, expr, name)
        case t.Unary():
            return _unary(ctx, expr, evaluate(ctx, env, expr.operand), name)
        case t.Boolean():
            return _boolean(ctx, env, expr, name)
        case t.Compare():
            return _compare(ctx, env, expr, name)
        case t.Conditional():
            return _conditional(ctx, env, expr, name)
        case t.Later():
            return later(ctx, env, expr)
        case t.Attribute():
            return _attribute(ctx, env, expr)
        case t.Index():
            return _index(ctx, env, expr, name)
        case t.List():
            return check_size(ctx, values_of(ctx, env, expr.items), expr.span)
        case t.Tuple():
            return check_size(ctx, tuple(values_of(ctx, env, expr.items)), expr.span)
        case t.Comprehension():
            return check_size(ctx, _comprehension(ctx, env, expr), expr.span)
        case t.Dictionary():
            ctx.fail(DICTIONARY, expr.span, help=feed_help(ctx, env, expr))
        case t.Slice() | t.Dots():
            ctx.fail(INDEX_KIND, expr.span, value="this", index="a slice outside an index")
        case t.Constant() | t.Name():
            return evaluate(ctx, env, expr, name)
        case _:
            assert_never(expr)


def value_of(ctx: Analysis, env: Env, expr: t.Expr, name: str | None = None) -> ExprValue:
    """The value of an expression that must have one."""
    return valued(ctx, env, expr, evaluate(ctx, env, expr, name))


def valued(ctx: Analysis, env: Env, expr: t.Expr, value: ExprValue) -> ExprValue:
    if type(value) is Tensor:  # the usual case
        return value
    if isinstance(value, ErrorValue):
        raise StatementFailed(None)
    if value is None and isinstance(expr, t.Call):
        function, text = evaluate(ctx, env, expr.function), expr.function.span.text[:40]
        if not isinstance(function, Function):
            ctx.fail(NO_VALUE, expr.span, function=text)
        note = Note(f"{text} is from line {{line}}", function.tree.target.span)
        ctx.fail(NO_VALUE, expr.span, (note,), returning(function.tree), function=text)
    if isinstance(value, (list, tuple)):
        ctx.spend(ctx.limits.size_of(value), expr.span)
    return value


def given(ctx: Analysis, env: Env, expr: t.Expr) -> ArgumentValue:
    return ArgumentValue(value_of(ctx, env, expr), expr.span)


def arguments_of(ctx: Analysis, env: Env, arguments: tuple[t.Argument, ...]) -> list[tuple[str | None, ArgumentValue]]:
    """The arguments of a call, with their names."""
    found: list[tuple[str | None, ArgumentValue]] = []
    for argument, value in zip(arguments, values_of(ctx, env, (a.value for a in arguments)), strict=True):
        if argument.is_rest:
            found += _passed_on(ctx, value, argument.span)
        else:
            found.append(
                (argument.name, ArgumentValue(value, argument.value.span, argument.span if argument.name else None))
            )
    return found


def _passed_on(ctx: Analysis, value: ExprValue, span: Span) -> list[tuple[str | None, ArgumentValue]]:
    """The arguments of a call that `**value` stands for."""
    if isinstance(value, ErrorValue):
        raise StatementFailed(None)
    if not isinstance(value, Rest):
        ctx.fail(REST_KIND, span, value=describe(value))
    return [(name, ArgumentValue(*given)) for name, given in value.given.items()]


def values_of(ctx: Analysis, env: Env, exprs: Iterable[t.Expr]) -> list[ExprValue]:
    """The values of several expressions. Errors in all of them are reported."""
    return ctx.each(lambda expr: value_of(ctx, env, expr), exprs)


def find(ctx: Analysis, env: Env, expr: t.Name | t.Identifier) -> ExprValue:
    """The value of a bare name."""
    name = expr.id
    try:
        binding = training.bound(env) if name == training.NAME else env.find(name)
    except Ambiguous as error:
        ambiguous(ctx, name, error, expr.span)
    if binding is not None:
        return ctx.use(binding.value, expr.span, name)
    if outside.has(ctx, name, above=True):
        return check_size(ctx, outside.take(ctx, name), expr.span)
    if name == training.NAME:
        return training.predefined(ctx, env, expr.span)
    if name == global_step.NAME:
        return global_step.predefined(ctx, env, expr.span)
    for table in (ctx.foreign.functions, BUILTINS, LISTERS, OPS, OPTIMIZERS, DTYPE_NAMES):
        if name in table:
            return table[name]
    if outside.has(ctx, name, above=False):
        return check_size(ctx, outside.take(ctx, name), expr.span)
    if (scope := space_of(ctx, env, t.Name(expr.span, name))) is not None:
        return scope
    if ctx.is_doubtful(name):
        raise StatementFailed(None)
    if ctx.bag.has(UNKNOWN_NAME.code, expr.span):  # reported in an earlier iteration
        ctx.fail(UNKNOWN_NAME, expr.span, name=name)
    note = ctx.elsewhere(name, expr.span) if ctx.failed <= MAX_ADVICE else ()
    advice = "" if note or ctx.failed > MAX_ADVICE else batch_name(ctx, expr)
    advice = advice or not_imported(ctx, expr)
    said = (name, advice) if advice else (f"line {expr.span.line}", counted_line(expr))
    if help := said[1]:
        if said in ctx.graph.told:  # the same correction as of an earlier error, or word of a number
            raise StatementFailed(None)
        ctx.graph.told.add(said)
    elif name in ctx.graph.sizes.declared:
        note = (Note(f"the size '{name}' of line {{line}} is no value", ctx.graph.sizes.declared[name]),)
        help = "write X.shape[0] for a known size, or shape(X)[0] for a tensor"
    elif name == "raw":
        help = "name a TensorFlow op with it, such as raw.Roll(...)"
    elif not note and (advice := meant_line(expr)):
        help = advice
    elif name in other_names.MODULES or (
        (name in left_out.MODULES or name in other_names.FRAMEWORKS) and is_before(expr, ".")
    ):
        help = declaration(expr) or without_module(expr) or "ops are written without a module, as in zeros([2])"
    elif not note and (advice := _in_library(ctx, env, expr)):
        help = advice
    elif name == "loss" and ctx.graph.loss is not None and not note:
        note = (Note("the loss of line {line} has no name", ctx.graph.loss_span),)
        help = "give it one: mse = ... and then: loss mse"
    elif name in elsewhere.FUNCTIONS and not note:
        help = f"write: {elsewhere.FUNCTIONS[name].format(x=argument_of(expr) or 'x')}"
    elif not note and (advice := of_library(expr, env.knows("nn")) or of_data(expr)):
        help = advice
    elif not note and ctx.failed <= MAX_ADVICE:
        if name == "loss":
            help = "this program declares no loss; to print a value, give it a name: mse = ..."
        elif (advice := misplaced(ctx, expr)) or (advice := step_of(ctx, name)):
            help = advice
        else:
            help = ctx.did_you_mean(name, _in_sight(ctx, env, expr))
    ctx.fail(UNKNOWN_NAME, expr.span, note, help, name=name)


def _in_library(ctx: Analysis, env: Env, expr: t.Name | t.Identifier) -> str:
    """A help line for the name of a layer without its library. "" for other names."""
    for library in LIBRARIES:
        found = env.single(library)
        space = found.value if found is not None else None
        member = space.env.member(space.paths, expr.id) if isinstance(space, Namespace) else None
        if member is not None and isinstance(member.value, Function):
            return f"write: {library}.{expr.id}"
    return ""


def _in_sight(ctx: Analysis, env: Env, expr: t.Name | t.Identifier) -> set[str]:
    """All names that a program could mean here. A short word alone is no op: "cost" is not "cast"."""
    around = (*ctx.outside.above, *ctx.outside.beside) if ctx.outside else ()
    known = env.visible().union(around, ctx.foreign.functions, DTYPE_NAMES, t.CONSTANTS)
    is_argument = expr.span.source.text[: expr.span.start].endswith("=")  # as in activation=relu
    if len(expr.id) <= SHORT and not is_argument and not is_before(expr, "("):
        return known
    return known.union(BUILTINS, OPS, OPTIMIZERS)


def dotted(ctx: Analysis, env: Env, target: t.Identifier) -> ExprValue:
    """The value of a dotted name, for places where the grammar allows only a name."""
    return evaluate(ctx, env, as_expression(target) if "." in target.id else t.Name(target.span, target.id))


def _attribute(ctx: Analysis, env: Env, expr: t.Attribute) -> ExprValue:
    owner = expr.value
    if isinstance(owner, t.Name) and owner.id == "raw" and not env.knows("raw"):
        return raw.find(ctx, expr.name, expr.span)
    around = scopes_of(ctx, env, owner) if isinstance(owner, t.Name) else space_of(ctx, env, owner)
    if around is not None:
        binding = around.env.member(around.paths, expr.name)
        if binding is not None:
            return ctx.use(binding.value, expr.span, expr.span.text)
        inner = inner_space(around, expr.name)
        if inner is not None:
            return inner
    return member(ctx, expr, evaluate(ctx, env, owner))


# --- operators --------------------------------------------------------------------------------


def _binary_chain(ctx: Analysis, env: Env, expr: t.Binary, name: str | None) -> ExprValue:
    """`a + b + c` nests to the left: go down in a loop, then up."""
    spine, leaf = [expr], expr.left
    while isinstance(leaf, t.Binary):
        spine.append(leaf)
        leaf = leaf.left
    value, failure = None, None
    try:
        value = value_of(ctx, env, leaf)
    except StatementFailed as abandoned:
        failure = abandoned
    while spine:
        node = spine.pop()
        try:
            right = value_of(ctx, env, node.right)
            if failure is None:
                value = binary(ctx, node, value, right, name if node is expr else None)
        except StatementFailed as abandoned:  # continue, to find errors in the other operands
            failure = ctx.both(failure, abandoned)
    if failure is not None:
        raise failure
    return value


def binary(ctx: Analysis, expr: t.Binary, left: ExprValue, right: ExprValue, name: str | None) -> ExprValue:
    """Apply an operator to two values."""
    left, right = as_operands(ctx, (left, expr.left.span), (right, expr.right.span))
    if (isinstance(left, bool) or isinstance(right, bool)) and not in_graph(left) and not in_graph(right):
        no_number(ctx, expr.op, (left, expr.left.span), (right, expr.right.span), expr.span)
    if isinstance(left, RuntimeValue) or isinstance(right, RuntimeValue):
        if expr.op in ("+", "-", "/") and isinstance(left, (str, bytes)) != isinstance(right, (str, bytes)):
            _operands(ctx, expr, left, right, refuse=True)
        return moving(ctx, expr.op, (left, right), expr.span)
    if in_graph(left) or in_graph(right):
        op = OPERATORS[expr.op]
        first, second = (p.name for p in op.params[:2])
        arguments = [(first, ArgumentValue(left, expr.left.span)), (second, ArgumentValue(right, expr.right.span))]
        _operands(ctx, expr, left, right)
        if expr.op == "+":
            doubt_appended(ctx, expr, left, right)
        shown = op.name if op is MATMUL else f"'{expr.op}'"
        return call_op(ctx, op, arguments, expr.span, name, op.node, shown)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)) and expr.op == "+":
        if ctx.limits.size_of(left) + ctx.limits.size_of(right) > ctx.limits.constant:
            too_large(ctx, expr.span)
        return [*left, *right] if isinstance(left, list) else (*left, *right)
    repeats = expr.op == "*" and isinstance(left, list) and isinstance(right, int)
    if not repeats and not (is_host(left) and is_host(right)):
        _operands(ctx, expr, left, right, refuse=True)
    _size_is_safe(ctx, expr, left, right)
    if expr.op == "//":
        doubt_quotient(ctx, expr, left, right)
    try:
        return check_size(ctx, _PYTHON[expr.op](left, right), expr.span)
    except TypeError:
        _operands(ctx, expr, left, right, refuse=True)
    except (ArithmeticError, ValueError) as error:
        ctx.fail(ARITHMETIC, expr.span, reason=str(error))


def _is_of_strings(value: ExprValue) -> bool:
    return isinstance(value, (Tensor, Array)) and value.type.dtype.name == "string"


def _operands(ctx: Analysis, expr: t.Binary, left: ExprValue, right: ExprValue, refuse: bool = False) -> None:
    usable = all(
        in_graph(v) or isinstance(v, ShapeOf) or is_host(v) or isinstance(v, (list, tuple)) for v in (left, right)
    )
    is_text = [isinstance(v, (str, bytes)) for v in (left, right)]
    refuse = refuse or (any(is_text) and not any(_is_of_strings(v) for v in (left, right)) and expr.op in ("+", "%"))
    refuse = refuse or (is_text[0] and expr.op == "%")
    if refuse or not usable:
        one_each(ctx, (left, expr.left.span), (right, expr.right.span))
        help = list_help(left, right)
        if any(is_text) and any(in_graph(one) or isinstance(one, RuntimeValue) for one in (left, right)):
            help = 'print writes texts and values next to each other: print "x is", x'
        no_operator(ctx, expr.op, (left, expr.left.span), (right, expr.right.span), expr.span, help)


def _size_is_safe(ctx: Analysis, expr: t.Binary, left: ExprValue, right: ExprValue) -> None:
    """Refuse an operation whose result would fill the memory, before it is computed."""
    if expr.op == "%" and isinstance(left, (str, bytes)):
        _operands(ctx, expr, left, right, refuse=True)
    if expr.op == "+" and isinstance(left, (str, bytes)) and isinstance(right, type(left)) and left and right:
        check_size(ctx, (left, right), expr.span)
    if expr.op == "**":
        check_power(ctx, left, right, expr.span)
    elif expr.op == "*":
        for value, count in ((left, right), (right, left)):
            if not isinstance(value, (str, bytes, list, tuple)) or not isinstance(count, int) or count <= 0:
                continue
            if ctx.limits.size_of(value) * count > ctx.limits.constant:
                too_large(ctx, expr.span)


def _unary(ctx: Analysis, expr: t.Unary, value: ExprValue, name: str | None) -> ExprValue:
    if isinstance(value, ErrorValue):
        raise StatementFailed(None)
    value = in_node(ctx, value, expr.operand.span)
    if isinstance(value, RuntimeValue):
        return moving(ctx, "not" if expr.op == "not" else f"unary {expr.op}", (value,), expr.span)
    if in_graph(value):
        if expr.op == "+":
            return value
        op = OPERATORS["unary -" if expr.op == "-" else expr.op]
        return call_op(
            ctx, op, [(None, ArgumentValue(value, expr.operand.span))], expr.span, name, op.node, f"'{expr.op}'"
        )
    if expr.op == "not" and is_host(value):
        return not value
    if isinstance(value, (int, float, complex)) and not isinstance(value, bool):
        return -value if expr.op == "-" else +value
    one_each(ctx, (value, expr.operand.span))
    help = bool_help(value, expr.operand.span)
    ctx.fail(OPERATOR_ONE, expr.span, help=help, op=expr.op, value=describe(value))


def _boolean(ctx: Analysis, env: Env, expr: t.Boolean, name: str | None) -> ExprValue:
    spine, leaf = [expr], expr.left
    while isinstance(leaf, t.Boolean):
        spine.append(leaf)
        leaf = leaf.left
    value = value_of(ctx, env, leaf)
    while spine:
        node = spine.pop()
        value = _boolean_pair(ctx, env, node, value, name if node is expr else None)
    return value


def _boolean_pair(ctx: Analysis, env: Env, expr: t.Boolean, left: ExprValue, name: str | None) -> ExprValue:
    left = in_node(ctx, left, expr.left.span)
    if isinstance(left, RuntimeValue):
        return moving(ctx, expr.op, (left, value_of(ctx, env, expr.right)), expr.span)
    if has_tensor(left):
        one_each(ctx, (left, expr.left.span))
    if not in_graph(left) and not isinstance(left, (list, tuple)):
        return left if bool(left) is (expr.op == "or") else value_of(ctx, env, expr.right, name)
    right = value_of(ctx, env, expr.right)
    if not in_graph(left) and not in_graph(right):
        return left if bool(left) is (expr.op == "or") else right
    arguments = [(None, ArgumentValue(left, expr.left.span)), (None, ArgumentValue(right, expr.right.span))]
    return call_op(ctx, OPERATORS[expr.op], arguments, expr.span, name, "", f"'{expr.op}'")


def _compare(ctx: Analysis, env: Env, expr: t.Compare, name: str | None) -> ExprValue:
    """`a < b < c` is `a < b and b < c`, with each operand evaluated once."""
    values = values_of(ctx, env, expr.operands)
    result: ExprValue = None
    last = len(expr.ops) - 1
    for at, op in enumerate(expr.ops):
        span = Span(expr.span.source, expr.operands[at].span.start, expr.operands[at + 1].span.end)
        pair = (
            ArgumentValue(values[at], expr.operands[at].span),
            ArgumentValue(values[at + 1], expr.operands[at + 1].span),
        )
        part = compare(ctx, op, *pair, span, name if last == 0 else None)
        if at == 0:
            result = part
        elif isinstance(result, RuntimeValue) or isinstance(part, RuntimeValue):
            result = moving(ctx, "and", (result, part), expr.span)
        elif in_graph(result) or in_graph(part):
            both = [(None, ArgumentValue(result, expr.span)), (None, ArgumentValue(part, expr.span))]
            result = call_op(ctx, LOGICAL_AND, both, expr.span, name if at == last else None)
        else:
            result = result and part
    return result


def compare(
    ctx: Analysis, op: str, left: ArgumentValue, right: ArgumentValue, span: Span, name: str | None
) -> ExprValue:
    a, b = as_dtypes(*as_operands(ctx, (left.value, left.span), (right.value, right.span)))
    if op in ORDERS and (isinstance(a, bool) or isinstance(b, bool)) and not has_tensor(a) and not has_tensor(b):
        no_number(ctx, op, (a, left.span), (b, right.span), span)
    if isinstance(a, RuntimeValue) or isinstance(b, RuntimeValue):
        return moving(ctx, op, (a, b), span)
    if op in ("in", "not in"):
        if not isinstance(b, (list, tuple, range, str)) or has_tensor(a) or has_tensor(b):
            no_operator(ctx, op, (a, left.span), (b, right.span), span)
        if isinstance(b, str):
            if not isinstance(a, str):
                no_operator(ctx, op, (a, left.span), (b, right.span), span)
            return (a in b) is (op == "in")
        return (a in b) is (op == "in")
    if op in ("==", "!=") and (a is None or b is None):
        return (a is b) is (op == "==")
    if has_tensor(a) or has_tensor(b):
        row = OPERATORS[op]
        sides = [(None, replace(left, value=a)), (None, replace(right, value=b))]
        return call_op(ctx, row, sides, span, name, row.node, f"'{op}'")
    try:
        if not isinstance(a, OF_MANY) and not isinstance(b, OF_MANY):
            return _PYTHON[op](a, b)
    except TypeError:
        pass
    no_operator(ctx, op, (a, left.span), (b, right.span), span)


def condition(ctx: Analysis, env: Env, expr: t.Expr) -> ExprValue:
    """A condition: a bool if it is known at compile time, else a tensor."""
    value = value_of(ctx, env, expr)
    if in_graph(value) or isinstance(value, RuntimeValue):
        return value
    if not is_host(value):
        one_each(ctx, (value, expr.span))
        ctx.fail(NOT_STATIC, expr.span, what="a condition", value=describe(value))
    return bool(value)


def _conditional(ctx: Analysis, env: Env, expr: t.Conditional, name: str | None) -> ExprValue:
    test = condition(ctx, env, expr.condition)
    if isinstance(test, bool):
        return evaluate(ctx, env, expr.then if test else expr.otherwise, name)
    if isinstance(test, RuntimeValue):
        parts = value_of(ctx, env, expr.then), value_of(ctx, env, expr.otherwise)
        return moving(ctx, "if", (test, *parts), expr.span)
    if isinstance(test, Array):
        ctx.fail(CONDITION_TENSOR, expr.condition.span, value=describe(test))
    parts = [ArgumentValue(test, expr.condition.span), given(ctx, env, expr.then), given(ctx, env, expr.otherwise)]
    return call_op(ctx, chooser(ctx, *(one.value for one in parts)), [(None, part) for part in parts], expr.span, name)


# --- calls, indices, lists --------------------------------------------------------------------


def called(ctx: Analysis, env: Env, expr: t.Call, name: str | None, scope: t.ScopeName | None = None) -> ExprValue:
    try:
        function = evaluate(ctx, env, expr.function)
    except StatementFailed as abandoned:
        try:
            arguments_of(ctx, env, expr.arguments)
        except StatementFailed as other:
            raise ctx.both(abandoned, other) from None
        raise
    if isinstance(function, Lister):
        return listed(ctx, env, function, expr)
    if isinstance(function, Namespace) and isinstance(expr.function, t.Name):
        help = _in_library(ctx, env, expr.function)
        ctx.fail(NOT_CALLABLE, expr.function.span, help=help, value=describe(function))
    try:
        arguments = arguments_of(ctx, env, expr.arguments)
    except StatementFailed:
        if isinstance(function, Function):
            check_names(ctx, function, expr)
        raise
    if function is STORED:
        return stored(ctx, env, expr, arguments, name)
    if isinstance(expr.function, t.Name) and _is_value(function):
        _hidden_by_value(ctx, env, expr.function, function)
    return call(ctx, env, function, arguments, expr.span, name, scope)


def _is_value(function: ExprValue) -> bool:
    return in_graph(function) or is_host(function)


def _hidden_by_value(ctx: Analysis, env: Env, name: t.Name, value: ExprValue) -> None:
    """Refuse a call of a value whose name hides an op or a function of the language."""
    hidden = any(name.id in table for table in (ctx.foreign.functions, BUILTINS, OPS, OPTIMIZERS, DTYPE_NAMES))
    binding = env.single(name.id)
    if hidden and binding is not None:
        notes = (
            Note(f"line {{line}} gave the name {name.id} to it, which hides the function {name.id}", binding.span),
        )
        help = f"call it something else on line {binding.span.line}: my_{name.id} = ..."
        ctx.fail(NOT_CALLABLE, name.span, notes, help, value=describe(value))


def _index(ctx: Analysis, env: Env, expr: t.Index, name: str | None) -> ExprValue:
    value = value_of(ctx, env, expr.value)
    items = [_index_item(ctx, env, item) for item in expr.items]
    match value:
        case RuntimeValue(expr=SessionValue() as kept, type=TensorType() as type):
            part = index_kept(ctx, kept, type, items, expr)
            return part or _indexed(ctx, in_node(ctx, value, expr.value.span), items, expr, name)
        case _:
            return _indexed(ctx, value, items, expr, name)


def _indexed(ctx: Analysis, value: ExprValue, items: list[IndexItem], expr: t.Index, name: str | None) -> ExprValue:
    match value:
        case Tensor():
            return index_tensor(ctx, value, items, expr, name)
        case Array():
            return index_array(ctx, value, items, expr)
        case ShapeOf():
            return _index_shape(ctx, value, items, expr)
        case list() | tuple() | str() | bytes() | range():
            return _index_host(ctx, value, items, expr)
        case DataValue() | Batch():
            return column_of(ctx, value, items, expr)
    ctx.fail(INDEX_KIND, expr.span, value=describe(value), index="[...]")


def _index_item(ctx: Analysis, env: Env, item: t.Expr) -> IndexItem:
    """An integer, a tensor, none, `...`, or a slice of them."""
    if isinstance(item, t.Dots):
        return Ellipsis
    if isinstance(item, t.Slice):
        return slice(*(None if p is None else value_of(ctx, env, p) for p in (item.start, item.stop, item.step)))
    value = evaluate(ctx, env, item)
    one_each(ctx, (value, item.span))
    return value


def _index_host(
    ctx: Analysis, value: Sequence[_Item], items: list[IndexItem], expr: t.Index
) -> _Item | Sequence[_Item]:
    item = items[0]
    bounds = (item.start, item.stop, item.step) if isinstance(item, slice) else (item,)
    if len(items) > 1 or not isinstance(item, (int, slice)) or any(isinstance(one, bool) for one in bounds):
        one_each(ctx, (value, expr.value.span))
        kind = "several indices" if len(items) > 1 else describe(item) if bounds == (item,) else "true or false"
        ctx.fail(INDEX_KIND, expr.span, help=gathered(value, item, expr), value=describe(value), index=kind)
    try:
        return value[item]
    except IndexError:
        of = "a list" if isinstance(value, list) else expr.value.span.text[:40]
        ctx.fail(INDEX_RANGE, expr.span, index=item, of=of, size=len(value))
    except (TypeError, ValueError) as error:
        ctx.fail(ARITHMETIC, expr.span, reason=str(error))


def _index_shape(ctx: Analysis, value: ShapeOf, items: list[IndexItem], expr: t.Index) -> int | ShapeOf:
    tensor = value.text.removesuffix(".shape")
    if value.dims is None:
        help = f"shape({tensor}) is its shape while running, as a tensor"
        ctx.fail(NOT_STATIC, expr.span, help=help, what=f"the rank of {tensor}", value="unknown")
    if isinstance(items[0], slice):
        return ShapeOf(value.dims[items[0]], value.text)
    dim = _index_host(ctx, value.dims, items, expr)
    size = dim if isinstance(dim, Sequence) else ctx.graph.sizes.resolve(dim)
    if not isinstance(size, int):
        batch, _, part = tensor.rpartition(".")
        help = f"write {batch}.rows" if part in ("features", "target") and items[0] == 0 else ""
        ctx.fail(SIZE_UNKNOWN, expr.span, help=help, axis=items[0], text=value.text, tensor=tensor)
    return size


def iterate(ctx: Analysis, value: ExprValue, span: Span) -> list[Any] | range | tuple[Any, ...]:  # of any values
    """The items that a `for` iterates over."""
    if isinstance(value, ShapeOf) and value.dims is not None:
        value = sizes_of(ctx, value, span)
    if isinstance(value, str):
        value = list(value)
    if not isinstance(value, (list, tuple, range)):
        shape, text = value.type.shape if isinstance(value, Tensor) else None, span.one_line
        header = f"train 10 epochs on {text} in batches of 32 as batch:"
        help = f"a session trains on batches of its rows: write: {header}" if isinstance(value, DataValue) else ""
        if shape:
            help = f"write: for ... in unstack({text})"
            if not isinstance(ctx.graph.sizes.resolve(shape[0]), int):
                help = (
                    f"its number of rows is not known while compiling: compute with all rows at once, as in "
                    f"reduce_sum({text}, axis=0)"
                )
        if span.source.is_library and ctx.calling:
            help = list_needed(inlined(ctx), ctx.chain[-1][1].text, isinstance(value, Tensor))
        ctx.fail(NOT_ITERABLE, span, help=help, value=describe(value))
    ctx.repeat(len(value), span)
    return value


def _comprehension(ctx: Analysis, env: Env, expr: t.Comprehension) -> list[ExprValue]:
    result: list[ExprValue] = []
    size = 0

    def turn(env: Env, clauses: tuple[t.Clause, ...]) -> None:
        if not clauses:
            result.append(value_of(ctx, env, expr.element))
            nonlocal size
            size += ctx.limits.size_of(result[-1])
            if size > ctx.limits.constant:
                too_large(ctx, expr.span)
            return
        clause = clauses[0]
        for item in iterate(ctx, value_of(ctx, env, clause.iterable), clause.iterable.span):
            ctx.spend(8, clause.span)
            inner = Env(parent=env, around_it=env)
            bind_targets(ctx, inner, clause.targets, item, clause.span)
            if all(_holds(ctx, inner, c) for c in clause.conditions):
                turn(inner, clauses[1:])

    turn(env, expr.clauses)
    return result


def _holds(ctx: Analysis, env: Env, expr: t.Expr) -> bool:
    test = condition(ctx, env, expr)
    if not isinstance(test, bool):
        ctx.fail(CONDITION_TENSOR, expr.span, help=no_condition(ctx, test, expr.span), value=describe(test))
    return test
