"""For any input, the front end returns a program or diagnostics: quickly, and never an exception.

Every input depends on a seed, so that a failure can be repeated. The message shows the text.
"""

import faulthandler
import json
import os
import re
import signal
import string
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import hypothesis
import pytest
from conftest import some
from hypothesis import strategies as st
from programs import UNHURRIED, Writer, cases, good_programs, programs

from tfdsl.diagnostics import TfgError
from tfdsl.diagnostics.render import render_concise, render_json, render_text
from tfdsl.driver import check
from tfdsl.inputs import CompileInputs
from tfdsl.limits import Limits
from tfdsl.source import Source
from tfdsl.syntax.hints import GRAPH_WORDS, SESSION_WORDS
from tfdsl.syntax.read import read

sys.path.append(str(Path(__file__).parents[2]))  # make `benchmarks` importable

from benchmarks.fuzzing import children
from benchmarks.fuzzing.children import MEMORY
from benchmarks.fuzzing.corpus import Corpus, surroundings
from benchmarks.fuzzing.grammar import Grammar, by_hypothesis
from benchmarks.fuzzing.mutator import Mutator
from benchmarks.fuzzing.target import KINDS, judge

_SMALL = Limits(unroll=2_000)


def answer(source: Source, limits: Limits = _SMALL):
    """The program of a text or None, after everything that the front end must do for any text."""
    try:
        program, diagnostics = check(source, CompileInputs(limits=limits))
        for diagnostic in diagnostics:
            shown = render_text(diagnostic) + render_concise(diagnostic) + json.dumps(render_json(diagnostic))
            assert shown.replace("\n", "").isprintable(), f"not safe to print: {shown!r}"
        assert program is not None or any(d.severity == "error" for d in diagnostics)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}; the text was\n{source.text[:4000]!r}") from error
    return program


# --- mutations of good programs -------------------------------------------------------------------

_ODD = [
    "\t", "\r", "\r\n", "\0", "\x1b[31m", "\x07", "\u202e", "\u2066", "\ufeff", "\u00a0", "\u2028", "\u200b", "\x85",
    "'", '"', '"""', "\\", "(", ")", "[", "]", "{", "}", ":", ";", ",", ".", "..", "...", "?", "@", "!", "$", "`", "#",
    "=", "==", "=>", "->", "**", "//", "<>", "|", "&", "~", "^", "é", "\u0301", "中", "🙂", "\U000e0001", "\ud800",
    "\n", "\n\n", "\f", "\v", "0", "1e400", "0x", "1__0", "1_000", "-", "not ", " if ", " else ", " for i in ",
    " with ", " as ", "%", "{now}", "{", "none", "true", "\\N{x}", "\\x", "9" * 30, "9" * 5000, "1e-999", "0b2", " in ",
]  # fmt: skip
_HUGE = ["0", "-1", "1e400", "1e-400", "10**9", "2**10**9", "99999999999999999999", "9" * 4500, "0.0", "1e308", "true"]


