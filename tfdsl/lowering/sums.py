"""Sums of several tensors (AddN), which are to add in the order of their inputs.

TensorFlow has two habits that change this order. The kernel begins with the first input whose memory it may write to:
which one that is depends on which ops have run by then, so on timing. And common subgraph elimination, a pass of
Grappler's, sorts the inputs by the names of the ops that make them; a copy of the graph has other names, and so has an
execution that fetches more. The sum of two numbers is the same in both orders, that of three is not: gradients of what
is used more than twice, and `add_n`, would have other bits from run to run, or in another engine.

So a sum of more than two inputs has an attribute that keeps the executor from giving it the memory of one, and a
session on a graph with such sums goes without the pass. What the graph consists of stays as it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from .tf import AttrValue, RewriterConfig, function_transforms, tf, v1

# Output 0 is allocated in scope 0, which is the memory of all others; but an output with a scope is never an input's.
_ALLOCATED = "_scoped_allocator", AttrValue(list=AttrValue.ListValue(i=[0, 0]))


@dataclass(slots=True)
class _Found:
    """What is known of a graph: how many of its ops were looked at, and whether it or a function of it has sums."""

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
        if operation.type == "AddN" and len(operation.inputs) > 2:
            operation._set_attr(*_ALLOCATED)
            found.sums = True
