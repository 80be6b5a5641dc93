"""The names of a program, by scope."""

import random

from tfdsl.analysis.names import BoundTwice, Names
from tfdsl.source import Source, Span

SPAN = Span(Source("<text>", ""), 0, 0)
DEEP = [*((a, b) for a in "pqr" for b in "stuvw"), *(("p", "s", c) for c in "xyz")]
PATHS = [(), ("p",), ("q",), ("r",), *DEEP]


def test_many_bindings_of_a_name_are_found_as_few_are():
    most = 0
    for seed in range(20):
        chosen = random.Random(seed)
        env: Names[int] = Names()
        for value in range(60):
            env.path = chosen.choice(PATHS if chosen.random() < 0.04 else DEEP)
            again = chosen.random() < 0.3
            bindings = env.names.get("x", [])
            most = max(most, len(bindings))
            overlapping = [one for one in bindings if all(a == b for a, b in zip(one.path, env.path, strict=False))]
            around = [one for one in bindings if env.path[: len(one.path)] == one.path]
            assert env.overlapping("x") is (overlapping[0] if overlapping else None)
            if around:
                assert env.find("x") is around[0]
            try:
                env.bind("x", value, SPAN, again)
            except BoundTwice as error:
                assert not again and error.binding is overlapping[0]
            if chosen.random() < 0.05:
                env.change("x", chosen.choice(env.names["x"]), value, SPAN, chosen.choice(PATHS))
            if chosen.random() < 0.1:
                env.restore(env.snapshot())
    assert most > 12
