"""How an op of a TensorFlow graph is written as a call: the table by which `tfdsl lift` goes back from nodes to source.

A line gives the call that builds the node. Its positional arguments are the inputs of the TensorFlow op, in order; an
argument `param=attr` has the value of an attribute. `attr!value` requires an attribute to have this value, or with
`attr!one|another` one of several. All other attributes must follow from the inputs or have their defaults; otherwise
the node has no call. Current TensorFlow builds some ops as a different op that computes the same, such as `Add` as
`AddV2`.
"""

import re
from collections.abc import Iterator
from functools import cache

from ..record import Record
from . import OPS
from .op import Op
from .optimizers import OPTIMIZERS, OptimizerRow

_TABLE = """
Neg = negative(x)
Square = square(x)
Sqrt = sqrt(x)
Rsqrt = rsqrt(x)
Exp = exp(x)
Expm1 = expm1(x)
Log = log(x)
Log1p = log1p(x)
Sin = sin(x)
Cos = cos(x)
Tan = tan(x)
Asin = asin(x)
Acos = acos(x)
Atan = atan(x)
Sinh = sinh(x)
Cosh = cosh(x)
Tanh = tanh(x)
Asinh = asinh(x)
Acosh = acosh(x)
Atanh = atanh(x)
Sigmoid = sigmoid(x)
Sign = sign(x)
Reciprocal = reciprocal(x)
Inv = reciprocal(x)
Erf = erf(x)
Erfc = erfc(x)
Erfinv = erfinv(x)
Ndtri = ndtri(x)
Lgamma = lgamma(x)
Digamma = digamma(x)
BesselI0e = bessel_i0e(x)
BesselI1e = bessel_i1e(x)
Floor = floor(x)
Ceil = ceil(x)
Round = round(x)
Rint = rint(x)
Abs = abs(x)
IsNan = is_nan(x)
IsInf = is_inf(x)
IsFinite = is_finite(x)
LogicalNot = logical_not(x)
Invert = invert(x)
Add = add(x, y)
AddV2 = add(x, y)
Sub = subtract(x, y)
Mul = multiply(x, y)
RealDiv = truediv(x, y)
Div = divide(x, y)
FloorDiv = floordiv(x, y)
FloorMod = floormod(x, y)
TruncateDiv = truncatediv(x, y)
TruncateMod = truncatemod(x, y)
Mod = truncatemod(x, y)
DivNoNan = divide_no_nan(x, y)
MulNoNan = multiply_no_nan(x, y)
Maximum = maximum(x, y)
Minimum = minimum(x, y)
SquaredDifference = squared_difference(x, y)
Xlogy = xlogy(x, y)
Xlog1py = xlog1py(x, y)
Xdivy = xdivy(x, y)
Pow = pow(x, y)
Atan2 = atan2(y, x)
Igamma = igamma(a, x)
Igammac = igammac(a, x)
Polygamma = polygamma(a, x)
Zeta = zeta(x, q)
NextAfter = nextafter(x1, x2)
Betainc = betainc(a, b, x)
BitwiseAnd = bitwise_and(x, y)
BitwiseOr = bitwise_or(x, y)
BitwiseXor = bitwise_xor(x, y)
LeftShift = left_shift(x, y)
RightShift = right_shift(x, y)
Equal = equal(x, y)
NotEqual = not_equal(x, y)
Less = less(x, y)
LessEqual = less_equal(x, y)
Greater = greater(x, y)
GreaterEqual = greater_equal(x, y)
LogicalAnd = logical_and(x, y)
LogicalOr = logical_or(x, y)
AddN = add_n(inputs)
ClipByValue = clip_by_value(t, clip_value_min, clip_value_max)
Complex = complex(real, imag)
Real = real(input)
Imag = imag(input)
Angle = angle(input)
Conj = conj(x)
Sum = reduce_sum(input_tensor, axis, keepdims=keep_dims)
Mean = reduce_mean(input_tensor, axis, keepdims=keep_dims)
Max = reduce_max(input_tensor, axis, keepdims=keep_dims)
Min = reduce_min(input_tensor, axis, keepdims=keep_dims)
Prod = reduce_prod(input_tensor, axis, keepdims=keep_dims)
Any = reduce_any(input_tensor, axis, keepdims=keep_dims)
All = reduce_all(input_tensor, axis, keepdims=keep_dims)
EuclideanNorm = reduce_euclidean_norm(input_tensor, axis, keepdims=keep_dims)
ArgMax = argmax(input, axis, output_type=output_type)
ArgMin = argmin(input, axis, output_type=output_type)
Cumsum = cumsum(x, axis, exclusive=exclusive, reverse=reverse)
Cumprod = cumprod(x, axis, exclusive=exclusive, reverse=reverse)
SegmentSum = segment_sum(data, segment_ids)
SegmentProd = segment_prod(data, segment_ids)
SegmentMax = segment_max(data, segment_ids)
SegmentMin = segment_min(data, segment_ids)
SegmentMean = segment_mean(data, segment_ids)
UnsortedSegmentSum = unsorted_segment_sum(data, segment_ids, num_segments)
UnsortedSegmentProd = unsorted_segment_prod(data, segment_ids, num_segments)
UnsortedSegmentMax = unsorted_segment_max(data, segment_ids, num_segments)
UnsortedSegmentMin = unsorted_segment_min(data, segment_ids, num_segments)
SparseSegmentSum = sparse_segment_sum(data, indices, segment_ids)
SparseSegmentMean = sparse_segment_mean(data, indices, segment_ids)
SparseSegmentSqrtN = sparse_segment_sqrt_n(data, indices, segment_ids)
ZerosLike = zeros_like(tensor)
OnesLike = ones_like(tensor)
Fill = fill(dims, value)
OneHot = one_hot(indices, depth, on_value, off_value, axis=axis)
Shape = shape(input, out_type=out_type)
Size = size(input, out_type=out_type)
Rank = rank(input)
Identity = identity(input)
StopGradient = stop_gradient(input)
Cast = cast(x, dtype=DstT)
Bitcast = bitcast(input, type=type)
EnsureShape = ensure_shape(x, shape=shape)
Reshape = reshape(tensor, shape)
Transpose = transpose(a, perm)
ExpandDims = expand_dims(input, axis)
Squeeze = squeeze(input, axis=squeeze_dims)
BroadcastTo = broadcast_to(input, shape)
Pad = pad(tensor, paddings)
PadV2 = pad(tensor, paddings, constant_values)
Tile = tile(input, multiples)
Roll = roll(input, shift, axis)
ReverseV2 = reverse(tensor, axis)
ReverseSequence = reverse_sequence(input, seq_lengths, seq_axis=seq_dim, batch_axis=batch_dim)
SpaceToDepth = space_to_depth(input, block_size=block_size)
DepthToSpace = depth_to_space(input, block_size=block_size)
ConcatV2 = concat(values, axis)
Concat = concat(axis, values)
Pack = stack(values, axis=axis)
Unpack = unstack(value, num=num, axis=axis)
Split = split(axis, value, num_or_size_splits=num_split)
SplitV = split(value, num_or_size_splits, axis)
DynamicPartition = dynamic_partition(data, partitions, num_partitions=num_partitions)
Gather = gather(params, indices)
GatherV2 = gather(params, indices, axis, batch_dims=batch_dims)
ResourceGather = gather(params, indices, batch_dims=batch_dims)
GatherNd = gather_nd(params, indices)
Select = where(condition, x, y)
SelectV2 = where_v2(condition, x, y)
Where = where(condition)
Slice = slice(input_, begin, size)
StridedSlice = strided_slice(input_, begin, end, strides, begin_mask=begin_mask, end_mask=end_mask, \
ellipsis_mask=ellipsis_mask, new_axis_mask=new_axis_mask, shrink_axis_mask=shrink_axis_mask)
TopKV2 = top_k(input, k, sorted=sorted)
Unique = unique(x, out_idx=out_idx)
UniqueWithCounts = unique_with_counts(x, out_idx=out_idx)
ListDiff = setdiff1d(x, y)
InvertPermutation = invert_permutation(x)
ScatterNd = scatter_nd(indices, updates, shape)
TensorScatterUpdate = tensor_scatter_nd_update(tensor, indices, updates)
TensorScatterAdd = tensor_scatter_nd_add(tensor, indices, updates)
TensorScatterSub = tensor_scatter_nd_sub(tensor, indices, updates)
MatMul = matmul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)
BatchMatMul = matmul(a, b, adjoint_a=adj_x, adjoint_b=adj_y)
BatchMatMulV2 = matmul(a, b, adjoint_a=adj_x, adjoint_b=adj_y)
Cross = cross(a, b)
MatrixInverse = matrix_inverse(input, adjoint=adjoint)
MatrixDeterminant = matrix_determinant(input)
Cholesky = cholesky(input)
Qr = qr(input, full_matrices=full_matrices)
MatrixBandPart = matrix_band_part(input, num_lower, num_upper)
MatrixSolve = matrix_solve(matrix, rhs, adjoint=adjoint)
MatrixTriangularSolve = matrix_triangular_solve(matrix, rhs, lower=lower, adjoint=adjoint)
Diag = diag(diagonal)
DiagPart = diag_part(input)
FFT = fft(input)
IFFT = ifft(input)
FFT2D = fft2d(input)
IFFT2D = ifft2d(input)
Relu = relu(features)
Relu6 = relu6(features)
Elu = elu(features)
Selu = selu(features)
Softplus = softplus(features)
Softsign = softsign(features)
LeakyRelu = leaky_relu(features, alpha=alpha)
Softmax = softmax(logits)
LogSoftmax = log_softmax(logits)
Conv2D = conv2d(input, filter, strides=strides, padding=padding, data_format=data_format, dilations=dilations)
Conv3D = conv3d(input, filter, strides=strides, padding=padding, data_format=data_format, dilations=dilations)
DepthwiseConv2dNative = depthwise_conv2d(input, filter, strides=strides, padding=padding, data_format=data_format)
Conv2DBackpropInput = conv2d_transpose(output_shape, filter, value, strides=strides, padding=padding, \
data_format=data_format)
MaxPool = max_pool(value, ksize=ksize, strides=strides, padding=padding, data_format=data_format)
AvgPool = avg_pool(value, ksize=ksize, strides=strides, padding=padding, data_format=data_format)
MaxPool3D = max_pool3d(input, ksize=ksize, strides=strides, padding=padding, data_format=data_format)
AvgPool3D = avg_pool3d(input, ksize=ksize, strides=strides, padding=padding, data_format=data_format)
Dilation2D = dilation2d(input, filter, strides=strides, rates=rates, padding=padding)
BiasAdd = bias_add(value, bias, data_format=data_format)
L2Loss = l2_loss(t)
SparseSoftmaxCrossEntropyWithLogits = sparse_softmax_cross_entropy_with_logits(logits, labels) first
LRN = lrn(input, depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta)
InTopK = in_top_k(predictions, targets, k=k)
InTopKV2 = in_top_k(predictions, targets, k)
CheckNumerics = check_numerics(tensor, message=message)
RandomShuffle = random_shuffle(value, seed=seed2)
Multinomial = multinomial(logits, num_samples, seed=seed2, output_dtype=output_dtype)
RandomStandardNormal = random_normal(shape, dtype=dtype, seed=seed2)
TruncatedNormal = truncated_normal(shape, dtype=dtype, seed=seed2)
RandomUniform = random_uniform(shape, dtype=dtype, seed=seed2)
RandomUniformInt = random_uniform(shape, minval, maxval, dtype=Tout, seed=seed2)
Assign = assign(ref, value)
AssignVariableOp = assign(ref, value, validate_shape!true|false)
ReadVariableOp = identity(input)
AssignAdd = assign_add(ref, value)
AssignAddVariableOp = assign_add(ref, value)
AssignSub = assign_sub(ref, value)
AssignSubVariableOp = assign_sub(ref, value)
ScatterUpdate = scatter_update(ref, indices, updates)
ScatterAdd = scatter_add(ref, indices, updates)
ScatterSub = scatter_sub(ref, indices, updates)
ScatterMul = scatter_mul(ref, indices, updates)
ScatterDiv = scatter_div(ref, indices, updates)
NoOp = no_op()
AsString = as_string(input, precision=precision, scientific=scientific, shortest=shortest, width=width, fill=fill)
StringJoin = string_join(inputs, separator=separator)
StringToNumber = string_to_number(string_tensor, out_type=out_type)
StringToHashBucketFast = string_to_hash_bucket_fast(input, num_buckets=num_buckets)
DecodeRaw = decode_raw(input_bytes, out_type=out_type, little_endian!true)
DecodePng = decode_png(contents, channels=channels, dtype=dtype)
DecodeJpeg = decode_jpeg(contents, channels=channels, ratio=ratio, fancy_upscaling=fancy_upscaling, \
try_recover_truncated=try_recover_truncated, acceptable_fraction=acceptable_fraction)
EncodePng = encode_png(image, compression=compression)
ResizeBilinear = resize_bilinear(images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers)
ResizeBicubic = resize_bicubic(images, size, align_corners=align_corners, half_pixel_centers=half_pixel_centers)
ResizeArea = resize_area(images, size, align_corners=align_corners)
ResizeNearestNeighbor = resize_nearest_neighbor(images, size, align_corners=align_corners, \
half_pixel_centers=half_pixel_centers)
RGBToHSV = rgb_to_hsv(images)
HSVToRGB = hsv_to_rgb(images)
CropAndResize = crop_and_resize(image, boxes, box_ind, crop_size)
"""

