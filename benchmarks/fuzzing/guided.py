"""The same target under atheris, which looks for inputs that reach new code."""

import os
import resource
import sys
import time
from pathlib import Path

from .corpus import Corpus


def run(folder: Path, programs: int, seed: int) -> int:
    """Fuzz with a corpus in `folder`. libFuzzer ends the process itself, with 77 if a text fails."""
    import atheris

    with atheris.instrument_imports(include=["tfdsl", "lark"]):
        from .target import judge

    corpus, crashes = folder / "corpus", folder / "crashes"
    for path in (corpus, crashes):
        path.mkdir(parents=True, exist_ok=True)
    pieces = Corpus().pieces
    for number, piece in enumerate(pieces):
        (corpus / f"piece-{number}").write_text(piece, encoding="utf-8")
    words = sorted({token for token in Corpus().tokens if 1 < len(token) < 24 and token.isascii() and '"' not in token})
    escaped = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words)
    (folder / "words").write_text("".join(f'"{word}"\n' for word in escaped))

    def one(data: bytes) -> None:
        before = time.process_time()
        judge(data.decode("utf-8", "replace"))
        took = time.process_time() - before
        if took > 5:  # instrumented, and under load: five times slower
            raise AssertionError(f"slow: {took:.1f} s")

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    options = [
        sys.argv[0], str(corpus), f"-runs={programs}", f"-seed={seed}", f"-artifact_prefix={crashes}{os.sep}",
        f"-dict={folder / 'words'}", "-max_len=300", "-rss_limit_mb=2048", "-timeout=60", "-print_final_stats=1",
        "-only_ascii=0",
    ]  # fmt: skip
    atheris.Setup(options, one)
    atheris.Fuzz()
    return 0
