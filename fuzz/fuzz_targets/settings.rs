//! Feeds libFuzzer's inputs to the target `settings`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| alertferry_fuzz::targets::run("settings", data));
