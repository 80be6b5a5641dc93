"""Updates of the rows of a variable for which TensorFlow has no op: `adam` and `gradient_descent` make them of ops that
change parts of variables."""

from collections.abc import Mapping

from ...ops.lifted import LiftedStep, lifted_step
from ...record import Record
from ..graph import VARIABLES, Endpoint, GraphNode, SavedGraph

ROW_UPDATES = ("ScatterSub", "AssignSub", "ResourceScatterAdd", "AssignSubVariableOp")
_SCATTERS = ("ScatterAdd", "ResourceScatterAdd")
_ADDS = ("Add", "AddV2")


class RowUpdate(Record):
    """An update of rows: the op that changes the variable, the step that it belongs to, the arguments of the optimizer,
    the variables that the optimizer keeps, and the gradient of the rows with their indices."""

    node: GraphNode
    step: LiftedStep
    arguments: Mapping[str, Endpoint]
    slots: tuple[str, ...]
    gradient: Endpoint
    indices: Endpoint


def step_names(graph: SavedGraph) -> list[str]:
    """The ops that take a step of an optimizer."""
    updates = [
        node.name
        for node in graph.nodes.values()
        if lifted_step(node.op) is not None or (node.op in ROW_UPDATES and "/update_" in node.name)
    ]
    names = dict.fromkeys(name.partition("/update_")[0] for name in updates)
    return [name for name in names if name in graph.nodes]


def row_update(graph: SavedGraph, node: GraphNode) -> RowUpdate | None:
    """The update of rows whose last op is this node, or None if it is another op."""
    if node.op in ("AssignSub", "AssignSubVariableOp"):
        return _adam(graph, node)
    change = graph.input(node, 2)
    step = lifted_step("ApplyGradientDescent")
    if step is None or change.op != "Mul":
        return None
    gradient = change.inputs[0]
    if node.op == "ResourceScatterAdd":  # of the negative gradient
        turned = graph.nodes[gradient.node]
        if turned.op != "Neg":
            return None
        gradient = turned.inputs[0]
    return RowUpdate(node, step, {"learning_rate": change.inputs[1]}, (), gradient, node.inputs[1])


def _adam(graph: SavedGraph, node: GraphNode) -> RowUpdate | None:
    """`rate * sqrt(1 - beta2_power) / (1 - beta1_power) * m / (sqrt(v) + epsilon)`, subtracted from the variable."""
    step = lifted_step("ApplyAdam")
    try:
        change, root = _both(graph, node.inputs[1], "RealDiv")
        rate, m = _both(graph, change, "Mul")
        squares, epsilon = _both(graph, root, *_ADDS)
        first, power1 = _both(graph, rate, "RealDiv")
        learning_rate, power2 = _both(graph, first, "Mul")
        held = [_holder(graph, end) for end in (m, _one(graph, squares, "Sqrt"),
                                                 _both(graph, power1, "Sub")[1],
                                                 _both(graph, _one(graph, power2, "Sqrt"), "Sub")[1])]  # fmt: skip
        (gradient, beta1, indices), (_, beta2, _) = (_scattered(graph, node, name) for name in held[:2])
    except _Other:
        return None
    arguments = {"learning_rate": learning_rate, "beta1": beta1, "beta2": beta2, "epsilon": epsilon}
    return None if step is None else RowUpdate(node, step, arguments, tuple(held), gradient, indices)


class _Other(Exception):
    """Raised for ops that are not those of an update."""


def _one(graph: SavedGraph, end: Endpoint, *ops: str) -> Endpoint:
    """The first input of the op that makes a tensor."""
    node = graph.nodes[end.node]
    if node.op not in ops:
        raise _Other
    return node.inputs[0]


def _both(graph: SavedGraph, end: Endpoint, *ops: str) -> tuple[Endpoint, Endpoint]:
    """The inputs of the op that makes a tensor."""
    return _one(graph, end, *ops), graph.nodes[end.node].inputs[1]


def _holder(graph: SavedGraph, end: Endpoint) -> str:
    """The variable that a tensor is read from."""
    node = graph.nodes[end.node]
    while node.op not in VARIABLES:
        if not node.inputs or node.op == "Mul":
            raise _Other
        node = graph.input(node, 0)
    return node.name


def _scattered(graph: SavedGraph, update: GraphNode, slot: str) -> tuple[Endpoint, Endpoint, Endpoint]:
    """What is added to the rows of a slot: the gradient, the rate by which the slot decays, and the rows."""
    scope = update.name.rpartition("/")[0]
    for name in graph.users[slot]:
        node = graph.nodes[name]
        if node.op in _SCATTERS and name.startswith(f"{scope}/"):
            value, share = _both(graph, node.inputs[2], "Mul")
            return value, _both(graph, share, "Sub")[1], node.inputs[1]
    raise _Other
