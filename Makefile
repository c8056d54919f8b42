# The two commands of this project. Both install what is missing (Debian 12 packages), build with CMake's presets
# (CMakePresets.json) and do no needless work the second time.

.PHONY: demo test build sim chaos contract bench bench-peers format tidy fuzz clean help

help:
	@echo "make demo       install what is missing, build, review this repository's last commits with real agents"
	@echo "make test       install what is missing, build with sanitizers, run all tests"
	@echo "make build      the optimised binary: build/ganglion"
	@echo "make sim        ten thousand simulated stories in which everything breaks"
	@echo "make chaos      ten minutes of real servers that are killed, frozen and cut off under load"
	@echo "make contract   which adapter keeps which promise of its port, against real servers"
	@echo "make bench      throughput and latency of a durable pipeline on this machine"
	@echo "make bench-peers  the same pipeline on other engines, side by side"
	@echo "make fuzz       every fuzzer for a minute"
	@echo "make format     clang-format over the C++ sources"

demo: build
	examples/code-review/run --ganglion build/ganglion

build: build/release/build.ninja
	cmake --build --preset release
	@ln -sfn release/bin/ganglion build/ganglion

# TSan where threads meet: the store's thread and the loop. Last, what a step costs in instructions.
test: build/asan/build.ninja build/tsan/build.ninja build/release/build.ninja
	scripts/check-includes
	scripts/prepare-tests
	cmake --build --preset tsan
	ctest --preset tsan
	cmake --build --preset asan
	ctest --preset asan
	cmake --build --preset release --target ganglion_hot_path
	bench/instructions --check

sim: build
	scripts/check-trace
	build/ganglion sim engine --seeds 10000

# CHAOS="--seed 7 --minutes 60" for others.
chaos: build/asan/build.ninja
	cmake --build --preset asan --target ganglion
	tests/integration/chaos --ganglion build/asan/bin/ganglion $(CHAOS)

contract: build/asan/build.ninja
	cmake --build --preset asan --target store_contract_test bus_contract_test bus_fault_test
	scripts/contract-table

bench: build
	bench/run

bench-peers: build
	bench/peers/run

build/%/build.ninja: CMakePresets.json CMakeLists.txt scripts/bootstrap
	scripts/bootstrap $*
	cmake --preset $*

fuzz: build/fuzz/build.ninja
	cmake --build --preset fuzz
	scripts/run-fuzzers 60

format:
	git ls-files 'src/*.cc' 'src/*.h' 'sim/*.cc' 'sim/*.h' 'tests/*.cc' 'tests/*.h' 'bench/*.cc' 'bench/*.h' | xargs clang-format-19 -i

tidy: build/asan/build.ninja
	git ls-files 'src/*.cc' 'sim/*.cc' | grep -v _test.cc | xargs -P 2 -n 4 clang-tidy-19 -p build/asan --quiet

clean:
	rm -rf build
