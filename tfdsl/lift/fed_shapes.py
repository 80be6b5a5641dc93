"""The shapes of the feeds of a comparison: those that the user gives, and those that ops need."""

from collections.abc import Iterator, Mapping, Sequence

from ..diagnostics import SHAPE_UNFIT, SHAPE_UNKNOWN
from ..diagnostics.spelling import did_you_mean, listed
from ..lowering.tf import Operand, v1
from .constants import type_text
from .formats import refuse
from .graph import NAMED, PLACEHOLDERS, SWITCHES, Endpoint, SavedGraph
from .lifted import Lifted
from .pipelines import is_pipeline

_TAKES = ("Gather", "GatherV2", "GatherNd", "ResourceGather", "ResourceGatherNd")
_SAME_NUMBERS = ("Identity", "Reshape", "Cast", "ExpandDims", "Squeeze")
_PASSES = ("Identity", "ReadVariableOp", *SWITCHES)  # their results have the same shape
_UNKNOWN = 2  # the size that replaces an unknown one


def fed_shape(tensor: Operand) -> list[int] | None:
    """A shape for the tensor that fits one of the ops that use it, or None if these ops do not determine one."""
    return next(_shapes(tensor), None)


def _shapes(tensor: Operand) -> Iterator[list[int]]:
    for user in tensor.consumers():
        first, *others = user.inputs
        match user.type:
            case "Reshape" if first is tensor and others[0].op.type == "Const":
                sizes: list[int] = v1.make_ndarray(others[0].op.get_attr("value")).tolist()
                yield [_UNKNOWN if size < 0 else size for size in sizes]
            case "MatMul" if first is tensor and others[0].shape.rank == 2:
                depth: int | None = others[0].shape[1 if user.get_attr("transpose_b") else 0]
                sides = [_UNKNOWN, _UNKNOWN if depth is None else depth]
                yield sides[::-1] if user.get_attr("transpose_a") else sides
            case "ConcatV2":
                known = (one.shape for one in user.inputs[:-1] if one.shape.rank is not None)
                yield from ([_UNKNOWN if size is None else size for size in shape] for shape in known)
            case op if op in _PASSES:
                yield from (shape for output in user.outputs for shape in _shapes(output))
            case _:
                pass


def takes_rows(tensor: Operand) -> bool:
    """Whether an op takes the rows with the numbers in the tensor."""
    users = [(user, at) for user in tensor.consumers() for at, one in enumerate(user.inputs) if one is tensor]
    return any(user.type in _TAKES and at == 1 for user, at in users) or any(
        takes_rows(user.outputs[0]) for user, at in users if user.type in _SAME_NUMBERS and at == 0
    )


def named_feeds(graph: SavedGraph, lifted: Lifted) -> dict[str, Endpoint]:
    """The tensors of a graph that are fed, by their names in the graph and in the program."""
    found = {node.name: Endpoint(node.name) for node in graph.nodes.values() if node.op in PLACEHOLDERS}
    for end, text in lifted.correspondence.items():
        if end.node in found or (is_pipeline(graph.nodes[end.node].op) and not lifted.is_exact):
            found.setdefault(str(end), end)
            found.setdefault(text, end)
    return found


def check_shapes(shapes: Mapping[str, Sequence[int]], graph: SavedGraph, lifted: Lifted) -> None:
    """Refuse shapes for names that are not fed, and shapes that do not fit."""
    known = named_feeds(graph, lifted)
    for name, sizes in shapes.items():
        if name not in known:
            own = dict.fromkeys(str(end) for end in known.values())
            there = f"its placeholders are {listed(own, NAMED)}" if own else "it has no placeholders"
            raise refuse(SHAPE_UNKNOWN, did_you_mean(name, known) or there, path=graph.path, name=name)
        end = known[name]
        type = graph.nodes[end.node].types[end.output]
        wanted = sizes if type.shape is None else [one if isinstance(one, int) else None for one in type.shape]
        fits = len(sizes) == len(wanted) and all(two in (one, None) for one, two in zip(sizes, wanted, strict=True))
        if not fits:
            example = ",".join(str(_UNKNOWN if one is None else one) for one in wanted)
            raise refuse(
                SHAPE_UNFIT, f"give sizes that fit, such as --shape {name}={example}", name=name,
                sizes=",".join(map(str, sizes)), shape=type_text(type).removeprefix(str(type.dtype)),
            )  # fmt: skip
