"""The table of what one can look up: nothing of the language is missing, and what it shows is true."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
from classes import classes_below

import tfdsl
from tfdsl.cli import COMMANDS
from tfdsl.data import SOURCES, TRANSFORMS
from tfdsl.diagnostics import CATALOGUE
from tfdsl.ops import OPS
from tfdsl.ops.optimizers import OPTIMIZERS
from tfdsl.reference import entries, find, names
from tfdsl.reference.keras import KERAS
from tfdsl.reference.pages import parts, programs, sections
from tfdsl.reference.plain import plain
from tfdsl.reference.statements import TOPICS
from tfdsl.syntax import tree
from tfdsl.syntax.tables import grammar_text

ENTRIES = entries()


def of_kind(*kinds):
    return [one for one in ENTRIES if one.kind in kinds]


def keywords():
    """The words of the grammar's terminals."""
    for pattern in re.findall(r"^[A-Z_]+\.\d: /(.+)/$", grammar_text(), re.M):
        words = re.sub(r"\(\?[=!].*|\\b", "", pattern).replace("[ \\t]+", " ").replace("batch(es)", "batches")
        yield from (word.strip("()") for word in words.replace("?", "").split("|"))


def test_every_statement_has_an_entry():
    statements = classes_below(tree.StatementTree) - {tree.Broken}
    assert {one for topic in TOPICS for one in topic.trees} == statements


def test_every_keyword_has_an_entry():
    words = set(keywords())
    assert len(words) > 60 and {"train", "if exists", "batches", "lowest", "seconds", "when"} <= words
    for word in words:
        found = find(word)
        assert found and any(re.search(rf"\b{word}\b", f"{one.signature} {one.doc}") for one in found), word


def test_everything_that_programs_call_has_an_entry():
    calls = {one.name for one in of_kind("op", "initializer", "schedule", "optimizer", "source", "transform")}
    assert calls == {*OPS, *OPTIMIZERS, *SOURCES, *TRANSFORMS}
    assert {one.name for one in of_kind("command")} == set(COMMANDS)
    assert [one.name for one in of_kind("code")] == sorted(CATALOGUE)


def test_every_built_in_name_has_an_entry():
    from tfdsl.analysis.calls.builtins import BUILTINS
    from tfdsl.analysis.calls.scopes import LISTERS
    from tfdsl.types import DTYPE_NAMES

    functions = {one.name for one in of_kind("function") if "." not in one.name}
    assert functions == {*BUILTINS, *LISTERS, "column"}  # the last is for the condition of a `where`
    assert set(DTYPE_NAMES) == {one.name for one in of_kind("type")}


def test_every_field_of_data_has_an_entry():
    from tfdsl.analysis.calls.members import learned_words
    from tfdsl.data.schema import PARTS

    fields = {"features", "target", "rows", "columns", *PARTS, *learned_words()}
    assert {one.name for one in of_kind("field")} == fields
    assert find("min")[0].kind == "field" and {one.kind for one in find("min")} == {"field", "function"}


@pytest.mark.parametrize("kind", sorted({one.kind for one in ENTRIES} - {"code"}))
def test_entries_are_complete(kind):
    for entry in of_kind(kind):
        assert entry.signature and entry.doc and entry.example, entry.name
        name, _, anchor = entry.page.partition("#")
        assert anchor in {one.place.partition("#")[2] for one in sections(name).values()}, entry.page
        assert "<!--" not in re.sub("<!-- file: .* -->", "", entry.doc), entry.name


def test_plain_text_keeps_code_and_powers():
    """In `**options` and `rate ** step`, stars are no bold words."""
    bold = re.compile(r"\*\*\w[^*`]*\w\.?\*\*")
    for entry in ENTRIES:
        shown = " ".join(plain(entry.doc).split())
        prose = " ".join(" ".join(part.split()) for part in parts(entry.doc) if isinstance(part, str))
        assert bold.search(shown) is None, entry.name
        assert shown.count("**") >= bold.sub("", prose).count("**"), entry.name


