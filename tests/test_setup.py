"""The set-up: pins, Makefile, licence, citation, torchvision's cure, nothing of one machine in the tree."""

import copy
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import torch
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([0-9][\w.]*)$")


# pins


def pins_of_pyproject(text):
    """Name → version of the extras `book` and `test`."""
    extras = tomllib.loads(text)["project"]["optional-dependencies"]
    return dict(PIN.match(line).groups() for line in extras["book"] + extras["test"])


def pins_of_environment(text):
    """Name → (version, reason) of environment.yml."""
    (pip,) = (entry["pip"] for entry in yaml.safe_load(text)["dependencies"] if isinstance(entry, dict))
    reasons = dict(re.findall(r"^ *- (\S+==\S+)(?: +# *(\S.*))?$", text, re.MULTILINE))
    return {PIN.match(line)[1]: (PIN.match(line)[2], reasons[line]) for line in pip if "==" in line}


def disagreements(pyproject, environment):
    """What keeps the two files from being the same environment, in words."""
    ours, theirs = pins_of_pyproject(pyproject), pins_of_environment(environment)
    for name in sorted(ours.keys() | theirs.keys()):
        version, (other, reason) = ours.get(name), theirs.get(name, (None, ""))
        if version != other:
            yield f"{name}: {version} in pyproject.toml, {other} in environment.yml"
        elif not reason:
            yield f"{name}: environment.yml gives no reason for the pin"
    python = tomllib.loads(pyproject)["project"]["requires-python"].removeprefix(">=")
    if not re.search(rf"^ *- python={re.escape(python)} # \S", environment, re.MULTILINE):
        yield f"environment.yml does not pin python={python} with a reason"


def test_pins_agree():
    pyproject, environment = (ROOT / "pyproject.toml").read_text(), (ROOT / "environment.yml").read_text()
    assert len(pins_of_pyproject(pyproject)) > 20
    assert list(disagreements(pyproject, environment)) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (r"- numpy==\S+", "- numpy==1.0.0", "numpy: "),
        (r" *- numpy==.*\n", "", "None in environment.yml"),
        (r"- numpy==(\S+).*", r"- numpy==\1", "no reason"),
        (r"- numpy==(.*)", r"- numpy==\1\n      - left-over==1.0 # why", "left-over: None in pyproject.toml"),
        (r"python=3.11 ", "python=3.10 ", "python=3.11"),
    ],
)
def test_a_disagreement_is_found(old, new, told):
    pyproject, environment = (ROOT / "pyproject.toml").read_text(), (ROOT / "environment.yml").read_text()
    changed = re.sub(old, new, environment)
    assert changed != environment
    (found,) = disagreements(pyproject, changed)
    assert told in found


def test_pins_allow_what_the_package_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = pins_of_pyproject((ROOT / "pyproject.toml").read_text())
    for wanted in map(Requirement, project["dependencies"]):
        assert pins[wanted.name] in wanted.specifier, wanted
    extras = project["optional-dependencies"]
    assert all(PIN.match(line) for extra in ("bench", "site", "browser") for line in extras[extra])


