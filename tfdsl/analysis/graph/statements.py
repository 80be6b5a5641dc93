"""Analyses statements of the graph half: the names they bind and the nodes they add.

An error in one statement does not stop the analysis. The names of that statement become `ErrorValue`, and using
them reports nothing more.
"""

import re
from collections.abc import Mapping
from itertools import islice
from typing import assert_never

from ...diagnostics import (
    ARGUMENT_KIND,
    CONTAINER_NAME,
    DEVICE_NAME,
    GRAPH_PLACE,
    INITIAL_MISSING,
    INITIAL_TYPE,
    NOT_TEXT,
    OPTION_UNKNOWN,
    REBOUND,
    REGION_PLACE,
    RETURN_OUTSIDE,
    REUSES_NOTHING,
    SEED_LATE,
    SEED_TWICE,
    SEED_VALUE,
    SHAPE_INCOMPLETE,
    SHARED_DISAGREES,
    SHARED_MISSING,
    SHARED_REUSE,
    SUMMARY_KIND,
    SUMMARY_TYPE,
    TYPE_MISSING_SHAPE,
    UNUSED_VALUE,
    VERSION_LATE,
    VERSION_VALUE,
    Note,
)
from ...diagnostics.spelling import listed
from ...ops.named import CONSTANT
from ...ops.op import Op
from ...program import PLACEHOLDER, SHARED, SUMMARY, VARIABLE, Arg, Enter, Exit, Ref, Static, shape_known
from ...source import Span
from ...syntax import tree as t
from ...types import DTYPES, TensorType
from ..calls.arguments import Arguments, ArgumentValue, operand_notes, typed
from ..calls.calls import inline
from ..calls.op_calls import call_op
from ..calls.scopes import block_scope, taken
from ..calls.slips import doubt_aliases, doubt_tag
from ..calls.wrong_kind import not_tensor
from ..context import Analysis, GraphBuilder, Shared, StatementFailed
from ..dispatch import Returned
from ..expressions.binding import bind, bind_targets, unpacked
from ..expressions.declared import fits, tensor_type
from ..expressions.expressions import evaluate, given, iterate, value_of, values_of
from ..expressions.named import named
from ..expressions.node_names import filled_in, give_name, node_name
from ..names import Assumed, BoundTwice, declared, rebinding
from ..other_graph import on_graph
from ..values import Env, ErrorValue, Function, Initializer, NodeValue, Tensor, describe, is_host
from . import steps
from .control import choose, while_loop
from .datasets import declared_data
from .functions import graph_function
from .loops import close
from .modules import imported
from .params import declared_param
from .signatures import signature

SUMMARY_KINDS = ("scalar", "histogram", "image", "text")


def block(ctx: Analysis, env: Env, statements: t.Block) -> Returned | None:
    """Analyse statements in order, up to a `return`."""
    return ctx.with_depth(_block, statements[0].span, ctx, env, statements) if statements else None


def _block(ctx: Analysis, env: Env, statements: t.Block) -> Returned | None:
    for statement in statements:
        ctx.spend(10, statement.span)
        try:
            result = _statement(ctx, env, statement)
        except StatementFailed as failure:
            ctx.abandon(failure)
            _bind_broken(ctx, env, statement)
        else:
            if isinstance(result, Returned):
                return result
    return None


def _bind_broken(ctx: Analysis, env: Env, statement: t.Statement) -> None:
    """Bind the names of a failed statement, so their uses are not reported as errors."""
    ctx.graph.broken |= _kinds(statement)
    if ctx.is_partial:
        ctx.doubtful.update(one.target.id for one in t.trees(statement) if isinstance(one, t.ScopeName))
    if isinstance(statement, t.Import):
        targets = statement.names or ((statement.target,) if statement.target else ())
        if not targets:
            targets = (t.Identifier(statement.span, statement.path.rpartition("/")[2].removesuffix(".tfg")),)
    else:
        targets = [
            target
            for target, owner in declared((statement,))
            if owner is None or (ctx.is_partial and isinstance(owner, t.While) and env.reached(target.id) is not None)
        ]
    rebound = set(rebinding((statement,)))
    for target in targets:
        again = target.id in rebound or (ctx.is_partial and isinstance(statement, t.While | t.If | t.For | t.Broken))
        if again or env.loops or env.member((env.path,), target.id) is None:  # a loop may have it from before
            try:
                env.bind(target.id, ErrorValue(), target.span, again)
            except (BoundTwice, Assumed):
                continue


