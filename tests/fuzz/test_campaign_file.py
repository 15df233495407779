"""Campaign files and what else is written in TOML: damaged as text, and almost right as tables."""

from __future__ import annotations

import contextlib
import operator
import types
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from campaigns.small_campaigns import write_table
from fuzz.reading import LONG, Reader, Sample, check_message, holds
from fuzz.watching import watched
from probatum.campaigns.campaign_file import (
    AuditSettings,
    CampaignFile,
    PlanningSettings,
    RunSettings,
    read_campaign_file,
)
from probatum.campaigns.protocol import Protocol
from probatum.campaigns.recipe import Ensemble, Recipe
from probatum.campaigns.toml_text import DEEPEST, LONGEST, read_toml
from probatum.cli.find import campaign_path
from probatum.errors import CampaignFileError, ProbatumError
from probatum.learning.learner import learner_kind
from probatum.planning.round_file import read_proposals, toml
from probatum.planning.space import space_of

PROBLEM = 'problem = { kind = "table", path = "batches.csv", target = ["y", "z"], group = "batch" }\n'
CAMPAIGN = (
    PROBLEM
    + """[protocol]
splits = "leave-one-group-out"
seeds = 3
margin = 1e-3
baseline = "line"

[run]
cores = 1

[audit]
ignore = { PB604 = "two seeds are enough here" }

[space]
model.alpha = { low = 1e-4, high = 1e2, log = true }

[planning]
fixed = ["features"]

[[experiment]]
name = "line"
features = ["a", "b"]
model.kind = "ridge"

[[experiment]]
name = "network"
parent = "line"
features.add = ["categories"]
model = { kind = "mlp", hidden = [8, 4], dropout = 0.1 }
training = { epochs = 3, rate = 1e-3 }
ensemble.members = 2
hypothesis = "curved"

[[experiment]]
name = "both"
components = ["line", "network"]
model.weights = [0.25, 0.75]
"""
)
SIMULATED = 'problem = "analog_codes"\n[[experiment]]\nname = "m"\nmodel = "mean"\n'
PROPOSALS = """[[proposal]]
name = "smoother"
parent = "line"
model.alpha = 0.1
hypothesis = "less noise"
expected = { mean = 0.1, interval = [0.0, 0.2], pairs = 3 }
"""
SPACE = "[space]\nmodel.dropout = { low = 0.0, high = 0.5 }\nmodel.hidden = { choices = [[16], [32, 16]] }\n"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("rows") / "batches.csv"
    write_table(path)
    return path.read_bytes()


def holds_together(file: CampaignFile) -> None:
    """What was read says of itself what it is: recipes come back from their plain form as they are."""
    assert file.experiments
    for experiment in file.experiments:
        again = Recipe.model_validate(experiment.recipe.canonical())
        assert again.digest() == experiment.recipe.digest()
        assert experiment.parent is None or experiment.parent in {e.name for e in file.experiments}


def test_a_damaged_campaign_file_is_read_or_refused(rows: bytes):
    beside = {"batches.csv": rows}
    samples = [
        Sample({"a.toml": CAMPAIGN.encode(), **beside}, "a.toml", damage=("a.toml",)),
        Sample({"a.toml": SIMULATED.encode(), **beside}, "a.toml", damage=("a.toml",)),
    ]
    holds(Reader("campaign file", read_campaign_file, samples, sound=holds_together, examples=250))


def test_a_damaged_file_of_proposals_or_space_is_read_or_refused():
    holds(Reader("proposals", read_proposals, [Sample.of("round.toml", PROPOSALS)]))
    holds(Reader("space", lambda path: space_of(path.with_name("a.toml"), {}), [Sample.of("space.toml", SPACE)]))


