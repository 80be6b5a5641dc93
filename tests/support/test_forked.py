"""A forked process is like a started one: the two are compared."""

import os
import signal
import subprocess
import sys
from itertools import product

import forked
import pytest
from conftest import some

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all processes are started")


@pytest.fixture(autouse=True)
def interruptible():
    """Started processes get SIGINT, also if the tests run in the background, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


CODES = {
    "its words": "import sys; print(sys.argv, sys.orig_argv[1:], __name__, sys.modules['__main__'].__dict__ is globals())",
    "its command line": "print(open('/proc/self/cmdline').read().split('\\0')[1:6])",
    "its parent and its session": "import os; print(os.getppid(), os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid())",
    "its folder and environment": "import os; print(os.getcwd(), os.environ['TFDSL_A'], 'HOME' in os.environ)",
    "its streams": "import sys; print(input()); print([(s.name, s.mode, s.encoding, s.errors, s.isatty(), s.line_buffering) "
                   "for s in (sys.stdin, sys.stdout, sys.stderr)]); print('é', file=sys.stderr)",
    "its files": "import os; print(sorted(one for one in os.listdir('/proc/self/fd') if int(one) > 2)[1:])",
    "its signals": "import signal; print([signal.getsignal(one) for one in (2, 13, 15)])",
    "exit": "import sys; sys.exit(7)",
    "exit with a text": "import sys; sys.exit('bad')",
    "an error": "print('before'); 1 / 0",
    "Ctrl-C": "import os, signal; os.kill(os.getpid(), signal.SIGINT); input()",
    "a signal": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "at the end": "import atexit, threading; atexit.register(print, 'end')\n"
                  "threading.Thread(target=lambda: (threading.main_thread().join(), print('thread'))).start()",
    "objects that are left": "class Left:\n    def __del__(self): print('destroyed')\nleft = Left()",
    "a text without an end": "import sys; sys.stdout.write('abc')",
}  # fmt: skip


@pytest.mark.parametrize(("name", "has_session"), some(
    product(CODES, (False, True)), [*((name, False) for name in CODES), ("its parent and its session", True)]
))  # fmt: skip
def test_code(name, has_session, tmp_path):
    code = CODES[name]
    environment = {**os.environ, "TFDSL_A": "b"}
    environment.pop("HOME", None)
    started, other = (
        run([sys.executable, "-c", code, "a", "b c"], cwd=tmp_path, env=environment, input="said\n", text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=has_session)
        for run in (subprocess.run, forked.run)
    )  # fmt: skip
    assert (other.returncode, other.stdout) == (started.returncode, started.stdout)
    assert other.stderr.splitlines()[-1:] == started.stderr.splitlines()[-1:]
    assert bool(other.stderr) == bool(started.stderr)


def test_a_fork_has_tensorflow_and_no_threads():
    code = "import os, sys; print('tensorflow' in sys.modules, len(os.listdir('/proc/self/task')))"
    assert forked.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True 1\n"


@pytest.mark.parametrize("name, value", [("PYTHONHASHSEED", "3"), ("TF_CPP_MIN_LOG_LEVEL", "0"), ("ANY_OTHER", "1")])
def test_variables_that_affect_imports_start_a_new_process(name, value):
    code = "import sys; print('tensorflow' in sys.modules)"
    done = forked.run([sys.executable, "-c", code], env={**os.environ, name: value}, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_scripts_modules_and_options(tmp_path):
    (tmp_path / "beside.py").write_text("VALUE = 3\n")
    (tmp_path / "script.py").write_text("import sys, beside; print(beside.VALUE, sys.argv, sys.path[0], __file__)\n")
    for words in (
        ["script.py", "a"],
        [str(tmp_path / "script.py")],
        ["-m", "script", "a"],
        ["-P", "-m", "this"],
        ["-u", "script.py"],
        [
            "-u",
            "-P",
            "-c",
            "import sys; print(sys.stdout.line_buffering, sys.stdout.write_through, sys.path[:1] == [''])",
        ],
    ):
        done = [
            run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True)
            for run in (subprocess.run, forked.run)
        ]
        assert done[0].returncode == 0
        assert done[1].stdout == done[0].stdout, words


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_fork_can_be_killed_and_waited_for(number):
    code = "import signal; print('up', flush=True); signal.pause()"
    process = forked.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode == -number


def test_children_of_a_fork_are_forked():
    code = (
        "import os, subprocess, sys\n"
        "code = 'import os, sys; print(os.getppid(), \"tensorflow\" in sys.modules)'\n"
        "os.environ['TF2_BEHAVIOR'] = '1'  # as the import of TensorFlow does\n"
        "done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)\n"
        "print(done.stdout == f'{os.getpid()} True\\n')\n"
    )
    assert forked.run([sys.executable, "-c", code], capture_output=True, text=True, forks=True).stdout == "True\n"
