"""Random edits of two documents, one of which imports the other: after each, the diagnostics are those of a fresh
analysis of the same texts, and no question about any place fails."""

import contextlib
import itertools
import random
import re

import pytest
from conftest import some

from tfdsl.diagnostics import TfgError
from tfdsl.driver import check
from tfdsl.editor.callees import signature_help
from tfdsl.editor.completion import complete
from tfdsl.editor.cursor import cursor
from tfdsl.editor.fixes import fixes
from tfdsl.editor.formatting import formatted
from tfdsl.editor.hints import hints
from tfdsl.editor.hover import hover
from tfdsl.editor.navigation import definition, references
from tfdsl.editor.outline import folds, outline
from tfdsl.editor.rename import Refused, rename
from tfdsl.editor.text import LinePosition, OpenText
from tfdsl.editor.tokens import tokens
from tfdsl.editor.workspace import Workspace
from tfdsl.syntax.read import read

LAYERS = """# Halves what it gets. 🙂
def half(X, factor=0.5):
    variable w = 1.0
    return X * factor * w

def twice(X):
    y = 2.0 * X
    return y

café = 3
"""
MAIN = """import nn
import "layers.tfg" as layers
from "layers.tfg" import half

seed 42
param rate = 0.01  # 🙂 how fäst it learns
data d = moons(60, noise=0.1, seed=4) | standardize | split(test=0.2)
placeholder X: float32[batch, 2]
placeholder y: float32[batch, 1]

scope dnn:
    h = nn.dense(X, 4, activation=relu) as first
    h = layers.half(h, factor=0.5)
    logits = nn.dense(half(h), 1) as head

cost = reduce_mean(sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
optimize cost with adam(learning_rate=rate) wrt dnn.head, dnn.first as step_op
summary scalar cost as "🙂 cost"

for i in range(2):
    if i == 0:
        total = cost + 1.0
    else:
        total = total * 2.0

session:
    print "e\u0301 {rate}", total with X = d.test.features, y = d.test.target
    train 3 epochs on d.train in batches of 20 as b:
        feed X = b.features, y = b.target
        after every 1 epoch:
            test = evaluate cost on d.test in batches of 10 as c with X = c.features, y = c.target
            print "epoch {epoch}: {test:.3f} 🙂"
    save dnn to "out/model.ckpt"
"""
PIECES = [
    "x", "dnn.", "nn.", "d.", " ", "\n", "\r\n", "    ", "(", ")", "[", "]", ":", ",", ".", "=", '"', "#", "|", "{", "}",
    "🙂", "e\u0301", "ü", "\t", "\r", "1", "0.5", "@", "train 2 steps:\n", "every 1 epoch: ", "relu", "reduce_mean(", "as b",
    "def f(x):\n    return x\n", "session:\n    print cost\n", "scope a:\n    z = X\n", 'import "main.tfg"\n',
    "variable v: float32[2, 2] = zeros\n", "wrt ", "with ", "print ", "total", "cost = ", "import nn\n", "\\", "'", "if ",
    "none", "\x00", "\u2028", "\ufeff",
]  # fmt: skip


def slow_edited(text, start, end, new):
    """An edit by the letter of the protocol: lines end in CRLF, LF or CR, and characters are UTF-16 code units."""
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", text)

    def unit(position):
        before = "".join(lines[: position.line])
        line = lines[position.line].rstrip("\r\n") if position.line < len(lines) else ""
        return len(before.encode("utf-16-le")) + min(2 * position.unit, len(line.encode("utf-16-le")))

    data = text.encode("utf-16-le")
    return (data[: unit(start)] + new.encode("utf-16-le") + data[unit(end) :]).decode("utf-16-le")


def found(diagnostics):
    return [
        (d.code, d.headline, d.help_line, d.span and (d.span.source.path, d.span.start, d.span.end))
        for d in diagnostics
    ]


def fresh(path):
    """What a fresh analysis of a file finds."""
    try:
        return found(check(read(path))[1])
    except TfgError as error:
        return found(error.diagnostics)


