"""Ops that apply a function to the elements of tensors: `map_fn`, `foldl`, `foldr`, `scan`.

Each becomes one node with one region, the function's body. The parameters of the region are the values that an
iteration gets from the one before it, and then an element of each tensor; its results are the values for the next
iteration, or those that are stacked. As in TensorFlow, each argument of the function is a tensor, or a list of tensors.
"""

from collections.abc import Callable, Iterable, Iterator

from ...diagnostics import APPLIED_RESULT, APPLIED_TYPE, ARGUMENT_KIND, RANK, SIZES_DIFFER
from ...ops.op import Op
from ...program import Arg, Node, Ref, Refs, Region, Static
from ...source import Span
from ...types import Dim, SizeClash, TensorType
from ..context import Analysis, StatementFailed
from ..values import Builtin, Env, ErrorValue, ExprValue, Function, Initializer, Primitive, Tensor, as_dtype, describe
from .arguments import Arguments, ArgumentValue, assign_arguments, missing, operand_notes, prepared, to_arg, typed
from .regions import region, type_in_all

Call = Callable[..., ExprValue]  # of the function with its arguments


def applied(
    ctx: Analysis, env: Env, op: Op, given: Arguments, span: Span, name: str | None,
    call: Callable[[ExprValue, Arguments], ExprValue],
) -> ExprValue:  # fmt: skip
    """The value of a call of such an op. `call` returns the value of a call of its function."""
    arguments = assign_arguments(ctx, op.name, op.signature, [param.name for param in op.params], given, span)
    for needed in ("fn", "elems"):
        if needed not in arguments:
            missing(ctx, op.name, op.signature, needed, span)
    fn, elems = arguments["fn"], arguments["elems"]
    if isinstance(fn.value, ErrorValue):
        raise StatementFailed(None)
    if not isinstance(fn.value, (Function, Op, Builtin, Primitive)) or isinstance(fn.value, Initializer):
        ctx.fail(ARGUMENT_KIND, fn.span, function=op.name, wanted="a function", name="fn", value=describe(fn.value))
    tensors = [typed(ctx, leaf) for leaf in _leaves(ctx, elems)]
    count, elements = _elements(ctx, op, elems, [type for _, type in tensors])
    args: dict[str, Arg] = {"elems": Refs(tuple(arg for arg, _ in tensors)), **_options(ctx, op, arguments)}

    def run(*values: ArgumentValue) -> ExprValue:
        return call(fn.value, [(None, value) for value in values])

    if not op.folds:
        with region(ctx, env, span) as items:
            params = _carried(ctx, elements, elems.span)
            made = _returned(ctx, op, fn, run, _stand_in(ctx, elems, params))
            results = [typed(ctx, leaf) for leaf in _leaves(ctx, made)]
            body = Region(params, tuple(items), tuple(arg for arg, _ in results))
        outputs, like = [type for _, type in results], made.value
        _check_dtypes(ctx, op, arguments, outputs)
    else:
        first = arguments.get("initializer")
        initial = first if first is not None and first.value is not None else elems
        types = elements
        if initial is not elems:
            values = [typed(ctx, leaf) for leaf in _leaves(ctx, initial)]
            types, args["initializer"] = [type for _, type in values], Refs(tuple(arg for arg, _ in values))
        body, outputs = _iterated(ctx, env, op, fn, run, (initial, types), (elems, elements), span)
        like = initial.value
    if op.stacks:
        outputs = [TensorType(one.dtype, None if one.shape is None else (count, *one.shape)) for one in outputs]
    node = ctx.graph.add(op.name, args, name, tuple(outputs), ctx.origin(span), regions=(body,))
    refs = [Tensor(Ref(node, at), type, ctx.graph.name, span) for at, type in enumerate(outputs)]
    return _packed(like, iter(refs))


def _iterated(
    ctx: Analysis, env: Env, op: Op, fn: ArgumentValue, run: Call,
    initial: tuple[ArgumentValue, list[TensorType]], elems: tuple[ArgumentValue, list[TensorType]], span: Span,
) -> tuple[Region, list[TensorType]]:  # fmt: skip
    """The region of an iteration that passes values on, and their types."""
    (first, types), (given, elements) = initial, elems
    while True:
        diagnostics = ctx.bag.marked()
        with ctx.graph.trial() as trial:
            with region(ctx, env, span) as items:
                values, params = _carried(ctx, types, first.span), _carried(ctx, elements, given.span)
                value = _stand_in(ctx, first, values)
                made = _returned(ctx, op, fn, run, value, _stand_in(ctx, given, params))
                if _form(made.value) != _form(first.value):
                    ctx.fail(APPLIED_TYPE, span, function=fn.text, op=op.name, first=_described(value.value),
                             second=_described(made.value))  # fmt: skip
                results = [to_arg(ctx, leaf, type.dtype) for leaf, type in zip(_leaves(ctx, made), types, strict=True)]
                body = Region((*values, *params), tuple(items), tuple(arg for arg, _ in results))
            after: list[TensorType] = []
            for before, (_, type) in zip(types, results, strict=True):
                both = type_in_all(ctx, before, type)
                if both is None:
                    ctx.fail(APPLIED_TYPE, span, function=fn.text, op=op.name, first=before, second=type)
                after.append(both)
            trial.keep = after == types
        if after == types:
            return body, types
        types = after
        ctx.bag.back_to(diagnostics)


