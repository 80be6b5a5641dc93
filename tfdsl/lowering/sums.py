"""Sums of several tensors, which are to add in the order of their inputs.

TensorFlow has three habits that change this order. The kernel of AddN begins with the first input whose memory it may
write to: which one that is depends on which ops have run by then, so on timing. Common subgraph elimination, a pass of
Grappler, sorts the inputs of an op by the names of the ops that make them; a copy of the graph has other names, and so
has an execution that fetches more. Where an input is a constant, another pass then adds, or multiplies, in another
order, `a + b + 2.0` too. And a third pass makes one AddN of sums whose inputs are sums. The sum of two numbers is the
same in both orders, that of three is not: gradients of what is used more than twice, `add_n` and `a + b + c` would have
other bits from run to run, or in another engine.

So a sum has an attribute by which the third pass knows those that it has made already; one of more than two inputs has
another that keeps the executor from giving it the memory of an input; and sessions go without common subgraph
elimination. What the graph consists of stays as it is.
"""

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from .tf import AttrValue, RewriterConfig, function_transforms, tf, v1

_SUMS = ("Add", "AddV2", "AddN")
_JOINED = "_grappler_ArithmeticOptimizer_AddOpsRewriteStage", AttrValue(b=True)
# Output 0 is allocated in scope 0, which is the memory of all others; but an output with a scope is never an input's.
_ALLOCATED = "_scoped_allocator", AttrValue(list=AttrValue.ListValue(i=[0, 0]))


_seen: WeakKeyDictionary[tf.Graph, int] = WeakKeyDictionary()  # how many ops of a graph were looked at


def order_sums(graph: tf.Graph) -> None:
    """Have the sums that were added to a graph since the last call add in order; also, from the first call on, those of
    the functions that are made in it."""
    if _order_in_function not in function_transforms:
        function_transforms.append(_order_in_function)
    operations = graph.get_operations()[_seen.get(graph, 0) :]
    _seen[graph] = _seen.get(graph, 0) + len(operations)
    _order(operations)


def ordered(config: v1.ConfigProto | None = None) -> v1.ConfigProto:
    """The configuration of a session in which the sums of a graph add in order."""
    in_order = config or v1.ConfigProto()
    in_order.graph_options.rewrite_options.common_subgraph_elimination = RewriterConfig.OFF
    return in_order


def _order_in_function(function: tf.Graph) -> None:
    """What TensorFlow calls for every function that it makes: of those in other graphs this leaves its hands off."""
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
