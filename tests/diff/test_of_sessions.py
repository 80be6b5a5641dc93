"""The facts of a statement of a session: each node that is in it is in one of them."""

from itertools import count
from typing import get_args

import pytest
from dummies import changed, made, parts

from tfdsl.diff.expressions import Expression, Expressions
from tfdsl.diff.inventory import Fact, Things, blanked
from tfdsl.diff.of_sessions import session_things
from tfdsl.program import Ref, Session, Statement
from tfdsl.record import replace

# What makes no difference, or has its own statement.
UNSHOWN = {
    "Expect.sides": "they are in the condition",
    "Evaluate.items.tensor": "it is in the value",
    "Evaluate.combined": "it follows from the value",
}


# What makes no difference when it changes, by the end of its path.
SAME = {
    ".text": "the text of a value, which is compared itself",
    ".state": "a name that the session gives",
    ".names": "their things have them",
    "Evaluate.items.tensor": "it is in the value",
    "Evaluate.items.field": "its thing has it",
    "Evaluate.items.column": "its thing has it",
    "Evaluate.items.dtype": "it follows from the value",
    "Evaluate.combined": "it follows from the value",
    "Evaluate.combined: empty": "it follows from the value",
    "Evaluate.rows": "it follows from the data",
    "Expect.sides: empty": "they are in the condition",
    "Expect.sides.value.ref": "they are in the condition",
}


# What means nothing without another part.
WITHOUT = {
    "Init.variables: none": ("Init.steps", "Init.steps: empty"),
    "Train.data: none": ("Train.size", "Train.size: none", "Train.order", "Train.seed"),
}


def written(ref):
    return Expression((f"<{ref.node}>",))


def facts(statement):
    """The words and the blanked facts of the things of a session with one statement."""
    things = Things()
    session = replace(made(Session, count()), body=(statement,))
    expressions = Expressions(written, lambda name: (name,))
    session_things(things, session, 0, {}, expressions, lambda ref: "float32")
    made_facts = [
        (name, fact) for thing in things.made.values() for name, fact in [("", Fact(thing.label)), *thing.facts.items()]
    ]
    return [(name, blanked(phrase)) for name, fact in made_facts for phrase in fact.phrases]


@pytest.mark.parametrize("cls", get_args(Statement), ids=lambda cls: cls.__name__)
def test_a_change_is_a_difference(cls):
    statement = made(cls, count())
    others = list(changed(statement, cls.__name__))
    same: set[str] = set()
    for around, base in [("", statement), *(one for one in others if one[0].endswith((": none", ": empty")))]:
        own = facts(base)
        without = tuple(SAME) + WITHOUT.get(around, ())
        same |= {
            path for path, other in changed(base, cls.__name__) if facts(other) == own and not path.endswith(without)
        }
    assert others
    assert same == set()


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
