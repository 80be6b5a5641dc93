"""What of the graph the statements of a session execute: references into it, statement by statement."""

from collections.abc import Iterator

from .program import (
    Expect,
    Init,
    Log,
    PlanExpr,
    Print,
    Ref,
    Restore,
    Run,
    Set,
    Statement,
    Stop,
    fetches_of,
    walk,
)


def fetched_by(statement: Print | Expect | Stop) -> list[PlanExpr]:
    """The expressions whose tensors a statement fetches, all in one execution."""
    match statement:
        case Print():
            return [item.value for item in statement.items]
        case Expect():
            within = () if statement.within is None else (statement.within,)
            return [statement.condition, *(side.value for side in statement.sides), *within]
        case Stop():
            return [statement.condition]


def executed(statement: Statement) -> list[Ref]:
    """What a statement by itself fetches or runs."""
    match statement:
        case Run(refs=refs) | Log(summaries=refs):
            return list(refs)
        case Print() | Expect() | Stop():
            return [ref for expr in fetched_by(statement) for ref in fetches_of(expr)]
        case Set():
            return list(fetches_of(statement.value))
    return []


def initialised(statements: tuple[Statement, ...]) -> Iterator[tuple[Ref, ...] | None]:
    """The variables that statements, and those in their loops, initialise: None for all."""
    for statement in walk(statements):
        match statement:
            case Init():
                yield statement.variables
            case Restore(if_exists=True):
                yield None
