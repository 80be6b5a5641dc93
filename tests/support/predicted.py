"""`tfdsl predict` as tests call it, and the rows that it wrote."""

import csv

from tfdsl.cli import main


def written(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def predict(*options, data="new.csv", out="out.csv"):
    return main(["predict", "m.tfg", "--from", "m.ckpt", "--data", data, "-o", out, *options])
