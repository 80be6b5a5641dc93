"""Help lines for the form of lines in a session: what they say to write can be typed as it is."""

import pytest

import tfdsl

PROGRAM = """placeholder X: float32[n, 10]
placeholder y: float32[n, 1]
variable w: float32[10, 1] = zeros
p = X @ w
mse = reduce_mean(square(p - y))
optimize mse with gradient_descent(learning_rate=0.1)
data c = diabetes() | split(test=0.2, seed=1)
k = 1.0
session:
"""
TRAINING = "    train 3 epochs on c.train in batches of 16 as batch:\n"
FED = f"{TRAINING}        feed X = batch.features, y = batch.target\n"


def errors(text):
    return [one for one in tfdsl.check(text) if one.severity == "error"]


def written(begin, line):
    """The help line of a line that is typed after others, and the errors if what it says to write is typed instead."""
    codes = ("TFG101", "TFG301", "TFG513", "TFG653")
    (found,) = (one for one in errors(f"{PROGRAM}{begin}{line}\n") if one.code in codes)
    indent = begin[begin.rfind("\n") + 1 :]
    help = found.help_line.removeprefix("write: ").replace("; and on the next line: ", f"\n{indent}")
    return found.help_line, help, errors(f"{PROGRAM}{begin}{help}\n")


IN_SESSION, IN_TRAINING, AS_FEED = f"    init\n{FED}    ", f"{FED}        ", f"{TRAINING}        "
TYPED = [
    (IN_SESSION, "print p with feed X = c.features, y = c.target", "print p with X = c.features, y = c.target"),
    (IN_SESSION, "print p with feed_dict X = c.features", "print p with X = c.features"),
    (IN_SESSION, "print p, feed_dict={X: c.features}", "print p with X = c.features"),
    (IN_SESSION, "print p with c.test", "print p with X = c.test.features, y = c.test.target"),
    (IN_SESSION, 'restore to "x"', 'restore from "x"'),
    (IN_SESSION, 'restore w to "x"', 'restore w from "x"'),
    (IN_SESSION, 'save from "x"', 'save to "x"'),
    (IN_SESSION, 'save "x" w', 'save w to "x"'),
    (IN_SESSION, "print mse on c.test.features",
     "seen = evaluate mse on c.test as b with X = b.features, y = b.target\n    print seen"),
    (IN_SESSION, "print mse on c.test",
     "seen = evaluate mse on c.test as b with X = b.features, y = b.target\n    print seen"),
    (IN_SESSION, "print mse, p on c.test",
     "seen = evaluate mse, p on c.test as b with X = b.features, y = b.target\n    print seen.mse, seen.p"),
    (IN_TRAINING, "every 2nd epoch: print k", "every 2 epochs: print k"),
    (IN_TRAINING, "every two epochs: print k", "every 2 epochs: print k"),
    (IN_TRAINING, "every twenty-one steps: print k", "every 21 steps: print k"),
    (IN_TRAINING, "every a epoch: print k", "every 1 epoch: print k"),
    (IN_TRAINING, "every other epoch: print k", "every 2 epochs: print k"),
    (IN_TRAINING, "every second batch: print k", "every 2 batches: print k"),
    (IN_TRAINING, "after every twenty-five steps: print k", "after every 25 steps: print k"),
    (IN_TRAINING, "every couple of epochs: print k", "every 2 epochs: print k"),
    (IN_TRAINING, "after two epochs: print k", "after every 2 epochs: print k"),
    (IN_TRAINING, "every one second: print k", "every 1 second: print k"),
    (IN_TRAINING, "once every two minutes: print k", "every 120 seconds: print k"),
    (IN_SESSION, "train a hundred and ten epochs on c.train as b: feed X = b.features, y = b.target",
     "train 110 epochs on c.train as b: feed X = b.features, y = b.target"),
    (IN_SESSION, "train one epoch on c.train in batches of twenty as b: feed X = b.features, y = b.target",
     "train 1 epoch on c.train in batches of 20 as b: feed X = b.features, y = b.target"),
    (IN_TRAINING, "every minute: print k", "every 60 seconds: print k"),
    (IN_TRAINING, "every 2 minutes: print k", "every 120 seconds: print k"),
    (IN_TRAINING, "every 10 iterations: print k", "every 10 steps: print k"),
    (IN_TRAINING, "every second: print k", "every 1 second: print k"),
    (AS_FEED, "feed X, y", "feed X = batch.features, y = batch.target"),
    (AS_FEED, "feed y, X", "feed y = batch.target, X = batch.features"),
    (AS_FEED, "feed batch.target, batch.features", "feed X = batch.features, y = batch.target"),
    (AS_FEED, "feed batch to X, batch to y", "feed X = batch.features, y = batch.target"),
    (AS_FEED, "feed_dict {X: batch.features, y: batch.target}", "feed X = batch.features, y = batch.target"),
]  # fmt: skip


