"""`save` and `restore`: files are replaced as a whole, damage is recognised, and files of others are never replaced."""

import os
import shutil
from itertools import product

import pytest
from conftest import some
from tensorflow import train
from tensorflow.compat import v1

import tfdsl
from tfdsl.runtime.files.durable_io import manifest_bytes

TEXT = """
param value = 1.0
variable w = [value, 2.0]
variable n = 3
session:
    save to "kept/model.ckpt"
"""
READ = """
variable w = [0.0, 0.0]
variable n = 0
session:
    restore from "kept/model.ckpt"
    print w, n
"""
FILES = ["model.ckpt.data-00000-of-00001", "model.ckpt.index", "model.ckpt.manifest", "model.ckpt.meta"]


def save(value=1.0):
    tfdsl.compile(TEXT, {"value": value}).run()


def read():
    return tfdsl.compile(READ).run().printed


def error(text):
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text).run()
    return caught.value.diagnostics


def names(here):
    return sorted(path.name for path in (here / "kept").iterdir())


def test_the_name_of_tensorflows_own_list(here):
    (diagnostic,) = error('variable w = 1.0\nsession:\n    save w to "checkpoint"\n')
    assert (diagnostic.code, diagnostic.span.line) == ("TFG707", 3)
    assert "/proc/" not in diagnostic.headline and "choose another name" in diagnostic.headline


def test_tensorflow_reads_our_checkpoints(here):
    save()
    assert names(here) == FILES
    reader = train.load_checkpoint("kept/model.ckpt")
    assert reader.get_tensor("w").tolist() == [1.0, 2.0]
    with v1.Graph().as_default(), v1.Session() as session:
        saver = v1.train.import_meta_graph("kept/model.ckpt.meta")
        saver.restore(session, "kept/model.ckpt")
        assert [session.run(one).tolist() for one in v1.global_variables()] == [[1.0, 2.0], 3]


def test_tensorflows_checkpoints_are_restored(here):
    os.mkdir("kept")
    with v1.Graph().as_default(), v1.Session() as session:
        v1.get_variable("w", initializer=[5.0, 6.0])
        v1.get_variable("n", initializer=7)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, "kept/model.ckpt")
    assert read() == ["[5. 6.] 7"]


def test_a_second_save_replaces_the_first(here):
    save()
    save(8.0)
    assert names(here) == FILES
    assert read() == ["[8. 2.] 3"]


@pytest.mark.parametrize("left", [name for name in FILES if not name.endswith(".meta")])
def test_the_rest_of_a_save_is_not_a_fresh_start(here, left):
    save()
    for name in FILES:
        if name != left:
            (here / "kept" / name).unlink()
    (diagnostic,) = error(READ.replace('.ckpt"', '.ckpt" if exists'))
    assert diagnostic.code == "TFG709"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damage_is_recognised(here, name, damage):
    save()
    path = here / "kept" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes({"flip": bytes(content), "cut": content[:-1], "empty": b""}[damage])
    (diagnostic,) = error(READ)
    assert diagnostic.code == "TFG709"
    assert name in diagnostic.headline
    assert diagnostic.span.text == 'restore from "kept/model.ckpt"'


@pytest.mark.parametrize("name", [name for name in FILES if "manifest" not in name])
def test_a_missing_file_is_named(here, name):
    save()
    os.remove(here / "kept" / name)
    (diagnostic,) = error(READ)
    assert diagnostic.code == "TFG709"
    assert f"{name} is missing" in diagnostic.headline


@pytest.mark.parametrize("name", FILES)
def test_files_of_others_are_not_replaced(here, name):
    os.mkdir("kept")
    (here / "kept" / name).write_text("mine")
    (diagnostic,) = error(TEXT)
    assert diagnostic.code == "TFG735"
    assert name in diagnostic.headline
    assert diagnostic.span.text == 'save to "kept/model.ckpt"'
    assert (here / "kept" / name).read_text() == "mine"
    assert names(here) == [name]


