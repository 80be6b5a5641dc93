"""Analyses calls: ops become nodes, functions are inlined, Python's functions are evaluated."""

import math
import re
import sys
from collections.abc import Callable, Sequence

from ...diagnostics import (
    ARGUMENT_KIND,
    ARGUMENT_UNKNOWN,
    ARITHMETIC,
    CLIPPED_TWICE,
    DTYPE_NOT_ALLOWED,
    GRADIENT_DTYPE,
    GRADIENT_METHOD,
    NOT_CALLABLE,
    NOT_CALLED,
    RECURSION,
    TOO_DEEP,
    VALUE_OF,
    WRITES_AGAIN,
    Note,
)
from ...diagnostics.spelling import listed
from ...inputs import PythonOp
from ...ops import OPS
from ...ops.named import CAST, GRADIENTS
from ...ops.op import REQUIRED, Op
from ...ops.optimizers import CLIPS, SLOTS, OptimizerRow
from ...ops.optimizers import REQUIRED as NEEDED
from ...ops.raw import RawOp
from ...program import Arg, Field, Ref, Refs, Static, written
from ...record import replace
from ...source import Span
from ...syntax import tree as t
from ...types import DType
from ..context import Analysis, RecomputedGradient, StatementFailed
from ..dispatch import Returned
from ..gradient_flow import barriers, depending, depends
from ..names import Names
from ..values import (
    Array,
    Batch,
    Builtin,
    Env,
    ErrorValue,
    ExprValue,
    Function,
    Initializer,
    LearnedFact,
    Operation,
    Optimizer,
    Outputs,
    Primitive,
    Rest,
    Results,
    RuntimeValue,
    Tensor,
    describe,
)
from . import training
from .applied import applied
from .arguments import Arguments, ArgumentValue, assign_arguments, missing, operand_notes
from .foreign import call_python
from .labels import doubt_swapped, is_never_logits, is_swapped, refuse_swapped
from .layer_sizes import check_padding, check_sizes
from .magnitude import check_power, check_size, too_large
from .members import learned_of, learned_words
from .op_calls import call_op
from .optimizer_slips import doubt_decay, doubt_learning_rate, doubt_position
from .raw import call_raw
from .scopes import call_scope
from .session_values import as_arguments
from .slips import doubt_rate
from .symbolic import derived
from .wrong_kind import no_gradient, one_each


def call(
    ctx: Analysis, env: Env, function: ExprValue, given: Arguments, span: Span, name: str | None,
    scope: t.ScopeName | None = None,
) -> ExprValue:  # fmt: skip
    """The value of a call. `name` is the program's name for the value, if it has one, and `scope` that for the scope
    that it opens. `env` holds the names visible at the call."""
    if scope is not None and not isinstance(function, (Function, ErrorValue)):
        shown = f"a call of {function.name}" if isinstance(function, Op) else describe(function)
        ctx.fail(NOT_CALLED, scope.span, name=scope.target.id, value=shown)
    if isinstance(function, (RawOp, PythonOp)):
        given = as_arguments(ctx, given)
    match function:
        case Op():
            if function.python and _is_for_python(function, given):
                return _python(ctx, function.name, function.python, given, span)
            if function is GRADIENTS:
                return gradients(ctx, function, given, span, name)
            if function.regions:
                return applied(
                    ctx, env, function, given, span, name,
                    lambda applied, arguments: call(ctx, env, applied, arguments, span, None),
                )  # fmt: skip
            if _lacks_only_shape(function, given):
                arguments = {word: (argument.value, argument.span) for word, argument in given if word is not None}
                return Initializer(function, arguments, span)
            return call_op(ctx, function, given, span, name)
        case RawOp():
            return call_raw(ctx, function, given, span, name)
        case PythonOp():
            return call_python(ctx, function, given, span, name)
        case Builtin():
            return _builtin(ctx, function, given, span)
        case Primitive():
            return _primitive(ctx, env, function, [argument for _, argument in given], span)
        case Function():
            return inline(ctx, env, function, given, span, scope)
        case OptimizerRow():
            return optimizer(ctx, function, given, span)
        case DType():
            return call_op(ctx, CAST, [*given, ("dtype", ArgumentValue(function, span))], span, name)
        case LearnedFact():
            return learned_of(ctx, function, given, span)
        case Array(field=Field(data=data, field=word)) if data in ctx.pipelines and word in learned_words():
            return learned_of(ctx, LearnedFact(data, word), given, span)  # a column has this name
        case ErrorValue():
            raise StatementFailed(None)
        case str() if function in OPS:
            ctx.fail(
                NOT_CALLABLE, span, help=f"give the op itself, without quotes: {function}", value=describe(function)
            )
        case _:
            is_activation = span.text.startswith("activation(")
            help = "an activation is a function, as in activation=relu" if is_activation else ""
            ctx.fail(NOT_CALLABLE, span, help=help, value=describe(function))


# --- ops --------------------------------------------------------------------------------------


def _is_for_python(op: Op, given: Arguments) -> bool:
    """Whether a call has only numbers and does not use the name of one of the op's parameters."""
    numbers = (argument.value for _, argument in given)
    is_number = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in numbers)
    return is_number and all(name not in op.named_params for name, _ in given)


def _lacks_only_shape(op: Op, given: Arguments) -> bool:
    """Whether a call is an initializer: it lacks the shape of what it makes, and all else is given by name."""
    if not op.makes_shape or any(name in (None, "shape") for name, _ in given):
        return False
    named = {name for name, _ in given}
    known = {param.name for param in op.params}
    needed = {param.name for param in op.params if param.default is REQUIRED and not param.optional}
    return named <= known and needed - named == {"shape"}


GRADIENT_METHODS = ("reverse", "forward", "symbolic", "numeric")


def gradients(ctx: Analysis, op: Op, given: Arguments, span: Span, name: str | None) -> list[Tensor]:
    """`gradients(ys, xs)`: one tensor for each of `xs`, with the same type."""
    arguments = assign_arguments(ctx, op.name, op.signature, [p.name for p in op.params], given, span)
    for wanted in ("ys", "xs"):
        if wanted not in arguments:
            missing(ctx, op.name, op.signature, wanted, span)
    ys, xs = (_tensors(ctx, op, n, arguments[n]) for n in ("ys", "xs"))
    method = arguments.get("method")
    if method is not None and method.value not in GRADIENT_METHODS:
        help = ctx.did_you_mean(str(method.value), GRADIENT_METHODS)
        ctx.fail(GRADIENT_METHOD, method.span, help=help, method=method.value)
    for x in xs:
        if not any(depends(ctx, y.ref, x.ref) for y in ys):
            notes = operand_notes([ArgumentValue(x, arguments["xs"].span)])
            ends = next((found for y in ys if (found := barriers(ctx, y.ref, x.ref))), ())
            called, of = _called(ctx, x, arguments["xs"].text), arguments["ys"].text
            no_gradient(ctx, of, [y.ref for y in ys], called, x.ref, span, notes, ends)
    how = "reverse" if method is None else str(method.value)
    for one in (*ys, *xs) if method is not None and how != "reverse" else ():
        if one.type.dtype.kind != "float" and method is not None:
            ctx.fail(GRADIENT_DTYPE, method.span, method=how, name=_called(ctx, one, "this"), type=one.type)
    refs = tuple(y.ref for y in ys), tuple(x.ref for x in xs)
    last = len(ctx.graph.nodes) - 1
    if how in ("forward", "numeric"):
        _refuse_writes(ctx, how, *refs, span)
    if how == "symbolic":
        results = derived(ctx, ys, xs, span, name)
        _note_again(ctx, how, *refs, last, results, span)
        return results
    args: dict[str, Arg] = {"ys": Refs(refs[0]), "xs": Refs(refs[1])}
    if how != "reverse":
        args["method"] = Static(how)
    outputs = tuple(x.type for x in xs)
    node = ctx.graph.add(op.name, args, name, outputs, ctx.origin(span))
    results = [Tensor(Ref(node, i), type, ctx.graph.name, span) for i, type in enumerate(outputs)]
    if how != "reverse":
        _note_again(ctx, how, *refs, last, results, span)
    return results


