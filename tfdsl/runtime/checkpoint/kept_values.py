"""The values of a session's names, as bytes: for the files of a checkpoint, and for the memory of servers.

A line of JSON says which fields there are, and how many bytes each has; their bytes follow.
"""

import json
from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from ...lowering.tf import tf
from ...program import Statement, walk
from ..execution.kept import Kept
from ..files.durable_io import CorruptFile

_Facts = dict[str, Any]  # JSON


def needed(statements: Iterable[Statement], at_first: bool = False) -> set[str]:
    """The names whose values some statements need, those of data among them; with `at_first` only those that they need
    before they give them values themselves."""
    names: set[str] = set()
    given: set[str] = set()
    for uses in (one.uses() for one in walk(statements)):
        data = () if uses.data is None else uses.data[:1]
        names |= {*uses.session_names, *data, *(() if at_first else uses.remembers)} - given
        given |= set(uses.binds) if at_first else set()
    return names


def encoded(kept: Kept) -> bytes:
    fields: list[_Facts] = []
    contents: list[bytes] = []
    for name, value in kept.fields.items():
        facts, content = _field(value)
        fields.append({"name": name, **facts, "bytes": len(content)})
        contents.append(content)
    head = {"rows": kept.rows, "columns": kept.columns, "fields": fields}
    return json.dumps(head).encode() + b"\n" + b"".join(contents)


def _field(value: object) -> tuple[_Facts, bytes]:
    match value:
        case str() | bool() | int() | float() | list() | None:
            return {"kind": "plain"}, json.dumps(value).encode()
        case complex():
            return {"kind": "complex"}, json.dumps([value.real, value.imag]).encode()
        case bytes():
            return {"kind": "bytes"}, value
    array = np.asarray(value)
    facts = {"shape": array.shape, "scalar": not isinstance(value, np.ndarray)}
    if array.dtype.kind not in "OSU":
        return {"kind": "array", "dtype": tf.as_dtype(array.dtype).name, **facts}, np.ascontiguousarray(array).tobytes()
    texts = [one if isinstance(one, bytes) else str(one).encode("utf-8", "surrogatepass") for one in array.flat]
    lengths = np.array([len(one) for one in texts], np.int64)
    return {"kind": "texts", **facts}, lengths.tobytes() + b"".join(texts)


def decoded(content: bytes) -> Kept:
    """The inverse of `encoded`. Raises `CorruptFile`."""
    try:
        line, _, rest = content.partition(b"\n")
        head = json.loads(line)
        fields: dict[str, object] = {}
        at = 0
        for facts in head["fields"]:
            size = facts["bytes"]
            if not (isinstance(size, int) and 0 <= size <= len(rest) - at):
                raise ValueError
            fields[str(facts["name"])] = _value(facts, rest[at : at + size])
            at += size
        return Kept(fields, tuple(map(str, head["columns"])), int(head["rows"]))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        raise CorruptFile("a value of the session is not as written") from None


def _value(facts: _Facts, content: bytes) -> object:
    match facts["kind"]:
        case "plain":
            return json.loads(content)
        case "complex":
            return complex(*json.loads(content))
        case "bytes":
            return content
        case "array":
            dtype = np.dtype(tf.as_dtype(facts["dtype"]).as_numpy_dtype)
            array = np.frombuffer(content, dtype).reshape(facts["shape"]).copy()
        case "texts":
            count = prod(facts["shape"])
            lengths = np.frombuffer(content[: 8 * count], np.int64)
            ends = 8 * count + np.cumsum(lengths)
            if len(lengths) != count or (lengths < 0).any() or (count and ends[-1] != len(content)):
                raise ValueError
            array = np.empty(facts["shape"], object)
            array.reshape(-1)[:] = [content[end - size : end] for end, size in zip(ends, lengths, strict=True)]
        case _:
            raise ValueError
    return array[()] if facts["scalar"] else array
