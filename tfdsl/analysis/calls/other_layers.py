"""What layers, losses, measures and optimizers of Keras, PyTorch and scikit-learn are called here."""

import re
from collections.abc import Sequence

from ...ops import other_names
from ...ops.optimizers import OPTIMIZERS

# Calls of the library nn, by the names that other libraries have. Capitals and underscores do not count. `{x}` is the
# argument.
_ROWS = (
    ("dense linear fully_connected fc", "nn.dense({x}, 10)"),
    ("dropout drop_out", "nn.dropout({x}, 0.5)"),
    ("flatten", "nn.flatten({x})"),
    ("lstm", "outputs, state = nn.lstm({x}, 64)"),
    ("gru", "outputs, state = nn.gru({x}, 64)"),
    ("rnn simple_rnn", "outputs, state = nn.rnn({x}, 64)"),
    ("bidirectional", "outputs, states = nn.bidirectional(nn.lstm, {x}, 64)"),
    ("conv conv2d convolution2d", "nn.conv2d({x}, 32)"),
    ("conv1d convolution1d", "nn.conv1d({x}, 32)"),
    ("conv3d convolution3d", "nn.conv3d({x}, 32)"),
    ("conv2d_transpose conv_transpose2d", "nn.conv2d_transpose({x}, 32)"),
    ("separable_conv2d depthwise_separable_conv2d", "nn.separable_conv2d({x}, 32)"),
    ("max_pool2d max_pooling2d max_pooling max_pool", "nn.max_pool({x})"),
    ("avg_pool2d average_pooling2d average_pooling avg_pool", "nn.avg_pool({x})"),
    ("global_average_pooling2d global_avg_pool2d adaptive_avg_pool2d global_avg_pool", "nn.global_avg_pool({x})"),
    ("embedding", "nn.embedding({x}, size, units)"),
    ("batch_norm batch_norm1d batch_norm2d batch_norm3d batch_normalization", "nn.batch_norm({x})"),
    ("layer_norm layer_normalization", "nn.layer_norm({x})"),
    ("group_norm group_normalization", "nn.group_norm({x})"),
    ("attention scaled_dot_product_attention", "nn.attention(query, value)"),
    ("multi_head_attention multihead_attention", "nn.multi_head_attention(query, value, heads, size)"),
    ("transformer transformer_block transformer_encoder transformer_encoder_layer",
     "nn.transformer_block({x}, heads, units)"),
    ("cross_entropy cross_entropy_loss sparse_categorical_crossentropy sparse_cross_entropy nll_loss",
     "nn.sparse_softmax_cross_entropy(labels, logits)"),
    ("categorical_crossentropy softmax_cross_entropy", "nn.softmax_cross_entropy(labels, logits)"),
    ("binary_crossentropy binary_cross_entropy bce bce_loss bce_with_logits bce_with_logits_loss "
     "binary_cross_entropy_with_logits sigmoid_cross_entropy", "nn.sigmoid_cross_entropy(labels, logits)"),
    ("mse mse_loss mean_squared_error squared_error", "nn.mean_squared_error(labels, predictions)"),
    ("mae mae_loss l1_loss mean_absolute_error absolute_error", "nn.mean_absolute_error(labels, predictions)"),
    ("huber huber_loss smooth_l1_loss", "nn.huber(labels, predictions)"),
    ("accuracy accuracy_score categorical_accuracy sparse_categorical_accuracy", "nn.accuracy(labels, logits)"),
    ("binary_accuracy", "nn.binary_accuracy(labels, logits)"),
    ("top_k_accuracy top_k_categorical_accuracy", "nn.top_k_accuracy(labels, logits, k=5)"),
    ("precision precision_score", "nn.precision(labels, logits)"),
    ("recall recall_score", "nn.recall(labels, logits)"),
    ("f1 f1_score", "nn.f1(labels, logits)"),
    ("auc roc_auc roc_auc_score", "nn.auc(labels, logits)"),
    ("r2 r2_score", "nn.r2(labels, predictions)"),
    ("confusion confusion_matrix", "nn.confusion(labels, logits)"),
    ("l2 l2_regularizer l2_regularization", "nn.l2_penalty([kernel])"),
    ("l1 l1_regularizer l1_regularization", "nn.l1_penalty([kernel])"),
    ("l1_l2", "nn.l1_l2_penalty([kernel])"),
)  # fmt: skip
_LAYERS = {name.replace("_", ""): call for names, call in _ROWS for name in names.split()}
_OTHERS = {
    "sequential": "a model is its layers, one a line: x = nn.dense(X, 30, activation=relu)",
    "model": "a model is its layers, one a line: x = nn.dense(X, 30, activation=relu)",
    "activation": "a layer takes it: nn.dense(X, 30, activation=relu)",
    "input": "what a model gets is a placeholder: placeholder X: float32[n, 4]",
    "inputlayer": "what a model gets is a placeholder: placeholder X: float32[n, 4]",
}
_LEFT_OUT = re.compile(  # arguments that layers here have no need of
    r"(?:return_sequences|return_state|batch_first|input_shape|input_dim|batch_input_shape|name)\s*="
)
_WITH_INPUT = ("Linear", "Conv1d", "Conv2d", "Conv3d")  # layers that are given the size of their input first
_OPTIMIZERS = {  # the same optimizer, with what has to be added
    "sgd": "gradient_descent", "adamw": "adam", "nesterov": "momentum(0.9, use_nesterov=true)",
    "nag": "momentum(0.9, use_nesterov=true)",
}  # fmt: skip
_NO_OPTIMIZERS = "nadam radam adamax lamb lion adafactor lars lbfgs bfgs rprop asgd"


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def layer(name: str, calls: Sequence[Sequence[str]], is_imported: bool) -> str:
    """A help line for a call of a layer, loss or measure of another library, by the arguments of the calls behind the
    name: those of `Dense(10)(X)` are two. "" for other names."""
    row = _LAYERS.get(_folded(name), "")
    if not row:
        return _OTHERS.get(_folded(name), "")
    given, called = (calls[0], calls[1:]) if calls else ([], [])
    is_first = not called and bool(given) and given[0].isidentifier()
    x = next((one[0] for one in called if one), given[0] if is_first else "x")
    options = [_option(one) for one in given[int(is_first) or int(name in _WITH_INPUT) :] if not _LEFT_OUT.match(one)]
    begin, is_of_one, _ = row.partition("{x}")
    call = f"{begin}{', '.join([x, *options])})" if is_of_one and options else row.format(x=x)
    return f"write: {call}" if is_imported else f"write: import nn, and {call}"


