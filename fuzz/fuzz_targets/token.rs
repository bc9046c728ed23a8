//! Feeds libFuzzer's inputs to the target `token`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| alertferry_fuzz::targets::run("token", data));