@pytest.mark.parametrize(("begin", "line", "meant"), TYPED, ids=[line for _, line, _ in TYPED])
def test_what_a_help_line_writes_can_be_typed(begin, line, meant):
    _, help, after = written(begin, line)
    assert help == meant and after == []


@pytest.mark.parametrize(
    ("begin", "line", "help"),
    [
        (IN_SESSION, "print p with X, y", "give each placeholder its value: print p with X = ..., y = ..."),
        (IN_SESSION, 'keep lowest to "x"', "its parts are in this order: keep lowest VALUE to PATH"),
        (IN_SESSION, "print(p, feed_dict={X: c.features})",
         "statements have no brackets, and values are fed behind 'with': print VALUES with NAME = VALUE"),
        (IN_SESSION, "export p with X", "expected ',', '=' or 'to'"),
        (IN_TRAINING, "stop after patience 10", "write: stop after 10 epochs without lower COST"),
        (IN_TRAINING, "stop after 3 without lower k",
         "write what it counts, epochs, batches or steps: stop after 3 epochs without lower k"),
        (IN_TRAINING, "after every five print k",
         "write what it counts, epochs, batches or steps: after every 5 epochs: print k"),
        (IN_TRAINING, "every half epoch: print k", "for a part of an epoch, count steps, as in: 50 steps"),
        (IN_TRAINING, "every half an epoch: print k", "for a part of an epoch, count steps, as in: 50 steps"),
        (IN_TRAINING, "after last epoch: print k", "what is done once after a training stands below it, in the column of its 'train'"),
        (IN_TRAINING, "after first epoch: print k",
         "a block runs again and again: every 5 epochs: before the step, or after every 5 epochs: after it"),
        (IN_TRAINING, "after every second: print k",
         "'after every' counts epochs, batches or steps, no time; a block by the clock: every 60 seconds:"),
    ],
)  # fmt: skip
def test_a_form_that_is_not_sure_is_told_in_words(begin, line, help):
    assert written(begin, line)[0] == help


@pytest.mark.parametrize("line", ["feed", "train 3 epochs on c.train:", "feed image, digit"])
def test_placeholders_whose_names_leave_their_field_in_doubt_get_no_value(line):
    program = PROGRAM.replace("X", "image").replace("y:", "digit:").replace("- y", "- digit")
    lines = "    train 3 epochs on c.train:\n" if line[0] == "t" else f"{TRAINING}        {line}\n"
    (found,) = [one for one in errors(program + lines) if one.code[:4] == "TFG1"]
    assert "batch.features" not in found.help_line


@pytest.mark.parametrize(
    ("line", "is_feed"), [("feed_dict = {X: batch.features, y: batch.target}", True), ("a = {k: 1}", False)]
)
def test_a_dictionary_of_placeholders_is_a_feed(line, is_feed):
    (found,) = [one for one in errors(f"{PROGRAM}{AS_FEED}{line}\n") if one.code == "TFG653"]
    begin = "write in the body of a training: "
    assert found.help_line.startswith(begin) == is_feed
    if is_feed:
        assert errors(f"{PROGRAM}{AS_FEED}{found.help_line.removeprefix(begin).partition(';')[0]}\n") == []


@pytest.mark.parametrize("batch", ["", " as b"])
def test_a_part_of_the_batch_of_an_evaluate_without_its_name(batch):
    line = f"    seen = evaluate mse on c.test{batch} with X = features, y = target\n"
    first, second = errors(f"{PROGRAM}{line}")
    assert first.help_line.endswith(": b.features") and second.help_line.endswith(": b.target")
    meant = "    seen = evaluate mse on c.test as b with X = b.features, y = b.target\n"
    assert errors(f"{PROGRAM}{meant}    print seen\n") == []


def test_the_numbers_of_categories_are_left_out_of_the_features(here):
    (here / "a.csv").write_text("city,a,b,y\nRome,1,2,2\nOslo,2,3,3\n")
    program = (
        'data d = csv("a.csv", target="y") | categories("city")\nplaceholder X: float32[n, 2]\np = reduce_mean(X)\n'
        "session: print p with X = d.features\n"
    )
    (found,) = errors(program)
    assert found.help_line.endswith('| aside("city")')
    assert errors(program.replace('categories("city")', 'categories("city") | aside("city")')) == []
