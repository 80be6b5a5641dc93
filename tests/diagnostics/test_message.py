"""Messages that count."""

import re

from tfdsl.diagnostics.message import CATALOGUE, filled
from tfdsl.diagnostics.spelling import counted


def test_numbers_of_things_have_their_words():
    counts = [counted(number, "row") for number in (0, 1, 2, 1.0, 0.5, "no")]
    assert counts == ["0 rows", "1 row", "2 rows", "1 row", "0.5 rows", "no rows"]
    assert counted(2, "other differs", "others differ") == "2 others differ"


def test_templates_are_those_of_str_format_with_words_for_numbers():
    template = "{n:index/indices} of {m:axis/axes}, {x:.2f} {t:nested block} {s}, {list[0]} {{}} {n:g}"
    details = {"n": 1, "m": 2, "x": 0.5, "t": 3, "s": 1, "list": [7]}
    assert filled(template, details) == "1 index of 2 axes, 0.50 3 nested blocks 1, 7 {} 1"


def test_no_message_has_a_plural_behind_a_bare_number():
    words = "cells|rows|columns|texts|words|elements|axes|indices|numbers|times|seconds|errors|warnings|bytes|files"
    bare = re.compile(rf"\{{[\w:]+\}} ({words})\b")
    assert [one.code for one in CATALOGUE.values() if bare.search(f"{one.headline}\n{one.help}")] == []
