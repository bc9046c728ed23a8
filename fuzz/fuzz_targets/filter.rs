//! Feeds libFuzzer's inputs to the target `filter`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| alertferry_fuzz::targets::run("filter", data));
