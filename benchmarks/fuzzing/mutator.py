"""Generates mutated programs: pieces of the project's programs with one to five mutations."""

from collections.abc import Callable
from random import Random

from .corpus import TOKEN, Corpus

ODD = [
    "\t", "\r", "\r\n", "\0", "\x1b[31m", "\x07", "\u202e", "\u2066", "\ufeff", "\u00a0", "\u2028", "\u200b", "\x85",
    "'", '"', '"""', "\\", "(", ")", "[", "]", "{", "}", ":", ";", ",", ".", "..", "...", "?", "@", "!", "$", "`", "#",
    "=", "==", "=>", "->", "**", "//", "<>", "|", "&", "~", "^", "é", "\u0301", "中", "🙂", "\U000e0001", "\ud800",
    "\n", "\n\n", "\f", "\v", "0", "1e400", "0x", "1__0", "1_000", "-", "not ", " if ", " else ", " for i in ",
    " with ", " as ", "%", "{now}", "{", "none", "true", "\\N{x}", "\\x", "9" * 30, "1e-999", "0b2", " in ", "%s", "%n",
    "[0]", "()", "(x)", ".shape", ".rows", "[::]", "[...]", "{{", "}}", "²", "٣", "ⅷ", "ﬁ", "__class__", "\\u0000",
]  # fmt: skip
HUGE = [
    "0", "-1", "1e400", "1e-400", "10**9", "2**10**9", "2**-1", "99999999999999999999", "0.0", "1e308", "true", "none",
    "2**31", "2**63", "-2**63", "65536", "range(9)",
    '"a"', "[]", "[[1], [2, 3]]", "x", "1.5", "0j", "7**7**7", "9" * 99,
]  # fmt: skip
OPENINGS = (
    "(", "[", "-", "not ", "abs(", "f[", "x.", "1 if a else ", "a ** ", "if true: ", "scope s:\n ", "[x for x in ",
)  # fmt: skip


class Mutator:
    """`program(random)` returns the next program for a source of random numbers."""

    def __init__(self, corpus: Corpus):
        self.corpus = corpus
        rare = ((self.bytes, 1), (self.nested, 1), (self.numbers, 2), (self.odd, 3), (self.cut, 1))
        often = ((self.word, 8), (self.line, 4), (self.indent, 2), (self.splice, 2))
        self._ways = [way for way, weight in (*rare, *often) for _ in range(weight)]

    def program(self, random: Random) -> str:
        text = self.piece(random)
        for _ in range(random.choice((1, 1, 1, 2, 3, 5))):
            way: Callable[[Random, str], str] = random.choice(self._ways)
            text = way(random, text) or "a"
        return text

    def piece(self, random: Random) -> str:
        return random.choice(self.corpus.pieces)

    # --- mutations ------------------------------------------------------------------------

    def word(self, random: Random, text: str) -> str:
        """A token is deleted, doubled or replaced, by one of this text or of another."""
        places = [match.span() for match in TOKEN.finditer(text)]
        if not places:
            return text
        start, end = random.choice(places)
        kept = text[start:end]
        other = text[slice(*random.choice(places))] if random.random() < 0.6 else random.choice(self.corpus.tokens)
        new = random.choice((other, other, other, "", f"{kept} {other}", f"{other} {kept}", f"{kept}{kept}"))
        return text[:start] + new + text[end:]

    def line(self, random: Random, text: str) -> str:
        """A line is deleted, doubled or moved, or a line of another program is inserted."""
        lines = text.split("\n")
        at, other = random.randrange(len(lines)), random.randrange(len(lines))
        match random.randrange(4):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, lines[other])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                lines.insert(at, random.choice(self.corpus.lines))
        return "\n".join(lines)

    def indent(self, random: Random, text: str) -> str:
        lines = text.split("\n")
        at = random.randrange(len(lines))
        lines[at] = random.choice(("", " ", "  ", "    ", "        ", "\t")) + lines[at].lstrip(" ")
        return "\n".join(lines)

    def splice(self, random: Random, text: str) -> str:
        """The head of one piece and the tail of another, or both pieces in a row."""
        other = self.piece(random)
        if random.random() < 0.5:
            return text + other
        return text[: random.randrange(len(text) + 1)] + other[random.randrange(len(other)) :]

    def odd(self, random: Random, text: str) -> str:
        at = random.randrange(len(text) + 1)
        new = random.choice(ODD) if random.random() < 0.9 else chr(random.randrange(0x110000))
        return text[:at] + new + text[at:]

    def cut(self, random: Random, text: str) -> str:
        at = random.randrange(len(text) + 1)
        return text[:at] + text[at + random.randrange(1, 40) :] if random.random() < 0.7 else text[:at]

    def bytes(self, random: Random, text: str) -> str:
        """Bits are flipped. Invalid UTF-8 becomes the replacement character."""
        data = bytearray(text.encode("utf-8", "surrogatepass"))
        for _ in range(random.randrange(1, 4)):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
        return data.decode("utf-8", "replace")

    def numbers(self, random: Random, text: str) -> str:
        places = [match.span() for match in TOKEN.finditer(text) if match[0][0].isdigit()]
        if not places:
            return text
        start, end = random.choice(places)
        return text[:start] + random.choice(HUGE) + text[end:]

    def nested(self, random: Random, text: str) -> str:
        at = random.randrange(len(text) + 1)
        return text[:at] + random.choice(OPENINGS) * random.choice((2, 5, 40)) + text[at:]
