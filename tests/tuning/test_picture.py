"""The picture of a search."""

from xml.etree import ElementTree

from tfdsl.tuning.picture import picture
from tfdsl.tuning.space import axis
from tfdsl.tuning.study import EndedTrial, StudyPlan

SPACE = {"rate": axis("log(1e-4, 1)"), "units": axis("int(1, 64)"), "kind": axis('choice(a, "<b>")')}


def trial(number, value, **params):
    return EndedTrial(number, "pruned" if value is None else "done", params, value, "", "")


def drawn(trials, maximize=False):
    text = picture(trials, StudyPlan("test.cost", maximize, SPACE, "tpe", 0, False, ""))
    return ElementTree.fromstring(text)


def circles(root):
    return [one for one in root.iter() if one.tag.endswith("circle")]


def test_a_panel_for_the_trials_and_one_for_each_param():
    trials = [
        trial(0, 0.5, rate=0.1, units=3, kind="a"), trial(1, None, rate=0.2, units=9, kind="a"),
        trial(2, 0.25, rate=0.01, units=64, kind="<b>"), trial(3, float("inf"), rate=0.01, units=64, kind="a"),
    ]  # fmt: skip
    root = drawn(trials)
    panels = [one for one in root if one.tag.endswith("}g")]
    assert len(panels) == 4 and all(len(circles(panel)) == 2 for panel in panels)
    titles = {one[0].text for one in circles(root)}
    assert titles == {"trial 0: 0.5 with rate=0.1, units=3, kind=a", "trial 2: 0.25 with rate=0.01, units=64, kind=<b>"}
    best = [one for one in circles(root) if one.get("r") == "4.5"]
    assert {one[0].text[:7] for one in best} == {"trial 2"} and len(best) == 4
    assert {one[0].text[:7] for one in circles(drawn(trials, True)) if one.get("r") == "4.5"} == {"trial 0"}


def test_one_trial_and_none():
    assert len(circles(drawn([trial(0, 1.0, rate=0.1, units=3, kind="a")]))) == 4
    assert circles(drawn([])) == []
