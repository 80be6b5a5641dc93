"""Makes the data of the programs in the folders here, always the same: `python models/make_data.py`."""

import csv
import math
from datetime import date, timedelta
from pathlib import Path
from random import Random

import numpy as np
from dqn.carts import Carts
from PIL import Image

HERE = Path(__file__).resolve().parent


def write(path: Path, header: list[str], rows: list[list[object]], separator: str = ",") -> None:
    """A CSV file; none is an empty cell."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator="\n")
        writer.writerows([header, *rows])


def ferries(folder: Path) -> None:
    """Bookings of a ferry line, with text, gaps and a date. More are cancelled if made long before the journey, or
    with a ticket that can be given back."""
    random = Random(7)
    routes = {"Kiel-Oslo": 0.6, "Kiel-Gothenburg": 0.0, "Travemünde-Malmö": -0.5, "Rostock-Gedser": -1.2}
    cabins = {"seat": 0.8, "inside": 0.2, "outside": -0.4, "suite": -1.4}
    nights = {"Kiel-Oslo": 160, "Kiel-Gothenburg": 120, "Travemünde-Malmö": 80, "Rostock-Gedser": 35}
    rows = []
    for number in range(640):
        route = random.choices(list(routes), [4, 3, 2, 2])[0]
        cabin = random.choices(list(cabins), [3, 5, 4, 1])[0]
        ticket = random.choices(["saver", "standard", "flex"], [4, 4, 3])[0]
        age, people = random.randint(18, 84), random.choices([1, 2, 3, 4, 5], [3, 5, 2, 2, 1])[0]
        days = min(int(random.expovariate(1 / 45)), 240)
        departs = date(2024, 3, 1) + timedelta(days=random.randrange(240))
        price = nights[route] * (1 + list(cabins).index(cabin) / 3) * people**0.8
        price *= {"saver": 0.8, "standard": 1.0, "flex": 1.25}[ticket] * random.uniform(0.85, 1.15)
        score = 0.035 * (days - 45) + routes[route] + cabins[cabin] - 0.03 * (age - 50) - 0.5 * (people - 2)
        score += {"saver": -2.0, "standard": -0.3, "flex": 2.2}[ticket] - 0.4
        cancelled = random.random() < 1 / (1 + math.exp(-1.4 * score))
        cells: list[object] = [departs, route, ticket, cabin if random.random() > 0.06 else None]
        cells += [age if random.random() > 0.12 else None, people, days, f"{price:.2f}"]
        rows.append([f"F{10483 + 7 * number}", *cells, int(cancelled)])
    header = ["booking", "departs", "route", "ticket", "cabin", "age", "people", "days_before", "price", "cancelled"]
    write(folder / "bookings.csv", header, rows[:-10], separator=";")
    order = [0, 1, 6, 7, 8, 5, 4, 3, 2]  # the columns of new rows need not stand in the order of the old ones
    write(folder / "new.csv", [header[at] for at in order], [[row[at] for at in order] for row in rows[-10:]])


def shapes(folder: Path) -> None:
    """Grey pictures of 16 x 16 pixels with a circle, a square or a triangle, of some size and place, turned, noisy."""
    random = Random(11)
    for kind in ("circle", "square", "triangle"):
        for number in range(36):
            _draw(random, kind, folder / "known" / kind / f"{number + 1:02}.png")
    for number, kind in enumerate(["square", "triangle", "circle", "triangle", "square", "circle"]):
        _draw(random, kind, folder / "new" / f"{number + 1}.png")


def _draw(random: Random, kind: str, path: Path) -> None:
    size, turn = random.uniform(4.5, 6.3), random.uniform(0, math.pi)
    x, y = (random.uniform(size + 1, 14 - size) for _ in "xy")
    dark, bright = random.uniform(20, 90), random.uniform(140, 235)
    # A shape is where a point lies on the inner side of all edges, each at this distance from the centre.
    edges = {"circle": 0, "square": 4, "triangle": 3}[kind]
    inner = {"circle": size, "square": size * 0.82, "triangle": size * 0.62}[kind]
    pixels = []
    for row in range(16):
        for column in range(16):
            angle, distance = math.atan2(row - y, column - x), math.hypot(row - y, column - x)
            reach = [distance * math.cos(angle - turn - 2 * math.pi * edge / edges) for edge in range(edges)]
            covered = min(max(inner - max(reach or [distance]) + 0.5, 0.0), 1.0)
            pixels.append(min(max(round(dark + (bright - dark) * covered + random.gauss(0, 10)), 0), 255))
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.new("L", (16, 16))
    image.putdata(pixels)
    image.save(path, optimize=True)


def messages(folder: Path) -> None:
    """Messages to the office of a ferry line: complaints, questions and thanks, in words that they share in part."""
    random = Random(5)
    things = "ferry, cabin, restaurant, car deck, ticket, booking, crossing, breakfast, crew, bus".split(", ")
    forms = {
        "complaint": [
            "the {thing} was {bad}", "I am not happy with the {thing}, it was {bad}", "our {thing} was {bad} again",
            "nobody could tell us why the {thing} was {bad}", "{bad} {thing}, I want my money back",
            "we waited two hours and the {thing} was still {bad}", "why was the {thing} so {bad}?",
        ],
        "question": [
            "how do I change my {thing}?", "is the {thing} {good} on Sundays?", "can I pay for the {thing} on board?",
            "where do we find the {thing}?", "does the price include the {thing}?", "may a dog come to the {thing}?",
            "what time is the {thing} on Monday, please", "I would like to know more of the {thing}",
        ],
        "thanks": [
            "thank you, the {thing} was {good}", "what a {good} {thing}!", "the {thing} was {good}, we will come again",
            "many thanks to all, {good} {thing}", "the {thing} was {good}", "could not be happier with the {thing}",
            "the {thing} was not {bad} at all, thank you",
        ],
    }  # fmt: skip
    words = {
        "bad": "late, dirty, cold, far too loud, much too small, closed, cancelled, rude, broken".split(", "),
        "good": "lovely, on time, clean, quiet, warm, wonderful, open, friendly, easy to find".split(", "),
    }
    rows = []
    for number in range(420):
        kind = random.choice(list(forms))
        chosen = {name: random.choice(texts) for name, texts in words.items()}
        text = random.choice(forms[kind]).format(thing=random.choice(things), **chosen)
        text = text if random.random() < 0.3 else text[0].upper() + text[1:]
        said = kind if random.random() > 0.06 else random.choice(list(forms))  # some were filed wrongly
        rows.append([f"M{number + 1:03}", text, said])
    write(folder / "messages.csv", ["id", "text", "kind"], rows[:-8])
    write(folder / "new.csv", ["id", "text"], [row[:2] for row in rows[-8:]])


def bikes(folder: Path) -> None:
    """The rides of a city's rental bikes, day by day: more on warm and dry days, fewer at weekends, and like the day
    before."""
    random, rows, warmer, trend = Random(3), [], 0.0, 0.0
    for number in range(730):
        day = date(2023, 1, 2) + timedelta(days=number)
        warmer = 0.75 * warmer + random.gauss(0, 2.2)
        degrees = 10.5 - 9.5 * math.cos(2 * math.pi * (number - 20) / 365) + warmer
        rain = max(0.0, random.gauss(-2.0, 5.0))
        trend = 0.8 * trend + random.gauss(0, 55)
        rides = 620 + 42 * degrees - 38 * min(rain, 10) - (330 if day.weekday() > 4 else 0) + trend + 0.25 * number
        rows.append([day, max(round(rides), 25), f"{degrees:.1f}", f"{rain:.1f}"])
    write(folder / "bikes.csv", ["day", "rides", "degrees", "rain"], rows[:-21])
    write(folder / "new.csv", ["day", "rides", "degrees", "rain"], rows[-21:])


def language_model(folder: Path) -> None:
    """Sentences of a small grammar, a word a row. A verb agrees with a word that may stand far before it."""
    random = Random(23)
    beings = [("cat", "cats"), ("dog", "dogs"), ("bird", "birds"), ("horse", "horses"), ("child", "children")]
    places = ["river", "house", "garden", "old bridge", "market"]
    words: list[str] = []

    def beings_of_a_number() -> tuple[list[str], bool]:
        is_many = random.random() < 0.4
        adjective = random.choice(["", "", "small", "old", "happy"]).split()
        article = "the" if random.random() < 0.6 else "some" if is_many else "a"
        return [article, *adjective, random.choice(beings)[is_many]], is_many

    while len(words) < 9000:
        subject, is_many = beings_of_a_number()
        if random.random() < 0.5:
            subject += ["near", "the", *random.choice(places).split()]
        if random.random() < 0.5:
            rest = [
                random.choice([("sleeps", "sleep"), ("sings", "sing"), ("waits", "wait"), ("dances", "dance")])[is_many]
            ]
        else:
            verb = random.choice([("sees", "see"), ("follows", "follow"), ("likes", "like")])[is_many]
            rest = [verb, *beings_of_a_number()[0]]
        words += [*subject, *rest, "."]
    write(folder / "words.csv", ["word"], [[word] for word in words[:9000]])


def word2vec(folder: Path) -> None:
    """The logbook of a harbour: an entry a line, in which words of one kind stand at the same places."""
    random = Random(17)
    kinds = {
        "day": "monday, tuesday, wednesday, thursday, friday, saturday, sunday".split(", "),
        "port": "kiel, oslo, malmö, rostock, tallinn, riga".split(", "),
        "ship": "aurora, nordlys, fram, delfin, triton, saga".split(", "),
        "load": "timber, coal, grain, steel, salt, paper".split(", "),
        "weather": "fog, rain, snow, sleet, hail, thunder".split(", "),
        "person": "captain, pilot, cook, mate, engineer".split(", "),
    }
    forms = [
        "the {ship} sailed to {port} with {load}", "on {day} the {ship} came in from {port} with {load}",
        "{weather} all {day}, no ship left for {port}", "the {person} of the {ship} went ashore on {day}",
        "a hundred tons of {load} for {port} were loaded on {day}", "the {ship} lay still in {weather}",
        "the {person} asked for more {load}", "{weather} in the morning, then the {person} took the {ship} out",
        "{day}, {weather}", "the {ship} from {port} is expected on {day}",
    ]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "logbook.txt", "w", encoding="utf-8", newline="\n") as file:
        for _ in range(1500):
            words = {kind: random.choice(some) for kind, some in kinds.items()}
            file.write(random.choice(forms).format(**words) + "\n")


def reviews(folder: Path) -> None:
    """Reviews of crossings by ferry. Whether one is good depends on the order of its words: on what stands after a
    "but" and on what is denied, and not on how many words of praise there are."""
    random = Random(23)
    things = "crew, cabin, food, boat, view, coffee, deck, bed, service, ticket office".split(", ")
    words = {
        True: "friendly, clean, lovely, quiet, excellent, warm, wonderful, worth it".split(", "),
        False: "rude, dirty, awful, noisy, terrible, cold, disappointing, a shame".split(", "),
    }

    def clause(good: bool) -> str:
        is_denied = random.random() < 0.35
        verdict = random.choice(words[good != is_denied])
        verb = random.choice(["was not", "was never"] if is_denied else ["was", "was really", "was always"])
        return f"the {random.choice(things)} {verb} {verdict}"

    def review(good: bool) -> str:
        one, other = clause(good), clause(not good)
        forms = [one, f"{one} and {clause(good)}", f"{other}, but {one}", f"although {other}, {one}"]
        forms += [f"{one}, although {other}", f"yes, {other}, but for me {one}, as {clause(good)}"]
        return random.choice(forms)

    rows = []
    for number in range(1208):
        good = random.random() < 0.5
        text = review(good)
        said = good if random.random() > 0.04 else not good  # some pressed the wrong button
        rows.append([f"R{number + 1:04}", text[0].upper() + text[1:], "good" if said else "bad"])
    write(folder / "reviews.csv", ["id", "text", "verdict"], rows[:-8])
    write(folder / "new.csv", ["id", "text"], [row[:2] for row in rows[-8:]])


def carts(folder: Path) -> None:
    """Moves of carts that are pushed at random: a state, the push, the state after it, and whether the pole
    has fallen."""
    random = np.random.default_rng(3)
    moving, rows = Carts(10), []
    for _ in range(300):
        before, action = moving.state, random.integers(2, size=10)
        after, has_fallen = moving.push(action)
        for one in zip(before, action, after, has_fallen, strict=True):
            states = [[f"{number:.4f}" for number in state] for state in (one[0], one[2])]
            rows.append([*states[0], one[1], *states[1], int(one[3])])
    parts = ["position", "speed", "angle", "turning"]
    write(folder / "moves.csv", [*parts, "action", *(f"next_{part}" for part in parts), "has_fallen"], rows)


EXAMPLES = {
    "dqn": carts,
    "ferries": ferries,
    "shapes": shapes,
    "messages": messages,
    "bikes": bikes,
    "language_model": language_model,
    "word2vec": word2vec,
    "bidirectional_lstm": reviews,
}

if __name__ == "__main__":
    for name, make in EXAMPLES.items():
        make(HERE / name)
