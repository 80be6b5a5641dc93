"""The order in which the ops of one execution read and write each variable: that in which the graph half made them.

TensorFlow keeps an order only where data or control edges say so. Where they leave it open whether a write comes before
another op that reads or writes the same variable, an execution uses copies of these ops that come after one another by
control edges. Here is what has to be copied, and with which edges; the graph itself stays as it is. `copies.py` does it
for a training in the graph, `runtime/in_order.py` for an execution by itself.

What a variable is when a statement names it is read by an op that was made with the variable. It comes last.

An `if` or a `while` that writes a variable is executed as one. TensorFlow would otherwise take it apart: then turns
overlap, what comes after it need not wait for what it writes, and a result alone leaves out the writes of the others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ..ops.raw import READERS
from .blame import functions_of
from .tf import tf

_PASSES = ("Identity", "Enter", "Switch")  # a handle on, as it is
# Ops that call functions, and the number of inputs before those that they hand to them.
_CALLS = {"If": 1, "StatelessIf": 1, "While": 0, "StatelessWhile": 0, "Case": 1, "StatelessCase": 1,
          "PartitionedCall": 0, "StatefulPartitionedCall": 0}  # fmt: skip
_CONTROL = ("If", "While")
_RESOURCE = tf.resource.as_datatype_enum
_AT_ONCE = 2048  # accesses whose successors are found in one pass


@dataclass
class Order:
    """How some ops have to be copied: the ops that each comes after beside those that it comes after already, and the
    definitions of those that change, which may call `functions` that do not exist yet."""

    after: dict[str, list[str]] = field(default_factory=dict)
    changed: dict[str, object] = field(default_factory=dict)
    functions: dict[str, object] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.after or self.changed)

    @property
    def copied(self) -> set[str]:
        """The ops that cannot be used as they are."""
        return {*self.after, *self.changed}


class Orders:
    """The orders of the executions of one graph, given its definition.

    `place` is where an op counts as made: the number of its node in the program. Towers have ops that are made with
    the optimizer, for nodes that stand before it.
    """

    def __init__(
        self, definition, named: Iterable[str], place: Callable[[str], int] | None = None, is_local: bool = True
    ):  # fmt: skip
        """What writes variables of other machines must be taken apart, so there it is, turn by turn."""
        self._nodes = {node.name: node for node in definition.node}
        self._library = {function.signature.name: function for function in definition.library.function}
        self._named, self._place, self._is_local = frozenset(named), place, is_local
        self._handles = _handles(definition.node)
        self._made: dict[str, tuple[object | None, dict[str, object]]] = {}  # what functions become, and need for that
        self._writes: dict[tuple[str, int], bool] = {}
        self._known: dict[tuple[tuple[str, ...], frozenset[str]], Order] = {}

    def of(self, names: list[str], fetches: Sequence[str], fed: frozenset[str] = frozenset()) -> Order:
        """The order of an execution that reaches some ops, given in the order in which they were made; `fetches` and
        `fed` are the names of its tensors ("a:0"), "^a" for an operation."""
        key = tuple(fetches), fed
        if key not in self._known:
            last = {_op(name) for name in fetches if name in self._named}
            nodes = [self._nodes[name] for name in names]
            self._known[key] = self._order(nodes, self._handles, fed, last, self._place)
        return self._known[key]

    def accesses(self, name: str) -> bool:
        """Whether an op reads or writes a variable."""
        return bool(self._accessed(self._nodes[name], self._handles))

    def writes(self, name: str) -> bool:
        """Whether an op writes a variable."""
        return any(self._accessed(self._nodes[name], self._handles).values())

    # --- one list of ops ------------------------------------------------------------------

    def _order(
        self, nodes: list, handles: Mapping[str, str], fed: frozenset[str] = frozenset(),
        last: Iterable[str] = (), place: Callable[[str], int] | None = None,
    ) -> Order:  # fmt: skip
        """The order of some ops of a graph or of a function, whose `handles` are variables."""
        order = Order()
        lines: dict[str, list[tuple[str, bool]]] = {}  # the accesses of each variable: the op, and whether it writes
        apart: set[str] = set()  # ops that TensorFlow takes apart
        for node in nodes:
            accessed = self._accessed(node, handles)
            for variable, writes in accessed.items():
                lines.setdefault(variable, []).append((node.name, writes))
            if node.op in _CONTROL and any(accessed.values()) and _is_taken_apart(node):
                apart.add(node.name)
            if node.op in _CALLS and accessed:
                self._change_calls(node, order)
        lines = {v: line for v, line in lines.items() if len(line) > 1 and any(writes for _, writes in line)}
        number = {node.name: at for at, node in enumerate(nodes)}
        for line in lines.values() if place or last else ():
            line.sort(key=lambda one: (one[0] in last, place(one[0]) if place else 0, number[one[0]]))
        pairs = dict.fromkeys(pair for line in lines.values() for pair in _consecutive(line))
        for before, after in _open(pairs, nodes, fed, apart):
            order.after.setdefault(after, []).append(before)
            apart |= {name for name in (before, after) if self._is_control(nodes[number[name]])}
        for name in apart:
            node = order.changed.get(name) or _copied(nodes[number[name]])
            if self._is_local:
                node.attr["_lower_using_switch_merge"].b = False
            if node.op == "While":
                node.attr["parallel_iterations"].i = 1
            order.changed[name] = node
        return order

    def _is_control(self, node) -> bool:
        return node.op in _CONTROL and _is_taken_apart(node)

    def _accessed(self, node, handles: Mapping[str, str]) -> dict[str, bool]:
        """The variables that an op reads or writes, and whether it writes each."""
        result: dict[str, bool] = {}
        if node.op in _PASSES:
            return result
        for at, one in enumerate(node.input):
            variable = handles.get(_op(one)) if not one.startswith("^") else None
            if variable is not None:
                result[variable] = result.get(variable, False) or self._is_write(node, at)
        return result

    def _is_write(self, node, at: int) -> bool:
        """Whether an op writes the variable whose handle is an input."""
        if node.op in READERS:
            return False
        if node.op not in _CALLS or not all(name in self._library for name in functions_of(node)):
            return True
        return any(self._function_writes(name, at - _CALLS[node.op]) for name in functions_of(node))

    def _function_writes(self, name: str, at: int) -> bool:
        """Whether a function writes the variable whose handle is an argument."""
        if (name, at) not in self._writes:
            function = self._library[name]
            handles = _arguments(function)
            accessed = [self._accessed(node, handles) for node in _executed(function)]
            self._writes[name, at] = any(one.get(f"{at}", False) for one in accessed)
        return self._writes[name, at]

    # --- functions ------------------------------------------------------------------------

    def _change_calls(self, node, order: Order) -> None:
        """Have an op call functions that keep the order."""
        for attr, function in _function_attrs(node):
            made = self._in_order(function, order.functions)
            if made != function:
                changed = order.changed.setdefault(node.name, _copied(node))
                changed.attr[attr].func.name = made

    def _in_order(self, name: str, functions: dict[str, object]) -> str:
        """The name of a function that does what another one does, in order; itself if that does."""
        if name not in self._made:
            function = self._library[name]
            inner = self._order(_executed(function), _arguments(function))
            self._made[name] = _rewritten(function, inner) if inner else None, inner.functions
        made, needed = self._made[name]
        functions |= needed
        if made is None:
            return name
        functions[made.signature.name] = made
        return made.signature.name


def _consecutive(line: list[tuple[str, bool]]) -> Iterator[tuple[str, str]]:
    """The pairs of accesses of a variable of which the second must come after the first; the others follow."""
    write, reads = "", []
    for name, writes in line:
        if not writes:
            reads.append(name)
            if write:
                yield write, name
            continue
        for before in reads or ([write] if write else []):
            yield before, name
        write, reads = name, []


def _open(
    pairs: Iterable[tuple[str, str]], nodes: list, fed: frozenset[str], apart: set[str]
) -> Iterator[tuple[str, str]]:
    """The pairs that no path of edges puts in order. One through what TensorFlow takes apart is none."""
    waiting: dict[str, list[str]] = {}
    for before, after in pairs:
        if before in apart or after in apart:
            yield before, after
        else:
            waiting.setdefault(before, []).append(after)
    sources = list(waiting)
    for start in range(0, len(sources), _AT_ONCE):
        bits = {name: 1 << at for at, name in enumerate(sources[start : start + _AT_ONCE])}
        come: dict[str, int] = {}  # the accesses that come before each op, and itself
        for node in nodes:
            mask = bits.get(node.name, 0)
            for one in node.input:
                if one not in fed and _full(one) not in fed:
                    mask |= come.get(_op(one), 0)
            if mask:
                come[node.name] = mask
        for before, bit in bits.items():
            for after in waiting[before]:
                if not come.get(after, 0) & bit:
                    yield before, after


# --- definitions ------------------------------------------------------------------------------


def _handles(nodes: Iterable) -> dict[str, str]:
    """The ops of a graph that give the handle of a variable, with what identifies it."""
    result: dict[str, str] = {}
    for node in nodes:
        if node.op == "VarHandleOp":
            container, shared = (node.attr[one].s.decode() for one in ("container", "shared_name"))
            result[node.name] = f"{container}/{shared or node.name}"
        elif node.op in _PASSES and node.input and _op(node.input[0]) in result:
            result[node.name] = result[_op(node.input[0])]
    return result


def _arguments(function) -> dict[str, str]:
    """As `_handles`, of a function: a variable is the number of the argument that has its handle."""
    arguments = enumerate(function.signature.input_arg)
    result = {argument.name: f"{at}" for at, argument in arguments if argument.type == _RESOURCE}
    for node in function.node_def:
        if node.op in _PASSES and node.input and _op(node.input[0]) in result:
            result[node.name] = result[_op(node.input[0])]
    return result


def _executed(function) -> list:
    """The ops of a function that it executes: those that its results need."""
    nodes = {node.name: node for node in function.node_def}
    needed: set[str] = set()
    todo = [_op(one) for one in (*function.ret.values(), *function.control_ret.values())]
    while todo:
        name = todo.pop()
        if name in nodes and name not in needed:
            needed.add(name)
            todo += map(_op, nodes[name].input)
    return [node for node in function.node_def if node.name in needed]


def _rewritten(function, order: Order):
    """A function with the order of its ops."""
    result = _copied(function)
    result.signature.name = f"{function.signature.name}_in_order"
    for node in result.node_def:
        if node.name in order.changed:
            node.CopyFrom(order.changed[node.name])
        node.input.extend(f"^{name}" for name in order.after.get(node.name, ()))
    return result


def _copied(message):
    result = type(message)()
    result.CopyFrom(message)
    return result


def _is_taken_apart(node) -> bool:
    return "_lower_using_switch_merge" in node.attr and node.attr["_lower_using_switch_merge"].b


def _function_attrs(node) -> list[tuple[str, str]]:
    """The attributes of an op that name functions, with these."""
    return [(name, attr.func.name) for name, attr in node.attr.items() if attr.HasField("func")]


def _op(name: str) -> str:
    """The op of an input, or of a tensor's or an operation's name."""
    return name.removeprefix("^").partition(":")[0]


def _full(name: str) -> str:
    return name if name.startswith("^") or ":" in name else f"{name}:0"
