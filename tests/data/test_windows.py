"""Windows of series: against Keras and by hand, in parts and groups, streamed, fitted and trained."""

from types import SimpleNamespace

import numpy as np
import pytest

import tfdsl
from tfdsl.data import DataError
from tfdsl.data.declaration import pipeline_of
from tfdsl.data.load import load, loaded
from tfdsl.diagnostics import TfgError
from tfdsl.driver import check
from tfdsl.runtime.options import Options
from tfdsl.source import Source

ROWS = 60
DRAWN = np.random.default_rng(5)
TEMP, WIND = DRAWN.normal(size=ROWS).round(3), DRAWN.integers(0, 9, ROWS)
STATION = np.array(list("AABAB" * (ROWS // 5)))
Y = np.arange(1000, 1000 + ROWS)


def step(name, *columns, **arguments):
    return SimpleNamespace(name=name, arguments={**({"columns": columns} if columns else {}), **arguments})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    rows = zip(range(ROWS), STATION, TEMP, WIND, Y, strict=True)
    lines = "".join(",".join(map(str, row)) + "\n" for row in rows)
    (folder / "s.csv").write_text("day,station,temp,wind,y\n" + lines)
    return folder


def windows(*columns, size=4, horizon=1, stride=1, by=None):
    return step("windows", *columns, size=size, horizon=horizon, stride=stride, by=by)


def split(ordered=True, **arguments):
    given = {"test": 0.2, "seed": 3, "validation": None, "by": None, "folds": None, "fold": None}
    return step("split", **{**given, **arguments}, ordered=ordered)


def declared(folder, *transforms, target="y", stream=False):
    source = step("csv", path="s.csv", target=target, stream=stream)
    return SimpleNamespace(name="d", source=source, transforms=transforms, folder=str(folder))


ASIDE = step("aside", "day", "station")
MATRIX = np.column_stack([TEMP, WIND]).astype(np.float32)


@pytest.mark.parametrize(("size", "horizon", "stride"), [(4, 1, 1), (4, 0, 1), (7, 3, 2), (1, 1, 5), (20, 30, 4)])
def test_they_are_those_of_keras(folder, size, horizon, stride):
    keras = pytest.importorskip("keras")
    data = load(declared(folder, ASIDE, windows(size=size, horizon=horizon, stride=stride)))
    ahead = size - 1 + horizon
    found = keras.utils.timeseries_dataset_from_array(
        MATRIX[: ROWS - horizon] if horizon else MATRIX, Y[ahead:], size, sequence_stride=stride, batch_size=None
    )
    inputs, targets = (np.stack(part) for part in zip(*found.as_numpy_iterator(), strict=True))
    assert data.features.dtype == np.float32
    np.testing.assert_array_equal(data.features, inputs)
    assert data.target[:, 0].tolist() == targets.tolist()
    assert data.array("day").tolist() == [target - 1000 for target in targets]


def by_hand(rows, size, horizon, stride=1):
    """The first rows of windows, and the rows of their targets, in a series that has these rows."""
    starts = range(0, len(rows) - size - horizon + 1, stride)
    return [rows[at : at + size] for at in starts], [rows[at + size - 1 + horizon] for at in starts]


@pytest.mark.parametrize("stream", [False, True])
def test_groups(folder, stream):
    data = load(
        declared(folder, step("aside", "day"), windows(size=3, horizon=2, stride=2, by="station"), stream=stream)
    )
    found = [by_hand(np.flatnonzero(one == STATION).tolist(), 3, 2, 2) for one in "AB"]
    targets = sorted((target, window) for windows, targets in found for window, target in zip(windows, targets))
    assert data.array("day")[:].tolist() == [target for target, _ in targets]
    assert data.array("station")[:].tolist() == [STATION[target].encode() for target, _ in targets]
    np.testing.assert_array_equal(data.features[:], MATRIX[[window for _, window in targets]])
    assert data.schema.column("station").role == "aside"


@pytest.mark.parametrize(
    ("groups", "cut", "some"),
    [
        (["a"] * 5 + ["b"] * 3 + [""] + ["a"] * 2, "", '2 groups, as a window needs 4 rows that follow each other with one s: "b" has 3 rows, "" has 1 row'),
        (["a"] * 6 + ["b"] * 4 + ["a"] * 6, "| split(test=0.5, ordered=true)", '1 group, as a window needs 4 rows that follow each other with one s: "b" has 2 rows in one part'),
    ],
)  # fmt: skip
def test_groups_that_are_too_short_are_told(here, groups, cut, some):
    (here / "g.csv").write_text("s,x,y\n" + "".join(f"{one},{at},{at}\n" for at, one in enumerate(groups)))
    text = f'data d = csv("g.csv", target="y") {cut} | windows("x", size=3, by="s")\n'
    (told,) = [one for one in check(Source("p.tfg", text))[1] if one.code == "TFG689"]
    assert told.headline == f"windows leaves out {some}" and told.span.column == text.index("windows") + 1


@pytest.mark.parametrize("before", [False, True])
def test_a_split_cuts_the_series(folder, before):
    """The same parts and the same bits, in memory and streamed, and learned from the rows of the training part."""
    cut = split(validation=0.1)
    stages = [cut, windows()] if before else [windows(), cut]
    held, streamed = (
        load(declared(folder, ASIDE, step("standardize", "temp"), *stages, stream=stream)) for stream in (False, True)
    )
    mean, deviation = TEMP[:42].mean(), TEMP[:42].std()
    scaled = np.column_stack([(TEMP - mean) / deviation, WIND])
    for name, rows in (("train", range(42)), ("validation", range(42, 48)), ("test", range(48, 60))):
        wanted, targets = by_hand(list(rows), 4, 1)
        part, other = getattr(held, name), getattr(streamed, name)
        np.testing.assert_allclose(part.features, scaled[wanted], rtol=1e-5, atol=1e-6)
        assert part.target[:, 0].tolist() == Y[targets].tolist() and part.array("day").tolist() == targets
        assert part.features.tobytes() == other.features[:].tobytes() and part.rows == len(targets)
    assert dict(held.schema.parts) == {"train": 38, "validation": 2, "test": 8}
    np.testing.assert_array_equal(held.features[:38], held.train.features)


def test_folds_and_parts_by_groups(folder):
    folds = load(declared(folder, ASIDE, split(folds=3, fold=1), windows(size=5)))
    wanted = [by_hand(list(rows), 5, 1)[1] for rows in (range(20), range(40, 60))]
    assert folds.train.array("day").tolist() == [*wanted[0], *wanted[1]] and folds.test.rows == 15
    groups = load(declared(folder, step("aside", "day"), split(False, by="station", test=0.5), windows(by="station")))
    for part in (groups.train, groups.test):
        (station,) = set(part.array("station").tolist())
        rows = np.flatnonzero(station.decode() == STATION)
        assert part.array("day").tolist() == by_hand(rows.tolist(), 4, 1)[1]


def test_other_columns_and_chosen_rows(folder):
    data = load(declared(folder, step("aside", "day"), step("drop", "station"), windows("temp", size=2, horizon=3)))
    assert [column.name for column in data.schema.left_out] == ["window"]  # beside `wind`
    assert data.array("wind").tolist() == WIND[1:-3].tolist() and data.array("day").tolist() == list(range(4, ROWS))
    target = load(declared(folder, ASIDE, windows("y", size=3)))  # of what is predicted itself
    np.testing.assert_array_equal(target.array("window")[:, :, 0], [Y[at : at + 3] for at in range(ROWS - 3)])
    assert target.target[:, 0].tolist() == Y[3:].tolist()
    above = step("where", condition=("compare", ">", ("name", "day", ()), ("value", 49)))
    few = load(declared(folder, ASIDE, windows(), above, step("take", n=5), step("shuffle", seed=1)))
    assert sorted(few.array("day").tolist()) == list(range(50, 55)) != few.array("day").tolist()
    first = load(declared(folder, ASIDE, above, windows()))
    assert first.array("day").tolist() == list(range(54, 60))  # a series of the rows that remain
    alone = load(declared(folder, ASIDE, step("drop", "y"), windows(), target=None))
    assert alone.rows == ROWS - 3 and alone.array("day")[-1] == ROWS - 1


def test_learning_after_windows(folder):
    """What follows learns from the windows of the training part."""
    data = load(declared(folder, step("aside", "station"), step("select", "wind", "day"), windows("wind"), split(),
                         step("standardize", "day")))  # fmt: skip
    days = np.arange(3.0, 47)  # of the last rows of the windows in .train
    np.testing.assert_allclose(data.train.array("day"), (days - days.mean()) / days.std(), rtol=1e-6)


def test_fitted(folder):
    old = pipeline_of(declared(folder, ASIDE, step("standardize"), windows(), split()))
    for stream in (False, True):
        rows = {}
        for target in ("y", None):
            new = declared(
                folder,
                SimpleNamespace(name="fitted", arguments={"data": "d", "name": None}),
                target=target,
                stream=stream,
            )
            rows[target] = loaded(pipeline_of(new, others={"d": old}))
        whole = loaded(old)
        wanted = by_hand(list(range(ROWS)), 4, 1)[1]
        assert rows["y"].target[:, 0].tolist() == Y[wanted].tolist()
        assert rows["y"].array("day")[:].tolist() == wanted
        assert rows["y"].features[:44].tobytes() == whole.train.features.tobytes()
        assert rows[None].rows == ROWS - 3 and rows[None].target is None  # the last one is of the time to come
        assert rows[None].features[:-1].tobytes() == rows["y"].features[:].tobytes()
        assert rows[None].array("day")[-1] == ROWS - 1


PROGRAM = """
seed 4

data d = csv("s.csv", target="y") | aside("day", "station") | standardize | windows(size=4, by="station")
    | split(test=0.2, ordered=true)
data new = csv("s.csv") | {fitted}
placeholder X: float32[n, 4, d.columns]
placeholder y: float32[n, 1]
variable w: float32[4 * d.columns, 1] = zeros
p = reshape(X, [-1, 4 * d.columns]) @ w
optimize reduce_mean(square(p - y / 1000)) with gradient_descent(learning_rate=0.01)

session:
    train 5 epochs on d.train in batches of 7 as batch:
        feed X = batch.features, y = batch.target
    save to "w.ckpt"
    print reduce_sum(p) with X = new.features
"""


@pytest.mark.loops
def test_every_engine_trains_on_them(folder, monkeypatch):
    monkeypatch.chdir(folder)
    printed = set()
    for engine in ("step", "loop", "xla"):
        program = tfdsl.compile(PROGRAM.format(fitted="fitted(d)"))
        result = program.run(options=Options(write=lambda line: None, engine=engine))
        printed.add(round(float(result.printed[0]), 3))
    assert len(printed) == 1
    saved = (
        PROGRAM.partition("data d")[0]
        + "data d"
        + PROGRAM.partition("data d")[2].format(fitted='fitted("w.ckpt", "d")')
    )
    again = tfdsl.compile(saved).run(options=Options(write=lambda line: None))
    assert round(float(again.printed[0]), 3) in printed


@pytest.mark.parametrize(
    ("stages", "code", "stage"),
    [
        ([windows(), split(False)], "TFG675", 2),
        ([windows(), step("take", n=3), split()], "TFG675", 3),
        ([split(False), windows()], "TFG674", 2),
        ([step("shuffle", seed=1), windows()], "TFG674", 2),
        ([windows(size=60)], "TFG601", 1),
        ([split(), windows(size=12)], "TFG601", 2),
        ([windows(size=0)], "TFG601", 1),
        ([windows(by="town")], "TFG601", 1),
        ([windows("y", horizon=0)], "TFG601", 1),
        ([windows("station")], "TFG639", 1),
        ([windows("tempo")], "TFG614", 1),
    ],
)
def test_what_is_refused(folder, stages, code, stage):
    with pytest.raises(DataError) as caught:
        pipeline_of(declared(folder, *stages))
    assert (caught.value.message.code, caught.value.stage) == (code, stage)


def test_missing_cells_have_their_place(here):
    (here / "g.csv").write_text("t,y\n1,1\n,2\n3,3\n4,4\n")
    with pytest.raises(TfgError) as caught:
        tfdsl.compile('data d = csv("g.csv", target="y") | windows(size=2)')
    (found,) = caught.value.diagnostics
    assert found.code == "TFG637" and "g.csv:3:1" in found.notes[0].text and 'fill("t"' in found.help_line
    assert tfdsl.compile('data d = csv("g.csv", target="y") | fill("t", with=0) | windows(size=2)')


def test_whole_numbers_that_float32_cannot_hold_are_told(here):
    (here / "w.csv").write_text("t,y\n" + "".join(f"{2**24 + at},{at}\n" for at in range(6)))
    source = SimpleNamespace(name="csv", arguments={"path": "w.csv", "target": "y"})
    data = load(SimpleNamespace(name="d", source=source, transforms=[windows(size=2)], folder=str(here)))
    assert data.features.shape == (4, 2, 1)
    assert data.rounded == [("window", 0, 2.0**24 + 1, 2.0**24)]
    np.save("x.npy", np.array([[[1, 2]], [[3, 2**24 + 1]]]))
    source = SimpleNamespace(name="npy", arguments={"path": "x.npy"})
    data = load(SimpleNamespace(name="d", source=source, transforms=[], folder=str(here)))
    assert data.features.shape == (2, 1, 2) and data.rounded == [("features", 1, 2.0**24 + 1, 2.0**24)]


DAYS = [f"2024-05-{at + 1:02d}" for at in range(8)]
ORDERS = {
    "sorted": (DAYS, "", False),
    "newest_first": (DAYS[::-1], "", True),
    "one_back": ([*DAYS[:5], DAYS[6], DAYS[5], DAYS[7]], "", True),
    "same": ([DAYS[0]] * 8, "", False),
    "written_otherwise": ([f"{at + 1:02d}.0{5 + at % 2}.2024" for at in range(8)], "", True),
    "gaps": ([DAYS[7], "", *DAYS[:6]], "", False),
    "no_dates": ([f"a{at}" for at in range(8, 0, -1)], "", False),
    "two_series": (DAYS[:4] * 2, "", True),
    "by": (DAYS[:4] * 2, ', by="s"', False),
    "by_back": ([*DAYS[:4], *DAYS[3::-1]], ', by="s"', True),
}  # fmt: skip


@pytest.mark.parametrize(("days", "by", "told"), ORDERS.values(), ids=list(ORDERS))
def test_rows_that_go_back_in_time_are_told(here, days, by, told):
    """Also if the column of days is dropped. New rows are looked at like those of the declaration."""
    (here / "d.csv").write_text("day,s,y\n" + "".join(f"{day},{'ab'[at // 4]},{at}\n" for at, day in enumerate(days)))
    (here / "ok.csv").write_text("day,s,y\n" + "".join(f"{day},a,{at}\n" for at, day in enumerate(DAYS)))
    text = f'data d = csv("d.csv", target="y") | drop("day") | windows("y", size=2{by})\n'
    text += f'data ok = csv("ok.csv", target="y") | aside("day") | windows("y", size=2{by})\n'
    text += 'data new = csv("d.csv", target="y") | fitted(ok)\nx = [d.window, new.window]\n'
    found = [one for one in tfdsl.check(text) if one.code == "TFG898"]
    assert [one.span.line for one in found] == ([1, 3] if told else [])
    assert all("d.csv:" in one.notes[0].text and "d.csv:2:" not in one.notes[0].text for one in found)


@pytest.mark.parametrize(
    ("name", "times", "told"),
    [
        ("hour", [at % 4 for at in range(8)], False),
        ("hour", [22, 23, 0, 1, 2], False),
        ("month", [11, 12, 1, 2], False),
        ("time", [0.5, 0.4, 0.9, 0.1], False),
        ("level", range(2000, 1992, -1), False),
        ("year", range(2000, 1992, -1), True),
        ("timestamp", [1717200000, 1717100000, 1717300000, 1717400000], True),
        ("date", [20240502, 20240501, 20240503, 20240504], True),
        ("date_of_birth", DAYS[::-1], False),
        ("due date", DAYS[::-1], False),
        ("Date Time (UTC)", DAYS[::-1], True),
        ("measured_time", DAYS[::-1], True),
    ],
)
def test_only_what_is_sure_to_be_the_time_of_the_rows_goes_back(here, name, times, told):
    """Numbers of hours and months begin again, durations have no order, and a row can tell of another date."""
    (here / "d.csv").write_text(f"{name},y\n" + "".join(f"{one},{at}\n" for at, one in enumerate(times)))
    found = tfdsl.check('data d = csv("d.csv", target="y") | windows("y", size=2)\nx = d.window\n')
    assert ("TFG898" in [one.code for one in found]) == told


HOURS = [f"2024-03-31 {hour:02}:00" for hour in range(24)]


@pytest.mark.parametrize(
    ("times", "by", "code"),
    [
        ([*DAYS, "2024-05-12"], "", None),
        ([*(f"2024-05-{day:02}" for day in range(1, 21)), "2024-05-24"], "", "TFG856"),
        ([*(f"2024-05-{day:02}" for day in (*range(6, 11), *range(13, 18), *range(20, 25)))], "", None),
        ([f"2024-{month:02}-01" for month in range(1, 13)], "", None),
        ([*range(2000, 2020), 2030], "", "TFG856"),
        ([one for one in HOURS if "02:" not in one], "", None),
        ([one for one in HOURS if "03:" not in one[10:] and "02:" not in one[10:]], "", "TFG856"),
        ([one for one in HOURS if "12:" not in one], "", "TFG856"),
        (
            [
                f"2024-10-27 {clock}"
                for clock in ("01:00", "01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30")
            ],
            "",
            None,
        ),
        ([*(f"2024-05-01 10:00:0{at // 10}.{at % 10}" for at in range(16)), "2024-05-01 10:00:03.9"], "", "TFG856"),
        ([f"2024-05-{day:02} {9 + at // 2:02}:{at % 2 * 30:02}" for day in range(1, 6) for at in range(14)], "", None),
        ([f"2024-05-{day:02} {hour:02}:00" for day in range(1, 5) for hour in range(20)], "", None),
        (
            [
                one
                for one in map(str, np.arange("2022-01", "2024-03", dtype="datetime64[D]"))
                if one[5:7] not in ("07", "08")
            ],
            "",
            None,
        ),
        (
            [
                one
                for one in map(str, np.arange("2022-01", "2024-03", dtype="datetime64[D]"))
                if one[:7] not in ("2022-07", "2023-02")
            ],
            "",
            "TFG856",
        ),
        (sorted(DAYS * 3), "", "TFG855"),
        (sorted(DAYS * 3), ', by="s"', None),
        (DAYS * 2, ', by="half"', None),
    ],
    ids=[
        "few",
        "gap",
        "weekdays",
        "months",
        "years",
        "summer time",
        "two hours",
        "at noon",
        "winter time",
        "fractions",
        "nights",
        "three nights",
        "holidays",
        "two months",
        "together",
        "by",
        "both",
    ],
)
def test_gaps_and_repeated_times_are_told(here, times, by, code):
    """A step counts as a gap only if nearly all others are the same and shorter."""
    name = "year" if isinstance(times[0], int) else "date"
    rows = (f"{one},{'abc'[at % 3]},{at * 2 // len(times)},{at}\n" for at, one in enumerate(times))
    (here / "d.csv").write_text(f"{name},s,half,y\n" + "".join(rows))
    found = tfdsl.check(
        f'data d = csv("d.csv", target="y") | aside("{name}") | windows("y", size=2{by})\nx = d.window\n'
    )
    assert [one.code for one in found if one.code.startswith("TFG8")] == [code][: code is not None]


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (("north", "south"), True), (("09:00", "17:30"), False), (("Q1", "Q2"), False), (("Mon", "Tuesday"), False),
        (("1", "2"), False), (("June", "july"), False), (("Marseille", "Novi Sad"), True),
        (("breakfast", "dinner"), False), (("early shift", "night shift"), False), (("march", "west"), False),
        (("matin", "midi", "soir"), False), (("before breakfast", "after dinner"), False), (("sunrise", "zenith"), False),
        (("upper night lake", "west"), False), (("Midland", "Dawnton"), True),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)  # fmt: skip
def test_a_part_of_the_time_tells_no_series_apart(here, other, told):
    rows = "".join(f"{day},{one},{at % 5}\n" for at, day in enumerate(DAYS) for one in other)
    (here / "d.csv").write_text(f"date,part,y\n{rows}")
    found = [one for one in tfdsl.check('data d = csv("d.csv") | windows("y", size=2)\nx = d.window\n')
             if one.code == "TFG855"]  # fmt: skip
    assert [one.help_line for one in found] == (['if these are several series, write by="part"'] if told else [])


@pytest.mark.parametrize("before", ['drop("part")', 'one_hot("part")', 'select("y", "date")'])
def test_a_column_of_series_has_to_be_there(here, before):
    rows = "".join(f"{day},{one},{at % 5}\n" for at, day in enumerate(DAYS) for one in ("north", "south"))
    (here / "d.csv").write_text(f"date,part,y\n{rows}")
    (found,) = tfdsl.check(f'data d = csv("d.csv") | {before} | aside("date") | windows("y", size=2)\nx = d.window\n')
    assert found.code == "TFG855" and "take the column out of the transforms before" in found.help_line


def test_new_rows_have_the_column_that_tells_series_apart(here):
    rows = "".join(f"{one},{at % 5}\n" for one in ("north", "south") for at in range(9))
    (here / "d.csv").write_text(f"part,y\n{rows}")
    (here / "new.csv").write_text("y\n1\n2\n3\n")
    text = 'data d = csv("d.csv", target="y") | windows("y", size=2, by="part")\n'
    (found,) = tfdsl.check(f'{text}data new = csv("new.csv") | fitted(d)\nx = new.window\n')
    assert found.code == "TFG658" and 'it has no column "part"' in found.headline


def test_series_within_a_series_are_told(here):
    rows = "".join(f"{day},{one},{two},1\n" for one in "ab" for day in DAYS for two in ("in", "out"))
    (here / "d.csv").write_text(f"date,s,pump,y\n{rows}")
    (found,) = tfdsl.check('data d = csv("d.csv") | windows("y", size=2, by="s")\nx = d.window\n')
    assert found.code == "TFG855" and 'make one column of "s" and "pump" in the file' in found.help_line