def mutated(random: Random, text: str) -> str:
    """A program with one to four mutations."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(text) + 1)
        lines = text.split("\n")
        line = random.randrange(len(lines))
        match random.randrange(14):
            case 0:
                text = text[:at] + random.choice(_ODD) + text[at:]
            case 1:
                text = text[:at] + text[at + random.randrange(1, 8) :]
            case 2:
                lines[line] = " " * random.randrange(9) + lines[line].lstrip(" ")
                text = "\n".join(lines)
            case 3:
                lines.insert(line, random.choice(lines))
                text = "\n".join(lines)
            case 4:
                del lines[line]
                text = "\n".join(lines) or "a"
            case 5:
                other = random.randrange(len(lines))
                lines[line], lines[other] = lines[other], lines[line]
                text = "\n".join(lines)
            case 6 | 7 | 8:
                text = tokens_changed(random, text)
            case 9:
                numbers = [i for i, c in enumerate(text) if c.isdigit()]
                if numbers:
                    at = random.choice(numbers)
                    text = text[:at] + random.choice(_HUGE) + text[at + 1 :]
            case 10:
                depth = random.choice((3, 60, 150))
                opening = random.choice(("(", "[", "-", "not ", "abs(", "f[", "x.", "1 if a else ", "a ** "))
                text = text[:at] + opening * depth + text[at:]
            case 11:
                lines[line] = "    " * random.randrange(1, 4) + lines[line]
                text = "\n".join(lines)
            case 12:
                text = text[:at] + chr(random.randrange(0x110000)) + text[at:]
            case 13:
                text = text[:at]
        text = text or "a"
    return text


def tokens_changed(random: Random, text: str) -> str:
    """The text with a word deleted, doubled or replaced by another."""
    words = [(m.start(), m.end()) for m in _WORD.finditer(text)]
    if len(words) < 2:
        return text
    start, end = random.choice(words)
    other = text[slice(*random.choice(words))]
    kept = text[start:end]
    return text[:start] + random.choice(("", f"{kept} {kept}", other, other, f"{kept}{other}")) + text[end:]


_WORD = re.compile(r"\w+|[^\w\s]+")


@pytest.mark.parametrize("chunk", some(range(180), [0]))
def test_mutated_programs(chunk):
    random = Random(chunk)
    good, short = good_programs(), cases()
    for _ in range(30):
        answer(Source("fuzz.tfg", mutated(random, random.choice(random.choice((good, short))))))


# --- programs from the grammar --------------------------------------------------------------------


@pytest.mark.parametrize("chunk", some(range(8), [0]))
def test_generated_programs(chunk):
    made = sum(answer(Source("fuzz.tfg", Writer(Random(f"{chunk} {i}")).program())) is not None for i in range(60))
    assert made > 1 or chunk, "the generator is meant to write some good programs, about one in 25"


@pytest.mark.parametrize("chunk", some(range(12), [0]))
def test_programs_drawn_by_hypothesis(chunk):
    @hypothesis.seed(chunk)
    @hypothesis.settings(UNHURRIED, max_examples=30)
    @hypothesis.given(programs)
    def holds(text):
        answer(Source("fuzz.tfg", text))

    holds()


# --- text and bytes -------------------------------------------------------------------------------

_ALPHABETS = [
    string.printable, "()[]:,.=+-*/ \n", "ab \n\t:=\"'#", '"\\{}nuxN0 ', "0123456789_.eExXobj+-", "if else\n:    ",
]  # fmt: skip


def random_text(random: Random) -> str:
    length = random.randrange(60)
    match random.randrange(3):
        case 0:
            return "".join(random.choices(random.choice(_ALPHABETS), k=length))
        case 1:
            return "".join(chr(random.randrange(random.choice((128, 0x110000)))) for _ in range(length))
        case _:
            return " ".join(random.choice(_WORDS) for _ in range(length // 3))


_WORDS = [
    *GRAPH_WORDS, *SESSION_WORDS, "reuse", "when", "with", "wrt", "as", "on", "to", "of", "in", "within", "batches",
    "epochs", "steps", "shuffled", "exists", "and", "or", "not", "true", "none", "X", "y", "a", "=", "==", ":", ",",
    ".", "(", ")", "[", "]", "+", "-", "*", "@", "**", "1", "2.5", '"s"', "\n", "\n", "\n   ", "\n   ", "?", "...", "|",
]  # fmt: skip


@pytest.mark.parametrize("chunk", some(range(8), [0]))
def test_random_text(chunk):
    random = Random(chunk)
    for _ in range(300):
        answer(Source("fuzz.tfg", random_text(random)))


@pytest.mark.parametrize("chunk", some(range(2), [0]))
def test_random_bytes(chunk, tmp_path):
    random = Random(chunk)
    path = tmp_path / "fuzz.tfg"
    for _ in range(300):
        text = random.choice((random_text, lambda r: mutated(r, "variable x = 1\nsession:\n    print x\n")))(random)
        data = bytearray(text.encode("utf-8", "surrogatepass"))
        for _ in range(random.randrange(4)):
            data.insert(random.randrange(len(data) + 1), random.randrange(256))
        path.write_bytes(data)
        try:
            source = read(path)
        except TfgError as error:
            assert str(error).replace("\n", "").isprintable()
        else:
            answer(source)


# --- the short form of benchmarks/fuzz.py ---------------------------------------------------------


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """The files that pieces of the cases import and read."""
    surroundings(tmp_path)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("chunk", some(range(18), [0]))
def test_mutated_pieces(chunk, beside):
    mutator, kinds = Mutator(Corpus()), Counter()
    for number in range(125):
        text = mutator.program(Random(f"{chunk} {number}"))
        try:
            kinds[judge(text)] += 1
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}; the text was\n{text!r}") from error
    assert min(kinds[kind] for kind in KINDS) > 0


def test_programs_from_the_grammar(beside):
    grammar, kinds = Grammar(), Counter(dict.fromkeys(KINDS, 0))
    for number in range(100, 200):
        kinds[judge(grammar.program(Random(number)))] += 1
    assert kinds["good program"]


@pytest.mark.long
@hypothesis.seed(1)
@hypothesis.settings(UNHURRIED, max_examples=6)
@hypothesis.given(st.deferred(by_hypothesis))
def test_programs_from_the_grammar_by_hypothesis(text):
    judge(text)


def _judge(text):
    match int(text):
        case 3:
            raise ValueError("wrong")
        case 5:
            faulthandler.disable()  # pytest would print a stack
            os.kill(os.getpid(), signal.SIGSEGV)
        case 7:
            _ = bytes(2 * MEMORY)
        case 9:
            end = time.process_time() + children.SLOW + 0.1
            while time.process_time() < end:
                pass
        case 11:
            while True:  # the parent detects a hang by processor time
                pass
    return KINDS[0]


@pytest.mark.long
def test_a_program_that_ends_a_child_is_found_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "SLOW", 0.2)
    monkeypatch.setattr(children, "HUNG", 0.8)
    tally = children.Children(str, _judge, tmp_path).run(0, 20)
    found = {one.text: one.what for one in tally.found}
    assert found.pop("3").startswith("ValueError at ") and found.pop("7").startswith("MemoryError at ")
    assert found == {"5": "crash: signal 11", "9": "slow", "11": "hang"}
    assert tally.programs == tally.distinct == 20
    kept = {path.read_text() for path in tmp_path.glob("*.tfg")}
    assert kept >= {"3", "5", "7", "9", "11"}


# --- too deep, too large --------------------------------------------------------------------------

_X = "placeholder x: float32\n"
_DEFS = "def f0(a):\n    return a + 1.0\n"


def calls(count: int, body: str) -> str:
    return _DEFS + "".join(f"def f{i}(a):\n    return {body.format(i - 1)}\n" for i in range(1, count))


DEEP = {
    "brackets": "a = " + "(" * 100_000 + "1" + ")" * 100_000,
    "open brackets": "a = " + "([" * 50_000,
    "lists": "a = " + "[" * 100_000 + "]" * 100_000,
    "as deep as can be": _X + "a = " + "abs(" * 99 + "x" + ")" * 99,
    "signs": _X + "a = " + "-" * 5000 + "x",
    "not": "a = " + "not " * 5000 + "true",
    "attributes": _X + "a = x" + ".shape" * 5000,
    "indices": _X + "a = x" + "[0]" * 5000,
    "calls of results": _X + "a = x" + "()" * 5000,
    "powers": _X + "a = " + "x ** " * 5000 + "x",
    "powers of numbers": "a = " + "1 ** " * 5000 + "1",
    "conditionals": _X + "a = " + "1 if x > 1.0 else " * 2000 + "x",
    "static conditionals": "a = " + "1 if false else " * 5000 + "2",
    "sum": _X + "a = " + " + ".join(["x"] * 6_000),
    "sum of numbers": "a = " + " + ".join(["1"] * 6_000),
    "and": _X + "a = " + " and ".join(["x > 0.0"] * 2000),
    "comparison": _X + "a = " + " < ".join(["x"] * 2000),
    "calls in calls": _X + calls(2000, "f{}(a)") + "b = f1999(x)\n",
    "calls twice in calls": _X + calls(40, "f{0}(f{0}(a))") + "b = f39(x)\n",
    "doubled in a session": "def d(a):\n    return a + a\nvariable v = 1.0\n"
    "session:\n    train 1 steps:\n        run v\n"
    "        print " + "d(" * 40 + "epoch" + ")" * 40 + "\n",
    "shared made of shared work": "b0 = constant(1.0)\n"
    + "".join(f"b{i + 1} = b{i} + b{i}\n" for i in range(60))
    + "def f():\n    shared q = b60 * 1.0\n    return q\nc = f()\nd = f()\n",
    "scopes": "\n".join("    " * i + "scope s:" for i in range(60)) + "\n" + "    " * 60 + "a = 1\n",
    "blocks": "\n".join(" " * i + "if true:" for i in range(2000)) + "\n" + " " * 2000 + "a = 1\n",
    "blocks on one line": "if true: " * 5000 + "a = 1\n",
    "elif": "if false:\n    a = 1\n" + "elif false:\n    a = 1\n" * 2000,
    "expect": "a = constant(1)\nsession:\n    expect " + " and ".join(["a > 0"] * 2000) + "\n",
    "expect comparison": "a = constant(1)\nsession:\n    expect " + " < ".join(["a"] * 2000) + "\n",
    "expect not": "a = constant(1)\nsession:\n    expect " + "not " * 5000 + "a > 0\n",
    "counter": "variable v = 1.0\nsession:\n    train 1 steps:\n        print " + " + ".join(["epoch"] * 5000) + "\n",
    "dotted name": "session:\n    print x with " + ".".join(["a"] * 5000) + " = 1\n",
    "escapes": 'a = "' + "\\x41" * 200_000 + '"\n',
    "blank lines": "a = 1\n" + "\n" * 1_000_000,
    "unknown names": "".join(f"b{i} = zzz{i}\n" for i in range(1000)),
}

LARGE = {
    "integer": "a = 1" + "0" * 5000,
    "hexadecimal": "a = 0x" + "f" * 3990 + "\nplaceholder x: float32[a]\n",
    "as large as can be": "a = 1" + "0" * 3990 + "\nb = constant(a)\nplaceholder x: float32[a]\nseed a\nc = [1][a]\n",
    "fed": _X + "session:\n    print x with x = 1" + "0" * 3990 + "\n",
    "sum of large ones": "a = 1" + "0" * 3990 + "\nb = a + a\nc = a * a\nd = x\n",
    "float": "a = 1e400\nb = int(a)\nc = range(a)\nd = round(a)\nplaceholder x: float32[a]\ne = constant(a)\n",
    "power": "a = 2**10**9",
    "power of a float": "a = 2.0**10**9\nb = 10**-10**9\nc = (-8)**0.5\nd = constant(c)\ne = 0**-1\n",
    "pow": "a = pow(3, 10**9)\nb = pow(3, -1, 9)\n",
    "text": 'a = "a" * 10**10',
    "text doubled": 'a0 = "ab" * 400000\n' + "".join(f"a{i + 1} = a{i} + a{i}\n" for i in range(20)),
    "text formatted": 'a = "%1000000000d" % 5',
    "list": "a = [0] * 10**9",
    "list of lists": "a = [0] * 1000\nb = [a] * 1000\nc = [b] * 1000\nd = [c] * 1000\ne = constant(d)\nf = str(d)\n",
    "list doubled": "a0 = [0] * 400000\n" + "".join(f"a{i + 1} = a{i} + a{i}\n" for i in range(20)),
    "list in itself": "a0 = [0]\n" + "".join(f"a{i + 1} = [a{i}, a{i}]\n" for i in range(60)),
    "list of text": 'a = "x" * 1000000\nb = [a] * 1000000\nc = str(b)\n',
    "list in a loop": "a = [0] * 100000\nfor i in range(90000):\n    _b = a\n    _c = constant(a)\n",
    "zip": "a = range(100000)\nb = zip(" + ", ".join(["a"] * 1000) + ")\n",
    "range": "a = range(10**9)\nb = constant(a)\nc = reduce_sum(range(10**9))\n",
    "range beyond": "a = len(range(10**4000))\nb = range(0, -10**30, -1)\nc = max(range(10**12))\n",
    "range in for": "for i in range(10**9):\n    a = constant(i)\n",
    "range in a list": "a = [i for i in range(10**9)]\nb = [i + j for i in range(10**5) for j in range(10**5)]\n",
    "range as an argument": "a = zeros(range(10**9))\nb = split(constant([1, 2]), range(10**9))\n"
    "c = reduce_sum(constant([1, 2]), axis=range(10**9))\ndata d = moons(range(10**9))\n",
    "batch": "data d = moons(9)\nplaceholder X: float32[n, 2]\nplaceholder y: float32[n, 1]\nvariable w = zeros([2, 1])\n"
    "loss reduce_mean(square(X @ w - y))\noptimize with adam as fit\nsession:\n"
    f"    train 3 steps on d in batches of {10**22} sampled as batch:\n        feed X = batch.features, y = batch.target\n        run fit\n",
    "range in a session": _X + "a = range(10**9)\nsession:\n    print a, x with x = range(10**9)\n    expect a == 3\n",
    "outputs": "a = split(constant([1]), 10**12)\nb = unstack(constant([1]), num=10**12)\n"
    "c = dynamic_partition(constant([1]), [0], 10**12)\n",
    "shape": "a = zeros([10**9, 10**9, 10**9])\nb = tile(a, [10**18, 1, 1])\n",
    "much in a loop": "for i in range(90000):\n    _a = " + " + ".join(["1"] * 2000) + "\n",
    "nodes in a loop": _X + "for i in range(90000):\n    _a = " + " + ".join(["x"] * 2000) + "\n",
    "statements in a loop": "for i in range(90000):\n" + "".join(f"    _a{i} = 1\n" for i in range(2000)),
}


@pytest.mark.parametrize("name", some(DEEP, [*DEEP][::8]))  # as others
def test_deep(name):
    answer(Source("deep.tfg", DEEP[name]), Limits())


@pytest.mark.parametrize("name", LARGE)
def test_large(name):
    answer(Source("large.tfg", LARGE[name]), _SMALL)