# The ops that change a variable in a step of an optimizer, with their inputs: arguments of the optimizer by their
# names, `var`, `grad` (and `indices`), and slots, which the optimizer makes.
_STEPS = """
ApplyGradientDescent = gradient_descent(var, learning_rate, grad)
ApplyMomentum = momentum(var, accum, learning_rate, grad, momentum, use_nesterov=use_nesterov)
ApplyAdam = adam(var, m, v, beta1_power, beta2_power, learning_rate, beta1, beta2, epsilon, grad)
ApplyRMSProp = rmsprop(var, ms, mom, learning_rate, decay, momentum, epsilon, grad)
ApplyCenteredRMSProp = rmsprop(var, mg, ms, mom, learning_rate, decay, momentum, epsilon, grad)
ApplyAdagrad = adagrad(var, accum, learning_rate, grad)
ApplyAdadelta = adadelta(var, accum, accum_update, learning_rate, rho, epsilon, grad)
ApplyFtrl = ftrl(var, accum, linear, grad, learning_rate, l1_regularization_strength, \
l2_regularization_strength, learning_rate_power)
ApplyFtrlV2 = ftrl(var, accum, linear, grad, learning_rate, l1_regularization_strength, \
l2_regularization_strength, l2_shrinkage_regularization_strength, learning_rate_power)
ApplyProximalGradientDescent = proximal_gradient_descent(var, learning_rate, l1_regularization_strength, \
l2_regularization_strength, grad)
ApplyProximalAdagrad = proximal_adagrad(var, accum, learning_rate, l1_regularization_strength, \
l2_regularization_strength, grad)
SparseApplyMomentum = momentum(var, accum, learning_rate, grad, indices, momentum, use_nesterov=use_nesterov)
SparseApplyRMSProp = rmsprop(var, ms, mom, learning_rate, decay, momentum, epsilon, grad, indices)
SparseApplyAdagrad = adagrad(var, accum, learning_rate, grad, indices)
SparseApplyAdadelta = adadelta(var, accum, accum_update, learning_rate, rho, epsilon, grad, indices)
SparseApplyFtrl = ftrl(var, accum, linear, grad, indices, learning_rate, l1_regularization_strength, \
l2_regularization_strength, learning_rate_power)
SparseApplyFtrlV2 = ftrl(var, accum, linear, grad, indices, learning_rate, l1_regularization_strength, \
l2_regularization_strength, l2_shrinkage_regularization_strength, learning_rate_power)
SparseApplyProximalGradientDescent = proximal_gradient_descent(var, learning_rate, l1_regularization_strength, \
l2_regularization_strength, grad, indices)
SparseApplyProximalAdagrad = proximal_adagrad(var, accum, learning_rate, l1_regularization_strength, \
l2_regularization_strength, grad, indices)
"""

