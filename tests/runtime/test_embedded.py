"""tfdsl as a library: the results of `compile`, and that it does not affect the rest of the process."""

import copy
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import warnings
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from conftest import some

import tfdsl
from tfdsl import TfgError
from tfdsl.runtime.execution.cluster_session import Lost
from tfdsl.runtime.execution.in_order import InOrder
from tfdsl.runtime.options import Options

v1 = tf.compat.v1

PROGRAM = """\
param scale = 2.0
param layers = 2
data d = moons(10, noise=0.0, seed=1)
placeholder X: float32[n, 2]
placeholder shift: float32 = 0.0
variable w = [[1.0], [2.0]]
size = 3
scope loss:
    out = X @ w * scale + shift
    mse = reduce_mean(square(out))
r = random_uniform([2])
r2 = r * 2.0
step = assign_add(w, [[1.0], [1.0]])
graph other:
    t = constant("other")
session:
    print "mean", mse with X = d.features
    print size, r2
session logging on other:
    print t
"""


@pytest.fixture
def program(here):
    return tfdsl.compile(PROGRAM)


def codes(raised) -> list[str]:
    return [diagnostic.code for diagnostic in raised.value.diagnostics]


def test_names_of_layers_and_kept_models(here):
    text = "import nn\nplaceholder X: float32[n, 2]\nh = nn.dense(X, 3)\n"
    program = tfdsl.compile(text)
    with program.session() as session:
        dotted, slashed = session.run(["dense.kernel", "dense/kernel"])
        values = session.variables
        session.save("kept.ckpt")
        with pytest.raises(TfgError, match=r"there are X, h, dense\.kernel, dense\.bias"):
            session.run("nothing_like_it")
    np.testing.assert_array_equal(dotted, slashed)
    assert values.keys() == {"dense/kernel", "dense/bias"}
    for name in ("dense.kernel", "dense/kernel"):
        with program.session(variables={name: 2 * dotted}) as session:
            np.testing.assert_array_equal(session.run("dense.kernel"), 2 * dotted)
    restored = tfdsl.compile(f'{text}session:\n    restore from "kept.ckpt"\n    print h with X = [[1, 0]]\n').run()
    np.testing.assert_array_equal(restored.variables["dense/kernel"], dotted)
    assert len(repr(program.names["h"])) < 200


@pytest.mark.parametrize(
    ("type", "fed", "help"),
    [("float32[n, 1]", np.zeros(3), "make it a column"), ("float32[n]", np.zeros((3, 1)), "take its column")],
)
def test_help_for_columns(here, type, fed, help):
    program = tfdsl.compile(f"placeholder y: {type}\nz = reduce_sum(y)\n")
    with program.session() as session, pytest.raises(TfgError, match=help):
        session.run("z", feed={"y": fed})


# --- compile --------------------------------------------------------------------------------------


def test_compile_takes_a_text_or_a_path(here):
    path = Path("p.tfg")
    path.write_text(PROGRAM, encoding="utf-8")
    for given in (PROGRAM, "p.tfg", path):
        assert tfdsl.compile(given).program.params[0].value == 2.0
    assert tfdsl.compile("a = constant(1)")["a"].dtype == tf.int32


def test_the_graph_is_a_tensorflow_graph(program):
    assert isinstance(program.graph, tf.Graph)
    assert program.graph is program.graph
    assert program["loss.mse"] is program["mse"]
    assert program["loss.mse"].graph is program.graph
    assert program["loss.mse"].name == "loss/mse:0"
    assert program.graph.get_tensor_by_name("loss/mse:0").shape == ()
    assert isinstance(program["w"], tf.Variable)
    assert program["size"] == 3 and program["scale"] == 2.0
    assert program["other.t"].graph is not program.graph


def test_unknown_names(program):
    assert "loss.mse" in program and "other.t" in program and "nothing" not in program
    with pytest.raises(KeyError, match=r"did you mean 'loss\.mse'"):
        program["loss.mso"]


def test_an_unknown_graph(program):
    with pytest.raises(TfgError, match="did you mean 'other'") as raised, program.session("othr"):
        pass
    assert codes(raised) == ["TFG508"]


