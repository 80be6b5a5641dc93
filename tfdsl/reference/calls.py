"""Entries of what programs call: ops, optimizers, sources and transforms of data, and functions of libraries."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Literal, TypeVar

from ..data import SOURCES, TRANSFORMS
from ..data.stage import StageKind
from ..libraries import FOLDER, LIBRARIES
from ..ops import OPS, raw
from ..ops.forbidden_ops import reach
from ..ops.op import Op
from ..ops.optimizers import OPTIMIZERS, OptimizerRow
from ..syntax.parse import parse
from ..syntax.read import read
from ..syntax.tree import Def
from .entry import Kind, ReferenceEntry
from .keras import KERAS
from .pages import Section, programs, sections

Row = TypeVar("Row")
_GROUPS: dict[str, Kind] = {"schedules": "schedule", "initializers": "initializer"}  # of ops


def calls(name: str = "") -> Iterator[ReferenceEntry]:
    """Everything that programs can call, except TensorFlow's own ops; or what has a name."""
    yield from map(_op, _rows(OPS, name))
    yield from map(_optimizer, _rows(OPTIMIZERS, name))
    yield from (_stage("source", row) for row in _rows(SOURCES, name))
    yield from (_stage("transform", row) for row in _rows(TRANSFORMS, name))
    for library in LIBRARIES:
        if not name or name.startswith(f"{library}."):
            yield from (one for one in functions(library) if name in ("", one.name))


def _rows(table: Mapping[str, Row], name: str) -> Iterable[Row]:
    """The row of a table with a name, or all of them for an empty name."""
    return table.values() if not name else [table[name]] if name in table else []


def _op(op: Op) -> ReferenceEntry:
    return ReferenceEntry(
        _GROUPS.get(op.group, "op"),
        op.name,
        f"{op.name}({op.signature})",
        op.doc,
        f"{op.example}\n",
        op.group,
        tensorflow=f"tf.compat.v1.{op.tf}",
        page="language.md#calls",
        limits={letter: kinds.replace(" ", " or ") for letter, kinds in op.dtypes.items()},
    )


def _optimizer(row: OptimizerRow) -> ReferenceEntry:
    return ReferenceEntry(
        "optimizer",
        row.name,
        f"{row.name}({row.signature})",
        row.doc,
        f"variable w = 3.0\noptimize square(w) with {row.example}\n",
        "optimizers",
        tensorflow=f"tf.compat.v1.train.{row.tf}",
        keras=f"keras.optimizers.{row.keras}" if row.keras else "",
        page="language.md#gradients-and-optimizers",
    )


def _stage(kind: Literal["source", "transform"], row: StageKind) -> ReferenceEntry:
    signature, page = f"{row.name}({row.usage})", f"language.md#{kind}s"
    return ReferenceEntry(kind, row.name, signature, row.doc, f"{row.example}\n", f"data {kind}s", page=page)


def functions(library: str) -> Iterator[ReferenceEntry]:
    """The functions of a library, with their parameters as written and the comments above them. What else there is to
    say is on its page."""
    source = read(os.path.join(FOLDER, f"{library}.tfg"))
    for one in parse(source).body:
        if isinstance(one, Def) and not one.target.id.startswith("_"):
            before = source.text[: one.span.start].rsplit("\n", 1)[0].split("\n")
            above = list(takewhile(lambda line: line.startswith("# "), reversed(before)))
            text = " ".join(line.removeprefix("# ") for line in reversed(above))
            name = f"{library}.{one.target.id}"
            section = sections(f"{library}.md")[f"`{name}`"]
            rest = section.body().partition("\n\n")[2]
            yield ReferenceEntry(
                "function",
                name,
                f"{name}({', '.join(part.text for part in one.parameters)})",
                f"{text}\n\n{rest}".strip(),
                _program(section, name),
                f"library {library} (import {library})",
                keras=f"keras.{KERAS[name]}" if name in KERAS else "",
                page=section.place,
            )


def _program(section: Section, name: str) -> str:
    """A program that uses a function: the one in its section, or else the shortest of the page of its library, or of
    the language."""
    uses = re.compile(rf"\b{re.escape(name)}\b")
    shown = (*section.programs(), *programs(section.page), *programs("language.md"))
    return next((text for text in shown if uses.search(text)), "")


def raw_op(name: str) -> ReferenceEntry | None:
    """TensorFlow's own op `raw.NAME`."""
    op = raw.find(name.removeprefix(raw.PREFIX)) if name.startswith(raw.PREFIX) else None
    if op is None:
        return None
    what, instead = reach(op, {})
    return ReferenceEntry(
        "op",
        name,
        f"{name}({op.signature})\n-> {op.results or 'no output: something to run'}",
        f"No program can use it: it {what}; {instead}" if what else "",
        group="TensorFlow's own",
        tensorflow=f"the op {op.tf}",
        page="language.md#calls",
        limits=op.limits(),
    )


def raw_names() -> list[str]:
    return [raw.PREFIX + name for name in raw.names()]
