"""Ctrl-C and SIGTERM: each command ends with 130 or 143 and says that it was interrupted, even if TensorFlow hangs."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import forked
import pytest
from conftest import some

import tfdsl
from tfdsl.cli import main
from tfdsl.cli.child import environment
from tfdsl.cli.signals import interruptible

SCRIPT = str(Path(__file__).parents[2] / "tfdsl" / "bin" / "tfdsl")
HANGS = """
i = constant(0)
while i < 1:
    i = i * 1
variable w = 0.0
add = assign_add(w, 1.0)
session:
    train 3 steps:
        run add
        checkpoint every 1 step in "kept"
    print "before"
    print i
"""
INT, TERM = signal.SIGINT, signal.SIGTERM
TOLD = "tfdsl: interrupted\n"


@pytest.fixture
def start():
    """Starts commands that end with the test."""
    started = []

    def start(folder, *words):
        process = forked.Popen(
            [sys.executable, SCRIPT, *words], cwd=folder, env=environment(), text=True, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def burnt(pid):
    """The processor time of a process, in seconds."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(happened, what):
    end = time.monotonic() + 300
    while not happened():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def ask(process, signals):
    """Send signals to a process. Repeat the last one until it has ended, because two signals at once may merge into
    one."""
    *first, last = signals
    for number in first:
        process.send_signal(number)
        time.sleep(0.2)
    process.send_signal(last)
    while first and process.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
        process.send_signal(last)


@pytest.fixture
def hanging(tmp_path):
    (tmp_path / "hangs.tfg").write_text(HANGS)
    return tmp_path


ENDS = [((INT, INT), 130), ((TERM,), 143)]


@pytest.mark.long
@pytest.mark.parametrize(("signals", "code"), some(ENDS, ENDS[:1]))
def test_a_hanging_kernel_does_not_block_the_process(start, hanging, signals, code):
    process = start(hanging, "run", "hangs.tfg")
    assert process.stdout.readline() == "before\n"
    then = burnt(process.pid)
    wait_for(lambda: burnt(process.pid) > then + 0.2, "the kernel is busy")
    ask(process, signals)
    out, said = process.communicate(timeout=300)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in said and "interrupted" not in said
    # The checkpoint saved before is complete.
    text = HANGS.replace("    print i\n", "    print w\n")
    (hanging / "hangs.tfg").write_text(text)
    done = forked.run(
        [sys.executable, SCRIPT, "run", "hangs.tfg", "--resume-anyway"], cwd=hanging, env=environment(), text=True,
        capture_output=True, timeout=300,
    )  # fmt: skip
    assert "tfdsl: resuming from step 2, saved in kept\n" in done.stderr
    assert (done.returncode, done.stdout) == (0, "before\n3.0\n")


def is_there(pid):
    """Whether a process runs, or is a zombie."""
    try:
        os.kill(pid, 0)
        return True
    except ProcessLookupError:
        return False


@pytest.mark.parametrize(("signals", "code"), some(ENDS, []))
def test_a_launch_with_a_hanging_run_leaves_nothing(start, hanging, signals, code):
    process = start(hanging, "launch", "hangs.tfg", "--workers", "1", "--quiet")
    assert process.stdout.readline() == "before\n"
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert len(children) == 3
    ask(process, signals)
    _, said = process.communicate(timeout=300)
    assert process.returncode == code
    assert "Traceback" not in said
    assert not any(is_there(int(pid)) for pid in children)


# A signal during the import of the n-th module: the same moment, however busy the machine is.
INTERRUPTED = """
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell has switched it off
number, left = map(int, sys.argv[1:3])
del sys.argv[1:3]

def look(event, arguments):
    global left
    if event == "import" and signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        left -= 1
        if left == 0:
            os.kill(os.getpid(), number)
sys.addaudithook(look)
runpy.run_path(SCRIPT, run_name="__main__")
"""


@pytest.mark.parametrize(
    "words",
    [
        ("check", "p.tfg"), ("fmt", "--check", "p.tfg"), ("ops",), ("graph", "p.tfg", "-o", "p.html"), ("run", "p.tfg"),
        ("eval", "p.tfg", "w"), ("launch", "p.tfg"), ("dump", "--stage", "program", "p.tfg"), ("grad", "p.tfg", "w", "wrt", "w"),
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_a_signal_during_start_up(tmp_path, words):
    (tmp_path / "p.tfg").write_text("variable w = 1.0\nsession:\n    print w\n")
    code = INTERRUPTED.replace("SCRIPT", repr(SCRIPT))
    starts = [(at, INT) for at in (1, 4, 30)] + [(15, TERM)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(int(number)), str(at), *words], cwd=tmp_path, env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for at, number in starts
    ]  # fmt: skip
    for (at, number), process in zip(starts, processes, strict=True):
        _, said = process.communicate(timeout=300)
        assert (process.returncode, said) == (128 + number, TOLD), f"at the import of number {at}"


@pytest.mark.parametrize(("at", "number"), some([(300, INT), (500, TERM)], [(500, TERM)]))
def test_a_signal_during_the_import_of_tensorflow(tmp_path, at, number):
    (tmp_path / "p.tfg").write_text(HANGS.replace("    print i\n", ""))
    code = INTERRUPTED.replace("SCRIPT", repr(SCRIPT))
    done = subprocess.run(
        [sys.executable, "-c", code, str(int(number)), str(at), "run", "p.tfg"], cwd=tmp_path, env=environment(),
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "", TOLD)
    assert not (tmp_path / "kept").exists(), "the folder that it had opened is left as it was"


def test_a_signal_dropped_by_python_is_not_lost(tmp_path):
    code = """
import os, signal
from tfdsl.cli import process
class Thing:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        sum(range(10))
def command():
    Thing()
    return 0
process(command)
"""
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (130, TOLD)


# --- in another application's process ----------------------------------------------------------


def test_the_callers_handlers_stay(here, capsys):
    def mine(number, frame):
        raise AssertionError

    before = signal.signal(INT, mine), signal.signal(TERM, mine)
    try:
        Path("p.tfg").write_text("variable w = 1.0\nsession:\n    print w\n")
        tfdsl.compile("p.tfg").run()
        assert main(["run", "p.tfg"]) == 0
        assert signal.getsignal(INT) is mine and signal.getsignal(TERM) is mine
        assert signal.set_wakeup_fd(-1) == -1
    finally:
        signal.signal(INT, before[0])
        signal.signal(TERM, before[1])


def test_a_second_interrupt_goes_to_the_caller():
    before = signal.signal(INT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), interruptible() as asked:
        signal.raise_signal(INT)
        assert asked() and asked.signal == INT
        signal.raise_signal(INT)
    assert signal.signal(INT, before) is signal.default_int_handler
