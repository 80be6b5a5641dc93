"""The names of a record's files, and its id. An id begins with the time of the run's start, so ids sort by time."""

import os
import re
import time

PREFIX = "run-"
MANIFEST = "manifest"
BEGIN, END, CURVES, PROGRAM = "run.json", "result.json", "curves.jsonl", "program.tfg"
VERSION = 1
ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}\Z")
NAME = re.compile(rf"{PREFIX}({ID.pattern[:-2]})\Z")
LEFT = re.compile(r"\.run-[0-9a-f]{16}\Z")  # a record that a kill has left before it was complete


def new_id(started: float) -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(started))}-{os.urandom(3).hex()}"


def text_names(count: int) -> list[str]:
    """The names of the files with the texts of a program and of its imports."""
    return [PROGRAM, *(f"import-{number}.tfg" for number in range(1, count))]
