"""What a run leaves in its record."""

import json
import os
import signal

import numpy as np
import pytest

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.runs.reading import RunRecord, named, records
from tfdsl.runtime.observer import RunObserver
from tfdsl.source import Source

PROGRAM = """
import "lib.tfg"

seed 3
param rate = 0.25
param name = "x"
data d = csv("d.csv", target="y") | split(test=0.5, seed=5)

placeholder X: float32[n, 1]
placeholder y: float32[n, 1]
variable w: float32[1, 1] = zeros
cost = lib.half(reduce_mean(square(X @ w - y)))
optimize cost with gradient_descent(learning_rate=rate)
summary scalar cost as "cost"

session:
{log}    train 3 steps on d.train in batches of 1 shuffled seed 7 as batch:
        feed X = batch.features, y = batch.target
{logs}
    test = evaluate cost on d.test as b with X = b.features, y = b.target
    print "cost", test, name
    expect test {sign} 0
"""


@pytest.fixture
def folder(here):
    (here / "lib.tfg").write_text("def half(x):\n    return x / 2\n")
    (here / "d.csv").write_text("x,y\n1,2\n2,4\n3,6\n4,8\n")
    return here


def text(log="", sign=">="):
    return PROGRAM.format(log=f'    log to "{log}"\n' if log else "", logs="        log" if log else "", sign=sign)


def compiled(log="", sign=">=", **params):
    return tfdsl.compile(text(log, sign), **params)


def only(folder="."):
    (found,) = records([str(folder)])
    assert not found.fault
    return found


def test_a_run_that_logs_nothing_writes_nothing(folder):
    before = sorted(os.listdir(folder))
    result = compiled().run()
    assert result.records == [] and sorted(os.listdir(folder)) == before


def test_everything_is_in_the_record(folder):
    result = compiled("logs", rate=0.125).run()
    record = only()
    assert result.records == [record.path] and os.path.dirname(record.path) == "logs"
    begin, end = record.begin, record.end
    assert list(record.texts.values()) == [text("logs"), (folder / "lib.tfg").read_text()]
    assert begin["params"] == {
        "rate": {"value": 0.125, "type": "float", "from": "Python"},
        "name": {"value": "x", "type": "str", "from": "default"},
    }
    assert begin["seeds"] == {
        "graphs": {"": 3}, "data": {"d": {"split": 5}}, "trainings": [{"line": 18, "order": "shuffled", "seed": 7}],
    }  # fmt: skip
    assert set(begin["versions"]) == {"tfdsl", "python", "tensorflow", "numpy"} and begin["host"]["name"]
    assert (record.status, end["exit_code"], end["errors"], end["steps"]) == ("done", 0, [], 3)
    assert end["printed"] == result.printed and end["expectations"] == 1
    assert end["evaluated"] == {"test": float(result.session_values["test"])}
    (file,) = end["data"]["d"]["files"]
    assert (file["path"], file["size"]) == (str(folder / "d.csv"), 20)
    assert end["data"]["d"]["parts"] == {"train": 2, "test": 2} and not end["synthetic"]
    assert [one["name"] for one in end["data"]["d"]["columns"]] == ["x", "y"]
    assert end["variables"]["0"]["w"]["shape"] == [1, 1] and end["peak_memory"] > 1 << 20
    points = [(one["step"], one["value"]) for one in record.curves() if one.get("tag") == "cost"]
    assert points == result.history["cost"]
    assert [one for one in record.curves() if "evaluate" in one] == [
        {"evaluate": "test", "step": 3, "value": end["evaluated"]["test"]}
    ]


def test_a_folder_for_the_record(folder):
    result = compiled().run(options=tfdsl.Options(write=lambda line: None, record="kept/here"))
    assert os.path.dirname(result.records[0]) == "kept/here" and only().status == "done"


def test_digests_of_variables_are_those_of_their_bits(folder):
    from tfdsl.runs.digests import of_array

    result = compiled("logs").run()
    assert only().end["variables"]["0"]["w"] == of_array(result.variables["w"])
    assert of_array(np.float32(1)) != of_array(np.float64(1))
    assert of_array(np.array([b"ab", b"c"], object)) != of_array(np.array([b"a", b"bc"], object))


def test_a_failed_expectation(folder):
    with pytest.raises(TfgError):
        compiled("logs", sign="<").run()
    record = only()
    assert (record.status, record.end["exit_code"]) == ("failed", 1)
    assert [one["code"] for one in record.end["errors"]] == ["TFG703"] and record.end["printed"]


