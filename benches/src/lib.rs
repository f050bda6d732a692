//! What the benchmarks share: the corpus.

pub mod corpus;
