"""Help lines for placeholders that a statement needs and that are not fed: what to feed, and where."""

import re
from collections.abc import Callable, Mapping, Sequence

from ...diagnostics.spelling import shortened
from ...program import BatchField, Feed, Field, Node, Ref
from ...source import Span
from ...syntax import tree as t
from ...syntax.hints import free_name
from .fed_data import FedValue

PARTS = ("features", "target")  # of data and of batches


def in_training(
    needed: Sequence[Node],
    statement: t.Statement,
    feeds: Mapping[Ref, Feed],
    header: Span,
    fits: Callable[[Node, str], bool],
) -> tuple[str, str]:
    """Why a training does not feed what a statement of its body needs, and what to write. `feeds` are those of its
    body, `header` is its place, and `fits` says whether a placeholder takes a part of its batches."""
    fed = ", ".join(feed.text for feed in feeds.values())
    why = f"the training of line {{line}} feeds {f'{fed} only' if fed else 'nothing'}"
    named = re.match(r"train\b[^:#]*?\bas\s+(\w+)", header.text)
    others = statement.feeds if isinstance(statement, t.Feeding) else ()
    if others:  # these decide what goes with them: the batch, or all rows of some data
        owner, dot, _ = others[-1].value.span.text.rpartition(".")
        given = {one.value.span.text for one in others}
        free = [part for part in PARTS if f"{owner}.{part}" not in given]
        values = _given(needed, owner if dot else "", free, fits)
        return why, at_end(statement, ", ".join(f"{name} = {value}" for name, value in values))
    taken = {feed.value.field for feed in feeds.values() if isinstance(feed.value, BatchField)}
    values = _given(needed, named[1] if named else "batch", [one for one in PARTS if one not in taken], fits)
    written = ", ".join(f"{name} = {value}" for name, value in values)
    way = f"write in the body of the training: feed {written}"
    if not named and "batch." in written:
        way = f"name the batch at the end of line {header.line}: as batch, and {way}"
    return why, f"{way}; or for this line alone, {at_end(statement, written)}" if _takes_feeds(statement) else way


def _takes_feeds(statement: t.Statement) -> bool:
    return isinstance(statement, t.Feeding) and not isinstance(statement, t.Train)


def at_end(statement: t.Statement, feeds: str) -> str:
    """How to write feeds at the end of a statement that may have others."""
    has_others = isinstance(statement, t.Feeding) and bool(statement.feeds)
    return f"write after the other feeds: , {feeds}" if has_others else f"write at its end: with {feeds}"


def _given(
    needed: Sequence[Node], batch: str, free: list[str], fits: Callable[[Node, str], bool]
) -> list[tuple[str, str]]:
    """Each placeholder with a part of the batch that fits it and that nothing else gets, or dots."""
    result: list[tuple[str, str]] = []
    for node in needed:
        part = next((one for one in free if batch and fits(node, one)), "")
        free = [one for one in free if one != part]
        result.append((node.shown, f"{batch}.{part}" if part else "..."))
    return result


def after_training(
    needed: Sequence[Node], statement: t.Statement, fed: Sequence[FedValue], unseen: Callable[[str], str]
) -> tuple[Span | None, str]:
    """Where a training fed what a statement outside it needs, and what to write; None if none did. `unseen` names the
    part of some data whose rows no training has seen, or ""."""
    by_node = {one.feed.ref.node: one for one in fed if _is_of_training(one.span)}
    known = [by_node[node.id] for node in needed if node.id in by_node]
    if not known or not _takes_feeds(statement):
        return None, ""
    owner = _owner(statement)
    values = {node.shown: _outside(by_node[node.id], owner, unseen) if node.id in by_node else "..." for node in needed}
    help = at_end(statement, ", ".join(f"{name} = {value}" for name, value in values.items()))
    part = next((value.rpartition(".")[0] for value in values.values() if value != "..."), "")
    data = part.partition(".")[0]
    if not owner and part == f"{data}.{unseen(data)}":
        help += f"; for the rows that were trained on: {data}.train in place of {part}"
    return known[-1].span, help


def _owner(statement: t.Statement) -> str:
    """The data, or its part, that the other feeds of a statement are of; "" if it has none."""
    feeds = statement.feeds if isinstance(statement, t.Feeding) else ()
    owner, dot, part = feeds[-1].value.span.text.rpartition(".") if feeds else ("", "", "")
    return owner if dot and part in PARTS else ""


def in_condition(names: Sequence[str]) -> str:
    """What to write for an `if`, which feeds nothing."""
    feeds = ", ".join(f"{name} = ..." for name in names)
    return f"write above the 'if': value = ... with {feeds}; and test value"


def _is_of_training(span: Span) -> bool:
    """Whether a value is fed by a `feed`, and not by the `with` of a statement."""
    return re.search(r"\bfeed\b", span.source.line_text(span.line)[: span.column]) is not None


def _outside(one: FedValue, owner: str, unseen: Callable[[str], str]) -> str:
    """What a feed of a training feeds, for the rows of `owner`, or else for unseen rows, or for all."""
    match one.feed.value:
        case BatchField(field=field, index=()) if one.batches_of is not None and field != "rows":
            return ".".join(filter(None, (owner or one.batches_of, "" if owner else unseen(one.batches_of), field)))
        case Field(data=data, part=part, field=field, index=()):
            part = unseen(data) if part == "train" else part
            return f"{owner}.{field}" if owner else ".".join(filter(None, (data, part, field)))
    return "..."


def in_evaluate(
    needed: Sequence[Node], statement: t.Evaluate, is_known: bool, fits: Callable[[Node, str], bool]
) -> str:
    """What to feed an `evaluate` besides: to each placeholder the part of its batch that fits and that nothing gets."""
    unnamed = statement.data.id if statement.feeds else "b"
    batch = unnamed if statement.batch is None else statement.batch.id
    taken = {fed.value.span.text for fed in statement.feeds}
    free = [part for part in PARTS if f"{batch}.{part}" not in taken]
    feeds = ", ".join(f"{name} = {value}" for name, value in _given(needed, batch if is_known else "", free, fits))
    if statement.feeds:
        return f"write after the other feeds: , {feeds}"
    return f"write at its end: {'' if statement.batch else 'as b '}with {feeds}"


def rebound(program: t.Block, name: str) -> str:
    """What to write for a placeholder whose name the program gives to what it makes of it, as in `X = nn.dense(X, 8)`.
    "" for other names."""
    declared = next((one for one in program if isinstance(one, t.Placeholder) and one.target.id == name), None)
    made = [one for one in program if isinstance(one, t.Assign) and [name] == [target.id for target in one.targets]]
    if declared is None or not made:
        return ""
    new = free_name(declared.span.source, name)
    return (
        f"line {made[0].span.line} gives the name of the placeholder to another value: write there {new} = "
        f"{shortened(made[0].value.span.one_line)}, and {new} for {name} in the lines of the graph below it"
    )
