"""What a package imports and nothing provides is found without running it."""

import zipfile
from pathlib import Path

import pytest

from functions.errors import PackageError
from functions.imports import missing_imports

INDEX = """
import os, json as j
import numpy as np
import sklearn.ensemble
from PIL import Image
from pyboot.modules.gridsum.science.x.index import f
from . import near
from .helper import g
import helper
import lib.deep
import cloudpickle
try:
    import ujson
except ImportError:
    ujson = None

def index(event, context):
    import cv2
    return np.zeros(1)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "package"
    (root / "lib").mkdir(parents=True)
    (root / "index.py").write_text(INDEX)
    (root / "helper.py").write_text("import pandas, helper, numpy")
    (root / "lib" / "deep.py").write_text("from yaml import safe_load")
    return root


def found(package: Path, *requirements: str) -> dict[str, tuple[str, str]]:
    return {each.module: (each.distribution, each.where) for each in missing_imports(package, requirements)}


def test_each_import_is_told_once_with_its_distribution_and_place(package: Path) -> None:
    assert found(package) == {
        "PIL": ("pillow", "index.py:5"),
        "cv2": ("opencv-python-headless", "index.py:18"),
        "numpy": ("numpy", "helper.py:1"),
        "pandas": ("pandas", "helper.py:1"),
        "sklearn": ("scikit-learn", "index.py:4"),
        "yaml": ("PyYAML", "lib/deep.py:1"),
    }


def test_requirements_provide_what_they_are_and_what_they_bring(package: Path) -> None:
    lines = (
        "Scikit_Learn>=1.0",
        "pandas[excel]==2.*",
        "opencv-python",
        "pyyaml ; python_version > '3'",
        "pillow",
    )
    assert found(package, *lines) == {}


def test_a_zip_is_read_like_a_folder(package: Path, tmp_path: Path) -> None:
    packed = tmp_path / "package.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in package.rglob("*.py"):
            archive.write(path, f"top/{path.relative_to(package)}")
    assert set(found(packed)) == set(found(package))
    assert found(packed)["cv2"][1] == "top/index.py:18"


def test_code_that_does_not_compile_is_left_to_the_deploy(tmp_path: Path) -> None:
    (tmp_path / "index.py").write_text("import numpy\ndef (")
    (tmp_path / "deep.py").write_text("(" * 10_000)
    (tmp_path / "nul.py").write_bytes(b"import x\0")
    assert found(tmp_path) == {}


def test_what_is_no_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    for name in ("x.zip", "nowhere"):
        with pytest.raises(PackageError, match=name):
            missing_imports(tmp_path / name, ())
