"""How a table module writes its rows: `ROWS, row = table("math")`, then one `row(...)` an op."""

from collections.abc import Callable, Mapping

from .op import Op


def table(group: str) -> tuple[list[Op], Callable[..., None]]:
    """A list for the rows of one theme and the function that adds one to it.

    The keywords of `row` that are no fields of `Op` limit what the signature leaves open: letters the dtypes,
    `T="float", U="int32 int64"`, and names of parameters their values, `padding=("SAME", "VALID")`, or
    for a number the least, `num_buckets=1`.
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
        writes: bool = False,
        draws_alone: bool = False,
        by_shape: bool = False,
        ranks: Mapping[str, int | tuple[int | None, ...]] = {},
        sized: str = "",
        pairs: tuple[str, ...] = (),
        gathers: tuple[str, ...] = (),
        classes: tuple[str, ...] = (),
        sliced: str = "",
        special: bool = False,
        no_gradient: str = "",
        modes: str = "",
        in_nn: str = "",
        named: bool = True,
        **limits: object,
    ) -> None:
        dtypes = {letter: classes for letter, classes in limits.items() if letter.isupper()}
        options = {param: limit for param, limit in limits.items() if param not in dtypes}
        facts = {
            "compares": compares, "applies": applies, "arranges": arranges, "writes": writes,
            "draws_alone": draws_alone, "by_shape": by_shape,
            "ranks": ranks, "sized": sized, "pairs": pairs, "gathers": gathers, "classes": classes, "sliced": sliced,
            "special": special,
            "no_gradient": no_gradient, "modes": modes, "in_nn": in_nn, "named": named,
        }  # fmt: skip
        rows.append(Op(name, signature, rule, tf, doc, example, group, dtypes, options, **facts))

    return rows, row