def test_changed_files_are_not_replaced(here):
    save()
    path = here / "kept" / "model.ckpt.meta"
    path.write_bytes(path.read_bytes() + b"more")
    (diagnostic,) = error(TEXT)
    assert diagnostic.code == "TFG735"


def test_other_files_with_similar_names_are_ignored(here):
    save()
    for name in ("model.ckpt.txt", "model.ckpt2.index", "my_model.ckpt.index", "model.ckpt"):
        (here / "kept" / name).write_text("mine")
    save(8.0)
    assert (here / "kept" / "model.ckpt2.index").read_text() == "mine"
    assert read() == ["[8. 2.] 3"]


def moved_back(here, files):
    """The folder as it is when a save is interrupted before it has moved these files."""
    whole = here / "kept" / ".model.ckpt.whole-0123456789abcdef"
    whole.mkdir()
    for name in files:
        os.rename(here / "kept" / name, whole / name)
    return whole


@pytest.mark.parametrize(("then", "count"), some(
    product((read, save), range(5)), [(read, 0), (save, 1), (read, 2), (save, 4)]
))  # fmt: skip
def test_a_complete_interrupted_save_is_finished(here, count, then):
    save()
    old = {name: (here / "kept" / name).read_bytes() for name in FILES}
    save(8.0)
    order = [FILES[0], FILES[3], FILES[1], FILES[2]]  # the order in which they are moved
    moved_back(here, order[count:])
    for name in order[count:]:
        (here / "kept" / name).write_bytes(old[name])
    then()
    if then is read:
        assert names(here) == FILES
    assert read() == (["[8. 2.] 3"] if then is read else ["[1. 2.] 3"])


def test_an_incomplete_save_is_removed(here):
    save()
    left = here / "kept" / ".model.ckpt.new-0123456789abcdef"
    left.mkdir()
    (left / "model.ckpt.manifest").write_bytes(manifest_bytes({"version": 1, "planned": ["model.ckpt.index"]}))
    (left / "model.ckpt.index.tempstate123").write_text("half")
    assert read() == ["[1. 2.] 3"]
    assert names(here) == FILES


@pytest.mark.parametrize("manifest", [None, b"mine", manifest_bytes({"version": 1, "planned": ["model.ckpt.data"]})])
def test_another_folder_named_like_an_interrupted_save_stays(here, manifest):
    save()
    left = here / "kept" / ".model.ckpt.new-0123456789abcdef"
    left.mkdir()
    (left / "model.ckpt.index").write_text("mine")
    if manifest:
        (left / "model.ckpt.manifest").write_bytes(manifest)
    save(8.0)
    assert read() == ["[8. 2.] 3"]
    assert (left / "model.ckpt.index").read_text() == "mine"


@pytest.mark.parametrize("statement", ['save to "kept/model.ckpt"', 'restore from "kept/model.ckpt"'])
def test_a_program_cannot_make_a_folder_that_replaces_files_of_others(here, statement):
    """The files in the folder are saved with a valid manifest; those in the way are not."""
    os.mkdir("kept")
    for name in FILES[:2]:
        (here / "kept" / name).write_text("mine")
    text = "variable w = 1.0\nsession:\n    "
    tfdsl.compile(f'{text}save to "kept/.model.ckpt.whole-0123456789abcdef/model.ckpt"\n').run()
    (diagnostic,) = error(f"{text}{statement}\n")
    assert diagnostic.code == "TFG735"
    assert diagnostic.span.text == statement
    assert [(here / "kept" / name).read_text() for name in FILES[:2]] == ["mine", "mine"]


def test_only_files_in_a_manifest_are_moved(here):
    save()
    whole = moved_back(here, FILES)
    (whole / "model.ckpt.data-00001-of-00002").write_text("mine")
    save(8.0)
    assert names(here) == [whole.name, *FILES]
    assert [path.name for path in whole.iterdir()] == ["model.ckpt.data-00001-of-00002"]


