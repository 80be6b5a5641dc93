"""Errors for values of the wrong kind, each with what to write instead: no tensor, no variable, no gradient."""

import re
from collections.abc import Iterable, Iterator
from typing import NoReturn

from ...diagnostics import (
    ARGUMENT_MISSING,
    NOT_DIFFERENTIABLE,
    NOT_TENSOR,
    NOT_VARIABLE,
    NOTHING_TRAINABLE,
    OPERATOR,
    SEVERAL_VALUES,
    Note,
)
from ...diagnostics.spelling import listed
from ...inputs import PythonOp
from ...ops.op import Op
from ...ops.optimizers import OptimizerRow
from ...ops.raw import RawOp
from ...program import COUNTERS, Node, Ref
from ...source import Span
from ...syntax import tree as t
from ...types import TensorType
from ..context import Analysis
from ..values import (
    Array,
    Batch,
    Builtin,
    DataValue,
    Env,
    Evaluation,
    ExprValue,
    Function,
    Initializer,
    LaterValue,
    LearnedFact,
    Namespace,
    Operation,
    Optimizer,
    Outputs,
    Primitive,
    Results,
    RuntimeValue,
    Tensor,
    describe,
)


def not_tensor(ctx: Analysis, value: object, span: Span, help: str = "") -> NoReturn:
    """Refuse a value where a tensor is needed."""
    if isinstance(value, Initializer):
        ctx.fail(ARGUMENT_MISSING, value.span, function=value.op.name, name="shape", signature=value.op.signature)
    if isinstance(value, (Outputs, Results)):
        several_values(ctx, value, span)
    text = span.one_line
    is_name = re.fullmatch(r"[\w.]+", text) is not None
    help = help or hidden_counter(ctx, value, text) or _as_tensor(value, text if is_name else "")
    ctx.fail(NOT_TENSOR, span, help=help, value=describe(value))


def hidden_counter(ctx: Analysis, value: object, name: str) -> str:
    """A help line for an operation in a session that has the name of a counter, which is probably meant. "" for other
    values."""
    if not isinstance(value, Operation) or name not in COUNTERS or not ctx.graph.half:
        return ""
    line = ctx.graph.nodes[value.ref.node].origin.span.line
    return (
        f"'{name}' names the operation of line {line}; to have the counter of a training, give that another name, as "
        f"in: optimize ... as descend (in a text, {{{name}}} is the counter)"
    )


def no_condition(ctx: Analysis, value: object, span: Span) -> str:
    """A help line for an operation as a condition. "" for other values."""
    if not isinstance(value, Operation):
        return ""
    return hidden_counter(ctx, value, span.one_line) or "it has no value: compare one that it changes, as in: w < 0.5"


_LONG = 60  # characters of a call that a help line repeats


def several_values(ctx: Analysis, value: Outputs | Results, span: Span) -> NoReturn:
    """Refuse the several values of a call where one is needed."""
    call, names = value.span, value.names
    if call is None:  # a value from outside, with a name for each of its parts
        text = f"{span.one_line}.{names[0]}" if names else ""
        ctx.fail(SEVERAL_VALUES, span, help=f"name one of them: {text}", call=span.one_line, names=listed(names),
                 count=len(value))  # fmt: skip
    written = call.one_line if len(call.one_line) <= _LONG else f"{call.one_line.partition('(')[0]}(...)"
    is_here = call.source == span.source and call.line == span.line
    notes = () if is_here else (Note("the call is on line {line}", call),)
    help = f"give each a name: {', '.join(names)} = {written}; then name the one that is meant"
    ctx.fail(SEVERAL_VALUES, span, notes, help, call=written, names=listed(names), count=len(value))


def one_each(ctx: Analysis, *operands: tuple[object, Span]) -> None:
    """Refuse operands that are the several values of a call."""
    for value, span in operands:
        if isinstance(value, (Outputs, Results)):
            several_values(ctx, value, span)


ORDERS = ("<", "<=", ">", ">=")  # the operators that compare sizes
OF_MANY = (Batch, DataValue, Evaluation, LearnedFact, Namespace)  # values that hold others, and equal none


def no_number(ctx: Analysis, op: str, left: tuple[object, Span], right: tuple[object, Span], span: Span) -> NoReturn:
    """Refuse an operator on true or false, which are no numbers here, unlike in Python."""
    no_operator(ctx, op, left, right, span, bool_help(*(left if isinstance(left[0], bool) else right)))


def no_operator(
    ctx: Analysis, op: str, left: tuple[object, Span], right: tuple[object, Span], span: Span, help: str = ""
) -> NoReturn:
    """Refuse an operator on two operands, with what to write in place of one that is no number, if there is no other
    help."""
    sides = left, right
    ways = [_as_tensor(value, text if len(text := place.one_line) <= _LONG else "") for value, place in sides]
    if op in ("in", "not in") and isinstance(right[0], (Tensor, Array)):
        way = f"reduce_any({right[1].one_line} == {left[1].one_line})"
        ways = [f"for a tensor, write: {way if op == 'in' else f'not {way}'}"]
    texts = [(value, place) for value, place in sides if isinstance(value, (str, bytes))]
    if len(texts) == 2:
        ways = ["write both with b before the quotes, or neither"]
    elif op == "%" and isinstance(left[0], str):
        ways = ['names in braces are replaced by their values: print "step {step}"']
    elif texts and op == "+":
        ways += [f'write a text: "{value}"' for value, _ in sides if isinstance(value, (int, float))]
    ctx.fail(OPERATOR, span, help=help or next(filter(None, ways), ""), op=op, left=describe(left[0]),
             right=describe(right[0]))  # fmt: skip


