"""Whether a step of an optimizer can be split by the rows of its batch, between several workers.

It can where the loss is a mean, or a sum, over the rows: then its gradient is the mean, or the sum, of the gradients
of the parts. What a node makes of the batch is one of four kinds:

    fixed    it does not depend on the batch
    rows     its first axis is that of the batch, and each row is made of that row of the batch alone
    mean     the mean over the rows of what is made of each, or what is linear in one
    sum      the same of a sum

Everything else, a batch's own statistics for instance, cannot be put together from parts. An op that is not known here
counts as one of which nothing can be said.
"""

from collections.abc import Callable, Mapping

from ..ops import OPS
from ..program import Arg, Graph, Literal, Node, Origin, Pack, Ref, Refs, Static, refs_of
from ..record import Record
from ..types import Shape, Size

FIXED, ROWS, MEAN, SUM = "fixed", "rows", "mean", "sum"


class Split(Record):
    """How a step is split: the placeholders that have the batch, the nodes made of them that the loss needs, and
    whether the loss is their mean, or their sum."""

    fed: tuple[Ref, ...]
    between: frozenset[int]
    is_mean: bool


class Whole(Record):
    """Why a step cannot be split, and where in the program."""

    reason: str
    origin: Origin


class _Mixed(Exception):
    """What a node makes of the batch is of none of the kinds."""


def split(graph: Graph, optimize: Node, fed: frozenset[Ref] = frozenset()) -> Split | Whole:
    """How the step of an `optimize` node is split; `fed` is what the program's sessions feed."""
    loss = optimize.args["loss"]
    reached = [graph.nodes[id] for id in sorted(graph.reach([loss]))]
    batches = [node for node in reached if node.is_placeholder and _first(node) is not None]
    sizes = list(dict.fromkeys(_first(node) for node in batches))
    if not sizes:
        return Whole("nothing that it is fed has a first size with a name, as in float32[batch, 9]", optimize.origin)
    if len(sizes) > 1:
        names = " and ".join(size.name for size in sizes)
        return Whole(f"what it is fed has several first sizes, {names}", optimize.origin)
    kinds: dict[int, str] = {}
    for node in reached:
        kind = ROWS if node in batches else _kind(graph, node, kinds)
        if kind is None:
            return Whole(f"what {_called(node)} makes of a batch cannot be put together from its parts", node.origin)
        if kind != FIXED and node not in batches and (graph.is_after(node) or any(ref.node == node.id for ref in fed)):
            what = "stands in an 'after'" if graph.is_after(node) else "is fed"
            return Whole(f"{_called(node)}, which is made of the batch, {what}", node.origin)
        kinds[node.id] = kind
    kind = kinds[loss.node]
    if kind not in (MEAN, SUM):
        return Whole("its loss is no mean, and no sum, over the rows of a batch", optimize.origin)
    between = frozenset(id for id, kind in kinds.items() if kind != FIXED) - {node.id for node in batches}
    return Split(tuple(Ref(node.id) for node in batches), between, kind == MEAN)


def _first(node: Node) -> Size | None:
    shape = node.outputs[0].shape
    return shape[0] if shape and isinstance(shape[0], Size) else None


def _called(node: Node) -> str:
    return f"'{node.name}'" if node.name else node.op.partition(".")[2] or node.op


def _kind(graph: Graph, node: Node, kinds: Mapping[int, str]) -> str | None:
    """The kind of what a node gives, by those of its inputs; None if it is of none."""
    refs = list(node.inputs())
    if node.is_variable or all(kinds.get(ref.node, FIXED) == FIXED for ref in refs):
        return FIXED
    rule = _RULES.get(node.op)
    if rule is None and node.op in _EACH:
        rule = _each
    if rule is None or node.regions:
        return None
    try:
        return rule(_Made(graph, node, kinds))
    except _Mixed:
        return None


