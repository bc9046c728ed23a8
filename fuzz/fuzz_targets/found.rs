//! Feeds libFuzzer's inputs to the target `found`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| alertferry_fuzz::targets::run("found", data));
