"""What statements say that they use: everything that is in them."""

from itertools import count
from typing import get_args

import pytest
from dummies import made, parts

from tfdsl.program import plan

# What is in a statement and not used by it, each with the reason.
UNUSED = {
    "LogValues.items": "a summary whose tag the value gets; it is not executed",
    "Export.signatures.inputs": "the caller of the model feeds them",
    "Export.made": "the model makes them of its inputs",
    "Export.made.data": "the model makes them of its inputs",
    "Evaluate.items.tensor": "its value is computed from what is fetched",
    "Evaluate.combined": "how the fetched values are combined",
}


@pytest.mark.parametrize("cls", get_args(plan.Statement), ids=lambda cls: cls.__name__)
def test_a_statement_says_what_it_uses(cls):
    statement = made(cls, count())
    uses = statement.uses()
    used = {one for name in uses.__match_args__ for _, one in parts(getattr(uses, name), ".data")}
    missing = {path.removesuffix(".ref") for path, one in parts(statement, cls.__name__) if one not in used}
    assert missing == {path for path in UNUSED if path.startswith(f"{cls.__name__}.")}
