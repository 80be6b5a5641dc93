"""Lowers a graph of the program to a `tf.Graph`: each node becomes the call that a person would write.

Ops of the op table are called as their rows say. The few that need more than a call have their own functions. Every op
of the finished graph can be traced back to the node, and so to the line, that made it.
"""

import re
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import replace
from functools import cache
from importlib import import_module
from typing import Any, assert_never

import numpy as np

from ..diagnostics import BUILD_FAILED, NO_GRADIENT_OP, NO_NODE, NODE_TAKEN, RAW_EVALUATED, Note, TfgError
from ..ops.named import STACK, STRIDED_SLICE
from ..program import (
    APPLY,
    COND,
    INDEX,
    OPTIMIZE,
    PLACEHOLDER,
    SHARED,
    SUMMARY,
    VARIABLE,
    WHILE,
    Arg,
    Back,
    Enter,
    Exit,
    Field,
    Graph,
    HostValue,
    Item,
    Literal,
    Node,
    Pack,
    Ref,
    Refs,
    Static,
    evaluated_input,
    thaw,
)
from .agreement import agree
from .built import Arrays, BuiltGraph, Operands
from .control import cond, while_loop
from .data import FedArray
from .failures import failure, is_internal, plain_reason
from .foreign import python_node
from .functions import begin
from .guards import holds_windows, indices, ranked, sizes, slices, with_rows
from .layout import PLAIN, Setting
from .names import VariableNames
from .optimizers import apply, minimize, place_slots
from .raw_nodes import WAITED_FOR, close_loop, raw_node
from .tf import Operand, branches_of_functions, get_variable_scope_store, has_op, resolve, shape_of, tf, v1
from .towers import minimize as minimize_in_towers


def _local(device: str) -> str:
    """The name of a device without its machine."""
    return tf.DeviceSpec.from_string(device).replace(job=None, replica=None, task=None).to_string()


@branches_of_functions()
def build(
    program: Graph, arrays: Arrays, functions: Mapping[str, Callable] | None = None, setting: Setting = PLAIN
) -> BuiltGraph:
    """Build a graph. `arrays` returns its data, and `functions` has the Python functions that it calls.

    A node that the program does not name may take the whole name of a later one: then the graph is built again, with
    that name kept for the later one.
    """
    kept: set[str] = set()
    while True:
        built = BuiltGraph(program, setting, build_alone)
        lowering = Lowering(built, built.data.source(arrays), functions or {}, kept)
        with built.graph.as_default():
            begin(built.graph, program)
            if program.seed is not None:
                v1.set_random_seed(program.seed)
            try:
                lowering.items(program.items)
            except _NameUsed as used:
                kept.add(used.name)
                continue
        built.finish()
        return built


