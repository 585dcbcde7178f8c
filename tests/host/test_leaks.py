"""No password that the config holds is in anything that the host writes or answers, whatever goes wrong."""

from pathlib import Path

import click.testing

from host.cli.config import config as config_command
from tests.host.test_secrets import apply, written
from tests.hosts import RunningHost, StartHost, wait_until

PASSWORDS = ("brokerpass-1f", "modelpass-2f", "modeltoken-3f", "bridgepass-4f", "secretpass-5f", "envpass-6f")
BROKER, MODEL, TOKEN, BRIDGE, SECRET, VARIABLE = PASSWORDS
ANSWERS = (
    *("api/functions", "api/functions/f", "api/functions/g", "api/functions/g/logs", "api/functions/g/why"),
    *("api/mqtt", "api/delivery", "api/dead-letters", "api/timers", "queue_size_metrics", "readyz"),
)


def config(more: str = "") -> str:
    """Nothing listens on port 1: every connection fails, and is told."""
    return f"""
secrets: {{KEY: {SECRET}}}
mqtts: [{{name: b, broker: "tcp://127.0.0.1:1", username: u, password: {BROKER}}}]
rules:
- sub: {{name: b, clientId: in, topic: in}}
  pub: {{name: b, clientId: out, topic: out}}
funcs:
- {{modelName: f, modelAddress: "http://u:{MODEL}@127.0.0.1:1/f.zip?token={TOKEN}", download: true}}
- {{modelName: g, env: {{TOKEN: {VARIABLE}}}}}
bridges:
- name: cars
  input: {{http_client: {{url: "http://u:{BRIDGE}@127.0.0.1:1/car"}}}}
  output: {{mqtt: {{urls: ["tcp://127.0.0.1:1"], topic: cars}}}}
{more}"""


def answers(host: RunningHost) -> str:
    return "\n".join(host.client.get(f"{host.url}/{path}").text for path in ANSWERS)


def test_nothing_that_the_host_writes_or_answers_holds_a_password_of_its_config(
    start_host: StartHost,
) -> None:
    host = start_host(config())
    code = {"index.py": "def index(event, context):\n    return context.function_name\n"}
    assert host.deploy({**code, "function.yaml": "secrets: [KEY]\n"}, "g")["type"] == "done"
    wait_until(lambda: "127.0.0.1:1" in host.log() and "f.zip" in host.log(), "both failures are told")
    wait_until(lambda: "cars" in host.log(), "the bridge's failure is told")
    told = answers(host)
    told += repr(apply(host, config("limits: {max_body: 1MiB}")))
    (host.folder / "broken.yaml").write_text(config("limits: {max_body: many}"))
    path = {"path": str(host.folder / "broken.yaml")}
    refused = host.client.post(f"{host.url}/api/config", json=path)
    assert refused.status_code == 422
    host.stop()
    everything = written(host.state).decode("utf-8", "replace") + host.log() + told + refused.text
    assert [password for password in PASSWORDS if password in everything] == []


def test_checking_and_converting_a_config_tells_no_value_of_a_reference(tmp_path: Path) -> None:
    file = tmp_path / "old.yaml"
    file.write_text(config("limits: {max_body: '${env:SECRET}'}").replace(BROKER, "${env:PASSWORD}"))
    runner = click.testing.CliRunner(env={"PASSWORD": BROKER, "SECRET": "hidden-7f"})
    for command in ("check", "convert"):
        output = runner.invoke(config_command, [command, str(file)]).output
        assert BROKER not in output and "hidden-7f" not in output
