"""Help lines for unknown names that come from TensorFlow, NumPy or data libraries."""

import re

from ...data import SOURCES, TRANSFORMS
from ...ops import left_out, other_names
from ...syntax import tree as t
from ...syntax.hints import PATIENCE, TRAINED, arguments_at, calls_at
from ...types import DTYPE_NAMES
from ..calls import elsewhere, other_layers


def without_module(expr: t.Name | t.Identifier) -> str:
    """A help line for a name of a module, such as `np.linalg.inv`."""
    path = re.match(r"(?:\.\w+)+", expr.span.source.text[expr.span.end :])
    if path is None:
        return ""
    name = path[0].rpartition(".")[2]
    calls = calls_at(expr.span.source, expr.span.end + path.end())
    given = calls[0] if calls else []
    if path[0].startswith(".summary.") and name in ("scalar", "histogram", "image", "text") and len(given) > 1:
        return f"write: summary {name} {given[1]} as {given[0]}"
    if name in DTYPE_NAMES:
        return f"dtypes are written without a module: {name}"
    if same := other_layers.same_optimizer(name):
        return f"optimizers are written without a module: {same}"
    if way := other_layers.optimizer(name, ""):
        return way
    is_layer = not name.islower() or "layers." in f"{expr.id}{path[0]}"
    if is_layer and (way := other_layers.layer(name, calls, is_imported=False)):
        return way
    return other_names.of_module(path[0], given) or left_out.instead(name)


def is_before(expr: t.Name | t.Identifier, text: str) -> bool:
    return expr.span.source.text.startswith(text, expr.span.end)


def of_library(expr: t.Name | t.Identifier, is_imported: bool) -> str:
    """A help line for a call of a function of TensorFlow, NumPy or PyTorch that has another name here, or none.
    `is_imported` says whether the program imports the library nn."""
    if expr.id == "None":
        return "none is written in small letters; an unknown size of a type has a name, as in float32[n, 2], or is ?"
    if known := declaration(expr):
        return known
    if expr.id == "random":
        return (
            "a random initial value is that of an initializer, such as glorot_uniform; random_normal([3]) is a tensor"
        )
    if expr.id in ("patience", "early_stopping"):
        return f"a training ends early by a statement in its body: {PATIENCE}"
    if not is_before(expr, "("):
        return ""
    if expr.id in ("inverse", "inverse_transform", "unscale", "denormalize"):
        matrix = "; the inverse of a matrix is inv(...)" if expr.id == "inverse" else ""
        return elsewhere.UNSCALED.format(data="d", target='"price"') + matrix
    if expr.id == "fit":
        return f"a session trains: {TRAINED}"
    if way := other_layers.layer(expr.id, calls_at(expr.span.source, expr.span.end), is_imported):
        return way
    given = arguments_at(expr.span.source, expr.span.end)
    return other_names.of_call(expr.id, given) or left_out.instead(expr.id)


def argument_of(expr: t.Name | t.Identifier) -> str:
    """The text of the only argument of a call of a name, or ""."""
    given = re.match(r"\(\s*([^\n,()]+?)\s*\)", expr.span.source.text[expr.span.end :])
    return given[1] if given else ""


def declaration(expr: t.Name | t.Identifier) -> str:
    """The declaration to write instead of a call as in TensorFlow, such as `placeholder(float32, [None])`."""
    text = expr.span.source.text
    before = re.search(r"(\w+)\s*=\s*$", text[: expr.span.start])
    if expr.id == "variable" and before and (given := arguments_at(expr.span.source, expr.span.end)):
        return f"write: variable {before[1]} = {given[0]}"
    shape = re.match(r"\.placeholder|", text[expr.span.end :])
    if expr.id != "placeholder" and (shape is None or not shape[0]):
        return ""
    end = expr.span.end + (len(shape[0]) if shape else 0)
    call = re.match(
        r"\(\s*(?:dtype\s*=\s*)?(?:[\w.]*\.)?(\w+)\s*(?:,\s*(?:shape\s*=\s*)?[\[(]([^\])]*)[\])])?", text[end:]
    )
    if call is None or call[1] not in DTYPE_NAMES:
        return ""
    sizes = re.sub(r"\bNone\b", "n", call[2] or "").strip(" ,")
    return f"write: placeholder {before[1] if before else 'x'}: {call[1]}{sizes and f'[{sizes}]'}"


def of_data(expr: t.Name | t.Identifier) -> str:
    """A help line for a call of a data source or transform, of this language or of another library."""
    name = expr.id
    theirs = "" if name.islower() and "_" not in name else elsewhere.stage(name)
    if not is_before(expr, "(") or not (name in SOURCES or name in TRANSFORMS or theirs):
        return ""
    declared = 'data is declared with its transforms, as in: data d = csv("file.csv") | standardize'
    return f"{declared}; {theirs}" if theirs else declared