class _Made:
    """A node with the kinds of what it is made from."""

    def __init__(self, graph: Graph, node: Node, kinds: Mapping[int, str]):
        self.graph, self.node, self._kinds = graph, node, kinds

    def kinds(self, arg: Arg) -> set[str]:
        """The kinds of what an argument is made of."""
        return {self._kinds.get(ref.node, FIXED) for ref in refs_of(arg)} or {FIXED}

    def kind(self, name: str) -> str:
        """The kind of an argument; of a list, that of those in it that depend on the batch."""
        found = self.kinds(self.node.args[name]) if name in self.node.args else {FIXED}
        found = found - {FIXED} or {FIXED}
        if len(found) > 1:
            raise _Mixed
        return found.pop()

    def shape(self, arg: Arg) -> Shape:
        match arg:
            case Ref():
                return self.graph.type(arg).shape
            case Literal(value=value) | Static(value=value):
                return _shape_of(value)
            case Pack(items=items):
                inner = self.shape(items[0])
                return None if inner is None else (len(items), *inner)
        return None

    def rank(self, name: str) -> int:
        shape = self.shape(self.node.args[name])
        if shape is None:
            raise _Mixed
        return len(shape)

    def option(self, name: str, default: object = None) -> object:
        """The value of an argument that is known while compiling."""
        match self.node.args.get(name):
            case None:
                return default
            case Literal(value=value) | Static(value=value):
                return value
        raise _Mixed

    def axes(self, name: str, of: str) -> set[int]:
        """The axes that an argument names, counted from 0; all where it is not given."""
        rank, given = self.rank(of), self.option(name)
        if given is None:
            return set(range(rank))
        return {axis % rank for axis in (given if isinstance(given, tuple) else (given,))}

    def only(self, *names: str) -> None:
        """Refuse that anything but these arguments depends on the batch."""
        if any(self.kind(name) != FIXED for name in self.node.args if name not in names):
            raise _Mixed

    def output(self) -> Shape:
        return self.node.outputs[0].shape


def _shape_of(value: object) -> Shape:
    return (len(value), *(_shape_of(value[0]) or ())) if isinstance(value, tuple) and value else ()


Rule = Callable[[_Made], str]


def _each(made: _Made) -> str:
    """Element by element: an axis of the batch stays the first one if what is combined with it has no more axes."""
    shape = made.output()
    for arg in made.node.args.values():
        for one in arg.items if isinstance(arg, Refs) else (arg,):
            if isinstance(one, Static):
                continue
            own, kinds = made.shape(one), made.kinds(one)
            if own is None or shape is None or len(own) > len(shape):
                raise _Mixed
            if kinds == {FIXED}:
                if shape and len(own) == len(shape) and own[0] != 1:
                    raise _Mixed
            elif kinds != {ROWS} or len(own) != len(shape) or isinstance(one, Pack):
                raise _Mixed
    return ROWS


def _where(made: _Made) -> str:
    """A choice, not the places where something holds. In the older form a list of conditions chooses whole rows."""
    if "x" not in made.node.args:
        raise _Mixed
    if made.node.op == "where" and made.kind("condition") == FIXED and made.rank("condition") > 0:
        raise _Mixed
    return _each(made)


def _cast(made: _Made) -> str:
    """Linear, but for what is cut off where numbers become whole."""
    if made.kind("x") != ROWS and made.node.outputs[0].dtype.kind != "float":
        raise _Mixed
    return _linear("x")(made)


def _sum(made: _Made) -> str:
    """Sums and differences: of rows, of means, of sums; a mean may also have what is fixed added to it."""
    names = [name for name in made.node.args if made.kind(name) != FIXED]
    kinds = {made.kind(name) for name in names}
    if kinds == {ROWS}:
        return _each(made)
    if kinds == {SUM} and len(names) < len(made.node.args):
        raise _Mixed  # every part would add it
    if len(kinds) > 1:
        raise _Mixed
    return kinds.pop()


def _add_n(made: _Made) -> str:
    kinds = set().union(*map(made.kinds, made.node.args["inputs"].items))
    if kinds <= {MEAN, FIXED} or kinds == {SUM}:
        return MEAN if MEAN in kinds else SUM
    return _each(made)


def _product(made: _Made) -> str:
    x, y = (made.kind(name) for name in ("x", "y"))
    if ROWS in (x, y):
        return _each(made)
    if x != FIXED and y != FIXED:
        raise _Mixed
    return y if x == FIXED else x


def _quotient(made: _Made) -> str:
    x, y = (made.kind(name) for name in ("x", "y"))
    return _each(made) if ROWS in (x, y) else _linear("x")(made)


def _linear(name: str) -> Rule:
    """Linear in one argument, element by element; the others are fixed."""

    def rule(made: _Made) -> str:
        if made.kind(name) == ROWS:
            return _each(made)
        made.only(name)
        return made.kind(name)

    return rule


