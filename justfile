# Recipes of daily work. CI runs .ci/run, which has all of it and more.

# Most of what CI checks, quickest first.
default: check test doc probe providers demo

# Format and lints.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings

# Every test; set KCF_FIXTURES to a folder of real captures to have them read, too.
test:
    cargo test --workspace

# The core's promise over a hundred seeds, with what was seen.
sim:
    cargo test -p kucoin-futures-proto --test simulation -- --nocapture

# Every kind of fault, in virtual time; says how to see again what fails.
soak seeds="2000":
    cargo run --release -p kcf -- soak --seeds {{seeds}}

# Every history of the small world up to a length (7 takes a minute or two, each letter more ten times
# as long; `+6`: on two lines), or one history, letter for letter: `just small-world "back-2 a lost-b a" close`.
small-world depth="7" *times:
    cargo run --release -p kucoin-futures-sim --example small_world -- "{{depth}}" {{times}}

# A million recorded frames of every kind through `kcf replay`, every digest compared.
replay-corpora frames="1000000":
    KCF_REPLAY_FRAMES={{frames}} cargo test --release -p kcf --test corpora -- --nocapture --test-threads 1

# Documentation; warnings are errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Fails to link if std gets into the core.
probe:
    cargo build --manifest-path core/no_std_probe/Cargo.toml

# The adapters against the simulated exchange, plain and TLS, faults on.
suite:
    cargo test -p kucoin-futures-suite

# Two crypto libraries in one build.
providers:
    cargo test --manifest-path adapters/provider_probe/Cargo.toml --target-dir target/provider_probe

# Every fault over real sockets.
demo runtime="blocking":
    cargo run --release -p kcf -- demo --json --for 45s --runtime {{runtime}}

# The picture in the README, out of a run.
screenshot:
    cargo run --release -p kcf -- demo --plain --for 25s --svg docs/demo.svg

# The picture of `kcf watch`, out of a run of 75 s.
screenshot-watch:
    #!/usr/bin/env bash
    set -euo pipefail
    cargo build --release -p kcf
    target/release/kcf sim --json --rate 60 --symbols XBTUSDTM,ETHUSDTM,SOLUSDTM,XRPUSDTM,CHRUSDTM,YFIUSDTM,XBTUSDCM \
        --faults "at 9s drop XBTUSDTM 1; at 14s close-one 1001; at 20s drop XBTUSDTM 1; at 22s drop SOLUSDTM 1; at 54s drop ETHUSDTM 1; at 60s drop XBTUSDTM 1" \
        > target/sim.json &
    trap 'kill $!' EXIT
    sleep 1
    url=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' target/sim.json)
    target/release/kcf watch --all --lines 2 --url "$url" --for 75s --svg docs/watch.svg

# The wheel for Python, in the virtual environment that is active (`pip install maturin`), and its tests.
python:
    cargo build -p kcf
    cd adapters/python && maturin develop --extras test && pytest

# What would be published.
package:
    cargo package --workspace --exclude kucoin-futures-suite --exclude kucoin-futures-bench --exclude kucoin-futures-planted --exclude kucoin-futures-python --no-verify

# Licences, bans and sources of everything in the build; needs cargo-deny.
deny:
    cargo deny check licenses bans sources

# Rivals beside us in the same run, all of them; writes benches/RESULTS.md and docs/bench.svg. Needs
# Rust 1.95, minutes, and a machine that does nothing else.
bench:
    cargo bench -p kucoin-futures-bench --features rivals

# The same without the libraries that take minutes to build; writes nothing.
bench-quick:
    cargo bench -p kucoin-futures-bench

# Instructions per frame, by callgrind, beside the committed ceilings; needs valgrind.
bench-count *arguments:
    cargo run --profile bench -q -p kucoin-futures-bench --bin count -- {{arguments}}

# Needs nightly and cargo-fuzz.
fuzz target="decimal" seconds="10":
    cargo +nightly fuzz run {{target}} -- -max_total_time={{seconds}}

# Connections to hostile peers, drawn from the table of `adapters/suite`, on both runtimes.
hostile visits="1000" at_a_time="36" seed="1":
    cargo run --release -p kucoin-futures-suite --example hostile -- {{visits}} {{at_a_time}} {{seed}}

# Every case of the Autobahn testsuite on our sockets; needs Python 2.7 for its server.
autobahn *arguments:
    cargo build --release -p kucoin-futures-suite --example autobahn_client
    python3 adapters/suite/autobahn.py {{arguments}}

# What is allocated after each hour of a busy day of virtual time; fails if it grows.
memory hours="24" rate="100":
    cargo run --release -p kucoin-futures-sim --example memory -- {{hours}} {{rate}}

# What `kcf` has resident, once a minute for two hours of real time; fails if it grows.
memory-real out="target/memory.txt" minutes="120":
    cargo build --release -p kcf
    adapters/suite/memory.sh target/release/kcf {{out}} {{minutes}}
