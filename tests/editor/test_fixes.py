"""Quick fixes lose nothing of a program."""

from collections import Counter
from pathlib import Path

import pytest
from conftest import some

from tfdsl.editor.fixes import bound, fixes
from tfdsl.editor.text import OpenText
from tfdsl.editor.workspace import Document, Workspace
from tfdsl.syntax import tree as t
from tfdsl.syntax.hints import code_of

CASES = Path(__file__).parents[1] / "cases"


def opened(path, text):
    workspace = Workspace()
    workspace.change(str(path), OpenText(text))
    return Document(workspace, str(path))


def parts(document):
    """The comments of a document, and what is left of wrong statements."""
    comments = Counter(line[len(code_of(line)) :] for line in document.source.text.splitlines())
    del comments[""]
    kinds = Counter(type(node) for node in t.trees(document.tree))
    return comments, kinds[t.Broken], kinds[t.ExpressionStatement]


@pytest.mark.parametrize(
    "path",
    some(
        sorted(CASES.glob("*/*.tfg")),
        [
            *(CASES / "shapes" / f"{name}.tfg" for name in ("column_of_labels", "known_arguments", "index_mended")),
            *(CASES / "values" / f"{name}.tfg" for name in ("training_kind", "summary_type", "initializers")),
            *(CASES / "sessions" / f"{name}.tfg" for name in ("epoch_field_outside_training", "value_of_operation")),
            *(CASES / "text" / f"{name}.tfg" for name in ("train_for", "call_in_session", "or_sign", "colon_missing")),
            CASES / "warnings" / "empty_beside_one.tfg",
            CASES / "modules" / "imports.tfg",
        ],
    ),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_a_fix_keeps_names_comments_and_code(path):
    document = opened(path, path.read_bytes().decode())
    comments, broken, bare = parts(document)
    for fix in fixes(document, 0, len(document.source.text)):
        (edit,) = fix.edits
        mended = opened(path, document.text.edited([edit]))
        assert bound(mended) >= bound(document) - {document.source.text[edit.start : edit.end]}, fix.title
        found, left, alone = parts(mended)
        assert found == comments and left <= broken and alone <= bare, fix.title


@pytest.mark.parametrize(
    ("case", "before", "after"),
    [
        ("names/log_of_base_ten", "h = reduce_max(log2(1.0 + X))", "h = reduce_max(log(1.0 + X) / log(2.0))"),
        ("shapes/column_of_labels", "b = in_top_k(X, y, 1)", "b = in_top_k(X, y[:, 0], 1)"),
        ("shapes/index_mended", "a = x[t]", "a = x[cast(t, int32)]"),
        ("shapes/known_arguments", '"SAME", dilations=[2, 2])', None),
        ("values/argument_of_other_libraries", "keep_prob=keep)", "rate=1 - keep)"),
        ("values/gradients_that_are_applied", "global_step=count", "global_step=none"),
        ("values/training_kind", "e = nn.batch_norm(X, X > 0.0)", None),
        ("values/summary_type", "scalar x as", "scalar reduce_mean(x) as"),
        ("values/initializers", "random_normal(stddev=0.02)", None),
        ("sessions/epoch_field_outside_training", '"x-{epoch}"', None),
        ("sessions/set_dtype", "set n = 2.5", None),
        ("sessions/value_of_operation", "a = step_op", None),
        ("sessions/write_suffix", '"x.cvs"', '"x.csv"'),
        ("text/augmented_variable", "w //= w + 1  #", "set w = w // (w + 1)  #"),
        ("text/break_in_session", "if w < 1.0: break  #", "stop when w < 1.0  #"),
        ("text/call_in_session", "    assign_add(w, 1.0)", "    run assign_add(w, 1.0)"),
        ("text/train_for", "train for 5 epochs:  #", "train 5 epochs:  #"),
        ("warnings/empty_beside_one", "maximum(ones([2, 1]), zeros", "concat([ones([2, 1]), zeros"),
    ],
)
def test_what_a_fix_replaces(case, before, after):
    path = CASES / f"{case}.tfg"
    text = path.read_text(encoding="utf-8")
    document = opened(path, text)
    at = text.index(before)
    found = [document.text.edited(list(fix.edits)) for fix in fixes(document, at, at + len(before))]
    if after is None:
        assert not found
    else:
        assert any(after in one and before not in one for one in found), found


def test_an_argument_is_added(tmp_path):
    (tmp_path / "odd.csv").write_text("0.5,1.5\n1,2\n3,4\n")
    document = opened(tmp_path / "p.tfg", 'data d = csv("odd.csv")\nsession: print d.rows\n')
    (fix,) = fixes(document, 0, 20)
    assert document.text.edited(list(fix.edits)).startswith('data d = csv("odd.csv", header=false)\n')


def test_code_that_would_come_apart_is_not_written(tmp_path):
    """`2.0 ** log(4.0) / log(10.0)` would be another number."""
    document = opened(tmp_path / "p.tfg", "x = 2.0 ** log10(4.0)\nsession: print x\n")
    assert not fixes(document, 0, 20)
