"""The op table covers TensorFlow's public functions, or a table here says why a function is left out.

These are the functions of `tf.math`, `tf.nn`, `tf.linalg`, `tf.random` and `tf` itself, in TensorFlow 2 and in
`tf.compat.v1`.
"""

import inspect
import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
from tensorflow.compat import v1

from tfdsl.lowering.tf import resolve
from tfdsl.ops import OPS
from tfdsl.ops.raw import find

MODULES = {
    "math": (tf.math, v1.math),
    "nn": (tf.nn, v1.nn),
    "linalg": (tf.linalg, v1.linalg),
    "random": (tf.random, v1.random),
    "": (tf, v1),
}

# Other names of rows.
ALIASES = {
    "arg_max": "argmax", "arg_min": "argmin", "avg_pool_v2": "avg_pool", "div": "divide",
    "div_no_nan": "divide_no_nan", "floor_div": "floordiv", "max_pool2d": "max_pool", "max_pool_v2": "max_pool",
    "tensor_diag_part": "diag_part",
}  # fmt: skip

BY_HAND = "a line or two of other ops"
RAW = "rare: its ops are reached by raw"
SPARSE = "takes or returns sparse tensors, which the language lacks"
FUNCTIONS = "takes a function: 'for', 'while' and 'if' do that"
STATEMENT = "a statement of the language does that"
VALUE = "a value known while compiling"
PROCESS = "about the process, the default graph or Python, not an op"
QUANTIZED = "of quantized tensors"
FILES = "reads and writes files and records: data has its own statements"
BACKWARD = "what gradients() builds"
CELLS = "builds recurrent networks from Python's cells"

EXCLUDED = {
    BY_HAND: """polyval lu_solve lu_reconstruct lu_matrix_inverse tridiagonal_matmul eigh_tridiagonal
        sufficient_statistics normalize_moments weighted_moments batch_norm_with_global_normalization collapse_repeated
        compute_average_loss scale_regularization_loss sobol_sample hessians batch_gather batch_scatter_update
        verify_tensor_all_finite add_check_numerics_ops to_bfloat16 to_complex128 to_complex64 to_double to_float
        to_int32 to_int64""",
    "conv2d and its like take `dilations`, and each number of axes has its own": """atrous_conv2d
        atrous_conv2d_transpose convolution conv_transpose pool with_space_to_batch required_space_to_batch_paddings
        depthwise_conv2d_native conv""",
    RAW: """approx_max_k approx_min_k approx_top_k banded_triangular_solve tridiagonal_solve dilation2d erosion2d
        fractional_avg_pool fractional_max_pool isotonic_regression max_pool_with_argmax
        all_candidate_sampler compute_accidental_hits fixed_unigram_candidate_sampler
        learned_unigram_candidate_sampler log_uniform_candidate_sampler uniform_candidate_sampler
        ctc_unique_labels dynamic_stitch unravel_index extract_image_patches extract_volume_patches
        fingerprint parallel_stack shape_n timestamp space_to_batch batch_to_space space_to_batch_nd
        batch_to_space_nd random_index_shuffle fftnd ifftnd rfftnd irfftnd string_to_hash_bucket
        string_to_hash_bucket_strong ragged_fill_empty_rows ragged_fill_empty_rows_grad guarantee_const""",
    SPARSE: """ctc_beam_search_decoder ctc_beam_search_decoder_v2 ctc_greedy_decoder ctc_loss ctc_loss_v2 edit_distance
        embedding_lookup_sparse safe_embedding_lookup_sparse deserialize_many_sparse serialize_many_sparse
        serialize_sparse sparse_add sparse_concat sparse_fill_empty_rows sparse_mask sparse_matmul sparse_maximum
        sparse_merge sparse_minimum sparse_placeholder sparse_reduce_max sparse_reduce_max_sparse sparse_reduce_sum
        sparse_reduce_sum_sparse sparse_reorder sparse_reset_shape sparse_reshape sparse_retain sparse_slice
        sparse_softmax sparse_split sparse_tensor_dense_matmul sparse_tensor_to_dense sparse_to_dense
        sparse_to_indicator sparse_transpose string_split""",
    CELLS: """bidirectional_dynamic_rnn dynamic_rnn raw_rnn static_bidirectional_rnn static_rnn
        static_state_saving_rnn""",
    BACKWARD: """conv2d_backprop_filter conv2d_backprop_input conv3d_backprop_filter conv3d_backprop_filter_v2
        depthwise_conv2d_backprop_filter depthwise_conv2d_backprop_input depthwise_conv2d_native_backprop_filter
        depthwise_conv2d_native_backprop_input conv2d_backprop_filter_v2 conv2d_backprop_input_v2""",
    QUANTIZED: """quantized_avg_pool quantized_conv2d quantized_max_pool quantized_relu_x dequantize quantize
        quantize_v2 quantized_concat fake_quant_with_min_max_args fake_quant_with_min_max_args_gradient
        fake_quant_with_min_max_vars fake_quant_with_min_max_vars_gradient fake_quant_with_min_max_vars_per_channel
        fake_quant_with_min_max_vars_per_channel_gradient""",
    "generators keep a Python state; stateless_uniform and its like take a seed": """create_rng_state fold_in
        get_global_generator set_global_generator get_seed set_random_seed set_seed
        stateless_multinomial stateless_parameterized_truncated_normal""",
    FUNCTIONS: """case cond switch_case while_loop foldl foldr map_fn scan vectorized_map function wrap_function
        make_template custom_gradient grad_pass_through recompute_grad numpy_function py_func py_function
        nondifferentiable_batch_function""",
    STATEMENT: """Assert Print print control_dependencies device container group tuple init_scope colocate_with
        get_variable get_local_variable placeholder placeholder_with_default count_up_to report_uninitialized_variables
        global_variables_initializer local_variables_initializer initialize_all_variables initialize_local_variables
        initialize_variables variables_initializer tables_initializer initialize_all_tables
        assert_variables_initialized range""",
    VALUE: """broadcast_dynamic_shape broadcast_static_shape as_dtype convert_to_tensor
        convert_to_tensor_or_indexed_slices convert_to_tensor_or_sparse_tensor dimension_at_index dimension_value
        get_static_value make_ndarray make_tensor_proto is_tensor is_numeric_tensor is_symbolic_tensor
        assert_integer assert_proper_iterable assert_rank_in assert_same_float_dtype assert_scalar assert_type
        type_spec_from_value""",
    FILES: """decode_compressed decode_csv decode_json_example matching_files parse_example parse_single_example
        parse_single_sequence_example parse_tensor read_file serialize_tensor write_file""",
    PROCESS: """NoGradient NotDifferentiable no_gradient add_to_collection add_to_collections all_variables check_pinned
        control_flow_v2_enabled create_partitioned_variables delete_session_tensor disable_control_flow_v2
        disable_eager_execution disable_resource_variables disable_tensor_equality disable_v2_behavior
        disable_v2_tensorshape enable_control_flow_v2 enable_eager_execution enable_resource_variables
        enable_tensor_equality enable_v2_behavior enable_v2_tensorshape executing_eagerly
        executing_eagerly_outside_functions fixed_size_partitioner get_collection get_collection_ref
        get_current_name_scope get_default_graph get_default_session get_logger get_session_handle get_session_tensor
        get_variable_scope global_variables import_graph_def inside_function load_file_system_library load_library
        load_op_library local_variables min_max_variable_partitioner model_variables moving_average_variables
        no_regularizer op_scope register_tensor_conversion_function reset_default_graph resource_variables_enabled
        trainable_variables variable_axis_size_partitioner variable_creator_scope variable_op_scope""",
}  # fmt: skip

