"""What pickles import, call and tell is read from their opcodes, however they hide it, and nothing is run."""

import base64
import bz2
import gzip
import io
import lzma
import pickle
import random
import sys
import zipfile
import zlib
from pathlib import Path

import cloudpickle
import pytest

from runtime.worker.pickle_policy import PicklePolicy
from runtime.worker.pickle_streams import _unpack_lz4
from runtime.worker.pickles import PickleReport, find_pickles, inspect_pickle

# joblib.dump of numpy 2.4 arrays (numbers, texts, a Fraction as object, a structure), joblib 1.6; the second
# with compress=("lz4", 9).
JOBLIB_ZLIB = """
c-n=M-D=c86vvbOpmDeA7Hchd<7ImjPy~A+w6fxb11S`2uS%F?r%rV8;UvLsQK%P<yD)d2yhZ5)^(lOVdNRqb?W*;_WX_QD@tgmg
(@uG5)b<rNlu1E7_z-&{@a!lLld+ow{zt(;tvJ>3m6UXRAZd~?2|r--8&p|VntQ&WX$q>Vvp_9HBU;5`km{zKCJac6v<p1Na)ims
9HKwU#`uR@GY_L%M_VwRe1|>QAZ=y71jljSUZLp^F*5K}j|vfgcEgY+Fj0?dQr*v`B6uH#EXrJOoUs(hAoqG#b2Dz(&+W$9sW+?H
2hF~^Q<5e^nKAHAePO=Dd%RCtXTb0Bd;C6MQLWt@)L#~;w~?AZn)3Au=d@d%&#JCzcH8x1$?Px}Sy0QSmR-sGI7%~_`<YhpPi2X5
21C<>x~-{!+SjH0Kh*RP-|x<mq<$7)H&E7_#;@vQ$pW(-hLLtToJ*14D#g2Jzq|5>*ppbKLo6-9q?W*%y$8j59xlJBU0%$aoPg^4
u@G#A*59orhmBqbT9M5?9HL`{OqH452GrhvdY$Nrqs#<TKS7}rUhq|76u`GC_Tc#f`@-lEtALy=qcVfP-pBZd<@PT;hdsO
"""
JOBLIB_LZ4 = """
1R_lsKtRAb0ssI~fCQD=0098-5q*>>i~(Vkj1y{aVr*$*E^c*gaCu*FX=7__Wt5B&P7eU^13_|fVR=__VQ_F|a+H&lDS?zW0Ko`z
bz);|VRLhoj0H9TV3dppZe(FB0Q4A?la!1Fb7*03Wt2+-O9O_Kj0JCUWMy)ci~&QGj0I$Ld2nTvXb1`b@ePxdi~?pjl!=Iklv0!^
O9PAnJd{pOPD=m(|NjL5@&-!)bd+L@3Sn$)Z+Bm9ZDDYfh>RPm00D3S^$1^KY-wk1ZDnqBUt)Q5Wpk8E5Orb-{{a9Q0096a@IMIv
5<mw469@<Z6A%ahLli)jOCkVbi~(<yXaw;9`37hQXbNZxO9F+IXbor%Xb)%+i~>)#02_R^0FXa)lwxQXiD(#)07QTVm8@0(5f;1v
!Y*H9Z*pZWZFOvPX*U7?0gMb^a%E$0ZgX^Ubz^jtlUe}+f=d8}ltTexly?9T0g(V014{u9l>iU(1c_agD2xeaa$#e1X>V?Gl#B>Q
3;+ON0QCR?O9F<JQj|_*bd+K)l|u^wA9V`>3MN%Db^x(x6;4i0O9)E@O9%r25{Lr<6bO(3lVJb=0Ac_D0ApMLC6%sa0F-)^j0<CL
Y;0wl03ZubIs!puWJGBa0pBT7l#Bs*luH3~i~)0z00}q)Rxy$Qu^>*20dSOz0dbUuF#wP^XcS8ThLmVHyZ|d{G`s){djh{p2!@n(
OAJc^OAyci0v`YY00B?{004C^00000
"""
OF_JOBLIB = (
    "joblib.numpy_pickle.NumpyArrayWrapper",
    "numpy.ndarray",
    "numpy.dtype",
    "numpy._core.multiarray._reconstruct",
    "fractions.Fraction",
    "collections.OrderedDict",
)


