"""`tfdsl ops`: lists everything that programs can call, from the compiler's tables."""

import argparse
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from ..diagnostics.spelling import did_you_mean
from ..reference.calls import calls, raw_names, raw_op
from ..reference.entry import ReferenceEntry, as_json
from ..reference.other_names import instead
from ..reference.plain import described
from .report import show_json, wrong_use


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = "Describe the ops of the language, its optimizers, and the sources and transforms of data."
    parser.add_argument(
        "name",
        metavar="NAME",
        nargs="?",
        help="describe only this one, in full; any TensorFlow op is raw.NAME, such as raw.Roll",
    )
    parser.add_argument("--json", action="store_true", help="as a JSON object")


def command(arguments: argparse.Namespace) -> int:
    name: str | None = arguments.name
    raw = raw_op(name) if name else None
    entries = [raw] if raw else list(calls())
    if name is not None:
        chosen = [one for one in entries if one.name == name]  # an op and a transform can have the same name
        if not chosen:
            known = raw_names() if name.startswith("raw.") else [one.name for one in entries]
            near = instead(name) or did_you_mean(name, known)
            return wrong_use(f"there is no op {name!r}{'; ' + near if near else _members(name, entries)}")
        entries = chosen
    if arguments.json:
        found: dict[str, dict[str, object]] = {}
        for entry in entries:
            found[f"| {entry.name}" if entry.name in found else entry.name] = as_json(entry)
        show_json(found)
        return 0
    if name is not None:
        print("\n".join(map(described, entries)), end="")
        return 0
    by_group = attrgetter("group")
    for group, rows in groupby(sorted(entries, key=by_group), key=by_group):
        print(f"{group}:")
        for entry in rows:
            print(f"  {entry.call}")
        print()
    return 0


def _members(name: str, entries: Iterable[ReferenceEntry]) -> str:
    """The members of a library, for a request of its bare name."""
    found = [one.name for one in entries if one.name.startswith(f"{name}.")]
    return f"; it is a library, with {', '.join(found)}" if found else ""
