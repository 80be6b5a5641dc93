"""Makes the data of the programs in the folders here, always the same: `python models/make_data.py`."""

import csv
import math
from datetime import date, timedelta
from pathlib import Path
from random import Random

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
    write(folder / "new_bookings.csv", [header[at] for at in order], [[row[at] for at in order] for row in rows[-10:]])


EXAMPLES = {"ferries": ferries}

if __name__ == "__main__":
    for name, make in EXAMPLES.items():
        make(HERE / name)
