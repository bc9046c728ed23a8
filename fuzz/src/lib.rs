//! The fuzz targets as a library: libFuzzer drives them from `fuzz_targets/`, and the tests of the daemon from
//! `tests/fuzz/`, which needs no other compiler.

pub mod targets;
