"""Turns the tensor arrays of TensorFlow 1 that no other fold takes into the tensor lists of TensorFlow 2.

The gradients of lists also flow through `while`. In TensorFlow 1, a number passes from op to op to keep their order;
the list takes its place.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

from ...ops.raw import PREFIX
from ...record import replace
from ..draft import CallPiece, Draft, Given, Operand, ends_of
from ..graph import Endpoint

_ARRAY = f"{PREFIX}TensorArrayV3"
Arguments = tuple[tuple[str, Operand], ...]


def fold_array_lists(draft: Draft) -> None:
    users: dict[Endpoint, list[str]] = defaultdict(list)
    for name, piece in draft.pieces.items():
        for end in {draft.end(end) for one in piece.operands() for end in ends_of(one)}:
            users[end].append(name)
    for piece in list(draft.pieces.values()):
        if isinstance(piece, CallPiece) and piece.callee == _ARRAY:
            _fold(draft, piece, [piece.node, *users[piece.ends[0]]])


def _fold(draft: Draft, array: CallPiece, names: list[str]) -> None:
    """Replace an array and the ops that use it, if a list has a counterpart of each of them."""
    pieces = [draft.pieces[name] for name in names]
    calls = [one for one in pieces if isinstance(one, CallPiece) and one.callee in _AS_LISTS]
    if len(calls) < len(pieces) or not draft.closed.isdisjoint(names) or array.node in draft.served:
        return
    made = dict(array.arguments)
    for one in calls:
        callee, arguments = _AS_LISTS[one.callee](dict(one.arguments), made)
        ends = one.ends if one is not array else (Endpoint(array.node),)
        draft.pieces[one.node] = replace(one, callee=f"{PREFIX}{callee}", arguments=arguments, ends=ends)
        draft.folded[one.node] = fold_array_lists.__name__
    draft.aliases[Endpoint(array.node, 1)] = Endpoint(array.node)


def _shape(given: Mapping[str, Operand]) -> Operand:
    """The shape of the elements as a tensor; -1 if it is not known."""
    match given.get("element_shape"):
        case Given(tuple(sizes)):
            return Given(tuple(-1 if size is None else size for size in sizes), "int32")
        case _:
            return Given(-1, "int32")


def _made(given: Mapping[str, Operand], array: Mapping[str, Operand]) -> tuple[str, Arguments]:
    return "TensorListReserve", (("element_shape", _shape(given)), ("num_elements", given["size"]),
                                 ("element_dtype", given["dtype"]))  # fmt: skip


def _written(given: Mapping[str, Operand], array: Mapping[str, Operand]) -> tuple[str, Arguments]:
    grows = (("resize_if_index_out_of_bounds", Given(True, "")),) if "dynamic_size" in array else ()
    return "TensorListSetItem", (("input_handle", given["flow_in"]), ("index", given["index"]),
                                 ("item", given["value"]), *grows)  # fmt: skip


def _read(given: Mapping[str, Operand], array: Mapping[str, Operand]) -> tuple[str, Arguments]:
    return "TensorListGetItem", (("input_handle", given["flow_in"]), ("index", given["index"]),
                                 ("element_shape", _shape(array)), ("element_dtype", given["dtype"]))  # fmt: skip


def _gathered(given: Mapping[str, Operand], array: Mapping[str, Operand]) -> tuple[str, Arguments]:
    shape = given if "element_shape" in given else array
    return "TensorListGather", (("input_handle", given["flow_in"]), ("indices", given["indices"]),
                                ("element_shape", _shape(shape)), ("element_dtype", given["dtype"]))  # fmt: skip


def _scattered(given: Mapping[str, Operand], array: Mapping[str, Operand]) -> tuple[str, Arguments]:
    return "TensorListScatterIntoExistingList", (("input_handle", given["flow_in"]), ("tensor", given["value"]),
                                                 ("indices", given["indices"]))  # fmt: skip


def _joined(given: Mapping[str, Operand], array: Mapping[str, Operand]) -> tuple[str, Arguments]:
    match given.get("element_shape_except0"):
        case Given(tuple(sizes), dtype):
            shape = _shape({"element_shape": Given((None, *sizes), dtype)})
        case _:
            shape = _shape({})
    return "TensorListConcatV2", (("input_handle", given["flow_in"]), ("element_shape", shape),
                                  ("leading_dims", Given((), "int64")), ("element_dtype", given["dtype"]))  # fmt: skip


def _parted(given: Mapping[str, Operand], array: Mapping[str, Operand]) -> tuple[str, Arguments]:
    return "TensorListSplit", (("tensor", given["value"]), ("element_shape", _shape({})),
                               ("lengths", given["lengths"]))  # fmt: skip


def _counted(given: Mapping[str, Operand], array: Mapping[str, Operand]) -> tuple[str, Arguments]:
    return "TensorListLength", (("input_handle", given["flow_in"]),)


# The call that does the same on a list, given the arguments of the op and those of the op that makes the array.
_AS_LISTS: dict[str, Callable[[Mapping[str, Operand], Mapping[str, Operand]], tuple[str, Arguments]]] = {
    _ARRAY: _made,
    f"{PREFIX}TensorArrayWriteV3": _written,
    f"{PREFIX}TensorArrayReadV3": _read,
    f"{PREFIX}TensorArrayGatherV3": _gathered,
    f"{PREFIX}TensorArrayScatterV3": _scattered,
    f"{PREFIX}TensorArrayConcatV3": _joined,
    f"{PREFIX}TensorArraySplitV3": _parted,
    f"{PREFIX}TensorArraySizeV3": _counted,
}
