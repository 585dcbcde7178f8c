"""A certificate authority for tests, made of the openssl command."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

CONFIG = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
rand_serial = yes
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
"""
ALWAYS = "20200101000000Z", "20990101000000Z"
LONG_AGO = "20200101000000Z", "20200102000000Z"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: Path
    key: Path


class Authority:
    """Issues certificates, each with a new key, into a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._folder = folder
        self.certificate = folder / "ca.pem"
        (folder / "index.txt").touch()
        (folder / "ca.conf").write_text(CONFIG.format(folder=folder))
        self._request("ca", "-x509", "-days", "2", "-subj", "/CN=test authority", "-out", "ca.pem")

    def issue(self, file: str, host: str = "localhost", valid: tuple[str, str] = ALWAYS) -> Pair:
        """A certificate for `host`, in place of what was in `file` before."""
        name = f"subjectAltName=DNS:{host}"
        self._request(file, "-subj", f"/CN={host}", "-addext", name, "-out", f"{file}.csr")
        sign = ["ca", "-batch", "-notext", "-config", "ca.conf", "-startdate", valid[0], "-enddate", valid[1]]
        self._openssl(*sign, "-in", f"{file}.csr", "-out", f"{file}.pem")
        return Pair(self._folder / f"{file}.pem", self._folder / f"{file}.key")

    def _request(self, file: str, *more: str) -> None:
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self._openssl("req", *key, "-keyout", f"{file}.key", *more)

    def _openssl(self, *command: str) -> None:
        done = subprocess.run(["openssl", *command], cwd=self._folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
