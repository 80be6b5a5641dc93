"""The ops of TensorFlow's that reach out of the graph: to files, the network, the terminal, or what runs the program.

A program has no call for them, whoever wrote it: what it may touch it names in its data, its sessions and its imports,
where it is checked. For other things its user gives it a function of Python's.
"""

import re
from collections.abc import Mapping

_READS = "reads files"
_WRITES = "writes files"
_TALKS = "talks to other machines"
_RUNS = "runs code that is not in the program"
_SETTLES = "changes the process that it runs in"
_SHOWS = "writes to the terminal by itself"

_BY_KIND = {
    _READS: """
        CSVDataset CSVDatasetV2 ExperimentalCSVDataset ExperimentalLMDBDataset ExperimentalMatchingFilesDataset
        ExperimentalSqlDataset FixedLengthRecordDataset FixedLengthRecordDatasetV2 FixedLengthRecordReader
        FixedLengthRecordReaderV2 GenerateVocabRemapping ImmutableConst InitializeTableFromTextFile
        InitializeTableFromTextFileV2 LMDBDataset LMDBReader ListSnapshotChunksDataset LoadAndRemapMatrix LoadDataset
        MatchingFiles MatchingFilesDataset ReadFile RecordInput Restore RestoreSlice RestoreV2 DTensorRestoreV2
        Skipgram SnapshotChunkDataset SnapshotDatasetReader SnapshotNestedDatasetReader SqlDataset TFRecordDataset
        TFRecordDatasetV2 TFRecordReader TFRecordReaderV2 TextLineDataset TextLineReader TextLineReaderV2
        WholeFileReader WholeFileReaderV2
    """,
    _WRITES: """
        CacheDataset CacheDatasetV2 CalibrationStatisticsSaver CloseSummaryWriter CreateSummaryDbWriter
        CreateSummaryFileWriter DatasetToTFRecord DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount
        DebugNumericSummary DistributedSave DumpTensor ExperimentalDatasetToTFRecord FlushSummaryWriter ImportEvent
        MergeV2Checkpoints Save SaveDataset SaveDatasetV2 SaveSlices SaveV2 SnapshotDataset SnapshotDatasetV2
        StatsAggregatorSetSummaryWriter SummaryWriter WriteAudioSummary WriteFile WriteGraphSummary
        WriteHistogramSummary WriteImageSummary WriteRawProtoSummary WriteScalarSummary WriteSummary
    """,
    _TALKS: """
        ConfigureAndInitializeGlobalTPU ConfigureDistributedTPU DataServiceDataset DataServiceDatasetV2
        DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset RegisterDatasetV2 RemoteCall RpcCall RpcCheckStatus
        RpcClient RpcGetValue RpcServer RpcServerRegister RpcServerStart ShutdownDistributedTPU
    """,
    _RUNS: """
        DatasetFromGraph EagerPyFunc MlirPassthroughOp PyFunc PyFuncStateless TPUCompile TPUExecute
        TPUExecuteAndUpdateVariables XlaCallModule XlaCustomCall XlaCustomCallV2
    """,
    _SETTLES: "Abort FileSystemSetConfiguration ShutdownTPUSystem WorkerHeartbeat XlaSparseGradientsStack",
    _SHOWS: "Print PrintV2",
}
REACHING: Mapping[str, str] = {name: what for what, names in _BY_KIND.items() for name in names.split()}

# Ops that reach out only where an attribute says so: what it may be, besides empty, and what the op does otherwise.
REACHING_BY: Mapping[str, tuple[str, str, str]] = {
    "Copy": ("debug_ops_spec", "", _WRITES),
    "CopyHost": ("debug_ops_spec", "", _WRITES),
    "DecodeProtoV2": ("descriptor_source", "(?s)local://|bytes://.*", _READS),
    "EncodeProto": ("descriptor_source", "(?s)local://|bytes://.*", _READS),
    "FixedUnigramCandidateSampler": ("vocab_file", "", _READS),
}

_INSTEAD = {
    _READS: "data is read with csv(...), npz(...) or parquet(...), variables with 'restore'",
    _WRITES: "variables are written with 'save', summaries with 'log', a model with 'export'",
    _SHOWS: "print it in a session: print x",
}


def reach(name: str, attributes: Mapping[str, object]) -> tuple[str, str]:
    """What an op of TensorFlow's reaches, in words, and what to use instead; two empty texts where it reaches nothing.

    `attributes` has the values of the attributes that are given.
    """
    what = REACHING.get(name, "")
    if name in REACHING_BY:
        attribute, allowed, otherwise = REACHING_BY[name]
        value = attributes.get(attribute)
        if value and not re.fullmatch(allowed, str(value)):
            what = f"with '{attribute}' {otherwise}"
    if not what:
        return "", ""
    instead = next((text for kind, text in _INSTEAD.items() if kind in what), "")
    return what, instead or "do it in a function of Python's, and give that with compile(..., ops=...)"
