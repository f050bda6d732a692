# Recipes of daily work; CI calls the same ones.

# All that CI checks, quickest first.
default: check test doc probe demo

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

# Documentation; warnings are errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

# Fails to link if std gets into the core.
probe:
    cargo build --manifest-path core/no_std_probe/Cargo.toml

# Ten seconds of faults over real sockets.
demo:
    cargo run --release -p kcf -- demo --json --for 10s

# Rivals beside us in the same run.
bench:
    cargo bench -p kucoin-futures-bench

# Needs nightly and cargo-fuzz.
fuzz target="decimal" seconds="10":
    cargo +nightly fuzz run {{target}} -- -max_total_time={{seconds}}
