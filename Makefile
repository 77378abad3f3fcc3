# Everything is built with Go and make alone. `make interop` needs the Debian packages named in .ci/run besides.

GO      ?= go
ARGS    ?=
FUZZ    ?= 10s
SEED    ?= 0
FOR     ?= 2m
LINT    := build/tools/golangci-lint
MODULES := . tools interop bench
# os/arch pairs that must build.
TARGETS := linux/amd64 linux/arm64 linux/arm darwin/arm64 windows/amd64
WASM    := GOOS=wasip1 GOARCH=wasm

.DEFAULT_GOAL := help
.PHONY: help build guests demo test test-386 race swaps check fmt vet lint generate generated tidy cross scripts tree interop hostile chaos bench benchdocs fuzz interpreter dist dist-check clean

help: ## This list.
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## The command: build/drover.
	$(GO) build -trimpath -o build/drover ./cmd/drover

# The name section stays in the modules (no -s), so that a trap's stack has names.
guests: ## The drivers: build/guests/NAME.wasm.
	@mkdir -p build/guests
	@for pkg in $$($(WASM) $(GO) list -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' ./guests/...); do \
		echo "build/guests/$${pkg##*/}.wasm"; \
		$(WASM) $(GO) build -buildmode=c-shared -trimpath -o "build/guests/$${pkg##*/}.wasm" "$$pkg" || exit 1; \
	done

demo: build guests ## Two simulated devices, live; ARGS="--for 10s" ends by itself.
	@build/drover demo $(ARGS)

test: build guests ## All tests that need nothing but Go.
	$(GO) test -timeout 5m ./...
	@test "$$($(GO) env GOOS)" != linux || { echo "the bench"; cd bench && $(GO) test -timeout 5m ./...; }

# What runs where there is no compiler for WebAssembly, as on 32-bit ARM: wazero's interpreter, and integers of 32 bits.
INTERPRETED := ./abi/canon ./runtime/config ./runtime/point ./runtime/store/... ./runtime/module

test-386: ## The interpreter, which is what 32-bit machines have.
	GOARCH=386 $(GO) test -timeout 10m $(INTERPRETED)
	GOARCH=386 $(GO) test -timeout 10m -run 'TestGuest/(failures|outcomes|commands|state|stop)' ./runtime/channel

# The meter has one goroutine, and its tests would take minutes.
race: build guests ## The same with the race detector, where there is more than one goroutine.
	CGO_ENABLED=1 $(GO) test -race -timeout 25m $$($(GO) list ./... | grep -v /module/meter)

SWAPS   ?= 1000

# A line under a 10 ms poll and writes, whose driver is exchanged again and again.
swaps: build guests ## 1,000 swaps of a TCP connection and of a line; SWAPS=100 are fewer.
	$(GO) test -run 'TestNode/swaps$$' -swaps $(SWAPS) -timeout 30m -v .

check: fmt vet lint generated tidy cross scripts tree ## All that is not a test; ends with a clean tree.

fmt:
	@files=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
		test -z "$$files" || { echo "gofmt would change:"; echo "$$files"; exit 1; }

vet:
	$(GO) vet ./...
	$(WASM) $(GO) vet ./guests/... ./abi/...
	$(GO) vet -tags hostile ./hostile
	$(GO) vet -tags chaos ./chaos
	cd interop && $(GO) vet -tags interop ./...
	cd bench && $(GO) vet ./... && $(WASM) $(GO) vet ./kernels

$(LINT): tools/go.mod tools/go.sum
	$(GO) build -modfile=tools/go.mod -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

lint: $(LINT)
	$(LINT) run ./...

generate: ## The bindings from the WIT, again.
	$(GO) generate ./...

# The tree before and after must be the same, whether or not it is committed.
generated:
	@before=$$(git ls-files -z --cached --others --exclude-standard | xargs -0 sha256sum 2>/dev/null | sha256sum); \
		$(MAKE) --no-print-directory generate && \
		after=$$(git ls-files -z --cached --others --exclude-standard | xargs -0 sha256sum 2>/dev/null | sha256sum); \
		test "$$before" = "$$after" || { echo "make generate changed the tree"; exit 1; }

tidy:
	@for dir in $(MODULES); do (cd $$dir && echo "go mod tidy -diff in $$dir" && $(GO) mod tidy -diff) || exit 1; done

cross:
	@for target in $(TARGETS); do \
		echo "build for $$target"; \
		CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build ./... || exit 1; \
	done

scripts:
	@for file in .ci/run $$(git ls-files --cached --others --exclude-standard '*.sh'); do bash -n "$$file" || exit 1; done

tree:
	@test -z "$$(git status --porcelain)" || { git status --short; echo "git is not clean"; exit 1; }
	@echo "git is clean"

interop: build guests ## Against programs nobody here wrote; needs the packages of .ci/run.
	cd interop && $(GO) test -tags interop -count=1 -timeout 15m ./...

hostile: ## Against drivers that attack the border; needs the packages of .ci/run.
	$(GO) test -tags hostile -count=1 -timeout 10m ./hostile

chaos: ## Ten channels while everything goes wrong around them; SEED=4711 replays, FOR=2m.
	$(GO) test -tags chaos -count=1 -timeout 30m -v ./chaos -seed $(SEED) -for $(FOR)

bench: build guests ## The figures, as ratios in one run; ARGS="-suite metering -scale 0.1" for some of them, faster.
	@mkdir -p build/bench
	cd bench && $(GO) build -o ../build/bench/ ./... && ../build/bench/bench -json ../build/bench/figures.json $(ARGS)

# Not part of bench: a run that was disturbed, or was one of some suites, is no reason to change the documentation.
benchdocs: ## docs/performance.md and its drawings, from the last make bench.
	cd bench && $(GO) build -o ../build/bench/ . && ../build/bench/bench -json ../build/bench/figures.json -docs ../docs

fuzz: ## Each fuzz target for FUZZ=10s.
	@for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ) "$$pkg" || exit 1; \
		done; \
	done

interpreter: ## What drivers cost without a compiler, by ratios; ROUNDS=3 takes two minutes.
	packaging/interpreter.sh

dist: ## Tarballs and images for Linux in build/dist, reproducible; VERSION=1.2.3.
	GO="$(GO)" packaging/dist.sh

dist-check: ## Whether they are, and whether what is in them runs; needs root, for a root of its own.
	packaging/check.sh

clean: ## Remove what was built.
	rm -rf build/drover build/guests build/bench build/dist build/tools