def test_torch_and_torchvision_are_bounded_together():
    """torchvision 0.(n + 15) asks for torch 2.n: with one bound alone pip would take another torch than is there."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    specifiers = {wanted.name: wanted.specifier for wanted in map(Requirement, dependencies)}
    minor = {
        name: {bound.operator: int(bound.version.split(".")[1]) for bound in specifiers[name]}
        for name in ("torch", "torchvision")
    }
    assert set(minor["torch"]) == {">=", "<"}
    assert minor["torchvision"] == {operator: n + 15 for operator, n in minor["torch"].items()}


def test_what_is_no_code_is_shipped():
    """Type checkers look for py.typed; chapters and data sets read the other files."""
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["dcbook"]
    shipped = {path for pattern in patterns for path in (ROOT / "dcbook").glob(pattern)}
    assert ROOT / "dcbook/py.typed" in shipped
    package, site = ROOT / "dcbook", ROOT / "dcbook/book/site"  # the site is made from a checkout alone
    others = {path for path in tracked() if package in path.parents and path.suffix != ".py"}
    assert shipped == {path for path in others if site not in path.parents}


# Makefile


def makefile():
    return (ROOT / "Makefile").read_text()


def test_make_prints_every_verb_with_its_time():
    told = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    shown = re.findall(r"^  ([a-z-]+) .*\((?:.*\d+ (?:s|min)\b.*|as long as.*)\)", told.stdout, re.MULTILINE)
    verbs = re.search(r"^\.PHONY: (.*)$", makefile(), re.MULTILINE)[1].split()
    assert ["help", *shown] == verbs
    assert set(verbs) >= {"env", "figures", "test", "lint", "lab", "bench", "data", "clean"}


def test_every_verb_that_runs_python_makes_the_environment_first():
    rules = re.findall(r"^([a-z-]+): *([^#\n]*)##.*\n((?:\t.*\n)*)", makefile(), re.MULTILINE)
    users = {verb: needs.split() for verb, needs, recipe in rules if "$(PY)" in recipe}
    assert set(users) >= {"figures", "test", "test-site", "lint", "lab", "bench"}
    ready = {"$(READY)", "$(READY_BENCH)", "$(READY_SITE)", "$(READY_BROWSER)", "lint"}
    assert all(ready & set(needs) for needs in users.values())


def test_an_old_python_is_refused_with_a_clear_message(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / "Makefile").write_text(makefile())
    run = subprocess.run(["make", "lint", f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode != 0
    assert "dcbook needs Python 3.11 or newer" in run.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_half_finished_install_is_not_taken_for_a_finished_one(tmp_path):
    """A stand-in for Python makes the folder, and an installer that fails; the next call begins again."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (tmp_path / "Makefile").write_text(makefile())
    installer = tmp_path / "installer"
    installer.write_text(f"#!/bin/sh\necho $* >> {tmp_path}/log\n[ -f {tmp_path}/online ]\n")
    fake = tmp_path / "python3"
    fake.write_text(f"#!/bin/sh\n[ $1 = -c ] || {{ mkdir -p .venv/bin; cp {installer} .venv/bin/python; }}\n")
    for program in (installer, fake):
        program.chmod(0o755)

    def make_env():
        return subprocess.run(["make", "env", f"PYTHON={fake}"], cwd=tmp_path, capture_output=True, text=True)

    assert make_env().returncode != 0
    assert make_env().returncode != 0
    (tmp_path / "online").touch()
    assert make_env().returncode == 0
    calls = (tmp_path / "log").read_text().splitlines()
    assert len(calls) == 5  # torch; torch; torch, the rest and bytecode
    assert "torch==" in calls[2] and "[book,test]" in calls[3]
    assert make_env().returncode == 0
    assert len((tmp_path / "log").read_text().splitlines()) == 5  # ready: pip isn't asked again
    text = (tmp_path / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(text.replace("line-length = 1", "line-length = 2"))
    make_env()
    assert len((tmp_path / "log").read_text().splitlines()) == 5  # not a pin
    (tmp_path / "pyproject.toml").write_text(text.replace("tqdm==", "tqdm==9"))
    make_env()
    assert len((tmp_path / "log").read_text().splitlines()) == 8  # stale


# licence and citation

KNOWN = {  # of CFF 1.2.0, what is used here
    "root": {"cff-version", "message", "title", "type", "version", "license", "abstract", "keywords", "authors"}
    | {"references", "repository-code", "url", "date-released", "identifiers", "preferred-citation"},
    "reference": {"type", "title", "authors", "year", "conference", "collection-title", "identifiers", "doi", "url"}
    | {"journal", "volume", "pages", "start", "end", "publisher", "abstract"},
    "person": {"given-names", "family-names", "name-particle", "name-suffix", "orcid", "affiliation", "email"},
    "entity": {"name", "website", "city", "country", "date-start", "date-end"},
    "identifier": {"type", "value", "description"},
}


def faults_of_citation(cff):
    """What is not CFF 1.2.0, in words."""
    yield from (f"root lacks {key}" for key in ("cff-version", "message", "title", "authors") if key not in cff)
    yield from (f"root has {key}" for key in cff.keys() - KNOWN["root"])
    if cff.get("cff-version") != "1.2.0":
        yield "cff-version is not the text 1.2.0"
    if cff.get("type", "software") not in ("software", "dataset"):
        yield "type"
    for key in ("message", "title", "version", "abstract"):
        if not isinstance(cff.get(key, ""), str):
            yield f"{key} is no text"
    for work in (cff, *cff.get("references", [])):
        title = work.get("title")
        if not work.get("authors"):
            yield f"{title}: no authors"
        for author in work.get("authors") or []:
            if author.keys() - KNOWN["entity" if "name" in author else "person"]:
                yield f"{title}: author {author}"
        for identifier in work.get("identifiers", []):
            if identifier.keys() - KNOWN["identifier"] or identifier["type"] not in ("doi", "url", "swh", "other"):
                yield f"{title}: identifier {identifier}"
    for work in cff.get("references", []):
        yield from (f"{work} lacks {key}" for key in ("type", "title", "authors") if key not in work)
        yield from (f"{work['title']} has {key}" for key in work.keys() - KNOWN["reference"])
        if work.get("type") not in ("article", "conference-paper", "report", "software"):
            yield f"{work['title']}: type"
        if not isinstance(work.get("year", 0), int):
            yield f"{work['title']}: year"
        if "conference" in work and (not work["conference"].get("name") or work["conference"].keys() - KNOWN["entity"]):
            yield f"{work['title']}: conference"


def test_citation_is_valid_and_names_the_papers():
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert list(faults_of_citation(cff)) == []
    arxiv = [entry["identifiers"][0]["value"] for entry in cff["references"]]
    assert arxiv == ["arXiv:1807.05520", "arXiv:2405.03590", "arXiv:2503.03733"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = re.search(r'__version__ = "(.*)"', (ROOT / "dcbook/__init__.py").read_text())[1]
    assert (cff["version"], cff["license"]) == (version, project["license"])


def test_a_wrong_citation_is_found():
    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    for change in (
        lambda c: c.pop("message"),
        lambda c: c.update({"cff-version": 1.2}),
        lambda c: c.update({"licence": "MIT"}),
        lambda c: c["authors"][0].update({"family-names": "x"}),
        lambda c: c["references"][0]["conference"].pop("name"),
        lambda c: c["references"][1].pop("authors"),
        lambda c: c["references"][2]["identifiers"][0].update({"type": "arxiv"}),
    ):
        wrong = copy.deepcopy(cff)
        change(wrong)
        assert list(faults_of_citation(wrong))


def test_license_is_mit():
    text = " ".join((ROOT / "LICENSE").read_text().split())
    assert text.startswith("MIT License Copyright (c)") and "The dcbook authors" in text
    assert "to deal in the Software without restriction" in text and 'PROVIDED "AS IS"' in text


# torchvision beside a CPU build of torch: test_imports.py tests the cure itself


@pytest.mark.parametrize("build", ["cuda", "hip"])
def test_cure_leaves_gpu_builds_alone(build, monkeypatch):
    from dcbook._torchvision import declare_missing_operators

    monkeypatch.setattr(torch.version, build, "13.0")
    assert declare_missing_operators.__wrapped__() is None


def test_cure_leaves_a_whole_torchvision_alone(monkeypatch):
    from dcbook import _torchvision

    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.ops, "load_library", lambda path: None)
    assert _torchvision.declare_missing_operators.__wrapped__() is None


# the tree


def tracked():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode or not listed.stdout:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


def test_nothing_of_one_machine_in_the_tree():
    hosts = "|".join(("py" + "pi", "files.python" + "hosted", "ana" + "conda"))
    foreign = re.compile(rf"(?<![\w.])/(work|root|tmp|home)/|({hosts})\.(org|com)|\.\./sha" + "red")
    found = []
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        if name in (".ci/run", "tests/test_setup.py") or path.suffix in (".png", ".safetensors", ".npz"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{name}: {hit[0]}" for hit in foreign.finditer(text)]
    assert found == []


def test_ci_runs_make_test_and_builds_the_site():
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    lines = [line.partition(" #")[0].strip() for line in script.read_text().splitlines()]
    assert "make --jobs=2 test site" in lines and lines[-1].endswith("tests/site")
    assert subprocess.run(["bash", "-n", script]).returncode == 0
