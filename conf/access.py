"""Who needs a token on a host that only its own machine reaches."""

from typing import Literal

from pydantic import Field

from conf.types import Section


class Access(Section):
    """Who needs a token; beyond loopback everybody does, whatever stands here."""

    invoke: Literal["open", "token"] = Field(
        default="open", description="whether callers on loopback may invoke functions without a token"
    )
    metrics: Literal["open", "token"] = Field(
        default="open", description="whether callers on loopback may read `/metrics` without a token"
    )