def _refuse_writes(ctx: Analysis, method: str, ys: tuple[Ref, ...], xs: tuple[Ref, ...], span: Span) -> None:
    """Refuse a gradient method that would execute changes of variables again."""
    nodes = ctx.graph.nodes
    for id in sorted(depending(ctx, nodes, list(xs)) & ctx.graph.reach(ys)):
        for node in (nodes[id], *nodes[id].inside()):
            if node.is_write:
                notes = (Note("line {line} writes it", node.origin.span),)
                names = (nodes[one].name for one in written(nodes, node))
                ctx.fail(WRITES_AGAIN, span, notes, method=method, name=next(names, "a variable"))


def _note_again(
    ctx: Analysis, method: str, ys: tuple[Ref, ...], xs: tuple[Ref, ...], last: int, results: list[Tensor], span: Span
) -> None:
    """Record what a method computes again, so `order.py` can check what it reads again."""
    again = RecomputedGradient(method, ctx.origin(span), ys, xs, last, frozenset(one.ref.node for one in results))
    ctx.again.setdefault(ctx.graph.name, []).append(again)


def _called(ctx: Analysis, tensor: Tensor, text: str) -> str:
    return ctx.graph.nodes[tensor.ref.node].name or text


def _tensors(ctx: Analysis, op: Op, name: str, given: ArgumentValue) -> list[Tensor]:
    found: list[Tensor] = []
    for value in given.value if isinstance(given.value, (list, tuple)) else [given.value]:
        if isinstance(value, ErrorValue):
            raise StatementFailed(None)
        if not isinstance(value, Tensor):
            ctx.fail(ARGUMENT_KIND, given.span, function=op.name, wanted="tensors", name=name,
                     value=describe(value))  # fmt: skip
        ctx.use(value, given.span, given.text)
        if value.type.dtype.kind not in ("float", "complex"):
            help = "gradients need floats: declare it with a float, such as 3.0 instead of 3"
            ctx.fail(DTYPE_NOT_ALLOWED, given.span, operand_notes([given]), help, op=op.name, dtype=value.type.dtype,
                     param=given.text, allowed="floats or complex numbers")  # fmt: skip
        found.append(value)
    return found


# --- optimizers -------------------------------------------------------------------------------


_LARGEST = 3.4028235e38  # of float32
_SLOTS = re.compile(r"[A-Za-z0-9.][\w.\\-]*(/[\w.\\-]+)*", re.ASCII)  # the names that TensorFlow allows