def test_lists_have_names_too():
    assert tfdsl.compile("sizes = [64, [32, 0.5]]\n")["sizes"] == [64, [32, 0.5]]
    with tfdsl.compile("sizes = (1, 2)\na = constant(sizes)\n").session() as session:
        assert session.run("sizes") == [1, 2]


def test_looking_up_a_name_builds_nothing():
    script = "import sys, tfdsl\nassert 'a' in tfdsl.compile('a = constant(1)')\nassert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_params_by_their_types(here):
    assert tfdsl.compile(PROGRAM, params={"scale": 3, "layers": "4"})["scale"] == 3.0
    assert tfdsl.compile(PROGRAM, params={"scale": np.float32(0.5), "layers": np.int64(4)})["layers"] == 4
    for wrong in ({"scale": "fast"}, {"layers": 1.5}, {"layers": True}, {"scale": None}, {"layers": 10**5000},
                  {"layers": [1]}, {"scale": np.ones(3)}, {"scale": object()}):  # fmt: skip
        with pytest.raises(TfgError) as raised:
            tfdsl.compile(PROGRAM, params=wrong)
        assert codes(raised) == ["TFG804"]
    with pytest.raises(TfgError, match="did you mean 'scale'"):
        tfdsl.compile(PROGRAM, params={"scales": 1.0})


def test_params_by_keyword():
    program = tfdsl.compile(PROGRAM, scale=3, layers="4")
    assert (program["scale"], program["layers"]) == (3.0, 4)
    assert tfdsl.compile(PROGRAM, params={"scale": 3.0}, layers=4).run("logging").params == {"scale": 3.0, "layers": 4}
    # Parameters of `compile` itself need `params`.
    own = tfdsl.compile("param data = 1\nparam params = 2\n", params={"data": 5, "params": 6})
    assert (own["data"], own["params"]) == (5, 6)
    assert [d.code for d in tfdsl.check(PROGRAM, scale="fast")] == ["TFG804"]
    with pytest.raises(TfgError, match=r"there is no param 'scales'(.|\n)*did you mean 'scale'"):
        tfdsl.compile(PROGRAM, scales=1.0)
    with pytest.raises(TfgError, match="param 'scale' is given by keyword and in params") as raised:
        tfdsl.compile(PROGRAM, {"scale": 1.0}, scale=1.0)
    assert codes(raised) == ["TFG813"]


def test_an_error_carries_its_diagnostics():
    with pytest.raises(TfgError) as raised:
        tfdsl.compile("a = foo\nb = constant(1) @ bar\n")
    first, second = raised.value.diagnostics
    assert (first.code, first.span.line, first.span.column) == ("TFG301", 1, 5)
    assert "there is no name 'bar'" in second.headline
    assert "error[TFG301]: there is no name 'foo'\n --> <text>:1:5" in str(raised.value)
    with pytest.raises(TfgError) as raised:
        tfdsl.compile("missing.tfg")
    assert codes(raised) == ["TFG808"]


def test_check_builds_nothing():
    assert [d.code for d in tfdsl.check("a = foo\n")] == ["TFG301"]
    assert tfdsl.check("a = constant(1)\n") == []


def test_warnings_are_kept():
    program = tfdsl.compile("a = constant(1)\nb = constant(2)\n")
    assert [d.code for d in program.diagnostics] == ["TFG901"]


# --- data -----------------------------------------------------------------------------------------

_X, _Y = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [1, 0, 1]


def given_data():
    pair = (np.array(_X), np.array(_Y))
    return {
        "a pair": pair,
        "a dict": {"features": pair[0], "target": pair[1]},
        "features alone": {"features": pair[0]},
        "one array": np.array(_X),
        "csv": "d.csv",
        "npz": Path("d.npz"),
    }