_LINE = re.compile(r"(\w+) = (\w+)\((.*)\)( first)?")


# The softmax cross entropy: one that passes gradients to the labels, and one that does not.
SOFTMAX_LOSSES = (OPS["softmax_cross_entropy_with_logits_v2"], OPS["softmax_cross_entropy_with_logits"])


# Initializers that scale uniform or normal numbers by the size of a layer (its inputs, or the mean of its inputs and
# outputs) and by a factor. They are tried in this order.
UNIFORM_INITIALIZERS = {
    "glorot_uniform": ("both", 1.0),
    "he_uniform": ("inputs", 2.0),
    "lecun_uniform": ("inputs", 1.0),
}
NORMAL_INITIALIZERS = {"glorot_normal": ("both", 1.0), "he_normal": ("inputs", 2.0), "lecun_normal": ("inputs", 1.0)}


class LiftedCall(Record):
    """How a TensorFlow op is written: the row, the parameters that its inputs are, the attributes that parameters have,
    and the text that other attributes must have. If `is_first`, the call gives only the first output."""

    op: Op
    inputs: tuple[str, ...]
    attrs: dict[str, str]
    demanded: dict[str, str]
    is_first: bool


class LiftedStep(Record):
    """The operands of an op in an optimizer's step: its inputs, by the names of the optimizer's arguments or slots, and
    the attributes that are arguments."""

    optimizer: OptimizerRow
    inputs: tuple[str, ...]
    attrs: dict[str, str]


