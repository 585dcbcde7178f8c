"""The private host as a process: `python -m host.authoring.serving STATE LISTEN FUNCTION`."""

import sys
from pathlib import Path

from conf.settings import gather_settings
from host.authoring.telling import TellingPart
from host.serve import serve


def main(state: Path, listen: str, function: str) -> int:
    """Serve what is deployed, and tell of `function`; no config and no setting of the environment holds."""
    settings = gather_settings({"state": state, "listen": listen, "log_form": "text"}, {})
    return serve(settings, [lambda base: TellingPart(base, function)])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
