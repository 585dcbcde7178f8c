"""What each route of the application needs, in one table; a route that is not in it needs `admin`."""

from dataclasses import dataclass

from host.access.scopes import ADMIN, DEPLOY, INVOKE, LOOK, METRICS, READ, Identity

NOTHING = ""
FUNCTION, INVOCATION, LETTERS = "/api/functions/{name}", "/api/invocations/{id}", "/api/dead-letters"
CHOICE = ("function", "rule", "error", "all")


@dataclass(frozen=True, slots=True)
class Need:
    """One of `verbs`, on the function that the path's `{name}` names if `named`, else on some function.

    `action` is what the audit log calls it, with the parameters `noted` (of path or query); where `told` the
    endpoint's own parts record how it ended, and only refusals are recorded here. What may come `often` and
    changes nothing stands beside refusals, where it pushes no deed out.
    """

    verbs: tuple[str, ...]
    named: bool = False
    action: str = ""
    noted: tuple[str, ...] = ()
    told: bool = False
    often: bool = False

    def scope(self, name: str) -> str:
        """The scope that would do, as it is told to who lacks it."""
        return f"{self.verbs[0]}:{name}" if self.named else self.verbs[0]

    def is_met(self, identity: Identity, name: str) -> bool:
        """Whether the caller may go on to the endpoint."""
        return any(verb == NOTHING or identity.may(verb, name if self.named else "") for verb in self.verbs)


_READ = Need((READ,))
_LOOK = Need((LOOK,))
_ADMIN = Need((ADMIN,))
_OPEN = Need((NOTHING,))
UNKNOWN = _ADMIN
"""What a route needs that is missing below."""
NO_ROUTE = _LOOK
"""What it takes to hear that there is no such path, or no such method of it."""

NEEDS = {
    "GET /livez": _OPEN,
    "GET /readyz": _OPEN,  # it tells details to those only who may look
    "GET /": _OPEN,  # a greeting, and for browsers a page that sees for itself who asks
    "GET /queue_size_metrics": _LOOK,
    "GET /metrics": Need((READ, METRICS)),  # open on loopback, unless `access.metrics` says otherwise
    "GET /api/openapi.json": _READ,
    "GET /api": _OPEN,  # a page with nothing in it: whoever signs in there has a token
    "GET /static/{name}": _OPEN,
    "GET /static/{folder}/{name}": _OPEN,
    "GET /console/live": _READ,
    # Pages see for themselves who asks: a browser is led to where it can sign in.
    "GET /console/": _OPEN,
    "GET /console/{page}": _OPEN,
    "GET /console/{page}/{item}": _OPEN,
    "GET /api/mqtt": _READ,
    "GET /api/mqtt/topics": _READ,
    "GET /api/mqtt/messages": _READ,
    "POST /api/mqtt/publish": Need((ADMIN,), action="mqtt.publish"),
    "GET /api/mqtt/listen": Need((ADMIN,), action="mqtt.listen", noted=("broker", "filter")),
    "GET /api/delivery": _READ,
    "GET /api/status": _READ,
    "GET /api/timers": _READ,
    "GET /api/usage": _READ,
    "GET /api/metrics": _READ,
    "GET /api/functions": _READ,
    # The package may name the function, so which one it is, is asked once it is read.
    "POST /api/functions": Need((DEPLOY,), action="deploy", noted=("name", "default_name"), told=True),
    f"GET {FUNCTION}": _READ,
    f"DELETE {FUNCTION}": Need((DEPLOY,), named=True, action="remove", noted=("name",)),
    f"POST {FUNCTION}/scale": Need((DEPLOY,), named=True, action="scale", noted=("name",)),
    f"GET {FUNCTION}/why": _READ,
    f"POST {FUNCTION}/try": Need((INVOKE,), named=True, action="try", noted=("name",), often=True),
    f"GET {FUNCTION}/saved-events": _READ,
    # Where invoking needs no token this does; the endpoint sees whether the caller may invoke the function.
    f"PUT {FUNCTION}/saved-events": _READ,
    f"DELETE {FUNCTION}/saved-events": _READ,
    f"GET {FUNCTION}/logs": _READ,
    f"GET {FUNCTION}/revisions/{{number}}": _READ,
    f"GET {FUNCTION}/revisions/{{number}}/build-log": _READ,
    f"GET {FUNCTION}/revisions/{{number}}/environment": _READ,
    f"GET {FUNCTION}/revisions/{{number}}/setup": _ADMIN,  # what stands in variables may be anything
    "POST /api/config": Need((ADMIN,), action="config.apply"),
    "GET /api/config": _ADMIN,
    "PUT /api/config": Need((ADMIN,), action="config.write"),
    "GET /api/config/schema": _ADMIN,
    "POST /api/config/check": _ADMIN,
    # Its id is as good as a password; the endpoint sees whether the caller may invoke its function.
    f"GET {INVOCATION}": Need((INVOKE, READ)),
    f"GET {INVOCATION}/result": Need((INVOKE, READ)),
    f"DELETE {INVOCATION}": Need((INVOKE,)),
    f"GET {LETTERS}": _READ,
    f"GET {LETTERS}/{{seq}}": _READ,
    f"DELETE {LETTERS}": Need((ADMIN,), action="letters.drop", noted=CHOICE),
    f"DELETE {LETTERS}/{{seq}}": Need((ADMIN,), action="letters.drop", noted=("seq",)),
    f"POST {LETTERS}/replay": Need((ADMIN,), action="letters.replay", noted=CHOICE),
    f"POST {LETTERS}/{{seq}}/replay": Need((ADMIN,), action="letters.replay", noted=("seq",)),
    "GET /api/devices": _READ,
    "GET /api/device": _READ,
    "GET /api/records": _READ,
    "GET /api/records/{id}": _READ,
    # It shows what came of somebody's event; the endpoint sees whether the caller may invoke the function.
    "POST /api/records/{id}/replay": Need((READ,), action="records.replay", noted=("id", "on"), often=True),
    "GET /api/tokens": _ADMIN,
    "POST /api/tokens": Need((ADMIN,), action="token.create"),
    "DELETE /api/tokens/{id}": Need((ADMIN,), action="token.revoke", noted=("id",)),
    "GET /api/audit": _ADMIN,
    "GET /api/audit/chain": _ADMIN,
    "GET /api/session": _OPEN,  # it says who the caller is, which may be nobody
    "POST /api/session": _OPEN,  # the token is in the body
    "DELETE /api/session": _OPEN,
    "POST /api/session/code": _READ,
}
