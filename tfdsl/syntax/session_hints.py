"""Help lines for lines of a session whose words are right, but not their form: when a block runs, what is fed."""

import re

from ..source import Source
from .assigned_parts import assigned_part
from .hints import FORMS, SECONDS, SESSION_WORDS, arguments, code_of, declared_names, fed_from, in_session
from .number_words import in_digits

# When a block of a training runs, in words such as `after epoch 3`, `at the end of each epoch` and `every epoch`.
_UNIT = rf"(?P<unit>epoch|batch|step|second|{'|'.join(one for one in SECONDS if len(one) > 2)})"
_TIMES = re.compile(
    r"(?:once\s+)?(?:(?P<at>after|before|at|on|for(?=\s+(?:every|each|all)\b))\s+)?(?:(?P<end>(?:the\s+)?end\s+of)\s+)?"
    r"(?P<each>(?:every|each|all|the|an?)\s+)?(?:(?P<n>\d[\d_]*(?:st|nd|rd|th)?"
    r"|[^\W\d]\w*(?=\s+(?:epoch|step|second)s|\s+batches))\s+)?"
    rf"{_UNIT}(?:e?s)?\b(?:\s+(?P<number>\d[\d_]*))?(?:\s+(?P<ends>ends?))?"
    rf"\s*(?::|(?<=\s)(?=(?:{'|'.join(SESSION_WORDS)})\b)|$)\s*(?P<rest>.*)"
)
_ONCE = re.compile(
    r"(?:after|at|on)\s+(?:the\s+)?(?:end\s+of\s+)?(?:the\s+)?(?:train(?:ing)?\b|(?P<which>first|last|final|second|third)"
    r"\s+(?:epoch|batch|step)\b|(?P<number>\d+(?:st|nd|rd|th))\s)"
)
_BELOW = "what is done once after a training stands below it, in the column of its 'train'"
_FED = re.compile(
    r"(?P<begin>(?:.*[\s:,])?)(?:with\s+)?(?P<word>feed|feeding|feed_dict|with)(?:\s+|\s*=\s*(?=\{))"
    r"(?P<fed>[^\W\d].*|\{.*\})"
)
_WITH = r"(?:feed|feeding|feed_dict|using|given|where)"
_FIELDS = ("features", "target")


def session_hint(source: Source, line: int) -> str:
    """A help line for a line of a session that has a syntax error, or ""."""
    row = code_of(source.line_text(line)).strip()
    if not in_session(source, line):
        return ""
    if _ONCE.match(row) is None and (digits := in_digits(row)) != row:
        return _when(digits) or f"write: {digits}"
    when = _when(row) or _feeds(source, line, row) or _clauses(source, row)
    return when or assigned_part(source, row, in_session=True)


def _when(row: str) -> str:
    """When the block of a training runs: `every` or `after every`, with a number and a unit."""
    if once := _ONCE.match(row):
        if once["number"] or once["which"] not in (None, "last", "final"):
            return "a block runs again and again: every 5 epochs: before the step, or after every 5 epochs: after it"
        return _BELOW
    if re.match(r"after\s*:", row):
        return f"write how often: after every 1 epoch{row[len('after') :].lstrip()}"
    found = _TIMES.match(row)
    if found is None or not (found["at"] or found["each"]):
        return ""
    is_after = bool(found["at"] == "after" or found["end"] or found["ends"])
    count, unit = re.sub(r"(?<=\d)[a-z]+$", "", found["n"] or found["number"] or "1"), found["unit"]
    if unit in SECONDS:
        if is_after:
            return "'after every' counts epochs, batches or steps, no time; a block by the clock: every 60 seconds:"
        if not count.isdecimal():
            return ""
        count, unit = str(int(count) * SECONDS[unit]), "second"
    unit += "" if count == "1" else "es" if unit == "batch" else "s"
    written = f"{'after ' if is_after else ''}every {count} {unit}: {found['rest']}".rstrip()
    return "" if written == " ".join(row.split()) else f"write: {written}"


