"""Sums of several tensors, which are to add in the order of their inputs.

TensorFlow has three habits that change this order. The kernel of AddN begins with the first input whose memory it may
write to: which one that is depends on which ops have run by then, so on timing. Common subgraph elimination, a pass of
Grappler's, sorts the inputs by the names of the ops that make them; a copy of the graph has other names, and so has an
execution that fetches more. And another pass of Grappler's makes one AddN of sums whose inputs are sums, `a + b + c`
too. The sum of two numbers is the same in both orders, that of three is not: gradients of what is used more than twice,
`add_n` and `a + b + c` would have other bits from run to run, or in another engine.

So a sum has an attribute by which that pass knows those that it has made already; one of more than two inputs has
another that keeps the executor from giving it the memory of an input; and a session on a graph with such sums goes
without common subgraph elimination. What the graph consists of stays as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from .tf import AttrValue, RewriterConfig, function_transforms, tf, v1

_SUMS = ("Add", "AddV2", "AddN")
_JOINED = "_grappler_ArithmeticOptimizer_AddOpsRewriteStage", AttrValue(b=True)
# Output 0 is allocated in scope 0, which is the memory of all others; but an output with a scope is never an input's.
_ALLOCATED = "_scoped_allocator", AttrValue(list=AttrValue.ListValue(i=[0, 0]))


@dataclass(slots=True)
class _Found:
    """What is known of a graph: how many of its ops were looked at, and whether it or a function of it has sums
    of more than two inputs."""

    operations: int = 0
    sums: bool = False


_found: WeakKeyDictionary[tf.Graph, _Found] = WeakKeyDictionary()


def order_sums(graph: tf.Graph) -> None:
    """Have the sums that were added to a graph since the last call add in order; also, from the first call on, those of
    the functions that are made in it."""
    if _order_in_function not in function_transforms:
        function_transforms.append(_order_in_function)
    found = _found.setdefault(graph, _Found())
    operations = graph.get_operations()[found.operations :]
    found.operations += len(operations)
    _order(operations, found)


def ordered(graph: tf.Graph, config: v1.ConfigProto | None = None) -> v1.ConfigProto:
    """The configuration of a session in which the sums of a graph add in order."""
    config = config or v1.ConfigProto()
    if graph in _found and _found[graph].sums:
        config.graph_options.rewrite_options.common_subgraph_elimination = RewriterConfig.OFF
    return config


def _order_in_function(function: tf.Graph) -> None:
    """What TensorFlow calls for every function that it makes: of those in other graphs this leaves its hands off."""
    outermost = function
    while hasattr(outermost, "outer_graph"):
        outermost = outermost.outer_graph
    if outermost in _found:
        _order(function.get_operations(), _found[outermost])


def _order(operations: Iterable[tf.Operation], found: _Found) -> None:
    for operation in operations:
        if operation.type in _SUMS:
            operation._set_attr(*_JOINED)
            if len(operation.inputs) > 2:
                operation._set_attr(*_ALLOCATED)
                found.sums = True
