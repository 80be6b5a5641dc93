"""Wrong programs with their diagnostics, and good ones without any.

A case is a file below `cases/` with its diagnostics as comments on their lines: `#! TFG201`, or `#! TFG201@15` if the
column matters. If a line cannot hold a comment, the head of the file has `#! line 3: TFG110` instead (line 0: no
place). `#! params {...}`, `#! data {...}` and `#! limits {...}` are the inputs of the compiler. A file `name.txt`
beside `name.tfg` has the whole text of its messages; `pytest --update-golden` writes these files.
"""

import json
import re
from pathlib import Path

import pytest

from tfdsl.diagnostics import CATALOGUE, TfgError
from tfdsl.diagnostics.render import render_text
from tfdsl.driver import check
from tfdsl.inputs import CompileInputs
from tfdsl.limits import Limits
from tfdsl.source import Source
from tfdsl.syntax.read import read

CASES = Path(__file__).parent / "cases"
PATHS = sorted(CASES.glob("*/*.tfg"))
TEXTS = sorted(CASES.glob("*/*.txt"))

# Codes that no text given to the front end can produce, with the reason.
ELSEWHERE = {
    **dict.fromkeys(
        (code for code in CATALOGUE if code.startswith("TFG7") and code != "TFG717"), "found by TensorFlow or a run"
    ),
    "TFG464": "SymPy is installed where tests run: test_gradients.py",
    "TFG314": "twenty files: test_modules.py",
    "TFG118": "bytes that are not text: a separate test",
    **dict.fromkeys(
        ("TFG680", "TFG681", "TFG682", "TFG683", "TFG684", "TFG685", "TFG688", "TFG690", "TFG691"),
        "files beside checkpoints: test_learned.py",
    ),
    **dict.fromkeys(
        ("TFG862", "TFG863", "TFG896", *(f"TFG{number}" for number in range(832, 840))),
        "what a command exports: test_export_command.py",
    ),
    "TFG895": "a package that is not installed: test_packages.py",
    "TFG869": "a prediction that depends on the program's data: test_predict.py",
    **dict.fromkeys(("TFG919", "TFG920"), "predictions in the units of the model: test_predict_units.py"),
    "TFG891": "a value with the name of a key: test_predict.py",
    "TFG893": "keys of two files that differ: test_predict.py",
    "TFG567": "a run in which nothing was kept: test_best_values.py",
    "TFG894": "a value that needs the target of new rows: test_predict.py",
    "TFG695": "folders of pictures: test_pictures_and_text.py",
    "TFG692": "names above new rows of text: test_predict.py",
    **dict.fromkeys(("TFG693", "TFG694"), "cells of new rows: test_predict.py"),
    "TFG689": "a group that is shorter than a window: test_windows.py and test_predict_series.py",
    "TFG890": "a file that is shorter than a window: test_predict_series.py",
    "TFG631": "a full disk: test_streaming.py",
    "TFG629": "cells are only read when the data is loaded",
    "TFG622": "values are only known when the data is loaded",
    **dict.fromkeys(("TFG943", "TFG944", "TFG945"), "numbers of data and of feeds: test_data_feeds.py"),
    "TFG625": "the network is only asked when the data is loaded",
    **dict.fromkeys((f"TFG{number:03}" for number in range(1, 13)), "files with graphs: test_read.py"),
    "TFG015": "a function that is damaged: test_read.py",
    "TFG014": "a graph that TensorFlow refuses: test_read.py",
    **dict.fromkeys(("TFG016", "TFG017"), "constants of graphs: test_weights.py"),
    **dict.fromkeys(("TFG018", "TFG019"), "sizes of placeholders of graphs: test_feeds.py"),
    "TFG020": "a graph without tags: test_read.py",
    "TFG013": "a graph that ends the process: test_verify.py",
    "TFG841": "the size of a file: test_limits.py",
    "TFG806": "a key of a --config file: command line",
    "TFG807": "the form of a --config file: command line",
    "TFG808": "a missing file: command line",
    "TFG809": "a session requested by name: command line and Python",
    "TFG810": "a run of a program without sessions: command line and Python",
    "TFG815": "--verify-resume without checkpoints: test_verify_resume.py",
    "TFG813": "a param given twice in Python: test_embedded.py",
    **dict.fromkeys(("TFG830", "TFG831"), "Python functions as ops: test_user_ops.py"),
    **dict.fromkeys(("TFG698", "TFG699"), "large and changed arrays: test_constants.py"),
    "TFG821": "links, pipes and the like: test_access.py",
    "TFG823": "a folder that --allow-path names: command line",
    **dict.fromkeys(("TFG850", "TFG851", "TFG852", "TFG853"), "the cluster of a --config file: test_cluster_config.py"),
    "TFG854": "a command that needs a cluster: test_reset.py",
    "TFG860": "a taken port: test_server.py",
    "TFG867": "several runs of one command: test_each.py",
    "TFG866": "a taken port: test_tensorboard.py",
    "TFG861": "a server fails to start: test_launch.py",
    "TFG914": "a listening server: test_server.py",
    **dict.fromkeys((f"TFG{number}" for number in range(880, 890)), "tfdsl predict: test_predict.py"),
    "TFG899": "a bug in the compiler",
    **dict.fromkeys(("TFG910", "TFG911", "TFG912"), "files that change during a run: test_checkpoint_files.py"),
    "TFG543": "the losses of a run: test_nan.py",
    "TFG988": "the values of a run: test_nan.py",
    **dict.fromkeys(("TFG870", "TFG871", "TFG873"), "records of runs: test_reading.py"),
    "TFG872": "keys of records: test_listing.py",
    **dict.fromkeys(("TFG874", "TFG875"), "runs that cannot be repeated: test_again.py"),
    **dict.fromkeys(("TFG864", "TFG876"), "the plan and the journal of a study: test_study.py"),
    **dict.fromkeys(("TFG865", "TFG877", "TFG878", "TFG879"), "the trials of tfdsl tune: test_tune.py"),
    "TFG913": "a record that cannot be written: test_recording.py",
    "TFG903": "a synthetic data set replaces the real one when the data is loaded",
}