def bool_help(value: object, span: Span) -> str:
    """What to write for true or false where a number is needed. "" for other values."""
    if not isinstance(value, bool):
        return ""
    text = span.one_line
    return f"true and false are no numbers: write 1 if {text} else 0, or the numbers that you mean"


def _as_tensor(value: object, name: str) -> str:
    """What to write for a value that is no tensor. `name` is what the program calls it, if it is a name."""
    match value:
        case Operation():
            return f"it has no value: write the code that needs it done into 'after {name or '...'}:'"
        case Function():
            return f"call it: {value.tree.target.id}({'...' if value.tree.parameters else ''})"
        case Op() | RawOp() | Builtin() | Primitive() | PythonOp():
            return f"call it: {name or value.name}(...)"
        case OptimizerRow() | Optimizer():
            return f"it belongs to an optimize: optimize LOSS with {name or '...'}"
        case LaterValue():
            return "only raw.Merge takes it, in its list of inputs"
        case DataValue():
            return f"use {name or value.name}.features"
        case Batch():
            return f"use {name or 'batch'}.features"
        case Namespace():
            known = sorted(one for one in value.env.members(value.paths) if one[0] != "_")
            return f"name something in it: {value.name}.{known[0]}" if known else ""
        case Evaluation(fields=fields) if fields:
            one = f"{name or value.name}.{next(iter(fields))}"
            return f"name one of them, such as {one}" if len(fields) > 1 else f"write {one}"
        case RuntimeValue():
            return f"only the session knows it: use a placeholder in its place, and write: with p = {name or '...'}"
    return ""


_WITHOUT_NAMES = {
    **{word: f"without names, {word} takes all variables" for word in ("save", "restore", "init")},
    "wrt": "without 'wrt', all variables are trained",
}


def not_variable(ctx: Analysis, what: str, value: object, span: Span) -> NoReturn:
    """Refuse a value where a variable is needed."""
    help = variable_help(ctx, what.strip("'"), value, span)
    ctx.fail(NOT_VARIABLE, span, help=help, what=what, value=described(ctx, value))


def described(ctx: Analysis, value: object) -> str:
    """Describe a value for a message, and a step by its optimizer."""
    if isinstance(value, Operation) and (step := ctx.graph.nodes[value.ref.node]).is_step:
        return f"a step of {step.text('optimizer')}"
    return describe(value)


def variable_help(ctx: Analysis, word: str, value: object, span: Span) -> str:
    """What to write for a value where `word`, such as `save`, needs a variable."""
    text, help = span.one_line, ""
    match value:
        case Tensor(ref=ref):
            made_from = _names(_reached(ctx, ref), variables=True)
            node = ctx.graph.nodes[ref.node]
            inside = [one for one in _reached(ctx, ref) if one.is_variable and one.origin.chain]
            if inside and word in _WITHOUT_NAMES and (dotted := ctx.graph.dotted_name(inside[-1].id)):
                scope = dotted.rpartition(".")[0]
                help = f"name the scope of the call: {scope}, or one of its variables: {dotted}; {_WITHOUT_NAMES[word]}"
            elif made_from:
                help = f"it is computed from {made_from}: name the variable itself"
            elif node.is_placeholder:
                help = f"it is fed, not stored; to store it, declare: variable {node.name}: {value.type} = zeros"
            elif re.fullmatch(r"\w+", text):
                help = f"to be able to change it, declare: variable {text} = ..."
            if word == "save" and not node.is_placeholder and re.fullmatch(r"[\w.]+", text):
                way = f'to write its value: write {text} to "{text}.csv"'
                help = f"{help}; or {way}" if help else way
        case Namespace():
            members = {one: value.env.member(value.paths, one) for one in sorted(value.env.members(value.paths))}
            known = [one for one, found in members.items() if found and getattr(found.value, "is_variable", False)]
            help = f"name the variables in it: {', '.join(f'{value.name}.{one}' for one in known[:3])}" if known else ""

        case int() | float() | complex() | str() | list() | tuple() if re.fullmatch(r"[^\W\d]\w*", text):
            help = f"a value of the compiler never changes; declare instead: variable {text} = ..."
        case Operation(ref=ref) if word in ("save", "restore", "init") and (step := ctx.graph.nodes[ref.node]).is_step:
            help = f"{step.text('optimizer')} keeps no variables; name those that it trains"
            if step.keeps_variables:
                own = "leave 'as' out: what an optimizer keeps has its own names"
                help = "write the step outside of the list" if word == "init" else own
        case Function():
            help = f"return its variable too, as in: return y, kernel; and name that: y, kernel = {text}(...)"
    return help or _WITHOUT_NAMES.get(word, "")


