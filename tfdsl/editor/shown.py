"""Shows values and symbols to people: types, sizes, parameters, and the comments above a name."""

from collections.abc import Iterable
from itertools import takewhile

from ..analysis.values import (
    Array,
    Batch,
    DataValue,
    ErrorValue,
    Evaluation,
    Function,
    Initializer,
    LearnedFact,
    Namespace,
    Operation,
    Optimizer,
    Outputs,
    RuntimeValue,
    ShapeOf,
    Tensor,
    Unbound,
    describe,
    is_host,
)
from ..data.schema import Schema
from ..data.stage import written
from ..diagnostics.spelling import counted, shortened, visible
from ..narrowing import is_list
from ..ops.op import Op
from ..ops.optimizers import OptimizerRow
from ..source import Source
from ..syntax import tree as t
from ..types import DType, shape_text
from .symbols import Symbol


def type_of(value: object) -> str:
    """The type of a tensor, or of an array of data. "" for other values."""
    match value:
        case Tensor(type=type) | Array(type=type):
            return str(type)
        case RuntimeValue(type=type) if type is not None:
            return str(type)
        case Operation():
            return "operation"
        case _:
            return ""


def short(value: object) -> str:
    """What a value is, in a few words. "" if nothing is known of it."""
    if text := type_of(value):
        return text
    match value:
        case None:
            return "none"
        case ErrorValue() | Unbound() | Namespace():
            return ""
        case ShapeOf(dims=dims):
            return shape_text(dims)
        case DataValue(schema=schema):
            return f"data, {rows_of(schema)}"
        case Batch(schema=schema, size=size):
            return f"a batch of {rows_of(schema)}" if size is None else f"{counted(size, 'row')} of {rows_of(schema)}"
        case Evaluation(fields=fields):
            return ", ".join(f"{name}: {type_of(one) or 'a value'}" for name, one in fields.items())
        case Outputs():
            return "(" + ", ".join(f"{n}: {short(one)}" for n, one in zip(value.names, value, strict=False)) + ")"
        case _ if is_list(value) and not is_host(value):
            items = list(value)
            return "[" + ", ".join(map(short, items[:3])) + (", ..." if len(items) > 3 else "") + "]"
        case DType():
            return str(value)
        case Function(tree=tree):
            return f"def {tree.target.id}({', '.join(one.text for one in tree.parameters)})"
        case Op() | OptimizerRow():
            return f"{value.name}({value.signature})"
        case Optimizer(row=row):
            return row.name
        case Initializer() | LearnedFact():
            return describe(value)
        case range():
            return str(value)
        case _ if is_host(value):
            return shortened(visible(written(value)))
        case _:
            return describe(value)


def several(values: Iterable[object]) -> str:
    """What the values of a place are: one text if they agree, or the first ones."""
    texts = list(dict.fromkeys(text for value in values if (text := short(value))))
    return texts[0] if len(texts) == 1 else ", ".join(texts[:3]) + (", ..." if len(texts) > 3 else "")


def rows_of(schema: Schema) -> str:
    return f"{counted(schema.rows, 'row')}, {counted(schema.columns, 'column')}"


def columns_text(schema: Schema) -> str:
    """The columns of data as a list of Markdown."""
    lines: list[str] = []
    for column in schema.table:
        shape = f"[{', '.join(map(str, column.shape))}] a row" if column.shape else ""
        role = {"feature": "", "target": "target", "aside": "set aside"}[column.role]
        facts = ", ".join(
            filter(None, (f"{column.dtype}{shape}", role, f"{column.gaps} missing" if column.gaps else ""))
        )
        lines.append(f"- `{visible(column.name)}`: {facts}")
    most = 40
    return "\n".join(lines[:most] + ([f"- and {len(lines) - most} more"] if len(lines) > most else []))


_WORDS = {
    "param": "a param", "data": "data", "placeholder": "a placeholder", "variable": "a variable", "value": "a value",
    "function": "a function", "parameter": "a parameter", "scope": "a scope", "module": "an imported file",
    "graph": "a graph", "session": "a session", "batch": "a batch", "step": "the step of an optimizer",
    "size": "a named size", "column": "a value of an evaluate",
}  # fmt: skip


def kind_of(symbol: Symbol) -> str:
    """What a symbol is, in words."""
    if isinstance(symbol.statement, t.Variable) and symbol.statement.shared:
        return "a shared variable"
    return _WORDS[symbol.kind]


def comment_above(source: Source, start: int) -> str:
    """The comments right above the line of an offset, or beside it, as Markdown."""
    line, _ = source.position(start)
    beside = source.line_text(line).rpartition("  # ")[2] if "  # " in source.line_text(line) else ""
    above = (source.line_text(number).strip() for number in range(line - 1, 0, -1))
    lines = list(takewhile(lambda text: text.startswith("#"), above))[::-1]
    texts = [text.removeprefix("#").removeprefix(" ") for text in (*lines, *([beside] if beside else []))]
    return "\n".join(texts).strip()
