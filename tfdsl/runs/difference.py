"""The differences between two records, in words: of the programs, of what went into the runs, and of what came out."""

import difflib
import os
from collections.abc import Iterator, Mapping
from itertools import groupby, zip_longest
from math import inf, isfinite
from typing import TypeVar

from ..diagnostics.spelling import counted, shortened
from ..narrowing import is_object
from ..record import Record
from .listing import evaluated
from .reading import Json, RunRecord

_SHOWN = 60  # characters of a value
_BEFORE = 20  # of them before the first difference
_NAMES = 4  # of variables
_NOTHING: Json = {}
_Given = TypeVar("_Given")
_Points = list[tuple[int, object]]  # steps and values of a curve


class RunDifference(Record):
    """Something that differs. `part` is text, params, data, options, versions, machine or results."""

    part: str
    lines: tuple[str, ...]


def differences(a: RunRecord, b: RunRecord) -> list[RunDifference]:
    """What differs between two runs."""
    parts = {
        "text": _texts(a, b),
        "params": _changes({name: one["value"] for name, one in a.begin["params"].items()},
                           {name: one["value"] for name, one in b.begin["params"].items()}),
        "data": _data(a, b),
        "options": _changes(_options(a), _options(b)),
        "versions": _changes(a.begin["versions"], b.begin["versions"]),
        "machine": [*_changes(_machine(a), _machine(b)), *_op_determinism(a, b)],
        "results": results(a, b),
    }  # fmt: skip
    made = [RunDifference(part, tuple(lines)) for part, lines in parts.items()]
    return [one for one in made if one.lines]


def results(a: RunRecord, b: RunRecord) -> Iterator[str]:
    """The differences between what came of two runs, to the last bit. A run that was resumed has only the lines that it
    printed and the numbers that it logged since."""
    old, new = a.end or _NOTHING, b.end or _NOTHING
    yield from _changes({"status": a.status, "exit code": old.get("exit_code"), "steps": old.get("steps")},
                        {"status": b.status, "exit code": new.get("exit_code"), "steps": new.get("steps")})  # fmt: skip
    yield from _changes(evaluated(old), evaluated(new))
    one, two = _flat(old.get("evaluated")), _flat(new.get("evaluated"))
    large = (one.keys() | two.keys()) - evaluated(old).keys() - evaluated(new).keys()
    yield from (f"the numbers of {name}" for name in sorted(large) if one.get(name) != two.get(name))
    yield from (f"printed {line}" for line in _changes(old.get("values"), new.get("values")))
    lines: list[str] = old.get("printed", [])
    others: list[str] = new.get("printed", [])
    yield from _printed(_since(lines, others, b), _since(others, lines, a))
    yield from _changes(_errors(old), _errors(new))
    yield from _variables(old.get("variables"), new.get("variables"))
    yield from _curves(a, b)


def sizes(record: RunRecord) -> dict[str, int]:
    """How much there is to compare: variables, printed lines, and points of curves."""
    end = record.end or _NOTHING
    sessions: Json = end.get("variables", _NOTHING)
    return {
        "variable": sum(map(len, sessions.values())), "line": len(end.get("printed", ())),
        "point": sum(1 for _ in record.curves()),
    }  # fmt: skip


def _since(own: list[_Given], others: list[_Given], other: RunRecord) -> list[_Given]:
    """What a run gave, as far back as the other was resumed, which gave only the others."""
    return own[len(own) - len(others) :] if other.begin.get("resumed") and len(others) < len(own) else own


def _texts(a: RunRecord, b: RunRecord) -> Iterator[str]:
    for (one, old), (two, new) in zip_longest(a.texts.items(), b.texts.items(), fillvalue=("", "")):
        if old != new:
            names = [os.path.basename(one) or "nothing", os.path.basename(two) or "nothing"]
            yield from difflib.unified_diff(old.splitlines(), new.splitlines(), *names, n=1, lineterm="")


def _data(a: RunRecord, b: RunRecord) -> Iterator[str]:
    old, new = (one.end or _NOTHING for one in (a, b))
    mine, others = old.get("data", _NOTHING), new.get("data", _NOTHING)
    for name in dict.fromkeys([*mine, *others]):
        one, two = _facts(mine.get(name)), _facts(others.get(name))
        yield from (f"{name}: {line}" for line in _changes(one, two))
    yield from _changes(_files(old.get("inputs")), _files(new.get("inputs")))


def _facts(about: Json | None) -> dict[str, object]:
    """The facts about a data set that matter to a run."""
    if about is None:
        return {}
    names = [f"{one['name']} {one['dtype']}" for one in about.get("columns", ())]
    parts = ", ".join(f"{part} {rows}" for part, rows in about.get("parts", _NOTHING).items())
    facts = {"declared": about["declared"], "given": about["given"], "rows": about.get("rows"), "parts": parts or None,
             "columns": ", ".join(names) or None, "arrays": _short(about.get("sha256")),
             "synthetic": about.get("synthetic")}  # fmt: skip
    return {**facts, **about.get("decided", _NOTHING), **_files({"": about["files"]})}


def _files(groups: Json | None) -> dict[str, object]:
    found = [one for files in (groups or _NOTHING).values() for one in files]
    return {os.path.basename(one["path"]): _short(one["sha256"]) for one in found}


def _short(digest: str | None) -> str | None:
    return None if digest is None else digest[:16]


