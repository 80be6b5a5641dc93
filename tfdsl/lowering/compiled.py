"""Conditions under which ops fail that XLA does not report, as tensors that the graph itself can check.

TensorFlow's CPU kernels raise an error for an index out of range, an integer division by zero or a failed assertion.
XLA continues: it clamps the index, returns -1, drops the assertion. For a few valid values its results differ from
those of the kernels. So each type of op that XLA supports is in one of three tables. `SAFE` has the ops that never
fail, or fail only for values that XLA knows at compile time and reports. `CHECKS` has conditions for the others. `LOST`
has the ops whose failure cannot be predicted from their inputs; they are refused. XLA does not support a type that is
in none of the tables.
"""

from collections.abc import Callable

from .tf import NodeDef, Operand, op_def, tf

Condition = tf.Tensor | bool


class Unchecked(Exception):
    """Whether an op fails cannot be predicted; the text says why."""


class Inputs:
    """The inputs of an op by number, and its attributes. Raises `Unchecked` if one is not available."""

    def __init__(self, definition: NodeDef, tensor: Callable[[str], tf.Tensor | None]):
        self._definition, self._tensor = definition, tensor
        self._names = [name for name in definition.input if not name.startswith("^")]

    def __getitem__(self, number: int) -> tf.Tensor:
        tensor = self._tensor(self._names[number])
        if tensor is None:
            raise Unchecked
        return tensor

    def known(self, number: int) -> bool:
        """Whether an input is known at compile time. XLA then checks it itself."""
        tensor = self._tensor(self._names[number])
        return tensor is not None and tf.get_static_value(tensor) is not None

    def attr(self, name: str):
        attr = self._definition.attr
        if name in attr:
            return attr[name]
        definition = op_def(self._definition.op)
        assert definition is not None
        return next(one.default_value for one in definition.attr if one.name == name)

    def dtype(self, name: str = "T") -> tf.DType:
        return tf.as_dtype(self.attr(name).type)


