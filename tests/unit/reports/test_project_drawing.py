"""Drawings of projects: XML that any reader takes, changes told by colour and by stroke, one frame for both states."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from gridcheck.reports.diagram import bent_way, diagram_places
from gridcheck.reports.project_drawing import Drawing, DrawnLine, DrawnSymbol, Panel, legend, panel_svg, states_of

HOSTILE = "\"><script>alert(1)</script>&lt; ' ]]>"
SVG = "{http://www.w3.org/2000/svg}"
KEPT = DrawnLine(name="a", way_m=((0.0, 0.0), (100.0, 0.0)))
OLD = DrawnLine(name=HOSTILE, way_m=((100.0, 0.0), (300.0, 40.0)), state="old")
NEW = DrawnLine(name=HOSTILE, way_m=((100.0, 0.0), (300.0, 40.0)), state="replaced")
UNIT = DrawnSymbol(name=HOSTILE, at_m=(0.0, 0.0), kind="transformer", state="new", label=HOSTILE)
DRAWING = Drawing(
    before=Panel(lines=(KEPT, OLD), symbols=(DrawnSymbol(name="", at_m=(0.0, 0.0), kind="transformer"),)),
    after=Panel(lines=(KEPT, NEW), symbols=(UNIT,)),
    is_map=True,
    is_synthetic=False,
)


def lines_in(svg: str) -> dict[str, list[ET.Element]]:
    found: dict[str, list[ET.Element]] = {}
    for line in ET.fromstring(svg).iter(f"{SVG}polyline"):
        found.setdefault(line.attrib["class"], []).append(line)
    return found


@pytest.mark.parametrize("language", ["zh", "en"])
def test_both_states_are_xml_with_the_changed_line_marked(language) -> None:
    before, after = (lines_in(panel_svg(DRAWING, which, language)) for which in ("before", "after"))

    assert {name: len(lines) for name, lines in before.items()} == {"line-kept": 1, "line-old": 1}
    assert {name: len(lines) for name, lines in after.items()} == {"line-kept": 1, "line-replaced": 1}


def test_names_from_files_stay_text() -> None:
    root = ET.fromstring(panel_svg(DRAWING, "after", "en"))

    assert {HOSTILE} <= {title.text for title in root.iter(f"{SVG}title")}
    # A label that would leave the picture is shortened; the whole name stands in the title.
    assert f"{HOSTILE[:19]}…" in {label.text for label in root.iter(f"{SVG}text")}
    assert [node for node in root.iter() if node.tag.endswith("script")] == []


def test_each_state_differs_in_colour_and_in_stroke() -> None:
    every = tuple(
        DrawnLine(name=state, way_m=KEPT.way_m, state=state) for state in ("kept", "tie", "old", "replaced", "new")
    )
    drawing = Drawing(before=Panel(lines=every), after=Panel(lines=every), is_map=True, is_synthetic=False)
    found = lines_in(panel_svg(drawing, "before", "en"))

    looks = {name: (line.attrib["stroke"], line.attrib.get("stroke-dasharray", "")) for name, (line,) in found.items()}
    changed = {looks[f"line-{state}"] for state in ("old", "replaced", "new")}

    assert len({colour for colour, _ in changed}) == len({dashes for _, dashes in changed}) == 3
    assert not {dashes for _, dashes in changed} & {looks["line-kept"][1], looks["line-tie"][1]}
    assert states_of(drawing) == ("kept", "tie", "old", "replaced", "new")


def test_the_unchanged_line_is_at_one_place_in_both_pictures() -> None:
    wider = DrawnLine(name="far", way_m=((0.0, 0.0), (900.0, 0.0)), state="new")
    drawing = Drawing(before=Panel(lines=(KEPT,)), after=Panel(lines=(KEPT, wider)), is_map=True, is_synthetic=False)

    points = [
        lines_in(panel_svg(drawing, which, "en"))["line-kept"][0].attrib["points"] for which in ("before", "after")
    ]

    assert points[0] == points[1]


def test_a_map_keeps_angles() -> None:
    square = DrawnLine(name="", way_m=((0.0, 0.0), (100.0, 0.0), (100.0, 100.0)))
    drawing = Drawing(before=Panel(lines=(square,)), after=Panel(lines=(square,)), is_map=True, is_synthetic=False)

    (line,) = lines_in(panel_svg(drawing, "before", "en"))["line-kept"]
    (x0, y0), (x1, y1), (x2, y2) = (tuple(map(float, point.split(","))) for point in line.attrib["points"].split())

    assert x1 - x0 == pytest.approx(y1 - y2, abs=0.2)
    # North is up.
    assert (y0, x2) == (y1, x1)
    assert y2 < y1


@pytest.mark.parametrize("x_m", [0.0, 120.0, 150.0, 180.0, 300.0])
def test_labels_stay_in_the_picture(x_m: float) -> None:
    frame = DrawnLine(name="", way_m=((0.0, 0.0), (300.0, 0.0)))
    unit = DrawnSymbol(name="", at_m=(x_m, 0.0), kind="source", label="\u7ebf" * 30)
    panel = Panel(lines=(frame,), symbols=(unit,))
    root = ET.fromstring(panel_svg(Drawing(before=panel, after=panel, is_map=True, is_synthetic=False), "before", "zh"))

    (label,) = (words for words in root.iter(f"{SVG}text") if words.attrib["class"] == "label")
    # Signs are as wide as they are high: 15.
    x, wide = float(label.attrib["x"]), 15.0 * len(label.text or "")
    left, right = (x - wide, x) if label.attrib["text-anchor"] == "end" else (x, x + wide)

    assert len(label.text or "") == 20
    assert left >= 0.0
    assert right <= 640.0


def test_the_bar_of_the_scale_is_as_long_as_it_says() -> None:
    root = ET.fromstring(panel_svg(DRAWING, "before", "en"))
    (bar,) = root.iter(f"{SVG}path")
    left, right = (float(part.split()[0]) for part in (bar.attrib["d"][1:], bar.attrib["d"].partition("H")[2]))
    xs = [
        float(point.split(",")[0])
        for point in lines_in(panel_svg(DRAWING, "before", "en"))["line-kept"][0].attrib["points"].split()
    ]

    (said,) = (text.text for text in root.iter(f"{SVG}text") if text.attrib["class"] == "scale")

    # The kept line is 100 m.
    assert said == "100 m"
    assert right - left == pytest.approx(xs[1] - xs[0], abs=0.2)


def test_the_legend_names_what_occurs_and_nothing_else() -> None:
    found = legend(DRAWING, "en")
    ET.fromstring(found)

    assert [
        name for name in ("stays", "goes or is", "new conductor", "newly built", "normally open") if name in found
    ] == [
        "stays",
        "goes or is",
        "new conductor",
    ]
    assert "thick dashed rim" in found


def test_a_way_goes_on_in_its_row_and_turn_offs_below_cross_nothing() -> None:
    #  0 - 1 - 2 - 3   and   1 - 4 - 5,  2 - 6,  0 - 7
    parent, length_m = [-1, 0, 1, 2, 1, 4, 2, 0], [0.0, 10.0, 10.0, 10.0, 3.0, 3.0, 5.0, 4.0]

    places = diagram_places(parent, length_m)

    assert places[:4] == [(0.0, 0.0), (10.0, 0.0), (20.0, 0.0), (30.0, 0.0)]
    assert places[6] == (25.0, -1.0)
    assert places[4:6] == [(13.0, -2.0), (16.0, -2.0)]
    assert places[7] == (4.0, -3.0)
    assert bent_way(places[1], places[4]) == ((10.0, 0.0), (10.0, -2.0), (13.0, -2.0))


def test_each_place_of_a_diagram_is_taken_once() -> None:
    import numpy as np

    rng = np.random.default_rng(3)
    parent = [-1, *(int(rng.integers(0, node)) for node in range(1, 200))]

    places = diagram_places(parent, [0.0, *rng.uniform(1.0, 50.0, 199).tolist()])

    assert len(set(places)) == 200
    along = [0.0] * 200
    lengths = [0.0, *np.random.default_rng(4).uniform(1.0, 50.0, 199).tolist()]
    for node in range(1, 200):
        along[node] = along[parent[node]] + lengths[node]
    assert [x for x, _ in diagram_places(parent, lengths)] == pytest.approx(along)


def test_several_roots_stand_below_each_other() -> None:
    assert diagram_places([-1, 0, -1, 2], [0.0, 5.0, 0.0, 7.0], roots_at=-3.0) == [
        (0.0, -3.0),
        (5.0, -3.0),
        (0.0, -4.0),
        (7.0, -4.0),
    ]