class _NameUsed(Exception):
    """A node that the program does not name has the whole name of a later one."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


@branches_of_functions()
def extend(
    built: BuiltGraph, items: tuple[Item, ...], arrays: Arrays, functions: Mapping[str, Callable] | None = None
) -> None:
    """Add nodes to a built graph."""
    with built.graph.as_default():
        Lowering(built, built.data.source(arrays), functions or {}).items(items)
    built.finish()


def _node_name(name: str, graph: tf.Graph) -> str:
    """A name of the program as TensorFlow accepts it: in ASCII, and without an underscore at the start of the outermost
    scope."""
    if not name.isascii():
        name = "".join(c if c.isascii() else f".{ord(c):x}." for c in name)
    return f".{name}" if name.startswith("_") and not graph.get_name_scope() else name


def _sharing(items: tuple[Item, ...]) -> set[int]:
    """The indices of the items that open a scope whose name is also the variable scope."""
    found: set[int] = set()
    opened: list[int] = []
    for at, item in enumerate(items):
        match item:
            case Enter():
                opened.append(at)
            case Exit():
                opened.pop()
            case Node():
                if item.is_shared or item.is_step or item.function:
                    for outer in reversed(opened):
                        if outer in found:
                            break
                        found.add(outer)
            case _:
                assert_never(item)
    return found


@contextmanager
def _variable_scope(name: str) -> Iterator[None]:
    """A variable scope that may have been open before. TensorFlow forgets which names for slots it gave in it, and
    would give the second optimizer of a variable those of the first."""
    with v1.variable_scope(name):
        yield
        counts = dict(get_variable_scope_store().variable_scopes_count)
    get_variable_scope_store().variable_scopes_count.update(counts)


def empty_graph(version: int | None = None) -> BuiltGraph:
    """A built graph without nodes."""
    program = Graph("", None, (), {}, version=version)
    built = BuiltGraph(program, PLAIN, build_alone)
    with built.graph.as_default():
        begin(built.graph, program)
    return built


def build_alone(node: Node, values: Mapping[Ref, Operand], arrays: Operands = {}.__getitem__) -> tuple[Operand, ...]:
    """Build one node of the op table into the default graph. `values` and `arrays` have its inputs."""
    built = empty_graph()
    for ref, value in values.items():
        built.give(ref, value)
    return Lowering(built, arrays, {}).node(node)


_NO_NAME = re.compile(r"[^-/\w.]", re.ASCII)  # characters that the name of an op cannot have


class Lowering:
    def __init__(
        self, built: BuiltGraph, arrays: Operands, functions: Mapping[str, Callable], kept: Set[str] | None = None
    ):
        """`kept` are whole names that nodes without names must not take. Without it, the graph is not built again if
        one does."""
        self.built, self.arrays, self.functions, self._kept = built, arrays, functions, kept

    def with_values(self, others: Mapping[Ref, tf.Tensor]) -> "Lowering":
        """A lowering into the same graph in which some outputs have other values."""
        inner = copy(self)
        inner.built = copy(self.built)
        inner.built.values = ChainMap({}, self.built.values)
        for ref, value in others.items():
            inner.built.give(ref, value)
        return inner

    def items(self, items: tuple[Item, ...], is_alike: bool = True) -> None:
        """Build nodes in their scopes into the default graph. `is_alike` says whether they may be copied from similar
        nodes."""
        open_scopes: list[tuple[AbstractContextManager[Any], bool]] = []  # the values of `with` statements are not used
        plain = is_alike and v1.get_default_graph() is self.built.graph  # not in a function graph
        special = 0  # number of open scopes other than name scopes
        back: dict[int, list[tuple[Node, int, Ref]]] = {}  # inputs of merges, by the node that makes them
        sharing = _sharing(items)
        graph = v1.get_default_graph()
        names = VariableNames(graph, items) if graph is self.built.graph else None  # functions have no variables
        kept = self._kept or ()
        for item in items if kept else ():
            if isinstance(item, Node) and item.is_whole and item.given_name in kept:
                graph._names_in_use.setdefault(item.given_name.lower(), 1)
        try:
            for at, item in enumerate(items):
                match item:
                    case Enter():
                        if names is not None:
                            names.open(at)
                        scope = self.scope(item, at in sharing)
                        scope.__enter__()
                        open_scopes.append((scope, item.kind != "scope"))
                        if names is not None:
                            names.enter(at)
                        special += item.kind != "scope"
                    case Exit():
                        scope, is_special = open_scopes.pop()
                        scope.__exit__(None, None, None)
                        special -= is_special
                    case Node():
                        if names is not None:
                            names.make(item)
                        values = self.node(item, plain and not special)
                        agree(item, values)
                        self.built.values[item.id] = values
                        for at, ref in item.back():
                            back.setdefault(ref.node, []).append((item, at, ref))
                        for merge, at, ref in back.pop(item.id, ()):
                            close_loop(self, merge, at, ref)
                        self.built.mark(item)
                    case _:
                        assert_never(item)
        finally:
            # An open scope would leave its graph the default one of the process.
            for scope, _ in reversed(open_scopes):
                scope.__exit__(None, None, None)

    def scope(self, enter: Enter, is_sharing: bool) -> AbstractContextManager:
        """The scope to open. Closing a variable scope takes time linear in the number of such scopes, so they are used
        only if they matter."""
        match enter.kind:
            case "scope":
                name = _node_name(enter.name, v1.get_default_graph())
                return _variable_scope(name) if is_sharing else v1.name_scope(name)
            case "after":
                return self._after(enter.refs)
            case "apart":
                return tf.control_dependencies(None)
            case "device":
                return tf.device(_local(enter.name) if self.built.setting.soft_placement else enter.name)
            case "container":
                return v1.get_default_graph().container(enter.name)
            case kind:
                raise AssertionError(kind)

    def _after(self, refs: tuple[Ref, ...]) -> AbstractContextManager:
        """The scope of an `after` block. TensorFlow marks the ops that the block waits for. The mark is removed from
        raw nodes with whole names, whose attributes all come from the program."""
        made = tf.control_dependencies([self.built.operation(ref) for ref in refs])
        for ref in refs:
            node = self.built.program.nodes.get(ref.node)
            if node is not None and node.is_whole and node.raw_op is not None and WAITED_FOR not in node.args:
                self.built.operation(ref)._clear_attr(WAITED_FOR)
        return made

    def node(self, node: Node, is_plain: bool = False) -> tuple[Operand, ...]:
        """What the node becomes: its outputs, or its operation if it has none. A plain node, which is in the graph
        itself and only in name scopes, may be copied from a similar one."""
        result = self.result(node, is_plain)
        return tuple(result) if isinstance(result, (list, tuple)) else (result,)

    def result(self, node: Node, is_plain: bool = False) -> Operand:
        """What the TensorFlow functions that build the node return."""
        if self.built.outside and (made := evaluated_input(self.built.program.nodes, node)) is not None:
            raise failure(RAW_EVALUATED, node.origin, op=made.op, what=made.outside[0])
        if node.is_whole:
            return self._with_whole_name(node)
        if node.name and (node.name[0] == "_" or not node.name.isascii()):
            node = replace(node, name=_node_name(node.name, v1.get_default_graph()))
        with self._refusals(node):
            if self.built.random.has(node):
                return self.built.random.build(node, self.built.value, self.arrays)
            copied = self.built.templates.build(node, is_plain and not (node.name or "").endswith("/"))
            if copied is not None:
                return copied
            return self.made(node)

    @contextmanager
    def _refusals(self, node: Node) -> Iterator[None]:
        """Report an error of TensorFlow at the node's place."""
        try:
            yield
        except TfgError:
            raise
        except (ValueError, TypeError, tf.errors.OpError, AttributeError, LookupError, NotImplementedError) as error:
            lacking = re.match(r"No gradient defined for operation ?'([^']*)' \(op type: (\w+)\)", str(error))
            if lacking:
                blamed = self.built.node_of(lacking[1]) or node
                notes = [Note("the gradient is taken on line {line}", node.origin.span)]
                raise failure(NO_GRADIENT_OP, blamed.origin, notes, op=lacking[2]) from error
            if is_internal(error) and not isinstance(error, tf.errors.OpError):
                raise
            raise failure(BUILD_FAILED, node.origin, reason=plain_reason(error)) from error

    def _with_whole_name(self, node: Node) -> Operand:
        """A node whose name stands as it is, outside all scopes. TensorFlow takes such a name if it ends in a slash. If
        the node is several ops, of which none has the name, a last one gets it."""
        name, graph = node.given_name, v1.get_default_graph()
        if has_op(graph, name):
            there = self.built.node_of(name)
            if self._kept is not None and name not in self._kept and (there is None or not there.name):
                raise _NameUsed(name)
            notes = [Note(f"'{name}' is from line {{line}}", there.origin.span)] if there is not None else []
            raise failure(NODE_TAKEN, node.origin, notes, name=name)
        graph._names_in_use[name.lower()] = 1
        is_one = not self.built.random.has(node) and not _names_a_part(node)
        if node.raw_op is not None and is_one:
            self.built.templates.build(node, False)  # notes what later nodes need to know about this one
            with self._refusals(node):
                return raw_node(self, node.raw_op, node)
        made = self.result(replace(node, name=f"{name}/" if is_one else None, is_whole=False))
        first = made[0] if isinstance(made, (list, tuple)) else made
        operation = first if isinstance(first, tf.Operation) else first.op
        if operation.name == name:
            return made
        if isinstance(first, tf.Operation):
            with tf.control_dependencies([first]):
                return tf.no_op(name=f"{name}/")
        if not isinstance(made, tf.Tensor):
            raise failure(NO_NODE, node.origin, value=f"{node.op}, which is several ops,", name=name)
        return tf.identity(made, name=f"{name}/")

    def made(self, node: Node) -> Operand:
        """Build a node without copying."""
        if node.row is not None:
            return _special(node.row.lowered)(self, node) if node.row.lowered else self.table_op(node)
        if node.raw_op is not None:
            return raw_node(self, node.raw_op, node)
        return python_node(self, node) if node.function else _MAKE[node.op](self, node)

    def table_op(self, node: Node) -> Operand:
        """A node of the op table, built by the call that its row names."""
        op = node.table_row
        kinds = {param.name: param.kind for param in op.params}
        arguments = {name: self.argument(arg, kinds[name]) for name, arg in node.args.items()}
        for param, rank in op.ranks.items():
            value = arguments[param]
            several = kinds[param] == "tensors"
            arguments[param] = [ranked(one, rank) for one in value] if several else ranked(value, rank)
        if op.pairs:
            first, second = op.pairs
            arguments[first] = indices(arguments[first], arguments[second], node.name or op.name)
        if op.sliced:
            arguments[op.sliced] = slices(arguments[op.sliced], arguments["ref"])
        if op.sized:
            arguments[op.sized] = sizes(arguments[op.sized], node.name or op.name)
        for param in op.classes:
            arguments[param] = with_rows(arguments[param], arguments["num_classes"], node.name or op.name)
        if op.windows:
            over, window = op.windows
            arguments[over] = holds_windows(arguments[over], arguments[window], arguments, node.name or op.name)
        for param in op.gathers:
            arguments[param] = _written(arguments[param])
        name = node.name or node.default or None
        if node.default and not node.name:
            _read_first(arguments)
        if op.named:
            return resolve(op.tf)(**arguments, **({"name": name} if name else {}))
        result = resolve(op.tf)(**arguments)
        return tf.identity(result, name=name) if name and isinstance(result, tf.Tensor) else result

    def argument(self, arg: Arg, kind: str = "") -> Operand:
        match arg:
            case Ref():
                return self.built.value(arg)
            case Literal(value, dtype):
                return thaw(value) if kind == "shape" else literal(value, dtype)
            case Static(value=str(value)) if kind == "dtype":
                return tf.as_dtype(value)
            case Static(value):
                return thaw(value)
            case Field():
                return self.arrays(arg)
            case Pack(items) | Refs(items):
                return [_element(self.argument(item)) for item in items]
            case Back():
                raise AssertionError("an input from further down is given to its merge later")
            case _:
                assert_never(arg)


