"""Small programs that demand much are errors with a place, within 768 MiB, of which NumPy and Arrow take most; see `bombs.py`.

`benchmarks/bombs.py` measures how long each takes.
"""

import json
import os
import re
import resource
import subprocess
import sys
import traceback
from pathlib import Path

import bombs
import pytest
from bombs import BOMBS, LONG
from conftest import some

import tfdsl.driver  # noqa: F401
from tfdsl.cli import process

MEMORY = 768 << 20


def serve() -> None:
    """Fork for each requested command line: a process that has imported what `check` needs, but has not begun."""
    for line in sys.stdin:
        folder, words = json.loads(line)
        child = os.fork()
        if child:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            continue
        code = 70
        try:
            os.chdir(folder)
            with open("said", "w") as said:
                os.dup2(said.fileno(), 1)
                os.dup2(said.fileno(), 2)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            sys.argv = ["tfdsl", *words]
            process()
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)


@pytest.fixture(scope="module")
def limited():
    """Runs a command line with little memory. Returns its exit code and its output."""
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1]), str(Path(bombs.__file__).parent)]
    code = f"import sys; sys.path += {folders}; import test_bombs; test_bombs.serve()"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-P", "-c", code], text=True, **pipes) as server:

        def run(folder, *words):
            server.stdin.write(json.dumps([str(folder), words]) + "\n")
            server.stdin.flush()
            return int(server.stdout.readline()), (folder / "said").read_text(errors="replace")

        yield run
        server.stdin.close()


@pytest.mark.parametrize("name", some(BOMBS, [name for name in BOMBS if name not in LONG][::3]))
def test_bombs(name, limited, tmp_path):
    bomb = BOMBS[name]
    for file, content in bomb.files().items():
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / file).write_bytes(data)
    code, said = limited(tmp_path, *bomb.command)
    assert code == (2 if "--config" in bomb.command else 1), said[-2000:]
    assert "Traceback" not in said and "TFG899" not in said, said[-2000:]
    codes = set(re.findall(r"^error\[(TFG\d+)\]", said, re.MULTILINE))
    assert codes & set(bomb.code.split()), said[-2000:]
    assert re.search(r"^ *--> \S+:\d+:\d+$|line \d+|a config file has|has more than", said, re.MULTILINE), said[-2000:]
    assert len(said) < 2_000_000


def test_there_are_fifty_bombs():
    assert len(BOMBS) >= 50
