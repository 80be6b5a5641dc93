"""Compares a lifted program with its graph: the same random feeds and variables must give the same values.

Each side is imported into a graph of its own, without devices and without TensorFlow's optimizations, which change the
rounding. Corresponding tensors that can run are fetched from both sides. Nothing runs below an op that reaches outside
the graph, that waits for other threads, or that draws random numbers on one side only. Ops that write variables or
tables run one by one. Their results, and all variables and tables, are compared after each.

TensorFlow ends the process on some graphs, so this runs in a process of its own (`cli/lift_child.py`).
"""

import re
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import numpy as np

from ..driver import Compiled
from ..lowering.failures import plain_reason
from ..lowering.tf import GraphDef, Operand, Operation, tf, v1
from ..record import Record, State, field
from .checkpoint_names import checkpoint_names
from .draws import paired_draws
from .fed_groups import grouped
from .fed_shapes import fed_shape, named_feeds, takes_rows
from .fed_strings import fed_strings
from .folds.optimizers import slots_of
from .graph import DEFAULTED, PLACEHOLDERS, VARIABLES, Endpoint, SavedGraph
from .lifted import Lifted
from .program_order import OrderedExecution, ProgramOrder
from .read import graph_def_of
from .sides import (
    CANNOT_RUN,
    IN_BRANCH,
    IS_FIRST,
    IS_RANDOM,
    NEEDS_PYTHON,
    OPEN_ORDER,
    OWN,
    REACHES_OUT,
    UNPAIRED,
    WRITES,
    Side,
    above,
    is_random,
)
from .tables import TABLES, Content, made_up

AFTER = " after "  # in the name of a variable after an update
_FED = tuple(op for op in PLACEHOLDERS if op != DEFAULTED)
_MOST_UPDATES = 50
_FUSED, _RESULTS = "FusedBatchNormV3", 3  # an op whose further outputs are only for its gradient
_EIGEN = ("SelfAdjointEigV2", "Eig")  # their eigenvectors are undefined unless they are asked for
_LARGE = 16  # by how much numbers are larger when an update runs again
_UNROUNDED = {*VARIABLES, "Assign", "Read", "Identity", "Neg", "Const", "NoOp"}  # without "Resource" and "VariableOp"
CLOSE = 1e-4  # the largest difference that can be rounding, relative to the largest number of a tensor


class Unequal(Record):
    """A tensor or variable that differs. `difference` is the largest difference of two elements, `relative` is this
    difference divided by the largest number of the tensor, and `reason` says why rounding can differ, if it can."""

    name: str
    difference: float
    relative: float
    reason: str

    @property
    def is_rounding(self) -> bool:
        return bool(self.reason) and self.relative <= CLOSE


class VerifyReport(State):
    """The result of a comparison. `left_out` has the names that were not compared, by reason. `guessed` has the shapes
    that tensors with unknown sizes were fed, and `made_up` the tables whose content is not the one that they have when
    the graph is used."""

    compared: int = 0  # how many tensors, without those that are fed or given
    updates: int = 0  # how many ops that write variables ran, each alone
    variables: int = 0  # how many variables and tables were compared after each update
    unequal: list[Unequal] = field(default_factory=list[Unequal])
    failed: dict[str, str] = field(default_factory=dict[str, str])  # errors of what fails only in the program
    left_out: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    guessed: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    made_up: list[str] = field(default_factory=list[str])
    restored: int = 0  # how many variables of the program a checkpoint of the graph has under their names
    renamed: dict[str, str] = field(default_factory=dict[str, str])  # the names that it has for others
    misnamed: list[str] = field(default_factory=list[str])  # the variables whose names should fit, but do not
    races: list[str] = field(default_factory=list[str])  # where executions leave the order of two ops open

    @property
    def is_same(self) -> bool:
        return (
            not self.failed
            and not self.misnamed
            and all(one.is_rounding for one in self.unequal)
            and self.compared + self.variables > 0
        )

    def leave_out(self, name: str, reason: str) -> None:
        self.left_out.setdefault(reason, []).append(name)