@pytest.mark.parametrize("kind", given_data())
def test_data_given_by_the_caller(here, kind):
    Path("d.csv").write_text("a,b,target\n1,2,1\n3,4,0\n5,6,1\n", encoding="utf-8")
    np.savez("d.npz", features=_X, target=_Y)
    text = "data d = moons(10)\nx = constant(d.features)\nsession:\n    print d.rows, x\n"
    program = tfdsl.compile(text, data={"d": given_data()[kind]})
    with program.session() as session:
        np.testing.assert_array_equal(session.run("x"), np.array(_X, np.float32))
    assert program.run().values["d.rows"] == 3


@pytest.mark.parametrize("wrong", [3, [[1.0], [2.0, 3.0]], {"x": 1}, "d.doc", (np.ones((3, 2)), np.ones(2)), None])
def test_invalid_data(here, wrong):
    if wrong is None:
        assert tfdsl.check("data d = moons(10)\nn = constant(d.rows)\n", data={"d": None}) == []
        return
    with pytest.raises(TfgError):
        tfdsl.compile("data d = moons(10)\nn = constant(d.rows)\n", data={"d": wrong})


# --- sessions -------------------------------------------------------------------------------------


def test_a_session_runs_names(program):
    with program.session() as session:
        assert isinstance(session.session, v1.Session)
        value = session.run("loss.mse", feed={"X": [[1, 1]]})
        assert value == pytest.approx(36.0)
        assert isinstance(session.run("w"), np.ndarray)
        out, size = session.run(["out", "size"], feed={"X": np.ones((2, 2)), "shift": 1})
        np.testing.assert_allclose(out, [[7.0], [7.0]])
        assert size == 3


def test_several_names_are_one_execution(program):
    with program.session() as session:
        for _ in range(5):
            r, r2, again = session.run(["r", "r2", "r"])
            np.testing.assert_array_equal(r * 2, r2)
            np.testing.assert_array_equal(r, again)
        assert not np.array_equal(session.run("r"), session.run("r"))
        session.run(["step", "r", "step"])
        np.testing.assert_array_equal(session.run("w"), [[2.0], [3.0]])


def test_sessions_share_nothing(program):
    with program.session() as one, program.session() as two:
        one.run("step")
        np.testing.assert_array_equal(two.run("w"), [[1.0], [2.0]])
    with program.session("other") as session:
        assert session.run("t") == b"other"


@pytest.mark.parametrize(
    ("names", "feed", "code"),
    [("mse", None, "TFG501"), ("mse", {"X": [[1]]}, "TFG502"), ("mse", {"X": [["a", "b"]]}, "TFG503"),
     ("msee", None, "TFG301"), ("mse", {"Z": 1}, "TFG301"), ("mse", {"w": [[1.0], [1.0]]}, "TFG505"),
     ("mse", {"size": 1}, "TFG505"), ("mse", {"X": [[1, 2], [3]]}, "TFG502"), ("mse", {"X": object()}, "TFG503")],
)  # fmt: skip
def test_invalid_arguments_of_a_session(program, names, feed, code):
    with program.session() as session, pytest.raises(TfgError) as raised:
        session.run(names, feed=feed)
    assert codes(raised) == [code]


def test_a_failure_inside_tensorflow_is_at_its_line():
    program = tfdsl.compile("placeholder x: int32\n\ny = 1 // x\nz = y + 1\n")
    with program.session() as session, pytest.raises(TfgError) as raised:
        session.run("z", feed={"x": 0})
    (diagnostic,) = raised.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("TFG702", 3)


# --- runs -----------------------------------------------------------------------------------------


def test_run_returns_a_result(program, capsys):
    result = program.run()
    assert len(result.printed) == 3 and result.printed[0].startswith("mean ") and result.printed[2] == "other"
    assert result.values["mse"].dtype == np.float32
    assert result.params == {"scale": 2.0, "layers": 2}
    assert (result.data["d"].rows, result.data["d"].synthetic) == (10, False)
    assert capsys.readouterr() == ("", ""), "a library prints nothing on its own"
    assert program.run("logging").printed == ["other"]
    with pytest.raises(TfgError, match="did you mean 'logging'"):
        program.run("loging")