def _feeds(source: Source, line: int, row: str) -> str:
    """Feeds in another form: `X: value`, `{X: value}`, `value to X`, or values without their placeholders."""
    found = _FED.fullmatch(row)
    if found is None or re.match(r"(?:train|optimize|apply|data|export)\b", row):
        return ""
    begin, fed = re.sub(r"\bwith\s*$", "", found["begin"]).rstrip(" ,"), found["fed"]
    begin = f"{begin} feed".lstrip() if begin[-1:] in ("", ":") else f"{begin} with"
    parts = arguments(fed[1:-1] if fed[0] == "{" else fed)
    pairs = [(one[1], one[2]) for part in parts if (one := re.match(r"([^\W\d][\w.]*)\s*(?::|=(?!=))\s*(\S.*)", part))]
    if len(pairs) < len(parts):
        return "" if pairs else _paired(source, line, begin, parts)
    if fed[0] != "{" and found["word"] in ("feed", "with") and not any(re.match(r"[\w.]+\s*:", part) for part in parts):
        return ""
    return f"write: {begin} {', '.join(f'{name} = {value}' for name, value in pairs)}"


def _paired(source: Source, line: int, begin: str, parts: list[str]) -> str:
    """A help line that feeds placeholders what is meant by parts such as `batch`, `X` and `batch.features to X`: in
    words, unless it is sure which of them has the features."""
    placeholders = declared_names(source, r"^placeholder\s+([^\W\d]\w*)")
    moved = [one for part in parts if (one := re.fullmatch(r"([\w.]+)\s+(?:to|into|as)\s+(\w+)", part))]
    if moved and len(moved) == len(parts):
        names = [one[2] for one in moved]
        made = [pair for one in moved for pair in _moved(one[1], one[2])]
        made = made if len(made) == len(moved) else []
    elif not all(re.fullmatch(r"[\w.]+", part) for part in parts):
        return ""
    elif all(part in placeholders for part in parts):
        batch = _batch(source, line)
        names, made = parts, fed_from(parts, batch) if batch else []
    else:
        names = placeholders
        owners = {part.rpartition(".")[0] if part.rpartition(".")[2] in _FIELDS else part for part in parts}
        fields = {part.rpartition(".")[2] for part in parts}
        made = fed_from(names, owners.pop()) if len(owners) == 1 else []
        if fields <= set(_FIELDS):
            made = [(name, value) for name, value in made if value.rpartition(".")[2] in fields]
        if fields <= set(_FIELDS) and len(made) < len(parts):
            made = []
    if made:
        return f"write: {begin} {', '.join(f'{name} = {value}' for name, value in made)}"
    return f"give each placeholder its value: {begin} {', '.join(f'{name} = ...' for name in names or ['X'])}"


def _moved(value: str, name: str) -> list[tuple[str, str]]:
    """A placeholder with a value, or with what a batch has for it, if that is sure."""
    return [(name, value)] if "." in value else fed_from([name], value)


def _batch(source: Source, line: int) -> str:
    """What the training around a line calls its batch. "" outside a training with data."""
    column = _column(source, line)
    for above in range(line - 1, 0, -1):
        row = code_of(source.line_text(above))
        if row.strip() and _column(source, above) < column:
            column = _column(source, above)
            if re.match(r"\s*train\b.*\son\b", row):
                named = re.search(r"\bas\s+([^\W\d]\w*)", row)
                return named[1] if named else "batch"
    return ""


def _column(source: Source, line: int) -> int:
    text = source.line_text(line)
    return len(text) - len(text.lstrip())


def _clauses(source: Source, row: str) -> str:
    """Other words for `with`, and rows of data for a statement that goes over none."""
    given = re.fullmatch(rf"(.*?\S)(?:\s+with)?\s+{_WITH}\s+([^\W\d][\w.]*\s*=(?!=).*)", row)
    if given and not re.match(r"(?:feed|train|data)\b", row):
        return f"write: {given[1]} with {given[2]}"
    over = re.fullmatch(r"print\s+([\w., ]+?)\s+(?:on|over)\s+([\w.]+?)(?:\.(?:features|target))?(?:\s.*)?", row)
    if over is None:
        return ""
    values = [one.strip() for one in over[1].split(",")]
    fed = fed_from(declared_names(source, r"^placeholder\s+([^\W\d]\w*)"), "b")
    if not fed or (len(values) > 1 and not all(re.fullmatch(r"[^\W\d]\w*", one) for one in values)):
        return f"over the rows of data, write evaluate, and print its result: {FORMS['evaluate']}"
    feeds = ", ".join(f"{name} = {value}" for name, value in fed)
    seen = ", ".join(f"seen.{one}" for one in values) if len(values) > 1 else "seen"
    return f"write: seen = evaluate {over[1]} on {over[2]} as b with {feeds}; and on the next line: print {seen}"
