"""Tells which inputs of nodes a gradient flows to, and what it reads on its way."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from ..ops.named import GRADIENTS
from ..program import Node, Ref, minimized, refs_of, upstream
from ..types import TensorType

_INEXACT = ("float", "complex")  # the kinds of dtypes that have gradients,
_LIST = "variant"  # as has the dtype of a list of tensors


def gradient_inputs(nodes: Mapping[int, Node], node: Node) -> list[Ref]:
    """The inputs of a node that receive a gradient from it."""
    if node.is_variable:
        return []
    row, inputs = node.row, node.inputs()
    if row is not None and row.no_gradient:
        inputs = [ref for name, arg in node.args.items() if row.passes_gradient(name) for ref in refs_of(arg)]
        inputs += [ref for region in node.regions for ref in region.inputs()]
    return [
        ref for ref in inputs
        if (outputs := nodes[ref.node].outputs) and (dtype := outputs[ref.output].dtype)
        and (dtype.kind in _INEXACT or dtype.name == _LIST)
    ]  # fmt: skip


def gradient_upstream(nodes: Mapping[int, Node], refs: Iterable[Ref]) -> Iterator[Node]:
    """The nodes that a gradient of `refs` reaches, each once."""
    return upstream(nodes, refs, partial(gradient_inputs, nodes))


def gradient_reads(nodes: Mapping[int, Node], node: Node) -> list[Ref]:
    """The tensors that the gradients of an optimizer step or of `gradients` read for certain: the gradient of a product
    to one factor reads the other. They are read even below a tensor that is fed."""
    if node.row is GRADIENTS:
        ys, xs = node.refs("ys"), set(node.refs("xs"))
    else:
        ys, xs = minimized(nodes, node), set(refs_of(node.args["wrt"])) if "wrt" in node.args else None
    path = sorted(gradient_upstream(nodes, ys), key=lambda one: one.id)  # a node comes after its inputs
    found = {one.id for one in path if (one.is_trainable if xs is None else one.is_variable and Ref(one.id) in xs)}
    reads: list[Ref] = []
    for one in path:
        passing = {ref for ref in gradient_inputs(nodes, one) if ref.node in found or (xs is not None and ref in xs)}
        if passing:
            found.add(one.id)
        if passing and one.row is not None and one.row.product:
            first, second, *_ = (tuple(refs_of(arg)) for arg in one.args.values())
            reads += second if passing.intersection(first) else ()
            reads += first if passing.intersection(second) else ()
    return reads


def is_inexact(outputs: tuple[TensorType, ...], at: int) -> bool:
    """Whether an output of a node has floats or complex numbers, which have gradients."""
    return bool(outputs) and outputs[at].dtype.kind in _INEXACT
