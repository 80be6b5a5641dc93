"""The prompt: entries run at once, variables keep their values, definitions can change, commands tell about it."""

import re

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from tfdsl.cli import main
from tfdsl.cli.repl.entries import divided, is_complete
from tfdsl.cli.repl.live import LiveProgram
from tfdsl.cli.repl.loop import Prompt, run_lines, run_prompt
from tfdsl.cli.repl.prompt import ask_on_terminal, completions
from tfdsl.diagnostics import TfgError
from tfdsl.diagnostics.render import render_text
from tfdsl.inputs import CompileInputs
from tfdsl.runtime.options import Options


@pytest.fixture
def live(here):
    return LiveProgram(CompileInputs())


def entered(live, *entries):
    """The lines that entries print."""
    lines: list[str] = []
    for entry in entries:
        live.enter(entry, Options(write=lines.append))
    return lines


# --- entries ----------------------------------------------------------------------------------


def test_variables_keep_their_values(live):
    assert entered(live, "variable w = 3.0", "y = 2.0 * w", "y", "set w = 5.0", "y", "print w, y") == [
        "6.0", "10.0", "5.0 10.0",
    ]  # fmt: skip


def test_a_block_binds_earlier_names_again(live):
    """As in a file: it does not take the place of the declaration whose value it needs."""
    loop = "while i < 3:\n    i = i + 1\n"
    assert entered(live, "i = 0", loop, "i", "i = 1", "i", loop, "i") == ["3", "1", "3"]
    again = "for k in range(2):\n    i = i + 10\n", "i", "if i > 20:\n    i = i - 16\n", "i"
    assert entered(live, *again) == ["23", "7"]
    whole = "if 3 > {}:\n    j = 1\nelse:\n    j = 2\n"
    assert entered(live, whole.format(0), "j", whole.format(5), "j") == ["1", "2"]
    assert live.text.count("else") == 1


@pytest.mark.parametrize(
    ("entry", "code", "place", "shown"),
    [
        ("print bogus", "TFG301", (1, 7), "print bogus"),
        ("train 2 steps:\n    run w\n    print bogus\n", "TFG301", (3, 11), "    print bogus"),
        ("print exp(\n  bogus)", "TFG301", (2, 3), "  bogus)"),
        ("train 2 steps:\n    print w w\n", "TFG101", (2, 13), "    print w w"),
        ("print w, w w", "TFG101", (1, 12), "print w, w w"),
        ("evaluate w on d as b", "TFG101", (1, 1), "evaluate w on d as b"),
        ("y = w + bogus", "TFG301", (1, 9), "y = w + bogus"),
        ("w + bogus", "TFG301", (1, 5), "w + bogus"),
        ("train 2 steps:\n    print w\n    run assert_equal(w, 5.0)", "TFG702", (3, 9), "    run assert_equal(w, 5.0)"),
    ],
)  # fmt: skip
def test_an_error_has_its_place_in_what_was_typed(live, entry, code, place, shown):
    entered(live, "variable w = 3.0")
    with pytest.raises(TfgError) as caught:
        entered(live, entry)
    (error,) = [one for one in caught.value.diagnostics if one.severity == "error"]
    assert (error.code, error.span.line, error.span.column) == (code, *place)
    assert f"{place[0]} | {shown}\n" in render_text(error)


def test_an_expression_may_have_feeds(live):
    assert entered(live, "placeholder P: float32[n, 2]", "q = P * 2.0", "q with P = [[1, 2]]", "q, 3 with P = [[0, 1]]") == [
        "[[2. 4.]]", "[[0. 2.]] 3",
    ]  # fmt: skip
    for entry, code, column in [
        ("q with P = [[1, 2, 3]]", "TFG502", 12), ("q with", "TFG101", 3), ("a = evaluate q on moons(10)", "TFG101", 24),
    ]:  # fmt: skip
        with pytest.raises(TfgError) as caught:
            entered(live, entry)
        (error,) = caught.value.diagnostics
        assert (error.code, error.span.column, error.span.line) == (code, column, 1)


