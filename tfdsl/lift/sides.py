"""One of the two graphs of a comparison: it executes the parts that can run, and reads and writes the variables."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..lowering.failures import plain_reason
from ..lowering.sums import order_sums
from ..lowering.tf import AttrValue, DataType, GraphDef, Operand, RewriterConfig, op_def, tf, v1
from ..ops import raw
from ..ops.forbidden_ops import INSIDE
from ..ops.raw import READERS
from .graph import ASSIGNS, ENTERS, VARIABLES
from .tables import FILLS, LOOKUPS, TABLES, Content, LookupTable, in_order_of_keys, table

_SECONDS = 20  # the longest that one execution may take
_MOST_RUNS = 1_000  # how many executions may fail

# Ops that can wait for a thread, which does not run here.
_WAITS = re.compile(r"Queue|Barrier|Stage|Unstage|Accumulator|Rendezvous|^_?(Send|Recv)$|MapClear|MapPeek|Reader")
_EXIT = ("Exit", "RefExit")
_SWITCH, _MERGE = ("Switch", "RefSwitch", "_SwitchN"), ("Merge", "RefMerge")
_OF_ONE_RUN = ("TensorArray", "Stack")  # ops on state that ends with the execution
_PYTHON = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
OWN = "tfdsl_verify/"  # the scope of the ops that are added here

# Why an op cannot be fetched like a value.
REACHES_OUT = "below an op that reaches outside the graph"
NEEDS_PYTHON = "below a Python function of the script that made the graph, which the file does not have"
CAN_WAIT = "below an op that can wait for other threads"
IN_LOOP = "inside a loop"
IN_BRANCH = "in a branch that may not run"
IS_RANDOM = "below random numbers that only one side draws"
IS_FIRST = "below the first value of a variable, which is random, in an op that the program does not need"
WRITES = "below an op that writes a variable"
ENDS_PROCESS = "ends the process of TensorFlow"
UNPAIRED = "below a placeholder or variable that only one side has"
OPEN_ORDER = "the graph leaves open in which order ops read and change a variable"
CANNOT_RUN = "cannot be computed from these feeds"


class Side:
    """One of the two graphs of a comparison, with a session."""

    def __init__(self, graph_def: GraphDef, running: Callable[[str, Sequence[str]], None], label: str):
        for node in graph_def.node:
            node.device = ""
        for function in graph_def.library.function:
            for node in function.node_def:
                node.device = ""
        self.graph = tf.Graph()
        with self.graph.as_default():
            v1.import_graph_def(graph_def, name="")
        order_sums(self.graph)
        self._outside, self._writing = _outside(graph_def), _having(graph_def, _writes)
        self._drawing = _having(graph_def, is_random)
        self._first = frozenset(_of_first_values(self.graph))
        self._python = _having(graph_def, lambda op: op in _PYTHON)
        self._filling = _having(graph_def, lambda op: op in FILLS)
        self._running, self._label = running, label
        self._runs = 0
        self._setters: dict[str, tuple[Operand, Operand]] = {}
        self.variables: dict[str, Operand] = {
            one.name: one for one in self.graph.get_operations() if one.type in VARIABLES
        }
        self.readers: dict[str, Operand] = {name: self._reader(one) for name, one in self.variables.items()}
        self.tables = {one.name: self._table(one) for one in self.graph.get_operations() if one.type in TABLES}
        config = v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1, device_count={"GPU": 0})
        config.graph_options.optimizer_options.opt_level = -1
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.rewrite_options.constant_folding = RewriterConfig.OFF
        self._config = config
        self._session: Any = None  # a session of `v1`, which has no types

    def _reader(self, variable: Operand) -> Operand:
        """Add the ops that set and read a variable. Return its value."""
        handle = variable.outputs[0]
        with self.graph.as_default(), v1.name_scope(OWN):
            dtype = v1.as_dtype(variable.get_attr("dtype"))
            value = v1.placeholder(dtype)
            if variable.type == "VarHandleOp":
                setter = v1.raw_ops.AssignVariableOp(resource=handle, value=value)
                read = v1.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)
            else:
                setter = v1.raw_ops.Assign(ref=handle, value=value, validate_shape=False).op
                read = v1.identity(handle)
        self._setters[variable.name] = value, setter
        return read

    def _table(self, operation: Operand) -> LookupTable:
        with self.graph.as_default(), v1.name_scope(OWN):
            return table(operation)

    # --- running --------------------------------------------------------------------------------

    @property
    def session(self) -> Any:  # of `v1`, which has no types
        if self._session is None:
            self._session = v1.Session(graph=self.graph, config=self._config)
        return self._session

    def run(self, names: Sequence[str], fetches: object, feeds: Mapping[object, object]) -> Operand:
        """Execute fetches. `names` are reported first, in case the execution ends the process."""
        self._running(self._label, names)
        options = v1.RunOptions(timeout_in_ms=_SECONDS * 1000)
        return self.session.run(fetches, dict(feeds), options=options)

    def give(self, values: Mapping[str, np.ndarray]) -> None:
        """Set variables to values."""
        setters = [(self._setters[name], value) for name, value in values.items()]
        self.session.run([op for (_, op), _ in setters], {placeholder: value for (placeholder, _), value in setters})

    def values(self, names: Iterable[str]) -> list[np.ndarray]:
        """The values of variables."""
        return self.session.run([self.readers[name] for name in names])

    def fill_tables(self) -> None:
        """Run the ops that fill tables with constants."""
        blocked = self.obstacles((), frozenset())
        for one in self.graph.get_operations():
            is_fill = not one.name.startswith(OWN) and not self._filling.isdisjoint((one.type, *_functions(one)))
            if (one.type in FILLS or is_fill) and blocked[one.name] <= {WRITES}:
                try:
                    self.run([one.name], one, {})
                except v1.errors.OpError:
                    continue  # it needs feeds, or another table

    def fill(self, name: str, content: Content) -> bool:
        """Replace the content of a table. Returns whether the table took it."""
        one, before = self.tables[name], self.content(name)
        try:
            if one.remove is not None and before is not None:
                self.session.run(one.remove, {one.keys: before[0]})
            self.session.run(one.fill, {one.keys: content[0], one.values: content[1]})
        except v1.errors.OpError:
            return False
        return True

    def content(self, name: str) -> Content | None:
        """The content of a table, or None if nothing has filled it."""
        one = self.tables[name]
        try:
            return in_order_of_keys(*self.session.run([one.content, one.unused]))
        except v1.errors.OpError:
            return None

    def fetched(
        self, wanted: Mapping[str, Operand], feeds: Mapping[object, object], one_by_one: bool
    ) -> tuple[dict[str, Operand], dict[str, str]]:
        """The values of tensors, and the errors of tensors that cannot be computed."""
        values: dict[str, Operand] = {}
        failed: dict[str, str] = {}
        todo = [[name] for name in wanted] if one_by_one else [list(wanted)]
        while todo:
            names = todo.pop()
            if not names:
                continue
            if self._runs > _MOST_RUNS:
                failed.update(dict.fromkeys(names, "there were too many failures before"))
                continue
            try:
                found = self.run(names, [wanted[name] for name in names], feeds)
                values.update(zip(names, found))
            except (v1.errors.OpError, ValueError, TypeError) as error:
                self._runs += 1
                said = plain_reason(error)
                if len(names) == 1:
                    failed[names[0]] = said
                    continue
                below = self.below(re.findall(r"\{\{node ([^}]+)\}\}", str(error)))
                bad = [name for name in names if wanted[name].op.name in below]
                if bad and len(bad) < len(names):
                    failed.update(dict.fromkeys(bad, said))
                    todo.append([name for name in names if name not in failed])
                else:
                    half = len(names) // 2
                    todo += [names[:half], names[half:]]
        return values, failed

    def below(self, names: Iterable[str], fed: Iterable[Operand] = ()) -> set[str]:
        """The names of these ops, and of all ops that need one of them. A fed tensor needs nothing."""
        given = {one.ref() for one in fed}
        found: set[str] = set()
        known = {one.name: one for one in self.graph.get_operations()}
        todo = [known[name] for name in names if name in known]
        while todo:
            one = todo.pop()
            if one.name not in found:
                found.add(one.name)
                todo += [user for output in one.outputs if output.ref() not in given for user in output.consumers()]
                todo += one._control_outputs
        return found

    # --- what can run ---------------------------------------------------------------------------

    def obstacles(self, fed: Iterable[Operand], avoid: frozenset[str]) -> dict[str, frozenset[str]]:
        """For each op, the reasons why it cannot be fetched like a value: its own reasons, and the reasons of the ops
        that it needs. A fed tensor needs nothing."""
        given = {one.ref() for one in fed}
        found: dict[str, frozenset[str]] = {}
        for one in in_order(self.graph):
            reasons = set(self._own(one, avoid))
            for tensor in one.inputs:
                if tensor.ref() not in given:
                    reasons |= found.get(tensor.op.name, frozenset())
            for before in one.control_inputs:
                reasons |= found.get(before.name, frozenset())
            if one.type in _EXIT:
                reasons.discard(IN_LOOP)
            if one.type in _MERGE and IN_LOOP not in reasons:
                reasons.discard(IN_BRANCH)
            found[one.name] = frozenset(reasons)
        return found

    def _own(self, one: Operand, avoid: frozenset[str]) -> Iterator[str]:
        if one.name in avoid:
            yield ENDS_PROCESS
        if not self._python.isdisjoint((one.type, *_functions(one))) or one.type in _PYTHON:
            yield NEEDS_PYTHON
        elif one.type in self._outside or any(name in self._outside for name in _functions(one)):
            yield REACHES_OUT
        if _WAITS.search(one.type):
            yield CAN_WAIT
        if one.type in ENTERS:
            yield IN_LOOP
        if one.type in _SWITCH and one.inputs[1].op.type != "LoopCond":
            yield IN_BRANCH
        if is_random(one.type) or not self._drawing.isdisjoint((one.type, *_functions(one))):
            yield IS_FIRST if one.name in self._first else IS_RANDOM
        if self._writes(one):
            yield WRITES

    def _writes(self, one: Operand) -> bool:
        """Whether an op may change a variable, or other state of the session."""
        called = [one.type, *_functions(one)]
        return any(name in self._writing for name in called) if _calls(one.type) else _writes(one.type)


def _of_first_values(graph: Operand) -> Iterator[str]:
    """The ops that compute the initial values of variables."""
    for one in graph.get_operations():
        variable = one.inputs[0].op if one.type in ASSIGNS else one
        if variable is not one and variable.type in VARIABLES and one.name.startswith(f"{variable.name}/"):
            yield from above(one.inputs[1].op)


def _outside(graph_def: GraphDef) -> frozenset[str]:
    """The ops and functions that reach outside the graph."""
    found = {name for name in raw.names() if (op := raw.find(name)) and op.reaches not in INSIDE}
    found -= {"RandomShuffle"}
    functions = {one.signature.name: one for one in graph_def.library.function}
    grown = True
    while grown:
        inner = {
            name
            for name, one in functions.items()
            if any(node.op in found or any(call in found for call in _named(node.attr)) for node in one.node_def)
        }
        grown = not inner <= found
        found |= inner
    return frozenset(found)


def _named(attrs: Mapping[str, AttrValue]) -> Iterator[str]:
    """The functions that attributes name."""
    for value in attrs.values():
        if value.WhichOneof("value") == "func":
            yield value.func.name
        for one in value.list.func:
            yield one.name


def _functions(operation: Operand) -> Iterator[str]:
    return _named(operation.node_def.attr)


def is_random(op: str) -> bool:
    """Whether an op draws different numbers each time."""
    definition = op_def(op)
    return definition is not None and definition.is_stateful and any(one.name == "seed2" for one in definition.attr)


def _calls(op: str) -> bool:
    """Whether an op's only effects are those of the functions that it calls."""
    definition = op_def(op)
    return definition is None or any(one.type == "func" for one in definition.attr)