class Pair(Record):
    """An endpoint of the original graph, its tensor or operation there, and its counterpart in the program."""

    end: Endpoint
    left: Operand  # a tensor or an operation
    right: Operand


class Verifier:
    """Compares a graph with its lifted program."""

    def __init__(
        self,
        graph: SavedGraph,
        lifted: Lifted,
        compiled: Compiled,
        *,
        shapes: Mapping[str, Sequence[int]],
        seed: int,
        avoid: frozenset[str] = frozenset(),
        one_by_one: bool = False,
        running: Callable[[str, Sequence[str]], None] = lambda label, names: None,
    ):
        self._random = np.random.default_rng(seed)
        known = named_feeds(graph, lifted)
        self._shapes = {known[name]: sizes for name, sizes in shapes.items() if name in known}
        self._one_by_one = one_by_one
        built = compiled.built()
        self.report = VerifyReport()
        definitions = graph_def_of(graph), built.graph.as_graph_def()
        self._left, self._right = Side(definitions[0], running, "graph"), Side(definitions[1], running, "program")
        starts = [one.initializer.name for one in built.state_variables()]
        self._start = [self._right.graph.get_operation_by_name(name) for name in starts]
        self._slots = {name for node in graph.nodes.values() for name in slots_of(graph, node)}
        self._pairs: dict[Endpoint, Pair] = {}
        self._variables: dict[str, str] = {}  # the counterparts in the program, by the name in the original
        self._tables: dict[str, str] = {}  # the counterparts of tables, as of variables
        self._contents: dict[str, Content] = {}  # what tables have before each update
        self._weights: set[str] = set()  # variables of the program that are constants in the original
        for end, text in lifted.correspondence.items():
            self._pair(end, compiled, text)
        for name in self._left.variables:
            if name in self._right.variables:
                self._variables.setdefault(name, name)
        own = [(pair.left, pair.right) for pair in self._pairs.values()]
        for left, right in paired_draws(self._left.graph, self._right.graph, own):
            self._pairs[Endpoint(left.name)] = Pair(Endpoint(left.name), left.outputs[0], right.outputs[0])
        if not lifted.is_exact:
            self._compare_names(graph, compiled, lifted.keeps_names)
        self._order = ProgramOrder(graph, built, definitions)
        self._definitions, self._running = definitions, running
        # The ops that end the process, in each of the two graphs.
        ends = [pair for end, pair in self._pairs.items() if end.node in avoid or str(end) in avoid]
        self._avoid = tuple(
            frozenset(getattr(one, "op", one).name for one in side)
            for side in ([pair.left for pair in ends], [pair.right for pair in ends])
        )

    def _pair(self, end: Endpoint, compiled: Compiled, text: str) -> None:
        found = _element(compiled, text)
        original = self._left.graph.get_operation_by_name(end.node)
        left = original.outputs[end.output] if original.outputs else original
        if isinstance(found, tf.Variable) and original.type not in VARIABLES:
            if original.type == "Const":
                self._weights.add(_holder(found).name)
            found = compiled.built().element(found)  # its value after the last write
        if isinstance(found, tf.Variable):
            handle = _holder(found)
            self._variables[end.node] = handle.name
            left, right = self._left.readers[end.node], self._right.readers[handle.name]
        elif isinstance(found, tf.Tensor):
            right = self._right.graph.get_tensor_by_name(found.name)
            if original.type in VARIABLES and right.op.type in VARIABLES:
                self._variables[end.node] = right.op.name
            if original.type in TABLES and right.op.type in TABLES:
                self._tables[end.node] = right.op.name
        elif isinstance(found, Operation):
            right = self._right.graph.get_operation_by_name(found.name)
        else:
            return
        self._pairs[end] = Pair(end, left, right)

    def _compare_names(self, graph: SavedGraph, compiled: Compiled, keeps_names: bool) -> None:
        names = checkpoint_names(graph, compiled, self._variables)
        self.report.restored, self.report.renamed = names.fitting, names.others
        if keeps_names:
            self.report.misnamed = [*names.moved, *(name for name in names.own if name not in self._weights)]

    def verify(self) -> VerifyReport:
        values = {
            name: self._value(self._left.readers[name], self._right.readers[other], is_slot=name in self._slots)
            for name, other in self._variables.items()
        }
        feeds = self._feeds()
        self._begin()
        self._fill_tables()
        self._set(values)
        given, feeds = feeds, self._with_random(feeds)
        blocked = self._blocked(feeds)
        self._compare_values(feeds, blocked)
        self._compare_updates(feeds, blocked, values, drawn=feeds.keys() - given.keys())
        return self.report

    def _set(self, values: Mapping[str, np.ndarray]) -> None:
        self._left.give(values)
        self._right.give({self._variables[name]: value for name, value in values.items()})
        for name, content in self._contents.items():
            self._left.fill(name, content)
            self._right.fill(self._tables[name], content)

    def _begin(self) -> None:
        """Each side fills its tables with its own constants, and the program gets the state that it begins with."""
        for op in self._start:
            try:
                self._right.run([], _there(self._right, op), {})
            except v1.errors.OpError:
                continue  # it needs feeds; tensors that depend on it fail below
        for side in (self._left, self._right) if self._tables else ():
            side.fill_tables()

    def _fill_tables(self) -> None:
        """Other tables, such as those that are filled from files, get the same made-up content on both sides."""
        for name, other in self._tables.items():
            table, content = self._left.tables[name], self._left.content(name)
            if content is None or (not table.is_static and not len(content[0])):
                content = self._contents[name] = made_up(table.handle.op, self._random)
                if self._left.fill(name, content) and self._right.fill(other, content):
                    self.report.made_up.append(name)
            if not table.is_static:
                self._contents[name] = content

    # --- values ---------------------------------------------------------------------------------

    def _value(self, tensor: Operand, other: Operand, end: Endpoint | None = None, is_slot: bool = False) -> np.ndarray:
        """A random value for a tensor and its counterpart. Unknown sizes become 2, and a tensor of unknown rank has the
        shape that an op needs, or one element. An optimizer may take the root of a slot, so it is not negative."""
        shape = None if end is None else self._shapes.get(end)
        known = _known_shape(tensor, other)
        if shape is None and known.rank is None:
            shape = fed_shape(tensor if end is not None else tensor.op.inputs[0]) or [1]  # or that of a variable
        elif shape is None:
            shape = [2 if size is None else size for size in known.as_list()]
        dtype = tensor.dtype.base_dtype
        if dtype == v1.string:
            return np.resize(np.array(fed_strings(tensor), dtype=object), shape)
        if dtype.is_bool:
            return self._random.integers(0, 2, shape).astype(bool)
        if dtype.is_integer or dtype.is_quantized:
            whole = self._random.integers(0, 2, shape)
            if whole.size == 2 and takes_rows(tensor):
                whole[...] = whole.flat[0]  # the same row twice, whose gradients are added up
            return whole.astype(dtype.as_numpy_dtype)
        numbers = self._random.uniform(0 if is_slot else -1, 1, shape)
        if dtype.is_complex:
            numbers = numbers + 1j * self._random.uniform(-1, 1, shape)
        return np.asarray(numbers).astype(dtype.as_numpy_dtype)

    def _feeds(self) -> dict[Endpoint, np.ndarray]:
        """Values for all pairs in which either side is a placeholder. A placeholder of the program can correspond to
        several tensors of the graph; then the graph's own placeholder is fed."""
        found: dict[Endpoint, np.ndarray] = {}
        fed: set[object] = set()
        own = {end.node: pair.left for end, pair in self._pairs.items() if _is_fed(pair)}
        together = grouped(own, {end.node: sizes for end, sizes in self._shapes.items()})
        for is_own in (True, False):
            for end, pair in self._pairs.items():
                if not isinstance(pair.right, tf.Tensor) or not isinstance(pair.left, tf.Tensor):
                    continue
                is_fed = pair.left.op.type in PLACEHOLDERS if is_own else pair.right.op.type in _FED
                if is_fed and pair.right.ref() not in fed and _is_readable(pair.left):
                    given = together.get(end.node)
                    if isinstance(given, list):
                        self._shapes[end] = given
                    found[end] = given if isinstance(given, np.ndarray) else self._value(pair.left, pair.right, end)
                    fed.add(pair.right.ref())
                    if (
                        given is None
                        and end not in self._shapes
                        and not _known_shape(pair.left, pair.right).is_fully_defined()
                    ):
                        self.report.guessed[str(end)] = list(found[end].shape)
        return found

    def _with_random(self, feeds: dict[Endpoint, np.ndarray]) -> dict[Endpoint, np.ndarray]:
        """The feeds, together with the numbers that the random ops of the original draw."""
        drawn = {
            str(end): pair.left
            for end, pair in self._pairs.items()
            if isinstance(pair.left, tf.Tensor) and isinstance(pair.right, tf.Tensor) and is_random(pair.left.op.type)
        }
        given = {self._pairs[end].left: value for end, value in feeds.items()}
        blocked = self._left.obstacles(given, self._avoid[0])
        wanted = {
            name: tensor for name, tensor in drawn.items()
            if not (blocked[tensor.op.name] - {IS_FIRST, IS_RANDOM, IN_BRANCH})
        }  # fmt: skip
        values, _ = self._left.fetched(wanted, given, self._one_by_one)
        ends = {str(end): end for end in self._pairs}
        return {**feeds, **{ends[name]: value for name, value in values.items()}}

    def _blocked(self, feeds: Mapping[Endpoint, np.ndarray]) -> tuple[dict[str, frozenset[str]], ...]:
        """For each side, the obstacles of its ops, including placeholders and variables without counterparts."""
        found: list[dict[str, frozenset[str]]] = []
        known = [set(self._variables), {*self._variables.values(), *self._weights}]
        for side, paired, attr, avoid in zip((self._left, self._right), known, ("left", "right"), self._avoid):
            fed = [getattr(self._pairs[end], attr) for end in feeds]
            names = {one.op.name for one in fed}
            alone = {
                one.name
                for one in side.graph.get_operations()
                if (one.type in VARIABLES and one.name not in paired)
                or (one.type in _FED and one.name not in names and not one.name.startswith(OWN))
            }
            reasons = side.obstacles(fed, avoid)
            below = side.below(alone, fed)
            found.append({name: why | {UNPAIRED} if name in below else why for name, why in reasons.items()})
        return tuple(found)

    # --- comparing ------------------------------------------------------------------------------

    def _compare_values(
        self, feeds: Mapping[Endpoint, np.ndarray], blocked: tuple[dict[str, frozenset[str]], ...]
    ) -> None:
        together: dict[str, Pair] = {}
        alone: dict[str, Pair] = {}
        for end, pair in self._pairs.items():
            why = self._obstacles(pair, blocked)
            if end in feeds:
                continue
            if not _is_compared(pair):
                if REACHES_OUT in why or NEEDS_PYTHON in why:
                    self.report.leave_out(str(end), sorted(why - {WRITES})[0])
            elif not why:
                together[str(end)] = pair
            elif why == frozenset({IN_BRANCH}):
                alone[str(end)] = pair
            elif why != frozenset({WRITES}):
                self.report.leave_out(str(end), sorted(why - {WRITES})[0])
        for pairs, one_by_one in ((together, self._one_by_one), (alone, True)):
            left, failed = self._left.fetched(
                {name: pair.left for name, pair in pairs.items()}, self._of("left", feeds), one_by_one
            )
            for name, message in failed.items():
                self.report.leave_out(name, IN_BRANCH if pairs is alone else f"{CANNOT_RUN}: {message}")
            right, failed = self._right.fetched(
                {name: pairs[name].right for name in left}, self._of("right", feeds), one_by_one
            )
            self.report.failed.update(failed)
            for name, value in right.items():
                self.report.compared += 1
                self._compare(name, left[name], value, pairs[name])

    @staticmethod
    def _obstacles(pair: Pair, blocked: tuple[dict[str, frozenset[str]], ...]) -> frozenset[str]:
        left, right = (getattr(one, "op", one) for one in (pair.left, pair.right))
        return blocked[0][left.name] | blocked[1][right.name]

    def _of(self, side: str, feeds: Mapping[Endpoint, np.ndarray]) -> dict[object, object]:
        return {getattr(self._pairs[end], side): value for end, value in feeds.items()}

    def _compare(self, name: str, left: Operand, right: Operand, pair: Pair) -> None:
        one, other = np.asarray(left), np.asarray(right)
        if one.dtype == other.dtype and one.shape == other.shape and are_same(one, other):
            return
        self.report.unequal.append(unequal(name, one, other, _reason(pair.left, pair.right)))

    def _compare_updates(
        self,
        feeds: Mapping[Endpoint, np.ndarray],
        blocked: tuple[dict[str, frozenset[str]], ...],
        values: Mapping[str, np.ndarray],
        drawn: Collection[Endpoint],
    ) -> None:
        """Run each op that writes variables, starting from the same values, and once more from larger ones. Compare
        what it and the ops that it needs compute after a write, and the variables after it. `drawn` are the feeds for
        random numbers."""
        covered: set[str] = set()
        compared: set[str] = set()
        writing = {end: pair for end, pair in self._pairs.items()
                   if end not in feeds and self._obstacles(pair, blocked) == frozenset({WRITES})}  # fmt: skip
        for end in reversed(list(writing)):
            pair = writing[end]
            left, right = (getattr(one, "op", one) for one in (pair.left, pair.right))
            if end.node in covered:
                continue
            if self.report.updates == _MOST_UPDATES:
                self.report.leave_out(end.node, "there are more ops that write variables")
                continue
            needed = above(left)
            results = {str(one): pair for one, pair in writing.items()
                       if one.node in needed - covered and _is_compared(pair) and not _is_reference(pair)}  # fmt: skip
            covered |= needed
            update = Pair(end, left, right)
            runs = (feeds, values), (_enlarged(feeds, drawn), _enlarged(values, self._slots))
            fetches = [right, *(one.right for one in results.values())]
            execution = self._execution(end, fetches, feeds)
            if execution.is_open:
                for name in (end.node, *results):
                    self.report.leave_out(name, OPEN_ORDER)
                continue
            before = len(self.report.unequal)
            with self._in_order(execution.definitions):
                if self._compare_update(update, results, *runs[0]):
                    compared |= {*self._variables, *self._tables}
                    self._compare_update(update, results, *runs[1], again=True)
            found = self.report.unequal[before:]
            if found and execution.races:  # the graph may not be able to have the order of the program
                del self.report.unequal[before:]
                with self._in_order(self._order.reading_first(end.node, fetches)):
                    for run in runs:
                        self._compare_update(update, results, *run, again=True)
                names = {one.name for one in self.report.unequal[before:]}
                self.report.unequal[before:] = [one for one in found if one.name in names]
        self.report.variables = len(compared)
        self._set(values)

    def _execution(self, end: Endpoint, fetches: list[Operand], feeds: Mapping[Endpoint, Operand]) -> OrderedExecution:
        """The execution of an update, in the order of the program where the graph leaves it open."""
        pairs = {end.node: getattr(pair.right, "op", pair.right).name for end, pair in self._pairs.items()}
        fed = frozenset(self._pairs[end].right.name for end in feeds)
        execution = self._order.of(end.node, fetches, fed, pairs)
        known = {*self.report.races}
        self.report.races += [text for text in map(str, execution.races) if text not in known]
        return execution

    @contextmanager
    def _in_order(self, definitions: tuple[GraphDef, GraphDef] | None) -> Generator[None]:
        """Compare the graph and the program with other definitions for a while, in which ops wait."""
        before = self._left, self._right
        if definitions is not None:
            left, right = definitions
            self._left, self._right = Side(left, self._running, "graph"), Side(right, self._running, "program")
            self._begin()
        yield
        self._left, self._right = before

    def _compare_update(
        self,
        update: Pair,
        results: Mapping[str, Pair],
        feeds: Mapping[Endpoint, np.ndarray],
        values: Mapping[str, np.ndarray],
        again: bool = False,
    ) -> bool:
        """Run an update on both sides, and compare results and the variables after it. Returns whether it can run.
        `again` means that the same was compared before, on smaller numbers."""
        name = update.end.node
        self._set(values)
        try:
            ones = self._run("left", [update, *results.values()], feeds)
        except (v1.errors.OpError, ValueError, TypeError) as error:
            if not again:
                self.report.leave_out(name, f"{CANNOT_RUN}: {plain_reason(error)}")
            return False
        try:
            others = self._run("right", [update, *results.values()], feeds)
        except (v1.errors.OpError, ValueError, TypeError) as error:
            self.report.failed[name] = plain_reason(error)
            return False
        known = {one.name for one in self.report.unequal}
        for (result, pair), one, other in zip(results.items(), ones[1:], others[1:]):
            if result not in known:
                self._compare(result, one, other, pair)
        if name not in {one.rpartition(AFTER)[2] for one in known if AFTER in one}:
            self._compare_state(update)
        if not again:
            self.report.updates += 1
            self.report.compared += len(results)
        return True

    def _run(self, at: str, pairs: Sequence[Pair], feeds: Mapping[Endpoint, np.ndarray]) -> list[Operand]:
        """The values of some pairs on one side."""
        side = self._left if at == "left" else self._right
        fetches = [_there(side, getattr(one, at)) for one in pairs]
        given = {_there(side, tensor): value for tensor, value in self._of(at, feeds).items()}
        values: list[Operand] = side.run([pairs[0].end.node], fetches, given)
        return values

    def _compare_state(self, update: Pair) -> None:
        """Compare all variables and tables after an update."""
        ones, others = self._left.values(self._variables), self._right.values(self._variables.values())
        for name, one, other in zip(self._variables, ones, others):
            self._compare(f"{name}{AFTER}{update.end.node}", one, other, update)
        for name, counterpart in self._tables.items():
            content, found = self._left.content(name), self._right.content(counterpart)
            if content is not None and found is None:
                self.report.failed[update.end.node] = f"the table {counterpart} is empty"
            for one, other in zip(content or (), found or ()):
                self._compare(f"{name}{AFTER}{update.end.node}", one, other, update)