SAFE = frozenset("""
    Abs Acos Acosh Add AddN AddV2 AdjustContrastv2 AdjustHue AdjustSaturation All Angle Any ApproximateEqual Asin
    Asinh AssignAddVariableOp AssignSubVariableOp AssignVariableOp Atan Atan2 Atanh AvgPool AvgPool3D
    AvgPool3DGrad AvgPoolGrad BatchMatMul BatchMatMulV2 BatchMatMulV3 BatchToSpace BatchToSpaceND BesselI0e BesselI1e
    Betainc BiasAdd BiasAddGrad BiasAddV1 Bitcast BitwiseAnd BitwiseOr BitwiseXor BroadcastArgs BroadcastGradientArgs
    BroadcastTo Bucketize Ceil ClipByValue Complex ComplexAbs Concat ConcatOffset ConcatV2 Conj
    ConjugateTranspose Const ControlTrigger Conv Conv2D Conv2DBackpropFilter Conv2DBackpropInput Conv3D
    Conv3DBackpropFilterV2 Conv3DBackpropInputV2 Cos Cosh Cross Cumprod Cumsum CumulativeLogsumexp DataFormatDimMap
    DataFormatVecPermute DepthToSpace DepthwiseConv2dNative DepthwiseConv2dNativeBackpropFilter
    DepthwiseConv2dNativeBackpropInput Diag DiagPart Digamma DivNoNan DynamicStitch Einsum Elu EluGrad Empty
    EmptyTensorList EnsureShape Equal Erf Erfc Erfinv Exp ExpandDims Expm1 ExtractImagePatches FFT FFT2D FFT3D FakeParam
    FakeQuantWithMinMaxArgs FakeQuantWithMinMaxArgsGradient FakeQuantWithMinMaxVars FakeQuantWithMinMaxVarsGradient
    FakeQuantWithMinMaxVarsPerChannel FakeQuantWithMinMaxVarsPerChannelGradient Fill Floor FusedBatchNorm
    FusedBatchNormGrad FusedBatchNormGradV2 FusedBatchNormGradV3 FusedBatchNormV2 FusedBatchNormV3 Greater GreaterEqual
    HSVToRGB IFFT IFFT2D IFFT3D IRFFT IRFFT2D IRFFT3D Identity IdentityN Igamma IgammaGradA Igammac Imag InTopKV2 Inv
    Invert IsFinite IsInf IsNan L2Loss LRN LRNGrad LeakyRelu LeakyReluGrad Less LessEqual Lgamma LinSpace
    ListDiff Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr LowerBound MatMul MatrixDiag MatrixDiagPart
    MatrixDiagPartV2 MatrixDiagPartV3 MatrixDiagV2 MatrixDiagV3 MatrixSetDiag MatrixSetDiagV2 MatrixSetDiagV3
    MatrixTriangularSolve MaxPool3DGrad MaxPool3DGradGrad MaxPoolGrad MaxPoolGradGrad
    MaxPoolGradGradV2 MaxPoolGradV2 Maximum Minimum MirrorPad MirrorPadGrad Mul MulNoNan Multinomial
    Ndtri Neg NextAfter NoOp NotEqual OneHot OnesLike Pack Pad PadV2 PlaceholderWithDefault Polygamma PopulationCount
    PreventGradient Prod Qr RFFT RFFT2D RFFT3D RGBToHSV RandomGammaGrad RandomShuffle RandomStandardNormal RandomUniform
    Range Rank ReadVariableOp Real RealDiv Reciprocal ReciprocalGrad Relu Relu6 Relu6Grad ReluGrad Reshape
    ResizeBilinear ResizeBilinearGrad ResizeNearestNeighbor ResourceApplyAdaMax ResourceApplyAdadelta
    ResourceApplyAdagrad ResourceApplyAdagradDA ResourceApplyAdagradV2 ResourceApplyAdam ResourceApplyAddSign
    ResourceApplyCenteredRMSProp ResourceApplyFtrl ResourceApplyFtrlV2 ResourceApplyGradientDescent
    ResourceApplyKerasMomentum ResourceApplyMomentum ResourceApplyPowerSign ResourceApplyProximalGradientDescent
    ResourceApplyRMSProp Reverse ReverseV2 Rint Roll Round Rsqrt RsqrtGrad Select SelectV2 Selu SeluGrad
    Shape ShapeN Sigmoid SigmoidGrad Sign Sin Sinh Size Snapshot Softmax SoftmaxCrossEntropyWithLogits Softplus
    SoftplusGrad Softsign SoftsignGrad SpaceToBatch SpaceToBatchND SpaceToDepth SparseMatMul Split SplitV Sqrt SqrtGrad
    Square SquaredDifference Squeeze StatelessMultinomial StatelessRandomGetAlg StatelessRandomGetKeyCounter
    StatelessRandomGetKeyCounterAlg StatelessRandomNormal StatelessRandomNormalV2 StatelessRandomUniform
    StatelessRandomUniformFullInt StatelessRandomUniformFullIntV2 StatelessRandomUniformV2 StatelessTruncatedNormal
    StatelessTruncatedNormalV2 StopGradient Sub Sum Tan Tanh TanhGrad TensorListConcatV2 TensorListElementShape
    TensorListFromTensor TensorListGather TensorListGetItem TensorListLength TensorListPopBack TensorListPushBack
    TensorListReserve TensorListSetItem TensorListSplit TensorListStack Tile ToBool Transpose TridiagonalMatMul
    TruncatedNormal Unique UniqueV2 Unpack UpperBound VarIsInitializedOp VariableShape Where Xdivy
    Xlog1py Xlogy ZerosLike Zeta
""".split())  # fmt: skip

# Ops that call functions. The ops in those functions are checked.
CALLS = frozenset(
    "Case If PartitionedCall StatefulPartitionedCall StatelessCase StatelessIf StatelessWhile While".split()
)

LOST = frozenset("""
    ApproxTopK AssignVariableXlaConcatND CollectiveAssignGroupV2 CollectiveReduceV2 Dequantize DeviceIndex MatrixInverse
    MatrixSolve ParallelDynamicStitch ParameterizedTruncatedNormal ReadVariableXlaSplitND
    RngReadAndSkip RngSkip SegmentMaxV2 SegmentMinV2 SegmentProdV2 SegmentSumV2 SparseToDense StackCloseV2 StackPopV2
    StackPushV2 StackV2 StatefulStandardNormalV2 StatefulTruncatedNormal StatefulUniform StatefulUniformFullInt
    StatefulUniformInt StatelessParameterizedTruncatedNormal StochasticCastToInt SymbolicGradient
    TensorArrayCloseV3 TensorArrayConcatV3 TensorArrayGatherV3 TensorArrayGradV3 TensorArrayReadV3
    TensorArrayScatterV3 TensorArraySizeV3 TensorArraySplitV3 TensorArrayV3 TensorArrayWriteV3 TridiagonalSolve
    UniformDequantize UniformQuantize UniformQuantizedAdd UniformQuantizedClipByValue UniformQuantizedConvolution
    UniformQuantizedDot UniformRequantize
""".split())  # fmt: skip