@pytest.mark.parametrize(
    ("entry", "what"),
    [("q", "'q'"), ("q + R with R = [1]", "'q + R'"), ("print q", "'print'"), ("print q, 1", "'print'")],
)
def test_an_expression_that_lacks_a_feed_is_named_as_it_was_typed(live, entry, what):
    entered(live, "placeholder P: float32[n]", "placeholder R: float32[n]", "q = P * 2.0")
    with pytest.raises(TfgError) as caught:
        entered(live, entry)
    (error,) = caught.value.diagnostics
    assert error.code == "TFG501" and error.headline.startswith(f"{what} needs P")


def test_a_value_of_an_earlier_entry_is_printed_as_in_a_program(live):
    """A float32 has its own digits, and the same bits again where it is used."""
    lines = entered(
        live, "variable w = 0.1", "session:\n    p = w\n    print p", "p", "constant(p) == w", "set w = p", "w"
    )
    assert lines == ["0.1", "0.1", "True", "0.1"]


def test_trainings_go_on_with_the_state_of_their_optimizer(live):
    """Ten steps at once and ten entries of a step give the same bits."""
    program = "variable w = 3.0", "optimize square(w) with adam(learning_rate=0.1) as down"
    one_by_one = entered(live, *program, *["run down"] * 10, "w")
    assert entered(LiveProgram(CompileInputs()), *program, "train 10 steps: run down", "w") == one_by_one


def test_variables_of_layers_are_known_by_their_declaration(live):
    """Their names in TensorFlow change when a layer before them goes: dense_1 becomes dense."""
    first = "import nn", "placeholder X: float32[n, 2]", "a = nn.dense(X, 3)", "b = nn.dense(X, 3)"
    feeds = " with X = [[1, 2]]"
    before = entered(live, *first, f"print b{feeds}")
    assert entered(live, "a = 2.0 * X", f"print b{feeds}") == before
    assert entered(live, f"print a{feeds}") == ["[[2. 4.]]"]


def test_a_changed_definition_tells_what_it_changes(live):
    entered(live, "variable w = 3.0", "y = w * 2.0", "z = y + 1.0", "u = w", "z")
    assert live.enter("y = w * 10.0", Options()).changed == ("z",)
    assert entered(live, "z") == ["31.0"]
    assert live.enter("variable w = 1.0", Options()).changed == ("y", "z", "u")
    assert entered(live, "z") == ["11.0"]


def test_a_name_is_bound_again_by_an_expression_that_uses_it(live):
    assert entered(live, "x = constant(2.0)", "x = x * 3.0", "x = x + 1.0", "x") == ["7.0"]
    assert entered(live, "x = constant(1.0)", "x") == ["1.0"]


def test_an_expression_with_the_name_of_a_variable_is_noted(live, capsys):
    prompt = Prompt(live)
    for entry, said in (("variable w = 1.0", ""), ("x = 2.0", ""), ("x = 3.0", ""), ("variable w = 2.0", ""),
                        ("w = 5.0", "w was a variable, and is an expression now; set w = ... gives"), ("w = 6.0", "")):  # fmt: skip
        assert prompt.run(entry) == 0
        err = capsys.readouterr().err
        assert said in err and bool(said) == ("was a variable" in err), entry


@pytest.mark.parametrize(
    ("typed", "help"),
    [("w = 5.0", "to give the variable another value, write: set w = 5.0"), ("variable w = [1.0, 2.0]", "")],
)
def test_a_declaration_that_breaks_an_earlier_one_is_named(live, typed, help):
    entered(live, "variable w = 1.0", "optimize square(w) with gradient_descent(learning_rate=0.1) as down")
    with pytest.raises(TfgError) as error:
        live.enter(typed, Options())
    (found,) = error.value.diagnostics
    assert found.span.source.path == "[2]" and found.notes[0].span.source.path == "[3]"
    assert found.notes[0].text == f"'{typed}' would replace 'variable w = 1.0', and is not accepted"
    assert not help or found.help_line == help
    assert next(piece.tree.span.text for piece in live._pieces) == "variable w = 1.0"


def test_a_definition_may_need_later_names(live):
    assert entered(live, "a = constant(1.0)", "b = constant(2.0)", "a = b + 3.0", "a") == ["5.0"]


