//! A loopback double of Microsoft Entra's token endpoint and of the Defender for Endpoint alerts API.
//!
//! A [`World`] holds tenants, app registrations, alerts with their whole history, and the time they live in. A
//! [`Simulator`] serves a world over real HTTP on one port. What a perfect reader would have stored is
//! [`World::truth`]. Things go wrong by [`FaultRule`]s; what was asked is in [`Stats`].
//!
//! Nothing here uses the daemon's code, so that the two can disagree.

mod alert;
mod clock;
mod draft;
mod entra;
mod fault;
mod generate;
mod ids;
mod json;
mod limits;
mod odata;
mod server;
mod stats;
mod ticks;
mod world;

pub use alert::BadAlert;
pub use clock::WorldClock;
pub use draft::{Comment, Draft, EVIDENCE_KEYS, Evidence};
pub use entra::{App, BadCertificate, Certificate, DEFAULT_CLIENT_ID, DEFAULT_SECRET, Federated, Secret, SelfSigned};
pub use fault::{
    Cut, Fault, FaultBody, FaultRule, Faults, LicenceFault, PoisonScope, RetryAfter, Route, RuleId, Shape, When,
};
pub use generate::{draft, evidence_row};
pub use ids::{alert_id, canonical_guid, guid, numbered_guid, tick_alert_id};
pub use limits::RateLimits;
pub use server::{Hook, PrepareError, Prepared, RequestInfo, Simulator, WorldHandle};
pub use stats::{Counts, RequestRecord, Stats};
pub use ticks::{TICKS_PER_SECOND, Ticks};
pub use world::{
    Edit, Licence, LoadError, Loaded, NewAlert, Options, Profile, Step, Template, Tenant, TenantState, TieRow, Truth,
    VersionTruth, Visibility, World, WorldError,
};
