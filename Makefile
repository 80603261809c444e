# Two commands on a fresh machine: `make run` and `make test`. Works with GNU make 3.81 (macOS) and later.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SOURCES := shared services deploy tests
# further arguments of a command: make run ARGS="--port 9000", make test ARGS="tests/unit -k routing"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test check check-format check-lint check-types check-imports check-tests \
        bench bench-batch fuzz compose-test secrets token lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(READY) ## jalankan semuanya dan satu perjalanan / start everything, play a journey, run until Ctrl-C
	@exec $(BIN)/python -m deploy.local.run $(ARGS)

test: $(READY) ## semua uji / every test
	@command -v chromium > /dev/null || command -v google-chrome > /dev/null || $(BIN)/playwright install chromium || \
	  echo "No browser: the tests of the page will fail. On Debian: apt-get install chromium"
	@command -v softhsm2-util > /dev/null || \
	  echo "No SoftHSM: vaults are tested with files alone. On Debian: apt-get install softhsm2"
	@$(if $(ARGS),exec $(BIN)/python -m pytest $(ARGS),$(BIN)/python -m pytest $(TOGETHER) && exec $(BIN)/python -m pytest $(ALONE))

# The longest files come first, or one worker ends long after the other. tests/e2e/alone measures how long things take,
# so it runs alone, after these.
TOGETHER := --numprocesses 2 --dist loadfile --no-loadscope-reorder \
  tests/fuzz tests/e2e tests/integration tests/contract tests/unit --ignore tests/e2e/alone
ALONE := tests/e2e/alone

# keep compiled bytecode: otherwise each worker, and each service that a test starts, compiles everything again
unexport PYTHONDONTWRITEBYTECODE

check: $(READY) ## pemeriksaan cepat / format, lint, types, imports, unit and contract tests
	@$(MAKE) --no-print-directory -j2 check-types check-tests check-format check-lint check-imports

check-format: $(READY)
	@$(BIN)/ruff format --check --quiet . || { echo "run: $(BIN)/ruff format ."; exit 1; }

check-lint: $(READY)
	@$(BIN)/ruff check --quiet .

check-types: $(READY)
	@$(BIN)/mypy --strict --no-error-summary $(SOURCES)

check-imports: $(READY)
	@out=$$($(BIN)/lint-imports 2>&1) || { echo "$$out"; exit 1; }

check-tests: $(READY)
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile tests/unit tests/contract

bench: $(READY) ## ukur kinerja / hand-overs per second and latency, beside a bare endpoint
	@exec $(BIN)/python -m deploy.bench.run $(ARGS)

bench-batch: $(READY) ## ukur daftar orang / 600 people in one call, while others go on working
	@exec $(BIN)/python -m deploy.bench.batch $(ARGS)

fuzz: $(READY) ## uji masukan buruk, lama / a long schemathesis run over every service
	@ESTAFET_FUZZ=long $(BIN)/python -m pytest tests/fuzz --timeout=0 $(ARGS)

compose-test: $(READY) ## uji Docker Compose / start it, play the journey, restart, check, remove
	@exec $(BIN)/python -m deploy.compose.test $(ARGS)

secrets: $(READY) ## buat rahasia yang belum ada / make the secrets of a deployment where missing
	@$(BIN)/python -m deploy.credentials.secrets deploy/secrets $(ARGS)

token: $(READY) ## cetak token akses / an access token (ARGS="police --role officer --unit polres-74.01")
	@$(BIN)/python -m deploy.client.token $(ARGS)

lock: $(READY) ## perbarui berkas kunci / write the lock files again (ARGS=--upgrade for newer versions)
	@command -v uv > /dev/null || test -x $(VENV)/lock/bin/uv || { \
	  $(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install --quiet --disable-pip-version-check uv; }
	@set -e; PATH="$$PATH:$(VENV)/lock/bin"; \
	  compile="uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes"; \
	  compile="$$compile --no-emit-index-url --no-header $(ARGS)"; \
	  $$compile --extra dev --output-file requirements.lock; \
	  $$compile --constraint requirements.lock --output-file deploy/requirements.lock

clean: ## buang .run dan sisa uji / remove .run (with its data and keys) and the caches of tools
	@rm -rf .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache schemathesis-report
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# A change of the lock file rebuilds the environment. The stamp is written last, after a complete build.
$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Estafet needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)."; \
	  echo "Perlu Python 3.11 ke atas. Try: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV) || { \
	  echo "No virtual environment: on Debian, apt-get install python3-venv"; rm -rf $(VENV); exit 1; }
	@{ $(BIN)/python -m pip install --disable-pip-version-check --no-input --progress-bar off \
	     --require-hashes -r requirements.lock && : > $(VENV)/.installed; } \
	  | awk -v total="$$(grep -c '^[a-z].*==' requirements.lock)" \
	    '/^Collecting/ { printf "\rMenyiapkan lingkungan / environment: %d/%d", ++n, total; fflush() } \
	     /^Installing/ { printf "\rMenyiapkan lingkungan / environment: memasang, installing ..."; fflush() } \
	     END { print "" }'
	@test -f $(VENV)/.installed || { echo "The environment could not be made; see above."; exit 1; }
	@touch $@
