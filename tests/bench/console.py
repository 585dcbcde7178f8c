"""The console: how soon each page is seen, how heavy it is, and what the overview costs while it is open."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from host.console.site import NAVIGATION
from tests.bench.goals import Goal, at_most, interval, percentile
from tests.bench.mqtt import FUNCTION, PACED, RATE, SETTINGS, running_host, shoot, target_of
from tests.bench.part import Part, Run, Table, UnmeasuredError, figures, need_tool
from tests.brokers import Mosquitto
from tests.browser import Browser, browsing
from tests.console.console import go, sign_in
from tests.console.judging import settle
from tests.hosts import RunningHost

LONGEST_PAINT = 300.0
HEAVIEST = 250.0
MOST_OF_A_CORE = 3.0
HEAVY = ("settings",)
"""What may weigh more: it brings the schema of the whole config."""
TABS = ("try", "live", "metrics", "logs", "revisions", "why", "environment")
PLACES = {
    **{name: "/" if name == NAVIGATION[0] else f"/console/{name}" for name in NAVIGATION},
    **{f"function, {tab}": f"/console/functions/{quote(FUNCTION)}?tab={tab}" for tab in TABS},
}
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
COLUMNS = ("console", "first paint ms", "KB")


@dataclass(frozen=True)
class Seen:
    """Milliseconds from each navigation to a page's first paint, and its kilobytes as they come."""

    paints: tuple[float, ...]
    weight: float


@dataclass(frozen=True)
class Cost:
    """Per cent of a core that the host takes at the load, round by round; bytes per second of the feed."""

    closed: Sequence[float]
    opened: Sequence[float]
    feed: Sequence[float]

    @property
    def more(self) -> list[float]:
        """Per cent of a core that the open overview adds, round by round."""
        return [one - other for one, other in zip(self.opened, self.closed, strict=True)]


def measure_console(run: Run) -> Part:
    """Open each page some times, then the overview at 1,000 events/s in every other shot."""
    need_tool("mosquitto")
    broker = Mosquitto(run.folder, settings=SETTINGS)
    broker.start()
    try:
        with running_host(run.folder, broker.port) as host, _browser(run) as browser:
            sign_in(browser, host)
            browser.call("Network.enable")
            seen = {name: _see(browser, host, path, run) for name, path in PLACES.items()}
            cost = _measure_cost(browser, host, broker.port, run)
    finally:
        broker.kill()
    return Part(
        "console", tuple(goals(seen, cost)), (_table(seen), figures("console", _rows(cost))), (seen, cost)
    )


def goals(seen: Mapping[str, Seen], cost: Cost) -> list[Goal]:
    """What was asked of it."""
    paints = [paint for each in seen.values() for paint in each.paints]
    weights = {name: each.weight for name, each in seen.items() if name not in HEAVY}
    heaviest = max(weights, key=lambda name: weights[name])
    return [
        Goal(
            f"console, first paint of any page, p99 ≤ {LONGEST_PAINT:g} ms",
            f"{percentile(paints, 99):.0f} ms (median {percentile(paints, 50):.0f})",
            percentile(paints, 99) <= LONGEST_PAINT,
        ),
        at_most(f"console, heaviest page ({heaviest})", interval([weights[heaviest]]), HEAVIEST, " KB"),
        at_most(f"console, overview open at {PACED}", interval(cost.more), MOST_OF_A_CORE, " % of a core"),
    ]


def _table(seen: Mapping[str, Seen]) -> Table:
    rows = tuple((name, str(interval(each.paints)), f"{each.weight:.0f}") for name, each in seen.items())
    return Table(COLUMNS, rows)


def _rows(cost: Cost) -> dict[str, str]:
    return {
        f"the host at {PACED}, no page open": f"{interval(cost.closed)} % of a core",
        f"the host at {PACED}, the overview open": f"{interval(cost.opened)} % of a core",
        "the overview's live feed": f"{interval(cost.feed)} KB/s",
    }


@contextlib.contextmanager
def _browser(run: Run) -> Iterator[Browser]:
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        raise UnmeasuredError("chromium is not installed (Debian: apt-get install chromium)")
    folder = run.folder / "browser"
    folder.mkdir()
    with browsing(folder) as browser:
        yield browser


def _see(browser: Browser, host: RunningHost, path: str, run: Run) -> Seen:
    browser.call("Network.setCacheDisabled", cacheDisabled=True)
    paints, weight = [], 0.0
    for _ in range(run.plan.repeats.restarts):
        browser.received = 0
        go(browser, host, path)
        settle(browser)
        browser.wait_for(PAINTED, "it is painted")
        paints.append(float(browser.run(PAINTED)))
        weight = browser.received / 1000
    return Seen(tuple(paints), weight)


def _measure_cost(browser: Browser, host: RunningHost, port: int, run: Run) -> Cost:
    target, seconds = target_of(host, port), run.plan.idle
    shares: dict[bool, list[float]] = {False: [], True: []}
    feed = []
    for number in range(run.plan.rounds):
        run.say(f"  round {number + 1} of {run.plan.rounds}")
        for is_open in (number % 2 == 0, number % 2 == 1):
            _show(browser, host, is_open)
            before = browser.streamed
            shares[is_open].append(shoot(target, PACED, seconds).front_cpu * RATE / 1e4)
            browser.run("0")  # takes what the browser has told meanwhile
            feed += [(browser.streamed - before) / seconds / 1000] if is_open else []
    return Cost(shares[False], shares[True], feed)


def _show(browser: Browser, host: RunningHost, is_open: bool) -> None:
    if is_open:
        go(browser, host, "/")
        settle(browser)
    else:
        browser.call("Page.navigate", url="about:blank")
        browser.wait_for("location.href === 'about:blank'", "no page is open")
