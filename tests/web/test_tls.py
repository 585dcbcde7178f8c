"""TLS on the web port: real handshakes with a real host, and files that are none."""

import contextlib
import shutil
import signal
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from conf.certificates import key_warning
from conf.faults import ConfigError
from conf.settings import gather_settings
from conf.web import ServerTls
from host.web.certificates import Certificates
from tests.cli.running import fnhost
from tests.hosts import RunningHost, wait_until
from tests.mqtt.certificates import Authority, Pair

ECHO = "def index(event, context):\n    return event\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates") / "ca")


@pytest.fixture(scope="module")
def device(authority: Authority) -> Pair:
    return authority.issue("device", "device-1")


def install(pair: Pair, folder: Path) -> None:
    shutil.copy(pair.certificate, folder / "host.pem")
    shutil.copy(pair.key, folder / "host.key")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[RunningHost]:
    folder = tmp_path_factory.mktemp("host")
    install(authority.issue("first"), folder)
    tls = f"tls: {{cert: host.pem, key: host.key, client_ca: {authority.certificate}}}\n"
    running = RunningHost(folder, tls + 'quotas: [{caller: "cert:device-*", concurrency: 8}]\n').start()
    yield running
    running.close()


def trusting(authority: Authority, own: Pair | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if own is not None:
        context.load_cert_chain(own.certificate, own.key)
    return context


def calling(host: RunningHost, context: ssl.SSLContext) -> httpx.Client:
    url = host.url.replace("127.0.0.1", "localhost")
    return httpx.Client(verify=context, base_url=url, timeout=30.0, trust_env=False)


def serial(host: RunningHost, context: ssl.SSLContext) -> str:
    """Of the certificate that a new connection is shown; no name is sent, as by who calls an address."""
    context.check_hostname = False
    port = int(host.url.rpartition(":")[2])
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    with plain, context.wrap_socket(plain) as encrypted:
        told = encrypted.getpeercert()
        assert told is not None
        return str(told["serialNumber"])


def test_a_caller_with_a_certificate_is_answered_and_known_by_its_name(
    host: RunningHost, authority: Authority, device: Pair
) -> None:
    assert host.url.startswith("https://127.0.0.1:")
    with calling(host, trusting(authority, device)) as client:
        package = host.folder / "package"
        package.mkdir()
        (package / "index.py").write_text(ECHO)
        made = fnhost_over_tls(host, authority, device, "deploy", str(package), "--name", "echo")
        assert "echo@1" in made, made
        for _ in range(4):
            answer = client.post("/invoke/echo", content=b"1")
            assert (answer.status_code, answer.json()) == (200, 1)
        assert answer.headers["strict-transport-security"] == "max-age=2592000"
        (row,) = client.get("/api/usage", headers={"authorization": f"Bearer {host.local_token()}"}).json()[
            "usage"
        ]
        assert (row["caller"], row["events"]) == ("cert:device-1", 4)


def fnhost_over_tls(host: RunningHost, authority: Authority, own: Pair, *words: str) -> str:
    both = host.folder / "both.pem"
    both.write_bytes(own.certificate.read_bytes() + own.key.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FNHOST_CA", str(authority.certificate))
        patch.setenv("FNHOST_CERT", str(both))
        done = fnhost(host.url.replace("127.0.0.1", "localhost"), *words)
    return done.output


def test_a_caller_without_a_certificate_or_with_an_old_tls_is_not_heard(
    host: RunningHost, authority: Authority, device: Pair
) -> None:
    stranger = Authority(host.folder / "stranger")
    for context in (trusting(authority), trusting(authority, stranger.issue("device", "device-1"))):
        with calling(host, context) as client, pytest.raises(httpx.TransportError):
            client.get("/livez")
    old = trusting(authority, device)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    assert serial(host, old)
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(OSError):
        serial(host, old)


def test_a_caller_that_speaks_no_tls_is_hung_up_on(host: RunningHost) -> None:
    port = int(host.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as plain:
        plain.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in plain.recv(1000)


def test_a_renewed_certificate_is_shown_to_newcomers_while_connections_live_on(
    host: RunningHost, authority: Authority, device: Pair
) -> None:
    context = trusting(authority, device)
    with calling(host, context) as client:
        assert client.get("/livez").status_code == 200
        before = serial(host, context)
        install(authority.issue("second"), host.folder)
        host.process.send_signal(signal.SIGHUP)
        wait_until(lambda: serial(host, context) != before, "the new certificate is shown")
        after = serial(host, context)
        assert client.get("/livez").status_code == 200
        (host.folder / "host.key").write_text("no key")
        host.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "config is not reloaded, and nothing has changed" in host.log(), "it is refused")
        assert serial(host, context) == after
        assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_who_resumes_a_session_is_judged_by_the_authorities_of_now(
    tmp_path: Path, authority: Authority, device: Pair, version: ssl.TLSVersion
) -> None:
    clients = tmp_path / "clients.pem"
    install(authority.issue("first"), tmp_path)
    shutil.copy(authority.certificate, clients)
    tls = ServerTls(cert=tmp_path / "host.pem", key=tmp_path / "host.key", client_ca=clients)
    certificates = Certificates(tls)
    context = trusting(authority, device)
    context.maximum_version, context.check_hostname = version, False
    session = shake(certificates, context, None)
    certificates.renew(tls)
    shake(certificates, context, session)
    shutil.copy(Authority(tmp_path / "other").certificate, clients)
    certificates.renew(tls)
    for known in (None, session):
        with pytest.raises(ssl.SSLError):
            shake(certificates, context, known)


def shake(
    certificates: Certificates, context: ssl.SSLContext, known: ssl.SSLSession | None
) -> ssl.SSLSession | None:
    """A handshake in memory, and a byte each way; returns the session as its caller knows it."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    caller = context.wrap_bio(back, there, session=known)
    server = certificates.context.wrap_bio(there, back, server_side=True)
    for end in (caller, server, caller, server):
        with contextlib.suppress(ssl.SSLWantReadError):
            end.do_handshake()
    server.write(b"1")
    assert caller.read() == b"1"
    for end in (caller, server, caller):
        # OpenSSL forgets a session whose ends did not take leave.
        with contextlib.suppress(ssl.SSLWantReadError):
            end.unwrap()
    return caller.session


@pytest.mark.parametrize(
    ("cert", "key", "more", "told"),
    [
        ("none.pem", "a.key", "", "tls.cert: "),
        ("a.pem", "b.key", "", "is not the key of the certificate"),
        ("a.key", "a.key", "", "are not a certificate and a key in PEM"),
        ("a.pem", "locked.key", "", "has a password"),
        ("a.pem", "a.key", ", client_ca: a.key", "holds no certificate"),
        ("a.pem", "a.key", ", min_version: 1.1", "tls.min_version: must be '1.2' or '1.3'"),
    ],
)
def test_files_that_are_none_are_told_before_the_start(
    authority: Authority, cert: str, key: str, more: str, told: str
) -> None:
    folder = authority.issue("a").key.parent
    authority.issue("b")
    authority._openssl("pkey", "-in", "a.key", "-aes128", "-passout", "pass:x", "-out", "locked.key")
    (folder / "fnhost.yaml").write_text(f"tls: {{cert: {cert}, key: {key}{more}}}\n")
    with pytest.raises(ConfigError) as raised:
        gather_settings({"config": str(folder / "fnhost.yaml")}, {})
    assert told in str(raised.value)


def test_a_key_that_others_can_read_is_warned_of(authority: Authority) -> None:
    pair = authority.issue("a")
    pair.key.chmod(0o640)
    assert key_warning(ServerTls(cert=pair.certificate, key=pair.key)) is None
    pair.key.chmod(0o644)
    assert "chmod 600" in str(key_warning(ServerTls(cert=pair.certificate, key=pair.key)))