@pytest.mark.parametrize("name", [name for name in FILES if "manifest" not in name])
def test_a_damaged_save_replaces_nothing(here, name):
    save()
    old = {name: (here / "kept" / name).read_bytes() for name in FILES}
    save(8.0)
    whole = moved_back(here, FILES)
    for one in FILES:
        (here / "kept" / one).write_bytes(old[one])
    (whole / name).write_bytes((whole / name).read_bytes()[:-1])
    (diagnostic,) = error(READ)
    assert diagnostic.code == "TFG709"
    assert f"in {whole.name}, {name} has" in diagnostic.headline
    assert {name: (here / "kept" / name).read_bytes() for name in FILES} == old


def test_a_folder_that_looks_like_a_save_cannot_replace_other_files(here):
    save()
    (here / "kept" / "mine.py").write_text("mine")
    whole = here / "kept" / ".model.ckpt.whole-0123456789abcdef"
    whole.mkdir()
    (whole / "mine.py").write_text("theirs")
    assert read() == ["[1. 2.] 3"]
    assert (whole / "mine.py").read_text() == "theirs"
    assert (here / "kept" / "mine.py").read_text() == "mine"


# --- before anything runs -----------------------------------------------------------------------


def test_variables_without_values_are_reported_before_the_run(here):
    save()
    text = """
variable w = [0.0, 0.0]
variable n = 0
scope layer:
    variable a = 1.0
    variable b = 1.0
variable c: float32[3] = zeros
session:
    print "first"
session:
    restore from "kept/model.ckpt"
    print w, n
"""
    printed = []
    program = tfdsl.compile(text)
    with pytest.raises(tfdsl.TfgError) as caught:
        program.run(options=tfdsl.Options(write=printed.append))
    assert printed == []
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.details["names"]) == ("TFG705", "variables 'layer/a', 'layer/b', 'c'")


BODY = "import nn\nplaceholder X: float32[n, 2]\nscope {}:\n    h = nn.dense(nn.dense(X, 3), 4)\n"
HEAD = "scope head:\n    z = nn.dense({}.h, 1)\n"


@pytest.mark.parametrize(
    "scope, head, statement, help",
    [
        ("trunk", "", "restore trunk", 'write: restore trunk as "body" from "body.ckpt"'),
        ("trunk", "", 'restore trunk as "bdy"', 'write: restore trunk as "body" from "body.ckpt"'),
        ("body", HEAD, "restore", 'write: init, then restore body from "body.ckpt"'),
        ("trunk", HEAD, "restore", 'write: init, then restore trunk as "body" from "body.ckpt"'),
    ],
)
def test_scopes_with_other_names_in_a_checkpoint(here, scope, head, statement, help):
    feeds = "with X = [[1, 2]]"
    saved = BODY.format("body") + f'session:\n    init\n    save body to "body.ckpt"\n    print body.h {feeds}\n'
    printed = tfdsl.compile(saved).run().printed
    text = BODY.format(scope) + head.format(scope)
    (diagnostic,) = error(f'{text}session:\n    {statement} from "body.ckpt"\n')
    assert (diagnostic.code, diagnostic.help_line) == ("TFG705", help)
    mended = help.removeprefix("write: ").replace(", then ", "\n    ")
    assert tfdsl.compile(f"{text}session:\n    {mended}\n    print {scope}.h {feeds}\n").run().printed == printed


def test_a_scope_is_saved_under_another_name(here):
    text = BODY.format("body") + 'session:\n    init\n    save body.dense_1 as "last" to "last.ckpt"\n'
    tfdsl.compile(text).run()
    assert dict(train.list_variables("last.ckpt")) == {"last/kernel": [3, 4], "last/bias": [4]}


