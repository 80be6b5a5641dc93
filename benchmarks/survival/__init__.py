"""Breaks trainings in many ways and checks what is left: each module is one way, repeated many times.

    python -m benchmarks.survival.kills [--count N] [--seed S] [--json FILE]

Kinds: kills, syscalls, powercuts, flips, diskfull, tworuns, events. Each prints one line with its figures, or all of
them as JSON to a file. Faults are printed on standard error, and then the exit code is 1.
"""