def _lines(table: str) -> Iterator[tuple[str, str, list[str], bool]]:
    for line in table.split("\n"):
        match = _LINE.fullmatch(line)
        if match is not None:
            name, row, parts, first = match.groups()
            yield name, row, parts.split(", ") if parts else [], bool(first)


def _inputs(parts: list[str]) -> tuple[str, ...]:
    return tuple(one for one in parts if "=" not in one and "!" not in one)


@cache
def _calls() -> dict[str, LiftedCall]:
    found: dict[str, LiftedCall] = {}
    for name, row, parts, is_first in _lines(_TABLE):
        attrs = dict(one.split("=") for one in parts if "=" in one)
        demanded = dict(one.split("!") for one in parts if "!" in one)
        found[name] = LiftedCall(OPS[row], _inputs(parts), attrs, demanded, is_first)
    return found


@cache
def _steps() -> dict[str, LiftedStep]:
    found: dict[str, LiftedStep] = {}
    for name, row, parts, _ in _lines(_STEPS):
        step = LiftedStep(OPTIMIZERS[row], _inputs(parts), dict(one.split("=") for one in parts if "=" in one))
        sparse = name.startswith("Sparse")
        resource = name.replace("SparseApply", "ResourceSparseApply") if sparse else f"Resource{name}"
        found |= {name: step, resource: step}
    return found


def lifted_call(tf_op: str) -> LiftedCall | None:
    """The call that builds a TensorFlow op, or None."""
    return _calls().get(tf_op)


def lifted_ops() -> list[str]:
    """The TensorFlow ops that have a call."""
    return list(_calls())


def lifted_step(tf_op: str) -> LiftedStep | None:
    """The optimizer that uses a TensorFlow op in its step, or None."""
    return _steps().get(tf_op)