def test_a_checkpoint_of_another_optimizer(here):
    head = "variable w = 3.0\noptimize square(w) with {}(learning_rate=0.1)\nsession:\n"
    train = "    train 1 step:\n        every 1 step: print w\n"
    options = tfdsl.Options(write=lambda line: None, engine="step")
    tfdsl.compile(head.format("gradient_descent") + train + '    save to "w.ckpt"\n').run(options=options)
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(head.format("adam") + '    restore from "w.ckpt"\n' + train).run(options=options)
    found = {one.help_line for one in caught.value.diagnostics}
    way = 'init, then restore w from "w.ckpt"'
    assert found == {f"it belongs to an optimizer that the checkpoint lacks: {way}"}
    mended = head.format("adam") + '    init\n    restore w from "w.ckpt"\n    print w\n' + train
    assert float(tfdsl.compile(mended).run(options=options).printed[0].split()[0]) == pytest.approx(3 - 0.1 * 6)


SAVED = """\
variable w = [1.0, 2.0]
variable thetta = 3.0
session:
    save w, thetta to "kept/model.ckpt"
"""


@pytest.mark.parametrize(
    "head, statement, code, help",
    [
        ("variable w = [0.0, 0.0]", 'restore w as "weights"', "TFG705", "it has 'w': write w without 'as \"weights\"'"),
        ("variable theta = 0.0", "restore theta", "TFG705", 'write: theta as "thetta"'),
        ("variable theta = 0.0", 'restore theta as "tetta"', "TFG705", 'write: theta as "thetta"'),
        ("variable theta = 0.0", "restore", "TFG705", 'write: restore theta as "thetta" from "kept/model.ckpt"'),
        ("variable x = 0.0", 'restore x as "w"', "TFG706", 'it has float32 for thetta; write: x as "thetta"'),
        ("variable w = 0.0", "restore w", "TFG706", 'it has float32 for thetta; write: w as "thetta"'),
        ("variable w = [0]", "restore w", "TFG706", "declare w: float32[2], or restore a checkpoint that has int32[1]"),
    ],
)
def test_help_for_variables_with_other_names_in_a_checkpoint(here, head, statement, code, help):
    tfdsl.compile(SAVED).run()
    (diagnostic,) = error(f'{head}\nsession:\n    {statement} from "kept/model.ckpt"\n')
    assert (diagnostic.code, diagnostic.help_line) == (code, help)
    way = help.partition("write: ")[2] or "w"
    way = way.removeprefix("restore ").removesuffix(' from "kept/model.ckpt"')
    if "declare" in help:
        head = head.replace("w = [0]", "w: float32[2] = zeros")
    mended = f'{head}\nsession:\n    restore {way} from "kept/model.ckpt"\n    print {way.split()[0]}\n'
    assert tfdsl.compile(mended).run().printed == ["3.0" if "thetta" in way else "[1. 2.]"]


@pytest.mark.parametrize("path", ["kept/modle.ckpt", "kpet/model.ckpt", "kpet/mode.ckpt", "kept/Model.ckpt"])
def test_a_misspelt_path_has_a_suggestion(here, path):
    tfdsl.compile(SAVED).run()
    (diagnostic,) = error(f'variable w = [0.0, 0.0]\nsession:\n    restore w from "{path}"\n')
    assert (diagnostic.code, diagnostic.help_line) == ("TFG704", 'did you mean "kept/model.ckpt"?')


def test_no_checkpoint_is_near_and_a_folder_has_some(here):
    tfdsl.compile(SAVED).run()
    (diagnostic,) = error('variable w = [0.0, 0.0]\nsession:\n    restore w from "elsewhere/entirely/x"\n')
    assert diagnostic.help_line.startswith("save one first")
    (diagnostic,) = error('variable w = [0.0, 0.0]\nsession:\n    restore w from "kept"\n')
    assert diagnostic.help_line == 'write: restore w from "kept/model.ckpt"'


def test_checkpoints_saved_by_the_program_are_not_checked_before_the_run(here):
    text = TEXT + READ[READ.index("session") :]
    assert tfdsl.compile(text).run().printed == ["[1. 2.] 3"]
    moving = text.replace("model.ckpt", "model-{now}.ckpt", 1).replace('"kept/model.ckpt"', '"kept/other.ckpt"')
    (diagnostic,) = error(moving)
    assert diagnostic.code == "TFG704"


