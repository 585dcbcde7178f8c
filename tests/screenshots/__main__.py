"""Takes them: `python -m tests.screenshots [--only NAME,...] [--warm SECONDS]`.

They go to `.screenshots/`, and those that the README shows to `docs/console/`, too.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.browser import browsing
from tests.console.console import sign_in
from tests.hosts import ROOT
from tests.plant.machines import Pace
from tests.plant.plant import Plant, running_plant
from tests.screenshots.palette import shrink
from tests.screenshots.shots import Shot, shots, take

TARGET = ROOT / ".screenshots"
SHOWN = ROOT / "docs" / "console"
IN_README = ("overview", "function-live")


def main() -> None:
    """Have the plant work for a while, then take each picture."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.screenshots", description="Take pictures of the console."
    )
    parser.add_argument("--only", default="", help="names of pictures, with commas")
    parser.add_argument("--warm", type=float, default=90.0, help="seconds of work before the first picture")
    told = parser.parse_args()
    names = set(told.only.split(",")) - {""}
    wanted = [shot for shot in shots() if not names or shot.name in names]
    with tempfile.TemporaryDirectory(prefix="screenshots-") as folder:
        plant_folder = Path(folder, "plant")
        plant_folder.mkdir()
        with running_plant(plant_folder) as plant, plant.work(Pace()):
            print(f"the plant works at {plant.host.url} for {told.warm:g} s", file=sys.stderr)
            time.sleep(told.warm)
            plant.settle()
            take_all(plant, wanted, Path(folder))


def take_all(plant: Plant, wanted: list[Shot], folder: Path) -> None:
    """Write each picture, and say so."""
    TARGET.mkdir(exist_ok=True)
    with browsing(folder) as browser:
        browser.resize(1280)
        sign_in(browser, plant.host)
        for shot in wanted:
            file = TARGET / f"{shot.name}.png"
            file.write_bytes(take(browser, plant.host, shot))
            if shot.name in IN_README:
                (SHOWN / file.name).write_bytes(shrink(file.read_bytes()))
            print(f"{file.relative_to(ROOT)} {file.stat().st_size // 1024} KiB", file=sys.stderr)


if __name__ == "__main__":
    main()