def _rows(*names: str) -> Rule:
    """Row by row of these arguments, whose first axis is that of the batch; the others are fixed."""

    def rule(made: _Made) -> str:
        made.only(*names)
        given = [name for name in names if name in made.node.args]
        if any(made.kind(name) != ROWS for name in given):
            raise _Mixed
        return ROWS

    return rule


def _along(axis: str, name: str, default: int = -1) -> Rule:
    """Row by row, where an axis that is not the first one is gone along."""

    def rule(made: _Made) -> str:
        made.only(name)
        given = made.option(axis)
        given = default if given is None else given
        axes = {one % made.rank(name) for one in (given if isinstance(given, tuple) else (given,))}
        if made.kind(name) != ROWS or 0 in axes:
            raise _Mixed
        return ROWS

    return rule


def _reduced(over_rows: str = "") -> Rule:
    """A reduction: row by row if the first axis stays; else what it makes of rows, if that is anything."""

    def rule(made: _Made) -> str:
        name = "input_tensor" if "input_tensor" in made.node.args else "input"
        made.only(name)
        kind = made.kind(name)
        if kind == ROWS and 0 not in made.axes("axis", name):
            return ROWS
        is_cut_off = over_rows == MEAN and made.node.outputs[0].dtype.kind not in ("float", "complex")
        if not over_rows or is_cut_off:
            raise _Mixed
        return over_rows if kind == ROWS else kind  # a mean or a sum of one

    return rule


def _matmul(made: _Made) -> str:
    made.only("a", "b")
    ranks = made.rank("a"), made.rank("b")
    if max(ranks) > 2:  # one product for each row
        if made.kind("a") != ROWS or made.kind("b") != ROWS or ranks[0] != ranks[1]:
            raise _Mixed
        return ROWS
    if made.kind("a") != ROWS or made.kind("b") != FIXED:
        raise _Mixed
    if made.option("transpose_a", False) or made.option("adjoint_a", False):
        raise _Mixed
    return ROWS


def _tensordot(made: _Made) -> str:
    axes = made.option("axes")
    rank = made.rank("a")
    own = axes[0] if isinstance(axes, tuple) else tuple(range(rank - axes, rank))
    if made.kind("a") != ROWS or made.kind("b") != FIXED:
        raise _Mixed
    if 0 in {axis % rank for axis in (own if isinstance(own, tuple) else (own,))}:
        raise _Mixed
    return ROWS


def _reshape(made: _Made) -> str:
    """Rows that stay rows: what one has is only arranged otherwise."""
    made.only("tensor")
    before, after = made.shape(made.node.args["tensor"]), made.output()
    if made.kind("tensor") != ROWS or not before or not after or _count(before[1:]) != _count(after[1:]):
        raise _Mixed
    return ROWS


def _count(sizes: tuple) -> int:
    result = 1
    for size in sizes:
        if not isinstance(size, int):
            raise _Mixed
        result *= size
    return result


def _transpose(made: _Made) -> str:
    made.only("a")
    perm = made.option("perm")
    if made.kind("a") != ROWS or not perm or perm[0] != 0:
        raise _Mixed
    return ROWS


def _joined(made: _Made) -> str:
    """Lists of rows, along an axis that is not the first one."""
    values, shape, axis = made.node.args["values"], made.output(), made.option("axis", 0)
    if not isinstance(values, Refs) or shape is None or axis % len(shape) == 0:
        raise _Mixed
    if any(made.kinds(one) != {ROWS} or isinstance(one, Pack) for one in values.items):
        raise _Mixed
    return ROWS


def _expanded(made: _Made) -> str:
    made.only("input")
    axis = made.option("axis")
    if made.kind("input") != ROWS or axis is None or axis % (made.rank("input") + 1) == 0:
        raise _Mixed
    return ROWS


def _squeezed(made: _Made) -> str:
    made.only("input")
    if made.kind("input") != ROWS or made.option("axis") is None or 0 in made.axes("axis", "input"):
        raise _Mixed
    return ROWS


def _indexed(made: _Made) -> str:
    """`x[:, 1]` and `x[..., 0]`: all rows are taken."""
    made.only("x")
    first = made.node.args["index"].items[0]
    all_rows = isinstance(first, Refs) and all(part == Static(None) for part in first.items)
    from_end = first == Static("...") and len(made.node.args["index"].items) <= made.rank("x")
    if made.kind("x") != ROWS or not (all_rows or from_end):
        raise _Mixed
    return ROWS


