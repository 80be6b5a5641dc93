"""Suggestions for misspelt names: the same as difflib's, within a bound on the work of one check."""

import difflib
import random

import pytest

from tfdsl.diagnostics.spelling import Suggestions, listed, nearest
from tfdsl.driver import check
from tfdsl.ops import OPS
from tfdsl.source import Source


def test_the_nearest_name_agrees_with_difflib():
    shuffled, names = random.Random(5), list(OPS)
    for _ in range(300):
        letters = list(shuffled.choice(names))
        for _ in range(shuffled.randint(1, 3)):
            letters[shuffled.randrange(len(letters))] = shuffled.choice("aest_")
        word = "".join(letters)
        if len(word) <= 4:  # these must be closer
            continue
        fit = [name for name in names if len(name) > 3 or len(name) >= len(word) - 1]
        folded = [name for name in names if name.replace("_", "") == word.replace("_", "")]
        expected = folded or difflib.get_close_matches(word, fit, n=1, cutoff=0.7)
        assert nearest(word, names) in (expected or [None]), word


def test_the_beginning_of_one_name_stands_for_it():
    assert nearest("los", ["logits", "loss_value"]) == "loss_value"
    assert nearest("los", ["lots", "loss_value", "loss_sum"]) == "lots"
    assert nearest("lo", ["loss_value"]) is None


def test_a_short_word_lacks_one_letter_at_most():
    assert nearest("fifth", ["fft"]) is None
    assert nearest("ffft", ["fft"]) == "fft" and nearest("lg", ["log"]) == "log"


@pytest.mark.parametrize("word", ["test", "net", "acc"])
def test_a_short_word_is_no_other_short_word(word):
    assert nearest(word, OPS) is None


@pytest.mark.parametrize(("word", "meant"), [("tset", "test"), ("logg", "log"), ("tst", "test"), ("tesst", "test")])
def test_a_short_word_may_have_one_slip(word, meant):
    assert nearest(word, [*OPS, "test"]) == meant


def test_suggestions_stop_at_the_limit_of_work():
    suggestions = Suggestions(work=1000)
    assert suggestions.did_you_mean("thata", ["theta"]) == "did you mean 'theta'?"
    while suggestions.did_you_mean("thata", ["theta"]):
        pass
    assert suggestions.nearest("theta", ["theta"]) is None


@pytest.mark.long
def test_many_long_similar_names():
    names = [f"{'a' * 90}{i}" for i in range(600)]
    text = "".join(f"variable {name} = 1\n" for name in names) + "".join(f"y{i} = {'a' * 89}b{i}\n" for i in range(600))
    helps = [[diagnostic.help_line for diagnostic in check(Source("p.tfg", text))[1]] for _ in range(2)]
    assert len(helps[0]) == 600  # every error is reported, even if the time for suggestions is up
    assert helps[0][0] == f"did you mean '{names[0]}'?"
    assert helps[0][-1] == ""
    assert helps[0] == helps[1]


def test_a_message_lists_only_a_few_names():
    assert listed(["a", "b"]) == "a, b"
    assert listed(map(str, range(1000))).endswith(", 38, 39 and 960 more")
    parameters = ", ".join(f"p{i} = 1" for i in range(500))
    text = f"def f({parameters}):\n    return 1\na = f(other=2)\n"
    (unknown,) = check(Source("p.tfg", text))[1]
    assert unknown.code == "TFG403"
    assert unknown.help_line.endswith("p39 = 1 and 460 more)")