def test_run_returns_the_history_of_logged_scalars(here):
    text = (
        "variable w = 1.0\nloss square(w)\noptimize with gradient_descent(learning_rate=0.25)\n"
        'summary scalar w as "W"\nsession:\n    log to "logs"\n    train 3 steps:\n        log\n'
    )
    result = tfdsl.compile(text).run()
    assert result.history["W"] == [(0, 1.0), (1, 0.5), (2, 0.25)]
    assert (result.steps, result.logdirs) == (3, ["logs"])


def test_a_failing_run_raises():
    with pytest.raises(TfgError) as raised:
        tfdsl.compile("a = constant(1)\nsession:\n    expect a == 2\n").run()
    assert codes(raised) == ["TFG703"]
    with pytest.raises(TfgError) as raised:
        tfdsl.compile("a = constant(1)\n").run()
    assert codes(raised) == ["TFG810"]


def test_the_variables_of_a_run_can_be_used(here):
    text = """\
        placeholder X: float32[n, 2]
        variable w = [[0.0], [0.0]]
        def dense(x):
            variable bias = 0.0
            return x @ w + bias
        predictions = dense(X)
        loss reduce_mean(square(predictions - [[5.0], [11.0]]))
        optimize with momentum(0.9, learning_rate=0.01) as step
        graph other:
            variable v = 1
        session:
            train 200 steps:
                feed X = [[1, 2], [3, 4]]
            print predictions with X = [[5, 6]]
        session on other:
            set v = 7
    """
    program = tfdsl.compile(textwrap.dedent(text))
    result = program.run()
    slots = {"w/Momentum", "dense/bias/Momentum"}
    assert set(result.variables) == {"w", "dense/bias", "other.v"} | slots
    with program.session(variables=result.variables) as session:
        np.testing.assert_array_equal(session.run("predictions", {"X": [[5, 6]]}), result.values["predictions"])
        session.run("step", {"X": [[1, 2], [3, 4]]})  # it trains further, and does not modify the given variables
        assert not np.array_equal(session.run("w"), result.variables["w"])
    with program.session("other", result.variables) as session:
        assert session.run("v") == 7
    with program.session(variables={"w": [[1.0], [1]]}) as session:
        np.testing.assert_array_equal(session.run("predictions", {"X": [[2, 3]]}), [[5.0]])
    operations = len(program.graph.get_operations())
    program.run()
    with program.session(variables=result.variables):
        assert len(program.graph.get_operations()) == operations
    for wrong, code in (({"v": 1.0}, "TFG301"), ({"w": [1.0]}, "TFG502"), ({"w": "text"}, "TFG503")):
        with pytest.raises(TfgError) as raised, program.session(variables=wrong):
            pass
        assert codes(raised) == [code]


def test_uninitialised_variables_are_not_in_the_result():
    result = tfdsl.compile("variable a = 1\nvariable b = 2\nsession:\n    init a\n").run()
    assert result.variables == {"a": 1}


# --- no side effects ------------------------------------------------------------------------------


def everything() -> None:
    """Uses everything in the library."""
    program = tfdsl.compile(PROGRAM)
    with program.session() as session:
        session.run(["mse", "step"], feed={"X": [[1.0, 2.0]]})
    program.run()
    with pytest.raises(TfgError):
        tfdsl.compile("a = b")


def eager() -> float:
    """Typical code of a TensorFlow 2 program."""
    assert tf.executing_eagerly()
    variable = tf.Variable(2.0)
    with tf.GradientTape() as tape:
        y = tf.function(lambda x: x * variable)(3.0)
    return float(tape.gradient(y, variable))


def test_eager_code_works_before_between_and_after(here):
    assert eager() == 3.0
    program = tfdsl.compile(PROGRAM)
    assert eager() == 3.0
    with program.session() as session:
        assert tf.executing_eagerly()
        assert eager() == 3.0
        session.run("r")
    program.run()
    assert eager() == 3.0


def test_the_default_graph_is_unchanged(here):
    with tf.Graph().as_default() as mine:
        tf.constant(1.0, name="mine")
        before = len(mine.get_operations()), mine.seed, mine.version
        everything()
        assert (len(mine.get_operations()), mine.seed, mine.version) == before
        assert v1.get_default_graph() is mine
        assert v1.get_default_session() is None
    outside = v1.get_default_graph()
    count = len(outside.get_operations())
    everything()
    assert v1.get_default_graph() is outside
    assert len(outside.get_operations()) == count


