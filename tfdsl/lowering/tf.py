"""The only import of TensorFlow. All modules behind the front end take `tf` and `v1` from here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from google.protobuf.message import DecodeError, Message
from google.protobuf.text_format import Parse as parse_text
from google.protobuf.text_format import ParseError as TextError
from tensorflow.compiler.tf2xla.ops.gen_xla_ops import xla_dynamic_slice
from tensorflow.core.example.example_pb2 import Example
from tensorflow.core.framework.attr_value_pb2 import AttrValue, NameAttrList
from tensorflow.core.framework.function_pb2 import FunctionDef, FunctionDefLibrary
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.framework.op_def_pb2 import OpDef, OpList
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.core.framework.variable_pb2 import VariableDef
from tensorflow.core.protobuf.config_pb2 import CallableOptions
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph
from tensorflow.python.client import pywrap_tf_session as c_api
from tensorflow.python.client._pywrap_events_writer import EventsWriter
from tensorflow.python.eager.polymorphic_function.transform import FUNC_GRAPH_TRANSFORMS as function_transforms
from tensorflow.python.framework import op_def_registry
from tensorflow.python.framework.function_def_to_graph import function_def_to_graph_def as function_graph
from tensorflow.python.framework.ops import Operation
from tensorflow.python.framework.random_seed import _graph_to_seed_dict as seeds_taken
from tensorflow.python.ops.control_flow_ops import XLAControlFlowContext
from tensorflow.python.ops.resource_variable_ops import ResourceVariable
from tensorflow.python.ops.variable_scope import get_variable_scope_store
from tensorflow.python.util import _pywrap_determinism as op_determinism
from tensorflow.python.util._pywrap_util_port import IsMklEnabled as is_onednn_on

from ..types import Operand, TensorType

__all__ = [
    "AttrValue", "CallableOptions", "DataType", "DecodeError", "EventsWriter", "Example", "FunctionDef",
    "FunctionDefLibrary",
    "GraphDef", "Message", "MetaGraphDef", "NameAttrList", "NodeDef", "OpDef", "OpList", "Operand", "Operation",
    "ResourceVariable", "RewriterConfig", "SavedModel", "SignatureDef", "TensorProto", "TensorShapeProto", "TextError",
    "TrackableObjectGraph", "VariableDef",
    "XLAControlFlowContext", "branches_of_functions", "c_api", "function_graph", "function_transforms",
    "get_variable_scope_store", "has_op", "is_onednn_on", "op_def",
    "op_determinism", "parse_text", "python_functions", "registered", "resolve", "seeds_taken", "shape_of",
    "static_value", "tf", "v1", "xla_dynamic_slice",
]  # fmt: skip


if TYPE_CHECKING:
    # The type stubs of TensorFlow leave `tf.compat.v1` out.
    class v1(Any):
        """Each of its members has any type."""

else:
    from tensorflow.compat import v1


@contextmanager
def branches_of_functions() -> Iterator[None]:
    """Build loops and branches as ops that call functions, also after `tf.disable_v2_behavior()`."""
    if v1.control_flow_v2_enabled():
        yield
        return
    v1.enable_control_flow_v2()
    try:
        yield
    finally:
        v1.disable_control_flow_v2()


def python_functions() -> Any:  # a mapping that TensorFlow does not type
    """The Python functions that ops of this process can call, by name. TensorFlow does not keep them."""
    from tensorflow.python.ops.script_ops import _py_funcs  # imports 200 modules, which few programs need

    return _py_funcs._funcs


def registered() -> bytes:
    """All ops that TensorFlow has registered, as an `OpList`."""
    buffer: Any = c_api.TF_GetBuffer(c_api.TF_GetAllOpList())  # compiled code without a signature
    return buffer


def op_def(name: str) -> OpDef | None:
    """The `OpDef` of a registered op, or None for an unknown name."""
    return op_def_registry.get(name)


def static_value(tensor: Operand) -> Any:  # an array, or None
    """The value of a tensor that follows from constants and known shapes."""
    return tf.get_static_value(tensor)


def has_op(graph: tf.Graph, name: str) -> bool:
    """Whether a graph has an op of exactly this name."""
    try:
        graph.get_operation_by_name(name)
    except KeyError:
        return False
    return True


def resolve(path: str) -> Any:  # a function or class of any type
    """The symbol at a dotted path below `tf.compat.v1`."""
    symbol = v1
    for part in path.split("."):
        symbol = getattr(symbol, part)
    return symbol


def shape_of(type: TensorType):
    """The shape of a type for TensorFlow. Named and unknown sizes are None."""
    return None if type.shape is None else [dim if isinstance(dim, int) else None for dim in type.shape]