def _names_a_part(node: Node) -> bool:
    """Whether TensorFlow gives a part of the node its name: `tf.stack` makes a constant of the first value."""
    match node.args:
        case {"values": Refs(items=(Literal(), *_)), "axis": Static(value=int(axis))}:
            return node.op == STACK.name and axis != 0
        case _:
            return False


def _element(value: Operand) -> Operand:
    """Data in a list as a tensor. TensorFlow would make one constant of the list."""
    return value.__tf_tensor__() if isinstance(value, FedArray) else value


def literal(value: HostValue, dtype: str) -> Operand:
    """A compile-time value as an array or a scalar of its dtype."""
    if dtype == "string":
        return np.asarray(value, dtype=object) if isinstance(value, tuple) else value
    wanted: Any = tf.as_dtype(dtype).as_numpy_dtype  # NumPy's scalar types take different values
    with np.errstate(over="ignore"):  # the check has warned
        if isinstance(value, tuple) or np.dtype(wanted).fields:  # a tuple would be one element of a quantized dtype
            return np.asarray(thaw(value), dtype=wanted)
        return wanted(value)


def _read_first(operands: dict[str, Operand]) -> None:
    """Read the variable that is an operand of a Python operator without a name. TensorFlow does it outside the node."""
    for name, operand in operands.items():
        if isinstance(operand, tf.Variable):
            operands[name] = operand.value()
            return
        if isinstance(operand, tf.Tensor):
            return