def _taken(made: _Made) -> str:
    """Rows of a fixed table, one for each index."""
    if made.kind("params") != FIXED or made.option("axis", 0) != 0 or made.option("batch_dims", 0) != 0:
        raise _Mixed
    return _rows("ids" if "ids" in made.node.args else "indices")(made)


def _cross_entropy(*names: str) -> Rule:
    def rule(made: _Made) -> str:
        if made.option("axis", -1) % max(made.rank("logits"), 1) == 0:
            raise _Mixed
        return _rows(*names)(made)

    return rule


def _one_hot(made: _Made) -> str:
    if made.option("axis", -1) == 0:
        raise _Mixed
    return _rows("indices")(made)


def _dropout(made: _Made) -> str:
    if "noise_shape" in made.node.args:  # which rows may share
        raise _Mixed
    return _rows("x")(made)


def _mean_loss(*names: str) -> Rule:
    """A loss that is the mean over all elements."""

    def rule(made: _Made) -> str:
        _rows(*names)(made)
        return MEAN

    return rule


# Element by element in all arguments.
_EACH = frozenset(
    name for name, op in OPS.items()
    if op.group == "math" and name not in (
        "clip_by_norm", "clip_by_average_norm", "clip_by_global_norm", "global_norm", "lbeta", "accumulate_n")
) | {
    "relu", "relu6", "elu", "selu", "softplus", "softsign", "leaky_relu", "gelu", "swish", "silu",
    "zeros_like", "ones_like", "saturate_cast", "check_numerics", "check_whole", "sigmoid_cross_entropy_with_logits",
    "weighted_cross_entropy_with_logits", "log_poisson_loss",
}  # fmt: skip

_RULES: Mapping[str, Rule] = {
    "add": _sum, "subtract": _sum, "add_n": _add_n, "multiply": _product, "truediv": _quotient, "divide": _quotient,
    "realdiv": _quotient, "negative": _linear("x"), "scalar_mul": _linear("x"), "identity": _linear("input"),
    "stop_gradient": _linear("input"), "cast": _cast,
    "where": _where, "where_v2": _where,
    "reduce_mean": _reduced(MEAN), "reduce_sum": _reduced(SUM),
    **{name: _reduced() for name in (
        "reduce_max", "reduce_min", "reduce_prod", "reduce_logsumexp", "reduce_variance", "reduce_std",
        "reduce_euclidean_norm", "reduce_any", "reduce_all")},
    "argmax": _along("axis", "input", 0), "argmin": _along("axis", "input", 0),
    "cumsum": _along("axis", "x", 0), "cumprod": _along("axis", "x", 0),
    "matmul": _matmul, "tensordot": _tensordot, "xw_plus_b": _rows("x"), "relu_layer": _rows("x"),
    "bias_add": _rows("value"), "dropout": _dropout,
    "softmax": _along("axis", "logits"), "log_softmax": _along("axis", "logits"), "crelu": _along("axis", "features"),
    "l2_normalize": _along("axis", "x", 0),
    "conv2d": _rows("input"), "depthwise_conv2d": _rows("input"),
    "separable_conv2d": _rows("input"), "conv1d": _rows("value"), "conv3d": _rows("input"),
    "max_pool": _rows("value"), "max_pool1d": _rows("input"), "max_pool3d": _rows("input"),
    "avg_pool": _rows("value"), "avg_pool1d": _rows("input"), "avg_pool3d": _rows("input"),
    "lrn": _rows("input"),
    "embedding_lookup": _taken, "gather": _taken, "one_hot": _one_hot,
    "sparse_softmax_cross_entropy_with_logits": _cross_entropy("labels", "logits"),
    "softmax_cross_entropy_with_logits": _cross_entropy("labels", "logits"),
    "softmax_cross_entropy_with_logits_v2": _cross_entropy("labels", "logits"),
    "mean_squared_error": _mean_loss("labels", "predictions"),
    "absolute_difference": _mean_loss("labels", "predictions"),
    "huber_loss": _mean_loss("labels", "predictions"), "log_loss": _mean_loss("labels", "predictions"),
    "hinge_loss": _mean_loss("labels", "logits"),
    "reshape": _reshape, "transpose": _transpose, "expand_dims": _expanded, "squeeze": _squeezed, "index": _indexed,
    "concat": _joined, "stack": _joined, "resize_bilinear": _rows("images"), "rgb_to_grayscale": _rows("images"),
}  # fmt: skip
