"""A package of somebody else brings a problem by an entry point."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest

from probatum.errors import CampaignFileError, UnknownNameError
from probatum.problems.registry import build, names, problem_class

PACKAGE = Path(__file__).parent / "plugin_package"


@pytest.fixture
def lime_kiln(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package as an installer leaves it: importable, with its metadata beside it."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    metadata = tmp_path / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (metadata / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
            for group, entries in project["entry-points"].items()
        )
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.syspath_prepend(str(PACKAGE / "src"))


@pytest.mark.usefixtures("lime_kiln")
def test_an_installed_plug_in_is_a_problem_like_any_other():
    assert {"catechol", "lime_kiln", "table"} <= set(names())
    problem = build("lime_kiln", {"count": 5})
    dataset = problem.dataset("firing")
    assert len(dataset) == 5
    assert np.isfinite(problem.features["temperature"].compute(dataset)).all()


@pytest.mark.usefixtures("lime_kiln")
def test_options_of_a_plug_in_are_checked():
    with pytest.raises(CampaignFileError, match="unknown key 'cuont' of problem 'lime_kiln'; did you mean 'count'"):
        build("lime_kiln", {"cuont": 5})
    with pytest.raises(CampaignFileError, match="count: Input should be a valid integer"):
        build("lime_kiln", {"count": "many"})


@pytest.mark.usefixtures("lime_kiln")
def test_a_plug_in_that_cannot_be_imported_says_why_and_harms_no_other():
    with pytest.raises(
        CampaignFileError, match=r"'broken_kiln' cannot be loaded: RuntimeError: the kiln has collapsed"
    ):
        problem_class("broken_kiln")
    assert problem_class("lime_kiln").name == "lime_kiln"


@pytest.mark.usefixtures("lime_kiln")
def test_a_plug_in_that_is_no_problem_is_refused():
    with pytest.raises(CampaignFileError, match="'no_kiln' is no subclass of Problem"):
        problem_class("no_kiln")


def test_a_misspelt_problem_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="unknown problem 'catecol'; did you mean 'catechol'"):
        problem_class("catecol")