def test_a_missing_checkpoint_is_reported_before_the_run(here):
    printed = []
    program = tfdsl.compile(READ.replace("session:", 'session:\n    print "first"\nsession:', 1))
    with pytest.raises(tfdsl.TfgError, match="TFG704"):
        program.run(options=tfdsl.Options(write=printed.append))
    assert printed == []


def save_by_tensorflow(path, version=v1.train.SaverDef.V2, step=None):
    os.makedirs("theirs", exist_ok=True)
    with v1.Graph().as_default(), v1.Session() as session:
        w, n = v1.Variable([4.0, 5.0], name="w"), v1.Variable(6, name="n")
        session.run([w.initializer, n.initializer])
        v1.train.Saver([w, n], write_version=version).save(session, path, step, write_state=False)


def restored(path):
    return READ.replace("kept/model.ckpt", path)


def test_a_checkpoint_in_the_v1_format_is_restored(here):
    save_by_tensorflow("theirs/old.ckpt", v1.train.SaverDef.V1)
    assert "old.ckpt" in os.listdir("theirs")
    assert tfdsl.compile(restored("theirs/old.ckpt")).run().printed == ["[4. 5.] 6"]


def test_a_checkpoint_in_parts_of_the_v1_format_is_restored(here):
    os.makedirs("theirs")
    with v1.Graph().as_default(), v1.Session() as session:
        w = v1.Variable([4.0, 5.0], name="w")
        with v1.device("/device:CPU:0"):
            n = v1.Variable(6, name="n")
        session.run([w.initializer, n.initializer])
        saver = v1.train.Saver([w, n], write_version=v1.train.SaverDef.V1, sharded=True)
        saver.save(session, "theirs/old.ckpt", write_state=False)
    parts = [name for name in os.listdir("theirs") if "-of-" in name]
    assert len(parts) == 2
    assert tfdsl.compile(restored("theirs/old.ckpt")).run().printed == ["[4. 5.] 6"]
    os.remove(f"theirs/{parts[0]}")
    (diagnostic,) = error(restored("theirs/old.ckpt"))
    assert diagnostic.code == "TFG709" and parts[0] in diagnostic.headline


def test_old_names_of_reference_variables_are_restored(here):
    save_by_tensorflow("theirs/old.ckpt")
    text = """
variable kernel: float32[2] = zeros, resource=false
variable count = 0, resource=false
session:
    restore kernel as "w", count as "n" from "theirs/old.ckpt"
    print kernel, count
"""
    assert tfdsl.compile(text).run().printed == ["[4. 5.] 6"]


@pytest.mark.parametrize(
    "written, meant",
    [
        ("theirs/m.ckpt", "theirs/m.ckpt-20"),
        ("theirs/m.ckpt-3.index", "theirs/m.ckpt-3"),
        ("theirs/m.ckpt-3.meta", "theirs/m.ckpt-3"),
        ("theirs/m.ckpt-3.data-00000-of-00001", "theirs/m.ckpt-3"),
        ("theirs", "theirs/m.ckpt-20"),
    ],
)
def test_nearby_checkpoints_are_named(here, written, meant):
    for step in (3, 20):
        save_by_tensorflow("theirs/m.ckpt", step=step)
    (diagnostic,) = error(restored(written))
    assert (diagnostic.code, diagnostic.span.line) == ("TFG704", 5)
    assert f'restore from "{meant}"' in diagnostic.help_line
    assert tfdsl.compile(restored(meant)).run().printed == ["[4. 5.] 6"]