def _there(side: Side, element: Operand) -> Operand:
    """The tensor or operation of a side that has the name of one of another graph."""
    return side.graph.as_graph_element(element.name)


_Key = TypeVar("_Key", Endpoint, str)


def _enlarged(values: Mapping[_Key, np.ndarray], apart: Collection[object]) -> dict[_Key, np.ndarray]:
    """Values whose floats are so large that gradients reach the limits at which they are clipped, apart from some."""
    return {name: value * np.asarray(_LARGE, value.dtype) if value.dtype.kind in "fc" and name not in apart else value
            for name, value in values.items()}  # fmt: skip


def _is_fed(pair: Pair) -> bool:
    return isinstance(pair.left, tf.Tensor) and isinstance(pair.right, tf.Tensor) and pair.left.op.type in PLACEHOLDERS


def _is_compared(pair: Pair) -> bool:
    """Whether a pair has two values that can be compared. Those of variables are compared after updates."""
    sides = (pair.left, pair.right)
    return all(isinstance(one, tf.Tensor) and _is_readable(one) for one in sides) and not any(
        one.op.type in VARIABLES or one.op.name.startswith(OWN) for one in sides
    )


def _is_reference(pair: Pair) -> bool:
    """Whether a value is part of a reference variable, which later ops of the same execution change."""
    return any(one.dtype._is_ref_dtype or any(end.dtype._is_ref_dtype for end in one.op.inputs)
               for one in (pair.left, pair.right))  # fmt: skip


