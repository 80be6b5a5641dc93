"""Prints TensorFlow's registered ops as the lines of `ops/raw_ops.txt`, which the compiler reads instead of TensorFlow.

    python -m tfdsl.lowering.registry > tfdsl/ops/raw_ops.txt

A line has the op's name, what it reaches, its inputs, its outputs and its attributes, separated by tabs:

    ConcatV2  values  values: N*T, axis: Tidx  output: T  N: int >= 2  T: type  Tidx: type in ["int32"] = "int32"

The class of what an op reaches is explained in `ops/forbidden_ops.py`. A person who knows the op chose it, and it is
taken from the existing table. A new op has the class `?`, and programs cannot use it until somebody chooses a class. An
input or output has a dtype, or the attribute with the dtype. `N*T` is a list whose length is the attribute N, and `&T`
a reference to a v1 variable. Values of attributes are JSON; a tensor is `{dtype: values}`. Arguments have their names
in `tf.raw_ops`; a different name in the registry follows, as in `axis|squeeze_dims`. Ops whose names begin with an
underscore are left out: only TensorFlow itself puts them into graphs.
"""

import inspect
import json
import sys
from collections.abc import Iterator, Mapping

import numpy as np

from ..ops.forbidden_ops import UNCLASSED
from ..ops.raw import find
from .tf import AttrValue, OpDef, OpList, TensorProto, TensorShapeProto, registered, tf


def lines() -> Iterator[str]:
    """The lines of the table, sorted by op name."""
    ops = OpList()
    ops.ParseFromString(registered())
    for op in sorted(ops.op, key=lambda op: op.name):
        if op.name.isidentifier() and not op.name.startswith("_"):
            new = _renamed(op)
            sides = (", ".join(_argument(one, new) for one in side) for side in (op.input_arg, op.output_arg))
            known = find(op.name)
            reaches = known.reaches if known else UNCLASSED
            yield "\t".join((op.name, reaches, *sides, *(_attribute(one, new) for one in op.attr)))


def _renamed(op: OpDef) -> Mapping[str, str]:
    """The names of parameters in `tf.raw_ops` that differ from the registry, by their names in the registry."""
    if not hasattr(tf.raw_ops, op.name):
        return {}
    own = [argument.name for argument in (*op.input_arg, *op.attr)]
    taken = [name for name in inspect.signature(getattr(tf.raw_ops, op.name)).parameters if name != "name"]
    inferred = {name for one in op.input_arg for name in (one.type_attr, one.number_attr, one.type_list_attr)}
    old = [name for name in own if name not in taken and name not in inferred]
    return dict(zip(old, (name for name in taken if name not in own), strict=True))


def _names(name: str, new: Mapping[str, str]) -> str:
    """The name of a parameter in `tf.raw_ops`, followed by its name in the registry if the names differ."""
    return f"{new[name]}|{name}" if name in new else name


def _argument(argument: OpDef.ArgDef, new: Mapping[str, str]) -> str:
    """`values: N*T`."""
    dtype = argument.type_list_attr or argument.type_attr or _dtype(argument.type)
    count = f"{argument.number_attr}*" if argument.number_attr else ""
    return f"{_names(argument.name, new)}: {count}{'&' * argument.is_ref}{dtype}"


def _attribute(attribute: OpDef.AttrDef, new: Mapping[str, str]) -> str:
    """`Tidx: type in ["int32", "int64"] = "int32"`."""
    text = f"{_names(attribute.name, new)}: {attribute.type}"
    if attribute.HasField("allowed_values"):
        text += f" in {json.dumps(_value(attribute.allowed_values))}"
    if attribute.has_minimum:
        text += f" >= {attribute.minimum}"
    if attribute.HasField("default_value"):
        text += f" = {json.dumps(_value(attribute.default_value))}"
    return text


def _value(value: AttrValue) -> object:
    """The value of an attribute as JSON."""
    match value.WhichOneof("value"):
        case "s":
            return value.s.decode("latin-1")
        case "i" | "b" as kind:
            return getattr(value, kind)
        case "f":
            return _float(value.f)
        case "type":
            return _dtype(value.type)
        case "shape":
            return _shape(value.shape)
        case "tensor":
            return _tensor(value.tensor)
        case "func":
            return value.func.name
        case "list":
            return _list(value.list)
        case kind:
            raise AssertionError(kind)


def _list(values: AttrValue.ListValue) -> list:
    return [_ITEMS[field.name](item) for field, items in values.ListFields() for item in items]


def _float(value: float) -> float:
    """A float32 as the shortest number that converts back to it."""
    return float(str(np.float32(value)))


def _shape(shape: TensorShapeProto) -> list | None:
    return [None if dim.size < 0 else dim.size for dim in shape.dim] if not shape.unknown_rank else None


def _dtype(value: int) -> str:
    return tf.as_dtype(value).name


def _tensor(value: TensorProto) -> dict:
    return {_dtype(value.dtype): tf.make_ndarray(value).tolist()}


_ITEMS = {
    "s": lambda s: s.decode("latin-1"), "i": int, "f": _float, "b": bool, "type": _dtype, "shape": _shape,
    "tensor": _tensor,
}  # fmt: skip


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
