"""Lets a table module write its rows: `OPS, row = table("math")`, then one `row(...)` per op."""

from typing import Any, Protocol

from .batch import Rule
from .op import Op, ShapeRule

_COLUMNS = frozenset(Op.__match_args__)


class _Row(Protocol):
    def __call__(
        self,
        name: str,
        signature: str,
        rule: ShapeRule,
        tf: str,
        doc: str,
        example: str,
        *,
        batch: Rule,
        **facts: Any,  # columns of `Op` and limits, whose types are many
    ) -> None: ...


# Columns of `Op`: their names are known when a row is made, each with a type of its own.
def table(group: str, **common: Any) -> tuple[list[Op], _Row]:
    """A list for the rows of a topic, and the function that adds a row. `common` has columns shared by all rows.

    Each row must say how a batch goes through the op. Keywords of `row` that are not columns of `Op` limit the
    signature: letters limit dtypes, `T="float", U="int32 int64"`, and parameters limit their values,
    `padding=("SAME", "VALID")`, or the least number, `num_buckets=1`.
    """
    rows: list[Op] = []

    # Takes what `_Row` takes.
    def row(
        name: str, signature: str, rule: ShapeRule, tf: str, doc: str, example: str, *, batch: Rule, **facts: Any
    ) -> None:
        columns = {**common, **{fact: value for fact, value in facts.items() if fact in _COLUMNS}}
        dtypes = {letter: classes for letter, classes in facts.items() if letter.isupper()}
        options = {param: limit for param, limit in facts.items() if param not in _COLUMNS and param not in dtypes}
        if tf.startswith("keras."):
            raise ValueError(f"the row {name}: {tf} is of Keras, which tfdsl does not load; build the op in "
                             "lowering/special.py, and name the function in the column 'lowered'")  # fmt: skip
        for unknown in (param for param in options if f"{param}: " not in signature):
            raise TypeError(f"the row {name} has no column, and its op no parameter, {unknown!r}")
        given = (name, signature, rule, tf, doc, example, group, batch, dtypes, options)
        rows.append(Op(*given, **columns))

    return rows, row
