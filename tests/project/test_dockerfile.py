"""The Dockerfile, read rather than built: what any engine would do with it."""

import json
import re

from tests.project.tree import ROOT

Step = tuple[str, str]


def steps() -> list[Step]:
    """The instructions with their arguments, continued lines joined."""
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    text = "\n".join(line for line in lines if not line.startswith("#")).replace("\\\n", " ")
    found = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(instruction, argument) for instruction, argument in found]


def stages() -> list[list[Step]]:
    starts = [number for number, (name, _) in enumerate(steps()) if name == "FROM"]
    return [steps()[start:stop] for start, stop in zip(starts, [*starts[1:], None], strict=True)]


def arguments(stage: list[Step], name: str) -> list[str]:
    return [argument for instruction, argument in stage if instruction == name]


def test_it_builds_in_one_stage_and_runs_in_another() -> None:
    build, last = stages()
    assert arguments(build, "FROM")[0].endswith(" AS build")
    assert any("pip wheel" in argument for argument in arguments(build, "RUN"))
    assert arguments(last, "COPY") == ["--from=build /wheels /wheels"]
    assert any("--no-index" in argument for argument in arguments(last, "RUN"))


def test_both_stages_have_the_same_python_which_the_project_takes() -> None:
    pythons = [
        re.fullmatch(r"python:3\.(\d+)-slim", arguments(stage, "FROM")[0].split()[0]) for stage in stages()
    ]
    assert pythons[0] and pythons[1] and pythons[0][1] == pythons[1][1] and int(pythons[0][1]) >= 11


def test_it_copies_what_the_wheel_needs_and_what_exists() -> None:
    copied = [word for argument in arguments(stages()[0], "COPY") for word in argument.split()[:-1]]
    assert all((ROOT / word).exists() for word in copied)
    needed = {"pyproject.toml", "README.md", "LICENSE", "host", "functions", "triggers", "runtime", "conf"}
    assert set(copied) == needed


def test_it_runs_as_a_user_and_not_as_root() -> None:
    last = stages()[-1]
    users = arguments(last, "USER")
    made = [argument for argument in arguments(last, "RUN") if "useradd" in argument]
    assert users == ["fnhost"] and made[0].endswith(" fnhost")
    order = [name for name, _ in last]
    assert order.index("USER") < order.index("VOLUME") < order.index("ENTRYPOINT")


def test_its_state_is_a_volume_that_the_user_owns() -> None:
    last = stages()[-1]
    volume = arguments(last, "VOLUME")[0]
    assert f"--home-dir {volume} " in " ".join(arguments(last, "RUN"))
    assert f"FNHOST_STATE={volume}" in arguments(last, "ENV")[0].split()


def test_it_listens_where_it_says_and_is_asked_for_its_health_there() -> None:
    last = stages()[-1]
    settings = dict(word.split("=", 1) for word in arguments(last, "ENV")[0].split())
    assert settings["FNHOST_LISTEN"] == "0.0.0.0:5888" and settings["FNHOST_FIRST_TOKEN"] == "1"
    assert "FNHOST_ALLOW_ANONYMOUS" not in settings
    assert arguments(last, "EXPOSE") == ["5888"]
    health = json.loads(arguments(last, "HEALTHCHECK")[0].partition("CMD ")[2])
    compile(health[2], "HEALTHCHECK", "exec")
    assert "http://127.0.0.1:5888/livez" in health[2]


def test_it_says_that_the_port_belongs_on_loopback() -> None:
    assert "-p 127.0.0.1:5888:5888" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
