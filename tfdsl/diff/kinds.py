"""Recognises programs, graphs and checkpoints: by their names, or else by their content."""

import os
import re
from contextlib import suppress
from typing import Literal, TypeAlias

SideKind: TypeAlias = Literal["program", "graph", "checkpoint"]

_TEXT_GRAPH = re.compile(rb"(?:\s|#[^\n]*\n)*(?:node|library|versions?|meta_info_def|graph_def|saver_def|"
                         rb"collection_def|saved_model_schema_version|meta_graphs)\s*[:{]")  # fmt: skip
_TABLE_END = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"  # ends each file in which a checkpoint lists its variables
_CHECKPOINT_PART = re.compile(r"\.(index|data-\d+-of-\d+)$")


def kind_of(path: str) -> SideKind:
    """The kind of the file or folder at a path."""
    if os.path.isdir(path):
        is_model = any(os.path.isfile(os.path.join(path, name)) for name in ("saved_model.pb", "saved_model.pbtxt"))
        return "graph" if is_model else "checkpoint"
    if os.path.isfile(f"{path}.index") or _CHECKPOINT_PART.search(path):
        return "checkpoint"
    if path.endswith(".tfg") or not os.path.isfile(path):  # reading a pipe here would empty it
        return "program"
    with suppress(OSError, ValueError), open(path, "rb") as file:
        start = file.read(10_000)
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - len(_TABLE_END)))
        if file.read() == _TABLE_END:
            return "checkpoint"
        is_text = not re.search(rb"[\0-\x08\x0e-\x1f]", start)
        return "program" if is_text and start.strip() and not _TEXT_GRAPH.match(start) else "graph"
    return "program"  # reading it reports the error
