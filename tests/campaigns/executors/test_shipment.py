"""What is sent to workers is what the problem would have given, and the user's modules with all that they import."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.executors.executor_conformance import Bench as Workbench
from campaigns.small_campaigns import Workplace
from probatum.campaigns.artifacts import ArtifactStore
from probatum.campaigns.execution import Bench
from probatum.campaigns.executors.shipment import (
    Packer,
    ShippedProblem,
    named_modules,
    own_sources,
    packed_cases,
    unpacked_cases,
)
from probatum.campaigns.executors.station_process import unpacked_modules
from probatum.campaigns.jobs import Job
from probatum.errors import ClusterError, DataError, StorageError, UnknownNameError
from probatum.problems.problem import Dataset, Origin, Quantity, Truth

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)


@given(st.integers(1, 6), texts, st.booleans(), st.booleans(), st.integers(0, 2**32))
def test_cases_come_out_as_they_went_in(count: int, name: str, supervised: bool, repeated: bool, seed: int):
    generator = np.random.default_rng(seed)
    truth = generator.normal(size=(count, 2))
    truth[0, 0] = np.inf
    before = Dataset(
        problem="kiln",
        task=name,
        draw=3,
        cases=np.array([f"{name}{i}" for i in range(count)]),
        observations={"x": generator.normal(size=count)},
        units={"x": "mm"},
        quantities=(Quantity(name, "mg", 0.0), Quantity("z", "1", upper=2.5)),
        truth=Truth(truth),
        groups={name: np.array([f"{name}{i % 2}" for i in range(count)])},
        origin=Origin(),
        supervised=supervised,
        replicates=np.arange(count) // 2 if repeated else None,
        dependence=np.array([name] * count) if repeated else None,
    )
    after = unpacked_cases(packed_cases(before))
    assert (after.problem, after.task, after.draw, after.supervised) == ("kiln", name, 3, supervised)
    assert after.quantities == before.quantities
    assert after.cases.tolist() == before.cases.tolist()
    assert after.truth.open_for_scoring().tobytes() == truth.tobytes()
    assert {key: labels.tolist() for key, labels in after.groups.items()} == {name: before.groups[name].tolist()}
    for part in ("replicates", "dependence"):
        one, other = getattr(before, part), getattr(after, part)
        assert (one is None) == (other is None)
        assert one is None or one.tolist() == other.tolist()


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    return Workbench(Workplace(tmp_path))


def shipped(workbench: Workbench, job: Job) -> tuple[Job, ShippedProblem]:
    from dataclasses import replace

    job = replace(job, shipment=Packer(workbench.setup, workbench.store).shipment(job))
    problem = ShippedProblem(workbench.store)
    problem.know(Job.from_json(job.to_json()))
    return job, problem


def test_a_fit_on_what_was_sent_has_the_bits_of_one_on_the_problems_own_data(workbench: Workbench):
    job, problem = shipped(workbench, workbench.job("forest", "random_forest", n_estimators=5))
    (here,) = Bench(workbench.setup).outcomes(job)
    (there,) = Bench(workbench.setup, problem=problem).outcomes(job)
    assert here.prediction.tobytes() == there.prediction.tobytes()


def test_what_is_packed_twice_has_one_name(workbench: Workbench):
    jobs = [workbench.job("one"), workbench.job("two", "Noisy")]
    first, second = (Packer(workbench.setup, workbench.store).shipment(job) for job in jobs)
    assert first == second
    assert set(first.features) == {"a", "b"}
    assert workbench.job("one").artifacts == {workbench.rows.artifact}


def test_what_was_not_sent_is_said_to_be_missing(workbench: Workbench):
    _, problem = shipped(workbench, workbench.job("one"))
    with pytest.raises(UnknownNameError, match="no-such-task"):
        problem.dataset("no-such-task")
    with pytest.raises(DataError, match="draw 1 of task 'table' was not sent"):
        problem.dataset("table", 1)


# ---------------------------------------------------------------------- modules


def test_modules_are_named_anywhere_in_a_recipe():
    recipe = {"model": {"kind": "a.b:C", "loss": ["ridge", {"x": "d:e"}], "path": "C:\\x", "time": "12:30", "n": 3}}
    assert named_modules(recipe) == {"a.b", "d"}


def test_a_module_brings_what_it_imports_from_beside_it(tmp_path: Path):
    (tmp_path / "mine.py").write_text("import numpy\nimport other\nfrom package.part import x\n")
    (tmp_path / "other.py").write_text("def late():\n    import third\n")
    (tmp_path / "third.py").write_text("import mine\n")
    (tmp_path / "fourth.py").write_text("")
    (tmp_path / "package" / "inner").mkdir(parents=True)
    for name in ("__init__.py", "part.py", "inner/__init__.py"):
        (tmp_path / "package" / name).write_text("x = 1\n")
    sources = own_sources(frozenset({"mine", "numpy.linalg"}), [tmp_path])
    assert set(sources) == {
        "mine.py", "other.py", "third.py", "package/__init__.py", "package/part.py", "package/inner/__init__.py",
    }  # fmt: skip
    store = ArtifactStore(tmp_path / "store")
    name = store.write_arrays({path: np.frombuffer(content, np.uint8) for path, content in sources.items()})
    folder = unpacked_modules(store, name, tmp_path / "there")
    assert {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.py")} == sources
    assert unpacked_modules(store, name, tmp_path / "there") == folder


def test_what_cannot_be_sent_is_refused(tmp_path: Path):
    (tmp_path / "fast.cpython-311-x86_64-linux-gnu.so").touch()
    with pytest.raises(ClusterError, match="a compiled module is not sent"):
        own_sources(frozenset({"fast"}), [tmp_path])
    (tmp_path / "broken.py").write_text("def")
    with pytest.raises(ClusterError, match="cannot be read"):
        own_sources(frozenset({"broken"}), [tmp_path])
    (tmp_path / "large.py").write_text("x = '" + "x" * (17 << 20) + "'")
    with pytest.raises(ClusterError, match="large: modules beside the campaign file have 17 MB"):
        own_sources(frozenset({"large"}), [tmp_path])


def test_modules_do_not_leave_their_folder(tmp_path: Path):
    store = ArtifactStore(tmp_path / "store")
    name = store.write_arrays({"../evil.py": np.frombuffer(b"x = 1", np.uint8)})
    with pytest.raises(DataError, match="lies outside its folder"):
        unpacked_modules(store, name, tmp_path / "there")
    assert not list(tmp_path.rglob("evil.py"))


def test_an_artifact_that_arrives_is_checked(tmp_path: Path):
    here, there = ArtifactStore(tmp_path / "here"), ArtifactStore(tmp_path / "there")
    name = here.write_arrays({"x": np.arange(3)})
    content = here.read(name)
    with pytest.raises(StorageError, match="not what was sent"):
        there.put(name, content[:-1] + b"\0\0")
    there.put(name, content)
    assert there.read_arrays(name)["x"].tolist() == [0, 1, 2]