def name(path):
    return path.relative_to(CASES).with_suffix("").as_posix()


def expected(text):
    """(line, code) of every diagnostic, and {(line, code): column} of those whose column matters."""
    found, columns = [], {}
    for number, line in enumerate(text.split("\n"), 1):
        match = re.search(r"#! (?:line (\d+): )?((?:TFG\d+(?:@\d+)?[ ]?)+)", line)
        for word in match[2].split() if match else ():
            code, _, column = word.partition("@")
            key = int(match[1] or number), code
            found.append(key)
            if column:
                columns[key] = int(column)
    return sorted(found), columns


def directive(text, word, default):
    match = re.search(rf"^#! {word} (.+)$", text, re.MULTILINE)
    return json.loads(match[1]) if match else default


def diagnose(source):
    limits = Limits(**directive(source.text, "limits", {}))
    given = directive(source.text, "params", {}), directive(source.text, "data", {})
    return check(source, CompileInputs(*given, limits))[1]


def diagnose_file(path):
    try:
        return diagnose(read(path))
    except TfgError as error:
        return error.diagnostics


def place(diagnostic):
    return (diagnostic.span.line if diagnostic.span else 0), diagnostic.code


SUGGESTION = re.compile(r"did you mean ['\"](.+)['\"]\?")


def assert_whole_sentences(diagnostic):
    """The message is printable text, without Python's names for things."""
    for text in (diagnostic.headline, *(note.text for note in diagnostic.notes)):
        assert "Tensor(" not in text and "Span(" not in text and " object at 0x" not in text
        assert not re.search(r"(?<!')\b(True|False|None)\b|  |\.$", text), text
    assert diagnostic.headline


def assert_suggestion_works(path, diagnostic):
    """If the message asks "did you mean", the program with that name does not have the error."""
    suggested = SUGGESTION.match(diagnostic.help_line)
    span = diagnostic.span
    if suggested is None or span is None:  # no place: a name that the caller gave
        return
    said = render_text(diagnostic)
    quoted = [word.rpartition("/")[2] for word in re.findall(r"['\"](.+?)['\"]", diagnostic.headline)]
    shown = [m for word in reversed(quoted) for m in re.finditer(rf"\b{re.escape(word)}\b", span.text)]
    assert shown, f"the place does not show the word that is wrong\n{said}"
    source = read(path)
    at, wrong = span.start + shown[0].start(), shown[0][0]
    mended = source.text[:at] + suggested[1] + source.text[at + len(wrong) :]
    after = diagnose(Source(source.path, mended))
    assert (place(diagnostic), diagnostic.headline) not in [(place(d), d.headline) for d in after], said


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_the_diagnostics_match_the_comments(path, request):
    keys, columns = expected(path.read_text(encoding="utf-8"))
    diagnostics = diagnose_file(path)
    said = "\n" + "\n".join(map(render_text, diagnostics))
    assert sorted(map(place, diagnostics)) == keys, said
    for diagnostic in diagnostics:
        column = columns.get(place(diagnostic))
        assert column is None or diagnostic.span.column == column, said
        assert_whole_sentences(diagnostic)
        assert_suggestion_works(path, diagnostic)
    assert bool(keys) is not name(path).startswith("good/")
    if (whole := path.with_suffix(".txt")).exists():
        text = "\n".join(map(render_text, diagnostics)).replace(f"{CASES}/", "")
        if request.config.getoption("--update-golden"):
            whole.write_text(text, encoding="utf-8")
        assert text == whole.read_text(encoding="utf-8")


def test_each_whole_text_is_of_a_case():
    assert TEXTS and {path.with_suffix(".tfg") for path in TEXTS} <= set(PATHS)


def test_every_code_is_covered():
    covered = {code for path in PATHS for _, code in expected(path.read_text(encoding="utf-8"))[0]}
    assert not covered & set(ELSEWHERE)
    missing = set(CATALOGUE) - covered - set(ELSEWHERE)
    assert not missing, f"no case for {sorted(missing)}"
    assert covered | set(ELSEWHERE) == set(CATALOGUE)


def test_every_code_elsewhere_is_in_a_test():
    files = [path for path in CASES.parent.rglob("*.py") if path != Path(__file__)]
    tests = "\n".join(path.read_text(encoding="utf-8") for path in files)
    missing = [code for code in ELSEWHERE if code not in tests]
    assert not missing, f"no test for {missing}"


def test_a_file_that_is_not_text(tmp_path):
    path = tmp_path / "latin.tfg"
    path.write_bytes('name = "größe"\n'.encode("latin-1"))
    (diagnostic,) = diagnose_file(path)
    assert diagnostic.code == "TFG118"
    assert diagnostic.headline == f"{path} is not UTF-8 text: byte 10 is 0xf6"