_KINDS = {
    "param": t.Param, "data": t.Data, "placeholder": t.Placeholder, "variable": t.Variable, "shared": t.Variable,
    "loss": t.Loss, "optimize": t.Optimize, "apply": t.ApplyGradients, "summary": t.Summary, "seed": t.Seed,
    "signature": t.Signature,
    "import": t.Import, "from": t.Import, "return": t.Return, "session": t.Session, "def": t.Def,
    "graph_version": t.GraphVersion, "function": t.GraphFunction,
}  # fmt: skip


def _kinds(statement: t.Statement) -> set[type]:
    """The kinds of declarations that a failed statement may have been."""
    if not isinstance(statement, t.Broken):
        return {type(statement)}
    if "\n" not in statement.span.text:
        if statement.word in _KINDS:
            return {_KINDS[statement.word]}
        if not statement.word and statement.targets:
            return {t.Assign}
    return set(_KINDS.values())


# Declarations that live as long as the graph. They cannot be made in a `while` or in an `if` on a tensor.
_LASTING = {
    t.Placeholder: "a placeholder", t.Loss: "a loss", t.Optimize: "'optimize'", t.ApplyGradients: "'apply'",
    t.Summary: "a summary", t.Signature: "a signature", t.Seed: "the seed", t.Data: "data", t.Param: "a param",
    t.Import: "'import'",
    t.GraphVersion: "the version",
}  # fmt: skip


def _statement(ctx: Analysis, env: Env, statement: t.Statement) -> Returned | None:
    if ctx.graph.regions and type(statement) in _LASTING:
        ctx.fail(REGION_PLACE, statement.span, what=_LASTING[type(statement)])
    match statement:
        case t.Assign():
            _assign(ctx, env, statement)
        case t.ExpressionStatement():
            _expression(ctx, env, statement)
        case t.Param():
            bind(ctx, env, statement.target, declared_param(ctx, env, statement))
        case t.Data():
            bind(ctx, env, statement.target, declared_data(ctx, env, statement))
        case t.Seed():
            _seed(ctx, env, statement)
        case t.GraphVersion():
            _graph_version(ctx, env, statement)
        case t.GraphFunction():
            graph_function(ctx, env, statement)
        case t.Placeholder():
            _placeholder(ctx, env, statement)
        case t.Variable():
            (_shared if statement.shared else _variable)(ctx, env, statement)
        case t.Loss():
            steps.loss(ctx, env, statement)
        case t.Optimize():
            steps.optimize(ctx, env, statement)
        case t.ApplyGradients():
            steps.apply(ctx, env, statement)
        case t.Summary():
            _summary(ctx, env, statement)
        case t.Signature():
            signature(ctx, env, statement)
        case t.Return():
            return _return(ctx, env, statement)
        case t.Scope():
            return _scope(ctx, env, statement)
        case t.After():
            return _after(ctx, env, statement)
        case t.If():
            return choose(ctx, env, statement)
        case t.For():
            return _for(ctx, env, statement)
        case t.Def():
            seen: dict[str, Span] = {}
            for one in statement.parameters:
                if one.name in seen:
                    note = Note(f"'{one.name}' was bound on line {{line}}", seen[one.name])
                    ctx.fail(REBOUND, one.span, (note,), name=one.name)
                seen[one.name] = one.span
            bind(ctx, env, statement.target, Function(statement, env))
        case t.Graph() | t.Session():
            what = "'graph'" if isinstance(statement, t.Graph) else "'session'"
            ctx.fail(GRAPH_PLACE, statement.span, what=what, hint="it belongs to the top level of a file")
        case t.Import():
            imported(ctx, env, statement)
        case t.Device() | t.Container():
            return _placed(ctx, env, statement)
        case t.While():
            while_loop(ctx, env, statement)
        case t.Broken():
            return _broken(ctx, env, statement)
        case _:
            if isinstance(statement, t.SessionStatement):
                raise AssertionError(f"a statement of the session half in the graph half: {statement}")
            assert_never(statement)
    return None


