"""Measures the time and memory of small programs that demand much: those of `tests/support/bombs.py`.

    python benchmarks/bombs.py [NAME ...]

Each is checked in its own process with 768 MiB of address space. Prints a Markdown table. Exits with 1 if a program
takes longer than a second, or lacks its expected error.
"""

import os
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT), str(ROOT / "tests" / "support")]

from bombs import BOMBS, Bomb  # noqa: E402

SECONDS, MEMORY = 1.0, 768 << 20


def set_off(bomb: Bomb, folder: Path) -> tuple[float, float, int, str]:
    """Wall-clock seconds, processor seconds, KiB, and the output."""
    for file, content in bomb.files().items():
        (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        out = os.open(folder / "said", os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(folder)
        os.environ["PYTHONPATH"] = str(ROOT)
        os.execv(sys.executable, [sys.executable, "-m", "tfdsl", *bomb.command])
    _, _, used = os.wait4(child, 0)
    took = time.monotonic() - started
    return took, used.ru_utime + used.ru_stime, used.ru_maxrss, (folder / "said").read_text(errors="replace")


def main() -> int:
    failed = 0
    print("| bomb | seconds | processor seconds | MiB | |\n| --- | --- | --- | --- | --- |")
    for name in sys.argv[1:] or BOMBS:
        with tempfile.TemporaryDirectory() as folder:
            took, processor, memory, said = set_off(BOMBS[name], Path(folder))
        codes = re.findall(r"^error\[(TFG\d+)\]", said, re.MULTILINE)
        expected = BOMBS[name].code.split()
        is_wrong = not set(codes) & set(expected) or "Traceback" in said
        shown = "**" + (codes[0] if codes else said[-80:].strip()) + "**" if is_wrong else codes[-1]
        failed += is_wrong or min(took, processor) > SECONDS
        print(f"| {name} | {took:.2f} | {processor:.2f} | {memory >> 10} | {shown} |", flush=True)
    print(f"\n{len(sys.argv[1:] or BOMBS)} bombs, {failed} too slow or without their error")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
