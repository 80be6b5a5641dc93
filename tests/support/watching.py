"""Processes of commands with `--watch`."""


def until_watching(process):
    """The lines of a process until it waits for changes."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("tfdsl: watching "):
            return "".join(lines)
    raise AssertionError("".join(lines))