def test_examples_of_statements_and_layers_are_programs_of_the_pages():
    """test_docs.py runs those."""
    shown = programs("language.md", "nn.md", "engines.md")
    for entry in of_kind("declaration", "statement", "clause", "setting", "name", "function", "field"):
        assert entry.example in shown, entry.name
        # What assigns has no word of its own.
        words = {"assignment": "=", "expression": "assert_rank", "value of a session": "="}.get(entry.name, entry.name)
        assert all(word in entry.example for word in words.split()), entry.name


def test_examples_of_types_are_programs():
    for entry in of_kind("type"):
        assert not tfdsl.check(entry.example), entry.name


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files that the examples of sources and transforms read."""
    import pyarrow
    import pyarrow.parquet
    from PIL import Image

    folder = tmp_path_factory.mktemp("files")
    houses = {"area": [50, 80, 120], "price": [150.0, 240.0, 360.0]}
    pyarrow.parquet.write_table(pyarrow.table(houses), folder / "houses.parquet")
    np.save(folder / "points.npy", np.eye(3))
    np.savez(folder / "pictures.npz", features=np.zeros([4, 2, 2]), kind=np.arange(4))
    for kind in ("cat", "dog"):
        (folder / "photos" / kind).mkdir(parents=True)
        Image.new("RGB", (40, 40)).save(folder / "photos" / kind / "1.png")
    for name, text in {
        "houses.csv": "area,price\n50,150\n80,240\n",
        "people.csv": "name,born,age,city,income\nAda,1815-12-10,36,London,52.5\nBo,1990-01-31,,Rome,48\nCy,1980-02-01,41,Rome,50\n",
        "new.csv": "name,born,age,city\nDi,2000-05-05,20,Rome\n",
        "notes.txt": "a short note\nanother one\n",
        "tides.csv": "level,wind\n" + "".join(f"{hour % 12},{hour % 7}\n" for hour in range(200)),
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("entry", of_kind("source", "transform"), ids=lambda one: f"{one.kind} {one.name}")
def test_examples_of_data(entry, files, monkeypatch):
    monkeypatch.chdir(files)
    if "california" in entry.example:  # its table of real numbers is not on every machine
        monkeypatch.setattr("tfdsl.data.sources.california_housing.fetch.fetched", _unreachable)
    name = re.findall(r"^data (\w+)", entry.example, re.M)[-1]
    assert re.search(rf"\b{entry.name}\b", entry.example)
    printed = tfdsl.compile(f"{entry.example}\nsession: print {name}.rows").run().printed
    assert int(printed[-1]) > 0


def _unreachable():
    raise OSError("no network in tests")


def test_names_of_keras_are_its_own():
    folder = Path(importlib.util.find_spec("keras").origin).parent
    named = [one.keras for one in ENTRIES if one.keras]
    assert set(KERAS) <= {one.name for one in ENTRIES} and len(named) > 40
    for name in named:
        _, module, thing = name.split(".")
        assert re.search(rf"\bas {thing}\b", (folder / module / "__init__.py").read_text(encoding="utf-8")), name


def test_names_of_tensorflow_and_keras_are_found():
    assert [one.name for one in find("tf.nn.relu")] == [one.name for one in find("tf.compat.v1.nn.relu")] == ["relu"]
    assert [one.name for one in find("Dense")] == [one.name for one in find("tf.keras.layers.Dense")] == ["nn.dense"]
    assert [one.name for one in find("AdamOptimizer")] == ["adam"]
    assert [one.kind for one in find("data")] == ["declaration", "command"]
    assert [one.name for one in find("stop")] == ["stop after", "stop when"]
    assert find("raw.Roll")[0].signature.startswith("raw.Roll(input: T") and find("TFG201")[0].kind == "code"
    assert find("tf.nn.reluu") == find("nonsense") == find("TFG000") == []
    assert len(names()) == len(set(names())) > 1000


def test_a_missing_heading_is_named():
    with pytest.raises(KeyError, match=r"docs/language\.md has no heading '`describe`'"):
        sections("language.md")["`describe`"]
