"""Writes differences as text for terminals, with a section for each kind of thing and a line for each thing."""

from collections import Counter
from itertools import groupby

from ..diagnostics.spelling import counted, shortened, visible
from ..record import Record
from .differences import ChangedFact, DiffEntry, DiffReport
from .inventory import KINDS, TYPES_INSIDE
from .values import ArrayDifference

_SHOWN = 20  # entries in a section
_SIGNS = {"added": "+", "removed": "-", "renamed": ">", "moved": ">", "changed": "~"}
_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", ">": "\x1b[36m", "~": "\x1b[33m"}
_BOLD, _PLAIN = "\x1b[1m", "\x1b[0m"
_UNNAMED = ("", "definition")  # facts that need no name
_WORDS = {"feeds": "with"}


class DiffLayout(Record):
    """How to write a report: in how many columns, in colours or not, and as a whole or shortened."""

    width: int = 100
    in_colour: bool = False
    is_whole: bool = False

    def coloured(self, sign: str, text: str) -> str:
        return f"{_COLOURS[sign]}{visible(text)}{_PLAIN}" if self.in_colour else visible(text)

    def bold(self, text: str) -> str:
        return f"{_BOLD}{visible(text)}{_PLAIN}" if self.in_colour else visible(text)


def report_text(report: DiffReport, layout: DiffLayout) -> str:
    """The text of a report. It is empty if nothing differs. Control characters in names and values are escaped."""
    if not report.entries:
        return ""
    lines = [layout.bold(f"--- {report.left.title}"), layout.bold(f"+++ {report.right.title}")]
    shown = [one for one in report.entries if layout.is_whole or not (one.follows or one.inside)]
    for title, group in groupby(shown, key=lambda one: KINDS[one.kind]):
        lines += ["", layout.bold(title), *_section(list(group), report, layout)]
    if not layout.is_whole:
        lines += _following([one for one in report.entries if one.follows], layout)
    return "\n".join([*lines, "", _summary(report.entries)]) + "\n"


def _section(entries: list[DiffEntry], report: DiffReport, layout: DiffLayout) -> list[str]:
    kept = entries if layout.is_whole or len(entries) <= _SHOWN + 1 else entries[:_SHOWN]
    width = max((len(_name(one)) for one in kept if len(_name(one)) <= layout.width // 3), default=0)
    lines: list[str] = []
    for one in kept:
        lines += _entry(one, width, report, layout)
    if len(kept) < len(entries):
        lines.append(f"  ... and {len(entries) - len(kept)} more; --all lists them")
    return lines


def _name(entry: DiffEntry) -> str:
    if entry.is_renamed:
        return f"{entry.before} -> {entry.after}"
    return entry.after or entry.before or "(the default graph)"


def _entry(entry: DiffEntry, width: int, report: DiffReport, layout: DiffLayout) -> list[str]:
    sign, name = _SIGNS[entry.how], _name(entry)
    head = layout.coloured(sign, f"  {sign} {name:{width}}".rstrip())
    gap = " " * max(0, width - len(name)) + "  "
    moved = _moved(entry)
    if entry.how in ("added", "removed", "moved"):
        what = _contents(entry, report) if entry.kind == "scope" else _what(entry)
        room = layout.width - 6 - max(width, len(name)) - len(f"  {moved}" if moved else "")
        what = "  ".join(filter(None, (shortened(visible(what), max(room, 20)), moved)))
        return [head + (gap + what if what else "")]
    facts = [fact for fact in entry.facts if len(entry.facts) == 1 or _says_more(fact)]
    texts = [visible(_change(fact, entry.kind)) for fact in facts]
    line = ", ".join(filter(None, (*texts, moved)))
    if len(line) + max(width, len(name)) + 6 <= layout.width:
        return [head + (gap + line if line else "")]
    lines = [head]
    for fact, text in zip(facts, texts):
        lines += _lines(fact, text, layout, entry.kind)
    return [*lines, *([f"      {moved}"] if moved else [])]


def _moved(entry: DiffEntry) -> str:
    """From where to where a statement or a session moved, `moved from line 3 to line 4`. "" if it did not."""
    return f"moved from line {entry.lines[0]} to line {entry.lines[1]}" if entry.is_moved else ""


def _says_more(fact: ChangedFact) -> bool:
    """Whether a fact adds anything when it is shown next to other facts."""
    return fact.name != TYPES_INSIDE and (fact.name != "values" or fact.array is not None)


def _lines(fact: ChangedFact, text: str, layout: DiffLayout, kind: str) -> list[str]:
    """A changed fact on a line of its own, or on two."""
    if len(text) + 6 <= layout.width:
        return [f"      {text}"]
    title = [] if fact.name in _UNNAMED else [f"      {_WORDS.get(fact.name, fact.name)}"]
    pair = _around(_side(fact.before, kind), _side(fact.after, kind), layout.width - 8)
    return [*title, *(layout.coloured(sign, f"      {sign} {one}") for sign, one in zip("-+", pair))]


def _around(before: str, after: str, most: int) -> tuple[str, str]:
    """Two texts. If one is too long, both are shortened to the part around their first difference."""
    if max(len(before), len(after)) <= most:
        return before, after
    same = next(
        (at for at, (one, other) in enumerate(zip(before, after)) if one != other), min(len(before), len(after))
    )
    start = max(0, same - most // 3)

    def part(text: str) -> str:
        return shortened(("..." if start else "") + text[start:], most)

    return part(before), part(after)


def _side(text: str | None, kind: str) -> str:
    if text is None:
        return "(default)" if kind == "optimizer" else "(none)"
    return text or "(none)"


def _change(fact: ChangedFact, kind: str) -> str:
    if fact.array is not None:
        return array_text(fact.array)
    if fact.name == "values":
        return "other values"
    name = "" if fact.name in _UNNAMED else f"{_WORDS.get(fact.name, fact.name)} "
    return f"{name}{_side(fact.before, kind)} -> {_side(fact.after, kind)}"


def array_text(one: ArrayDifference) -> str:
    """`12 of 784 values differ, by up to 0.003 at [3, 0]: 0.12 -> 0.123`."""
    values = "the value differs" if one.of == 1 else f"{one.differing:,} of {one.of:,} values differ"
    if one.of > 1 and one.differing == 1:
        values = f"1 of {one.of:,} values differs"
    by = "" if one.largest is None else f", by {'up to ' if one.differing > 1 else ''}{one.largest:.3g}"
    at = f" at [{', '.join(map(str, one.at))}]" if one.at else ""
    return f"{values}{by}{at}: {one.before} -> {one.after}"


def _what(entry: DiffEntry) -> str:
    """A description, on one line, of a thing that only one side has."""
    facts = {fact.name: (fact.before if fact.after is None else fact.after) or "" for fact in entry.facts}
    type = "".join(facts[name] for name in ("dtype", "shape") if name in facts).removesuffix("[]")
    match entry.kind:
        case "placeholder" | "variable":
            initial = facts.get("initializer", facts.get("default", ""))
            return type + (f" = {initial}" if initial else "")
        case "value":
            return facts.get("definition") or ", ".join(f"{name} {text}" for name, text in facts.items())
        case "optimizer":
            arguments = [
                f"{name}={text}"
                for name, text in facts.items()
                if name not in ("loss", "optimizer", "trains", "gradients")
            ]
            return f"{facts['optimizer']}({', '.join(arguments)})"
        case "param":
            return facts["value"]
        case "data":
            return " | ".join(filter(None, (facts["source"], facts["transforms"])))
        case "statement":
            rest = [f"{_WORDS.get(name, name)} {text}" for name, text in facts.items() if name]
            return " ".join(filter(None, (facts.get("", ""), *rest)))
        case "graph" | "session" | "function":
            return ""
        case _:
            return ", ".join(text for text in facts.values() if text)


def _contents(entry: DiffEntry, report: DiffReport) -> str:
    """The contents of a scope that only one side has: its variables with their types, and the number of values."""
    path = entry.before or entry.after
    inside = [
        one for one in report.entries if one.how == entry.how and (one.before or one.after).startswith(f"{path}/")
    ]
    variables = [
        f"{(one.before or one.after).removeprefix(f'{path}/')} {_what(one).partition(' = ')[0]}"
        for one in inside
        if one.kind == "variable"
    ]
    others = sum(one.kind not in ("variable", "scope") for one in inside)
    return ", ".join([*variables, *([counted(others, "value")] if others else [])])


def _following(entries: list[DiffEntry], layout: DiffLayout) -> list[str]:
    """A line for the things that only have another type because their inputs have."""
    if not entries:
        return []
    have = "has" if len(entries) == 1 else "have"
    text = f"{counted(len(entries), 'value')} {have} another shape or dtype because of this"
    names = [_name(one) for one in entries]
    shown = len(names)
    room = layout.width - len(text) - len(f":  and {len(names)} more")
    while shown > 1 and len(", ".join(names[:shown])) > room:
        shown -= 1
    more = f" and {len(names) - shown} more" if shown < len(names) else ""
    return ["", visible(f"{text}: {', '.join(names[:shown])}{more}")]


def _summary(entries: tuple[DiffEntry, ...]) -> str:
    """`2 changed, 1 added`. Entries that follow from other entries or are inside them are not counted."""
    counts = Counter(one.how for one in entries if not (one.follows or one.inside))
    texts = [f"{counts[how]} {how}" for how in ("changed", "renamed", "moved", "added", "removed") if counts[how]]
    return ", ".join(texts) or "no other differences"
