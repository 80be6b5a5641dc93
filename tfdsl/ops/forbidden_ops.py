"""What TensorFlow ops reach: every op has a class, on its line of `raw_ops.txt`.

Some ops stay in the graph. The others reach files, the network, the terminal or the process, or return values
that depend on the moment. They can be nodes of a program, since graphs made elsewhere have them, but programs cannot
execute them. A program names the files it uses in its data, sessions and imports, where they are checked; for anything
else, its user passes a Python function. An op without a class is refused.
"""

import re
from collections.abc import Mapping

from . import raw

# Classes that stay in the graph.
INSIDE: Mapping[str, str] = {
    "values": "makes values of its inputs",
    "session": "keeps or reads something in the session: a variable, a table, a queue, an iterator, a random generator",
    "host": "sees the clock, the threads or the settings of the process, and changes none for others",
}

_READS = "reads files"
_WRITES = "writes files"
_SHOWS = "writes to the terminal by itself"
_RACES = "adds its inputs in the order in which they are ready"
OUTSIDE: Mapping[str, str] = {
    "reads": _READS,
    "writes": _WRITES,
    "talks": "talks to other devices, processes or machines",
    "runs": "runs code that is not in the program",
    "settles": "changes the process that it runs in",
    "shows": _SHOWS,
    "races": _RACES,
    "tpu": "works with a TPU of the machine",
}
UNCLASSED = "?"
_UNKNOWN = "may reach outside the graph (nobody has given it a class)"

# Ops that reach out only if an attribute asks for it: its harmless value, besides empty, and what the op does
# otherwise.
REACHING_BY: Mapping[str, tuple[str, str, str]] = {
    "Copy": ("debug_ops_spec", "", _WRITES),
    "CopyHost": ("debug_ops_spec", "", _WRITES),
    "DecodeProtoV2": ("descriptor_source", "(?s)local://|bytes://.*", _READS),
    "EncodeProto": ("descriptor_source", "(?s)local://|bytes://.*", _READS),
    "FixedUnigramCandidateSampler": ("vocab_file", "", _READS),
}

# Ops of these classes that TensorFlow considers pure functions of their inputs: it may execute them while it builds a
# graph, to infer the shapes of ops that depend on them. Only ops that change a variable or another object of the
# session can take their outputs, because TensorFlow never executes such ops while it builds a graph.
EVALUATED = frozenset("""
    Abort CacheDataset CopyToMesh CopyToMeshGrad DTensorAllGather DTensorAllReduce DTensorAllScatter DTensorAllToAll
    DTensorReduceScatter DatasetFromGraph DebugIdentity DebugNanCount DebugNumericSummary GenerateVocabRemapping
    ImmutableConst InitializeTableFromTextFile MatchingFiles MlirPassthroughOp PyFuncStateless ReadFile RegisterDataset
    RegisterDatasetV2 Relayout RelayoutLike SnapshotChunkDataset SnapshotDataset SnapshotDatasetReader
    SnapshotDatasetV2 SnapshotNestedDatasetReader XlaAllReduce XlaCustomCall XlaCustomCallV2 XlaReduceScatter
    XlaSparseGradientsStack
""".split())  # fmt: skip

_INSTEAD = {
    _READS: "data is read with 'data', such as data d = csv(...), variables with 'restore'",
    _WRITES: "variables are written with 'save', summaries with 'log', a model with 'export'",
    _SHOWS: "print it in a session: print x",
    _RACES: "add_n([...]) adds them in their own order",
}


def may_be_executed(op: raw.RawOp) -> bool:
    """Whether TensorFlow may execute an op that reaches outside the graph while it builds one."""
    return op.tf in EVALUATED or op.tf in REACHING_BY or op.reaches == UNCLASSED


def keeps(op: raw.RawOp) -> bool:
    """Whether an op takes a variable or another object of the session as an input, or reaches outside the graph."""
    return any(one.takes_variable for one in op.inputs) or op.reaches not in INSIDE


def barred() -> list[str]:
    """The TensorFlow names of the ops that no program can execute."""
    return [name for name in raw.names() if (op := raw.find(name)) and op.reaches not in INSIDE]


def reach(op: raw.RawOp, attributes: Mapping[str, object]) -> tuple[str, str]:
    """What a TensorFlow op reaches, in words, and what to use instead. Two empty texts if it reaches nothing.

    `attributes` has the values of the given attributes.
    """
    what = "" if op.reaches in INSIDE else OUTSIDE.get(op.reaches, _UNKNOWN)
    if op.tf in REACHING_BY:
        attribute, allowed, otherwise = REACHING_BY[op.tf]
        value = attributes.get(attribute)
        if value and not re.fullmatch(allowed, str(value)):
            what = f"with '{attribute}' {otherwise}"
    if not what:
        return "", ""
    instead = next((text for kind, text in _INSTEAD.items() if kind in what), "")
    return what, instead or "do it in a Python function and pass that function with compile(..., ops=...)"
