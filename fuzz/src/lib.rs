//! The fuzz targets as a library: libFuzzer drives them from `fuzz_targets/`, and the tests of the daemon from
//! `tests/fuzz/`, which needs no other compiler.

// The binaries beside it cannot say so: libFuzzer calls them by a name that they export.
#![forbid(unsafe_code)]

pub mod targets;
