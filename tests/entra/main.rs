//! Tokens over real HTTP, against the simulated login service: what is asked, how often, and what becomes of refusals.

mod certificates;
mod credentials;
mod house;
mod keeping;
mod refusals;