def _known_shape(tensor: Operand, other: Operand) -> Operand:
    """The shape of a tensor, with what is known about its counterpart."""
    try:
        return tensor.shape.merge_with(other.shape)
    except ValueError:
        return tensor.shape


def _is_readable(tensor: Operand) -> bool:
    """Whether a tensor has a value that can be compared. The handles of stacks and queues of TensorFlow 1 are names."""
    is_handle = tensor.dtype == v1.string._as_ref and tensor.op.type not in VARIABLES
    is_value = tensor.dtype.base_dtype not in (v1.resource, v1.variant) and not _is_scratch(tensor) and not is_handle
    return is_value and tensor.op.graph.is_fetchable(tensor)


def _is_scratch(tensor: Operand) -> bool:
    """Whether a further output of an op is only for its gradient, or undefined."""
    op, at = tensor.op, tensor.value_index
    return (op.type == _FUSED and at >= _RESULTS) or (op.type in _EIGEN and at > 0 and not op.get_attr("compute_v"))


def _holder(variable: Operand) -> Operand:
    """The op that holds a variable."""
    return variable.handle.op if hasattr(variable, "handle") else variable.op


def _element(compiled: Compiled, text: str) -> object:
    """The value of a name of the program, which can be followed by indices in brackets."""
    if text.startswith("^"):
        node = text.removeprefix("^")
        is_there = node in {one.name for one in compiled.graph.get_operations()}
        return compiled.graph.get_operation_by_name(node) if is_there else None
    name, *places = re.split(r"\[(\d+)\]", text)
    found: Operand = compiled[name]
    for place in filter(None, places):
        found = found[int(place)]
    return found


