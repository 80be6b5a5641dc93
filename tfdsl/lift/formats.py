"""Files with graphs: bytes in, the protocol buffer of a graph out.

The content of a file decides its kind, not its name. Binary files of the three kinds use the same fields for different
things, so each kind is tried, and accepted if its nodes look like nodes.
"""

import os
import re
from collections.abc import Mapping
from glob import escape, glob
from typing import TypeAlias

from ..diagnostics import (
    FILE_LARGE,
    FILE_MISSING,
    GRAPH_EMPTY,
    GRAPH_FORM,
    GRAPH_NODES,
    GRAPH_OTHER,
    Diagnostic,
    Message,
    TfgError,
)
from ..lowering.tf import DecodeError, GraphDef, MetaGraphDef, SavedModel, TextError, parse_text
from ..syntax.read import reason_of, similar

GraphFile: TypeAlias = GraphDef | MetaGraphDef | SavedModel

# The first field of a text file shows its kind.
_TEXT_FIELDS: Mapping[str, type[GraphFile]] = {
    **dict.fromkeys(("node", "library", "versions", "version", "debug_info"), GraphDef),
    **dict.fromkeys(("meta_info_def", "graph_def", "saver_def", "collection_def", "signature_def", "asset_file_def",
                     "object_graph_def"), MetaGraphDef),
    **dict.fromkeys(("saved_model_schema_version", "meta_graphs"), SavedModel),
}  # fmt: skip
_OP = re.compile(r"[A-Za-z_][\w>]*")
SAVED_MODELS = ("saved_model.pb", "saved_model.pbtxt")


def refuse(message: Message, help: str = "", **details: object) -> TfgError:
    """An error about a graph, which has no place in a program."""
    return TfgError([Diagnostic(message, None, details, help=help)])


def read_file(path: str, limit: int) -> tuple[str, GraphFile]:
    """The path of the file with a graph, and its content. The path can be a folder with one graph, or the prefix of a
    checkpoint with a graph beside it."""
    if os.path.isdir(path):
        path = _in_folder(path)
    elif not os.path.lexists(path) and os.path.isfile(f"{path}.meta"):
        path = f"{path}.meta"
    try:
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:  # ValueError: the path has a null character
        raise refuse(FILE_MISSING, _beside(path) or similar(path, error), path=path, reason=reason_of(error)) from None
    if len(data) > limit:
        raise refuse(FILE_LARGE, path=path, limit=limit)
    return path, parsed(path, data)


def _in_folder(folder: str) -> str:
    """The path of the only graph in a folder: a SavedModel, or a MetaGraph."""
    for name in SAVED_MODELS:
        if os.path.isfile(os.path.join(folder, name)):
            return os.path.join(folder, name)
    found = sorted(glob(os.path.join(escape(folder), "*.meta")))
    if len(found) == 1:
        return found[0]
    if found:
        raise refuse(GRAPH_OTHER, path=folder, what=f"a folder with {len(found)} graphs",
                     way=f"name one of them, such as {found[-1]}")  # fmt: skip
    raise refuse(GRAPH_OTHER, _beside(folder.rstrip(os.sep)), path=folder, what="a folder",
                 way="name a file, or the folder with saved_model.pb")  # fmt: skip


def _beside(path: str) -> str:
    """A help line for the path of the checkpoint of a SavedModel, or an empty text."""
    for folder in (os.path.dirname(path), os.path.dirname(os.path.dirname(path))):
        is_model = any(os.path.isfile(os.path.join(folder, name)) for name in SAVED_MODELS)
        if is_model and os.path.basename(path) == "variables":
            return f"did you mean {folder or '.'}, the SavedModel of this checkpoint?"
    return ""


def parsed(path: str, data: bytes) -> GraphFile:
    """The graph in the bytes of a file."""
    if not data.strip():
        raise refuse(GRAPH_EMPTY, path=path)
    what, way = _other(path, data)
    if what:
        raise refuse(GRAPH_OTHER, path=path, what=what, way=way)
    found = _text(path, data) or _binary(path, data)
    if not any(True for graph in graphs(found) for _ in graph.node):
        raise refuse(GRAPH_NODES, path=path)
    return found


def graphs(file: GraphFile) -> list[GraphDef]:
    match file:
        case GraphDef():
            return [file]
        case MetaGraphDef():
            return [file.graph_def]
        case _:
            return [one.graph_def for one in file.meta_graphs]


# --- other files --------------------------------------------------------------------------------

