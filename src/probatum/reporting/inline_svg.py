"""Figures as SVG that stands in a page: colours by the page's variables, so that one text serves light and dark.

A figure with a colour map keeps its light paper: what is written on its colours must stay readable.

Styles become attributes, for a page whose content security policy allows no inline styles. Text stays text: it can be
read aloud, searched and copied. Coordinates keep two digits, a hundredth of a point.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

from matplotlib import rc_context
from matplotlib.figure import Figure

from probatum.pictures import DARK, LIGHT, STYLE, Theme, missing_glyphs_allowed

VARIABLE = "--picture-"
FONT = "DejaVu Sans, Verdana, sans-serif"
"""Of browsers; Verdana is as wide as the font that the layout was made with."""
PLAIN = {"Date": None, "Creator": None, "Format": None, "Type": None}
NUMBER = re.compile(r"-?\d+\.\d+")
UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that XML has no form for."""
POINTS_TO_PIXELS = 96 / 72
ROLES = {colour: role for role, colour in LIGHT.colours.items()}


def theme_css() -> str:
    """The rules that a page needs once: the variables, light and dark, and light again on paper."""
    light, dark = _variables(LIGHT), _variables(DARK)
    return (
        f":root {{ {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
        "svg.picture { max-width: 100%; height: auto; }"
    )


def inline_svg(figure: Figure, name: str, label: str) -> str:
    """A figure as an <svg> element of an HTML page.

    Args:
        figure: in the colours of the light theme.
        name: unique in the page, of letters, digits and '-'; ids begin with it.
        label: what is seen, for those who hear the page.
    """
    buffer = io.StringIO()
    with rc_context({**STYLE, "svg.fonttype": "none"}), missing_glyphs_allowed():  # type: ignore[arg-type]
        figure.savefig(buffer, format="svg", transparent=True, metadata=PLAIN)
    root = ElementTree.fromstring(UNREADABLE.sub("", buffer.getvalue()))
    roles = {} if _has_colour_map(figure) else ROLES
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        _to_attributes(element, roles)
        element.text = None if element.tag != "text" else element.text
        element.tail = None
    _keep_used_ids(root, name)
    _drop_empty(root)
    if not roles:
        paper = {"width": "100%", "height": "100%", "fill": LIGHT.colours["paper"]}
        root.insert(0, ElementTree.Element("rect", paper))
    width, height = (float(v) for v in root.attrib["viewBox"].split()[2:])
    root.attrib = {
        "class": "picture", "role": "img", "aria-label": label, "viewBox": root.attrib["viewBox"],
        "width": f"{width * POINTS_TO_PIXELS:.0f}", "height": f"{height * POINTS_TO_PIXELS:.0f}",
        "font-family": FONT, "stroke-linejoin": "round", "stroke-linecap": "butt",
    }  # fmt: skip
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _has_colour_map(figure: Figure) -> bool:
    from matplotlib.cm import ScalarMappable

    return any(isinstance(artist, ScalarMappable) and artist.get_array() is not None for artist in figure.findobj())


def _variables(theme: Theme) -> str:
    return " ".join(f"{VARIABLE}{role}: {colour};" for role, colour in theme.colours.items())


def _to_attributes(element: ElementTree.Element, roles: Mapping[str, str]) -> None:
    """Style and namespaced names as plain attributes, numbers short, colours as variables."""
    found: dict[str, str] = {}
    for key, value in element.attrib.items():
        key = key.rpartition("}")[2]
        if key == "style":
            for part in value.split(";"):
                prop, colon, said = part.partition(":")
                if colon and prop.strip() != "font-family":
                    found[prop.strip()] = _themed(said.strip(), roles)
        elif key == "href":
            found[key] = "".join(value.split())
        elif key == "transform" and value.startswith("rotate(-0 "):
            continue
        elif key in ("d", "x", "y", "width", "height", "transform", "points"):
            found[key] = _short(value)
        else:
            found[key] = value
    element.attrib = found


def _themed(value: str, roles: Mapping[str, str]) -> str:
    role = roles.get(value.lower())
    return f"var({VARIABLE}{role}, {value})" if role else value


def _short(value: str) -> str:
    value = NUMBER.sub(lambda m: f"{float(m.group()):.2f}".rstrip("0").rstrip("."), value)
    value = " ".join(value.split())
    return re.sub(r" ?([MLCQz]) ?", r"\1", value)


def _keep_used_ids(root: ElementTree.Element, name: str) -> None:
    """Ids that something refers to, under a name of their own; all others go."""
    used = {ref for element in root.iter() for ref in _references(element)}
    for element in root.iter():
        if element.get("id") in used:
            element.set("id", f"{name}-{element.get('id')}")
        else:
            element.attrib.pop("id", None)
        for key, value in element.attrib.items():
            if value.startswith("url(#") or (key == "href" and value.startswith("#")):
                element.set(key, value.replace("#", f"#{name}-", 1))


def _references(element: ElementTree.Element) -> Iterator[str]:
    for key, value in element.attrib.items():
        if value.startswith("url(#"):
            yield value[5:-1]
        elif key == "href" and value.startswith("#"):
            yield value[1:]


def _drop_empty(parent: ElementTree.Element) -> None:
    """Groups that hold nothing or say nothing, and backgrounds that are not seen."""
    kept: list[ElementTree.Element] = []
    for child in parent:
        _drop_empty(child)
        if child.tag == "style" or (child.tag in ("g", "defs") and len(child) == 0):
            continue
        if child.tag == "path" and child.get("fill") == "none" and "stroke" not in child.attrib:
            continue
        if child.tag == "g" and not child.attrib:
            kept.extend(child)
        else:
            kept.append(child)
    parent[:] = kept