class Runs:
    """Would write into the folder if it were unpickled."""

    def __reduce__(self) -> tuple[object, ...]:
        return print, ("run",)


def unpack(text: str) -> bytes:
    return base64.b85decode(text.replace("\n", ""))


def report_of(tmp_path: Path, content: bytes, name: str = "m.pkl") -> PickleReport:
    (tmp_path / name).write_bytes(content)
    return inspect_pickle(tmp_path / name)


@pytest.mark.parametrize("text", [JOBLIB_ZLIB, JOBLIB_LZ4], ids=["zlib", "lz4"])
def test_a_joblib_file_is_read_past_its_arrays_and_into_those_of_objects(tmp_path: Path, text: str) -> None:
    report = report_of(tmp_path, unpack(text), "m.joblib")
    assert (report.imports, report.fault) == (OF_JOBLIB, None)
    plain = zlib.decompress(unpack(JOBLIB_ZLIB))
    assert report_of(tmp_path, plain, "plain.joblib").imports == OF_JOBLIB


def test_an_array_that_was_cut_off_is_told(tmp_path: Path) -> None:
    cut = zlib.decompress(unpack(JOBLIB_ZLIB))[:-30]
    assert report_of(tmp_path, cut).fault == "ends in the middle of a pickle"


@pytest.mark.parametrize("protocol", range(6))
def test_what_is_called_when_a_pickle_is_loaded_is_told_in_every_protocol(
    tmp_path: Path, protocol: int, capsys: pytest.CaptureFixture[str]
) -> None:
    report = report_of(tmp_path, pickle.dumps([Runs(), random.Random], protocol))
    module = "__builtin__" if protocol < 3 else "builtins"
    assert report.calls == (f"{module}.print",)
    assert report.imports == (f"{module}.print", "random.Random")
    assert report.protocol == (protocol if protocol > 1 else 0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("content", "imports"),
    [
        # The name is put together from the memo, and stands nowhere before STACK_GLOBAL.
        (b"\x80\x04\x8c\x06system\x94\x8c\x02os\x940\x8c\x01x0h\x01h\x00\x93\x8c\x02id\x85R.", "os.system"),
        (b"(S'id'\nios\nsystem\n.", "os.system"),
        (b"(cos\nsystem\nS'id'\no.", "os.system"),
        (b"\x80\x02cos\nsystem\nq\x01h\x012(h\x01tR.", "os.system"),
        (b"\x80\x04N\x8c\x06system\x93.", "a name that it computes"),
        (b"\x80\x02\x82\x07.", "copyreg's extension 7"),
        (b"cos\nsystem\n0(I1\nl.", "os.system"),
    ],
)
def test_names_are_found_by_whatever_way_they_come(tmp_path: Path, content: bytes, imports: str) -> None:
    report = report_of(tmp_path, content)
    assert imports in report.imports


def test_what_the_result_of_a_call_is_called_for_is_told(tmp_path: Path) -> None:
    content = b"\x80\x02c__builtin__\ngetattr\ncos\npath\nX\x04\x00\x00\x00join\x86R)R."
    report = report_of(tmp_path, content)
    assert report.calls == ("__builtin__.getattr", "what __builtin__.getattr gives")


def test_the_python_of_byte_code_is_told(tmp_path: Path) -> None:
    report = report_of(tmp_path, cloudpickle.dumps(lambda x: x + 1))
    expected = {11: "3.11 or 3.12", 12: "3.11 or 3.12", 13: "3.13", 14: "3.14"}
    assert report.python == (expected[sys.version_info.minor],)
    assert report.foreign[0].startswith("cloudpickle.")


