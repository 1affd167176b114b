# Everything here works on a fresh machine with Python >= 3.11 and make; each target makes .venv itself.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
NODE_STAMP := tests/clients/node_modules/.installed

.PHONY: install demo test quick check bench soak soak-kill lock clean

install: $(STAMP)  ## .venv with everything in it, for production

demo: $(STAMP)  ## the whole product on this machine, with a simulated region
	$(BIN)/kallelse demo

test: $(STAMP) $(NODE_STAMP)  ## the whole suite, both databases
	$(BIN)/pytest -n 4 --dist worksteal

quick: $(STAMP)  ## the quick part of the suite, under a minute
	$(BIN)/pytest -n 3 --dist worksteal -m "not slow and not fault"

check: $(STAMP)  ## lint, types, architecture, house rules
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/rules

bench: $(STAMP)  ## ratios side by side, in one run
	$(BIN)/python -m tests.bench

soak: $(STAMP)  ## the long runs, a figure at the end of each
	$(BIN)/python -m tests.soak

soak-kill: $(STAMP)  ## kill -9 at 50 random moments while 20,000 deliveries go out, databases and brokers broken too
	$(BIN)/python -m tests.soak kill

# The caldav client brings urllib3-future, whose start-up hook puts it in urllib3's place for everybody: the hook goes,
# and urllib3 is put back. tests/rules/test_tools.py watches.
$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("Kallelse needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	rm -f .venv/lib/python3.*/site-packages/urllib3_future.pth
	awk '/^[a-z]/ { wanted = /^urllib3==/ } wanted' requirements.lock > .venv/urllib3.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --force-reinstall --no-deps --require-hashes -r .venv/urllib3.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

# Calendar programs in JavaScript, for the tests alone. Where npm cannot install them, those tests say so in a line each.
$(NODE_STAMP): tests/clients/package.json tests/clients/package-lock.json
	-command -v npm > /dev/null && cd tests/clients && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.installed

lock:  ## after a change of dependencies; needs uv
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate -o requirements.lock

clean:
	rm -rf .venv tests/clients/node_modules
