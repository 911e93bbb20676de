# `make demo` shows what this is, `make test` runs the tests; both do all their own set-up.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The main job on files of one's own: make demo CAPTIONS="en=talk.en.vtt ja=talk.ja.vtt"
CAPTIONS ?=

.PHONY: demo test test-fast test-citus check lint types imports matrix bench bench-cluster scale-out soak soak-day faults reference page-picture terminal-picture clean

demo: $(VENV)/.demo
	@$(BIN)/livetranslate-store demo $(if $(CAPTIONS),--captions $(CAPTIONS))

# Faults are among them, each a few times; `make faults` tries them in full.
test: $(VENV)/.development
	$(BIN)/pytest -n auto

# A first answer: unit and integration tests without the slow ones.
test-fast: $(VENV)/.development
	$(BIN)/pytest -n auto -m "not slow" tests/unit tests/integration

# The same tests on distributed tables, and the tests of a cluster: LIVETRANSLATE_TEST_CITUS_URL is the URL of a database
# on a Citus coordinator in which the extension exists and the workers are added.
test-citus: $(VENV)/.development
	@if [ -z "$$LIVETRANSLATE_TEST_CITUS_URL" ]; then \
		echo "Skipped: LIVETRANSLATE_TEST_CITUS_URL is missing, so there is no cluster to test on."; \
	else \
		$(BIN)/pytest -n auto tests/unit tests/integration tests/acceptance tests/faults tests/cluster; \
	fi

# Lint, types, import contracts, and the tests, which check the migrations too.
check: lint types imports test

lint: $(VENV)/.development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.development
	$(BIN)/mypy

imports: $(VENV)/.development
	$(BIN)/lint-imports

# Every Python, SQLAlchemy and PostgreSQL that is promised, as far as they are found here.
matrix: $(VENV)/.development
	$(BIN)/python tools/matrix.py

# The store against a floor written by hand, its lists, and one tenant among many; fails where a figure misses
# what it must reach.
bench: $(VENV)/.development
	@status=0; for part in benchmarks benchmarks.sessions benchmarks.tenants; do \
		$(BIN)/python -m $$part || status=1; \
	done; exit $$status

# A simulation of larger installations, without any server; fails unless it reproduces what was measured. Writes
# its tables in docs/scale.md.
scale-out: $(VENV)/.development
	$(BIN)/python -m benchmarks.scale_out

# A cluster beside a single server, in turns: SINGLE and CLUSTER are the URLs of two migrated, empty databases.
# Writes its table in docs/scale.md, and fails where a figure misses what it must reach.
bench-cluster: $(VENV)/.development
	$(BIN)/python -m benchmarks.beside_cluster $(SINGLE) $(CLUSTER)

# A hundred bots for four minutes and a bit, against limits that must hold; writes its table in docs/performance.md.
soak: $(VENV)/.development
	$(BIN)/python -m benchmarks.soak --page docs/performance.md

# A whole day of ten bots in some twenty minutes: does memory grow? Writes its table in docs/performance.md.
soak-day: $(VENV)/.development
	$(BIN)/python -m benchmarks.soak --day --page docs/performance.md

# Every fault in full, in less than fifteen minutes; writes the table in docs/reliability.md.
faults: $(VENV)/.development
	$(BIN)/pytest tests/faults --faults=docs/reliability.md

# The picture of a meeting's page, docs/page.png; needs Chromium, and fonts for Japanese and Arabic.
page-picture: $(VENV)/.development
	PYTHONPATH=tests $(BIN)/python tools/page_picture.py

# The picture of the command line, docs/terminal.svg.
terminal-picture: $(VENV)/.development
	$(BIN)/python tools/terminal_picture.py

# Writes the reference from the docstrings: build/reference/index.html.
reference: $(VENV)/.development
	$(BIN)/python tools/make_reference.py

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[embedded,formats]'
	touch $@

$(VENV)/.development: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) .matrix build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