def test_values_of_sessions_are_kept(live):
    lines = entered(
        live, "variable w = 3.0", "session:\n    a = w\n    b = a + 1.0\n    print a", "set w = 9.0", "a + b"
    )
    assert lines == ["3.0", "7.0"]
    data = "data d = moons(20)", "placeholder X: float32[n, 2]", "mean = reduce_mean(X)"
    entered(live, *data, "found = evaluate mean on d as b with X = b.features")
    assert entered(live, "print found == found", 'print "{found:.3f}"') == ["True", f"{live.values['found']:.3f}"]
    entered(live, "largest = reduce_max(X)", "both = evaluate mean, largest on d as b with X = b.features")
    lines = entered(live, "both.mean == found", "twice = both.largest * 2.0", 'print "{both.mean:.3f}"', "twice")
    assert lines[:2] == ["True", f"{live.values['found']:.3f}"] and len(lines) == 3
    assert set(live.values["both"]) == {"mean", "largest"}
    entered(
        live, "up = assign_add(w, 1.0)", "session:\n    n = 0\n    train 3 steps:\n        run up\n        n = n + 1"
    )
    assert entered(live, "n") == ["3"]


def test_data_is_loaded_once(live):
    entered(live, "data d = moons(20, seed=1) | standardize", "print d.features")
    first = live.compiled().dataset("d")
    entered(live, "variable w = 1.0", "print w, d.features")
    assert live.compiled().dataset("d") is first


@pytest.mark.parametrize(
    "wrong",
    ["print q", "y = w @ w", "y = (1", "train 2 steps:\n    run nothing", "expect w > 100.0", "set w = [1.0, 2.0]"],
)
def test_an_entry_that_fails_changes_nothing(live, wrong):
    entered(live, "variable w = 3.0", "y = w * 2.0", "set w = 4.0")
    text = live.text
    with pytest.raises(TfgError):
        live.enter(wrong, Options(write=lambda line: None))
    assert live.text == text and entered(live, "y") == ["8.0"]


def test_a_file_is_loaded(live, here):
    (here / "own.tfg").write_text("param n = 3\nvariable w = 1.0 * n\nsession: print w\n")
    outcome = live.load("own.tfg", (here / "own.tfg").read_text())
    assert outcome.declared == ("n", "w") and entered(live, "w") == ["3.0"]


# --- what is piped ----------------------------------------------------------------------------

PIPED = """\
# A comment, and an entry of several lines.
variable w = 3.0
y = (w
    * 2.0)
if true:
    z = y + 1.0
else:
    z = y

session:
    print z
    set w = 1.0
y
"""


def test_entries_are_divided(live, capsys):
    assert [one.split("\n")[0] for one in divided(PIPED.splitlines())] == [
        "# A comment, and an entry of several lines.", "y = (w", "if true:", "session:", "y",
    ]  # fmt: skip
    assert run_lines(live, PIPED.splitlines()) == 0
    assert capsys.readouterr().out == "7.0\n2.0\n"


def test_the_first_piped_error_ends_it(live, capsys):
    assert run_lines(live, ["variable w = 3.0", "print q", "w"]) == 1
    said = capsys.readouterr()
    assert not said.out and "TFG301" in said.err


@pytest.mark.parametrize(
    "text, is_whole",
    [("w", True), ("y = (1,", False), ("train 3 steps:", False), ("train 3 steps:\n    run x", False), ("", True),
     ("train 3 steps:\n    run x\n", True), ('print "a:"', True), ("y = 1  # (", True), ("data d = moons(3) |", False)],
)  # fmt: skip
def test_when_an_entry_is_complete(text, is_whole):
    assert is_complete(text) == is_whole


# --- commands ---------------------------------------------------------------------------------


def test_commands(live, capsys, here):
    lines = [
        "variable w = [1.0, 2.0]", "import nn", ":vars", "set w = [3.0, 4.0]", ":vars", ":type w + 1.0", ":type nn.dense",
        ":graph g.html", ":summary", ":save out.tfg", ":reset", "w", ":quit", "print 1",
    ]  # fmt: skip
    assert run_lines(live, lines) == 0
    out = capsys.readouterr().out
    assert "w = no value yet" in out and "w = float32[2] [3. 4.]" in out and "float32[2]\n" in out
    assert "Total params: 2" in out and "[1. 2.]\n" in out and out.endswith("[1. 2.]\n")
    assert "<svg" in (here / "g.html").read_text() or "<html" in (here / "g.html").read_text()
    assert main(["run", "-q", "out.tfg"]) == 0