def _broken(ctx: Analysis, env: Env, statement: t.Broken) -> Returned | None:
    """A statement with a syntax error. Blocks that are always entered are analysed."""
    if statement.word in ("after", "device", "container") and statement.body:
        ctx.failed += 1
        ctx.graph.broken.add(t.Device)
        return block(ctx, env, statement.body)
    if statement.word == "scope" and statement.body:
        ctx.failed += 1
        name = statement.targets[0].id if statement.targets else "scope"
        with block_scope(ctx, env, name, statement.span, reuse=False):
            return block(ctx, env, statement.body)
    returns = statement.word == "return" or (
        statement.word != "def" and any(isinstance(one, t.Return) for one in t.trees(statement.body))
    )
    if returns and ctx.calling:
        return Returned(ErrorValue())
    raise StatementFailed(None)


# --- values -----------------------------------------------------------------------------------


def _assign(ctx: Analysis, env: Env, statement: t.Assign) -> None:
    if not statement.unpack:
        value = named(ctx, env, statement.value, statement.targets[0].id, statement.name)
        bind(ctx, env, statement.targets[0], value, statement.value)
        if ctx.graph.pending:
            close(ctx, env, statement.targets[0], value)
        return
    value = named(ctx, env, statement.value, None, statement.name)
    call = statement.value if isinstance(statement.value, t.Call) else None
    function = (lambda: evaluate(ctx, env, call.function)) if call else None
    items = unpacked(ctx, statement.targets, value, statement.value.span, function)
    for target, item in zip(statement.targets, items, strict=True):
        bind(ctx, env, target, item, statement.value)


def _expression(ctx: Analysis, env: Env, statement: t.ExpressionStatement) -> None:
    if statement.name is None:
        value = evaluate(ctx, env, statement.value)
    else:
        value = named(ctx, env, statement.value, None, statement.name)
    tensors = value if isinstance(value, (list, tuple)) else [value]
    refs = tuple(v.ref for v in tensors if isinstance(v, NodeValue))
    if refs:
        ctx.graph.bound.append(("", statement.span, refs))
    elif not refs and not isinstance(value, (ErrorValue, type(None))):
        ctx.report(UNUSED_VALUE, statement.span)