def are_same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays of one type have the same bits. All values that are no numbers count as the same: their bits
    mean nothing."""
    if one.dtype == object:
        return bool(np.array_equal(one, other))
    if one.tobytes() == other.tobytes():
        return True
    dtype = v1.as_dtype(one.dtype)
    if not (dtype.is_floating or dtype.is_complex):
        return False
    missing = np.isnan(one)
    return np.array_equal(missing, np.isnan(other)) and one[~missing].tobytes() == other[~missing].tobytes()


def unequal(name: str, left: np.ndarray, right: np.ndarray, reason: str) -> Unequal:
    """The largest difference between two arrays whose bits differ."""
    if left.shape != right.shape or left.dtype != right.dtype or left.dtype.kind not in "fciub":
        return Unequal(name, float("inf"), float("inf"), "")
    wide = np.complex128 if left.dtype.kind == "c" else np.float64
    one, other = left.astype(wide), right.astype(wide)
    if not np.array_equal(np.isfinite(one), np.isfinite(other)):
        return Unequal(name, float("inf"), float("inf"), "")
    finite = np.isfinite(one)
    difference = float(np.max(np.abs(one[finite] - other[finite]), initial=0.0))
    largest = float(np.max(np.abs(one[finite]), initial=0.0))
    return Unequal(name, difference, difference / largest if largest else difference, reason)


def _reason(left: Operand, right: Operand) -> str:
    """Why two values can be rounded differently: different ops compute them. Ops that only keep or pass on values, and
    those that do the same to a reference and to the handle of a variable, are no reason."""
    kinds: list[set[str]] = []
    for one in (left, right):
        graph = one.graph
        found = {graph.get_operation_by_name(name).type for name in above(getattr(one, "op", one))}
        kinds.append({op.removeprefix("Resource").removesuffix("VariableOp") for op in found} - _UNROUNDED)
    only = [sorted(kinds[at] - kinds[1 - at]) for at in (0, 1)]
    if not any(only):
        return ""
    listed = [", ".join(names[:5]) or "nothing else" for names in only]
    return f"the graph computes it with {listed[0]}, the program with {listed[1]}"
