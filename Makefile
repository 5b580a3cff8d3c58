# Windtunnel's verbs. `make help` lists them.
SHELL := /bin/bash
GO ?= go
BIN := bin/windtunnel
PKGS := ./...
# Suites that live through hundreds of worlds: the race detector would make minutes of seconds.
WALKERS := power apps walk knownissues random timing determinism

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

.PHONY: deps
deps: ## check for gcc and the OpenSSL headers, install them where they are missing
	@sim/cmd/windtunnel/deps.sh

.PHONY: build
build: deps ## build bin/windtunnel
	@$(GO) build -o $(BIN) ./sim/cmd/windtunnel

.PHONY: run
run: build ## pre-provision the built-in fleet (1,000 PCs once their TPM images are there, else 200) and hand it to its users
	@$(BIN) run

.PHONY: serve
serve: build ## offer the built-in tenant to other programs, on this machine
	@$(BIN) serve

.PHONY: load
load: build ## a minute of PCs that attest their TPMs, more and more of them, against `windtunnel serve`; leaves out/load/report.html
	@$(BIN) load scenarios/load/attestation.yaml --target serve --out out/load

.PHONY: images
images: build ## make the TPM images that `make run` needs for 1,000 PCs
	@$(BIN) tpm build --devices 1000

.PHONY: samba
samba: deps ## the hybrid suite and our client against a Samba domain controller of their own, in a network namespace
	$(GO) test -timeout 20m ./scenarios/domain/ ./scenarios/hybrid/ -ginkgo.label-filter=samba

.PHONY: test
# What `make lint` vets is not vetted again. The cloud's witnesses go without the
# race detector: their SDKs would be built a second time, and the server that they judge is another process.
test: deps ## all tests, with the race detector
	$(GO) test -vet=off -race -timeout 20m $$($(GO) list $(PKGS) | grep -v $(WALKERS:%=-e /scenarios/%$$))
	$(GO) test -vet=off -timeout 20m $(WALKERS:%=./scenarios/%)
	cd scenarios/peers && $(GO) test -vet=off -race -timeout 20m .
	cd scenarios/peers && $(GO) test -vet=off -timeout 20m ./cloud

.PHONY: soak
soak: deps ## random scenarios that nobody has seen yet: a thousand worlds, twenty of them in 100 runs on 1, 2 and 8 cores, and whole walks
	WINDTUNNEL_SOAK=1 $(GO) test -v -count 1 -timeout 4h ./scenarios/random/ -rapid.checks 1000
	WINDTUNNEL_WALK_EVERY=1 $(GO) test -v -count 1 -timeout 1h ./scenarios/walk/

.PHONY: lint
# staticcheck would take minutes and gigabytes for the SDK that the cloud's witnesses import.
lint: deps ## vet, staticcheck, formatting, and the rules of the house
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt'ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet $(PKGS)
	$(GO) tool staticcheck $(PKGS)
	cd scenarios/peers && $(GO) vet ./... && $$(cd ../.. && $(GO) tool -n staticcheck) .
	$(GO) test ./sim/house/

.PHONY: fuzz
fuzz: deps ## every fuzz target for FUZZTIME (30s)
	@FUZZTIME=$${FUZZTIME:-30s} sim/house/fuzz.sh

.PHONY: bench
bench: deps ## the speed promises, as ratios within one run
	$(GO) test -run '^$$' -bench 'Promise' -benchtime 1x -timeout 30m ./sim/... ./scenarios/...

.PHONY: bench-tpm
bench-tpm: deps ## the promises about virtual TPMs, as one table of ratios
	@set -o pipefail; $(GO) test -run '^$$' -bench 'PromiseTPM' -p 1 -timeout 30m ./sim/vtpm/ ./sim/vtpm/mssim/ ./scenarios/bench_tpm/ 2>&1 | $(GO) run ./sim/house/benchtable

.PHONY: bench-load
bench-load: deps ## the promises about load tests, as one table (WINDTUNNEL_BENCH_DEVICES=10000 for the whole scaling table)
	$(GO) test -run '^$$' -bench 'PromiseLoad' -benchtime 1x -timeout 60m ./scenarios/bench_load/

.PHONY: coverage-seed
coverage-seed: ## the rules of the pre-provisioning page that no spec witnesses yet
	@$(GO) run ./sim/house/seedrules

.PHONY: doctor
doctor: ## run every tool that the project uses and say what is missing
	@sim/house/doctor.sh
