# `make` lists what there is. Everything sets itself up; nothing needs to be activated.
.DEFAULT_GOAL := help
SHELL := bash
PY := .venv/bin/python
# The browser that scripts/browser.sh unpacks where apt has none; one named by the user wins.
UNPACKED := $(CURDIR)/.venv/bin/chromium-headless-shell
BROWSER := if [ -z "$$PIXTRAWL_CHROME" -a -x "$(UNPACKED)" ]; then export PIXTRAWL_CHROME="$(UNPACKED)"; fi;
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHON
# Bytecode is kept even where the environment forbids it: without it every process of the suite, and
# each of its workers, compiles all modules and rewrites all asserts anew (15 s of each worker).
unexport PYTHONDONTWRITEBYTECODE
PARALLEL := --dist loadfile --no-loadscope-reorder
# More workers than the two cores it is meant for: many tests wait.
WORKERS := 6
# Files of tests, a gigabyte of them, lie in memory where that has room: nothing of theirs has to
# outlive the machine, and every commit waits for a disk. tests/diskfaults and tests/power_cut make
# the disk that fails.
MEMORY := if [ "$$(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1)" -gt 4000000 ] 2>/dev/null \
  && ! grep -q ' /dev/shm .*noexec' /proc/mounts; then export TMPDIR=/dev/shm; fi;
EVERY := -m "slow or not slow"

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## Python environment and browser for working on pixtrawl
	@bash scripts/setup.sh dev

setup-demo:
	@bash scripts/setup.sh demo

demo: setup-demo ## a whole run with a real browser against a local site: the data set lies in .demo/
	@$(BROWSER) $(PY) scripts/demo.py

# Compiles packages, sources and tests in two processes, once, instead of in each of three workers.
compiled: setup
	@[ -d tests/net/__pycache__ ] || { \
	  $(PY) -m pytest -qq --collect-only tests/[a-m]*/ >/dev/null & \
	  $(PY) -m pytest -qq --collect-only tests/[n-z]*/ tests/test_*.py >/dev/null & wait; }

test: setup compiled ## the test suite, in parallel, without the internet
	@$(BROWSER) $(MEMORY) $(PY) -m pytest -n $(WORKERS) $(PARALLEL)

test-slow: setup compiled ## what the suite has a small counterpart of: large matrices, soaks, all examples of properties
	@$(BROWSER) $(MEMORY) TEST_EXAMPLES=all $(PY) -m pytest -n 3 $(PARALLEL) -m "slow or hypothesis"

test-again: setup ## the tests that failed last, one at a time: a fault fails again, an unsteady test is named
	@$(BROWSER) TEST_EXAMPLES=all $(PY) scripts/again.py

test-pythons: setup ## parser and core tests on the oldest and the newest Python that can be had here
	@bash scripts/pythons.sh

test-kills: setup ## a run and its data set killed sixty times each instead of twice: ten minutes
	TEST_KILLS=60 $(PY) -m pytest -q tests/resume/test_kill.py --timeout 1500

test-ray: setup ## jobs on real Ray nodes of this machine, killed in every way: ten minutes
	$(PY) -c 'import ray' 2>/dev/null || uv pip install --quiet --python $(PY) --group cluster
	PIXTRAWL_RAY_ROWS=300 $(PY) -m pytest -q tests/cluster/test_ray.py tests/cluster/test_kills.py --timeout 1200

test-cluster: setup ## jobs on many workers at size, with a real object store's server: some minutes
	$(PY) -c 'import moto, duckdb' 2>/dev/null || uv pip install --quiet --python $(PY) --group cluster
	PIXTRAWL_UNCLEAR_PUTS=1000 PIXTRAWL_CLUSTER_ROWS=2000 $(PY) -m pytest -q tests/cluster --timeout 1200

test-api: setup ## requests of every kind to the studio's API, 100 for each of its operations: ten minutes
	STUDIO_API_EXAMPLES=100 $(PY) -m pytest -q tests/studio/test_api_described.py

test-studio-kills: setup ## the studio killed twenty times while decisions are posted; the suite does it once
	STUDIO_KILLS=20 $(PY) -m pytest -q tests/studio/test_studio_kills.py

test-firefox: setup ## scrolling and keys of the studio's page in Firefox (Debian's firefox-esr, or PIXTRAWL_FIREFOX)
	@[ -n "$$PIXTRAWL_FIREFOX" ] || command -v firefox-esr firefox >/dev/null || bash scripts/firefox.sh
	$(PY) -m pytest -q tests/studio/page/test_firefox.py

lint: setup ## everything that reads the code: format, rules, types, layers
	ruff format --check .
	ruff check .
	mypy
	lint-imports --no-logo
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory types; \
	else echo "no npm here: the types of the studio's page are not checked"; fi

screens: setup ## the pictures of the studio in the docs, taken anew in both themes and three widths
	@$(BROWSER) $(PY) scripts/studio_screens.py

types: setup ## the types of the studio's page
	npm ci --silent --ignore-scripts --prefer-offline
	npm run --silent types

docs: setup ## the documentation site, into .docs/: no warning, no broken link
	sphinx-build -q -W --keep-going -b html docs .docs
	sphinx-build -q -W --keep-going -b linkcheck docs .docs/.linkcheck

variants: setup ## built wheel, no extras, oldest versions: each in an environment of its own
	bash scripts/variant.sh wheel
	bash scripts/variant.sh bare
	bash scripts/variant.sh oldest

audit: setup ## known weaknesses of the locked packages, where an advisory service can be reached
	@$(PY) scripts/audit.py

docs-check: setup ## what the documents say is true of the code
	$(PY) -m pytest -q $(EVERY) tests/project tests/docs

check: lint docs-check test ## what CI runs

format: setup ## rewrite files in the house format
	ruff format .
	ruff check --fix .

bench: setup ## the benchmark beside curl, the bare decoder and other tools (BENCH='--quick')
	@$(BROWSER) $(PY) -m bench $(BENCH)

peer-faults: setup ## what other downloaders do with each fault of the practice site (half an hour)
	$(PY) -m bench.peer_faults

proof-by-training: setup ## what each cleaning step is worth to a model trained on the images (PROOF='--seeds 5')
	$(PY) -m bench.training_proof $(PROOF)

soak: setup ## a long download from a partly hostile web: memory flat, sum exact (URLS=1000000)
	$(PY) -m bench.soak --urls $(or $(URLS),1000000) $(SOAK)

fuzz: setup ## fuzz every reader of untrusted bytes for FUZZ_SECONDS in all (900; FUZZ=names of targets)
	$(PY) -c 'import atheris' 2>/dev/null || uv pip install --quiet --python $(PY) --group fuzz
	$(PY) -m fuzz --seconds $(or $(FUZZ_SECONDS),900) $(FUZZ)

disk-faults: setup ## fail every disk call of a run in every way (an hour)
	$(PY) -m tests.diskfaults.whole

power-cuts: setup ## 500 power cuts at random moments of a run, each recovered by the same command (10 minutes)
	PIXTRAWL_POWER_CUTS=500 $(PY) -m pytest -q -n 2 $(EVERY) tests/power_cut

loaders: setup ## torchvision, timm, fastai, Ultralytics, Keras and datasets read a data set (6 GB, once)
	@bash scripts/loaders.sh

lock: setup ## resolve pyproject.toml into requirements/*.txt (UPGRADE=1: newest versions)
	bash scripts/lock.sh $(if $(UPGRADE),--upgrade)

clean: ## remove what was made here, the environment included
	rm -rf --one-file-system .pythons
