"""The tab `try` of a function's page: send an event, and see all that comes of it."""

from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

from conf.mqtt import DEFAULT_PORTS, OVER_TLS
from conf.topics import unshared
from host.access.scopes import INVOKE
from host.console.ground import Ground
from host.console.page import Shown, Tab
from host.deployment.specs import glance
from triggers.mqtt.plan import BrokerPlan, RulePlan

WORDS = ("form", "invocations", "outcome", "waterfall")


def make(ground: Ground) -> Tab:
    """The tab."""
    return Tab("try", TryTab(ground).load, verb=INVOKE, namespaces=WORDS)


class TryTab:
    """What it is filled with."""

    def __init__(self, ground: Ground) -> None:
        self._catalog = ground.watched.catalog
        self._mqtt = ground.watched.mqtt

    async def load(self, request: Request) -> Shown:
        """What may run the event, what it takes, and on which topics it would come."""
        deployed = self._catalog.get(request.path_params["item"])
        ready = sorted(
            (each for each in deployed.revisions.values() if each.state == "ready"),
            key=lambda each: each.number,
            reverse=True,
        )
        declared = [each.number for each in ready if glance(each.manifest_json).has_input]
        live = deployed.revisions.get(deployed.live or 0)
        ways = [_tell_way(rule, broker) for rule, broker in self._mqtt.ways(deployed.name)]
        accepts = glance(live.manifest_json).accepts if live else "json"
        numbers = [each.number for each in ready]
        return {"ready": numbers, "declared": declared, "accepts": accepts, "ways": ways}


def _tell_way(rule: RulePlan, broker: BrokerPlan) -> dict[str, Any]:
    """What a client has to know that sends to a rule."""
    url = urlsplit(broker.url)
    return {
        "rule": rule.name,
        "topic": unshared(rule.sub_topic),
        "host": url.hostname or "",
        "port": url.port or DEFAULT_PORTS[url.scheme],
        "scheme": url.scheme,
        "tls": url.scheme in OVER_TLS,
        "username": broker.username or "",
        "qos": 1,
    }
