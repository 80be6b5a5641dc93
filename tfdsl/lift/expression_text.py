"""Texts of expressions, and how tightly operators bind in them."""

from collections.abc import Sequence

from ..record import Record

# How tightly operators bind, as in Python.
ATOM, POWER, UNARY, PRODUCT, SUM, COMPARISON, NOT, AND, OR, CHOICE = range(9, -1, -1)
LEVELS = {"**": POWER, "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "+": SUM,
           "-": SUM, "and": AND, "or": OR, "not": NOT, "unary -": UNARY,
           **dict.fromkeys(("<", ">", "<=", ">=", "==", "!="), COMPARISON)}  # fmt: skip


class ExpressionText(Record):
    """An expression: its text, how tightly it binds, and how many calls it nests."""

    text: str
    level: int = ATOM
    depth: int = 0

    def within(self, level: int) -> str:
        """The text as an operand of an operator."""
        return self.text if self.level >= level else f"({self.text})"


def one_or_list(texts: Sequence[str]) -> str:
    """A single text as it is, several as a list."""
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
