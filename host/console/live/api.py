"""`GET /console/live?channel=…`: the live feed as server-sent events."""

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from host.access.gate import actor_of, as_http, identity_of
from host.access.guard import refusal
from host.console.live.feed import MOST_CHANNELS, Feed, Looker, TooManyLookingError, UnknownChannelError
from triggers.asgi import Receive, Scope, Send

PLACE = "/console/live"
SOME_SECONDS = "10"
LONGEST_CHANNEL = 600


class LiveApi:
    """One endpoint."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def routes(self) -> list[Route]:
        """Where it is reached."""
        return [Route(PLACE, self.follow, methods=["GET"])]

    async def follow(self, request: Request) -> Response:
        """Say what the channels that were asked for say, until the caller hangs up."""
        return _Stream(self._feed, self._enter(request))

    def _enter(self, request: Request) -> Looker:
        channels = request.query_params.getlist("channel")
        if len(channels) > MOST_CHANNELS or any(len(each) > LONGEST_CHANNEL for each in channels):
            raise HTTPException(400, f"a page takes {MOST_CHANNELS} channels at most, of short names")
        try:
            for channel in channels:
                self._check(request, channel)
            actor = actor_of(request)
            return self._feed.enter(channels, f"{actor.name} {actor.peer}")
        except UnknownChannelError as error:
            raise HTTPException(404, str(error)) from None
        except TooManyLookingError as error:
            raise HTTPException(503, str(error), {"retry-after": SOME_SECONDS}) from None

    def _check(self, request: Request, channel: str) -> None:
        source, item = self._feed.find(channel)
        identity = identity_of(request)
        if not identity.may(source.verb, item):
            raise as_http(refusal(identity, source.verb))


class _Stream(StreamingResponse):
    """Leaves the feed, however it ends."""

    def __init__(self, feed: Feed, looker: Looker) -> None:
        super().__init__(feed.listen(looker), media_type="text/event-stream")
        self._feed = feed
        self._looker = looker

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._feed.leave(self._looker)
