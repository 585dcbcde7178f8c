"""The first token of a host that others reach and that nobody could make one for, as in a container."""

import logging
from pathlib import Path

from host.access.keeper import open_state
from host.access.token_file import FILE, write_private
from host.access.tokens import has_live_token

logger = logging.getLogger(__name__)

VARIABLE = "FNHOST_FIRST_TOKEN"
FIRST_FILE = "first.token"


def ensure_token(state_dir: Path) -> bool:
    """Whether the folder knows a token that opens something; one that never had any gets one for `admin`.

    That stands in `first.token`, for the host's user only. Raises AccessFileError and KeeperError.
    """
    if (state_dir / FILE).exists():
        return has_live_token(state_dir)
    with open_state(state_dir) as keeper:
        made = keeper.create_token(("admin",), None, "first")
        try:
            write_private(state_dir / FIRST_FILE, made["token"] + "\n")
        except OSError:
            keeper.revoke_token(made["id"])
            raise
    logger.warning("a first token, which may do everything, stands in %s", state_dir / FIRST_FILE)
    return True
