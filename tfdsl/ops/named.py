"""Ops that the compiler itself creates or looks for, under names known to a type checker, and operators."""

from . import OPS

ADD, SUBTRACT, NEGATIVE = OPS["add"], OPS["subtract"], OPS["negative"]
BIAS_ADD, ADD_N, ABS, ZEROS_LIKE = OPS["bias_add"], OPS["add_n"], OPS["abs"], OPS["zeros_like"]
MULTIPLY, TRUEDIV = OPS["multiply"], OPS["truediv"]
SQUARE, SQRT, POW, EXP = OPS["square"], OPS["sqrt"], OPS["pow"], OPS["exp"]
LESS, GREATER_EQUAL, SCAN = OPS["less"], OPS["greater_equal"], OPS["scan"]
MINIMUM, MAXIMUM = OPS["minimum"], OPS["maximum"]
LOGICAL_AND, WHERE, WHERE_V2 = OPS["logical_and"], OPS["where"], OPS["where_v2"]
ZEROS, CONSTANT, IDENTITY, CAST = OPS["zeros"], OPS["constant"], OPS["identity"], OPS["cast"]
SHAPE, RESHAPE, SQUEEZE, EXPAND_DIMS = OPS["shape"], OPS["reshape"], OPS["squeeze"], OPS["expand_dims"]
STRIDED_SLICE, ARGMAX, ONE_HOT, MATMUL = OPS["strided_slice"], OPS["argmax"], OPS["one_hot"], OPS["matmul"]
STACK, CONCAT, FILL = OPS["stack"], OPS["concat"], OPS["fill"]
RANDOM_UNIFORM, TRUNCATED_NORMAL = OPS["random_uniform"], OPS["truncated_normal"]
SQUARED_DIFFERENCE, CHECK_WHOLE = OPS["squared_difference"], OPS["check_whole"]
REDUCE_MEAN, REDUCE_MAX, DCT = OPS["reduce_mean"], OPS["reduce_max"], OPS["dct"]
ASSIGN, ASSIGN_ADD, ASSIGN_SUB = OPS["assign"], OPS["assign_add"], OPS["assign_sub"]
GRADIENTS, STOP_GRADIENT, LOGICAL_NOT = OPS["gradients"], OPS["stop_gradient"], OPS["logical_not"]
STORED, DROPOUT, EXPONENTIAL_DECAY = OPS["stored"], OPS["dropout"], OPS["exponential_decay"]
SOFTMAX, LOG_SOFTMAX, TOP_K = OPS["softmax"], OPS["log_softmax"], OPS["top_k"]
CLIP_BY_NORM, CLIP_BY_GLOBAL_NORM = OPS["clip_by_norm"], OPS["clip_by_global_norm"]

OPERATORS = {op.operator: op for op in OPS.values() if op.operator}
"""The op of each operator of the language, such as `+`, `unary -` or `if`."""
