"""Deploys the sample packages over the host's API."""

from functions.package import pack_folder
from functions.sample_packages import sample_path
from host.client.client import Client
from host.client.errors import ClientError
from host.demo.faults import DemoError
from host.demo.screen import say
from host.private.folder import scratch_folder


def deploy_sample(url: str, name: str) -> None:
    """Deploy one and tell each step; blocks until it answers. Raises DemoError."""
    with scratch_folder("fnhost-demo-") as folder, Client(url) as client:
        package = folder / f"{name}.zip"
        pack_folder(sample_path(name), package)
        try:
            for message in client.deploy(package, {"name": name}):
                _tell(name, message)
        except ClientError as error:
            raise DemoError(f"the sample {name} was not deployed: {error}") from None


def _tell(name: str, message: dict[str, object]) -> None:
    match message.get("type"):
        case "step":
            say(f"{name}: {message.get('message')}")
        case "error":
            raise DemoError(f"the sample {name} was not deployed: {message.get('detail')}")
        case "done":
            say(f"{name}@{message.get('revision')} is live.")
