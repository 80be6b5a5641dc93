"""TensorFlow's functions without a row of their name: the row with another name, or the reason and what to write.

The functions are those of `tf` itself and of `tf.compat.v1.MODULE` for each module of `MODULES`. A test walks them:
each is a row, or it is here. Where a module has a function with the name of another row, it is here with the module.
"""

from collections.abc import Mapping

MODULES = ("math", "linalg", "nn", "image", "losses", "signal", "strings", "random")

# The row that is the same function, or that does what an old name or one of TensorFlow 2 does.
_ROWS: Mapping[str, str] = {
    "argmax": "arg_max", "argmin": "arg_min", "divide": "div", "divide_no_nan": "div_no_nan", "floordiv": "floor_div",
    "avg_pool": "avg_pool_v2 avg_pool2d", "max_pool": "max_pool_v2 max_pool2d", "lrn": "local_response_normalization",
    "depthwise_conv2d": "depthwise_conv2d_native", "batch_normalization": "batch_norm_with_global_normalization",
    "matrix_band_part": "band_part", "matrix_determinant": "det", "matrix_inverse": "inv",
    "matrix_set_diag": "set_diag", "self_adjoint_eig": "eigh", "self_adjoint_eigvals": "eigvalsh",
    "matrix_solve_ls": "lstsq", "matrix_solve": "solve", "matrix_triangular_solve": "triangular_solve",
    "diag": "tensor_diag", "diag_part": "tensor_diag_part", "matrix_diag": "linalg.diag",
    "matrix_diag_part": "linalg.diag_part", "matrix_transpose": "linalg.transpose", "random_gamma": "gamma",
    "random_normal": "normal", "random_poisson": "poisson", "random_shuffle": "shuffle", "random_uniform": "uniform",
    "split_seed": "random.split", "stateless_categorical": "stateless_multinomial", "string_join": "join",
    "string_length": "length", "string_lower": "lower", "string_upper": "upper", "string_strip": "strip",
    "string_to_number": "to_number", "string_to_hash_bucket_fast": "to_hash_bucket_fast",
    "string_to_hash_bucket": "to_hash_bucket", "string_to_hash_bucket_strong": "to_hash_bucket_strong",
    "string_format": "format", "resize_with_crop_or_pad": "resize_image_with_crop_or_pad",
    "resize": "resize_images", "resize_image_with_pad": "resize_with_pad", "extract_patches": "extract_image_patches",
    "transpose_image": "image.transpose", "gather": "batch_gather",
    "check_numerics": "verify_tensor_all_finite", "scatter_nd_update": "batch_scatter_update",
}  # fmt: skip

_SPARSE = "it takes or returns sparse tensors, which the language lacks: "
_DENSE = f"{_SPARSE}give it zeros where nothing is, or call the op of raw."
_FUNCTION = "it takes a Python function: "
_PROCESS = "it is about the process, the default graph or Python, not about the graph of a program"
_BACKWARD = "gradients(y, x) builds it"
_CELLS = "it runs Python's cells: import nn, and write nn.lstm(x, 64), nn.gru(x, 64) or nn.rnn(x, 64)"
_COLLECTION = "TensorFlow collects losses in Python: add them up, and declare the sum: loss a + b"
_RAGGED = "it returns ragged tensors, which the language lacks: "
_GENERATOR = "a Python object keeps its state: write the statement seed 42, or random ops with a seed of two numbers"
_QUANTIZED = "it is of quantized tensors: call its op, as in raw.QuantizedConv2D(...)"
_KNOWN = "it is about values and types known while compiling, which need no op"
_FILES = "it reads or writes files: data d = csv(...) reads data, and statements of the session write"
_VARIABLES = "init, restore and save are statements of the session"
_RAW = "it is rare: call its op, as in raw.UnravelIndex(...)"