def test_an_interrupted_run(folder):
    class Asked:
        signal = signal.SIGTERM

        def __init__(self):
            self.count = 0

        def __call__(self):
            self.count += 1
            return self.count > 3

    options = tfdsl.Options(write=lambda line: None, interrupted=Asked())
    assert compiled("logs").run(options=options).interrupted
    assert (only().status, only().end["exit_code"]) == ("interrupted", 143)


def test_a_run_that_fails_before_it_begins(folder):
    options = tfdsl.Options(write=lambda line: None, record="runs")
    with pytest.raises(TfgError):
        tfdsl.compile('variable w = 1.0\nsession:\n    restore from "none.ckpt"\n    print w\n').run(options=options)
    assert only().status == "failed" and only().end["errors"][0]["code"] == "TFG704"


def test_the_record_of_a_run_that_lasts(folder):
    """It is there from the first logged step, and says that the run lasts. A kill leaves it as it is then."""
    seen = []

    class Looking(RunObserver):
        def logged(self, tag, value, step):
            seen.append(only().status)

    result = compiled("logs").run(options=tfdsl.Options(write=lambda line: None, observer=Looking()))
    assert set(seen) == {"running"} and only().status == "done"
    manifest = os.path.join(result.records[0], "manifest")
    before = RunRecord(result.records[0])
    assert before.end is not None and os.path.exists(manifest)


def test_restored_checkpoints_are_inputs(folder):
    tfdsl.compile('variable w = 2.0\nsession: save to "kept.ckpt"\n').run()
    program = 'variable w = 1.0\nsession:\n    restore from "kept.ckpt"\n    log to "logs"\n    save to "own.ckpt"\n    restore from "own.ckpt"\n    print w\n'
    tfdsl.compile(program).run()
    inputs = only().end["inputs"]
    assert list(inputs) == ["kept.ckpt"]
    assert {os.path.basename(one["path"]) for one in inputs["kept.ckpt"]} >= {"kept.ckpt.index", "kept.ckpt.manifest"}


def test_stored_arrays_are_inputs(folder):
    np.savez(folder / "w.npz", w=np.ones(2, np.float32))
    program = 'w = stored("w", from="w.npz")\nsession:\n    log to "logs"\n    print w\n'
    tfdsl.compile(program).run()
    assert [one["path"] for one in only().end["inputs"]["arrays"]] == [str(folder / "w.npz")]


def test_data_from_python_and_from_another_file(folder):
    (folder / "other.csv").write_text("x,y\n1,2\n2,4\n3,6\n5,8\n")
    tfdsl.compile(text("logs"), data={"d": "other.csv"}).run()
    about = only().end["data"]["d"]
    assert about["given"] == "other.csv" and [one["path"] for one in about["files"]] == [str(folder / "other.csv")]
    tfdsl.compile(text("logs2"), data={"d": (np.ones((4, 1)), np.ones(4))}).run()
    about = only("logs2").end["data"]["d"]
    assert about["given"] == "Python" and about["files"] == [] and about["sha256"]


def test_a_log_folder_that_goes_away_is_a_warning(folder):
    import shutil

    notes = []

    class Removing(RunObserver):
        def evaluated(self, name, value, step):
            shutil.rmtree("logs")

    options = tfdsl.Options(write=lambda line: None, note=notes.append, observer=Removing())
    result = compiled("logs").run(options=options)
    assert result.printed and result.records == [] and any("TFG913" in one for one in notes)


def test_a_folder_that_cannot_be_written_is_an_error(folder):
    (folder / "runs").write_text("a file")
    with pytest.raises(TfgError) as caught:
        compiled().run(options=tfdsl.Options(write=lambda line: None, record="runs"))
    assert caught.value.diagnostics[0].code == "TFG707"


def test_origins_of_params(folder):
    inputs = CompileInputs({"rate": "0.5"}, origins={"rate": "--set"})
    compile_source(Source("p.tfg", text("logs")), inputs).run()
    assert only().begin["params"]["rate"] == {"value": 0.5, "type": "float", "from": "--set"}


def test_numbers_that_json_does_not_have(folder):
    program = """
a = constant([0.0]) / constant([0.0])
big = reduce_sum(a) + 1
summary scalar big as "big"
session:
    log to "logs"
    log
    print big
"""
    tfdsl.compile(program).run()
    record = only()
    json.dumps([record.end, list(record.curves())], allow_nan=False)
    assert [one["value"] for one in record.curves()] == ["nan"]
    assert named("last", records()).id == record.id
