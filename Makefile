# Everything a newcomer needs; each command sets up what it needs by itself. Wanted: Python 3.11+, make, git.

VENV := .venv
READY := $(VENV)/.ready
BIN := $(VENV)/bin
export PATH := $(PATH):/usr/sbin:/usr/local/sbin
MAKEFLAGS += --no-print-directory

.PHONY: venv demo test torture fuzz bench screenshots lint clean mosquitto chromium

venv: $(READY)

# The extras and their versions stand in pyproject.toml: only when it changes is anything installed again.
$(READY): pyproject.toml
	@for python in $$PYTHON python3 python3.14 python3.13 python3.12 python3.11; do \
	    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && found=$$python && break; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "fnhost needs Python 3.11 or newer, and there is none on the PATH: install it (Debian: apt-get install python3 python3-venv), or say where it is: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "$$found cannot make a venv: install its venv module (Debian: apt-get install python3-venv)" >&2; exit 1; \
	fi; \
	echo "venv: $$("$$found" --version) in $(VENV)"; \
	"$$found" -m venv --clear $(VENV)
	@echo "venv: installing fnhost and its development tools (a minute or two, the first time)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# make demo runs until Ctrl-C; make demo ONCE=1 ends after enough right answers were seen.
demo: $(READY)
	@$(BIN)/fnhost demo $(if $(ONCE),--once)

# A file's tests stay in one process, so that those that share a host share one. The slow files start first.
test: $(READY) mosquitto chromium
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# FAULTS=20 EVENTS=4000 make torture is short; SEED=N does again what another run did.
torture: $(READY) mosquitto
	@$(BIN)/python -m tests.torture $(if $(FAULTS),--faults $(FAULTS)) $(if $(EVENTS),--events $(EVENTS)) $(if $(SEED),--seed $(SEED))

# FUZZ_SECONDS=60 make fuzz is short; SEED=N does again what another run did, ONLY=zips fuzzes only these.
fuzz: $(READY)
	@$(BIN)/python -m tests.fuzz $(if $(FUZZ_SECONDS),--seconds $(FUZZ_SECONDS)) $(if $(ONLY),--only $(ONLY)) $(if $(SEED),--seed $(SEED))

# ONLY=load,mqtt make bench measures these sections only; a full run takes some 20 minutes.
bench: $(READY)
	@$(BIN)/python -m tests.bench $(if $(ONLY),--only $(ONLY))

# Pictures of the console's pages while a plant works, in .screenshots: ONLY=overview,flow-dark make screenshots takes these.
screenshots: $(READY) mosquitto chromium
	@$(BIN)/python -m tests.screenshots $(if $(ONLY),--only $(ONLY))

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

# Debian may start a mosquitto of its own on port 1883; the tests start theirs on other ports.
mosquitto:
	@if command -v mosquitto >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "the tests need a real mosquitto: install it first (Debian: sudo apt-get install mosquitto)" >&2; exit 1; \
	fi; \
	echo "mosquitto: installing Debian's"; \
	if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends mosquitto; } >/dev/null; then \
	    echo "mosquitto could not be installed with apt-get: install it by hand, the tests need it" >&2; exit 1; \
	fi

# Half a minute. Where it cannot be had, the test of the pages is skipped, and says so.
chromium:
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then exit 0; fi >/dev/null; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "chromium: installing Debian's"; \
	    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium; } >/dev/null || true; \
	fi

clean:
	@rm -rf $(VENV) .demo .bench .screenshots dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +
