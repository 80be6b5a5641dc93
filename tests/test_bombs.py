"""Programs that ask for more than they say are errors, with a place, in 512 MiB; see `bombs.py`.

How long each takes is for `benchmarks/bombs.py` to say.
"""

import re
import resource
import subprocess
import sys

import pytest
from bombs import BOMBS

MEMORY = 512 << 20


def limited():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name, tmp_path):
    bomb = BOMBS[name]
    for file, content in bomb.files().items():
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / file).write_bytes(data)
    command = [sys.executable, "-m", "tfdsl", *bomb.command]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, preexec_fn=limited, timeout=300)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said[-2000:]
    assert "Traceback" not in said and "TFG899" not in said, said[-2000:]
    codes = set(re.findall(r"^error\[(TFG\d+)\]", said, re.MULTILINE))
    assert codes & set(bomb.code.split()), said[-2000:]
    assert re.search(r"^ *--> \S+:\d+:\d+$|line \d+|a config file has|has more than", said, re.MULTILINE), said[-2000:]
    assert len(said) < 2_000_000


def test_there_are_fifty():
    assert len(BOMBS) >= 50