def test_looking_for_the_campaign_of_a_folder_survives_whatever_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deep.toml").write_text("a = " + "[" * 5000 + "]" * 5000, encoding="utf-8")
    (tmp_path / "digits.toml").write_text("a = " + "9" * 5000, encoding="utf-8")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\x00")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "mine.toml").write_text(SIMULATED, encoding="utf-8")
    assert campaign_path(None) == Path("mine.toml")


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000 + "]" * 5000,
        "a = " + "{a=" * 5000 + "1" + "}" * 5000,
        ".".join("a" * 40) + " = 1",
        '"a b" . ' * 60_000 + "c = 1",
        "x." * 60_000 + "y = 1",
        "[" + ".".join("a" * 5000) + "]\nb = 1",
        "a = " + "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1),
    ],
)
def test_tables_in_tables_without_end_are_refused(text: str):
    with pytest.raises(CampaignFileError, match="deep"):
        read_toml(text, "a.toml")


def test_a_number_of_thousands_of_digits_is_refused_and_so_is_a_text_without_end():
    with pytest.raises(CampaignFileError, match="no valid TOML"):
        read_toml("a = " + "9" * 5000, "a.toml")
    with pytest.raises(CampaignFileError, match="characters"):
        read_toml("#" * (LONGEST + 1), "a.toml")


def test_tables_as_deep_as_people_write_them_are_read():
    assert read_toml("a.b.c = [[{ d = [1] }]]", "a.toml") == {"a": {"b": {"c": [[{"d": [1]}]]}}}
    sentence = "a sentence... of many. parts. with 1.5 and 2.5. " * 40
    assert read_toml(f'a = "{sentence}"', "a.toml") == {"a": sentence}