def optimizer(ctx: Analysis, row: OptimizerRow, given: Arguments, span: Span) -> Optimizer:
    """An optimizer with its arguments: numbers and scalar tensors."""
    names = [*row.given, "learning_rate", *row.lacking, SLOTS]
    for chosen in (argument for name, argument in given if name == "var_list"):
        help = f"write after it which variables it trains: with {row.name}(...) wrt {chosen.text.strip('[]')}"
        place = chosen.whole or chosen.span
        ctx.fail(ARGUMENT_UNKNOWN, place, help=help, function=row.name, name="var_list", signature=row.signature)
    arguments = assign_arguments(ctx, row.name, row.signature, names, given, span, len(row.given))
    for name, default in row.params.items():
        if default is NEEDED and name not in arguments:
            missing(ctx, row.name, row.signature, name, span)
    args: dict[str, Arg] = {}
    first = next(iter(row.given), None)
    if given and given[0][0] is None and first is not None:
        doubt_position(ctx, row, first, arguments)
    clips = [argument for name, argument in arguments.items() if name in CLIPS and argument.value is not None]
    if len(clips) > 1:
        ctx.fail(CLIPPED_TWICE, clips[1].whole or clips[1].span, clips=listed(CLIPS))
    for name, argument in arguments.items():
        value = argument.value
        one_each(ctx, (value, argument.span))
        if value is None and (name == SLOTS or (name in row.lacking and row.lacking[name].default is None)):
            continue
        if name == SLOTS:
            if not isinstance(value, str) or _SLOTS.fullmatch(value) is None:
                wanted = 'a name in quotes, such as "Adam"'
                ctx.fail(ARGUMENT_KIND, argument.span, function=row.name, wanted=wanted, name=name,
                         value=describe(value))  # fmt: skip
            args[name] = Static(value)
            continue
        if isinstance(row.params.get(name), bool):
            if not isinstance(value, bool):
                ctx.fail(ARGUMENT_KIND, argument.span, function=row.name, wanted="true or false", name=name,
                         value=describe(value))  # fmt: skip
            args[name] = Static(value)
            continue
        if isinstance(value, Tensor) and value.type.rank in (0, None):
            args[name] = ctx.use(value, argument.span, argument.text).ref
            continue
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            ctx.fail(ARGUMENT_KIND, argument.span, function=row.name, wanted="a number", name=name,
                     value=describe(value))  # fmt: skip
        own = row.lacking.get(name)
        if abs(value) > (sys.float_info.max if own is None else _LARGEST) and value != math.inf:
            ctx.fail(ARGUMENT_KIND, argument.span, function=row.name, wanted="a number", name=name,
                     value="too large for a float")  # fmt: skip
        if own is not None and not own.allows(value):
            ctx.fail(ARGUMENT_KIND, argument.span, function=row.name, wanted=own.wanted, name=name,
                     value=describe(value))  # fmt: skip
        args[name] = Static(float(value))
        if name == "learning_rate":
            doubt_learning_rate(ctx, argument)
        if name in row.decays:
            doubt_decay(ctx, name, argument)
    return Optimizer(row, args)


# --- Python's functions -----------------------------------------------------------------------

_WITHOUT_LOOKING = ("range", "len", "bool")  # they take no time, whatever the size of their arguments


def _python(ctx: Analysis, name: str, function: Callable, given: Arguments, span: Span) -> ExprValue:
    positional = [g.value for n, g in given if n is None]
    keywords = {n: g.value for n, g in given if n is not None}
    if any(isinstance(g.value, ErrorValue) for _, g in given):
        raise StatementFailed(None)
    size = sum(map(ctx.limits.size_of, (*positional, *keywords.values())))
    if size > ctx.limits.constant and name not in _WITHOUT_LOOKING:
        too_large(ctx, span)
    ctx.spend(2 * size, span)
    if function is pow and len(positional) >= 2:
        check_power(ctx, positional[0], positional[1], span)
    try:
        return check_size(ctx, function(*positional, **keywords), span)
    except (TypeError, ValueError, ArithmeticError) as error:
        one_each(ctx, *((argument.value, argument.span) for _, argument in given))
        rows = next((one for _, one in given if name == "len" and isinstance(one.value, Batch)), None)
        if rows is not None:
            ctx.fail(VALUE_OF, rows.span, help=f"write: {rows.text}.rows", function=name, name=rows.text,
                     value=describe(rows.value))  # fmt: skip
        ctx.fail(ARITHMETIC, span, reason=f"{name}: {error}")


# Replacements for Python's functions when they get a tensor.
_FOR_TENSORS = {
    "range": "it needs a number: a param, or a size such as X.shape[1]; for a tensor, count in the graph: i = 0, then "
    "while i < {x}, and in its body: i = i + 1",
    "len": "shape({x})[0] is its number of rows, and cast(shape({x})[0], float32) the same as a float",
    "float": "use cast({x}, float32)",
    "int": "use cast({x}, int32)",
    "bool": "use cast({x}, bool)",
    "min": "for tensors there are reduce_min({x}) and minimum(a, b)",
    "max": "for tensors there are reduce_max({x}) and maximum(a, b)",
    "sum": "for tensors there are reduce_sum({x}), and add_n([a, b]) for a list of them",
    "any": "use reduce_any({x})",
    "all": "use reduce_all({x})",
    "sorted": "use sort({x})",
    "reversed": "use reverse({x}, axis=[0])",
    "str": 'use as_string({x}); in a string of a session, "{{{x}}}"',
}
_NUMBERS_ONLY = ("min", "max", "sum")


