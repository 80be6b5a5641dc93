"""Numbers in words, as in `every two epochs`, `every other epoch` and `in batches of ten`."""

import re

_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBERS = {
    **{word: number for number, word in enumerate(_WORDS)},
    **{word: number for number, word in enumerate(_ORDINALS)},
    **{word: 10 * tens for tens, word in enumerate(_TENS, 2)},
    "single": 1, "other": 2, "couple": 2, "dozen": 12, "few": 5, "several": 5, "twentieth": 20, "fiftieth": 50,
    "hundredth": 100, "thousandth": 1000,
}  # fmt: skip
_TIMES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_WORD = "|".join((*_NUMBERS, *_TIMES))
_WORDS_OF_ONE = rf"(?:(?:an?|the)\s+)?((?:{_WORD})(?:(?:\s*-\s*|\s+and\s+|\s+)(?:{_WORD}))*)"
_UNIT = "epoch|batch|step|second|minute|hour"
_COUNTED = re.compile(
    rf"\b((?:every|each|train|after|for)\s+)(?:{_WORDS_OF_ONE}|an?(?=\s+(?:{_UNIT})\b))(?:\s+of)?(\s+)({_UNIT})(?:e?s)?\b"
)
_SIZE = re.compile(rf"\b((?:of|seed|size)\s+){_WORDS_OF_ONE}\b(?!\s*[.(\[=])")


def _number(words: str) -> int:
    """The number that words such as `two` and `twenty-five` are."""
    total, part = 0, 0
    for word in re.findall(r"[a-z]+", words):
        part = max(part, 1) * _TIMES[word] if word in _TIMES else part + _NUMBERS.get(word, 0)
        if part >= 1000:
            total, part = total + part, 0
    return total + part


def in_digits(row: str) -> str:
    """A line of a session with the numbers in words that it counts with, or that are sizes and seeds, in digits."""

    def counted(found: re.Match[str]) -> str:
        before, words, space, unit = found.groups()
        number = 1 if words is None else _number(words)  # `every an epoch` has one
        return f"{before}{number}{space}{unit}{'' if number == 1 else 'es' if unit == 'batch' else 's'}"

    return _SIZE.sub(lambda found: f"{found[1]}{_number(found[2])}", _COUNTED.sub(counted, row))


def is_number(word: str) -> bool:
    """Whether a word counts, as in `every two epochs`, `every other epoch` and `every an epoch`."""
    return word in _NUMBERS or word in _TIMES or word in ("a", "an")


def digits(word: str) -> str:
    """The digits of a number in words, "" for other words. A number of order, such as `second`, counts with a unit
    only."""
    return str(_number(word)) if word in (*_WORDS, *_TENS, *_TIMES) else ""
