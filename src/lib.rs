//! Carries every Microsoft Defender for Endpoint alert of every customer tenant into one local SQLite database, and
//! loses none.
//!
//! The way of the data:
//!
//! ```text
//!  schedule        fleet             entra            defender              store (one transaction)        outbox
//!  tick ──▶ due tenants, fair ──▶ access token ──▶ rows, streamed ──▶ upsert + changes + coverage ──▶ log lines
//!               ▲                                      ▲                         │
//!               └────── next_attempt_at ───────────────┴── next window ──────────┘  the only way back is committed state
//! ```
//!
//! A tick carries nothing, and the next request is a pure function of what is committed; so a crash at any arrow is
//! the same as "not yet done".
//!
//! Modules import only from floors below their own: the words ([`domain`]), ground ([`backoff`], [`clock`],
//! [`mapping`], [`notify`], [`secret`], [`stop`]), pipes ([`http`], [`store`]), credentials ([`entra`]), pages ([`defender`]),
//! operator-visible lines ([`event`], [`logging`]), one tenant ([`pass`]), all tenants ([`fleet`], [`outbox`],
//! [`schedule`]), [`settings`], what a monitoring system sees ([`metrics`], [`admin`]), wiring ([`daemon`]), and the edge ([`command`]). `tests/tidy` holds them to it.

pub mod admin;
pub mod backoff;
pub mod clock;
pub mod command;
pub mod daemon;
pub mod defender;
pub mod domain;
pub mod entra;
pub mod event;
pub mod fleet;
pub mod http;
pub mod logging;
pub mod mapping;
pub mod metrics;
pub mod notify;
pub mod outbox;
pub mod pass;
pub mod schedule;
pub mod secret;
pub mod settings;
pub mod stop;
pub mod store;
