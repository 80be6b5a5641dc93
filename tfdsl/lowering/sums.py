"""Makes sums of several tensors add in the order of their inputs.

TensorFlow has three optimizations that change this order. The kernel of AddN begins with the first input whose memory
it can reuse, which depends on the ops that have run, and so on timing. Common subgraph elimination in Grappler sorts
the inputs of an op by name, and a copy of the graph has other names, as has an execution with more fetches. If an input
is a constant, another pass then changes the order of additions or multiplications, also in `a + b + 2.0`. And a third
pass merges sums of sums into one AddN. The order does not matter for two numbers, but it does for three: the bits of
`add_n`, of `a + b + c` and of gradients of tensors with more than two uses would differ between runs and engines.

So every sum has an attribute that tells the third pass that it has processed the sum. A sum of more than two inputs has
another attribute that prevents the executor from reusing an input's memory. Sessions disable common subgraph
elimination. The ops of the graph do not change.
"""

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from .tf import AttrValue, RewriterConfig, function_transforms, tf, v1

_SUMS = ("Add", "AddV2", "AddN")
_JOINED = "_grappler_ArithmeticOptimizer_AddOpsRewriteStage", AttrValue(b=True)
# Output 0 is in scope 0 with no other tensor. An output with a scope never reuses the memory of an input.
_ALLOCATED = "_scoped_allocator", AttrValue(list=AttrValue.ListValue(i=[0, 0]))
ATTRIBUTES = frozenset((_JOINED[0], _ALLOCATED[0]))

_seen: WeakKeyDictionary[tf.Graph, int] = WeakKeyDictionary()  # number of processed ops of a graph


def order_sums(graph: tf.Graph) -> None:
    """Fix the order of the sums that were added to a graph since the last call. From the first call on, this includes
    the functions that are made in the graph."""
    if _order_in_function not in function_transforms:
        function_transforms.append(_order_in_function)
    operations = graph.get_operations()[_seen.get(graph, 0) :]
    _seen[graph] = _seen.get(graph, 0) + len(operations)
    _order(operations)


def ordered(config: v1.ConfigProto | None = None) -> v1.ConfigProto:
    """The configuration of a session that keeps the order of sums."""
    in_order = config or v1.ConfigProto()
    in_order.graph_options.rewrite_options.common_subgraph_elimination = RewriterConfig.OFF
    return in_order


def _order_in_function(function: tf.Graph) -> None:
    """TensorFlow calls this for every function that it makes. Functions in other graphs stay as they are."""
    outermost = function
    while hasattr(outermost, "outer_graph"):
        outermost = outermost.outer_graph
    if outermost in _seen:
        _order(function.get_operations())


def _order(operations: Iterable[tf.Operation]) -> None:
    for operation in operations:
        if operation.type in _SUMS:
            operation._set_attr(*_JOINED)
            if len(operation.inputs) > 2:
                operation._set_attr(*_ALLOCATED)
