//! Owns what can go wrong with the two services, as plain data, and the rules of the simulator that it stands for.

use std::time::Duration;

use alertferry_simulator::{
    Cut, Fault, FaultBody, FaultRule, LicenceFault, PoisonScope, RetryAfter, Route, Shape, World,
};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

/// How the service says when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Not at all.
    Unsaid,
    /// In seconds.
    Seconds(u64),
    /// As a date that many seconds from now.
    Date(i64),
    /// More seconds than a number holds.
    Ever,
    /// In words that mean nothing.
    Nonsense,
}

/// In seconds, the longest wait that is kept, whatever the service asks.
const LONGEST_OF_API: u64 = 6 * 3_600;
const LONGEST_OF_LOGIN: u64 = 3_600;

impl Wait {
    const ALL: [Self; 10] = [
        Self::Unsaid,
        Self::Seconds(0),
        Self::Seconds(7),
        Self::Seconds(120),
        Self::Seconds(3_600),
        Self::Date(45),
        Self::Date(1_800),
        Self::Date(-30),
        Self::Ever,
        Self::Nonsense,
    ];

    fn header(self) -> RetryAfter {
        match self {
            Self::Unsaid => RetryAfter::Absent,
            Self::Seconds(seconds) => RetryAfter::Seconds(seconds),
            Self::Date(seconds) => RetryAfter::HttpDate(seconds),
            Self::Ever => RetryAfter::Raw("18446744073709551616000"),
            Self::Nonsense => RetryAfter::Raw("soon"),
        }
    }

    /// So long nobody may come back, to the login service or to the API.
    pub fn asked(self, login: bool) -> Duration {
        let seconds = match self {
            Self::Unsaid | Self::Nonsense => 0,
            Self::Seconds(seconds) => seconds,
            Self::Date(seconds) => u64::try_from(seconds).unwrap_or(0),
            Self::Ever => u64::MAX,
        };
        Duration::from_secs(seconds.min(if login { LONGEST_OF_LOGIN } else { LONGEST_OF_API }))
    }
}

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trouble {
    Status(u16, Wait),
    LoginStatus(u16, Wait),
    Throttled(Wait),
    LoginThrottled(Wait),
    Unauthorized,
    NoRole,
    NoLicence,
    NoConsent,
    CutAt(usize),
    CutPart(f64),
    ResetBefore,
    ResetAfter,
    NoJson,
    OtherJson,
    EmptyBody,
    NoDate,
    WrongDate(i64),
    Late(u64),
    Hangs,
    Stalls(usize),
    Drips(usize),
    OrderRefused,
    OrderIgnored(bool),
    RangesRefused,
    UnsortedIds,
    TooLarge(usize),
    PoisonAlert(usize, bool),
    PoisonHours(u64),
    Foreign,
}

impl Trouble {
    pub fn draw(rng: &mut StdRng) -> Self {
        let wait = *Wait::ALL.choose(rng).expect("some");
        match rng.random_range(0..34) {
            0..3 => Self::Status(*[500, 502, 503, 504].choose(rng).expect("some"), wait),
            3 => Self::LoginStatus(*[500, 503].choose(rng).expect("some"), wait),
            4..7 => Self::Throttled(wait),
            7 => Self::LoginThrottled(wait),
            8 => Self::Unauthorized,
            9 => Self::NoRole,
            10 => Self::NoLicence,
            11 => Self::NoConsent,
            12 => Self::CutAt(rng.random_range(0..4_000)),
            13 | 14 => Self::CutPart(f64::from(rng.random_range(0..100_u32)) / 100.0),
            15 => Self::ResetBefore,
            16 => Self::ResetAfter,
            17 => Self::NoJson,
            18 => Self::OtherJson,
            19 => Self::EmptyBody,
            20 => Self::NoDate,
            21 => Self::WrongDate(*[-86_400, -600, 90, 3_000, 86_400, 31_536_000].choose(rng).expect("some")),
            22 => Self::Late(*[1, 9, 40].choose(rng).expect("some")),
            23 => Self::Hangs,
            24 => Self::Stalls(rng.random_range(0..4_000)),
            25 => Self::Drips(*[100, 1_000, 5_000].choose(rng).expect("some")),
            26 => Self::OrderRefused,
            27 => Self::OrderIgnored(rng.random_bool(0.5)),
            28 => Self::RangesRefused,
            29 => Self::UnsortedIds,
            30 => Self::TooLarge(rng.random_range(1..30)),
            31 => Self::PoisonAlert(rng.random_range(0..1_000), rng.random_bool(0.5)),
            32 => Self::PoisonHours(rng.random_range(0..200)),
            _ => Self::Foreign,
        }
    }

