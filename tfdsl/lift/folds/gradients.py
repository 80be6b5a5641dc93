"""Checks that the gradients in a graph are the gradients that TensorFlow makes for a loss. Other uses leave traces:
several losses, gradients that stop at a tensor, ops with custom gradients."""

import re
from collections.abc import Mapping

from ..draft import Draft, NotReadable
from ..graph import VARIABLES, Endpoint, SavedGraph, reached

_OWN_GRADIENT = "_gradient_op_type"  # the attribute of an op with a custom gradient
_OTHER_SEEDS = re.compile(r"(?:grad_ys|Fill)_([1-9]\d*)\Z")  # gradients of further tensors
_NEXT, _ZEROS = "NextIteration", ("Const", "Fill", "Shape", "ZerosLike")
_OF_OP = re.compile(r"_grad/")
# Ops with a float result through which no gradient flows.
_ENDS = (
    "Assign",
    "AssignAdd",
    "AssignSub",
    "ScatterUpdate",
    "ScatterAdd",
    "ScatterSub",
    "StopGradient",
    "PreventGradient",
    "ZerosLike",
    "OnesLike",
    "Floor",
    "Ceil",
    "Round",
    "Rint",
    "Sign",
)
# Ops whose gradient always has nodes of its own.
_SHOWN = frozenset(
    "MatMul BatchMatMul BatchMatMulV2 Conv2D Relu Relu6 Elu Sigmoid Tanh Softplus Softmax Exp Log Sqrt Rsqrt Square "
    "Mul Div RealDiv Pow Maximum Minimum Mean Sum MaxPool AvgPool SoftmaxCrossEntropyWithLogits "
    "SparseSoftmaxCrossEntropyWithLogits".split()
)


def check_gradients(
    draft: Draft, scope: str, losses: tuple[Endpoint, ...], given: Mapping[Endpoint, Endpoint | None]
) -> None:
    """Raise `NotReadable` if the gradients in a scope are not the gradients of these losses. `given` maps each variable
    to the gradient that its update receives."""
    graph = draft.graph
    own = [name.removeprefix(f"{scope}/") for name in graph.nodes if name.startswith(f"{scope}/")]
    if any((match := _OTHER_SEEDS.match(name)) and int(match[1]) >= len(losses) for name in own):
        raise NotReadable(f"{scope} has the gradients of several tensors")
    for loss in losses:
        if sum(has_gradient(graph, Endpoint(loss.node, at)) for at in range(len(graph.nodes[loss.node].types))) > 1:
            raise NotReadable(f"the loss of {scope} is one of several results of {loss.node}")
    for variable, gradient in given.items():
        read = _read(draft, scope, gradient) if gradient is not None else set[str]()
        if read and variable.node not in read:
            raise NotReadable(f"the update of {variable.node} receives the gradient of {min(read)}")
    passed = {one for name in own for one in of_ops(name)}
    for name in sorted(_between(draft, losses, {variable.node for variable in given})):
        node = graph.nodes[name]
        if _OWN_GRADIENT in node.attrs:
            raise NotReadable(f"{name} has a custom gradient")
        if node.op in _SHOWN and name not in passed and name not in draft.from_functions:
            raise NotReadable(f"the gradients in {scope} stop below {name}")


def nodes_of_gradients(draft: Draft, scope: str) -> set[str]:
    """The open nodes that compute the gradients in a scope. For a variable of a loop that depends only on the variables
    of the iteration before, TensorFlow makes the zeros and the NextIteration op of its gradient outside the scope."""
    graph = draft.graph
    found = {name for name in graph.nodes if name.startswith(f"{scope}/")}
    users = {user for name in found for user in (end.node for end in graph.nodes[name].inputs)} - found
    todo = [name for name in users if graph.nodes[name].op == _NEXT]
    while todo:
        name = todo.pop()
        if found.issuperset(graph.users[name]):
            found.add(name)
            above = {end.node for end in graph.nodes[name].inputs} - found
            todo += [one for one in above if graph.nodes[one].op in _ZEROS]
    return {name for name in found if draft.is_open(name)}


def of_ops(name: str) -> list[str]:
    """The ops whose gradient a node in a gradient scope may compute, shortest name first."""
    return [name[: one.start()] for one in _OF_OP.finditer(name)]


def _read(draft: Draft, scope: str, gradient: Endpoint) -> set[str]:
    """The variables read by the op through which a gradient reaches a variable."""
    names = [name for name in of_ops(gradient.node.removeprefix(f"{scope}/")) if name in draft.graph.nodes]
    found: set[str] = set()
    for end in draft.graph.nodes[names[-1]].inputs if names else ():
        one = draft.graph.nodes[draft.end(end).node]
        while one.op in ("Identity", "ReadVariableOp"):
            one = draft.graph.nodes[draft.end(one.inputs[0]).node]
        found |= {one.name} if one.op in VARIABLES else set()
    return found


def _between(draft: Draft, losses: tuple[Endpoint, ...], variables: set[str]) -> set[str]:
    """The nodes through which a gradient of a loss can flow to variables."""
    graph = draft.graph

    def above(name: str) -> list[str]:
        node = graph.nodes[name]
        return [end.node for end in node.inputs if has_gradient(graph, end)] if node.op not in _ENDS else []

    def below(name: str) -> list[str]:
        users = [graph.nodes[user] for user in graph.users[name]]
        return [user.name for user in users if user.op not in _ENDS and user.name in needed
                and any(end.node == name for end in user.inputs)]  # fmt: skip

    needed = reached({loss.node for loss in losses}, above)
    return reached(variables & needed, below)


def has_gradient(graph: SavedGraph, end: Endpoint) -> bool:
    """Whether a tensor can have a gradient."""
    node = graph.nodes[end.node]
    return node.op in VARIABLES or node.types[end.output].dtype.kind in ("float", "complex")
