"""Warns of predictions in other units than those of the target in the file.

A model that was trained on a scaled target predicts scaled values, and one that was trained on the numbers of
categories predicts such numbers. There is a warning only where this is certain: for a value that the graph subtracts
from the fed target, and for the index of the largest logit, or of its `softmax`, if the loss takes the fed target as
its labels.
"""

from collections.abc import Callable, Collection, Mapping

from ..analysis.prediction import feeds_of
from ..data.pipeline import Pipeline
from ..data.scaling import Scaling
from ..data.schema import Column, shown
from ..diagnostics import PREDICT_CLASSES, PREDICT_SCALED, Diagnostic
from ..diagnostics.render import render_text
from ..diagnostics.spelling import listed
from ..ops.named import ARGMAX, CAST, CHECK_WHOLE, LOG_SOFTMAX, ONE_HOT, SOFTMAX, SQUARED_DIFFERENCE, SUBTRACT, TOP_K
from ..program import Graph, Node, Ref, refs_of
from .program import RunnableProgram

_SOME = 3  # classes in a message


def tell_units(
    compiled: RunnableProgram, graph: Graph, outputs: Mapping[str, Ref], note: Callable[[str], None]
) -> None:
    """Warn of values in other units than those of the target in the file."""
    fed = feeds_of(compiled.program, graph.name)
    targets = {feed.ref: field.data for feed, field in fed if field.field == "target"}
    for placeholder, data in targets.items():
        pipeline = compiled.pipeline(data)
        if len(pipeline.schema.targets) != 1:
            continue
        subtracted, logits = _compared(graph, placeholder)
        for name, ref in outputs.items():
            made = _made_of(graph, ref)
            node = graph.nodes[made.node]
            found: Diagnostic | None = None
            if made in subtracted:
                found = _scaled(pipeline, name)
            elif made in _indices(node, made) and _scores_of(graph, next(iter(node.inputs()))) in logits:
                found = _numbered(pipeline, name)
            if found is not None:
                note(render_text(found).rstrip())


def _made_of(graph: Graph, ref: Ref) -> Ref:
    """The tensor whose elements another one has, possibly in another arrangement or of another dtype."""
    while True:
        node = graph.nodes[ref.node]
        row = node.row
        if not (node.is_index or (row is not None and (row.arranges or row in (CAST, CHECK_WHOLE)))):
            return ref
        ref = next(iter(node.inputs()))


def _indices(node: Node, made: Ref) -> tuple[Ref, ...]:
    """The output of a node that has the indices of the greatest elements, if there is one."""
    return (Ref(made.node),) if node.row is ARGMAX else (Ref(made.node, 1),) if node.row is TOP_K else ()


def _scores_of(graph: Graph, ref: Ref) -> Ref:
    """The tensor whose elements have the same order in each row."""
    ref = _made_of(graph, ref)
    node = graph.nodes[ref.node]
    return _scores_of(graph, next(iter(node.inputs()))) if node.row in (SOFTMAX, LOG_SOFTMAX) else ref


def _number_of(graph: Graph, labels: Ref) -> Ref:
    """The tensor with the numbers of classes that labels are, or are made of by `one_hot`."""
    made = _made_of(graph, labels)
    node = graph.nodes[made.node]
    return _made_of(graph, next(iter(node.inputs()))) if node.row is ONE_HOT else made


def _compared(graph: Graph, target: Ref) -> tuple[Collection[Ref], Collection[Ref]]:
    """The tensors that a fed target is subtracted from or that are from it, and the logits of losses whose labels it
    is."""
    subtracted, logits = set[Ref](), set[Ref]()
    for node in graph.nodes.values():
        if node.row in (SUBTRACT, SQUARED_DIFFERENCE):
            ends = [_made_of(graph, ref) for ref in node.inputs()]
            subtracted |= {ref for ref in ends if target in ends and ref != target}
        elif node.row is not None and node.row.applies and {"labels", "logits"} <= node.args.keys():
            labels, values = (refs_of(node.args[name]) for name in ("labels", "logits"))
            if target in [_number_of(graph, ref) for ref in labels]:
                logits |= {_made_of(graph, ref) for ref in values}
    return subtracted, logits


def _scaled(pipeline: Pipeline, name: str) -> Diagnostic | None:
    target: Column = pipeline.schema.targets[0]
    for one in pipeline.learning("target"):
        if isinstance(one.transform, Scaling):
            data, column = pipeline.spec.name, shown(target.name)
            shift, scale = one.transform.words
            way = f"{name} * {data}.{scale}({column}) + {data}.{shift}({column})"
            return Diagnostic(
                PREDICT_SCALED, None, {"name": name, "column": column, "transform": one.transform.name, "way": way}
            )
    return None


def _numbered(pipeline: Pipeline, name: str) -> Diagnostic | None:
    data, column = pipeline.spec.name, pipeline.schema.targets[0].name
    if "categories" not in pipeline.fitted().words:
        return None
    known = pipeline.fitted().readable("categories").get(column, ())
    if not all(isinstance(value, int) for value in known) or list(known) == list(range(len(known))):
        return None  # nobody takes the number of a class for its text
    details = {"name": name, "column": shown(column), "some": listed(map(str, known[:_SOME])),
               "way": f"gather({data}.categories({shown(column)}), {name})"}  # fmt: skip
    return Diagnostic(PREDICT_CLASSES, None, details)
