"""The identity of a checkpoint: the program, its params, and the content of its data."""

import hashlib
from collections.abc import Iterator, Mapping

import numpy as np

from ...data.arrays import Dataset
from ...ops.named import STORED
from ...program import Program
from ...program.serialize import fingerprint

_BLOCK = 1 << 16  # rows of data to process together


def identity(program: Program) -> dict[str, object]:
    """The meaning of the program, its params and the declarations of its data, without the content of the data."""
    return {
        "graphs": {graph.name: fingerprint(graph) for graph in program.graphs},
        "sessions": [fingerprint(session) for session in program.sessions],
        "variables": {
            f"{graph.prefix}{node.name}": str(node.outputs[0]) for graph in program.graphs for node in graph.variables()
        },
        "arrays": {
            f"'{node.text('name')}' of {node.text('from')}": node.static("checksum")
            for graph in program.graphs
            for node in graph.nodes_of(STORED)
        },
        "params": {param.name: repr(param.value) for param in program.params},
        "data": {data.name: fingerprint((data.source, data.transforms, data.rows)) for data in program.data},
    }


def digest(dataset: Dataset) -> str:
    """The SHA-256 of all numbers of a data set, and of its text."""
    result = hashlib.sha256()
    schema = dataset.schema
    fields = [field for field in ("features", "target") if schema.is_complete(field)]
    taken = {*(schema.features if "features" in fields else ()), *(schema.targets if "target" in fields else ())}
    for part in dataset.parts or (dataset,):
        for array in map(part.array, fields):
            result.update(f"{array.dtype} {array.shape};".encode())
            for start in range(0, len(array), _BLOCK):
                result.update(np.ascontiguousarray(array[start : start + _BLOCK]).data)
    for name, values in dataset.columns_as_they_are(column for column in schema.table if column not in taken):
        result.update(f"{name} {values.dtype} {values.shape};".encode())
        result.update(np.ascontiguousarray(values).data)
    return result.hexdigest()


def differences(old: Mapping, new: Mapping) -> list[str]:
    """The differences between the program of a checkpoint and this one, in words."""
    result = [f"param '{name}' {change}" for name, change in changes(old["params"], new["params"])]
    declared = {name for name, _ in changes(old["data"], new["data"])}
    content = {name for name in old["contents"] if old["contents"][name] != new["contents"].get(name)}
    result += [f"data '{name}' changed" for name in sorted(declared | content)]
    result += [f"the array {name} changed" for name, _ in changes(old.get("arrays", {}), new["arrays"])]
    result += [f"variable '{name}' {change}" for name, change in changes(old["variables"], new["variables"])]
    if not result and old["graphs"] != new["graphs"]:
        result.append("the text of its graph changed")
    if not result and old["sessions"] != new["sessions"]:
        result.append("the text of its sessions changed")
    return result


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield name, "is gone"
        elif name not in old:
            yield name, "is new"
        elif old[name] != new[name]:
            # Digests mean nothing to a user; their own params and data do.
            yield name, f"was {old[name]} and is {new[name]}"