def _options(record: RunRecord) -> dict[str, object]:
    limits: Json = record.begin["limits"]
    return {**record.begin["options"], **{f"limit {name}": value for name, value in limits.items()}}


def _machine(record: RunRecord) -> dict[str, object]:
    left_out = ("pid", "numpy", "tensorflow")  # those of a process, and those among the versions
    return {name: value for name, value in record.begin["host"].items() if name not in left_out}


def _op_determinism(a: RunRecord, b: RunRecord) -> Iterator[str]:
    """Whether ops were deterministic in sessions of two runs, if both say so. A resumed run has fewer sessions."""
    found = [", ".join(sorted({*(one.end or _NOTHING).get("op_determinism", ())})) for one in (a, b)]
    if all(found):
        yield from _changes(*({"op_determinism": one} for one in found))


def _changes(old: Mapping[str, object] | None, new: Mapping[str, object] | None) -> Iterator[str]:
    old, new = old or {}, new or {}
    for name in dict.fromkeys([*old, *new]):
        one, two = old.get(name), new.get(name)
        if repr(one) != repr(two):  # NaN is NaN, and 0.0 is not -0.0
            yield f"{name}: {_apart(one, two)}"


def _errors(end: Json) -> dict[str, object]:
    """The errors of a run, with the name of the file and the line, without the folder."""
    found: dict[str, object] = {}
    for number, one in enumerate(end.get("errors", ()), 1):
        head = f"{one['message']} ({os.path.basename(one['place'])})" if one["place"] else one["message"]
        found[f"error {number}"] = "; ".join([head, *one.get("notes", ())])
    return found


def _apart(one: object, two: object) -> str:
    """Two values that differ. Long ones are cut around their first difference."""
    texts = [_text(one), _text(two)]
    same = next((at for at, pair in enumerate(zip_longest(*texts)) if len(set(pair)) > 1), 0)
    is_long = max(map(len, texts)) > _SHOWN
    begin = max(0, same - _BEFORE) if is_long else 0
    return " -> ".join(shortened(("..." if begin else "") + text[begin:], _SHOWN) for text in texts)


def _text(value: object) -> str:
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)
    return " ".join(text.split())


def _flat(values: Json | None) -> dict[str, object]:
    """Values by name: `test.cost` if a name has several. The digest of an array is a value."""
    found: dict[str, object] = {}
    for name, value in (values or _NOTHING).items():
        fields = value if is_object(value) and "sha256" not in value else {"": value}
        found |= {f"{name}.{field}".rstrip("."): one for field, one in fields.items()}
    return found


def _printed(old: list[str], new: list[str]) -> Iterator[str]:
    for number, (one, two) in enumerate(zip_longest(old, new), 1):
        if one != two:
            yield f"line {number}: {_apart(one, two)}"
            others = sum(x != y for x, y in zip_longest(old[number:], new[number:]))
            if others:
                yield f"{counted(others, 'more line')} of those below it"
            return


def _variables(old: Json | None, new: Json | None) -> Iterator[str]:
    mine, others = old or _NOTHING, new or _NOTHING
    for session in dict.fromkeys([*mine, *others]):
        one, two = mine.get(session, _NOTHING), others.get(session, _NOTHING)
        names = [name for name in dict.fromkeys([*one, *two]) if one.get(name) != two.get(name)]
        if names:
            more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
            word = "variable" if len(names) == 1 else "variables"
            yield f"{word} {', '.join(names[:_NAMES])}{more} at the end of session {int(session) + 1}"


def _curves(a: RunRecord, b: RunRecord) -> Iterator[str]:
    pairs = [_by_tag(one) for one in (a, b)]
    for tag in dict.fromkeys([*pairs[0], *pairs[1]]):
        one, two = (pair.get(tag, []) for pair in pairs)
        one, two = _since(one, two, b), _since(two, one, a)
        if repr(one) != repr(two):
            yield f"curve {tag}: {curve_apart(one, two)}"


def curve_apart(one: _Points, two: _Points) -> str:
    """Where two curves that are not alike differ most, and how many of their points do."""
    old, new = dict(one), dict(two)
    steps = [step for step in old if step in new and repr(old[step]) != repr(new[step])]
    said: list[str] = []
    if steps:
        at = max(steps, key=lambda step: _gap(old[step], new[step]))
        of = counted(len([step for step in old if step in new]), "step")
        change = _apart(old[at], new[at])
        gap = _gap(old[at], new[at])
        apart = f", {gap:.3g} apart" if isfinite(gap) else ""
        said.append(f"differs at {len(steps)} of {of}, most at step {at}: {change}{apart}")
    for here, there, which in ((old, new, "first"), (new, old, "second")):
        alone = counted(len(here.keys() - there.keys()), "step")
        if here.keys() - there.keys():
            said.append(f"{alone} of the {which} alone")
    return "; ".join(said) or "other numbers at the same steps"


def _gap(one: object, two: object) -> float:
    """How far apart two numbers of a curve are: infinitely if one of them is not finite."""
    if isinstance(one, (int, float)) and isinstance(two, (int, float)):
        return abs(one - two)
    return inf


def _by_tag(record: RunRecord) -> dict[str, _Points]:
    found: dict[str, _Points] = {}
    for tag, points in groupby(record.curves(), lambda one: str(one.get("tag", one.get("evaluate")))):
        found.setdefault(tag, []).extend((one["step"], one["value"]) for one in points)
    return found
