//! The alertferry program.

fn main() {}
