# `make help` lists the targets. `make demo` classifies 100 images and prints a summary; `make test` runs the tests that take minutes and need neither Docker nor PyTorch.
PYTHON ?= $(firstword $(foreach v,3.13 3.12 3.14 3.11,$(shell command -v python$(v) >/dev/null 2>&1 && python$(v) -c 'import sys' >/dev/null 2>&1 && echo python$(v))) python3)
UV := .tools/bin/uv
# Number of tox environments that run in parallel: those with LocalStack wait half of their time.
JOBS ?= 5
LOCK = $(UV) pip compile --quiet --universal --no-emit-index-url --python-version 3.11 --custom-compile-command 'make lock'

PRINT_SKIPPED = if docker info >/dev/null 2>&1; then \
	echo 'not run, use `make test ENV=NAME`: docker, e2e, sbom (need the Docker engine, which is available), torch, notebook, clients, supply (large downloads), browser (needs Chromium), audit (needs a network), moto, mutation (take minutes), patches (changes with the version of LocalStack)'; \
	else echo 'not run: docker, e2e, sbom (no Docker engine is available); not run, use `make test ENV=NAME`: torch, notebook, clients, supply (large downloads), browser (needs Chromium), audit (needs a network), moto, mutation (take minutes), patches (changes with the version of LocalStack)'; fi

.PHONY: demo notebook test coverage matrix bench smoke-aws fuzz install lock clean help

help:
	@echo 'make demo      classify 100 images with the whole pipeline; SCONES_CIFAR100=ARCHIVE names the CIFAR-100 archive'
	@echo 'make notebook  open notebooks/walkthrough.ipynb in JupyterLab'
	@echo 'make test      run the tests with tox; ENV=integration selects one environment'
	@echo 'make coverage  run the same tests and those of torch, measure coverage, fail below 92 %; ENV=a,b selects environments'
	@echo 'make matrix    run the unit tests on every installed Python from 3.11 to 3.14'
	@echo 'make bench     run the benchmarks and write docs/benchmarks.md; ARGS="start staging" selects some'
	@echo 'make fuzz      run the fuzzer with 220,000 hostile inputs; ARGS="pickle --inputs 5000" selects some'
	@echo 'make smoke-aws check on an AWS account what only AWS can tell: an hour, about a dollar'
	@echo 'make install   create .venv/bin/scones'
	@echo 'make lock      update the pinned requirements'
	@echo 'make clean     delete environments and local state'

demo: install
	.venv/bin/scones demo $(ARGS)

notebook: install
	$(UV) pip install --quiet --python .venv/bin/python -r requirements/notebook.txt -r requirements/sagemaker.txt
	.venv/bin/jupyter lab notebooks/walkthrough.ipynb $(ARGS)

test: .tools/.ready
	.tools/bin/tox $(if $(ENV),run -e $(ENV),run-parallel --parallel $(JOBS) --parallel-live) $(ARGS)
	@$(if $(ENV),:,$(PRINT_SKIPPED))

# Each environment adds its data. The data of earlier runs is deleted first, unless SCONES_COVERAGE_KEEP=1.
coverage: .tools/.ready
	$(if $(SCONES_COVERAGE_KEEP),,rm -rf .tox/coverage-data)
	SCONES_TEST_RUNNER='coverage run -m' .tools/bin/tox run-parallel --parallel $(JOBS) --parallel-live $(if $(ENV),-e $(ENV)) $(ARGS)
	$(if $(ENV),,SCONES_TEST_RUNNER='coverage run -m' .tools/bin/tox run -e torch)
	.tools/bin/tox run -e coverage

matrix: .tools/.ready
	.tools/bin/tox run-parallel --parallel $(JOBS) -m matrix $(ARGS)

bench: .tools/.ready
	.tools/bin/tox run -e bench -- $(ARGS)

# Needs an AWS account and costs about a dollar: docs/aws.md.
smoke-aws: install
	.venv/bin/python -m bench.smoke_aws $(ARGS)

fuzz: .tools/.ready
	.tools/bin/tox run -e fuzz -- $(ARGS)

install: .venv/.ready

.venv/.ready: requirements/scones.txt pyproject.toml | .tools/.ready
	$(UV) venv --quiet --clear --python .tools/bin/python .venv
	@echo 'Installing the packages of Scones, about 700 MB on disk'
	$(UV) pip install --compile-bytecode --python .venv/bin/python -r requirements/scones.txt
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --editable .
	@touch $@

.tools/.ready: requirements/tools.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Scones needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": select another with `make PYTHON=/path/to/python3`")'
	$(PYTHON) -m venv --clear .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check -r requirements/tools.txt
	@touch $@

lock: .tools/.ready
	$(LOCK) --generate-hashes pyproject.toml -o requirements/scones.txt
	$(LOCK) --generate-hashes --group emulator -c requirements/scones.txt -o requirements/emulator.txt
	$(LOCK) --generate-hashes --python-version 3.13 training/serving/requirements.in -o training/serving/requirements.txt
	$(LOCK) --generate-hashes --python-version 3.13 -c requirements/scones.txt emulation/lambdas/requirements.in -o emulation/lambdas/requirements.txt
	$(LOCK) --generate-hashes --python-version 3.13 services/serialize/requirements.in -o services/serialize/requirements.txt
	$(LOCK) --group test -c requirements/scones.txt -o requirements/test.txt
	$(LOCK) --group lint --group type -c requirements/scones.txt -o requirements/lint.txt
	$(LOCK) --group docker -c requirements/scones.txt -o requirements/docker.txt
	$(LOCK) --group supply -c requirements/scones.txt -o requirements/supply.txt
	$(LOCK) --group fuzz -c requirements/scones.txt -o requirements/fuzz.txt
	$(LOCK) --group browser -c requirements/scones.txt -c requirements/test.txt -o requirements/browser.txt
	$(LOCK) --group notebook -c requirements/scones.txt -c requirements/test.txt -o requirements/notebook.txt
	$(LOCK) --group sagemaker -c requirements/scones.txt -c requirements/notebook.txt -o requirements/sagemaker.txt
	$(LOCK) --generate-hashes --group moto -c requirements/scones.txt -c requirements/test.txt -o requirements/moto.txt
	$(LOCK) --group mutation -c requirements/scones.txt -c requirements/test.txt -o requirements/mutation.txt
	$(LOCK) --group security -c requirements/scones.txt -o requirements/security.txt
	$(LOCK) --group template -o requirements/template.txt
	$(LOCK) --group clients -o requirements/clients.txt
	$(LOCK) --group bench -c requirements/scones.txt -o requirements/bench.txt
	@for service in serialize classify filter; do (cd services/$$service && \
	../../$(UV) pip compile --quiet --universal --generate-hashes --python-version 3.11 requirements-test.in -o requirements-test.txt); done
	$(LOCK) --group tools -o requirements/tools.txt

clean:
	-[ ! -x .venv/bin/scones ] || .venv/bin/scones down
	rm -rf .venv .tools .tox .scones out