def test_the_process_is_unchanged(here):
    state = np.random.get_state()[1].tolist()
    before = dict(os.environ), os.getcwd(), np.geterr(), tf.get_logger().level
    everything()
    assert (dict(os.environ), os.getcwd(), np.geterr(), tf.get_logger().level) == before
    assert np.random.get_state()[1].tolist() == state
    assert os.listdir() == [], "nothing is written that the program does not ask for"


def test_threads_share_a_program(here):
    program = tfdsl.compile(PROGRAM)
    start, seen = threading.Barrier(6), []

    def work(number: int) -> None:
        start.wait()
        with program.session() as session:
            seen.append((program.graph, float(session.run("loss.mse", feed={"X": [[1, 1]], "shift": number}))))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {graph for graph, _ in seen} == {program.graph}
    assert sorted(value for _, value in seen) == [(6.0 + shift) ** 2 for shift in range(6)]


def test_threads_compile_and_run_at_the_same_time(here):
    results: dict[int, object] = {}
    start = threading.Barrier(6)

    def work(number: int) -> None:
        start.wait()
        try:
            for turn in range(4):
                text = f"# {'x' * number * 40}\nvariable w = {number}.0\ny = w * {turn}.0\n"
                text += f"bad = {'nothing' * (turn % 2)}0\n"
                if turn % 2:
                    with pytest.raises(TfgError) as raised:
                        tfdsl.compile(text)
                    assert raised.value.diagnostics[0].span.text == "nothing0"
                    continue
                with tfdsl.compile(text).session() as session:
                    assert session.run("y") == number * turn
            results[number] = True
        except BaseException as error:
            results[number] = error

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(6), True)


LEARNING = """
seed 1
data d = moons(60, noise=0.1, seed=1) | standardize
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w: float32[2, 1] = zeros
noisy = X + random_normal([2], stddev=0.1)
l = reduce_mean(square(noisy @ w - y))
optimize l with adam(learning_rate=0.05)
session:
    set w = [[0.5], [0.5]]
    train 3 epochs on d in batches of 20 as b:
        feed X = b.features, y = b.target
    print w
    save to "kept.ckpt"
    restore w from "kept.ckpt"
    print w
"""


@pytest.mark.parametrize("engine", some(["step", "loop", "xla"], ["step"]))
def test_threads_share_a_program_that_was_never_run(here, engine):
    for deterministic in (False, True) if engine == "step" else (True,):
        program, start, ended = tfdsl.compile(LEARNING), threading.Barrier(3), []

        def work(program=program, start=start, ended=ended, deterministic=deterministic):
            start.wait()
            try:
                ended.append(tuple(program.run(options=Options(engine=engine, deterministic=deterministic)).printed))
            except BaseException as error:
                ended.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(ended) == 3
        assert set(ended) == {tuple(program.run(options=Options(engine=engine)).printed)}


# --- copies ---------------------------------------------------------------------------------------


def doubled(x):
    return x * 2.0


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("is_built", [False, True])
def test_a_copy_is_independent(here, copied, is_built):
    text = 'data d = npz("d.npz")\nvariable w = [1.0, 2.0]\nm = reduce_mean(d.features) + doubled(w)\nsession:\n    print m\n'
    program = tfdsl.compile(text, data={"d": np.ones((3, 2), np.float32)}, ops={"doubled": doubled})
    if is_built:
        program.run()
    other = copied(program)
    assert other.run().printed == program.run().printed == ["[3. 5.]"]
    assert other.graph is not program.graph


def test_errors_can_be_pickled():
    with pytest.raises(TfgError) as caught:
        tfdsl.compile("a = b")
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_a_session_is_neither_copied_nor_used_once_it_is_closed(program):
    with program.session() as session:
        for copied in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TfgError) as caught:
                copied(session)
            assert codes(caught) == ["TFG751"]
    with pytest.raises(TfgError) as caught:
        session.run("w")
    assert codes(caught) == ["TFG750"]


