"""Reads a graph from a file: path in, `SavedGraph` out. No part of the graph is executed."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from glob import escape, glob
from typing import Any, TypeAlias

from ..diagnostics import (
    CHECKPOINT_GIVEN,
    FUNCTION_BROKEN,
    GRAPH_REFUSED,
    NODE_BROKEN,
    NODE_CYCLE,
    NODE_INPUT,
    NODE_TWICE,
    OPS_UNKNOWN,
    OUTPUT_UNKNOWN,
    TAGS_OTHER,
    TAGS_UNKNOWN,
    TfgError,
)
from ..diagnostics.spelling import alternatives, counted, did_you_mean, listed
from ..lowering.definitions import functions_of
from ..lowering.failures import plain_reason
from ..lowering.tf import (
    AttrValue,
    DecodeError,
    GraphDef,
    MetaGraphDef,
    NodeDef,
    OpDef,
    SavedModel,
    VariableDef,
    tf,
    v1,
)
from ..types import ALL_DTYPES, TensorType
from .formats import GraphFile, read_file, refuse
from .graph import NAMED, Cycle, Endpoint, GraphNode, SavedGraph, SavedSignature, in_order, reached
from .needed import needed_by
from .nodes import MAX_FILE, BadNode, NodeDtypes, OpDefs, base, dtype_name

_Links: TypeAlias = tuple[tuple[Endpoint, ...], tuple[str, ...]]  # inputs and control inputs
_AT_LOAD = ("saved_model_main_op", "legacy_init_op")  # collections
_MOST_SAME = 3  # the most suggestions for an output
_NAME = re.compile(r"[A-Za-z0-9._][\w./\\>-]*", re.ASCII)


def read_graph(
    path: str,
    outputs: Sequence[str] = (),
    tags: Sequence[str] = (),
    checkpoint: str = "",
    max_file: int = MAX_FILE,
    with_initializers: bool = False,
) -> SavedGraph:
    """The graph in a file, or in the folder of a SavedModel.

    `outputs` limits the graph to what these tensors or nodes need. `with_initializers` also keeps the initializers of
    the variables among them. `tags` choose a graph of a SavedModel with several. `checkpoint` is a prefix, an index or
    a folder; by default, the checkpoint that fits the name of the file is used.
    """
    path, file = read_file(path, max_file)
    return _Reader(path, file, tags).read(outputs, _checkpoint(path, file, checkpoint), with_initializers)


def graph_of(graph: GraphFile, path: str = "graph") -> SavedGraph:
    """A graph in memory, as if it were read from a file."""
    return _Reader(path, graph, ()).read((), "")


def graph_def_of(graph: SavedGraph) -> GraphDef:
    """The GraphDef of a graph, the inverse of `graph_of`."""
    made = GraphDef(library=graph.library)
    made.versions.producer = graph.producer
    for node in graph.nodes.values():
        inputs = [*map(str, node.inputs), *(f"^{name}" for name in node.controls)]
        _set_attributes(made.node.add(name=node.name, op=node.op, input=inputs, device=node.device), node.attrs)
    return made


def _set_attributes(node: NodeDef, attrs: Mapping[str, AttrValue]) -> None:
    for name, value in attrs.items():
        node.attr[name].CopyFrom(value)


class _Reader:
    def __init__(self, path: str, file: GraphFile, tags: Sequence[str]):
        self._path = path
        self._kind = type(file).__name__.removesuffix("Def") + ("Def" if isinstance(file, GraphDef) else "")
        if tags and not isinstance(file, SavedModel):
            raise refuse(TAGS_OTHER, path=path, kind=self._kind)
        self._meta = _chosen(path, file, tags) if isinstance(file, SavedModel) else file
        self._graph = self._meta.graph_def if isinstance(self._meta, MetaGraphDef) else self._meta
        self._defs = OpDefs(self._graph.library)
        self._notes: list[str] = []

    def read(self, outputs: Sequence[str], checkpoint: str, with_initializers: bool = False) -> SavedGraph:
        defs = self._named()
        links = {name: self._links(node, defs) for name, node in defs.items()}
        if outputs:
            wanted = [self._output(name, defs) for name in outputs]
            kept = needed_by(wanted, defs, links, with_initializers)
            defs = {name: node for name, node in defs.items() if name in kept}
        unknown = self._defs.unknown(list(defs.values()), self._graph.library)
        if unknown:
            raise refuse(OPS_UNKNOWN, path=self._path, names=listed(unknown, NAMED))
        self._check_functions(defs.values())
        attrs, signatures = self._typed(defs)
        self._check_outputs(outputs, signatures)
        self._check_dtypes(defs, links, signatures)
        ordered = self._ordered(defs, links)
        types = self._types(ordered, defs, attrs)
        nodes = {
            name: GraphNode(name, defs[name].op, *links[name], attrs[name], defs[name].device, types[name])
            for name in ordered
        }
        collections, served = self._collections(nodes), self._signatures(nodes)
        # A graph of a newer TensorFlow gets the version of this one.
        producer = min(self._graph.versions.producer, v1.GRAPH_DEF_VERSION)
        return SavedGraph(self._path, self._kind, nodes, producer, self._graph.library, collections, served, checkpoint,
                          tuple(self._notes))  # fmt: skip

    # --- the nodes and their links --------------------------------------------------------------

    def _named(self) -> dict[str, NodeDef]:
        found: dict[str, NodeDef] = {}
        for node in self._graph.node:
            if node.name in found:
                raise refuse(NODE_TWICE, path=self._path, name=node.name)
            if not _NAME.fullmatch(node.name):
                raise self._broken(node, f"TensorFlow does not allow the name {node.name[:100]!r}")
            found[node.name] = node
        return found

    def _broken(self, node: NodeDef, reason: str) -> TfgError:
        return refuse(NODE_BROKEN, name=node.name, op=node.op, reason=reason)

    def _links(self, node: NodeDef, defs: Mapping[str, NodeDef]) -> _Links:
        """The inputs and the control inputs of a node."""
        inputs: list[Endpoint] = []
        controls: list[str] = []
        for one in node.input:
            name, _, output = one.removeprefix("^").partition(":")
            if name not in defs or (output and not output.isdecimal()):
                raise refuse(NODE_INPUT, name=node.name, input=one, reason="which is not in the graph")
            if one.startswith("^"):
                controls.append(name)
            elif controls:
                raise refuse(NODE_INPUT, name=node.name, input=one, reason="after a control input")
            else:
                inputs.append(Endpoint(name, int(output or 0)))
        return tuple(inputs), tuple(dict.fromkeys(controls))

    def _output(self, name: str, defs: Mapping[str, NodeDef]) -> str:
        node, _, output = name.removeprefix("^").partition(":")
        if node not in defs or (output and not output.isdecimal()):
            same = [one for one in defs if one.endswith(f"/{node}")][:_MOST_SAME]
            help = f"did you mean {alternatives(map(repr, same))}?" if same else did_you_mean(node, defs)
            raise refuse(OUTPUT_UNKNOWN, help, path=self._path, name=name)
        return node

    def _check_outputs(self, names: Sequence[str], signatures: Mapping[str, NodeDtypes]) -> None:
        """Refuse numbers of outputs that nodes do not have."""
        for name in names:
            node, _, output = name.removeprefix("^").partition(":")
            count = len(signatures[node].outputs)
            if output and int(output) >= count:
                help = f"'{node}' has {counted(count, 'output')}" if count else f"name the operation: {node}"
                raise refuse(OUTPUT_UNKNOWN, help, path=self._path, name=name)

    def _ordered(self, defs: Mapping[str, NodeDef], links: Mapping[str, _Links]) -> list[str]:
        """The names of the nodes, each after the nodes that it needs, otherwise in the order of the file. Back edges of
        loops do not count."""
        needs: dict[str, list[str]] = {}
        for name in defs:
            inputs, controls = links[name]
            forward = (one.node for one in inputs if not (_is_merge(defs[name]) and _is_next(defs[one.node])))
            needs[name] = [*controls, *forward]
        try:
            return in_order(needs)
        except Cycle as error:
            raise refuse(NODE_CYCLE, names=listed(error.names, NAMED)) from None

    def _check_functions(self, nodes: Iterable[NodeDef]) -> None:
        """Refuse functions that call themselves, directly or through others: TensorFlow would never finish."""
        functions = {one.signature.name: one for one in self._graph.library.function}

        def called(nodes: Iterable[NodeDef]) -> set[str]:
            return {name for node in nodes for name in (node.op, *functions_of(node))} & functions.keys()

        used = reached(called(nodes), lambda name: called(functions[name].node_def))
        try:
            in_order({name: called(functions[name].node_def) for name in functions if name in used})
        except Cycle as error:
            raise refuse(FUNCTION_BROKEN, name=error.names[0], reason="it calls itself") from None

    # --- types ----------------------------------------------------------------------------------

    def _typed(self, defs: Mapping[str, NodeDef]) -> tuple[dict[str, dict[str, AttrValue]], dict[str, NodeDtypes]]:
        """The attributes and the dtypes of all nodes."""
        stripped = self._meta.meta_info_def.stripped_op_list.op if isinstance(self._meta, MetaGraphDef) else ()
        producer: dict[str, OpDef] = {one.name: one for one in stripped}
        attrs: dict[str, dict[str, AttrValue]] = {}
        signatures: dict[str, NodeDtypes] = {}
        for name, node in defs.items():
            try:
                attrs[name] = self._without_unnamed(self._defs.filled(node, producer), node)
                signatures[name] = self._defs.signature(node, attrs[name])
                for dtype in (*signatures[name].inputs, *signatures[name].outputs):
                    dtype_name(dtype)
            except BadNode as error:
                raise self._broken(node, str(error)) from None
        return attrs, signatures

    def _without_unnamed(self, attrs: dict[str, AttrValue], node: NodeDef) -> dict[str, AttrValue]:
        """The attributes whose names can be written in source."""
        unnamed = [name for name in attrs if not name.isidentifier()]
        if unnamed:
            self._notes.append(f"the attribute {unnamed[0]!r} of '{node.name}' is left out: source cannot name it")
        return {name: value for name, value in attrs.items() if name not in unnamed}

    def _check_dtypes(
        self,
        defs: Mapping[str, NodeDef],
        links: Mapping[str, _Links],
        signatures: Mapping[str, NodeDtypes],
    ) -> None:
        for name, node in defs.items():
            inputs, wanted = links[name][0], signatures[name].inputs
            if len(inputs) != len(wanted):
                raise self._broken(node, f"it has {len(inputs)} inputs, not {len(wanted)}")
            for one, dtype in zip(inputs, wanted):
                given = signatures[one.node].outputs
                if one.output >= len(given):
                    raise refuse(NODE_INPUT, name=name, input=str(one), reason="which is not in the graph")
                if base(given[one.output]) != base(dtype):
                    has = dtype_name(given[one.output])
                    raise self._broken(node, f"its input '{one}' is {has}, not {dtype_name(dtype)}")

    def _types(
        self,
        ordered: Sequence[str],
        defs: Mapping[str, NodeDef],
        attrs: Mapping[str, Mapping[str, AttrValue]],
    ) -> Mapping[str, tuple[TensorType, ...]]:
        """The types of the outputs of all nodes. TensorFlow infers the shapes while it imports the graph."""
        graph_def = GraphDef(versions=self._graph.versions, library=self._graph.library)
        for name in ordered:
            made = graph_def.node.add(name=name, op=defs[name].op, input=defs[name].input, device=defs[name].device)
            _set_attributes(made, attrs[name])
        graph = tf.Graph()
        try:
            with graph.as_default():
                v1.import_graph_def(graph_def, name="")
        except (ValueError, TypeError, KeyError, UnicodeDecodeError, v1.errors.OpError) as error:
            raise refuse(GRAPH_REFUSED, path=self._path, reason=plain_reason(error)) from None
        return {
            name: tuple(
                TensorType(ALL_DTYPES[one.dtype.base_dtype.name], shape_of(one.shape))
                for one in graph.get_operation_by_name(name).outputs
            )
            for name in ordered
        }

    # --- collections and signatures -------------------------------------------------------------

    def _collections(self, nodes: Mapping[str, GraphNode]) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        if isinstance(self._meta, MetaGraphDef):
            for key, one in sorted(self._meta.collection_def.items()):
                if key == v1.GraphKeys.QUEUE_RUNNERS:
                    runners = counted(len(one.bytes_list.value), "queue runner")
                    self._notes.append(f"left out: {runners}; a session of a program does not fill queues")
                named = [*one.node_list.value, *_variables(one.bytes_list.value)]
                names = (name.removeprefix("^").partition(":")[0] for name in named)
                kept = tuple(name for name in dict.fromkeys(names) if name in nodes)
                if kept:
                    found[key] = kept
                self._note(key, kept)
        return found

    def _note(self, key: str, names: Sequence[str]) -> None:
        """Add a note about a collection that a program does not have."""
        if names and key == v1.GraphKeys.ASSET_FILEPATHS:
            paths = listed(names, NAMED)
            self._notes.append(f"the model finds its assets, in the folder 'assets' of the SavedModel, by {paths}")
        if names and key in _AT_LOAD:
            ops = listed(names, NAMED)
            self._notes.append(f"TensorFlow runs {ops} when it loads the model; a session of a program can run it too")

    def _signatures(self, nodes: Mapping[str, GraphNode]) -> dict[str, SavedSignature]:
        """The signatures whose outputs are all in the graph."""
        found: dict[str, SavedSignature] = {}
        if not isinstance(self._meta, MetaGraphDef):
            return found
        for name, one in sorted(self._meta.signature_def.items()):
            ends: list[dict[str, Endpoint]] = []
            for infos in (one.inputs, one.outputs):
                ends.append({key: end for key in sorted(infos) if (end := _endpoint(infos[key].name, nodes))})
            inputs, outputs = ends
            if len(outputs) == len(one.outputs) and len(inputs) == len(one.inputs):
                found[name] = SavedSignature(inputs, outputs, one.method_name)
            elif outputs:
                self._notes.append(f"the signature '{name}' is left out: it has tensors that are not in the graph")
        return found


def _chosen(path: str, model: SavedModel, tags: Sequence[str]) -> MetaGraphDef:
    """The graph of a SavedModel with the given tags. Without tags, the only graph, or the graph for serving."""
    graphs = list(model.meta_graphs)
    if not tags and len(graphs) == 1:
        return graphs[0]
    wanted = set(tags or ["serve"])
    fitting = [one for one in graphs if set(one.meta_info_def.tags) == wanted]
    if not fitting:
        known = " and ".join(", ".join(sorted(one.meta_info_def.tags)) or "(none)" for one in graphs)
        raise refuse(TAGS_UNKNOWN, path=path, tags=", ".join(sorted(wanted)), known=known)
    return fitting[0]


def _is_merge(node: NodeDef) -> bool:
    return node.op in ("Merge", "RefMerge")


def _is_next(node: NodeDef) -> bool:
    return node.op in ("NextIteration", "RefNextIteration")


def shape_of(shape: Any) -> tuple[int | None, ...] | None:  # a `tf.TensorShape`, whose stubs have no unknown rank
    """A shape of TensorFlow."""
    return None if shape.rank is None else tuple(shape.as_list())


def _variables(values: Sequence[bytes]) -> Iterator[str]:
    """The names of the variables that these bytes describe. Other bytes give names that are not in the graph."""
    for value in values:
        try:
            yield VariableDef.FromString(value).variable_name
        except DecodeError:
            continue


def _endpoint(name: str, nodes: Mapping[str, GraphNode]) -> Endpoint | None:
    node, _, output = name.partition(":")
    at = int(output) if output.isdecimal() else 0
    return Endpoint(node, at) if node in nodes and at < len(nodes[node].types) else None


def _checkpoint(path: str, file: GraphFile, given: str) -> str:
    """The prefix of the checkpoint with the variables of a graph, or "" if it has no checkpoint."""
    if given:
        if os.path.isdir(given):
            latest: str | None = v1.train.latest_checkpoint(given)
            indexes = glob(os.path.join(escape(given), "*.index"))
            prefix = latest or (indexes[0].removesuffix(".index") if len(indexes) == 1 else "")
        else:
            prefix = re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", given)
        if not prefix or not _exists(prefix):
            raise refuse(CHECKPOINT_GIVEN, path=given)
        return prefix
    match file:
        case SavedModel():
            prefix = os.path.join(os.path.dirname(path), "variables", "variables")
        case MetaGraphDef():
            prefix = path.removesuffix(".meta")
        case _:
            return ""
    return prefix if prefix != path and _exists(prefix) else ""


def _exists(prefix: str) -> bool:
    """Whether a checkpoint exists. In the first version of the format it is a single file."""
    return os.path.isfile(f"{prefix}.index") or os.path.isfile(prefix)