def test_long_words_take_no_longer_than_they_are_long():
    for word in ("a", "-", '"', "a ", "' '", "\t"):
        with watched(), contextlib.suppress(CampaignFileError):
            read_toml(word * (LONGEST // len(word)), "a.toml")


# ---------------------------------------------------------------------- almost valid files

FEATURES = ("a", "b", "colour", "numbers", "categories")
NAMES = ("line", "other", "third")
WORDS = (*NAMES, *FEATURES, "batch", "table", "mse", "mae", "r2", "macro", "pooled", "quantities", "")
JUNK = st.one_of(
    st.sampled_from((True, False, 0, 1, -1, 2, 5, 10**6, 2**63, -(2**70), 0.0, 0.5, 1e308, 5e-324)),
    st.sampled_from((float("nan"), float("inf"), -float("inf"))),
    st.sampled_from((*WORDS, "ridge", "mlp", "blend", "trivial: mean", "held out: line", "../a", "os:system",
    "\u202e")),
    st.lists(st.sampled_from((1, -1, 0.5, "line", "a", True)), max_size=3),
    st.dictionaries(st.sampled_from(("kind", "add", "remove", "line", "low")), st.sampled_from((1, "a", [])),
    max_size=2),
)  # fmt: skip
LEFT_OUT = ("ignore", "fixed", "group", "stratify", "metric", "ledger", "executor", "dask")
"""Keys whose values have to fit the problem, each other or other machines."""
KINDS = ("ridge", "mlp", "mean", "extra_trees", "gaussian_process", "lightgbm", "residual_mlp", "ridge", "mlp")


def fitting(annotation: Any, metadata: Sequence[Any] = ()) -> st.SearchStrategy[Any]:
    """Values that a field of a model takes, as far as its type and bounds tell."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return st.sampled_from(inner)
    if origin is typing.Annotated:
        return fitting(inner[0], metadata)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(fitting(one, metadata) for one in inner if one is not type(None)))
    if origin in (tuple, list):
        return st.lists(st.sampled_from(FEATURES), max_size=2, unique=True)
    if annotation is bool:
        return st.booleans()
    if annotation is str:
        return st.sampled_from(WORDS)
    if annotation not in (int, float):
        return JUNK
    numbers: list[Any] = [0, 1, 2, 3, 5, 100] if annotation is int else [0, 1e-9, 0.01, 0.3, 0.5, 1, 600.0]
    for bound in metadata:
        for name, within in (("ge", operator.ge), ("gt", operator.gt), ("le", operator.le), ("lt", operator.lt)):
            if hasattr(bound, name):
                numbers = [n for n in numbers if within(n, getattr(bound, name))]
    return st.sampled_from(numbers)


def tables(model: type[BaseModel], leave_out: tuple[str, ...] = ()) -> st.SearchStrategy[dict[str, Any]]:
    """Tables of some of a model's keys."""
    fields = {name: field for name, field in model.model_fields.items() if name not in leave_out}
    values = {name: fitting(field.annotation, field.metadata) for name, field in fields.items()}
    return st.lists(st.sampled_from(sorted(values)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: values[name] for name in names})
    )


@st.composite
def experiments(draw, index: int) -> dict[str, Any]:
    """One [[experiment]] table, mostly right."""
    made: dict[str, Any] = {"name": NAMES[index]}
    if index and draw(st.booleans()):
        made["parent"] = NAMES[draw(st.integers(0, index - 1))]
    if index > 1 and not draw(st.integers(0, 2)):
        made["components"] = list(NAMES[:2])
        blend = {"kind": "blend", "weights": draw(st.sampled_from(("equal", "inner", "stack", [1, 2])))}
        given_beside = st.fixed_dictionaries({}, optional=dict.fromkeys(("inner_folds", "alpha", "spread"), JUNK))
        return made | {"model": blend | draw(given_beside)}
    kind = draw(st.sampled_from(KINDS))
    own = sorted(set(learner_kind(kind).parameters()) - {"random_state"})
    chosen = draw(st.lists(st.sampled_from(own), max_size=2, unique=True)) if own else []
    made["model"] = {"kind": kind, **{name: draw(st.sampled_from((1, 2, 0.1, True, [4], "relu"))) for name in chosen}}
    made |= draw(tables(Recipe, leave_out=("model", "training", "ensemble", "components", "group_weights")))
    if draw(st.booleans()):
        made["ensemble"] = draw(tables(Ensemble))
    return made


@st.composite
def contents(draw) -> dict[str, Any]:
    """A campaign file's tables, of which up to two values are spoiled."""
    made: dict[str, Any] = {}
    for name, model in (
        ("protocol", Protocol), ("run", RunSettings), ("audit", AuditSettings), ("planning", PlanningSettings),
    ):  # fmt: skip
        if draw(st.booleans()):
            made[name] = draw(tables(model, leave_out=LEFT_OUT))
    made.get("protocol", {}).update(baseline="line", metric="mse", scoring="pooled")
    made["experiment"] = [draw(experiments(i)) for i in range(draw(st.integers(1, len(NAMES))))]
    for _ in range(draw(st.integers(0, 2))):
        spoil(draw, made)
    return made


def spoil(draw, made: dict[str, Any]) -> None:
    """One value anywhere becomes another, goes, or gets a key beside it that nobody knows."""
    places = list(inside(made))
    if not places:
        return
    held, key = places[draw(st.integers(0, len(places) - 1))]
    deed = draw(st.sampled_from(("replace", "replace", "remove", "add")))
    if deed == "replace":
        held[key] = draw(JUNK)
    elif deed == "remove":
        del held[key]
    elif isinstance(held, dict):
        held[
            draw(st.sampled_from(("unheard", "recipe", "parent", "components", "model", "task", "space", "group")))
        ] = draw(JUNK)


def inside(value: Any) -> Iterator[tuple[Any, Any]]:
    """(table or list, key or place) of every value, however deep."""
    for key in range(len(value)) if isinstance(value, list) else list(value):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from inside(value[key])


@settings(
    max_examples=10_000 if LONG else 400,
    derandomize=not LONG,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(contents())
def test_an_almost_valid_campaign_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, rows: bytes, content: dict[str, Any]
):
    folder = tmp_path_factory.getbasetemp() / "almost"
    folder.mkdir(exist_ok=True)
    (folder / "batches.csv").write_bytes(rows)
    path = folder / "a.toml"
    path.write_text(
        PROBLEM + "\n".join(f"{toml(key)} = {toml(value)}" for key, value in content.items()), encoding="utf-8"
    )
    try:
        with watched():
            file = read_campaign_file(path)
    except ProbatumError as error:
        check_message(error)
    else:
        holds_together(file)
