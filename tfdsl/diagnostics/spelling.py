"""Helpers for messages: `did you mean`, a list of names, and text that is safe to show."""

from collections.abc import Iterable
from os.path import splitext

_LISTED = 40  # names per message
_BEGINNING = 3  # letters that stand for the only name that begins with them
_LONGER = 4  # times as long as its beginning: "acc" is not "accumulate_n"
SHORT = 4  # letters of a word that may have one slip only
_WORK = 10_000_000  # units of about 0.1 microseconds: a second for all suggestions of a check


class Suggestions:
    """Suggestions for misspelt names in one check, up to a limit of work."""

    def __init__(self, work: int = _WORK):
        self._left = work

    def did_you_mean(self, word: str, known: Iterable[str]) -> str:
        """`did you mean 'theta'?`, or an empty text."""
        match = self.nearest(word, known)
        return f"did you mean '{match}'?" if match else ""

    def nearest(self, word: str, known: Iterable[str]) -> str | None:
        """The known word that a misspelt word most likely means."""
        if self._left <= 0:
            return None
        known = list(known)
        self._left -= len(known)
        reach = len(word) * _LONGER if len(word) >= _BEGINNING else 0
        longer = {one for one in known if len(one) < reach and one.startswith(word)}
        if len(longer) == 1 and word not in longer:
            return longer.pop()
        # A long word must agree more: "inside" is not "divide".
        word, cutoff = word[:100], 0.6 if len(word) <= 4 else 0.7
        least, most = len(word) * cutoff / (2 - cutoff), len(word) * (2 - cutoff) / cutoff  # long enough, short enough
        # Of a short name nearly all letters must be there, and of a short word too: "fifth" is not "fft".
        known = [one for one in known if len(one) > 3 or len(one) >= len(word) - 1]
        known = sorted({one for one in known if least <= len(one) <= most and not one.startswith("_")})
        self._left -= 5 * len(known)
        same = {_folded(one): one for one in known}.get(_folded(word))
        if same is None and len(word) <= SHORT:
            known = [one for one in known if _is_one_slip(word, one)]
        return same if same is not None else self._most_alike(word, known, cutoff)

    def _most_alike(self, word: str, known: list[str], cutoff: float) -> str | None:
        """The word with the largest matching part. Words that share the most letters are compared first. Then most
        other words need no comparison, and the likeliest are checked even if the work is limited."""
        from difflib import SequenceMatcher  # only needed to explain an error

        matcher = SequenceMatcher(b=word)
        bounds: list[tuple[float, str]] = []
        for one in known:
            if self._left <= 0:
                return None
            self._left -= 5 * len(one)
            matcher.set_seq1(one)
            bounds.append((matcher.quick_ratio(), one))
        best = (cutoff, "")
        for bound, one in sorted(bounds, reverse=True):
            if bound < best[0] or self._left <= 0:
                break
            matcher.set_seq1(one)
            best = max(best, (matcher.ratio(), one))
            self._left -= len(one) * len(word) * len(matcher.get_matching_blocks())
        return best[1] or None


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a single misspelt word most likely means."""
    return Suggestions().nearest(word, known)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'theta'?` for a single misspelt word, or an empty text."""
    return Suggestions().did_you_mean(word, known)


def near_suffix(path: str, known: Iterable[str]) -> str:
    """`did you mean 'x.csv'?` for a path with a misspelt suffix, or an empty text."""
    stem, suffix = splitext(path)
    match = nearest(suffix.lower(), known)
    return f"did you mean '{stem}{match}'?" if match else ""


def listed(names: Iterable[str], most: int = _LISTED) -> str:
    """Names joined by commas. Of a long list, only the first ones."""
    names = list(names)
    more = len(names) - most
    return ", ".join(names) if more <= 1 else ", ".join(names[:most]) + f" and {more} more"


def alternatives(names: Iterable[str]) -> str:
    """Names joined by commas, and the last one by `or`."""
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def counted(number: object, one: str, many: str = "") -> str:
    """A number of things: `1 row`, `2 rows`. A text in place of the number is of several."""
    shown = f"{number:g}" if isinstance(number, float) else number
    return f"{shown} {one if number == 1 else many or f'{one}s'}"


def shortened(text: str, most: int = 60) -> str:
    """A text, or the beginning of one that has more characters."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _is_one_slip(word: str, meant: str) -> bool:
    """Whether one letter is missing, too many or another one, or two neighbours are exchanged."""
    begin = _agreeing(word, meant)
    end = _agreeing(word[begin:][::-1], meant[begin:][::-1])
    found, wanted = word[begin : len(word) - end], meant[begin : len(meant) - end]
    return max(len(found), len(wanted)) <= 1 or (len(found) == 2 and found[::-1] == wanted)


def _agreeing(one: str, other: str) -> int:
    """The number of letters at the beginning that two words share."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _folded(word: str) -> str:
    return word.lower().replace("_", "")


def visible(text: str) -> str:
    """Text with control, format and unprintable characters escaped, so it cannot control a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else escape(c) for c in text)


def escape(character: str) -> str:
    """A character as the language writes it. A byte that is not UTF-8, which Python reads as a surrogate, is a byte."""
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()


def bytes_text(value: bytes) -> str:
    """Bytes as the language writes them, in ASCII."""
    inside = repr(value)[2:-1]
    if repr(value)[1] == "'":
        inside = inside.replace("\\'", "'").replace('"', '\\"')
    return f'b"{inside}"'


def visible_lines(text: str) -> str:
    """The same, with line breaks and tabs unchanged."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" else visible(c) for c in text)
