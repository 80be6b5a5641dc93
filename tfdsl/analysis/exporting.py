"""What `tfdsl export` exports: found from the `export` and `signature` statements of a program, or from names.

Input: a checked program, and what the user asks for. Output: an `Export` of one of its graphs.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from ..diagnostics import (
    EXPORT_ALL,
    EXPORT_NONE,
    EXPORT_ONE,
    EXPORT_SIGNATURE,
    EXPORT_STEP,
    EXPORT_UNTRAINED,
    EXPORT_VALUE,
    EXPORT_WRITES,
    Diagnostic,
    Message,
    TfgError,
)
from ..diagnostics.spelling import did_you_mean, listed
from ..ops.named import (
    ASSIGN,
    ASSIGN_ADD,
    ASSIGN_SUB,
    CAST,
    GRADIENTS,
    IDENTITY,
    LOGICAL_NOT,
    MULTIPLY,
    NEGATIVE,
    STOP_GRADIENT,
    SUBTRACT,
    WHERE,
    WHERE_V2,
)
from ..program import (
    COND,
    Arg,
    Enter,
    Export,
    Graph,
    Item,
    Literal,
    Named,
    Node,
    Origin,
    Program,
    Ref,
    Signature,
    Value,
    minimized,
    walk,
    written,
)
from ..record import replace
from .prediction import named_values

SERVING = "serving_default"
TRAIN = "train"


class Wanted(NamedTuple):
    """An `Export` of a graph."""

    graph: str
    export: Export


def declared(program: Program, signature: str | None = None) -> Wanted:
    """What a program exports: what one of its `export` does, or all signatures of its only graph that has some. Of
    several it is the only one that has a signature, if the caller names one, and then the only one that is made of
    columns, which `tfdsl predict` takes too."""
    found = _exports(program)
    if found:
        chosen = _chosen(found, signature)
        if not chosen:
            names = [one.name for wanted in found for one in _callable(wanted)]
            raise _signature_missing(signature, dict.fromkeys(names))
        if len(chosen) > 1:
            ways = dict.fromkeys(way for one in found for way in _ways(program, found, one))
            raise _error(EXPORT_ALL, names="; ".join(map(partial(_shown, program), chosen)), ways="; ".join(ways))
        return chosen[0]
    for graph in program.graphs:
        if graph.signatures:
            return Wanted(graph.name, _export(graph, graph.signatures))
    known = [name for name, (_, named) in _tensors(program).items() if not named.is_inner]
    raise _error(EXPORT_NONE, some=listed(known) or "none")


def _exports(program: Program) -> list[Wanted]:
    """The `export` statements of a program that write different models."""
    found: dict[tuple[str, str, str], Wanted] = {}
    for session in program.sessions:
        for one in walk(session.body):
            if isinstance(one, Export):
                key = session.graph, str(one.signatures), str(one.made)
                found.setdefault(key, Wanted(session.graph, one))
    return list(found.values())


def _chosen(found: list[Wanted], signature: str | None) -> list[Wanted]:
    """The exports that have a signature, or all; of these only those that are made of columns, if there are some."""
    having = [one for one in found if signature is None or signature in [each.name for each in _callable(one)]]
    return [one for one in having if one.export.made] or having


def _callable(wanted: Wanted) -> list[Signature]:
    """The signatures without steps, which `with_only` can choose."""
    return [one for one in wanted.export.signatures if not one.steps]


def _ways(program: Program, found: list[Wanted], wanted: Wanted) -> Iterator[str]:
    """The options that choose each signature of one of several exports."""
    graph = program.graph(wanted.graph)
    names = _names(program, wanted.graph)
    for one in _callable(wanted):
        if _chosen(found, one.name) == [wanted]:
            yield f"--signature {one.name}"
        elif all(ref in names for _, ref in (*one.outputs, *one.inputs)):
            values = ",".join(names[ref] for _, ref in one.outputs)
            own = [ref for _, ref in _placeholders(graph, (ref for _, ref in one.outputs), frozenset())]
            fed = [f"{names[ref]}={field}" for ref, field in wanted.export.made]
            fed += [names[ref] for _, ref in one.inputs if ref not in own]
            yield " ".join([f"--values {values}", *(f"--with {each}" for each in fed)])


def _shown(program: Program, wanted: Wanted) -> str:
    """An export in a message: its outputs and inputs, or its signatures."""
    export = wanted.export
    if len(export.signatures) > 1:
        return f"the signatures {listed(one.name for one in export.signatures)}"
    names = _names(program, wanted.graph)
    fed = [name for name, _ in export.inputs] + [f"{names[ref]} = {field}" for ref, field in export.made]
    return " with ".join(filter(None, (", ".join(name for name, _ in export.outputs), ", ".join(fed))))


def _names(program: Program, graph: str) -> dict[Ref, str]:
    """The tensors of a graph with the first names that the program gives them."""
    found: dict[Ref, str] = {}
    for name, (own, named) in _tensors(program).items():
        if own == graph and isinstance(named.value, Ref):
            found.setdefault(named.value, name)
    return found


def of_values(program: Program, names: Iterable[str], given: Iterable[str] = ()) -> Wanted:
    """An export of values of the graph half. Its inputs are the placeholders that they need, besides the tensors with
    the names `given`."""
    known = _tensors(program)
    outputs: dict[str, Ref] = {}
    graphs: dict[str, str] = {}
    for name in names:
        if name not in known:
            raise _error(EXPORT_VALUE, did_you_mean(name, known), name=name, some=listed(known) or "none")
        graph, named = known[name]
        assert isinstance(named.value, Ref)
        short = name.rpartition(".")[2]
        outputs[short if short not in outputs else name] = named.value
        graphs.setdefault(graph, name)
    if len(graphs) > 1:
        raise _error(EXPORT_ONE, first=listed(graphs.values()))
    graph = program.graph(next(iter(graphs)))
    named = [graph.names[name].value for name in given if name in graph.names]
    inputs = _placeholders(graph, outputs.values(), frozenset(one for one in named if isinstance(one, Ref)))
    return Wanted(graph.name, _export(graph, (Signature(SERVING, tuple(outputs.items()), inputs),)))


def with_steps(program: Program, wanted: Wanted) -> Wanted:
    """The export with a signature for each step of its graph that has none, which returns the loss of the step."""
    graph, export = program.graph(wanted.graph), wanted.export
    steps = graph.steps()
    if not steps:
        raise _error(EXPORT_UNTRAINED)
    names = {
        named.value: name.rpartition(".")[2] for name, named in graph.names.items() if isinstance(named.value, Ref)
    }
    taken = {step for one in export.signatures for step in one.steps}
    made: list[Signature] = []
    made_of_data = frozenset(ref for ref, _ in export.made)
    for number, step in enumerate(steps, 1):
        ref = Ref(step.id)
        if ref in taken:
            continue
        losses = minimized(graph.nodes, step)
        if not losses:
            raise TfgError([Diagnostic(EXPORT_STEP, step.origin.span, {"step": names.get(ref, "step")})])
        outputs = {"loss" if len(losses) == 1 else f"loss_{at}": loss for at, loss in enumerate(losses, 1)}
        name = TRAIN if len(steps) == 1 else f"{TRAIN}_{names.get(ref, number)}"
        inputs = _placeholders(graph, (*losses, ref), made_of_data)
        made.append(Signature(name, tuple(outputs.items()), inputs, (ref,)))
    return replace_signatures(wanted, (*export.signatures, *made))


def with_only(wanted: Wanted, name: str | None) -> Wanted:
    """The export with only one of its signatures: the one with a name, or its only one or `serving_default`."""
    signatures = {one.name: one for one in wanted.export.signatures if not one.steps}
    if name is None:
        name = SERVING if SERVING in signatures else next(iter(signatures), None) if len(signatures) == 1 else None
    if name is None or name not in signatures:
        raise _signature_missing(name, signatures)
    return replace_signatures(wanted, (signatures[name],))


def _signature_missing(name: str | None, known: Collection[str]) -> TfgError:
    near = did_you_mean(name, known) if name else ""
    help = near or f"choose one with --signature, from: {listed(known) or 'none'}"
    return _error(EXPORT_SIGNATURE, help, which=f"'{name}'" if name else "a single signature")


class _Inference:
    """What is known of values while `training` is false, as are other placeholders with this value, unless they are
    inputs of the export."""

    _DEEPEST = 50  # how many ops it looks through

    def __init__(self, graph: Graph, export: Export):
        self._graph = graph
        self._inputs = export.given

    def idle(self) -> set[int]:
        """The writes that change no variable: those in a branch that is not taken, those that add or subtract 0, and
        those that assign the variable itself."""
        return set(self._idle(self._graph.items, True))

    def _idle(self, items: Iterable[Item], is_taken: bool) -> Iterator[int]:
        for node in items:
            if not isinstance(node, Node):
                continue
            if node.row is not None and node.row.writes and (not is_taken or self._changes_nothing(node)):
                yield node.id
            test = self._truth(node.args["pred"]) if node.op == COND else None
            for region, way in zip(node.regions, (True, False), strict=False):
                yield from self._idle(region.items, is_taken and test in (None, way))

    def _changes_nothing(self, write: Node) -> bool:
        if write.row in (ASSIGN_ADD, ASSIGN_SUB):
            return self._is_zero(write.args["value"])
        return write.row is ASSIGN and self._found(write.args["value"]) == write.args["ref"]

    def _is_zero(self, arg: Arg, depth: int = 0) -> bool:
        """Whether a value is 0 for finite numbers."""
        found = self._found(arg)
        if not isinstance(found, Ref):
            return isinstance(found, Literal) and found.value in (0, False)
        node = self._graph.nodes[found.node]
        if depth > self._DEEPEST:
            return False
        if node.row is MULTIPLY:
            return any(self._is_zero(node.args[name], depth + 1) for name in ("x", "y"))
        if node.row is SUBTRACT:
            return self._found(node.args["x"]) == self._found(node.args["y"])
        return node.row in (CAST, NEGATIVE) and self._is_zero(node.args["x"], depth + 1)

    def _found(self, arg: Arg) -> Arg:
        """The value that a choice takes, where it is known."""
        for _ in range(self._DEEPEST):
            if not isinstance(arg, Ref):
                return arg
            node = self._graph.nodes[arg.node]
            if node.row in (WHERE, WHERE_V2) and "x" in node.args:
                test = self._truth(node.args["condition"])
                if test is None:
                    return arg
                arg = node.args["x" if test else "y"]
            elif node.row is IDENTITY or node.row is STOP_GRADIENT:
                arg = node.args["input"]
            else:
                return arg
        return arg

    def _truth(self, arg: Arg) -> bool | None:
        if isinstance(arg, Ref):
            node = self._graph.nodes[arg.node]
            if node.row is LOGICAL_NOT:
                inner = self._truth(node.args["x"])
                return None if inner is None else not inner
            arg = node.args.get("default", arg) if node.is_placeholder and arg not in self._inputs else arg
        return arg.value if isinstance(arg, Literal) and isinstance(arg.value, bool) else None


def check_constant(program: Program, wanted: Wanted) -> None:
    """Refuse to make constants of variables that the exported values change."""
    graph, export = program.graph(wanted.graph), wanted.export
    idle = _Inference(graph, export).idle()
    for name, ref in export.outputs:
        for id in sorted(graph.reach([ref], export.given)):
            for node in _with_inner(graph.nodes[id]):
                for variable in _changed(graph, node) if node.id not in idle else ():
                    details = {"name": name, "variable": graph.nodes[variable].shown}
                    found = Diagnostic(EXPORT_WRITES, node.origin.span, details, chain=node.origin.chain)
                    raise TfgError([found.outside_libraries()])


def _changed(graph: Graph, node: Node) -> Iterable[int]:
    """The variables that a node changes, also those that a step trains."""
    if not node.is_step:
        return written(graph.nodes, node)
    named = node.refs("wrt") if "wrt" in node.args else ()
    return [ref.node for ref in named] or [
        id for id in sorted(graph.reach([Ref(node.id)])) if graph.nodes[id].is_trainable
    ]


def _with_inner(node: Node) -> Iterator[Node]:
    """A node and those of its regions."""
    yield node
    for region in node.regions:
        for item in region.items:
            if isinstance(item, Node):
                yield from _with_inner(item)


def without_training(program: Program, wanted: Wanted) -> Program:
    """The program without sessions, and without the steps and gradients of the graph that the export does not need. A
    loop of which gradients are taken would keep the values of all its iterations for them. Writes that change nothing
    unless `training` is true, such as those of `nn.batch_norm`, become reads."""
    graph = program.graph(wanted.graph)
    made = [ref for node in graph.variables() for ref in node.inputs()]  # the initial values
    needed = graph.reach([*made, *(ref for one in wanted.export.signatures for ref in one.executes)])
    left = set[int]()
    for id, node in graph.nodes.items():
        before = (ref.node for ref in (*node.inputs(), *graph.controls(node)))
        if id not in needed and (node.is_step or node.row is GRADIENTS or not left.isdisjoint(before)):
            left.add(id)
    idle = _Inference(graph, wanted.export).idle()
    items = [
        _reading(one, idle) if isinstance(one, Node) else one
        for one in graph.items
        if not (isinstance(one, Node) and one.id in left)
    ]
    kept = tuple(
        replace(one, refs=tuple(ref for ref in one.refs if ref.node not in left)) if isinstance(one, Enter) else one
        for one in items
    )
    graphs = (replace(graph, items=kept, names={}, loss=None, signatures=()),)
    return replace(program, graphs=graphs, sessions=())


def _reading(node: Node, idle: Container[int]) -> Node:
    """A node which reads the variable that it would leave as it is, and does so in its regions."""
    if node.id in idle:
        return replace(node, op=IDENTITY.name, args={"input": node.args["ref"]})
    regions = tuple(
        replace(region, items=tuple(_reading(one, idle) if isinstance(one, Node) else one for one in region.items))
        for region in node.regions
    )
    return replace(node, regions=regions) if regions else node


def replace_signatures(wanted: Wanted, signatures: tuple[Signature, ...]) -> Wanted:
    return wanted._replace(export=replace(wanted.export, signatures=signatures))


def _export(graph: Graph, signatures: tuple[Signature, ...]) -> Export:
    """An `Export` that is not a statement of the program. Its errors are those of the command line."""
    place = next(iter(graph.nodes.values())).origin
    return Export(Origin(place.span), Value(""), signatures)


def _tensors(program: Program) -> Mapping[str, tuple[str, Named]]:
    """The tensors of a program by their names, each with the name of its graph."""
    return {
        name: (graph, named)
        for name, (graph, named) in named_values(program).items()
        if isinstance(named.value, Ref) and program.graph(graph).type(named.value) is not None
    }


def _placeholders(graph: Graph, refs: Iterable[Ref], made: frozenset[Ref]) -> tuple[tuple[str, Ref], ...]:
    """The placeholders without a value that some nodes need, by the names that callers use."""
    reached = graph.reach(refs, made)
    found = [graph.nodes[id] for id in sorted(reached) if graph.nodes[id].is_placeholder]
    found = [node for node in found if "default" not in node.args and Ref(node.id) != graph.training]
    short = [_short(node) for node in found]
    names = [one if short.count(one) == 1 else node.given_name for one, node in zip(short, found, strict=True)]
    return tuple((name, Ref(node.id)) for name, node in zip(names, found, strict=True))


def _short(node: Node) -> str:
    return node.given_name.rpartition("/")[2].rpartition(".")[2]


def _error(message: Message, help: str = "", **details: object) -> TfgError:
    return TfgError([Diagnostic(message, None, details, help=help)])