def test_what_an_optimizer_keeps_is_not_declared(here):
    """It follows from its variable, which is the one that is named."""
    text = """
variable w = [0.0, 0.0]
optimize reduce_sum(square(w - 1.0)) with adam() as go
session:
"""
    tfdsl.compile(f'{text}    save to "two.ckpt"\n').run()
    larger = text.replace("[0.0, 0.0]", "[0.0, 0.0, 0.0]")
    (diagnostic,) = error(f'{larger}    restore from "two.ckpt"\n')
    assert diagnostic.help_line.startswith("declare w: float32[2], or")
    kept = error(f'{larger}    init\n    restore go from "two.ckpt"\n')
    assert len(kept) == 2 and {one.code for one in kept} == {"TFG706"}
    assert {one.help_line for one in kept} == {"restore a checkpoint that has float32[3]"}


def test_the_newest_of_several_checkpoints_is_named(here):
    for number, minute in enumerate((1, 3, 2)):
        save_by_tensorflow(f"kept/{number}.ckpt")
        os.utime(f"kept/{number}.ckpt.index", (60 * minute, 60 * minute))
    assert error(restored("kept"))[0].help_line == 'write: restore from "kept/1.ckpt" (the newest of 3)'


def test_a_graph_without_values_and_an_empty_folder_have_their_own_help(here):
    save_by_tensorflow("theirs/m.ckpt")
    os.remove("theirs/m.ckpt.index")
    os.remove("theirs/m.ckpt.data-00000-of-00001")
    assert "m.ckpt.meta is the graph" in error(restored("theirs/m.ckpt"))[0].help_line
    os.mkdir("empty")
    assert "a folder without checkpoints" in error(restored("empty"))[0].help_line
    assert "if exists" in error(restored("nothing"))[0].help_line
    (here / "text.ckpt").write_text("no checkpoint\n")
    (diagnostic,) = error(restored("text.ckpt"))
    assert diagnostic.code == "TFG709" and "not a TensorFlow checkpoint" in diagnostic.headline


def test_variables_keep_their_names_beside_ops_of_the_same_name(here):
    text = """
placeholder x: float32[n, 2]
m = reduce_mean(x)
variable mean = 1.0
scope a:
    k = reduce_sum(x) + 1
    after k:
        variable sum = 2.0
def f(x):
    variable max = reduce_max([1.0, 2.0])
    return reduce_max(x) * max
z = [f(x) for i in range(3)]
shared min = reduce_min([3.0, 4.0])
Add = identity(x) + m
variable add = 1.0
session:
    save to "kept/model.ckpt"
    print Add, k, z, min, add, mean, sum with x = [[1, 2]]
"""
    tfdsl.compile(text).run()
    reader = train.load_checkpoint("kept/model.ckpt")
    assert set(reader.get_variable_to_shape_map()) == {
        "mean", "a/sum", "f/max", "f_1/max", "f_2/max", "min", "add_1",
    }  # fmt: skip


CLASHES = """\
variable w = 1.0
variable v = 2.0
optimize square(w) with momentum(0.9, learning_rate=0.1) as train
session:
    train 1 step: run train
    save to "all.ckpt"
    {}
"""


@pytest.mark.parametrize("what, names", [
    ('w as "v", v', "two variables would have the name 'v'"),
    ('w as "a", v as "a"', "two variables would have the name 'a'"),
    ('w as "w/Momentum", train', "two variables would have the name 'w/Momentum'"),
    ('train, v as "w/Momentum"', "two variables would have the name 'w/Momentum'"),
    ('w, w as "other"', "'w' would have two names, 'w' and 'other',"),
])  # fmt: skip
def test_each_variable_has_a_name_of_its_own_in_a_checkpoint(here, what, names):
    for statement in (f'save {what} to "d.ckpt"', f'restore {what} from "all.ckpt"'):
        (diagnostic,) = error(CLASHES.format(statement))
        assert (diagnostic.code, diagnostic.span.line) == ("TFG759", 7)
        assert diagnostic.headline == f"{names} in the checkpoint"
    assert os.listdir(".") == []  # it is seen before the session runs


