"""Every limit: a program above it is refused, with the option that raises it, and accepted with that option."""

import io
import re
import time
from pathlib import Path

import pytest

import tfdsl
from tfdsl.cli import main
from tfdsl.cli.options import LIMITS
from tfdsl.limits import Clock, Limits

# A program above a limit, and its error.
ABOVE = {
    "unroll": ("for i in range(100001): a = i\n", "TFG802"),
    "depth": (f"a = {'(' * 2501}1{')' * 2501}\n", "TFG116"),
    "constant": ("a = len([0] * 1000001)\n", "TFG811"),
    "file": ("#" * 1_000_001 + "\n", "TFG841"),
    "imports": ('import "f0.tfg"\n', "TFG314"),
    "tensor": ("a = zeros([10**9, 1001])\n", "TFG843"),
    "errors": ("a = b\n" * 1001, "TFG842"),
    "seconds": ("".join(f"a{i} = {i}\n" for i in range(4000)), "TFG840"),
}
RAISED = {"unroll": 100_001, "depth": 2501, "constant": 1_000_001, "file": 1_000_002, "imports": 23, "tensor": 1001, "errors": 1002,
          "seconds": 60}  # fmt: skip


@pytest.fixture
def checked(tmp_path, monkeypatch, capsys):
    """The exit code of `check` and its output."""
    for number in range(22):
        inner = f'import "f{number + 1}.tfg"\n' if number < 21 else "a = 1\n"
        (tmp_path / f"f{number}.tfg").write_text(inner)
    monkeypatch.chdir(tmp_path)

    def run(text, *options, command="check"):
        Path("p.tfg").write_text(text)
        code = main([command, "p.tfg", *options])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def test_each_limit_has_a_program_here():
    assert set(ABOVE) == set(RAISED) == set(LIMITS) == set(Limits.__dataclass_fields__)


@pytest.mark.parametrize("limit", ABOVE)
def test_the_help_of_an_error_works_when_followed(checked, limit, monkeypatch):
    text, code = ABOVE[limit]
    if limit == "seconds":  # without waiting for it
        monkeypatch.setattr(Clock, "is_over", property(lambda self: self.seconds < RAISED["seconds"]))
    status, said = checked(text)
    assert status == 1
    assert f"[{code}]" in said
    option = re.search(r"help: .*(--max-[a-z-]+)", said)[1]
    assert option == LIMITS[limit][0]
    _, said = checked(text, option, str(RAISED[limit]))
    assert code not in said


@pytest.mark.parametrize("limit", ["depth", "file"])
def test_fmt_has_limits_too(checked, limit):
    text, code = ABOVE[limit]
    status, said = checked(text, command="fmt")
    assert status == 1 and f"[{code}]" in said
    assert checked(text, LIMITS[limit][0], str(RAISED[limit]), "--check", command="fmt")[1].count("error") == 0


def test_fmt_of_standard_input_is_limited(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a = 1  # " + b"x" * 1_000_000)))
    assert main(["fmt", "-"]) == 1
    assert "<stdin> has more than 1000000 bytes" in capsys.readouterr().err


def test_the_number_in_the_help_allows_more_work(checked):
    text = "a = range(100_000)\nfor _ in range(25):\n    _b = sum(a)\n"
    status, said = checked(text)
    assert status == 1 and "[TFG812]" in said
    option = re.search(r"--max-unroll \d+", said)[0].split()
    assert checked(text, *option)[0] == 0


def test_limits_from_python():
    text = "for i in range(20): a = i\n"
    assert not tfdsl.check(text, limits=tfdsl.Limits(unroll=20))
    (found,) = tfdsl.check(text, limits=tfdsl.Limits(unroll=19))
    assert found.code == "TFG802"
    with pytest.raises(tfdsl.TfgError):
        tfdsl.compile(text, limits=tfdsl.Limits(unroll=19))


def test_the_time_is_processor_time(monkeypatch):
    """So a busy machine does not refuse programs that an idle one accepts."""
    worked = [0.0]
    monkeypatch.setattr(time, "thread_time", lambda: worked[0])
    clock = Clock(Limits(seconds=5))
    for seconds, is_over in ((0.0, False), (4.9, False), (5.1, True)):
        worked[0] = seconds
        assert clock.is_over is is_over


def test_the_time_of_other_work_is_left_out():
    clock = Clock(Limits(seconds=0))
    assert clock.is_over
    clock.wait(1000)
    assert not clock.is_over