def _seed(ctx: Analysis, env: Env, statement: t.Seed) -> None:
    value = value_of(ctx, env, statement.value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        ctx.fail(SEED_VALUE, statement.value.span, value=describe(value))
    if ctx.graph.seed is not None:
        ctx.fail(SEED_TWICE, statement.span, (Note("the first is on line {line}", ctx.graph.seed_span),))
    for node in ctx.graph.nodes.values():
        if node.row is not None and node.row.takes_seed:
            ctx.fail(SEED_LATE, statement.span, (Note("a random node is on line {line}", node.origin.span),))
    ctx.graph.seed, ctx.graph.seed_span = value, statement.span


def _graph_version(ctx: Analysis, env: Env, statement: t.GraphVersion) -> None:
    value = value_of(ctx, env, statement.value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        ctx.fail(VERSION_VALUE, statement.value.span, value=describe(value))
    if ctx.graph.version is not None or ctx.graph.nodes or ctx.graph.functions or ctx.graph.is_function:
        ctx.fail(VERSION_LATE, statement.span)
    ctx.graph.version = value


# --- placeholders and variables ---------------------------------------------------------------


def _placeholder(ctx: Analysis, env: Env, statement: t.Placeholder) -> None:
    type = tensor_type(ctx, env, statement.type)
    args: dict[str, Arg] = {}
    name = statement.target.id
    if statement.default is not None:
        default = given(ctx, env, statement.default)
        args["default"], actual = typed(ctx, default, type.dtype)
        if not fits(ctx, type, actual):
            ctx.fail(INITIAL_TYPE, default.span, name=name, declared=type, type=actual)
    node = _declared(ctx, env, PLACEHOLDER, args, type, statement)
    bind(ctx, env, statement.target, Tensor(Ref(node), type, ctx.graph.name, statement.span))


def _declared(
    ctx: Analysis, env: Env, op: str, args: dict[str, Arg], type: TensorType, statement: t.Placeholder | t.Variable
) -> int:
    """The node of a declaration, with its name or the whole name that it is given."""
    whole = None if statement.node is None else node_name(ctx, env, statement.node)
    node = ctx.graph.add(op, args, statement.target.id if whole is None else None, (type,), ctx.origin(statement.span))
    if whole is not None and statement.node is not None:
        give_name(ctx, node, whole, statement.node.span)
    return node


def _initial(ctx: Analysis, env: Env, statement: t.Variable) -> tuple[Arg, TensorType]:
    """The initial value of a variable: an expression, or an initializer if the type is given."""
    name = statement.target.id
    declared = None if statement.type is None else tensor_type(ctx, env, statement.type)
    assert statement.value is not None  # only a shared variable has none
    value = given(ctx, env, statement.value)
    if isinstance(value.value, (Op, Initializer)) and (declared is None or statement.type is None):
        word = statement.span.text.split()[0]  # variable or shared
        op = value.value if isinstance(value.value, Op) else value.value.op
        ctx.fail(TYPE_MISSING_SHAPE, value.span, name=op.name, text=value.text, variable=f"{word} {name}")
    if declared is not None and statement.type is not None:
        value = _initialised(ctx, env, value, declared, statement.type.span, name)
    if isinstance(value.value, Function):
        help = f"call it: {value.value.tree.target.id}(...); an initializer has one parameter, the shape"
        not_tensor(ctx, value.value, value.span, help)
    arg, type = typed(ctx, value, declared.dtype if declared else None)
    if declared is not None and not fits(ctx, declared, type):
        help = f"declare {name}: {type}, or give it a value that is {declared}" if shape_known(type.shape) else ""
        ctx.fail(INITIAL_TYPE, value.span, operand_notes([value]), help, name=name, declared=declared, type=type)
    if not shape_known(type.shape):
        if declared is not None and shape_known(declared.shape):
            return arg, declared
        ctx.fail(SHAPE_INCOMPLETE, value.span, operand_notes([value]), type=type, name=name)
    return arg, type


def _initialised(
    ctx: Analysis, env: Env, value: ArgumentValue, declared: TensorType, place: Span, name: str
) -> ArgumentValue:
    """The initial value that an initializer gives a variable of a type: an op, a call that lacks its shape, a function
    of the shape, or a number. Other values are those of the variable already."""
    initializer = value.value
    is_number = isinstance(initializer, (bool, int, float, complex)) and declared.rank != 0
    is_function = isinstance(initializer, Function) and len(initializer.tree.parameters) == 1
    if not (is_number or is_function or isinstance(initializer, (Op, Initializer))):
        return value
    if not shape_known(declared.shape):
        ctx.fail(SHAPE_INCOMPLETE, place, type=declared, name=name)
    shape = ArgumentValue(list(declared.shape), place)
    dtype = ArgumentValue(declared.dtype, place)
    match initializer:
        case Function():
            made = inline(ctx, env, initializer, [(None, shape)], value.span)
        case Initializer(op=op, given=arguments):
            named = {word: ArgumentValue(one, span) for word, (one, span) in arguments.items()}
            made = call_op(ctx, op, _with_type(op, named, shape, dtype), initializer.span)
        case Op():
            made = call_op(ctx, initializer, _with_type(initializer, {}, shape, dtype), value.span)
        case _:
            filled: Arguments = [("value", value), ("dtype", dtype), ("shape", shape)]
            made = call_op(ctx, CONSTANT, filled, value.span)
    return ArgumentValue(made, value.span)


def _with_type(
    op: Op, named: Mapping[str, ArgumentValue], shape: ArgumentValue, dtype: ArgumentValue
) -> Arguments:  # fmt: skip
    """The arguments of an initializer with those that the type of the variable gives."""
    of_type = {"shape": shape, **({"dtype": dtype} if any(p.name == "dtype" for p in op.params) else {})}
    return list({**of_type, **named}.items())


_OPTIONS = ("trainable", "resource")


def _options(ctx: Analysis, env: Env, statement: t.Variable) -> dict[str, Arg]:
    args: dict[str, Arg] = {}
    for option in statement.options:
        word = "shared" if statement.shared else "variable"
        if option.name is None or option.name not in _OPTIONS:
            help = ctx.did_you_mean(option.name or "", _OPTIONS)
            ctx.fail(OPTION_UNKNOWN, option.span, help=help, statement=word, name=option.name, known=listed(_OPTIONS))
        value = value_of(ctx, env, option.value)
        if not isinstance(value, bool):
            ctx.fail(ARGUMENT_KIND, option.value.span, function=f"'{word}'", wanted="true or false", name=option.name,
                     value=describe(value))  # fmt: skip
        args[option.name] = Static(value)
    return args


def _variable(ctx: Analysis, env: Env, statement: t.Variable) -> None:
    name = statement.target.id
    if statement.value is None:
        type = "" if statement.type is None else ": " + statement.type.span.one_line
        ctx.fail(INITIAL_MISSING, statement.span, name=name, type=type, value="zeros" if "[" in type else "0.0")
    if ctx.graph.regions:
        ctx.fail(REGION_PLACE, statement.span, what="a variable")
    if ctx.graph.taking is not None:
        with ctx.graph.trial():
            _, type = _initial(ctx, env, statement)
        variable = taken(ctx, type, name)
    else:
        with ctx.graph.apart():
            initial, type = _initial(ctx, env, statement)
            args = {"initial": initial, **_options(ctx, env, statement)}
            node = _declared(ctx, env, VARIABLE, args, type, statement)
        variable = Tensor(Ref(node), type, ctx.graph.name, statement.span, True)
    ctx.graph.add_variable(variable, is_shared=False)
    bind(ctx, env, statement.target, variable)


def _shared(ctx: Analysis, env: Env, statement: t.Variable) -> None:
    """A shared variable: created at its first use, and the same variable from then on."""
    graph, name = ctx.graph, statement.target.id
    graph.sharings += 1
    path = "/".join((*graph.variable_scope, name))
    known = graph.shared.get(path)
    if statement.value is None:
        if known is None and ctx.is_partial:
            raise StatementFailed(None)
        if known is None:
            here = [p.rpartition("/")[2] for p in graph.shared if p.rpartition("/")[0] == path.rpartition("/")[0]]
            same = [(p, s.span) for p, s in graph.shared.items() if p.rpartition("/")[2] == name]
            notes = tuple(
                Note(f"the shared '{p}' of line {{line}} is a different variable", span) for p, span in same[:3]
            )
            ctx.fail(SHARED_MISSING, statement.span, notes, ctx.did_you_mean(name, here), path=path, name=name)
    elif known is None:
        if graph.reuse and ctx.is_partial:
            raise StatementFailed(None)
        if graph.reuse:
            ctx.fail(SHARED_REUSE, statement.span, path=path)
        if graph.regions:
            ctx.fail(REGION_PLACE, statement.span, what="a shared variable")
        with graph.apart():
            initial, type = _initial(ctx, env, statement)
            args = {"initial": initial, **_options(ctx, env, statement)}
            node = _declared(ctx, env, SHARED, args, type, statement)
        tensor = Tensor(Ref(node), type, graph.name, statement.span, True)
        known = graph.shared[path] = Shared(tensor, graph.key(initial), statement.span)
    else:
        _check_shared(ctx, env, statement, known, path)
    graph.add_variable(known.tensor, is_shared=True)
    # Sharing the variable that the name already means is not a second binding.
    before = env.member((env.path,), name)
    if before is None or before.value is not known.tensor:
        bind(ctx, env, statement.target, known.tensor)


def _check_shared(ctx: Analysis, env: Env, statement: t.Variable, known: Shared, path: str) -> None:
    with ctx.graph.trial():
        initial, type = _initial(ctx, env, statement)
        key = ctx.graph.key(initial)
    there = known.tensor.type
    for what, first, second in (
        ("the dtype", there.dtype, type.dtype),
        ("the shape", there.shape, type.shape),
        ("the initial value", known.initial, key),
    ):
        if first != second:
            if what == "the shape":
                first, second = there, type
            if what == "the initial value":
                first, second = (" ".join(s.text.partition("=")[2].split())[:40] for s in (known.span, statement.span))
            note = Note("it was created on line {line}", known.span)
            ctx.fail(
                SHARED_DISAGREES, statement.span, (note,), path=path, what=what, first=first, second=second,
                name=statement.target.id, what_else=what.removeprefix("the "),
            )  # fmt: skip


# --- summaries --------------------------------------------------------------------------------


def _summary(ctx: Analysis, env: Env, statement: t.Summary) -> None:
    kind = statement.kind.id
    if kind not in SUMMARY_KINDS:
        help = ctx.did_you_mean(kind, SUMMARY_KINDS)
        ctx.fail(SUMMARY_KIND, statement.kind.span, help=help, kind=kind, known=", ".join(SUMMARY_KINDS))
    value = given(ctx, env, statement.value)
    arg, type = typed(ctx, value)
    wanted = {
        "scalar": ("one number", type.rank in (0, None) and type.dtype.kind in ("float", "int", "uint")),
        "histogram": ("numbers", type.dtype.kind in ("float", "int", "uint")),
        "image": ("rank 4: images, height, width, channels", type.rank in (4, None)),
        "text": ("strings", type.dtype.kind == "string"),
    }[kind]
    if not wanted[1]:
        help = ""
        if kind == "scalar" and type.dtype.kind == "float":
            tag = f" as {statement.tag.span.one_line}" if statement.tag else ""
            help = f"write: summary scalar reduce_mean({value.text}){tag}; "
            help += f"or summary histogram {value.text}{tag} for all of them"
        ctx.fail(SUMMARY_TYPE, value.span, operand_notes([value]), help, kind=kind, wanted=wanted[0], type=type)
    tag = value_of(ctx, env, statement.tag) if statement.tag else value.text
    if not isinstance(tag, str) or not tag:
        ctx.fail(
            NOT_TEXT,
            statement.tag.span if statement.tag else value.span,
            what="the tag of a summary",
            value=describe(tag),
        )
    if isinstance(statement.tag, t.Constant):
        tag = filled_in(ctx, env, tag, statement.tag.span, "the tag of a summary")
    args = {"kind": Static(kind), "tag": Static(tag), "value": arg}
    doubt_tag(ctx, tag, statement.span)
    node = ctx.graph.add(SUMMARY, args, None, (TensorType(DTYPES["string"], ()),), ctx.origin(statement.span))
    ctx.graph.summaries.setdefault(tag, []).append(Ref(node))


# --- blocks -----------------------------------------------------------------------------------


def _return(ctx: Analysis, env: Env, statement: t.Return) -> Returned:
    if not ctx.calling:
        if t.Def in ctx.graph.broken:  # whose block this may be
            raise StatementFailed(None)
        ctx.fail(RETURN_OUTSIDE, statement.span)
    if statement.name is not None:
        whole = statement.values[0] if len(statement.values) == 1 else t.Tuple(statement.span, statement.values)
        return Returned(named(ctx, env, whole, None, statement.name))
    values = values_of(ctx, env, statement.values)
    return Returned(None if not values else values[0] if len(values) == 1 else tuple(values))


def _scope(ctx: Analysis, env: Env, statement: t.Scope) -> Returned | None:
    sharings, first = ctx.graph.sharings, len(ctx.graph.nodes)
    with block_scope(ctx, env, statement.target.id, statement.target.span, statement.reuse):
        result = block(ctx, env, statement.body)
    if statement.reuse and ctx.graph.sharings == sharings:
        ctx.looks_ahead = True  # for syntax errors
        if not ctx.is_partial:
            _doubt_reuse(ctx, statement, first)
    return result


def _doubt_reuse(ctx: Analysis, statement: t.Scope, first: int) -> None:
    """Warn of a scope with `reuse` that makes variables of its own, as if they were those of the first scope. The
    scope has the nodes from number `first` on, and shares no variable."""
    made = [node for node in islice(ctx.graph.nodes.values(), first, None) if node.is_variable]
    if not made:
        return
    names = listed(dict.fromkeys(node.shown for node in made))
    one = made[0]
    places = {part.span: part.target.id for part in t.trees(statement) if isinstance(part, t.Variable)}
    name = places.get(one.origin.span, one.shown)
    help = f"write in both scopes: shared {name} = ..., in place of variable {name}"
    if one.origin.span.source.is_library:
        help = (
            "in place of the layer, call one function in both scopes that has its own shared variables: "
            f"def layer(x):, in it: shared {name}: {one.outputs[0]} = ..., and return what it computes"
        )
    ctx.warn(REUSES_NOTHING, ctx.origin(statement.target.span), help=help, names=names)


def _after(ctx: Analysis, env: Env, statement: t.After) -> Returned | None:
    refs = []

    def add(expr: t.Expr) -> None:
        value = given(ctx, env, expr)
        for one in value.value if isinstance(value.value, (list, tuple)) else [value.value]:
            if not isinstance(one, NodeValue):
                help = "name what must run first, such as an assign: after update:" if is_host(one) else ""
                not_tensor(ctx, one, value.span, help)
            refs.append(ctx.use(one, value.span, value.text).ref)

    for expr in statement.values:
        try:
            add(expr)
        except StatementFailed as failure:
            ctx.abandon(failure)
    ctx.graph.items.append(Enter("after", "", tuple(refs)))
    outside, first = ctx.graph.held, len(ctx.graph.nodes)
    ctx.graph.held = (*outside, *refs)
    try:
        result = block(ctx, env, statement.body)
        doubt_aliases(ctx, env, statement, first)
        return result
    finally:
        ctx.graph.held = outside
        ctx.graph.items.append(Exit())


DEVICE = re.compile(
    r"(/job:[a-zA-Z]\w*)?(/replica:\d+)?(/task:\d+)?((/device:[a-zA-Z]\w*|/[cg]pu):(\d+|\*))?", re.ASCII | re.IGNORECASE
)


def _placed(ctx: Analysis, env: Env, statement: t.Device | t.Container) -> Returned | None:
    """`device` and `container`: where the nodes of a block run, and where a cluster keeps their variables."""
    is_device = isinstance(statement, t.Device)
    kind, what = ("device", "a device") if is_device else ("container", "the name of a container")
    if is_device and ctx.graph.regions:
        ctx.fail(REGION_PLACE, statement.span, what="'device'")
    value = value_of(ctx, env, statement.value)
    if not isinstance(value, str):
        ctx.fail(NOT_TEXT, statement.value.span, what=what, value=describe(value))
    if is_device and (not value or DEVICE.fullmatch(value) is None):
        ctx.fail(DEVICE_NAME, statement.value.span, name=value)
    if not is_device and re.fullmatch(r"[A-Za-z0-9.][\w./-]*", value, re.ASCII) is None:
        ctx.fail(CONTAINER_NAME, statement.value.span, name=value)
    ctx.graph.items.append(Enter(kind, value))
    try:
        return block(ctx, env, statement.body)
    finally:
        ctx.graph.items.append(Exit())


def _for(ctx: Analysis, env: Env, statement: t.For) -> Returned | None:
    values = iterate(ctx, value_of(ctx, env, statement.iterable), statement.iterable.span)
    env.begin_loop()
    try:
        for value in values:
            env.next_turn()
            bind_targets(ctx, env, statement.targets, value, statement.iterable.span)
            result = block(ctx, env, statement.body)
            if result is not None:
                return result
    finally:
        env.end_loop()
    return None


def graph_block(ctx: Analysis, statement: t.Graph) -> None:
    """`graph NAME:` at the top of a file."""
    name = statement.target.id
    known = ctx.graphs.get(name)
    if known is not None:
        note = Note(f"'{name}' was bound on line {{line}}", known.span)
        ctx.fail(REBOUND, statement.target.span, (note,), name=name)
    env = Env(parent=ctx.env)
    graph = ctx.graphs[name] = GraphBuilder(name, env, span=statement.target.span)
    with on_graph(ctx, graph):
        block(ctx, env, statement.body)