def _is_late(value: ExprValue) -> bool:
    return isinstance(value, (Tensor, Array, RuntimeValue))


def _has_late(value: ExprValue) -> bool:
    return any(map(_has_late, value)) if isinstance(value, (list, tuple)) else _is_late(value)


def _builtin(ctx: Analysis, function: Builtin, given: Arguments, span: Span) -> ExprValue:
    name = function.name
    inside = _has_late if name in _NUMBERS_ONLY else _is_late
    tensors = [g for _, g in given if inside(g.value)]
    if tensors:
        text = tensors[0].text if not tensors[0].text.endswith("...") else "x"
        help = _FOR_TENSORS.get(name, "for the elements of a tensor use unstack({x})").format(x=text)
        if isinstance(tensors[0].value, RuntimeValue) and name in ("int", "float"):
            help = f"a number of the session needs no conversion: write: {text}"
        details = {"name": tensors[0].text, "value": describe(tensors[0].value), "function": name}
        ctx.fail(VALUE_OF, tensors[0].span, operand_notes(tensors), help, **details)
    return _python(ctx, function.name, function.function, given, span)


# --- functions --------------------------------------------------------------------------------


def inline(
    ctx: Analysis, caller: Env, function: Function, given: Arguments, span: Span, named: t.ScopeName | None = None
) -> ExprValue:
    """Inline a call of a `def` and return its value. Its body is analysed again, in a scope of the function's name or
    of that which the call gives."""
    tree = function.tree
    name = tree.target.id
    if any(tree is one for one in ctx.calling):
        ctx.fail(RECURSION, span, name=name)
    if len(ctx.calling) >= ctx.limits.depth:
        help = "call fewer functions from inside other functions, or raise the limit with --max-depth"
        ctx.fail(TOO_DEEP, span, help=help, limit=ctx.limits.depth)
    ctx.repeat(1, span)
    ctx.spend(400, span)
    names = [p.name for p in tree.parameters if not p.is_rest]
    has_rest = len(names) < len(tree.parameters)
    others = list(dict.fromkeys(one for one, _ in given if one is not None and one not in names)) if has_rest else []
    called = _as_written(span, name)
    arguments = assign_arguments(ctx, called, _signature(tree), names + others, given, span, len(names))
    env = Names(parent=function.env, caller=caller)
    for parameter in tree.parameters:
        if parameter.is_rest:
            taken = {one: arguments[one] for one in others}
            value, place = Rest({one: (a.value, a.span, a.whole) for one, a in taken.items()}), parameter.span
        elif parameter.name in arguments:
            argument = arguments[parameter.name]
            value, place = argument.value, argument.span
        elif parameter.default is not None:
            value, place = _default(ctx, caller, function, parameter.default, span)
        else:
            missing(ctx, called, _signature(tree), parameter.name, span)
        if _is_training(parameter.default):
            training.taken(ctx, called, value, place, None if parameter.name in arguments else env, span)
        env.take(parameter.name, value, place)
        if ctx.observer is not None:
            ctx.observer.value(parameter, value)
    is_outermost = function.tree.span.source.is_library and not span.source.is_library  # the program's own call of it
    if is_outermost and any(_is_training(parameter.default) for parameter in tree.parameters):
        by_position = all(name != "rate" for name, _ in given)
        doubt_rate(ctx, arguments.get("rate"), by_position)
    if is_outermost:
        check_sizes(ctx, called, tree, arguments)
        check_padding(ctx, called, tree, arguments.get("padding"))
    if ctx.observer is not None:
        ctx.observer.called(tree)
    mark, is_wrong = ctx.bag.marked(), is_outermost and is_swapped(ctx, arguments)
    if is_wrong:
        doubt_swapped(ctx, called, arguments, span)
    ctx.calling.append(tree)
    failed = ctx.failed
    try:
        with call_scope(ctx, caller, env, name, span, named), ctx.entering(f"in {name}, called", span):
            result = ctx.block(env, tree.body)
    finally:
        ctx.calling.pop()
    if is_wrong and (ctx.failed > failed or is_never_logits(arguments["logits"])):
        ctx.bag.back_to(mark)  # the other errors follow from this one
        refuse_swapped(ctx, called, arguments, span)
    if isinstance(result, Returned):
        value = _made_at(result.value, span) if is_outermost else result.value
        return Results.of(value, _names_of(tree, value), span) if isinstance(value, tuple) and value else value
    return ErrorValue() if ctx.failed > failed else None