REASONS = {name: reason for reason, names in EXCLUDED.items() for name in names.split()}


def functions(module):
    """The public functions of a module, in both versions."""
    return {
        name: getattr(version, name)
        for version in MODULES[module]
        for name in dir(version)
        if not name.startswith("_") and callable(getattr(version, name)) and not inspect.isclass(getattr(version, name))
    }


ROWS = {id(resolve(op.tf)) for op in OPS.values()}
NAMES = {name for op in OPS.values() for name in (op.name, op.tf.rpartition(".")[2])}


def has_row(name, function):
    return id(function) in ROWS or name in NAMES


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module or "top level")
def test_every_function_has_a_row_or_a_reason(module):
    left = [n for n, f in functions(module).items() if not (has_row(n, f) or n in REASONS or ALIASES.get(n) in OPS)]
    assert not left, f"neither in the op table nor excluded: {sorted(left)}"


def test_every_excluded_name_exists():
    known = {name: function for module in MODULES for name, function in functions(module).items()}
    assert not [name for name in (*REASONS, *ALIASES) if name not in known]
    assert not [name for name in (*REASONS, *ALIASES) if has_row(name, known[name])]
    assert not [name for name in REASONS if name in ALIASES]
    assert sum(len(names.split()) for names in EXCLUDED.values()) == len(REASONS), "a name has two reasons"


def test_names_left_to_raw_are_raw_ops():
    for name in ("TopKUnique", "BandedTriangularSolve", "TridiagonalSolve", "Dilation2D", "FractionalMaxPool",
                 "MaxPoolWithArgmax", "UniformCandidateSampler", "DynamicStitch", "UnravelIndex",
                 "SpaceToBatchND", "Fingerprint", "ApproxTopK", "FFTND"):  # fmt: skip
        assert find(name) is not None, name


def test_the_table_is_large():
    assert len(OPS) > 380