def test_a_session_is_opened_by_with(program):
    opening = program.session()
    for use in (lambda: opening.run("w"), lambda: opening.train(2), lambda: opening.session):
        with pytest.raises(TfgError) as caught:
            use()
        assert codes(caught) == ["TFG774"] and "with program.session() as session:" in str(caught.value)
    assert not hasattr(opening, "other")
    with opening as session:
        assert session.run("w").tolist() == [[1.0], [2.0]]


def test_every_graph_has_training(program):
    with program.session() as session:
        assert session.run("w", feed={"training": True}).tolist() == [[1.0], [2.0]]


def test_a_session_whose_server_is_lost(program, monkeypatch):
    def lose(*_):
        raise Lost([("ps", 0)], was_late=False)

    with program.session() as session:
        monkeypatch.setattr(InOrder, "execute", lose)
        with pytest.raises(TfgError) as caught:
            session.run("w")
    assert codes(caught) == ["TFG746"]
    assert "ps 0 of the cluster was lost" in str(caught.value)


@pytest.mark.parametrize("form", [lambda x, y: (x, y), lambda x, y: {"features": x, "target": y}, lambda x, y: [x, y]])
def test_later_changes_of_the_callers_arrays_have_no_effect(here, form):
    features, target = np.ones((4, 2), np.float32), np.ones((4, 1), np.float32)
    text = 'data d = npz("d.npz")\na = reduce_sum(d.features) + reduce_sum(d.target)\nsession:\n    print a\n'
    given = form(features, target)
    if isinstance(given, list):
        given = tuple(given)
    program = tfdsl.compile(text, data={"d": given})
    features[:] = 7.0
    assert program.run().printed == ["12.0"]
    target[:] = 7.0
    assert program.run().printed == ["12.0"]


# --- dtypes unknown to NumPy ----------------------------------------------------------------------


def test_results_of_a_session_can_be_fed(program):
    text = "placeholder p: bfloat16[2]\nplaceholder q: float32[2]\nb = p * 2\nc = q + 1\n"
    with tfdsl.compile(text).session() as session:
        given = session.run("b", feed={"p": [1.0, 2.0]})
        assert given.dtype == ml_dtypes.bfloat16
        assert session.run("b", feed={"p": given}).tolist() == [4.0, 8.0]
        assert session.run("c", feed={"q": given}).tolist() == [3.0, 5.0]
        assert session.run("b", feed={"p": np.float32([0.5, 1.5])}).tolist() == [1.0, 3.0]


def test_strings_are_fed_as_strings():
    text = "placeholder s: string[n]\nn = string_length(s)\n"
    with tfdsl.compile(text).session() as session:
        for given in (["é", b"\xff"], np.array(["é", "a"]), np.array(["é", b"a"], object)):
            assert session.run("n", feed={"s": given}).tolist() == [2, 1]
        for given, shown in (([None, "a"], "None"), (np.array(["a", 1], object), "1")):
            with pytest.raises(TfgError) as caught:
                session.run("n", feed={"s": given})
            assert str(caught.value).startswith(f"error[TFG503]: s is string[n], but is fed {shown}")


@pytest.mark.parametrize(
    ("given", "shown"),
    [("a", 'the string "a"'), (["a", "b"], "string[2]"), (None, "None"), ([1.0, None], "a list with None"),
     ([[1.0, {}]], "lists with an object of the class dict"), (1j, "complex128"),
     (np.array([1.0, "a"], object), 'a list with the string "a"')],
)  # fmt: skip
def test_wrong_kinds_of_values_are_shown_in_words(given, shown):
    program = tfdsl.compile("placeholder x: float32[...]\ny = 2 * x\n")
    with program.session() as session, pytest.raises(TfgError) as caught:
        session.run("y", feed={"x": given})
    assert caught.value.diagnostics[0].headline == f"x is float32[...], but is fed {shown}"


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_fed_table_with_text_says_which_columns_it_is_in(library):
    frame = pytest.importorskip(library).DataFrame({"age": [1.0, 2.0], "town": ["x", "y"], "count": [3, 4]})
    with tfdsl.compile("placeholder X: float32[?, 2]\ny = reduce_sum(X)\n").session() as session:
        with pytest.raises(TfgError) as caught:
            session.run("y", feed={"X": frame})
        [found] = caught.value.diagnostics
        assert found.code == "TFG503" and found.help.startswith("the table has columns that are not numbers: town (")
        assert session.run("y", feed={"X": frame[["age", "count"]]}) == 10