# A reason, with what to write instead, and the functions.
_REASONS: Mapping[str, str] = {
    "write: cast(x, float32), or another dtype": """
        to_bfloat16 to_complex128 to_complex64 to_double to_float to_int32 to_int64
    """,
    "write: top_k(x, k), which is exact; approximations are for TPUs": "approx_max_k approx_min_k",
    "write: gradients of gradients": "hessians",
    "write: check_numerics(x, \"x\") for each tensor": "add_check_numerics_ops",
    "write: reduce_mean(loss), or reduce_sum(loss) / the rows of the batch; a training shared by workers adds their "
    "means": "compute_average_loss",
    "write the loss as it is: a training shared by workers divides it": "scale_regularization_loss",
    f"{_SPARSE}write embedding_lookup(params, ids), and sum it with weights":
        "embedding_lookup_sparse safe_embedding_lookup_sparse",
    f"{_SPARSE}write ctc_loss_v2(labels, logits, label_length, logit_length), whose labels are dense": "ctc_loss",
    f"{_SPARSE}raw.CTCGreedyDecoder(...) and raw.CTCBeamSearchDecoder(...) return their parts":
        "ctc_beam_search_decoder ctc_beam_search_decoder_v2 ctc_greedy_decoder",
    _DENSE: """
        edit_distance deserialize_many_sparse serialize_many_sparse serialize_sparse sparse_add sparse_concat
        sparse_fill_empty_rows sparse_mask sparse_matmul sparse_maximum sparse_merge sparse_minimum sparse_placeholder
        sparse_reduce_max sparse_reduce_max_sparse sparse_reduce_sum sparse_reduce_sum_sparse sparse_reorder
        sparse_reset_shape sparse_reshape sparse_retain sparse_slice sparse_softmax sparse_split
        sparse_tensor_dense_matmul sparse_tensor_to_dense sparse_to_dense sparse_to_indicator sparse_transpose
        string_split
    """,
    f"{_RAGGED}raw.StringSplitV2(...) and raw.UnicodeDecode(...) return their parts": """
        bytes_split strings.split unicode_decode unicode_decode_with_offsets unicode_split unicode_split_with_offsets
    """,
    _CELLS: """
        bidirectional_dynamic_rnn dynamic_rnn raw_rnn static_bidirectional_rnn static_rnn static_state_saving_rnn
    """,
    _BACKWARD: """
        conv2d_backprop_filter conv2d_backprop_input conv3d_backprop_filter conv3d_backprop_filter_v2
        depthwise_conv2d_backprop_filter depthwise_conv2d_backprop_input depthwise_conv2d_native_backprop_filter
        depthwise_conv2d_native_backprop_input conv2d_backprop_filter_v2 conv2d_backprop_input_v2
    """,
    _QUANTIZED: """
        quantized_avg_pool quantized_conv2d quantized_max_pool quantized_relu_x dequantize quantize quantize_v2
        quantized_concat fake_quant_with_min_max_args fake_quant_with_min_max_args_gradient
        fake_quant_with_min_max_vars fake_quant_with_min_max_vars_gradient fake_quant_with_min_max_vars_per_channel
        fake_quant_with_min_max_vars_per_channel_gradient
    """,
    _GENERATOR: """
        create_rng_state get_global_generator set_global_generator get_seed set_random_seed set_seed
    """,
    _COLLECTION: "add_loss get_losses get_regularization_loss get_regularization_losses get_total_loss",
    f"{_FUNCTION}convolutions and pools take dilations": "with_space_to_batch required_space_to_batch_paddings",
    "it makes a Python function: write inverse_stft(..., forward_window_fn=\"hann_window\")": "inverse_stft_window_fn",
    "it has no kernel for CPUs: where there is a GPU, call raw.GenerateBoundingBoxProposals(...)":
        "generate_bounding_box_proposals",
    "it is one of TensorFlow 2: write the one without stateless_, with a seed": """
        stateless_random_brightness stateless_random_contrast stateless_random_crop stateless_random_flip_left_right
        stateless_random_flip_up_down stateless_random_hue stateless_random_jpeg_quality stateless_random_saturation
        stateless_sample_distorted_bounding_box
    """,
    "each number of axes has its own: write conv1d, conv2d or conv3d with dilations=...": "convolution atrous_conv2d",
    "each number of axes has its own: write conv1d_transpose, conv2d_transpose or conv3d_transpose": "conv_transpose",
    "each number of axes has its own: write max_pool, avg_pool, or max_pool1d, avg_pool3d and so on": "pool",
    "write raw.SpaceToBatchND, conv2d_transpose and raw.BatchToSpaceND": "atrous_conv2d_transpose",
    "it has no kernel for CPUs: write fft, fft2d or fft3d, and move axes with transpose": "fftnd ifftnd irfftnd rfftnd",
    f"{_FUNCTION}write a loop with for or while, an if, or a def": """
        case cond switch_case while_loop vectorized_map function wrap_function make_template
        custom_gradient grad_pass_through recompute_grad nondifferentiable_batch_function
    """,
    f"{_FUNCTION}pass it with compile(..., ops=...)": "numpy_function py_func py_function",
    "write: print x, in a session or at the prompt": "Print print",
    "write a check, such as assert_equal(x, y)": "Assert",
    "write: placeholder x: float32[n]": "placeholder placeholder_with_default",
    "write: variable w: float32[3] = zeros": "get_variable get_local_variable",
    "write: after step: and below it what waits": "control_dependencies group tuple",
    "a statement of the language does that": "device container init_scope colocate_with range",
    _VARIABLES: """
        count_up_to report_uninitialized_variables global_variables_initializer local_variables_initializer
        initialize_all_variables initialize_local_variables initialize_variables variables_initializer
        tables_initializer initialize_all_tables assert_variables_initialized
    """,
    _KNOWN: """
        broadcast_dynamic_shape broadcast_static_shape as_dtype convert_to_tensor convert_to_tensor_or_indexed_slices
        convert_to_tensor_or_sparse_tensor dimension_at_index dimension_value get_static_value make_ndarray
        make_tensor_proto is_tensor is_numeric_tensor is_symbolic_tensor assert_integer assert_proper_iterable
        assert_rank_in assert_same_float_dtype assert_scalar assert_type type_spec_from_value
    """,
    _FILES: """
        decode_compressed decode_csv decode_json_example matching_files parse_example parse_single_example
        parse_single_sequence_example parse_tensor read_file serialize_tensor write_file
    """,
    _RAW: """
        conv banded_triangular_solve approx_top_k
        isotonic_regression dynamic_stitch unravel_index extract_volume_patches fingerprint parallel_stack shape_n
        timestamp batch_to_space space_to_batch_nd batch_to_space_nd random_index_shuffle
       
        ragged_fill_empty_rows ragged_fill_empty_rows_grad guarantee_const
    """,
    _PROCESS: """
        NoGradient NotDifferentiable no_gradient add_to_collection add_to_collections all_variables check_pinned
        control_flow_v2_enabled create_partitioned_variables delete_session_tensor disable_control_flow_v2
        disable_eager_execution disable_resource_variables disable_tensor_equality disable_v2_behavior
        disable_v2_tensorshape enable_control_flow_v2 enable_eager_execution enable_resource_variables
        enable_tensor_equality enable_v2_behavior enable_v2_tensorshape executing_eagerly
        executing_eagerly_outside_functions fixed_size_partitioner get_collection get_collection_ref
        get_current_name_scope get_default_graph get_default_session get_logger get_session_handle get_session_tensor
        get_variable_scope global_variables import_graph_def inside_function load_file_system_library load_library
        load_op_library local_variables min_max_variable_partitioner model_variables moving_average_variables
        no_regularizer op_scope register_tensor_conversion_function reset_default_graph resource_variables_enabled
        trainable_variables variable_axis_size_partitioner variable_creator_scope variable_op_scope
    """,
}  # fmt: skip

# By name, perhaps with the module before it.
ROWS: Mapping[str, str] = {name: row for row, names in _ROWS.items() for name in names.split()}
REASONS: Mapping[str, str] = {name: reason for reason, names in _REASONS.items() for name in names.split()}


def instead(name: str) -> str:
    """A help line for the name of a function of TensorFlow. "" for other names."""
    return f"write: {ROWS[name]}(...)" if name in ROWS else REASONS.get(name, "")