def condition(definition: NodeDef, tensor: Callable[[str], tf.Tensor | None]) -> Condition:
    """The condition under which an op does not fail. `tensor` returns an input tensor by name, or None if it is not
    available. Raises `Unchecked` if there is no such condition."""
    type = definition.op
    if type in SAFE or type in CALLS:
        return True
    if type in LOST or type.startswith("Xla"):
        raise Unchecked(f"{type} fails for some values, and XLA would continue with wrong ones")
    if type.startswith("Optional"):
        raise Unchecked("the gradient of an 'if' uses optional values, which XLA does not support")
    if type not in CHECKS:
        raise Unchecked(f"XLA does not support {type}")
    try:
        return CHECKS[type](Inputs(definition, tensor))
    except Unchecked:
        raise Unchecked(f"{type} may fail in a 'while' or an 'if', and XLA would not report it") from None


# --- conditions ---------------------------------------------------------------------------


def _all(condition: tf.Tensor) -> tf.Tensor:
    return tf.reduce_all(condition)


def _below(indices: tf.Tensor, limit: Operand) -> tf.Tensor:
    """All indices are in range."""
    return _all((indices >= 0) & (indices < tf.cast(limit, indices.dtype)))


def _each_below(indices: tf.Tensor, shape: tf.Tensor) -> tf.Tensor:
    """All indices into several axes are in range. Each row is one index."""
    return _below(indices, shape[: indices.shape.as_list()[-1]])