@pytest.mark.parametrize(
    "pack", [gzip.compress, bz2.compress, lzma.compress, zlib.compress], ids=lambda pack: str(pack.__module__)
)
def test_compressed_pickles_are_found_by_their_content(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    content = pack(pickle.dumps([bytes(3_000_000), random.Random]))
    assert report_of(tmp_path, content, "m.model").imports == ("random.Random",)
    assert list(find_pickles(tmp_path)) == [tmp_path / "m.model"]
    assert report_of(tmp_path, content[:-20], "m.model").fault is not None


def test_each_pickle_of_a_file_and_of_a_zip_is_read(tmp_path: Path) -> None:
    two = pickle.dumps(random.Random) + pickle.dumps(zlib.compress)
    assert report_of(tmp_path, two).imports == ("random.Random", "zlib.compress")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", two)
        archive.writestr("archive/data/0", b"\x80\x04 no pickle")
    assert report_of(tmp_path, buffer.getvalue(), "net.pt").imports == ("random.Random", "zlib.compress")
    assert {path.name for path in find_pickles(tmp_path)} == {"m.pkl", "net.pt"}


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\x80\x04\x8e" + (2**63 - 1).to_bytes(8, "little"), "ends in the middle"),
        (b"\x80\x04" + b"(" * 3, "ends in the middle"),
        (b"\x80\x04\xff.", "byte 0xff is no opcode"),
        (b"\x80\x04R.", "do not fit together"),
        (b"\x80\x04" + b"K\x01\x85" * 10 + b"u.", "do not fit together"),
        (b"x\x9c broken", "is compressed, and broken"),
        (b"\x1f\x8b broken", "is compressed, and broken"),
        (b"\x04\x22\x4d\x18\x40\x40\x00\x08\x00\x00\x00\x0fabcdefg", "is compressed with LZ4, and broken"),
        (b"PK\x03\x04 broken", "is a zip that cannot be read"),
        (b"", "ends in the middle"),
    ],
)
def test_what_cannot_be_read_gives_a_sentence(tmp_path: Path, content: bytes, fault: str) -> None:
    told = report_of(tmp_path, content).fault
    assert told is not None and fault in told


def test_a_pickle_of_too_many_opcodes_or_imports_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = b"\x80\x04" + b"".join(b"cos\nf%d\n0" % number for number in range(1001)) + b"N."
    assert "imports more than 1000 names" in str(report_of(tmp_path, many).fault)
    monkeypatch.setattr("runtime.worker.pickles.MOST_OPCODES", 4)
    assert report_of(tmp_path, b"\x80\x04N0.").fault is None
    assert "more opcodes than are read" in str(report_of(tmp_path, b"\x80\x04N0N.").fault)


def test_a_file_that_takes_too_long_is_left(tmp_path: Path) -> None:
    path = tmp_path / "m.joblib"
    path.write_bytes(zlib.compress(b"\x80\x04\x8e" + (2**40).to_bytes(8, "little") + bytes(30_000_000), 1))
    assert inspect_pickle(path, 0.0).fault == "takes too long to read; what comes later is not known"


def test_blocks_of_lz4_may_copy_from_those_before() -> None:
    head = b"\x04\x22\x4d\x18\x40\x40\x00"
    first, second = b"\x80abcdefgh", b"\x04\x08\x00\x20xy"
    blocks = b"".join(len(each).to_bytes(4, "little") + each for each in (first, second))
    content = io.BytesIO(head + blocks + b"\x03\x00\x00\x80raw" + bytes(4))
    assert b"".join(_unpack_lz4(content)) == b"abcdefgh" + b"abcdefgh" + b"xy" + b"raw"


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        (PicklePolicy(), set()),
        (PicklePolicy(deny=("os.*",)), {"posix.system", "os.system", "a name that it computes"}),
        (
            PicklePolicy(allow=("sklearn.*", "builtins.eval")),
            {"posix.system", "os.system", "a name that it computes", "numpy.ndarray"},
        ),
        (
            PicklePolicy(allow=("*",), deny=("builtins.eval",)),
            {"builtins.eval", "__builtin__.eval", "a name that it computes"},
        ),
    ],
)
def test_a_policy_refuses_names_by_all_that_they_are_known_by(
    policy: PicklePolicy, refused: set[str]
) -> None:
    names = ["posix.system", "os.system", "__builtin__.eval", "builtins.eval", "sklearn.svm.SVC"]
    names += ["numpy.ndarray", "a name that it computes"]
    assert {name for name in names if policy.refusal(name) is not None} == refused
