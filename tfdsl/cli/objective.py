"""Which values of a program `tfdsl tune` can make small or large, and whether a training gives them."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import assert_never

from ..diagnostics import STUDY_VALUE, Diagnostic, TfgError
from ..diagnostics.spelling import alternatives, did_you_mean, listed
from ..program import (
    Enter,
    Evaluate,
    Exit,
    Graph,
    Keep,
    Log,
    LogValues,
    Node,
    Program,
    Statement,
    Train,
    names_given,
    walk,
)
from .report import WrongUse

_UNNAMED = "name one with evaluate, or log it"


def check_objective(program: Program, objective: str, session: str | None, prune: bool) -> None:
    """Check that a run of the program gives the value that is to be the best; and if bad trials end early, that it does
    so in a training. Raises `TfgError` and `WrongUse`."""
    known, trained = list[str](), list[str]()
    for own in program.sessions:
        if session in (None, own.name):
            tags = _tags(program.graph(own.graph))
            known += [*_names(own.body), *_logged(walk(own.body), tags)]
            inside = [one for train in walk(own.body) if isinstance(train, Train) for one in walk(train.body)]
            trained += [*_fields(inside), *_logged(inside, tags)]
    known = list(dict.fromkeys(known))
    if not _has(known, objective):
        longer = [one for one in known if one.endswith(f"/{objective}")]
        way = f"did you mean {alternatives(map(repr, longer))}?" if longer else did_you_mean(objective, known)
        way = way or (f"its values are {listed(known)}" if known else _UNNAMED)
        raise TfgError([Diagnostic(STUDY_VALUE, None, {"name": objective, "known": way})])
    if prune and not _has(trained, objective):
        others = [one for one in dict.fromkeys(trained) if one != objective]
        raise WrongUse(
            f"--prune compares trials while they train, and no training gives {objective}: evaluate it there, in a "
            f"block such as 'every 1 epoch', or log it" + (f"; trainings give {listed(others)}" if others else "")
        )


def keeps_of(program: Program, objective: str, session: str | None) -> list[Keep]:
    """The `keep` statements of the training that is the last to give a value, if nothing below the training gives the
    value again."""
    found: list[Keep] = []
    for own in program.sessions:
        tags, root = _tags(program.graph(own.graph)), objective.partition(".")[0]
        for one in _in_order(own.body) if session in (None, own.name) else ():
            whole = walk([one]) if isinstance(one, Train) else [one]
            if any(root in part.uses().binds for part in whole) or _has(_logged(whole, tags), objective):
                found = [part for part in whole if isinstance(part, Keep)]
    return found


def other_kept(keeps: Sequence[Keep], objective: str, maximize: bool) -> str:
    """What to say if a training keeps the variables, but not those with the best value. "" otherwise."""
    if not keeps or any(one.text == objective and one.highest is maximize for one in keeps):
        return ""
    kept = f"{'highest' if keeps[0].highest else 'lowest'} {keeps[0].text}"
    return (
        f"trials are compared by the last {objective} of their training, which keeps the variables with the {kept} "
        f"(line {keeps[0].origin.span.line}): to compare what is kept, restore it below the training, and evaluate "
        f"{objective} again"
    )


def _in_order(body: Iterable[Statement]) -> Iterator[Statement]:
    """The statements of a session and of its branches, each training as one."""
    for one in body:
        yield one
        if not isinstance(one, Train):
            yield from _in_order(one.uses().body)


def _names(body: Iterable[Statement]) -> list[str]:
    """The names that statements give values, those of several values with their fields."""
    statements = walk(body)
    several = {one.names[0] for one in statements if isinstance(one, Evaluate) and one.items[0].field}
    return [*_fields(statements), *sorted(names_given(statements) - several - {*_fields(statements)})]


def _fields(statements: Iterable[Statement]) -> list[str]:
    """The values that each `evaluate` gives."""
    evaluates = [one for one in statements if isinstance(one, Evaluate)]
    return [
        f"{name}.{item.field}" if item.field else name
        for one in evaluates
        for name, item in zip(one.names * len(one.items), one.items, strict=False)
    ]


def _logged(statements: Iterable[Statement], tags: Mapping[int, str]) -> Iterator[str]:
    """The tags of the numbers that statements log."""
    for one in statements:
        if isinstance(one, Log):
            yield from (tags[ref.node] for ref in one.summaries if ref.node in tags)
        if isinstance(one, LogValues):
            yield from (f"{one.run}/{tags[ref.node]}" for ref, _ in one.items)


def _tags(graph: Graph) -> dict[int, str]:
    """The tags of the scalar summaries, by their nodes, with their scopes."""
    scopes, found = list[str](), dict[int, str]()
    for item in graph.items:
        match item:
            case Enter():
                scopes.append(item.name if item.kind == "scope" else "")
            case Exit():
                scopes.pop()
            case Node():
                if item.is_summary and item.text("kind") == "scalar":
                    found[item.id] = "/".join(filter(None, [*scopes, item.text("tag")]))
            case _:
                assert_never(item)
    return found


def _has(known: Iterable[str], objective: str) -> bool:
    """Whether a name is known. TensorFlow puts a number after a scope or a tag that is there twice."""
    return any(re.fullmatch("/".join(rf"{re.escape(part)}(_\d+)?" for part in one.split("/")), objective)
               for one in known)  # fmt: skip
