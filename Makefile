# One line each: the work is done by cmake, ctest and the scripts they call.
.PHONY: deps build demo test bench check install
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)

deps:
	@.ci/deps

build: deps
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX=$(PREFIX) >/dev/null
	@cmake --build $(BUILD) -j $(JOBS)

demo: build
	@demos/main-job.sh $(BUILD)/fogctl

test: build
	@cmake --build $(BUILD) -j $(JOBS) --target fogctl_tests
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

bench: build
	@cmake --build $(BUILD) -j $(JOBS) --target fogctl_bench --target fogctl_queue_bench --target fogctl_decision_bench --target fogctl_process_bench
	@bench/run.sh $(BUILD)

check: deps
	@.ci/check $(STAGES)

install: build
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD) --strip
