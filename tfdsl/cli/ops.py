"""`tfdsl ops`: lists everything that programs can call, from the compiler's tables."""

import argparse
import os
import textwrap
from collections.abc import Iterable
from itertools import groupby, takewhile

from ..data import SOURCES, TRANSFORMS
from ..diagnostics.spelling import nearest
from ..libraries import FOLDER, LIBRARIES
from ..ops import OPS, raw
from ..ops.forbidden_ops import reach
from ..ops.op import Op
from ..ops.optimizers import OPTIMIZERS
from ..syntax.parse import parse
from ..syntax.read import read
from ..syntax.tree import Def, DefParameter
from .report import wrong_use


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
    entries = _entries()
    if arguments.name is not None:
        known = entries
        if arguments.name.startswith(raw.PREFIX):
            known = [raw.PREFIX + name for name in raw.names()]
            op = raw.find(arguments.name.removeprefix(raw.PREFIX))
            entries = {arguments.name: _raw(op)} if op else {}
        if arguments.name not in entries:
            match = nearest(arguments.name, known)
            hint = f"; did you mean {match!r}?" if match else ""
            return wrong_use(f"there is no op {arguments.name!r}{hint or _members(arguments.name, entries)}")
        both = (arguments.name, f"| {arguments.name}")  # an op and a transform can have the same name
        entries = {name: entries[name] for name in both if name in entries}
    if arguments.json:
        import json

        print(json.dumps(entries, indent=2))
        return 0
    if arguments.name is not None:
        for at, (name, entry) in enumerate(entries.items()):
            print("\n" if at else "", end="")
            _print_one(name, entry)
        return 0
    for group, names in groupby(sorted(entries, key=lambda n: entries[n]["group"]), key=lambda n: entries[n]["group"]):
        print(f"{group}:")
        for name in names:
            print(f"  {name}({entries[name]['signature']})")
        print()
    return 0


def _entries() -> dict[str, dict]:
    result = {op.name: _op(op) for op in OPS.values()}
    for row in OPTIMIZERS.values():
        result[row.name] = {
            "group": "optimizers",
            "signature": row.signature,
            "doc": row.doc,
            "tensorflow": f"tf.compat.v1.train.{row.tf}",
            "example": f"variable w = 3.0\noptimize square(w) with {row.example}",
        }
    for group, table in (("data sources", SOURCES), ("data transforms", TRANSFORMS)):
        for row in table.values():
            name = f"| {row.name}" if row.name in result else row.name
            result[name] = {"group": group, "signature": row.usage, "doc": row.doc}
    for library in LIBRARIES:
        result |= _library(library)
    return result


def _members(name: str, entries: Iterable[str]) -> str:
    """The members of a library, for a request of its bare name."""
    found = [one for one in entries if one.startswith(f"{name}.")]
    return f"; it is a library, with {', '.join(found)}" if found else ""


def _library(library: str) -> dict[str, dict]:
    """The functions of a library, with their parameters as written and the comments above them."""
    source = read(os.path.join(FOLDER, f"{library}.tfg"))
    result: dict[str, dict] = {}
    for one in parse(source).body:
        if isinstance(one, Def) and not one.target.id.startswith("_"):
            before = source.text[: one.span.start].rsplit("\n", 1)[0].split("\n")
            above = list(takewhile(lambda line: line.startswith("# "), reversed(before)))
            name = f"{library}.{one.target.id}"
            result[name] = {
                "group": f"library {library} (import {library})",
                "signature": ", ".join(map(_parameter, one.parameters)),
                "doc": " ".join(line.removeprefix("# ") for line in reversed(above)),
            }
    return result


def _op(op: Op) -> dict:
    return {"group": op.group, "signature": op.signature, "dtypes": dict(op.dtypes), "doc": op.doc,
            "tensorflow": f"tf.compat.v1.{op.tf}", "example": op.example}  # fmt: skip


def _parameter(parameter: DefParameter) -> str:
    if parameter.is_rest:
        return f"**{parameter.name}"
    return parameter.name if parameter.default is None else f"{parameter.name}={parameter.default.span.text}"


def _raw(op: raw.RawOp) -> dict:
    what, instead = reach(op, {})
    barred = {"barred": f"no program can use it: it {what}; {instead}"} if what else {}
    return {"group": "TensorFlow's own", "signature": op.signature, "outputs": op.results, "limits": op.limits(),
            "tensorflow": f"the op {op.tf}", **barred}  # fmt: skip


def _print_one(name: str, entry: dict) -> None:
    print(f"{name}({entry['signature']})")
    if "doc" in entry:
        print("\n" + textwrap.fill(entry["doc"], 90))
    if "outputs" in entry:
        print(f"-> {entry['outputs'] or 'no output: something to run'}")
    letters = {letter: kinds.replace(" ", " or ") for letter, kinds in entry.get("dtypes", {}).items()}
    limits = entry.get("limits", letters)
    for name, words in limits.items():
        print("\n" + textwrap.fill(f"{name} is {words}", 90, initial_indent="  ", subsequent_indent="    "), end="")
    if limits:
        print()
    if "barred" in entry:
        print("\n" + textwrap.fill(entry["barred"][0].upper() + entry["barred"][1:], 90))
    if "tensorflow" in entry:
        print(f"\nTensorFlow: {entry['tensorflow']}")
    if "example" in entry:
        print("Example:\n" + textwrap.indent(entry["example"], "    "))