def _returned(ctx: Analysis, op: Op, fn: ArgumentValue, run: Call, *arguments: ArgumentValue) -> ArgumentValue:
    """What a call of the function returns."""
    failed = ctx.failed
    value = run(*arguments)
    if ctx.failed > failed:
        raise StatementFailed(None)
    if value is None:
        ctx.fail(APPLIED_RESULT, fn.span, function=fn.text, op=op.name)
    return ArgumentValue(value, fn.span)


def _elements(ctx: Analysis, op: Op, elems: ArgumentValue, types: list[TensorType]) -> tuple[Dim, list[TensorType]]:
    """How many elements each tensor has, and the types of an element of each."""
    if not types:
        ctx.fail(ARGUMENT_KIND, elems.span, function=op.name, wanted="tensors", name="elems", value="an empty list")
    count: Dim = None
    ctx.graph.sizes.here = elems.span
    for type in types:
        if type.shape == ():
            help = f"write constant({elems.text}) for one tensor" if isinstance(elems.value, (list, tuple)) else ""
            ctx.fail(RANK, elems.span, operand_notes([elems]), help, op=op.name, param="elems", wanted="1 or more",
                     type=type)  # fmt: skip
        try:
            count = ctx.graph.sizes.same(count, type.shape[0]) if type.shape else count
        except SizeClash as clash:
            ctx.fail(SIZES_DIFFER, elems.span, operand_notes([elems]), op=op.name, left=clash.left, right=clash.right)
    return count, [TensorType(type.dtype, type.shape and type.shape[1:]) for type in types]


def _options(ctx: Analysis, op: Op, arguments: dict[str, ArgumentValue]) -> dict[str, Arg]:
    """The options of the op, which are known while compiling."""
    made: dict[str, Arg] = {}
    for option, wanted, kind in (
        ("parallel_iterations", "a whole number above 0", int),
        ("reverse", "true or false", bool),
    ):
        given = arguments.get(option)
        if given is None:
            continue
        value = given.value
        if not isinstance(value, kind) or (kind is int and (isinstance(value, bool) or value < 1)):
            ctx.fail(ARGUMENT_KIND, given.span, function=op.name, wanted=wanted, name=option, value=describe(value))
        made[option] = Static(value)
    return made


def _check_dtypes(ctx: Analysis, op: Op, arguments: dict[str, ArgumentValue], types: list[TensorType]) -> None:
    """Check the dtypes that a program may say, as TensorFlow needs them."""
    given = arguments.get("dtype")
    if given is None or given.value is None:
        return
    wanted = [as_dtype(leaf.value) for leaf in _leaves(ctx, given)]
    if wanted != [type.dtype for type in types]:
        made = ", ".join(str(type.dtype) for type in types)
        text = f"[{made}]" if len(types) > 1 else made
        ctx.fail(ARGUMENT_KIND, given.span, help="leave it out: the function decides", function=op.name, name="dtype",
                 wanted=f"{text}, which its function returns,", value=given.text)  # fmt: skip


# --- lists of tensors -------------------------------------------------------------------------


def _leaves(ctx: Analysis, given: ArgumentValue) -> Iterator[ArgumentValue]:
    """The tensors in a value, at any depth."""
    if isinstance(given.value, (list, tuple)):
        for one in given.value:
            yield from _leaves(ctx, ArgumentValue(one, given.span))
    else:
        yield prepared(ctx, given)


def _packed(like: ExprValue, tensors: Iterator[Tensor]) -> ExprValue:
    """Tensors in lists as in another value."""
    if isinstance(like, (list, tuple)):
        made = [_packed(one, tensors) for one in like]
        return tuple(made) if isinstance(like, tuple) else made
    return next(tensors)


def _form(value: ExprValue) -> object:
    """The lists of a value without its tensors."""
    return [_form(one) for one in value] if isinstance(value, (list, tuple)) else None


def _described(value: ExprValue) -> str:
    return f"a list of {len(value)}" if isinstance(value, (list, tuple)) else describe(value)


def _carried(ctx: Analysis, types: Iterable[TensorType], span: Span) -> tuple[Node, ...]:
    return tuple(ctx.graph.carry("", type, ctx.origin(span)) for type in types)


def _stand_in(ctx: Analysis, given: ArgumentValue, nodes: Iterable[Node]) -> ArgumentValue:
    """An argument of the function, in which nodes stand for the tensors of a value."""
    tensors = (Tensor(Ref(node.id), node.outputs[0], ctx.graph.name, node.origin.span) for node in nodes)
    return ArgumentValue(_packed(given.value, tensors), given.span)
