"""The facts of a statement of a session: each node that is in it is in one of them."""

from itertools import count
from typing import get_args

import pytest
from dummies import made, parts

from tfdsl.diff.expressions import Expression, Expressions
from tfdsl.diff.inventory import Things, blanked
from tfdsl.diff.of_sessions import session_things
from tfdsl.program import Ref, Session, Statement
from tfdsl.record import replace

# What makes no difference, or has its own statement.
UNSHOWN = {
    "Expect.sides": "they are in the condition",
    "Evaluate.items.tensor": "it is in the value",
    "Evaluate.combined": "it follows from the value",
}


def written(ref):
    return Expression((f"<{ref.node}>",))


@pytest.mark.parametrize("cls", get_args(Statement), ids=lambda cls: cls.__name__)
def test_a_statement_has_facts(cls):
    statement = made(cls, count())
    things = Things()
    session = replace(made(Session, count()), body=(statement,))
    expressions = Expressions(written, lambda name: (name,))
    session_things(things, session, 0, {}, expressions, lambda ref: "float32")
    shown = "".join(
        blanked(phrase) for thing in things.made.values() for fact in thing.facts.values() for phrase in fact.phrases
    )
    unshown = {
        path.removesuffix(".ref").removesuffix(".value")
        for path, one in parts(statement, cls.__name__)
        if isinstance(one, Ref) and f"<{one.node}>" not in shown
    }
    assert unshown == {path for path in UNSHOWN if path.startswith(f"{cls.__name__}.")}