def test_a_word_that_is_a_whole_statement(live, capsys):
    assert run_lines(live, ["variable w = 1.0", "set w = 3.0", "init", "w"]) == 0
    assert capsys.readouterr().out == "1.0\n"


@pytest.mark.parametrize(
    "line", [":typo", "help", "exit", "quit()", "help(relu)", "relu?", ":type", ":load", ":save a.txt", ":save"]
)
def test_wrong_commands(live, capsys, line):
    assert run_lines(live, [line]) == 2
    said = capsys.readouterr()
    assert not said.out and said.err.startswith("tfdsl: ")


def test_a_saved_program_leaves_out_what_no_longer_fits(live, capsys):
    lines = ["variable w = [1.0, 2.0]", "print w[1]", "variable w = 1.0", "print w", ":save out.tfg"]
    assert run_lines(live, lines) == 0
    assert "without the statements that ran: w has changed since" in capsys.readouterr().out
    assert main(["check", "out.tfg"]) == 0


def test_a_saved_program_has_whole_blocks(live, capsys, here):
    lines = [
        "variable w = 3.0", "scope part:", "    variable v = 2.0", "", "def f(x):", "    return x * 2.0", "",
        "optimize square(w) with gradient_descent(learning_rate=0.1)", "train 2 steps:", "    every 2 steps:",
        "        print f(w)", "", "set part.v = 5.0", "print part.v", ":vars", ":save out.tfg", ":reset", ":save empty.tfg",
    ]  # fmt: skip
    assert run_lines(live, lines) == 0
    out = capsys.readouterr().out
    assert "part.v = 5.0\n" in out and "saved out.tfg\n" in out
    assert "session" not in (here / "empty.tfg").read_text()
    assert main(["run", "-q", "out.tfg"]) == 0
    assert capsys.readouterr().out == out.partition("w = ")[0]


def test_a_saved_program_says_if_it_does_not_do_what_ran(live, capsys):
    lines = ["variable w = 3.0", "y = w * 2.0", "print y", "y = w * 5.0", "print y", ":save out.tfg"]
    assert run_lines(live, lines) == 0
    assert "but its session does not do what ran here: y has changed since" in capsys.readouterr().out


def test_scopes_with_the_same_names_are_apart(live):
    entered(live, "scope a:\n    variable w = 1.0\n", "scope b:\n    variable w = 2.0\n", "set a.w = 5.0")
    assert entered(live, "a.w + b.w") == ["7.0"]
    assert live.enter("scope a:\n    variable w = 3.0\n", Options()).declared == ("a", "w")
    assert entered(live, "a.w + b.w") == ["5.0"]


def test_help_lists_the_commands(live, capsys):
    assert run_lines(live, [":help"]) == 0
    assert set(re.findall(r"^  :(\w+)", capsys.readouterr().out, re.M)) >= {"type", "graph", "summary", "vars", "load"}


# --- on a terminal ----------------------------------------------------------------------------


def test_typing(live, capsys, monkeypatch):
    """Keys as a terminal sends them: blocks go on until an empty line, and Ctrl-C drops what was typed."""
    monkeypatch.setenv("XDG_STATE_HOME", "state")
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        keys.send_text("variable w = 3.0\rsession:\rprint w\rset w = 4.0\r\rnonsense\x03w\r\x04")
        assert run_prompt(live, ask_on_terminal(live)) == 0
    assert capsys.readouterr().out == "3.0\n4.0\n"


def test_completion(live):
    entered(live, "import nn", "variable weights = 3.0", "data d = moons(10)")

    def labels(text):
        return {item.label for item, start in completions(live, text)}

    assert "weights" in labels("print wei") and "weights" in labels("y = wei")
    assert {"train", "variable"} <= labels("") and "dense" in labels("h = nn.de")
    assert "epochs" in labels("train 3 ")


def test_the_command(here, monkeypatch, capsys):
    import io
    import sys

    (here / "own.tfg").write_text("variable w = 2.0\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO("w * 2.0\n"))
    assert main(["repl", "own.tfg"]) == 0
    assert capsys.readouterr().out == "4.0\n"