class Editing:
    """Edits and asks at random."""

    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.workspace = Workspace()
        self.folder = folder
        self.texts = {}
        self.before = {"main.tfg": [], "layers.tfg": []}
        self.begun = {"main.tfg": MAIN, "layers.tfg": LAYERS}
        for name, text in self.begun.items():
            self.set(name, text if seed % 2 else text.replace("\n", "\r\n"))

    def set(self, name, text):
        self.texts[name] = text
        self.workspace.change(str(self.folder / name), OpenText(text))
        (self.folder / name).write_bytes(text.encode())

    def edit(self):
        choose = self.random
        name = choose.choice(["main.tfg", "main.tfg", "layers.tfg"])
        text, open_text = self.texts[name], self.workspace.open[str(self.folder / name)]
        if self.before[name] and choose.random() < 0.35:  # undo, so that the text does not decay
            self.set(name, self.before[name].pop())
            return
        if len(self.before[name]) > 12:
            self.before[name].clear()
            self.set(name, self.begun[name])
            return
        if choose.random() < 0.3:  # an edit after which the text is likely to be right
            found = choose.choice(list(re.finditer(r"\d|(?m:^)", open_text.plain)))
            start, end = found.span()
            new = choose.choice("0123456789" if found[0] else ["# note\n", "\n", "    # note\n", "    z = 1\n"])
        else:
            start = choose.randrange(len(open_text.plain) + 1)
            end = min(len(open_text.plain), start + choose.choice([0, 0, 1, 2, 5, 40]))
            new = choose.choice(["", choose.choice(PIECES), choose.choice(PIECES) * 2])
        first, last = open_text.position(start), open_text.position(end)
        changed = open_text.changed(first, last, new)
        assert changed.raw == slow_edited(text, first, last, new)
        self.before[name].append(text)
        self.set(name, changed.raw)

    def compare(self):
        for name in self.texts:
            path = str(self.folder / name)
            assert found(self.workspace.document(path).diagnostics) == fresh(path), self.texts
            self.workspace.symbols(path)  # the server finds them after each edit

    def ask(self):
        choose = self.random
        document = self.workspace.document(str(self.folder / choose.choice(list(self.texts))))
        text = document.text
        offset = choose.randrange(len(text.plain) + 1)
        assert text.offset(text.position(offset)) == offset
        last = len(text.plain)
        hover(document, offset)
        complete(document, offset)
        for call in cursor(document.source.text, offset).calls():
            signature_help(document, call)
        definition(document, offset)
        references(document, offset)
        pieces = tokens(document)
        assert all(one.end <= other.start for one, other in itertools.pairwise(pieces))
        outline(document), folds(document), hints(document, 0, last)
        with contextlib.suppress(TfgError):
            assert text.edited(formatted(document)) != "" or not text.plain.strip()
        if choose.random() < 0.1:
            fixes(document, offset, min(last, offset + 80))
            with contextlib.suppress(Refused):
                rename(document, offset, choose.choice(["fresh", "cost", "relu", "batch", "a b"]))


def edits(folder, seed, count):
    editing = Editing(folder, seed)
    for _ in range(count):
        editing.edit()
        editing.compare()
        editing.ask()


@pytest.mark.parametrize("seed", some([0, 1], [0]))
def test_random_edits(tmp_path, seed):
    edits(tmp_path, seed, 25)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 110))
def test_many_random_edits(tmp_path, seed):
    edits(tmp_path, seed, 1000)


def test_positions_are_counted_in_utf_16():
    text = OpenText("a🙂e\u0301\r\nb\n")
    assert text.plain == "a🙂e\u0301\nb\n"
    assert text.position(2) == LinePosition(0, 3)
    assert text.position(5) == LinePosition(1, 0)
    assert [text.offset(LinePosition(0, unit)) for unit in range(7)] == [0, 1, 1, 2, 3, 4, 4]
    assert text.changed(LinePosition(0, 3), LinePosition(1, 1), "x").raw == "a🙂x\n"


def test_an_open_document_is_imported_as_its_file_would_be(tmp_path):
    workspace = Workspace()
    for name, text in {
        "layers.tfg": "\ufeffx = 1\r\r\ny = unknown\r\n",
        "main.tfg": 'import "layers.tfg"\nsession: print layers.x\n',
    }.items():
        workspace.change(str(tmp_path / name), OpenText(text))
        (tmp_path / name).write_bytes(text.encode())
    main = str(tmp_path / "main.tfg")
    assert found(workspace.document(main).diagnostics) == fresh(main) != []