def _writes(op: str) -> bool:
    """Whether an op that calls no functions may change a variable, or other state of the session."""
    definition = op_def(op)
    if definition is None or op in (*READERS, *VARIABLES, *LOOKUPS) or op.startswith(_OF_ONE_RUN):
        return False
    takes_reference = any(one.is_ref for one in definition.input_arg) and not op.startswith("Ref")
    takes_handle = any(one.type == DataType.DT_RESOURCE for one in definition.input_arg)
    return takes_reference or (takes_handle and definition.is_stateful)


def _having(graph_def: GraphDef, fits: Callable[[str], bool]) -> frozenset[str]:
    """The functions that contain an op of some kind, directly or in functions that they call."""
    functions = {one.signature.name: one for one in graph_def.library.function}
    found: set[str] = set()
    grown = True
    while grown:
        inner = {
            name
            for name, one in functions.items()
            if any(fits(node.op) or node.op in found or found & set(_named(node.attr)) for node in one.node_def)
        }
        grown = not inner <= found
        found |= inner
    return frozenset(found)


def in_order(graph: tf.Graph) -> list[Operand]:
    """The ops, each after the ops that it needs, apart from the back edges of loops."""
    found: dict[str, Operand] = {}
    for first in graph.get_operations():
        todo: list[tuple[Operand, bool]] = [(first, False)]
        while todo:
            one, is_done = todo.pop()
            if one.name in found:
                continue
            if is_done:
                found[one.name] = one
                continue
            todo.append((one, True))
            back = one.type in _MERGE
            needed = [tensor.op for tensor in one.inputs if not (back and "NextIteration" in tensor.op.type)]
            todo += [(other, False) for other in (*needed, *one.control_inputs) if other.name not in found]
    return list(found.values())


def above(operation: Operand) -> set[str]:
    """The names of an op and of all ops that it needs."""
    found: set[str] = set()
    todo = [operation]
    while todo:
        one = todo.pop()
        if one.name not in found:
            found.add(one.name)
            todo += [*(tensor.op for tensor in one.inputs), *one.control_inputs]
    return found