def _as_text(parameter: t.DefParameter) -> str:
    if parameter.is_rest:
        return f"**{parameter.name}"
    return parameter.name if parameter.default is None else f"{parameter.name} = {parameter.default.span.text}"


_NUMBERS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def _names_of(tree: t.Def, value: tuple[ExprValue, ...]) -> Sequence[str]:
    """What a function calls the values that it returns."""
    if isinstance(value, Results):
        return value.names
    returns = [one for one in t.trees(tree.body) if isinstance(one, t.Return) and len(one.values) == len(value)]
    ids = [one.id if isinstance(one, t.Name) else "" for one in returns[-1].values] if returns else [""] * len(value)
    numbers = [*_NUMBERS, *(f"value_{at}" for at in range(len(_NUMBERS) + 1, len(value) + 1))]
    return [id or number for id, number in zip(ids, numbers)]


def _made_at(value: ExprValue, span: Span) -> ExprValue:
    """Set the place of a value made by a library to the call."""
    match value:
        case Tensor() | Operation():
            return replace(value, span=span)
        case Outputs():
            return Outputs([_made_at(one, span) for one in value], value.names, span)
        case Results():
            return Results.of([_made_at(one, span) for one in value], value.names, span)
        case list() | tuple():
            return type(value)(_made_at(one, span) for one in value)
    return value


def _primitive(ctx: Analysis, env: Env, function: Primitive, given: list[ArgumentValue], span: Span) -> ExprValue:
    """The value of a primitive. Its arguments are parameters; messages show them as the caller of the function wrote
    them. If the primitive refuses them, the rest of the function treats them as wrong."""
    bindings = [env.find(argument.text) for argument in given]
    arguments = [
        argument if binding is None else ArgumentValue(argument.value, binding.span)
        for argument, binding in zip(given, bindings, strict=True)
    ]
    try:
        return function.function(ctx, *arguments, span)
    except StatementFailed:
        for binding in bindings:
            if binding is not None:
                binding.value = ErrorValue()
        raise


def check_names(ctx: Analysis, function: Function, call: t.Call) -> None:
    """Check the names of the arguments of a call whose values are wrong."""
    tree = function.tree
    if any(one.is_rest for one in (*tree.parameters, *call.arguments)):
        return
    named = [(one.name, ArgumentValue(None, one.value.span, one.span)) for one in call.arguments if one.name]
    called = _as_written(call.span, tree.target.id)
    assign_arguments(ctx, called, _signature(tree), [one.name for one in tree.parameters], named, call.span)


def _signature(tree: t.Def) -> str:
    return listed(_as_text(one) for one in tree.parameters)


def inlined(ctx: Analysis) -> str:
    """The function whose body is being analysed, as its call writes it."""
    return _as_written(ctx.chain[-1][1], ctx.calling[-1].target.id)


def _as_written(span: Span, name: str) -> str:
    """A function as the call writes it, such as `nn.dropout`, or its own name if the call differs."""
    written = "".join(span.text.partition("(")[0].split())
    return written if re.fullmatch(rf"([\w.]*\.)?{name}", written) else name


def _default(ctx: Analysis, caller: Env, function: Function, default: t.Expr, span: Span) -> tuple[ExprValue, Span]:
    """The value of a parameter that a call leaves out, and its place. `training` is looked up at the call."""
    if isinstance(default, t.Constant):
        return default.value, default.span
    if _is_training(default):
        return ctx.evaluate(Names(parent=function.env, caller=caller), t.Name(span, training.NAME)), span
    return ctx.evaluate(Names(parent=function.env, around_it=caller), default), default.span


def _is_training(default: t.Expr | None) -> bool:
    return isinstance(default, t.Name) and default.id == training.NAME