def _written(value: Operand) -> Operand:
    """The result of a write, read after the write. TensorFlow would read rows of the variable without waiting."""
    if isinstance(value, tf.Variable) and not value.dtype._is_ref_dtype and value.op is not value.handle.op:
        return value.value()
    return value


# --- ops that need more than a call -----------------------------------------------------------


def _placeholder(lowering: Lowering, node: Node) -> Operand:
    type = node.outputs[0]
    if "default" in node.args:
        default = lowering.argument(node.args["default"])
        return v1.placeholder_with_default(default, shape_of(type), name=node.name)
    return v1.placeholder(type.dtype.name, shape_of(type), name=node.name)


def _initial(lowering: Lowering, node: Node) -> Operand:
    arg, type = node.args["initial"], node.outputs[0]
    value = lowering.argument(arg)
    if isinstance(arg, Ref) and not isinstance(value, v1.Variable) and not value.shape.is_fully_defined():
        value = tf.ensure_shape(value, type.shape)
    return value


def _variable(lowering: Lowering, node: Node) -> Operand:
    trainable, is_resource = node.static("trainable", True), not node.is_reference_variable
    dtype, initial = node.outputs[0].dtype.name, _initial(lowering, node)
    return v1.Variable(initial, trainable=trainable, name=node.name, dtype=dtype, use_resource=is_resource)


def _shared(lowering: Lowering, node: Node) -> Operand:
    type = node.outputs[0]
    if node.given_name.endswith("/"):  # a whole name, which no variable scope goes in front of
        return _variable(lowering, node)
    trainable = node.static("trainable", True)
    initial, shape = _initial(lowering, node), None
    if isinstance(node.args["initial"], Literal):
        initial, shape = v1.constant_initializer(initial), type.shape
    return v1.get_variable(
        node.name,
        shape,
        type.dtype.name,
        initializer=initial,
        trainable=trainable,
        use_resource=not node.is_reference_variable,
    )


