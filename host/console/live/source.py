"""Where the live feed has a channel from."""

from typing import Any

from host.access.scopes import READ


class Source:
    """Tells one kind of channel: `overview`, or for an item `function:industry`.

    `every` is after how many ticks of the feed (four a second) it is asked again. It is asked on the event
    loop, once for all who look, and only while somebody looks: what takes long does not belong here.
    `items` says that it tells of items: else it has one channel, whose news nobody takes from others.
    """

    name = "source"
    verb = READ
    every = 4
    items = False

    def opened(self, item: str) -> None:
        """The first one looks; raises KeyError where there is no such item."""

    def closed(self, item: str) -> None:
        """The last one has gone."""

    def begin(self, item: str) -> Any:
        """All there is to know, as JSON has it, for somebody who begins to look; None: nothing."""
        return self.tell(item)

    def tell(self, item: str) -> Any:
        """What is told to all who look; None: there is nothing new."""
        return None