def test_a_folder_of_checkpoints_is_named_as_such(here):
    os.makedirs("kept/00000063-step-2520")  # as an interrupted training leaves it
    (diagnostic,) = error(CLASHES.format('restore w from "kept"'))
    assert diagnostic.code == "TFG704" and "the folder of a 'checkpoint'" in diagnostic.help


def test_a_variable_of_a_layer_is_named_with_its_layer(here):
    text = """
import nn
placeholder X: float32[n, 4]
h = nn.dense(X, UNITS)
optimize reduce_mean(nn.dense(h, 1)) with adam()
session:
    STATEMENT "all.ckpt"
"""
    tfdsl.compile(text.replace("UNITS", "2").replace("STATEMENT", "save to")).run()
    for statement in ("restore from", "restore dense from"):
        with pytest.raises(tfdsl.TfgError) as caught:
            tfdsl.compile(text.replace("UNITS", "3").replace("STATEMENT", statement)).run()
        first = caught.value.diagnostics[0]
        assert first.headline == "dense.kernel is float32[4, 3], but float32[4, 2] in the checkpoint all.ckpt"
        assert first.help_line.startswith("change the program so that dense.kernel is float32[4, 2], or restore")
    more = text.replace("UNITS", "2").replace("nn.dense(h, 1)", "nn.dense(nn.dense(h, 2), 1)")
    (diagnostic,) = error(more.replace("STATEMENT", "restore dense_2 from"))
    assert diagnostic.code == "TFG705" and diagnostic.details["known"].endswith(
        "dense/kernel, dense_1/bias, dense_1/kernel"
    )


def test_what_an_optimizer_keeps_is_proposed_for_no_variable(here):
    text = CLASHES.format('save w, train to "part.ckpt"')
    tfdsl.compile(text).run()
    (diagnostic,) = error(
        text.replace("variable v = 2.0", "variable wm = 2.0") + '    restore w, wm from "part.ckpt"\n'
    )
    assert diagnostic.code == "TFG705" and "Momentum" not in diagnostic.help
    (diagnostic,) = error(text + '    restore v as "w/Moment", w from "part.ckpt"\n')
    assert diagnostic.code == "TFG705" and "Momentum" not in diagnostic.help


# --- names, and incomplete or copied files ------------------------------------------------------


@pytest.mark.parametrize("path", ["m[1].ckpt", "a*?", "fold-1-of-5", "m.data-00000-of-00001", "in[side]/m.index"])
def test_names_that_tensorflow_reads_as_patterns_or_parts(here, path):
    assert tfdsl.compile(TEXT.replace("kept/model.ckpt", path)).run()
    assert tfdsl.compile(restored(path)).run().printed == ["[1. 2.] 3"]
    assert {f"{path}{kind}" for kind in (".index", ".meta", ".manifest")} <= {
        str(file.relative_to(here)) for file in here.rglob("*") if file.is_file()
    }
    assert not list(here.rglob(".*"))


@pytest.mark.parametrize("gone", ["index", "data-00000-of-00001"])
def test_a_missing_file_of_tensorflows_checkpoint_is_named(here, gone):
    save_by_tensorflow("theirs/m.ckpt")
    os.remove(f"theirs/m.ckpt.{gone}")
    (diagnostic,) = error(restored("theirs/m.ckpt"))
    assert diagnostic.headline == f"the checkpoint theirs/m.ckpt cannot be read: m.ckpt.{gone} is missing"


def test_a_missing_part_of_several(here):
    save_by_tensorflow("theirs/m.ckpt")
    os.rename("theirs/m.ckpt.data-00000-of-00001", "theirs/m.ckpt.data-00000-of-00003")
    assert "m.ckpt.data-00001-of-00003 is missing" in error(restored("theirs/m.ckpt"))[0].headline


