"""Records of runs: what ran, on which data and where, and what came of it.

A record is a folder of plain files, `run-20261130-031722-9f3a2c`:

- `run.json` says how the run began: its program, params, options and machine;
- `program.tfg`, `import-1.tfg` and so on are the texts;
- `result.json` says how it ended, and `curves.jsonl` has a line for each logged number. A run that was killed has none;
- `manifest` lists the files with their checksums.
"""
