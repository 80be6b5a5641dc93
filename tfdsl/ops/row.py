"""How a table module writes its rows: `ROWS, row = table("math")`, then one `row(...)` an op."""

from collections.abc import Callable

from .op import Op


def table(group: str) -> tuple[list[Op], Callable[..., None]]:
    """A list for the rows of one theme and the function that adds one to it.

    The keywords of `row`, other than `compares`, `special` and `named`, limit the dtype letters of the
    signature: `T="float", U="int32 int64"`.
    """
    rows: list[Op] = []

    def row(
        name: str,
        signature: str,
        rule: Callable,
        tf: str,
        doc: str,
        example: str,
        *,
        compares: bool = False,
        special: bool = False,
        named: bool = True,
        **dtypes: str,
    ) -> None:
        rows.append(Op(name, signature, rule, tf, doc, example, group, dtypes, compares, special, named))

    return rows, row
