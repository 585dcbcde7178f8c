"""A zip or a folder becomes a package, or is refused with what is wrong and where."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from functions.errors import PackageError
from functions.package import Package, open_package, pack_folder
from tests.functions.zips import make_zip

INDEX = "def index(event, context):\n    return event\n"


def opened(tmp_path: Path, files: dict[str, str | bytes]) -> Package:
    return open_package(make_zip(tmp_path / "p.zip", files), tmp_path / "staging")


def refusal(tmp_path: Path, files: dict[str, str | bytes]) -> PackageError:
    with pytest.raises(PackageError) as caught:
        opened(tmp_path, files)
    assert not (tmp_path / "staging").exists()
    return caught.value


def test_a_zip_with_just_an_index_is_a_package(tmp_path: Path) -> None:
    package = opened(tmp_path, {"index.py": INDEX})
    assert package.root == tmp_path / "staging"
    assert package.manifest.accepts == "json"
    assert package.requirements == ()
    assert package.wheels is None
    assert package.default_name is None
    assert len(package.sha256) == 64


def test_the_single_top_folder_is_the_root_and_gives_the_name(tmp_path: Path) -> None:
    junk = {"__MACOSX/._index.py": "", ".DS_Store": "", ".git/config": ""}
    package = opened(tmp_path, {"水泵/index.py": INDEX, "水泵/model.pkl": b"x", **junk})
    assert package.root == tmp_path / "staging" / "水泵"
    assert package.default_name == "水泵"


def test_the_manifest_s_name_wins(tmp_path: Path) -> None:
    assert opened(tmp_path, {"a/index.py": INDEX, "a/function.yaml": "name: pump"}).default_name == "pump"


def test_an_index_at_the_top_wins_over_folders_that_have_one_too(tmp_path: Path) -> None:
    assert opened(tmp_path, {"index.py": INDEX, "lib/index.py": ""}).root == tmp_path / "staging"


def test_two_candidates_for_the_root_are_refused_and_both_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"a/index.py": INDEX, "b/index.py": INDEX})
    assert "a/index.py" in str(error) and "b/index.py" in str(error)


def test_a_zip_without_an_index_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"main.py": INDEX, "a/b/index.py": INDEX})
    assert error.entry == "index.py"
    assert "index.py" in str(error)
    refusal(tmp_path, {})


def test_what_lies_beside_the_top_folder_is_not_lost_silently(tmp_path: Path) -> None:
    assert "'model.pkl'" in str(refusal(tmp_path, {"a/index.py": INDEX, "model.pkl": b"x"}))


def test_the_handler_s_module_is_the_entry(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"function.yml": "handler: app.main:run", "app/main.py": INDEX}
    assert opened(tmp_path, files).manifest.handler == "app.main:run"
    (tmp_path / "other").mkdir()
    assert (
        refusal(tmp_path / "other", {"function.yml": "handler: main:run", "index.py": INDEX}).entry
        == "main.py"
    )


def test_two_manifests_are_refused(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"index.py": INDEX, "function.yml": "", "function.yaml": ""}
    assert "both" in str(refusal(tmp_path, files))


def test_a_model_that_is_not_in_the_package_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"index.py": INDEX, "function.yaml": "model: m.pkl"})
    assert error.entry == "m.pkl"


def test_a_manifest_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"index.py": INDEX, "function.yaml": "description: 水泵".encode("gbk")})
    assert error.entry == "function.yaml"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ndef index(event, context)\n    pass\n", "index.py:2: expected ':'"),
        (b"# coding: nonsense\n", "index.py: unknown encoding: nonsense"),
        ("x = " + "(" * 300 + ")" * 300, "index.py:1: too many nested parentheses"),
        ("x = " + "-" * 100_000 + "1", "index.py"),
        (b"x = 1\0", "index.py"),
    ],
)
def test_a_syntax_error_is_told_by_file_and_line(tmp_path: Path, source: str | bytes, message: str) -> None:
    error = refusal(tmp_path, {"index.py": source})
    assert error.entry == "index.py"
    assert str(error).startswith(message)


def test_the_syntax_of_another_python_is_left_to_that_python(tmp_path: Path) -> None:
    other = f"3.{sys.version_info.minor + 1}"
    opened(tmp_path, {"index.py": "syntax of the future", "function.yaml": f'python: "{other}"'})


def test_nothing_of_the_package_is_executed(tmp_path: Path) -> None:
    opened(tmp_path, {"index.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n", "json.py": "1 / 0"})
    assert not (tmp_path / "ran").exists()


def test_requirements_are_those_of_both_files(tmp_path: Path) -> None:
    lines = "# ours\nsix==1.16.0 \\\n    --hash=sha256:00  # pinned\n\n--index-url https://mirror/simple\n"
    files: dict[str, str | bytes] = {"requirements.txt": lines, "function.yaml": "requirements: [numpy]"}
    package = opened(tmp_path, {"index.py": INDEX, **files})
    assert package.requirements == (
        "six==1.16.0 --hash=sha256:00",
        "--index-url https://mirror/simple",
        "numpy",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_requirements_saved_on_windows_are_read(tmp_path: Path, encoding: str) -> None:
    package = opened(tmp_path, {"index.py": INDEX, "requirements.txt": "numpy\r\nsix\r\n".encode(encoding)})
    assert package.requirements == ("numpy", "six")


@pytest.mark.parametrize(
    "line",
    ["-e .", "-r /etc/shadow", "--no-binary :all:", "./x.whl", "wheels/x.whl", "x-1.0-py3-none-any.whl",
     "x @ file:///etc", "x @ https://h/${UV_TOKEN}", "https://h/x.whl", "??"],
)  # fmt: skip
def test_a_requirement_that_reaches_around_the_rules_is_refused_with_its_line(
    tmp_path: Path, line: str
) -> None:
    error = refusal(tmp_path, {"index.py": INDEX, "requirements.txt": f"six\n\n{line}\n"})
    assert str(error).startswith("requirements.txt:3: ")


@pytest.mark.parametrize(
    "line",
    ["numpy", "a.b_c-d[x,y]>=1,<2", "x; python_version<'3.12'", "x (>1)", "x @ https://h/x.whl",
     "x@git+https://h/x.git", "zip==1"],
)  # fmt: skip
def test_the_usual_requirements_are_taken(tmp_path: Path, line: str) -> None:
    assert opened(tmp_path, {"index.py": INDEX, "requirements.txt": line}).requirements == (line,)


def test_wheels_are_found_where_the_folder_has_moved_to(tmp_path: Path) -> None:
    package = opened(tmp_path, {"index.py": INDEX, "wheels/x-1-py3-none-any.whl": b"x"})
    moved = package.root.rename(tmp_path / "moved")
    assert replace(package, root=moved).wheels == moved / "wheels"


def folder_of(tmp_path: Path) -> Path:
    folder = tmp_path / "pump"
    for name in ("index.py", "lib/a.py", ".git/config", ".venv/x.py", "__pycache__/index.pyc", ".hidden"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(INDEX)
    return folder


def test_the_same_folder_packs_to_the_same_sha256(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    pack_folder(folder, tmp_path / "1.zip")
    os.utime(folder / "index.py", (0, 1_000_000_000))
    (folder / "index.py").chmod(0o600)
    pack_folder(folder, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_a_packed_folder_opens_without_what_is_hidden(tmp_path: Path) -> None:
    pack_folder(folder_of(tmp_path), tmp_path / "p.zip")
    root = open_package(tmp_path / "p.zip", tmp_path / "staging").root
    files = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert files == {"index.py", "lib/a.py"}


def test_a_link_inside_the_folder_is_packed_as_the_file_it_points_at(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (folder / "model.pkl").symlink_to("lib/a.py")
    pack_folder(folder, tmp_path / "p.zip")
    assert (open_package(tmp_path / "p.zip", tmp_path / "s").root / "model.pkl").read_text() == INDEX


def test_what_must_not_be_packed_is_refused_and_named(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    (tmp_path / "secret").write_text("s")
    for target in ("../secret", "lib", "nowhere/../../secret"):
        (folder / "odd").symlink_to(target)
        with pytest.raises(PackageError, match="odd"):
            pack_folder(folder, tmp_path / "p.zip")
        (folder / "odd").unlink()
    os.mkfifo(folder / "odd")
    with pytest.raises(PackageError, match="odd"):
        pack_folder(folder, tmp_path / "p.zip")
    with pytest.raises(PackageError, match="not a folder"):
        pack_folder(tmp_path / "none", tmp_path / "p.zip")


def test_a_folder_without_an_entry_module_is_told_as_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "main.py").touch()
    with pytest.raises(PackageError, match=r"notes has no index\.py; write one, or .*`fnhost init`"):
        pack_folder(folder, tmp_path / "p.zip")


def test_the_schema_of_events_is_read_from_its_file(tmp_path: Path) -> None:
    files = {"index.py": INDEX, "function.yaml": "input: event.json"}
    package = opened(tmp_path, {**files, "event.json": '\ufeff{"type": "object"}'})
    assert package.manifest.input == {"type": "object"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "is not in the package: add it"),
        ("[1]", "is no object; write a JSON Schema"),
        ('{"a": }', "is not JSON: Expecting value"),
        ('{"a": NaN}', "has a value that JSON cannot say"),
        (b"\xff", "is not JSON"),
        ("[" * 60_000, "is nested too deeply"),
        (" " * 65_537, "is larger than 65,536 bytes"),
    ],
)
def test_a_schema_file_that_is_none_is_refused_with_its_name(
    tmp_path: Path, content: str | bytes | None, told: str
) -> None:
    schema: dict[str, str | bytes] = {} if content is None else {"event.json": content}
    error = refusal(tmp_path, {"index.py": INDEX, "function.yaml": "input: event.json", **schema})
    assert error.entry == "event.json" and "event.json" in str(error) and told in str(error)
