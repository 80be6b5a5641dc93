"""Processes of commands with `--watch`."""

import os
from pathlib import Path


def until_watching(process):
    """The lines of a process until it waits for changes."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("tfdsl: watching "):
            return "".join(lines)
    raise AssertionError("".join(lines))


def put(path, text):
    """Write a file at once. The new text comes from outside the folder: a process that watches it sees one change."""
    Path("../new").write_text(text, encoding="utf-8")
    os.replace("../new", path)