@pytest.mark.parametrize(("given", "shown"), [("a", "a single string"), ([["a"], ["b"]], "string[2, 1]")])
def test_strings_of_a_wrong_shape(given, shown):
    program = tfdsl.compile("placeholder s: string[n]\nn = string_length(s)\n")
    with program.session() as session, pytest.raises(TfgError) as caught:
        session.run("n", feed={"s": given})
    assert caught.value.diagnostics[0].headline == f"s is string[n], but is fed {shown}"


def test_integers_can_be_fed_to_complex_placeholders():
    with tfdsl.compile("placeholder c: complex64[2]\na = c * 2\n").session() as session, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert session.run("a", feed={"c": [1, -2]}).tolist() == [2, -4]


@pytest.mark.parametrize("name", ["float8_e5m2", "float8_e4m3fn", "qint8", "quint8"])
def test_dtypes_of_raw_ops_can_be_fed(name):
    bits = f"raw.Bitcast(input=constant([1, 2], dtype=int8), type={name})"
    text = f"a = {bits}\n" if name[0] == "q" else f'a = raw.Cast(x=constant([1.0, 2.0]), DstT="{name}")\n'
    with tfdsl.compile(text).session() as session:
        given = session.run("a")
        again = session.run("a", feed={"a": given})
        assert again.tobytes() == given.tobytes()


def test_variables_of_such_dtypes_are_returned(here):
    text = "variable w = cast([1.0, 2.0], bfloat16)\nadd = assign_add(w, w)\nsession:\n    run add\n"
    program = tfdsl.compile(text)
    with program.session(variables=program.run().variables) as session:
        assert session.run("w").tolist() == [2.0, 4.0]


LISTS = """
variable w = 2.0
both = [w * 2.0, w + 1.0]
slopes = gradients(square(w), [w])
a, b = split(constant([1.0, 2.0]), 2)
count = 3
"""


def test_names_of_lists():
    program = tfdsl.compile(LISTS)
    assert [one.op.type for one in program["both"]] == ["Mul", "AddV2"] and len(program["slopes"]) == 1
    assert "both" in program.names and "list of 2" in repr(program._repr_mimebundle_())
    with program.session() as session:
        assert session.run("both") == [4.0, 3.0]
        assert session.run(["slopes", "count", "w"]) == [[4.0], 3, 2.0]
        with pytest.raises(TfgError) as caught:
            session.run("w", feed={"both": 1.0})
        assert caught.value.diagnostics[0].code == "TFG505"
    copied = tfdsl.program.serialize.from_yaml(tfdsl.program.serialize.to_yaml(program.program))
    assert copied.graph("").names["both"].value == program.program.graph("").names["both"].value


NESTED = """\
import nn
placeholder X: float32[n, 4, 3]
outputs, state = nn.lstm(X, 2, layers=2)
both, states = nn.bidirectional(nn.lstm, X, 2)
mixed = [outputs, [3, none, "a"], [[reduce_sum(outputs)]]]
variable w = 1.0
loss square(w)
optimize with adam()
"""


def test_lists_of_lists_are_fetched_as_they_are():
    program, feed = tfdsl.compile(NESTED), {"X": np.ones([5, 4, 3], np.float32)}
    assert [[one.shape[1] for one in layer] for layer in program["state"]] == [[2, 2], [2, 2]]
    with program.session() as session:
        outputs, state, mixed = session.run(["outputs", "state", "mixed"], feed=feed)
        assert np.array_equal(state[1][0], outputs[:, -1])  # the last output of the last layer
        assert [len(layer) for layer in state] == [2, 2] and state[0][1].shape == (5, 2)
        assert mixed[1] == [3, None, "a"] and mixed[2][0][0] == pytest.approx(outputs.sum(), abs=1e-5)
        for together in (1, 2):
            for step in session.train(2, feed, ["states", "state"], together=together):
                assert [[one.shape for one in layer] for layer in step.states] == [[(5, 2), (5, 2)]] * 2
                assert [len(layer) for layer in step["state"]] == [2, 2]
    copied = tfdsl.program.serialize.from_yaml(tfdsl.program.serialize.to_yaml(program.program))
    assert copied.graph("").names["mixed"].value == program.program.graph("").names["mixed"].value


