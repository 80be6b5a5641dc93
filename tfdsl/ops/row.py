"""How a table module writes its rows: `ROWS, row = table("math")`, then one `row(...)` an op."""

from collections.abc import Callable

from .op import Op


def table(group: str) -> tuple[list[Op], Callable[..., None]]:
    """A list for the rows of one theme and the function that adds one to it.

    The keywords of `row` that are no fields of `Op` limit the dtype letters of the
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
        applies: str = "",
        arranges: bool = False,
        special: bool = False,
        no_gradient: str = "",
        modes: str = "",
        named: bool = True,
        **dtypes: str,
    ) -> None:
        facts = {
            "compares": compares, "applies": applies, "arranges": arranges,
            "special": special, "no_gradient": no_gradient, "modes": modes, "named": named,
        }  # fmt: skip
        rows.append(Op(name, signature, rule, tf, doc, example, group, dtypes, **facts))

    return rows, row