_PREFIX = (
    "a checkpoint goes with its graph: give the .meta file or the SavedModel, and the checkpoint with --checkpoint"
)
_KERAS = 'save the model as a SavedModel with Keras: model.export("folder"), or model.save("folder") in older versions'
_LATER = "give the TensorFlow graph that it was made from"


def _other(path: str, data: bytes) -> tuple[str, str]:
    """The kind of a file that is known to have no TensorFlow graph, and what to do instead. Otherwise two empty
    strings."""
    if data[:8] == b"\x89HDF\r\n\x1a\n":
        return "a Keras model or its weights in HDF5", _KERAS
    if data[:2] == b"PK":
        if b"config.json" in data and b"model.weights" in data:
            return "a Keras model", _KERAS
        return "a zip archive", "unpack it, and give the graph that is in it"
    if data[:2] == b"\x1f\x8b":
        return "a gzip archive", "unpack it, and give the graph that is in it"
    if data[-8:] == b"\x57\xfb\x80\x8b\x24\x75\x47\xdb":
        return "the index of a checkpoint", _PREFIX
    if re.search(r"\.data-\d+-of-\d+$", path):
        return "the values of a checkpoint", _PREFIX
    if data.startswith((b"model_checkpoint_path:", b"all_model_checkpoint_paths:")):
        return "the list of a folder's checkpoints", _PREFIX
    if data[4:8] == b"TFL3":
        return "a model of TensorFlow Lite", _LATER
    if data.startswith(b"version https://git-lfs"):
        return "a pointer to a file in Git LFS", "fetch the file: git lfs pull"
    if data[:6] == b"\x93NUMPY":
        return "an array of NumPy", _LATER
    if path.endswith(".tfg"):
        return "a program", "it is not lifted, but compiled: tfdsl check"
    fields = _fields(data)
    if fields.get(1) == 0 and fields.get(7) == 2 and fields.get(8) == 2:
        return "a model in ONNX", _LATER
    return "", ""


def _fields(data: bytes) -> dict[int, int]:
    """The wire types of the fields at the top of a binary protocol buffer, as far as it can be read."""
    found: dict[int, int] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    try:
        while at < len(data):
            key = varint()
            found.setdefault(key >> 3, key & 7)
            match key & 7:
                case 0:
                    varint()
                case 1:
                    at += 8
                case 2:
                    size = varint()
                    at += size
                case 5:
                    at += 4
                case _:
                    break
    except IndexError:
        pass
    return found


# --- text and binary ----------------------------------------------------------------------------


def _text(path: str, data: bytes) -> GraphFile | None:
    """The graph of a text file. None if the file is not text."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if re.search(r"[\0-\x08\x0e-\x1f]", text[:10_000]):
        return None
    first = re.match(r"(?:\s|#[^\n]*\n)*([\w.]+)", text)
    kind = _TEXT_FIELDS.get(first[1]) if first else None
    if kind is None:
        return None
    try:
        return parse_text(text, kind())
    except (TextError, RecursionError, ValueError, OverflowError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else _text_reason(str(error))
        raise refuse(GRAPH_FORM, path=path, reason=reason) from None


def _text_reason(text: str) -> str:
    """TensorFlow's message, such as `3:7 : Message type "..." has no field named "x".`, as part of a sentence."""
    place, _, rest = text.partition(" : ")
    line = place.partition(":")[0]
    reason = (rest if line.isdigit() else text).strip().splitlines()[-1].strip("'").rstrip(".")
    return f"line {line}: {reason[:1].lower()}{reason[1:]}" if line.isdigit() else reason


def _binary(path: str, data: bytes) -> GraphFile:
    """The graph of a binary file. Raises an error if the file is of none of the kinds."""
    kinds: tuple[type[GraphFile], ...] = (SavedModel, MetaGraphDef, GraphDef)
    empty: GraphFile | None = None
    for kind in kinds:
        file = kind()
        try:
            file.ParseFromString(data)
        except DecodeError:
            continue
        nodes = [node for graph in graphs(file) for node in graph.node]
        if nodes and sum(bool(node.name and _OP.fullmatch(node.op)) for node in nodes) * 2 > len(nodes):
            return file
        if not nodes and set(_fields(data)) <= {one.number for one in kind.DESCRIPTOR.fields}:
            empty = file
    if empty is not None:
        return empty
    raise refuse(GRAPH_FORM, path=path, reason=_binary_reason(data))


def _binary_reason(data: bytes) -> str:
    text = data[:200].decode("utf-8", "ignore")
    if len(text.encode()) > 0.9 * len(data[:200]) and all(one.isprintable() or one.isspace() for one in text):
        return "it is another kind of text"
    return "it ends early, or has bytes that no graph has"
