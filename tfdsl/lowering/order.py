"""Makes the ops of one execution read and write each variable in program order: the order in which they were made.

TensorFlow keeps an order only if data or control edges require it. If they do not order a write and another op that
reads or writes the same variable, an execution uses copies of these ops with additional control edges. This module
computes which ops are copied, and with which edges; the graph itself does not change. `cloning.py` copies them for a
training in the graph, `runtime/execution/in_order.py` for a single execution.

When a statement names a variable, an op made together with the variable reads it. This read comes last.

Python functions that TensorFlow calls while it runs can keep state, which no edge shows. Their calls count as writes of
one variable, so an execution makes each of them once, in program order.

An `if` or `while` that writes a variable is executed as one op. TensorFlow would otherwise inline it: then iterations
overlap, later ops do not wait for its writes, and fetching one result leaves out the writes of the others. An `if` or
`while` without writes is inlined if each of its results waits for all writes that come before the others, and if ops
that must come after its reads wait for them (`waits.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ..ops.raw import READERS
from .definitions import INLINED, PASSES, Handles, arguments_of, executed, functions_of, is_inlined, op_name, passed_on
from .tf import FunctionDef, NodeDef, v1
from .waits import Waits

# Ops that call functions, with the number of inputs that they do not pass to them.
_CALLS = {"If": 1, "StatelessIf": 1, "While": 0, "StatelessWhile": 0, "Case": 1, "StatelessCase": 1,
          "PartitionedCall": 0, "StatefulPartitionedCall": 0}  # fmt: skip
# Ops that call Python functions, unless these are declared to have no state. What they keep is like one variable.
PYTHON_CALLS = ("PyFunc", "EagerPyFunc")
_PYTHON = "the state of Python functions"
_AT_ONCE = 2048  # accesses whose successors are found in one pass


@dataclass
class Order:
    """How to copy some ops. `after` has the new control inputs of each op. `changed` has the new definitions of ops,
    which may call the new `functions`."""

    after: dict[str, list[str]] = field(default_factory=dict)
    changed: "dict[str, NodeDef]" = field(default_factory=dict)
    functions: "dict[str, FunctionDef]" = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.after or self.changed)

    @property
    def copied(self) -> set[str]:
        """The ops that must be copied."""
        return {*self.after, *self.changed}


class Orders:
    """The orders of the executions of one graph, given its definition.

    `place` returns the place of an op: the number of its node in the program. The ops of towers are made with the
    optimizer, for nodes that come before it.
    """

    def __init__(
        self, definition: v1.GraphDef, named: Iterable[str], place: Callable[[str], int] | None = None,
        is_local: bool = True,
    ):  # fmt: skip
        """If `is_local` is false, ops that write variables on other machines must be inlined, with sequential
        iterations."""
        self._nodes = {node.name: node for node in definition.node}
        self._library = {function.signature.name: function for function in definition.library.function}
        self._named, self._place, self._is_local = frozenset(named), place, is_local
        self._handles = _handles(definition.node)
        self._made: dict[
            str, tuple[FunctionDef | None, dict[str, FunctionDef]]
        ] = {}  # by name: the rewritten function, and the functions that it calls
        self._writes: dict[tuple[str, int], bool] = {}
        self._python: dict[str, bool] = {}
        self._waits = Waits(self._library, self._accessed)
        self._known: dict[tuple[tuple[str, ...], frozenset[str]], Order] = {}

    def of(self, names: list[str], fetches: Sequence[str], fed: frozenset[str] = frozenset()) -> Order:
        """The order of an execution of some ops, given in the order in which they were made. `fetches` and `fed` are
        the names of its tensors ("a:0") and operations ("^a")."""
        key = tuple(fetches), fed
        if key not in self._known:
            last = {op_name(name) for name in fetches if name in self._named}
            nodes = [self._nodes[name] for name in names]
            self._known[key] = self._order(nodes, self._handles, fed, last, self._place)
        return self._known[key]

    def accessed(self, name: str) -> dict[str, bool]:
        """The variables that an op accesses, and whether it writes each."""
        return self._accessed(self._nodes[name], self._handles)

    def accesses(self, name: str) -> bool:
        """Whether an op reads or writes a variable."""
        return bool(self.accessed(name))

    def writes(self, name: str) -> bool:
        """Whether an op writes a variable."""
        return any(self.accessed(name).values())

    # --- one list of ops ------------------------------------------------------------------

    def _order(
        self, nodes: list, handles: Handles, fed: frozenset[str] = frozenset(),
        last: Iterable[str] = (), place: Callable[[str], int] | None = None,
    ) -> Order:  # fmt: skip
        """The order of some ops of a graph or function. `handles` identifies the variables."""
        order = Order()
        lines: dict[str, list[tuple[str, bool]]] = {}  # by variable: the ops that access it, and whether they write
        inlined = {node.name for node in nodes if is_inlined(node)}
        whole: set[str] = set()
        for node in nodes:
            accessed = self._accessed(node, handles)
            for variable, writes in accessed.items():
                lines.setdefault(variable, []).append((node.name, writes))
            if node.name in inlined and any(accessed.values()):
                whole.add(node.name)
            if node.op in _CALLS and accessed:
                self._change_calls(node, order)
        if self._is_local:
            writes = [(name, variable) for variable, line in lines.items() for name, writes in line if writes]
            bits = {one: 1 << at for at, one in enumerate(writes)}
            whole |= set(self._waits.leaving(nodes, handles, bits, inlined - whole, fed)) if bits and inlined else set()
            inlined -= whole
        lines = {v: line for v, line in lines.items() if len(line) > 1 and any(writes for _, writes in line)}
        number = {node.name: at for at, node in enumerate(nodes)}
        for line in lines.values() if place or last else ():
            line.sort(key=lambda one: (one[0] in last, place(one[0]) if place else 0, number[one[0]]))
        pairs = dict.fromkeys((variable, *pair) for variable, line in lines.items() for pair in _consecutive(line))
        for before, after in dict.fromkeys(self._open(pairs, nodes, handles, fed, inlined)):
            order.after.setdefault(after, []).append(before)
            if before in inlined:
                whole.add(before)
        for name in whole:
            node = order.changed.get(name) or _copied(nodes[number[name]])
            if self._is_local:
                node.attr[INLINED].b = False
            if node.op == "While":
                node.attr["parallel_iterations"].i = 1
            order.changed[name] = node
        return order

    def _open(
        self, pairs: Iterable[tuple[str, str, str]], nodes: list, handles: Handles, fed: frozenset[str],
        inlined: set[str],
    ) -> Iterator[tuple[str, str]]:  # fmt: skip
        """The pairs of accesses to a variable that no path of edges orders."""
        waiting: dict[tuple[str, str], list[str]] = {}  # by the first access
        for variable, before, after in pairs:
            waiting.setdefault((before, variable), []).append(after)
        sources = list(waiting)
        for start in range(0, len(sources), _AT_ONCE):
            bits = {one: 1 << at for at, one in enumerate(sources[start : start + _AT_ONCE])}
            found = self._waits.before(nodes, handles, bits, inlined, fed)
            for one, bit in bits.items():
                for after in waiting[one]:
                    if not found.get(after, 0) & bit:
                        yield one[0], after

    def _accessed(self, node: NodeDef, handles: Handles) -> dict[str, bool]:
        """The variables that an op accesses, and whether it writes each."""
        result: dict[str, bool] = {}
        if node.op in PASSES:
            return result
        if self._calls_python(node):
            result[_PYTHON] = True
        for at, one in enumerate(node.input):
            variable = handles.get(op_name(one)) if not one.startswith("^") else None
            if variable is not None:
                result[variable] = result.get(variable, False) or self._is_write(node, at)
        return result

    def _calls_python(self, node: NodeDef) -> bool:
        """Whether an op calls Python functions that may keep state, itself or in a function."""
        if node.op in PYTHON_CALLS:
            return True
        return any(self._function_calls_python(name) for name in functions_of(node)) if node.op in _CALLS else False

    def _function_calls_python(self, name: str) -> bool:
        if name not in self._python:
            self._python[name] = False  # a function that calls itself
            function = self._library.get(name)
            nodes = [] if function is None else executed(function)
            self._python[name] = any(map(self._calls_python, nodes))
        return self._python[name]

    def _is_write(self, node: NodeDef, at: int) -> bool:
        """Whether an op writes the variable whose handle is this input."""
        if node.op in READERS:
            return False
        if node.op not in _CALLS or not all(name in self._library for name in functions_of(node)):
            return True
        return any(self._function_writes(name, at - _CALLS[node.op]) for name in functions_of(node))

    def _function_writes(self, name: str, at: int) -> bool:
        """Whether a function writes the variable whose handle is this argument."""
        if (name, at) not in self._writes:
            function = self._library[name]
            handles = arguments_of(function)
            accessed = [self._accessed(node, handles) for node in executed(function)]
            self._writes[name, at] = any(one.get(f"{at}", False) for one in accessed)
        return self._writes[name, at]

    # --- functions ------------------------------------------------------------------------

    def _change_calls(self, node: NodeDef, order: Order) -> None:
        """Let an op call functions that keep the order."""
        for attr, function in _function_attrs(node):
            made = self._in_order(function, order.functions)
            if made != function:
                changed = order.changed.setdefault(node.name, _copied(node))
                changed.attr[attr].func.name = made

    def _in_order(self, name: str, functions: "dict[str, FunctionDef]") -> str:
        """The name of a function that computes the results of another one in order. It is the same one if that does."""
        if name not in self._made:
            function, handles = self._library[name], arguments_of(self._library[name])
            nodes = executed(function)
            inner = self._order(nodes, handles)
            needed = {node.name for node in nodes}
            # An op that is not inlined would also execute the writes that its results do not need.
            others = (node for node in function.node_def if node.name not in needed)
            is_new = inner or any(any(self._accessed(node, handles).values()) for node in others)
            self._made[name] = _rewritten(function, nodes, inner) if is_new else None, inner.functions
        made, called = self._made[name]
        functions |= called
        if made is None:
            return name
        functions[made.signature.name] = made
        return made.signature.name


def _consecutive(line: list[tuple[str, bool]]) -> Iterator[tuple[str, str]]:
    """The pairs of accesses to a variable whose second must come after the first. They imply all others."""
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


# --- definitions --------------------------------------------------------------------------


def _handles(nodes: Iterable) -> dict[str, str]:
    """The ops of a graph that return a variable handle, with an identifier of the variable."""
    result: dict[str, str] = {}
    for node in nodes:
        if node.op == "VarHandleOp":
            container, shared = (node.attr[one].s.decode() for one in ("container", "shared_name"))
            result[node.name] = f"{container}/{shared or node.name}"
    return passed_on(nodes, result)


def _rewritten(function: FunctionDef, nodes: list[NodeDef], order: Order) -> FunctionDef:
    """A function with only some of its ops, in order."""
    result = _copied(function)
    result.signature.name = f"{function.signature.name}_in_order"
    kept = [_copied(node) for node in nodes]
    del result.node_def[:]
    result.node_def.extend(kept)
    for node in result.node_def:
        if node.name in order.changed:
            node.CopyFrom(order.changed[node.name])
        node.input.extend(f"^{name}" for name in order.after.get(node.name, ()))
    return result


_Copied = TypeVar("_Copied", FunctionDef, NodeDef)


def _copied(message: _Copied) -> _Copied:
    result = type(message)()
    result.CopyFrom(message)
    return result


def _function_attrs(node: NodeDef) -> list[tuple[str, str]]:
    """The attributes of an op that name functions, with the names."""
    return [(name, attr.func.name) for name, attr in node.attr.items() if attr.HasField("func")]