def test_errors_of_tensorflow_name_the_path_of_the_program(here):
    save_by_tensorflow("theirs/m.ckpt")
    values = here / "theirs" / "m.ckpt.data-00000-of-00001"
    values.write_bytes(b"\x00" * values.stat().st_size)
    headline = error(restored("theirs/m.ckpt"))[0].headline
    assert headline.startswith("the checkpoint theirs/m.ckpt cannot be read: ")
    assert "Checksum" in headline and "tfdsl-" not in headline


def test_a_renamed_copy_is_verified_read_and_replaced(here):
    save()
    for name in FILES:
        shutil.copy(f"kept/{name}", f"kept/{name.replace('model', 'copy')}")
    assert tfdsl.compile(restored("kept/copy.ckpt")).run().printed == ["[1. 2.] 3"]
    tfdsl.compile(TEXT.replace("model", "copy"), {"value": 9.0}).run()
    assert tfdsl.compile(restored("kept/copy.ckpt")).run().printed == ["[9. 2.] 3"]
    assert read() == ["[1. 2.] 3"]
    (here / "kept" / "copy.ckpt.index").write_text("damaged")
    for name in FILES[:1] + FILES[2:]:
        shutil.copy(f"kept/{name}", f"kept/{name.replace('model', 'copy')}")
    assert "copy.ckpt.index has 7 bytes" in error(restored("kept/copy.ckpt"))[0].headline
    assert "copy.ckpt.index" in error(TEXT.replace("model", "copy"))[0].headline


def test_a_hard_link_is_reported_as_the_reason(here):
    save()
    for name in FILES:
        os.link(f"kept/{name}", f"kept/backup_{name}")
    for text, code in ((READ, "TFG709"), (TEXT, "TFG735"), (restored("kept/backup_model.ckpt"), "TFG709")):
        (diagnostic,) = error(text)
        assert diagnostic.code == code
        assert "a file with a second name (a hard link)" in diagnostic.headline
    assert read_by_tensorflow("kept/model.ckpt") == [1.0, 2.0]


def test_files_without_a_manifest_are_not_replaced(here):
    save()
    os.remove("kept/model.ckpt.manifest")
    assert "there is no model.ckpt.manifest that lists it" in error(TEXT)[0].headline
    assert read() == ["[1. 2.] 3"]


def read_by_tensorflow(path):
    return train.load_checkpoint(path).get_tensor("w").tolist()


STEPS = """\
variable w = [3.0, 1.0]
variable visits = 0
optimize reduce_sum(square(w)) with momentum(0.9, learning_rate=0.1) as train
session before:
    train 3 steps:
        run train
    save w, train to "kept/model.ckpt"
    train 1 step:
        run train
    print w
session again:
    init
    restore w, train from "kept/model.ckpt"
    train 1 step:
        run train
    print w, visits
"""


def test_a_step_stands_for_what_its_optimizer_keeps(here):
    first, again = tfdsl.compile(STEPS).run(options=tfdsl.Options(write=lambda line: None)).printed
    assert again == f"{first} 0"
    names = train.load_checkpoint("kept/model.ckpt").get_variable_to_shape_map()
    assert names == {"w": [2], "w/Momentum": [2]}
    tfdsl.compile(STEPS.partition("session")[0] + 'session: save w to "kept/w.ckpt"\n').run()
    found = error(STEPS.partition("session")[0] + 'session: restore w, train from "kept/w.ckpt"\n')
    assert found[0].headline.startswith("the checkpoint kept/w.ckpt has no variable 'w/Momentum'")


def test_the_folder_of_a_saved_model_says_what_it_is(here):
    tfdsl.compile('variable w = 3.0\nplaceholder x: float32[n]\ny = w * x\nsession: export y with x to "m"').run()
    text = "variable w = 0.0\nsession:\n    restore from {}\n    print w\n"
    for path in ('"m"', '"m/"', '"m/saved_model.pb"'):
        (found,) = error(text.format(path))
        assert "a SavedModel" in found.help_line
        followed = found.help_line.partition("restore from ")[2]
        assert tfdsl.compile(text.format(followed)).run().printed == ["3.0"]
