"""A figure in a page: one text for light and dark, without styles, scripts or ids that could meet others."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from probatum.pictures import BLUE, DARK, INK, LIGHT, new_figure
from probatum.reporting.inline_svg import inline_svg, theme_css


def scene(title: str = "title") -> Figure:
    with new_figure(4, 3) as figure:
        axes = figure.subplots()
        axes.plot([1, 2, 3], [1, 4, 9], "o-", color=BLUE, label="curve")
        axes.plot([1, 2, 3], [2, 3, 4], ".", color="#abcdef", rasterized=True)
        axes.set_title(title)
        axes.legend()
    return figure


def test_colours_are_variables_and_foreign_ones_stay():
    svg = inline_svg(scene(), "one", "a label")
    assert f"var(--picture-blue, {BLUE})" in svg
    assert f"var(--picture-ink, {INK})" in svg
    rules = theme_css()
    for theme in (LIGHT, DARK):
        for role, colour in theme.colours.items():
            assert f"--picture-{role}: {colour};" in rules
    used = set(re.findall(r"var\(--picture-([a-z]+)", svg))
    assert used <= LIGHT.colours.keys()


def test_there_is_no_style_script_link_or_foreign_namespace():
    root = ElementTree.fromstring(inline_svg(scene(), "one", "a label"))
    assert {e.tag for e in root.iter()} <= {"svg", "g", "path", "text", "use", "defs", "clipPath", "rect", "image"}
    for element in root.iter():
        assert not {"style", "onload", "class"} & element.attrib.keys() or element is root
        target = element.get("href", "#")
        assert target.startswith(("#one-", "data:image/png;base64,")) or target == "#"


def test_it_is_an_image_with_a_label_whatever_the_label_holds():
    root = ElementTree.fromstring(inline_svg(scene(), "one", 'a "label" <b>'))
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == 'a "label" <b>'
    assert root.attrib["viewBox"] == "0 0 288 216"
    assert root.attrib["width"] == "384"


def test_two_figures_share_no_id_and_each_reference_is_met():
    ids = []
    for name in ("one", "two"):
        svg = inline_svg(scene(), name, "a label")
        mine = re.findall(r' id="([^"]+)"', svg)
        assert len(mine) == len(set(mine)) > 0
        assert set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg)) == set(mine)
        ids.append(set(mine))
    assert not ids[0] & ids[1]


def test_text_stays_text_and_is_escaped():
    svg = inline_svg(scene("<script>alert(1)</script> & $x$ \x07"), "one", "a label")
    assert "<script" not in svg
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; $x$ " in svg


def test_the_same_figure_gives_the_same_text():
    assert inline_svg(scene(), "one", "a label") == inline_svg(scene(), "one", "a label")


def test_a_colour_map_keeps_its_light_paper():
    with new_figure(3, 3) as figure:
        axes = figure.subplots()
        axes.imshow(np.eye(3), cmap="Blues")
        axes.text(0, 0, "dark on light", color=INK)
    svg = inline_svg(figure, "one", "a label")
    assert "var(" not in svg
    assert ElementTree.fromstring(svg)[0].attrib["fill"] == LIGHT.colours["paper"]


@pytest.mark.parametrize("count", [10, 400])
def test_coordinates_are_rounded_to_a_hundredth_of_a_point(count: int):
    with new_figure(4, 3) as figure:
        figure.subplots().plot(np.sin(np.linspace(0, 9, count)))
    numbers = re.findall(r"\d+\.(\d+)", "".join(re.findall(r' d="([^"]+)"', inline_svg(figure, "one", "x"))))
    assert numbers
    assert max(map(len, numbers)) <= 2
