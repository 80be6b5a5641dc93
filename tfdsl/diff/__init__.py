"""Differences between two programs, graphs or checkpoints, by meaning.

Each side becomes an `Inventory` of comparable things, `matching` pairs the things of two inventories, and `differences`
lists how they differ.
"""