def scalar_name(ctx: Analysis) -> str:
    """The name of a single float that may be the loss of the program: one with a name such as `loss`, or else the
    latest. "" if the program computes no single float."""
    names = list(_scalar_names(ctx))
    called = [name for name in names if re.search(r"cost|loss|mse|error|entropy|nll", name, re.I)]
    return next(iter(called or names), "")


def _scalar_names(ctx: Analysis) -> Iterator[str]:
    """The names of single floats, the last one first, except measures that grow as a model gets better."""
    for name, span, refs in reversed(ctx.graph.bound):
        node = ctx.graph.nodes.get(refs[0].node) if len(refs) == 1 else None
        if node is None or span.source.is_library or not node.outputs or node.is_variable or node.is_placeholder:
            continue
        type, row = node.outputs[refs[0].output], node.row
        is_float = (row is None or not row.writes) and type.rank == 0 and type.dtype.kind == "float"
        if is_float and not re.search(r"acc|precision|recall|score|f1|auc|r2", name, re.I):
            yield name


def no_gradient(
    ctx: Analysis,
    y: str,
    ys: Iterable[Ref],
    x: str,
    ref: Ref,
    span: Span,
    notes: tuple[Note, ...],
    ends: tuple[Note, ...],
) -> NoReturn:
    """Refuse a gradient of `y` with respect to `x`. `ends` has the places where it ends, if `y` uses `x` at all."""
    reached = {node.id: node for one in ys for node in _reached(ctx, one)}
    if ends:
        help = f"make {y} without that, or leave {x} out"
    else:
        others = _names((node for node in reached.values() if node.id != ref.node), variables=None)
        help = f"use {x} in {y}, or leave {x} out" + (f": it uses {others}" if others else "")
    ctx.fail(NOT_DIFFERENTIABLE, span, notes + ends, help, y=y, x=x)


def nothing_trainable(ctx: Analysis, loss: Ref, trainable: list[Node], span: Span, ends: tuple[Note, ...]) -> NoReturn:
    """Refuse a loss that no variable can be trained by. `ends` has the places where its gradient ends."""
    reached = _reached(ctx, loss)
    whole = [n for n in reached if n in trainable and n.outputs[0].dtype.kind in ("int", "uint")]
    fixed = [
        n for n in reached if n.is_variable and n not in trainable and not n.origin.span.source.is_library
    ]  # fmt: skip
    if whole:
        help = f"whole numbers are not trained: give '{whole[0].name}' floats, such as 1.0 for 1"
    elif ends:
        help = (
            "minimise something that has a gradient: a loss such as nn.mean_squared_error or nn.softmax_cross_entropy, "
            "not a measure such as an accuracy"
        )
    elif fixed:
        name = fixed[0].name
        help = f"'{name}' is declared with trainable=false: leave that out, or write after it: wrt {name}"
    elif names := _names(trainable, variables=True):
        help = f"use a variable in the loss: this program has {names}"
    else:
        help = "declare a variable, as in: variable w = 1.0; and use it in the loss"
    ctx.fail(NOTHING_TRAINABLE, span, ends, help)


def _reached(ctx: Analysis, ref: Ref) -> list[Node]:
    return [ctx.graph.nodes[id] for id in sorted(ctx.graph.reach([ref]))]


def _names(nodes: Iterable[Node], variables: bool | None) -> str:
    """The variables among some nodes, and the placeholders too if `variables` is None, by the program's names."""
    wanted = (n for n in nodes if n.is_variable or (variables is None and n.is_placeholder))
    names = [n.name for n in wanted if n.name and not n.origin.span.source.is_library]
    return ", ".join(dict.fromkeys(names[:4]))


def declared_as(ctx: Analysis, first: ExprValue, second: ExprValue) -> str:
    """How to declare a placeholder that is used with a variable of a library, which a program cannot cast."""
    for placeholder, variable in ((first, second), (second, first)):
        if isinstance(placeholder, Tensor) and isinstance(variable, Tensor) and variable.is_variable:
            fed, made = ctx.graph.nodes[placeholder.ref.node], ctx.graph.nodes[variable.ref.node]
            if fed.is_placeholder and made.origin.span.source.is_library:
                return f"declare {fed.shown}: {TensorType(variable.type.dtype, placeholder.type.shape)}"
    return ""


def feed_help(ctx: Analysis, env: Env, expr: t.Dictionary) -> str:
    """A help line for a dictionary whose keys are placeholders. "" for others."""
    names = [entry.key.id for entry in expr.entries if isinstance(entry.key, t.Name)]
    found = [bound.value for name in names if (bound := env.find(name)) is not None]
    fed = [one for one in found if isinstance(one, Tensor) and ctx.graph.nodes[one.ref.node].is_placeholder]
    if not fed or len(fed) < len(expr.entries):
        return ""
    pairs = ", ".join(f"{entry.key.span.one_line} = {entry.value.span.one_line}" for entry in expr.entries)
    return f"write in the body of a training: feed {pairs}; in other statements, behind their values: with {pairs}"