def _variable_shape(handle: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.VariableShape(input=handle)


def _gather(op: Inputs) -> Condition:
    params, indices = op[0], op[1]
    axis = tf.get_static_value(op[2])
    if axis is None or (axis < 0 and params.shape.rank is None):
        raise Unchecked
    return _below(indices, tf.shape(params)[int(axis) + (params.shape.rank if axis < 0 else 0)])


def _strided_slice(shape: Callable[[Inputs], tf.Tensor], begin: int) -> Callable[[Inputs], Condition]:
    """Each index that selects one element of an axis is in range. A slice beyond the end is empty."""

    def check(op: Inputs) -> Condition:
        shrink, new, ellipsis = (op.attr(f"{name}_mask").i for name in ("shrink_axis", "new_axis", "ellipsis"))
        if not shrink or op.known(begin):
            return True
        sizes, starts = shape(op), op[begin]
        (rank,), (count,) = sizes.shape.as_list(), starts.shape.as_list()
        if rank is None or count is None:
            raise Unchecked
        conditions, axis = [], 0
        for at in range(count):
            if ellipsis >> at & 1:
                axis = rank - sum(not new >> after & 1 for after in range(at + 1, count))
            elif not new >> at & 1:
                if shrink >> at & 1:
                    size = tf.cast(sizes[axis], starts.dtype)
                    conditions.append((starts[at] >= -size) & (starts[at] < size))
                axis += 1
        return _all(tf.stack(conditions))

    return check


def _slice(op: Inputs) -> Condition:
    if op.known(1) and op.known(2):
        return True
    begin, size = op[1], op[2]
    end = tf.where(tf.equal(size, -1), begin, begin + size)
    return _all((begin >= 0) & (end <= tf.shape(op[0], out_type=begin.dtype)))


def _divisor(op: Inputs) -> Condition:
    return _all(tf.not_equal(op[1], 0)) if op.dtype().is_integer else True


def _shift(op: Inputs) -> Condition:
    """The shift is less than the width. Otherwise kernels shift by the width, and XLA returns 0."""
    return _all((op[1] >= 0) & (op[1] < 8 * op.dtype().size))


def _cast(op: Inputs) -> Condition:
    """A float is in the range of the integer dtype. For others, kernels and XLA return different values."""
    source, target = op.dtype("SrcT"), op.dtype("DstT")
    if not source.is_floating or not target.is_integer:
        return True
    x = tf.cast(op[0], tf.float64 if source == tf.float64 else tf.float32)
    return _all((x > float(target.min) - 1.0) & (x < float(target.max) + 1.0))


def _segments(op: Inputs) -> Condition:
    return _all(op[1] < tf.cast(op[2], op[1].dtype))


def _numbers(op: Inputs) -> Condition:
    """There is no NaN. XLA may skip one when it searches for the maximum, and returns another index."""
    dtype = op[0].dtype
    return tf.logical_not(tf.reduce_any(tf.math.is_nan(op[0]))) if dtype.is_floating else True


def _mean(op: Inputs) -> Condition:
    """The sum fits too: kernels add 32-bit numbers in 64 bits."""
    dtype = op.dtype()
    if dtype not in (tf.int32, tf.uint32):
        return True
    total = tf.reduce_sum(tf.cast(op[0], tf.int64), op[1])
    return _all((total >= dtype.min) & (total <= dtype.max))


def _power(op: Inputs) -> Condition:
    return _all(op[1] >= 0) if op.dtype().is_integer else True


def _band(op: Inputs) -> Condition:
    rows, columns = tf.unstack(tf.shape(op[0], out_type=tf.int64)[-2:])
    return (tf.cast(op[1], tf.int64) <= rows) & (tf.cast(op[2], tf.int64) <= columns)


def _permutation(op: Inputs) -> Condition:
    return _all(tf.equal(tf.sort(op[0]), tf.range(tf.size(op[0], op[0].dtype), dtype=op[0].dtype)))


def _sequences(op: Inputs) -> Condition:
    lengths = op[1]
    return _all((lengths >= 0) & (lengths <= tf.shape(op[0], out_type=lengths.dtype)[op.attr("seq_dim").i]))


def _given_range(op: Inputs) -> Condition:
    return _all(op[1] <= op[2]) if op.attr("range_given").b else True


CHECKS: dict[str, Callable[[Inputs], Condition]] = {
    "Assert": lambda op: op[0],
    "CheckNumerics": lambda op: _all(tf.math.is_finite(op[0])),
    "Cholesky": lambda op: _all(tf.linalg.diag_part(tf.linalg.cholesky(op[0])) > 0),  # otherwise the kernel returns NaN
    **dict.fromkeys(("SelfAdjointEigV2", "Svd"), lambda op: _all(tf.math.is_finite(tf.abs(op[0])))),
    "Gather": lambda op: _below(op[1], tf.shape(op[0])[0]),
    "GatherV2": _gather,
    "GatherNd": lambda op: _each_below(op[1], tf.shape(op[0])),
    "ResourceGather": lambda op: _below(op[1], _variable_shape(op[0])[op.attr("batch_dims").i]),
    "ScatterNd": lambda op: _each_below(op[0], op[2]),
    **{f"TensorScatter{how}": lambda op: _each_below(op[1], tf.shape(op[0]))
       for how in ("Add", "Max", "Min", "Sub", "Update")},
    **{f"ResourceScatter{how}": lambda op: _below(op[1], _variable_shape(op[0])[0])
       for how in ("Add", "Div", "Max", "Min", "Mul", "Sub", "Update")},
    **{f"ResourceScatterNd{how}": lambda op: _each_below(op[1], _variable_shape(op[0]))
       for how in ("Add", "Sub", "Update")},
    **dict.fromkeys(("UnsortedSegmentMax", "UnsortedSegmentMin"), lambda op: _segments(op) & _numbers(op)),
    **dict.fromkeys(("UnsortedSegmentProd", "UnsortedSegmentSum"), _segments),
    "StridedSlice": _strided_slice(lambda op: tf.shape(op[0]), 1),
    "StridedSliceGrad": _strided_slice(lambda op: op[0], 1),
    "ResourceStridedSliceAssign": _strided_slice(lambda op: _variable_shape(op[0]), 1),
    "TensorStridedSliceUpdate": _strided_slice(lambda op: tf.shape(op[0]), 1),
    "Slice": _slice,
    "DynamicPartition": lambda op: _below(op[1], op.attr("num_partitions").i),
    "ReverseSequence": _sequences,
    "InvertPermutation": _permutation,
    "SparseSoftmaxCrossEntropyWithLogits": lambda op: _below(op[1], tf.shape(op[0])[1]),
    "Bincount": lambda op: _all(op[0] >= 0),
    "DenseBincount": lambda op: _all(op[0] >= 0),
    **dict.fromkeys(("Div", "FloorDiv", "FloorMod", "Mod", "TruncateDiv", "TruncateMod"), _divisor),
    **dict.fromkeys(("ArgMax", "ArgMin", "Max", "MaxPool", "MaxPool3D", "MaxPoolV2", "Min", "TopKV2"), _numbers),
    "Mean": _mean,
    "Pow": _power,
    "LeftShift": _shift,
    "RightShift": _shift,
    "Cast": _cast,
    "MatrixBandPart": _band,
    "RandomUniformInt": lambda op: op[1] < op[2],
    "StatelessRandomUniformInt": lambda op: op[2] < op[3],
    "StatelessRandomUniformIntV2": lambda op: op[4] < op[5],
    **{f"QuantizeAndDequantizeV{version}": _given_range for version in (2, 3, 4)},
    **{f"NonMaxSuppressionV{version}": lambda op: (op[3] >= 0) & (op[3] <= 1) for version in (3, 4)},
    "ResourceApplyProximalAdagrad": lambda op: (op[2] > 0) & (op[3] >= 0) & (op[4] >= 0),
}  # fmt: skip