def _index(lowering: Lowering, node: Node) -> Operand:
    """A strided slice with the node's name. TensorFlow's `x[...]` does not take a name."""
    x = lowering.argument(node.args["x"])
    if isinstance(x, tf.Variable) and not node.name:
        x = x.value()
    begin, end, strides = [], [], []
    masks = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 0}
    for at, spec in enumerate(node.items("index")):
        bit = 1 << at
        first, last, step = 0, 0, 1
        match spec:
            case Static("..."):
                masks["ellipsis_mask"] |= bit
            case Static("new"):
                masks["new_axis_mask"] |= bit
            case Refs((start, stop, stride)):
                first, last, step = (_bound(lowering, part, 0) for part in (start, stop, stride))
                masks["begin_mask"] |= bit if start == Static(None) else 0
                masks["end_mask"] |= bit if stop == Static(None) else 0
                step = 1 if stride == Static(None) else step
            case _:
                first = _bound(lowering, spec, 0)
                last = first + 1
                masks["shrink_axis_mask"] |= bit
        begin.append(first)
        end.append(last)
        strides.append(step)
    with v1.name_scope(node.name or STRIDED_SLICE.tf) as scope:
        packed = [tf.stack(part) for part in (begin, end, strides)]
        return v1.strided_slice(x, *packed, name=scope, **masks)


def _bound(lowering: Lowering, arg: Arg, default: int) -> Operand:
    """A bound of a slice: a Python integer or a scalar int32 tensor."""
    if arg == Static(None):
        return default
    if isinstance(arg, Literal):
        return arg.value
    return tf.cast(lowering.argument(arg), tf.int32)


def _summary(lowering: Lowering, node: Node) -> Operand:
    """A summary with its tag, below the enclosing scopes.

    TensorFlow functions take the op's name as the tag, which differs if another node already has that name.
    """
    kind, tag = node.text("kind"), node.text("tag")
    value = lowering.argument(node.args["value"])
    outside = lowering.built.graph.get_name_scope()
    tag = whole = f"{outside}/{tag}" if outside else tag
    number = 0
    while tag in lowering.built.tags:
        number += 1
        tag = f"{whole}_{number}"
    lowering.built.tags.add(tag)
    raw = tf.raw_ops
    with v1.name_scope(_NO_NAME.sub("_", node.text("tag")).lstrip("/_-") or "summary") as scope:
        match kind:
            case "scalar":
                summary = raw.ScalarSummary(tags=tag, values=value, name=scope)
            case "histogram":
                summary = raw.HistogramSummary(tag=tag, values=value, name=scope)
            case "image":
                summary = raw.ImageSummary(tag=tag, tensor=value, name=scope)
            case "text":
                plugin = v1.SummaryMetadata.PluginData(plugin_name="text")
                metadata = v1.SummaryMetadata(plugin_data=plugin).SerializeToString()
                summary = raw.TensorSummaryV2(tensor=value, tag=tag, serialized_summary_metadata=metadata, name=scope)
            case _:
                raise AssertionError(kind)
    v1.add_to_collection(v1.GraphKeys.SUMMARIES, summary)
    return summary


def _step(lowering: Lowering, node: Node) -> Operand:
    """The step of an optimizer. If its whole name is given, its variables are in the same name scope."""
    arguments = {name: lowering.argument(arg) for name, arg in node.args.items()}
    if node.name is not None and node.name.endswith("/"):
        above = node.name[:-1].rpartition("/")[0]
        with v1.name_scope(f"{above}/" if above else None):
            return _made_step(lowering, node, arguments)
    return _made_step(lowering, node, arguments)


def _made_step(lowering: Lowering, node: Node, arguments: dict[str, Operand]) -> Operand:
    before = len(lowering.built.graph.get_collection("variables"))
    made = None
    if lowering.built.setting.layout.towers > 1:
        made = minimize_in_towers(lowering, node, dict(arguments))
    if made is None:
        made = (apply if node.loss is None else minimize)(name=node.name, **arguments)
    slots = lowering.built.slots[node.id] = lowering.built.graph.get_collection("variables")[before:]
    place_slots(slots)
    return made


_MAKE: dict[str, Callable[[Lowering, Node], Operand]] = {
    PLACEHOLDER: _placeholder,
    VARIABLE: _variable,
    SHARED: _shared,
    INDEX: _index,
    OPTIMIZE: _step,
    APPLY: _step,
    SUMMARY: _summary,
    WHILE: while_loop,
    COND: cond,
}


@cache
def _special(path: str) -> Callable[[Lowering, Node], Operand]:
    """The function that a row of the op table names: `special.einsum`."""
    module, _, name = path.partition(".")
    return getattr(import_module(f".{module}", __package__), name)