WRONG = {
    "program": lambda: tfdsl.compile(5),
    "params": lambda: tfdsl.compile(LISTS, params=[1]),
    "data": lambda: tfdsl.compile(LISTS, data=np.eye(2)),
    "names of data": lambda: tfdsl.check(LISTS, data={3: np.eye(2)}),
    "ops": lambda: tfdsl.compile(LISTS, ops=5),
    "limits": lambda: tfdsl.compile(LISTS, limits=5),
    "options": lambda: tfdsl.compile(LISTS + "session: print w\n").run(options="step"),
    "name": lambda: tfdsl.compile(LISTS)[3],
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_argument_types_are_clear_type_errors(kind):
    with pytest.raises(TypeError, match=r"must be|are strings|is its text") as caught:
        WRONG[kind]()
    assert "attribute" not in str(caught.value) and "subscript" not in str(caught.value)


def test_sessions_refuse_wrong_argument_types():
    program = tfdsl.compile(LISTS)
    with program.session() as session:
        for names, feed in ((3, None), (["w", 3], None), (None, None), ("w", "x"), ("w", {1: 2})):
            with pytest.raises(TypeError, match=r"run takes a name|feed"):
                session.run(names, feed)
    with pytest.raises(TypeError, match="variables must be a mapping"), program.session(variables=5):
        pass


def test_an_unknown_engine():
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(LISTS + "session: print w\n").run(options=Options(engine="steps"))
    (error,) = caught.value.diagnostics
    assert error.code == "TFG476" and "step" in error.help_line


MASKED = np.ma.masked_array(np.ones((2, 2)), mask=[[True, False], [False, False]])
FROM = (
    'data d = csv("d.csv", target="y")\nplaceholder X: float32[n, 2]\ntotal = reduce_sum(X)\nvariable v = [1.0, 2.0]\n'
)


def test_masked_arrays_are_refused():
    program = tfdsl.compile(FROM, data={"d": (np.eye(2), np.ones(2))})
    for given in (MASKED, {"features": MASKED}, (np.eye(2), MASKED[0]), (MASKED, np.ones(2))):
        (error,) = tfdsl.check(FROM, data={"d": given})
        assert error.code == "TFG770" and "filled" in error.help_line
    with program.session() as session:
        for fed in (MASKED, [MASKED[0], MASKED[1]]):
            with pytest.raises(TfgError) as caught:
                session.run("total", {"X": fed})
            assert caught.value.diagnostics[0].code == "TFG770"
        assert session.run("total", {"X": MASKED.filled(0.0)}) == 3.0
        assert session.run("total", {"X": np.ma.masked_array(np.ones((2, 2)), mask=False)}) == 4.0
    with pytest.raises(TfgError) as caught, program.session(variables={"v": MASKED[0]}):
        pass
    assert caught.value.diagnostics[0].code == "TFG770"


def test_options_can_be_pickled():
    options = pickle.loads(pickle.dumps(Options(engine="step", logdir="logs")))
    assert (options.engine, options.logdir) == ("step", "logs")
    assert tfdsl.compile(LISTS + "session: print w\n").run(options=options).printed == ["2.0"]


def test_options_are_named():
    """A new option can stand anywhere among the others."""
    with pytest.raises(TypeError, match="positional"):
        tfdsl.Options(print)


def test_data_that_a_program_lacks_are_named():
    program = tfdsl.compile("data iris = iris()\nsession: print iris.rows")
    for ask in (program.dataset, program.pipeline, program.fitted):
        with pytest.raises(KeyError, match="the program has no data 'irsi'; did you mean 'iris'"):
            ask("irsi")
