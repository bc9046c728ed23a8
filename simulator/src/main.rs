//! The simulator by itself.
fn main() {}
