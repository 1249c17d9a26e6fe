# make demo: from nothing to a summary of 100 classified pictures. make test: every test that needs neither Docker nor torch.
PYTHON ?= $(firstword $(foreach v,3.13 3.12 3.14 3.11,$(shell command -v python$(v) >/dev/null 2>&1 && python$(v) -c 'import sys' >/dev/null 2>&1 && echo python$(v))) python3)
UV := .tools/bin/uv
# Environments at a time; much of each is waiting.
JOBS ?= 3
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --custom-compile-command 'make lock'

SAY_SKIPPED = if docker info >/dev/null 2>&1; then \
	echo 'not run, `make test ENV=name` does: docker, e2e, sbom (an engine answers), torch, supply (large to install), audit (asks an advisory service), mutation (minutes)'; \
	else echo 'not run: docker, e2e, sbom (no Docker engine answers); `make test ENV=name` does: torch, supply (large to install), audit (asks an advisory service), mutation (minutes)'; fi

.PHONY: demo test coverage matrix bench fuzz install lock clean help

help:
	@echo 'make demo      take 100 pictures through the whole pipeline (SCONES_CIFAR100=archive for the real ones)'
	@echo 'make test      run the tests (tox); add ENV=integration for one environment'
	@echo 'make coverage  the same tests and those of torch, and what they execute; ENV=a,b for some; fails below 92 %'
	@echo 'make matrix    the tests that need least, on every Python from 3.11 to 3.14 that is here'
	@echo 'make bench     measure everything beside its rivals, and write docs/benchmarks.md; ARGS="start staging" for some'
	@echo 'make fuzz      220,000 hostile inputs; ARGS="pickle --inputs 5000" for some'
	@echo 'make install   leave a working .venv/bin/scones'
	@echo 'make lock      refresh the pinned requirements'
	@echo 'make clean     remove environments and local state'

demo: install
	.venv/bin/scones demo $(ARGS)

test: .tools/.ready
	.tools/bin/tox $(if $(ENV),run -e $(ENV),run-parallel --parallel $(JOBS) --parallel-live) $(ARGS)
	@$(if $(ENV),:,$(SAY_SKIPPED))

# Each environment adds its data; a run of its own begins anew. SCONES_COVERAGE_KEEP=1 adds to what is there.
coverage: .tools/.ready
	$(if $(SCONES_COVERAGE_KEEP),,rm -rf .tox/coverage-data)
	SCONES_TEST_RUNNER='coverage run -m' .tools/bin/tox run-parallel --parallel $(JOBS) --parallel-live $(if $(ENV),-e $(ENV)) $(ARGS)
	$(if $(ENV),,SCONES_TEST_RUNNER='coverage run -m' .tools/bin/tox run -e torch)
	.tools/bin/tox run -e coverage

matrix: .tools/.ready
	.tools/bin/tox run-parallel --parallel $(JOBS) -m matrix $(ARGS)

bench: .tools/.ready
	.tools/bin/tox run -e bench -- $(ARGS)

fuzz: .tools/.ready
	.tools/bin/tox run -e fuzz -- $(ARGS)

install: .venv/.ready

.venv/.ready: requirements/scones.txt pyproject.toml | .tools/.ready
	$(UV) venv --quiet --clear --python .tools/bin/python .venv
	$(UV) pip install --quiet --compile-bytecode --python .venv/bin/python -r requirements/scones.txt
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --editable .
	@touch $@

.tools/.ready: requirements/tools.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Scones needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": name another with `make PYTHON=/path/to/python3`")'
	$(PYTHON) -m venv --clear .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/tools.txt
	@touch $@

lock: .tools/.ready
	$(LOCK) pyproject.toml -o requirements/scones.txt
	$(LOCK) --group test -c requirements/scones.txt -o requirements/test.txt
	$(LOCK) --group lint --group type -c requirements/scones.txt -o requirements/lint.txt
	$(LOCK) --group docker -c requirements/scones.txt -o requirements/docker.txt
	$(LOCK) --group supply -c requirements/scones.txt -o requirements/supply.txt
	$(LOCK) --group fuzz -c requirements/scones.txt -o requirements/fuzz.txt
	$(LOCK) --group mutation -c requirements/scones.txt -c requirements/test.txt -o requirements/mutation.txt
	$(LOCK) --group security -c requirements/scones.txt -o requirements/security.txt
	$(LOCK) --group template -o requirements/template.txt
	$(LOCK) --group bench -c requirements/scones.txt -o requirements/bench.txt
	@for service in serialize classify filter; do (cd services/$$service && \
	../../$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 requirements-test.in -o requirements-test.txt); done
	$(LOCK) --group tools -o requirements/tools.txt

clean:
	-[ ! -x .venv/bin/scones ] || .venv/bin/scones down
	rm -rf .venv .tools .tox .scones out
