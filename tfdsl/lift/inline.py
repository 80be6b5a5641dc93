"""Replaces calls of functions with the nodes of the functions.

Then all nodes are in the graph itself, where folds find them. TensorFlow does the same before it runs a graph: a call
becomes the nodes of its function, a functional `If` becomes Switch and Merge, and a functional `While` becomes a frame
with Enter, Merge, Switch, NextIteration and Exit.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache, partial

from ..lowering.tf import AttrValue, DataType, tf, v1
from ..record import Record, replace
from .draft import changes_something
from .functions import FunctionGraph, graph_functions
from .graph import GRADIENTS_SCOPE, Endpoint, GraphNode, SavedGraph, reached, unused_node
from .nodes import OpDefs
from .read import graph_def_of, graph_of

_IFS = ("If", "StatelessIf")
_CASES = ("Case", "StatelessCase")
_WHILES = ("While", "StatelessWhile")
_FLOW = ("Switch", "Merge", "Enter", "Exit", "NextIteration", "LoopCond")
# The attributes that name the functions an op calls.
_FUNCTIONS = {
    **dict.fromkeys(("PartitionedCall", "StatefulPartitionedCall"), ("f",)),
    **dict.fromkeys(_IFS, ("then_branch", "else_branch")),
    **dict.fromkeys(_WHILES, ("cond", "body")),
}
_BOOL, _TWO = AttrValue(type=DataType.DT_BOOL), AttrValue(i=2)
_MOST_NODES = 100_000  # the most nodes after calls are replaced
_OWN_NAME = re.compile(r"_*(?:inference_+|forward_+)?(\w*?)_*\d*", re.ASCII)  # of a function, in its TensorFlow name


def _type(dtype: str) -> AttrValue:
    return AttrValue(type=tf.as_dtype(dtype).as_datatype_enum)


class InlinedGraph(Record):
    """A graph without calls. `results` maps the results of the calls to the tensors that replace them. `accumulators`
    are loop nodes that collect lists of values for gradients. The lists are left out, so only folded gradients may use
    these nodes."""

    graph: SavedGraph
    results: dict[Endpoint, Endpoint]
    accumulators: frozenset[str] = frozenset()


def inlined(graph: SavedGraph) -> InlinedGraph:
    """Replace the calls of functions in a graph with nodes. A graph that has no calls, or that would become too large,
    is not changed."""
    inliner = _Inliner(graph)
    if not any(map(inliner.functions_of, graph.nodes.values())) or inliner.size() > _MOST_NODES:
        return InlinedGraph(graph, {})
    inliner.run()
    made = graph_of(graph_def_of(replace(graph, nodes=inliner.made)), graph.path)
    results = {end: other for end, other in inliner.results.items() if end.node in graph.nodes}
    signatures = {
        name: replace(one, outputs={key: results.get(end, end) for key, end in one.outputs.items()})
        for name, one in graph.signatures.items()
    }
    flat = replace(graph, nodes=made.nodes, signatures=signatures)
    return InlinedGraph(flat, results, frozenset(inliner.accumulators))


class _Place(Record):
    """Where the nodes of a function go. `prefix` begins their names. Nodes without inputs wait for `waits`. In a body
    of control flow, the inputs of the function are also part of the body."""

    prefix: str
    waits: tuple[str, ...]
    is_body: bool = True


class _Results(Record):
    """The results of a function, and its nodes with effects. A call is complete when these nodes have run."""

    ends: tuple[Endpoint, ...]
    controls: tuple[str, ...]


class _If(Record):
    """Where the nodes of branches are, what they wait for, a function with their inputs and outputs, and whether a
    number is passed to them first."""

    scope: str
    waits: tuple[str, ...]
    function: FunctionGraph
    takes_index: bool = False


_Branch = Callable[[Sequence[Endpoint], _Place], _Results]


class _Inliner:
    def __init__(self, graph: SavedGraph):
        self._graph = graph
        self.made: dict[str, GraphNode] = {}
        self.results: dict[Endpoint, Endpoint] = {}  # the results of calls, by the outputs of the calls
        self.accumulators: set[str] = set()
        self._waits: dict[str, tuple[str, ...]] = {}  # a call to the nodes that must run before it is complete
        self._functions = graph_functions(graph.library, OpDefs(graph.library))
        used = reached(self._names_in(graph.nodes), lambda name: self._names_in(self._functions[name].nodes))
        bodies = [graph.nodes, *(self._functions[name].nodes for name in used)]
        self._calls = Counter(name for nodes in bodies for name in self._names_in(nodes))
        self._taken = set(graph.nodes)
        self._acts = cache(self._function_acts)

    def run(self) -> None:
        for node in self._graph.nodes.values():
            self._node(node)

    def size(self) -> int:
        """The number of nodes in the graph after all calls are replaced."""

        @cache
        def of(name: str) -> int:
            return sum(1 + sum(map(of, self.functions_of(node))) for node in self._functions[name].nodes.values())

        return sum(1 + sum(map(of, self.functions_of(node))) for node in self._graph.nodes.values())

    # --- called functions -----------------------------------------------------------------------

    def _named(self, node: GraphNode) -> Iterator[str]:
        """The functions of the graph that a node calls, if its op is one that can be replaced."""
        called = [node.op, *(node.attrs[attr].func.name for attr in _FUNCTIONS.get(node.op, ()))]
        called += [one.name for one in node.attrs["branches"].list.func] if node.op in _CASES else []
        yield from (name for name in called if name in self._functions)

    def _names_in(self, nodes: Mapping[str, GraphNode]) -> list[str]:
        return [name for node in nodes.values() for name in self._named(node)]

    def functions_of(self, node: GraphNode) -> list[str]:
        """The functions that a node calls, or an empty list if the call stays."""
        names = list(self._named(node))
        is_other = node.op in _IFS and node.attrs["Tcond"] != _BOOL  # a number; 0 is false
        count = len(node.attrs["branches"].list.func) if node.op in _CASES else len(_FUNCTIONS.get(node.op, ()))
        return [] if is_other or len(names) < count else names

    def _function_acts(self, name: str) -> bool:
        """Whether a function changes or prints something."""
        return any(self._node_acts(node) for node in self._functions[name].nodes.values())

    def _node_acts(self, node: GraphNode) -> bool:
        names = self.functions_of(node)
        return any(map(self._acts, names)) if names else changes_something(node)

    # --- nodes ----------------------------------------------------------------------------------

    def _node(self, node: GraphNode) -> None:
        if self._is_result(node) and node.inputs[0] in self.results:
            end = self._end(node.inputs[0])
            self.results[Endpoint(node.name)] = end
            self._waits[node.name] = (end.node,)
            return
        inputs = tuple(map(self._end, node.inputs))
        controls = [one for name in node.controls for one in self._waits.get(name, (name,))]
        node = replace(node, inputs=inputs, controls=tuple(dict.fromkeys(controls)))
        functions = [self._functions[name] for name in self.functions_of(node)]
        if not functions:
            self.made[node.name] = node
        elif node.op in _IFS:
            then, otherwise = (partial(self._body, function) for function in functions)
            test, *given = node.inputs
            made = self._if(_If(node.name, node.controls, functions[0]), test, given, then, otherwise)
            self._call(node, functions[0], made)
        elif node.op in _CASES:
            self._call(node, functions[0], self._case(node, functions))
        elif node.op in _WHILES:
            self._call(node, functions[1], self._while(node, *functions))
        else:
            place = _Place(self._prefix(node.name, functions[0]), node.controls, is_body=False)
            self._call(node, functions[0], self._body(functions[0], node.inputs, place))

    def _is_result(self, node: GraphNode) -> bool:
        """Whether a node is an identity that TensorFlow made to pass on a result of an `If` or a `While`."""
        name = node.inputs[0].node if node.inputs else ""
        return node.op == "Identity" and not node.controls and node.name.startswith(f"{name}/")

    def _call(self, node: GraphNode, function: FunctionGraph, results: _Results) -> None:
        """Replace a call with its results. If the call has effects, the results wait for them."""
        self._waits[node.name] = results.controls
        for at, (end, dtype) in enumerate(zip(results.ends, function.dtypes.values(), strict=True)):
            if results.controls:
                end = self._add(f"{node.name}/result", "Identity", (end,), results.controls, T=_type(dtype))
            self.results[Endpoint(node.name, at)] = end
        if results.controls and not results.ends:
            self.made[node.name] = GraphNode(node.name, "NoOp", (), results.controls, {}, "", ())

    def _add(
        self, name: str, op: str, inputs: Sequence[Endpoint], controls: Sequence[str] = (), **attrs: AttrValue
    ) -> Endpoint:
        name = unused_node(name, self._taken)
        self.made[name] = GraphNode(name, op, tuple(inputs), tuple(controls), attrs, "", ())
        return Endpoint(name)

    def _prefix(self, call: str, function: FunctionGraph) -> str:
        """The prefix for the names of a function's nodes: only the scope of the call if it is the function's only call
        and no name is taken; otherwise a new scope."""
        scope = call.rpartition("/")[0]
        around = f"{scope}/" if scope else ""
        passing = self._passing(function)
        names = [name for name, one in function.nodes.items() if name not in passing and not self.functions_of(one)]
        if self._calls[function.name] == 1 and not any(f"{around}{name}" in self._taken for name in names):
            return around
        match = _OWN_NAME.fullmatch(function.name)
        return self._free(f"{around}{(match[1] if match else '') or call.rpartition('/')[2]}")

    def _free(self, wanted: str) -> str:
        """A scope without nodes, named like the one wanted."""
        name, number = wanted, 0
        while any(one == name or one.startswith(f"{name}/") for one in self._taken):
            number += 1
            name = f"{wanted}_{number}"
        return f"{name}/"

    def _body(
        self, function: FunctionGraph, inputs: Sequence[Endpoint], place: _Place, left_out: Collection[str] = ()
    ) -> _Results:
        """Add the nodes of a function, without some of them."""
        ends = dict(zip(function.inputs, inputs, strict=True))
        names = {name: unused_node(f"{place.prefix}{name}", self._taken) for name in function.nodes}

        def moved(end: Endpoint) -> Endpoint:
            return ends[end.node] if end.node in ends and end.node not in names else replace(end, node=names[end.node])

        passing, mattering = self._passing(function), self._mattering(function)
        for node in function.nodes.values():
            if node.name in left_out:
                continue
            if node.name in passing:
                if node.inputs:
                    self.results[Endpoint(names[node.name])] = self._end(moved(node.inputs[0]))
                continue
            controls = [names[one] if one in names else ends[one].node for one in node.controls if one in mattering]
            is_inside = any(end.node in names and end.node not in passing for end in node.inputs)
            if not controls and not is_inside and not (place.is_body and node.inputs):
                controls += place.waits
            attrs = {name: value for name, value in node.attrs.items() if name != "_class"}
            own = GraphNode(names[node.name], node.op, tuple(map(moved, node.inputs)), tuple(dict.fromkeys(controls)),
                            attrs, node.device, ())  # fmt: skip
            self._node(own)
        acting = [names[one] for one in function.controls if self._node_acts(function.nodes[one])]
        waited = dict.fromkeys(one for name in acting for one in self._waits.get(name, (name,)))
        return _Results(tuple(self._end(moved(end)) for end in function.outputs.values()), tuple(waited))

    def _end(self, end: Endpoint) -> Endpoint:
        return self.results.get(end, end)

    def _passing(self, function: FunctionGraph) -> set[str]:
        """The nodes of a function that do nothing: identities, and ops that only wait for nodes without effects.
        Control flow of TensorFlow 1 needs some of them, so there they stay."""
        if any(node.op in _FLOW for node in function.nodes.values()):
            return set()
        waited = {one for node in function.nodes.values() for one in node.controls}
        mattering = self._mattering(function)
        return {
            name
            for name, node in function.nodes.items()
            if (node.op == "NoOp" and name not in mattering)
            or (node.op == "Identity" and name not in waited and not mattering & set(node.controls))
        }

    def _mattering(self, function: FunctionGraph) -> set[str]:
        """The nodes of a function whose waiting matters: nodes with an effect, nodes that depend on them, and control
        flow."""
        found: set[str] = set()
        for name, node in function.nodes.items():
            above = {*(end.node for end in node.inputs), *node.controls}
            if node.op in _FLOW or self._node_acts(node) or above & found:
                found.add(name)
        return found | function.inputs.keys()

    # --- control flow ---------------------------------------------------------------------------

    def _case(self, node: GraphNode, functions: Sequence[FunctionGraph]) -> _Results:
        """A choice between functions by a number, as branches in branches. Without a function for the number, the last
        function is called."""
        index, *given = node.inputs

        def choose(at: int, index: Endpoint, given: Sequence[Endpoint], place: _Place) -> _Results:
            if at == len(functions) - 1:
                return self._body(functions[at], given, place)
            value = AttrValue()
            value.tensor.CopyFrom(v1.make_tensor_proto(at, "int32"))
            number = self._add(f"{place.prefix}{at}", "Const", (), dtype=_type("int32"), value=value)
            test = self._add(f"{place.prefix}Equal", "Equal", (index, number), T=_type("int32"))
            scope, waits = (node.name, node.controls) if at == 0 else (f"{place.prefix}cond", ())

            def then(inputs: Sequence[Endpoint], place: _Place) -> _Results:
                return self._body(functions[at], inputs[1:], place)

            def otherwise(inputs: Sequence[Endpoint], place: _Place) -> _Results:
                return choose(at + 1, inputs[0], inputs[1:], place)

            how = _If(scope, waits, functions[at], takes_index=True)
            return self._if(how, test, [index, *given], then, otherwise)

        return choose(0, index, given, _Place(f"{node.name}/", node.controls, is_body=False))

    def _if(self, how: _If, test: Endpoint, given: Sequence[Endpoint], then: _Branch, otherwise: _Branch) -> _Results:
        scope = how.scope
        dtypes = [*(["int32"] if how.takes_index else []), *(dtype for dtype, _ in how.function.inputs.values())]
        pivot = self._add(f"{scope}/Switch", "Switch", (test, test), how.waits, T=_BOOL)
        switches = [
            self._add(f"{scope}/Switch", "Switch", (end, test), how.waits, T=_type(dtype))
            for end, dtype in zip(given, dtypes, strict=True)
        ]
        branches: list[_Results] = []
        over: list[Endpoint] = []
        for at, branch in enumerate((otherwise, then)):
            begun = self._add(f"{scope}/switch_{'ft'[at]}", "Identity", (replace(pivot, output=at),), T=_BOOL)
            inputs = [replace(one, output=at) for one in switches]
            place = _Place(self._free(f"{scope}/{'then' if at else 'else'}"), (begun.node,))
            branches.append(branch(inputs, place))
            over.append(self._add(f"{scope}/control_dependency", "Identity", (begun,), branches[at].controls, T=_BOOL))
        ends = [
            self._add(f"{scope}/Merge", "Merge", pair, T=_type(dtype), N=_TWO)
            for *pair, dtype in zip(branches[0].ends, branches[1].ends, how.function.dtypes.values(), strict=True)
        ]
        if not branches[0].controls and not branches[1].controls:
            return _Results(tuple(ends), ())
        return _Results(tuple(ends), (self._add(f"{scope}/Merge", "Merge", over, T=_BOOL, N=_TWO).node,))

    def _while(self, node: GraphNode, test: FunctionGraph, body: FunctionGraph) -> _Results:
        scope, dtypes = node.name, [_type(one) for one in body.dtypes.values()]
        frame = {
            "frame_name": AttrValue(s=scope.encode()), "is_constant": AttrValue(b=False),
            "parallel_iterations": node.attrs["parallel_iterations"],
        }  # fmt: skip
        lists = self._lists(node, test, body)
        self.accumulators |= {node.inputs[at].node for at in lists}
        merges: list[Endpoint] = []
        for at, (end, dtype) in enumerate(zip(node.inputs, dtypes, strict=True)):
            if at in lists:
                merges.append(end)
                continue
            enter = self._add(f"{scope}/Enter", "Enter", (end,), node.controls, T=dtype, **frame)
            following = Endpoint(unused_node(f"{scope}/NextIteration", self._taken))
            merges.append(self._add(f"{scope}/Merge", "Merge", (enter, following), T=dtype, N=_TWO))
        tested = self._body(test, merges, _Place(self._free(f"{scope}/cond"), (merges[0].node,)))
        condition = self._add(f"{scope}/LoopCond", "LoopCond", tested.ends, tested.controls)
        switches = [
            merge if at in lists else self._add(f"{scope}/Switch", "Switch", (merge, condition), T=dtype)
            for at, (merge, dtype) in enumerate(zip(merges, dtypes, strict=True))
        ]
        inside = [
            one if at in lists else self._add(f"{scope}/Identity", "Identity", (replace(one, output=1),), T=dtype)
            for at, (one, dtype) in enumerate(zip(switches, dtypes, strict=True))
        ]
        collecting = set[str]().union(*lists.values())
        results = self._body(body, inside, _Place(self._free(f"{scope}/body"), (inside[0].node,)), collecting)
        for at, (merge, end, dtype) in enumerate(zip(merges, results.ends, dtypes, strict=True)):
            if at in lists:
                continue
            name = self.made[merge.node].inputs[1].node
            self.made[name] = GraphNode(name, "NextIteration", (end,), results.controls, {"T": dtype}, "", ())
        ends = [
            one if at in lists else self._add(f"{scope}/Exit", "Exit", (one,), T=dtype)
            for at, (one, dtype) in enumerate(zip(switches, dtypes, strict=True))
        ]
        return _Results(tuple(ends), ())

    def _lists(self, node: GraphNode, test: FunctionGraph, body: FunctionGraph) -> dict[int, set[str]]:
        """The loop variables that only collect values for gradients, and the nodes of the body that collect them."""
        users = [self._graph.nodes[name] for name in self._graph.users.get(node.name, ())]
        tested = {end.node for one in test.nodes.values() for end in one.inputs}
        found: dict[int, set[str]] = {}
        for at, (own, name) in enumerate(zip(test.inputs, body.inputs, strict=True)):
            taken = [one.name for one in users if Endpoint(node.name, at) in one.inputs and not self._is_idle(one)]
            if own in tested or not all(map(GRADIENTS_SCOPE.match, (node.inputs[at].node, *taken))):
                continue
            below = {name}
            for one in body.nodes.values():
                if any(end.node in below for end in one.inputs):
                    below.add(one.name)
            if below.isdisjoint(end.node for place, end in enumerate(body.outputs.values()) if place != at):
                found[at] = below
        return found

    def _is_idle(self, node: GraphNode) -> bool:
        return self._is_result(node) and not self._graph.users[node.name]