    /// Whether it lies about the time.
    pub fn lies(self) -> bool {
        matches!(self, Self::WrongDate(_))
    }

    /// The rule that it stands for; none when it needs an alert and there is none.
    pub fn rule(self, world: &mut World, tenant: &str) -> Option<FaultRule> {
        let status = |status, wait: Wait| {
            let body = if status % 2 == 0 { FaultBody::Empty } else { FaultBody::Html };
            Fault::Status { status, body, retry_after: wait.header() }
        };
        let second = Duration::from_secs(1);
        Some(match self {
            Self::Status(code, wait) => status(code, wait).into(),
            Self::LoginStatus(code, wait) => FaultRule::new(status(code, wait)).on(Route::Login),
            Self::Throttled(wait) => FaultRule::new(Fault::Throttle { retry_after: wait.header() }),
            Self::LoginThrottled(wait) => {
                FaultRule::new(Fault::Throttle { retry_after: wait.header() }).on(Route::Login)
            }
            Self::Unauthorized => Fault::Unauthorized401.into(),
            Self::NoRole => Fault::MissingRole403.into(),
            Self::NoLicence => Fault::LicenceInactive(LicenceFault::Inactive403).into(),
            // A matter of the tenant and not of a rule.
            Self::NoConsent => return None,
            Self::CutAt(bytes) => Fault::CutBody(Cut::Bytes(bytes)).into(),
            Self::CutPart(part) => Fault::CutBody(Cut::Fraction(part)).into(),
            Self::ResetBefore => Fault::ResetBeforeHeaders.into(),
            Self::ResetAfter => Fault::ResetAfterHeaders.into(),
            Self::NoJson => Fault::MalformedJson.into(),
            Self::OtherJson => Fault::WrongShape(Shape::NoValue).into(),
            Self::EmptyBody => status(200, Wait::Unsaid).into(),
            Self::NoDate => Fault::NoDateHeader.into(),
            Self::WrongDate(seconds) => Fault::SkewDate { seconds }.into(),
            Self::Late(seconds) => Fault::Latency(Duration::from_secs(seconds)).into(),
            Self::Hangs => Fault::Hang.into(),
            Self::Stalls(bytes) => Fault::StallBody(Cut::Bytes(bytes)).into(),
            Self::Drips(bytes) => Fault::SlowBody { bytes, every: second }.into(),
            Self::OrderRefused => Fault::RefuseOrderBy.into(),
            Self::OrderIgnored(shuffled) => Fault::IgnoreOrderBy { shuffled }.into(),
            Self::RangesRefused => Fault::RefuseIdRange.into(),
            Self::UnsortedIds => Fault::UnsortedIds.into(),
            Self::TooLarge(max_rows) => Fault::TooLarge { max_rows }.into(),
            Self::PoisonAlert(number, thin) => {
                let known = world.truth(tenant);
                let id = known.get(number % known.len().max(1))?.id.clone();
                let scope = if thin { PoisonScope::ExpandedListsAndGet } else { PoisonScope::Lists };
                Fault::PoisonAlert { id, scope }.into()
            }
            Self::PoisonHours(ago) => {
                let from = world.now() - Duration::from_secs(ago * 3_600 + 600);
                Fault::PoisonWindow { from, until: from + Duration::from_secs(1_800) }.into()
            }
            Self::Foreign => Fault::ForeignAlert { aad_tenant_id: crate::support::guid(77) }.into(),
        })
    }
}
