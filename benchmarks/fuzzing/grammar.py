"""Programs derived from the grammar: every rule of it, in any order, with few names.

`Grammar` draws rules itself, ten thousand programs in some seconds. `by_hypothesis` uses `hypothesis.extra.lark`, which
can shrink a failing program but draws only ten programs per second.
"""

import re
from functools import cached_property
from random import Random

import lark

from tfdsl.syntax.tables import grammar_text

_NAMES = "x y w z a b X theta loss mse data housing batch epoch step relu add_n matmul float32 int32 scalar n".split()
_NUMBERS = ["0", "1", "2", "3.5", "1e-3", "0x1f", "100", "1_000", ".5", "2.", "1e400"]
_STRINGS = ['""', '"a"', '"a.tfg"', '"/cpu:0"', '"{now}"', '"{"', '"\\n"', '"é"', '"a.csv"', '"SAME"']
_WORDS = {
    "NAME": _NAMES, "NUMBER": _NUMBERS, "STRING": _STRINGS, "UNIT": ["epochs", "batches", "steps", "seconds", "epoch"],
    "ORDER": ["shuffled", "ordered", "sampled"], "IF_EXISTS": ["if exists"], "COMMENT": [""],
    # The parser puts these terminals in place of texts like this one.
    "BROKEN": ["= )"], "BROKEN_BRANCH": ["elif = )"], "BROKEN_SESSION": ["session = )"],
}  # fmt: skip
_LONG = 40  # words of a statement, after which the shortest way to its end is taken
_OPEN, _CLOSE = "\x01", "\x02"  # stand for the layout until a text is written
_LAYOUT = {"_NL": "\n", "_INDENT": _OPEN, "_DEDENT": _CLOSE}


class Grammar:
    """`program(random)` returns a text that the grammar allows, with a limited depth."""

    def __init__(self) -> None:
        self.lark = lark.Lark(grammar_text(), start=["file", "expr"], parser="lalr", lexer="basic")

    @cached_property
    def words(self) -> dict[str, list[str]]:
        """A text of a terminal. A space follows it: patterns look ahead, and words must not touch."""
        found = {name: [f"{word} " for word in words] for name, words in _WORDS.items()}
        found |= {name: [mark] for name, mark in _LAYOUT.items()}
        for terminal in self.lark.terminals:
            if terminal.name not in found:
                value = terminal.pattern.value
                word = value if terminal.pattern.type == "str" else re.match(r"[a-z]*", value)[0]
                found[terminal.name] = [f"{word} " if word else ""]
        return found

    @cached_property
    def rules(self) -> dict[str, list[tuple[int, list[str]]]]:
        """The expansions of each rule, with the minimum depth of each."""
        plain: dict[str, list[list[str]]] = {}
        for rule in self.lark.rules:
            plain.setdefault(rule.origin.name, []).append([symbol.name for symbol in rule.expansion])
        levels: dict[str, int] = {}
        while len(levels) < len(plain):
            for name, expansions in plain.items():
                known = [self._levels(one, plain, levels) for one in expansions]
                known = [one for one in known if one is not None]
                if known and name not in levels:
                    levels[name] = 1 + min(known)
        return {
            name: [(1 + self._levels(one, plain, levels), one) for one in expansions]
            for name, expansions in plain.items()
        }

    @staticmethod
    def _levels(expansion: list[str], plain: dict, levels: dict[str, int]) -> int | None:
        inner = [levels.get(name) for name in expansion if name in plain]
        return None if None in inner else max(inner, default=0)

    def program(self, random: Random) -> str:
        texts = []
        for _ in range(random.choice((1, 1, 2, 3, 5))):
            parts: list[str] = []
            self._draw("_statement", random, random.choice((15, 30, 60)), parts)
            texts.append("".join(parts))
        return _laid_out("".join(texts))

    def _draw(self, name: str, random: Random, levels: int, parts: list[str]) -> None:
        if name in self.rules:
            levels = levels if len(parts) < _LONG else 0
            choices = [one for needed, one in self.rules[name] if needed <= levels] or [min(self.rules[name])[1]]
            for inner in random.choice(choices):
                self._draw(inner, random, levels - 1, parts)
        else:
            parts.append(random.choice(self.words[name]))


def by_hypothesis():
    """The strategy of `hypothesis.extra.lark` for the same texts."""
    from hypothesis import strategies as st
    from hypothesis.extra.lark import from_lark

    grammar = Grammar()
    explicit = {name: st.sampled_from(words) for name, words in grammar.words.items()}
    one = lark.Lark(grammar_text(), start="file", parser="lalr", lexer="basic")
    return from_lark(one, start="file", explicit=explicit).map(_laid_out)


def _laid_out(text: str) -> str:
    """A text with the indentation that its marks stand for."""
    lines, level = [], 0
    for line in text.split("\n"):
        level += line.count(_OPEN) - line.count(_CLOSE)
        lines.append("    " * level + line.replace(_OPEN, "").replace(_CLOSE, "").strip())
    return "\n".join(lines)
