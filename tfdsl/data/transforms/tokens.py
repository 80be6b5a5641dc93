"""Makes text lists of the numbers of its words."""

import re
from collections import Counter
from typing import TYPE_CHECKING

from ...diagnostics import TOKENS_CUT
from ...record import replace
from ...types import INT64, STRING, TF
from ..categories import numbered
from ..plain import JsonPart
from ..schema import Column, Schema, check_size, is_integer
from ..stage import Arguments, whole
from .base import ColumnTransform, Facts, Learned, Readable, Tensors

if TYPE_CHECKING:
    from ..tables import Block, Function, Table, Words

_WORD = re.compile(r"\w+|[^\w\s]")
# The same for the regular expressions of TensorFlow.
_LETTERS = r"[\p{L}\p{N}_]"
_SPACES = r"\s\x0b\x1c-\x1f\x{85}\p{Z}"
_SPACE, _SIGN = f"[{_SPACES}]", rf"[^\p{{L}}\p{{N}}_{_SPACES}]"
_FIRST = 2  # the number of the first word: 0 is padding, 1 an unknown word
_MOST = 1 << 16  # words of a text


class Tokens(ColumnTransform):
    name = "tokens"
    signature = "size: integer, vocabulary: integer = 10000, lower: flag = true"
    example = 'data notes = text("notes.txt") | tokens("text", size=20)'
    doc = (
        "Replaces text with the numbers of its words and signs, int64 [size]; without names, in all columns of text. "
        "The `vocabulary` is the most words that get a number: the most frequent words of the training rows, from "
        "number 2 on; 0 pads short texts, and 1 is any other word. Longer texts are cut, and a warning counts them. "
        "With `lower`, case does not matter."
    )
    learns = True
    takes_columns = True

    def schema(self, arguments: Arguments, before: Schema, facts: Facts) -> Schema:
        size, most = arguments["size"], arguments["vocabulary"]
        if not is_integer(size) or not 1 <= size <= _MOST:
            self.refuse(arguments, "size", f"an integer from 1 to {_MOST}")
        if not is_integer(most) or most < 1:
            self.refuse(arguments, "vocabulary", "an integer of 1 or more")
        if not isinstance(arguments["lower"], bool):
            self.refuse(arguments, "lower", "true or false")
        columns = self.worked_on(arguments, before, facts)
        check_size(self.name, 1 if before.streamed else before.rows, len(columns) * size)
        names, learned = {column.name for column in columns}, facts.learned
        cut = sum(learned["cut"].values())
        if cut:
            facts.doubt(TOKENS_CUT, size=size, cut=cut)

        def change(column: Column) -> Column:
            if column.name not in names:
                return column
            last = len(learned["words"][column.name]) + _FIRST - 1
            return replace(column, dtype=INT64, shape=(size,), gaps=0, ends=(0, last), is_computed=True,
                           is_learned=True, nearly_numbers=False)  # fmt: skip

        return before.with_columns(change)

    def worked_on(self, arguments: Arguments, before: Schema, facts: Facts | None = None) -> tuple[Column, ...]:
        return self.wanted(arguments, before, lambda one: one.dtype == STRING, "columns of text", facts)

    words = ("vocabulary",)

    def readable(self, arguments: Arguments, learned: Learned) -> Readable:
        return {"vocabulary": learned["words"]}

    def checked(self, arguments: Arguments, before: Schema, learned: JsonPart) -> Learned:
        names = [column.name for column in self.worked_on(arguments, before)]
        fields = learned.fields("words", "cut")
        known, cut = fields["words"].fields(*names), fields["cut"].fields(*names)
        for name in names:
            words = known[name].texts()
            if len(set(words)) < len(words) or len(words) > whole(arguments, "vocabulary"):
                known[name].refuse(f"a list of at most {arguments['vocabulary']} different words")
        return {
            "words": {name: known[name].texts() for name in names},
            "cut": {name: cut[name].integer(0) for name in names},
        }

    def learn(self, arguments: Arguments, before: Schema, table: "Table") -> Learned:
        import numpy as np

        size, most, lower = whole(arguments, "size"), whole(arguments, "vocabulary"), bool(arguments["lower"])
        found, cut = {}, {}
        for column in self.worked_on(arguments, before):
            texts = table.words[column.name]
            counted = np.zeros(len(texts) + 1, np.int64)
            for block in table.training_blocks():
                counted += np.bincount(block[column.name] % (len(texts) + 1), minlength=len(texts) + 1)
            counts: Counter[str] = Counter()
            cut[column.name] = 0
            for text, times in zip(texts, counted.tolist(), strict=False):
                words = words_of(text, lower) if times else ()
                cut[column.name] += times if len(words) > size else 0
                for word in words:
                    counts[word] += times
            ranked = sorted(counts, key=lambda word: (-counts[word], word))
            found[column.name] = ranked[:most]
        return {"words": found, "cut": cut}

    def cut(self, arguments: Arguments, before: Schema, table: "Table") -> int:
        import numpy as np

        size, lower, count = whole(arguments, "size"), bool(arguments["lower"]), 0
        there = set(table.block(slice(0, 1)))
        for name in (one.name for one in self.worked_on(arguments, before) if one.name in there):
            is_long = np.array([*(len(words_of(text, lower)) > size for text in table.words[name]), False])
            count += sum(int(is_long[block[name]].sum()) for _, block in table.blocks())  # a missing one is the last
        return count

    def function(
        self, arguments: Arguments, before: Schema, learned: Learned, words: "Words"
    ) -> "tuple[Function, Words]":
        import numpy as np

        size, lower = whole(arguments, "size"), bool(arguments["lower"])
        numbers = {
            name: {word: number for number, word in enumerate(known, _FIRST)}
            for name, known in learned["words"].items()
        }

        def of(name: str, codes: "np.ndarray") -> "np.ndarray":
            """The numbers of the words of a block. Those of all texts may be larger than memory."""
            different, rows = np.unique(codes, return_inverse=True)
            made = np.zeros((len(different), size), np.int64)
            for at, code in enumerate(different.tolist()):
                text = words[name][code] if code >= 0 else ""
                found = [numbers[name].get(word, 1) for word in words_of(str(text), lower)[:size]]
                made[at, : len(found)] = found
            return made[rows.reshape(-1)]

        def numbered(block: "Block") -> "Block":
            return {name: of(name, column) if name in numbers else column for name, column in block.items()}

        return numbered, {name: known for name, known in words.items() if name not in numbers}

    def in_graph(self, arguments: Arguments, before: Schema, learned: Learned, columns: Tensors, tf: TF) -> Tensors:
        size, result = whole(arguments, "size"), dict(columns)
        for name, words in learned["words"].items():
            if name not in columns:
                continue
            texts = tf.strings.lower(columns[name], "utf-8") if arguments["lower"] else columns[name]
            texts = tf.strings.regex_replace(texts, _SPACE, " ")
            found = tf.strings.split(tf.strings.regex_replace(texts, f"({_LETTERS}+|{_SIGN})", r"\1 "))
            numbers = found.with_flat_values(numbered(tf, words, found.flat_values, _FIRST, 1))
            result[name] = numbers.to_tensor(0, shape=[None, size])
        return result


def words_of(text: str, lower: bool) -> list[str]:
    """The words and signs of a text."""
    return _WORD.findall(text.lower() if lower else text)


TRANSFORM = Tokens()
