"""Two small things every message may need: a `did you mean`, and text that is safe to show."""

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one most likely is."""
    import difflib  # only where there is an error to explain

    # Of a long word more must agree: "inside" is no "divide".
    word, cutoff = word[:100], 0.6 if len(word) <= 4 else 0.7
    least, most = len(word) * cutoff / (2 - cutoff), len(word) * (2 - cutoff) / cutoff  # long enough, short enough
    known = sorted({one for one in known if least <= len(one) <= most and not one.startswith("_")})
    same = {_folded(one): one for one in known}.get(_folded(word))
    if same is not None:
        return same
    matches = difflib.get_close_matches(word, known, n=1, cutoff=cutoff)
    return matches[0] if matches else None


def _folded(word: str) -> str:
    return word.lower().replace("_", "")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean 'theta'?`, or an empty text."""
    match = nearest(word, known)
    return f"did you mean '{match}'?" if match else ""


def visible(text: str) -> str:
    """Text with control, format and unprintable characters escaped, so that it cannot act on a terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def visible_lines(text: str) -> str:
    """The same, with line breaks and tabs as they are."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" else visible(c) for c in text)
