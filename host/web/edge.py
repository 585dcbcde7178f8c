"""What the config says of callers over HTTP: names and pages, certificates, quotas; all may change."""

from conf.address import Address
from conf.models import Config
from conf.quotas import Quota
from conf.settings import Settings
from host.web.certificates import Certificates, needs_restart
from host.web.front_door import Application, FrontDoor
from host.web.known_heads import KnownHeads
from host.web.origin_check import OriginCheck
from host.web.server import Door
from runtime.events import Event
from runtime.quotas import Allowance, Quotas
from triggers.http import Accept, HttpTrigger
from triggers.invocations.wish import Wish
from triggers.store.rows import Invocation


class Edge:
    """Owns them; raises ConfigError for certificates that are none."""

    def __init__(self, settings: Settings) -> None:
        config = settings.config
        self.origin_check = OriginCheck(config.web, Address(settings.listen_host, settings.listen_port))
        self.quotas = Quotas(make_allowances(config.quotas))
        self._certificates = Certificates(config.tls) if config.tls else None
        self._tls = config.tls
        self._heads: KnownHeads | None = None

    def door(self, trigger: HttpTrigger, api: Application) -> Door:
        """What the sockets lead to."""
        self._heads = KnownHeads(trigger, self.origin_check.is_plain)
        return Door(FrontDoor(trigger, api, self.origin_check), self._heads, self._certificates)

    def charging(self, accept: Accept) -> Accept:
        """`accept`, within the rates of quotas."""

        async def charged(target: str, event: Event, wish: Wish) -> Invocation:
            self.quotas.charge(event.caller)
            return await accept(target, event, wish)

        return charged

    def renew(self, config: Config) -> None:
        """Read its certificates again; raises ConfigError, and has changed nothing then."""
        if (
            self._certificates is not None
            and config.tls is not None
            and not needs_restart(self._tls, config.tls)
        ):
            self._certificates.renew(config.tls)

    def apply(self, config: Config) -> None:
        """Go over to what else another config says."""
        self.origin_check.apply(config.web)
        self.quotas.apply(make_allowances(config.quotas))
        if self._heads is not None:
            self._heads.forget()


def make_allowances(quotas: tuple[Quota, ...]) -> tuple[Allowance, ...]:
    """The config's quotas, in their order."""
    return tuple(
        Allowance(
            each.caller,
            each.rate.count if each.rate else None,
            each.rate.interval if each.rate else 1.0,
            each.concurrency,
        )
        for each in quotas
    )
