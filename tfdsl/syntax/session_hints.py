"""Help lines for lines of a session whose words are right, but not their form: when a block runs, what is fed."""

import re

from ..source import Source
from .hints import SESSION_WORDS, code_of, declared_names, in_session

# When a block of a training runs, in words such as `after epoch 3`, `at the end of each epoch` and `every epoch`.
_TIMES = re.compile(
    r"(?:(?P<at>after|at|on|for(?=\s+(?:every|each|all)\b))\s+)?(?:(?P<end>(?:the\s+)?end\s+of)\s+)?"
    r"(?P<each>(?:every|each|all|the|an?)\s+)?(?:(?P<n>\d[\d_]*|[^\W\d]\w*(?=\s+(?:epoch|batch|step|second)))\s+)?"
    r"(?P<unit>epoch|batch|step|second)(?:e?s)?\b(?:\s+(?P<number>\d[\d_]*))?(?:\s+(?P<ends>ends?))?"
    rf"\s*(?::|(?<=\s)(?=(?:{'|'.join(SESSION_WORDS)})\b)|$)\s*(?P<rest>.*)"
)
_FED = re.compile(r"(?P<begin>(?:.*[\s:])?(?:feed|with))\s+(?P<fed>[^\W\d].*|\{.*\})")
_WITH = r"(?:feed|feeding|feed_dict|using|given|where)"
_PARTS = ("features", "target")


def session_hint(source: Source, line: int) -> str:
    """A help line for a line of a session that has a syntax error, or ""."""
    row = code_of(source.line_text(line)).strip()
    if not in_session(source, line):
        return ""
    return _when(row) or _feeds(source, line, row) or _clauses(source, row)


def _when(row: str) -> str:
    """When the block of a training runs: `every` or `after every`, with a number and a unit."""
    if re.match(r"(?:after|at|on)\s+(?:the\s+)?(?:end\s+of\s+)?(?:the\s+)?train(?:ing)?\b", row):
        return "what is done once after a training stands below it, in the column of its 'train'"
    if re.match(r"after\s*:", row):
        return f"write how often: after every 1 epoch{row[len('after') :].lstrip()}"
    found = _TIMES.match(row)
    if found is None or not (found["at"] or found["each"]):
        return ""
    is_after = bool(found["at"] == "after" or found["end"] or found["ends"])
    count, unit = found["n"] or found["number"] or "1", found["unit"]
    if is_after and unit == "second":
        return ""
    unit += "" if count == "1" else "es" if unit == "batch" else "s"
    written = f"{'after ' if is_after else ''}every {count} {unit}: {found['rest']}".rstrip()
    return "" if written == " ".join(row.split()) else f"write: {written}"


def _feeds(source: Source, line: int, row: str) -> str:
    """Feeds in another form: `X: value`, `{X: value}`, `value to X`, or values without their placeholders."""
    found = _FED.fullmatch(row)
    if found is None or re.match(r"(?:train|optimize|apply|data)\b", row):
        return ""
    begin, fed = found["begin"], found["fed"]
    parts = _split(fed[1:-1] if fed[0] == "{" else fed)
    pairs = [(one[1], one[2]) for part in parts if (one := re.match(r"([^\W\d][\w.]*)\s*(?::|=(?!=))\s*(\S.*)", part))]
    if len(pairs) < len(parts):
        pairs = [] if pairs else _paired(source, line, parts)
    elif fed[0] != "{" and not any(re.match(r"[\w.]+\s*:", part) for part in parts):
        return ""
    return f"write: {begin} {', '.join(f'{name} = {value}' for name, value in pairs)}" if pairs else ""


def _paired(source: Source, line: int, parts: list[str]) -> list[tuple[str, str]]:
    """Placeholders with what is meant to be fed to them, from parts such as `batch`, `X` and `batch.features to X`."""
    if not all(re.fullmatch(r"[\w.]+", part) for part in parts):
        moved = [one for part in parts if (one := re.fullmatch(r"([\w.]+)\s+(?:to|into|as)\s+(\w+)", part))]
        values = [(one[2], one[1] if "." in one[1] else f"{one[1]}.features") for one in moved]
        return values if len(values) == len(parts) else []
    placeholders = declared_names(source, r"^placeholder\s+([^\W\d]\w*)")
    if all(part in placeholders for part in parts):
        batch = _batch(source, line)
        return [(name, f"{batch}.{part}") for name, part in zip(parts, _PARTS, strict=False)]
    if all(part.rpartition(".")[2] in _PARTS for part in parts):
        return list(zip(placeholders, parts, strict=False))
    return [(name, f"{parts[0]}.{part}") for name, part in zip(placeholders, _PARTS, strict=False)]


def _split(text: str) -> list[str]:
    """The parts of a text between commas that are in no brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def _batch(source: Source, line: int) -> str:
    """What the training above a line calls its batch."""
    for above in range(line - 1, 0, -1):
        row = code_of(source.line_text(above))
        if re.match(r"\s*train\b", row):
            named = re.search(r"\bas\s+([^\W\d]\w*)", row)
            return named[1] if named else "batch"
    return "batch"


def _clauses(source: Source, row: str) -> str:
    """Other words for `with`, and rows of data for a statement that goes over none."""
    given = re.fullmatch(rf"(.*\S)\s+{_WITH}\s+([^\W\d][\w.]*\s*=(?!=).*)", row)
    if given and not re.match(r"(?:feed|train|data)\b", row):
        return f"write: {given[1]} with {given[2]}"
    over = re.fullmatch(r"print\s+([\w., ]+?)\s+(?:on|over)\s+([\w.]+)(?:\s.*)?", row)
    if over is None:
        return ""
    placeholders = declared_names(source, r"^placeholder\s+([^\W\d]\w*)") or ["X"]
    feeds = ", ".join(f"{name} = b.{part}" for name, part in zip(placeholders, _PARTS, strict=False))
    return f"write: seen = evaluate {over[1]} on {over[2]} as b with {feeds}; and on the next line: print seen"
