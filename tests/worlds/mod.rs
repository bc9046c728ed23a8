//! Owns what tests of random worlds share: the life that goes on in a world, and what must be true of a store meanwhile.
#![allow(dead_code, reason = "each test uses its own part of this")]

pub mod life;
pub mod watch;