def _option(text: str) -> str:
    """An argument of a layer of another library, as it is written here."""
    text = re.sub(r"\bactivation\s*=\s*[\"'](\w+)[\"']", r"activation=\1", text)
    text = re.sub(r"\bpadding\s*=\s*[\"'](\w+)[\"']", lambda found: f'padding="{found[1].upper()}"', text)
    return other_names.argument(re.sub(r"^p\s*=", "rate=", text))


def same_optimizer(name: str) -> str:
    """The optimizer that has this name in TensorFlow, such as `AdamOptimizer`, or in Keras. "" for other names."""
    return next((one for one in OPTIMIZERS if _folded(one) == _folded(name.removesuffix("Optimizer"))), "")


def optimizer(name: str, call: str) -> str:
    """A help line for an optimizer of another library. `call` is its call, or its name. "" for other names."""
    theirs = _folded(name.removesuffix("Optimizer"))
    rate = re.search(r"\b(?:learning_rate|lr)\s*=\s*([\w.-]+)", call) or re.search(r"\(\s*([\d.]+)\s*[,)]", call)
    given = f"learning_rate={rate[1] if rate else 0.01}"
    if theirs in _NO_OPTIMIZERS.split():
        return f"the language does not have it; the usual one is adam({given})"
    here = _OPTIMIZERS.get(theirs, "")
    if not here:
        return ""
    share = re.search(r"\bmomentum\s*=\s*([\w.]+)", call)
    if theirs == "sgd" and share is not None:
        return f"write: momentum({share[1]}, {given})"
    if "(" in here:
        return f"write: {here[:-1]}, {given})"
    return f"write: {here}({given}{', weight_decay=0.01' if theirs == 'adamw' else ''})"
