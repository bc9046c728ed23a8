//! Owns the vocabulary of things that go wrong, and at which moment of a request each does.

use std::time::Duration;

use crate::ticks::Ticks;

/// When to come back, as a `Retry-After` header says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// No header.
    Absent,
    /// Whole seconds, the form the services document.
    Seconds(u64),
    /// An HTTP date that many seconds from the world's now.
    HttpDate(i64),
    /// This text, whatever it is.
    Raw(&'static str),
}

/// The body of an invented answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultBody {
    /// The API's error envelope with a code and a message.
    Envelope(String, String),
    /// An HTML page of a gateway.
    Html,
    /// Nothing.
    Empty,
    /// Plain text.
    Text(String),
}

/// Which answers a poisonous alert spoils.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoisonScope {
    /// Lists that would hold it.
    Lists,
    /// Only lists with `$expand`.
    ExpandedLists,
    /// Lists with `$expand`, and the alert by its id (which always shows evidence).
    ExpandedListsAndGet,
    /// Lists and the alert by its id.
    Everything,
}

/// How the licence refusal is worded; both statuses and the other wording were recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LicenceFault {
    /// 401, account mode inactive.
    Inactive401,
    /// 403, account mode inactive.
    Inactive403,
    /// 401, no licence for the vulnerability part.
    NoTvm,
}

/// Where a body is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cut {
    /// After so many bytes (as sent, so compressed ones count compressed).
    Bytes(usize),
    /// After this part of it, 0 to 1.
    Fraction(f64),
}

/// In which wrong way an answer's JSON is shaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// There is no `value` (on the login route no `access_token`).
    NoValue,
    /// `value` is an object.
    ValueIsObject,
    /// The whole body is an array.
    TopLevelArray,
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// 400 for any `$orderby`, naming it.
    RefuseOrderBy,
    /// `$orderby` is accepted and not obeyed: id order, or a shuffled one.
    IgnoreOrderBy {
        /// Shuffle instead of ordering by id.
        shuffled: bool,
    },
    /// 400 for a filter that compares ids by order.
    RefuseIdRange,
    /// Lists come in no order, whatever was asked.
    UnsortedIds,
    /// An invented answer.
    Status {
        /// Its HTTP status.
        status: u16,
        /// Its body.
        body: FaultBody,
        /// Its `Retry-After`.
        retry_after: RetryAfter,
    },
    /// 401 with `WWW-Authenticate`, as for a token that was revoked.
    Unauthorized401,
    /// 403 "Missing application roles".
    MissingRole403,
    /// The tenant's licence is inactive.
    LicenceInactive(LicenceFault),
    /// 429 in the form of the route: an envelope from the API, plain text from the token endpoint.
    Throttle {
        /// Its `Retry-After`.
        retry_after: RetryAfter,
    },
    /// The answer breaks off: 200, then the chunked stream ends without its end.
    CutBody(Cut),
    /// The answer stops there and the connection stays open.
    StallBody(Cut),
    /// The answer drips.
    SlowBody {
        /// So many bytes at a time.
        bytes: usize,
        /// So long from one to the next.
        every: Duration,
    },
    /// The request is read and never answered.
    Hang,
    /// The connection is reset instead of an answer.
    ResetBeforeHeaders,
    /// The connection is reset after the headers.
    ResetAfterHeaders,
    /// The answer is no JSON.
    MalformedJson,
    /// The answer is other JSON.
    WrongShape(Shape),
    /// A `value` row nested so deep.
    DeepJson {
        /// How many arrays inside each other.
        depth: usize,
    },
    /// The first alert of the answer has a member of so many bytes.
    HugeAlert {
        /// The size of its text.
        bytes: u64,
    },
    /// The answer is blown up by so many bytes of white space.
    HugeBody {
        /// The size of the body.
        bytes: u64,
    },
    /// A small compressed answer that unpacks to so many bytes.
    GzipBomb {
        /// The size once unpacked.
        decoded_bytes: u64,
    },
    /// `@odata.nextLink` after `value`.
    NextLink {
        /// The link.
        url: String,
    },
    /// A redirect.
    Redirect {
        /// 301, 302, 307, 308.
        status: u16,
        /// Where to.
        location: String,
    },
    /// The token names another tenant.
    ForeignTenantToken {
        /// The other tenant.
        tid: String,
    },
    /// One alert of the answer belongs to another tenant.
    ForeignAlert {
        /// The other tenant.
        aad_tenant_id: String,
    },
    /// 500 whenever the answer would hold this alert.
    PoisonAlert {
        /// Its id.
        id: String,
        /// Which answers.
        scope: PoisonScope,
    },
    /// 500 whenever an answer would hold a row updated in `[from, until)`; with [`Route::Any`](crate::Route::Any)
    /// single alerts, too.
    PoisonWindow {
        /// From here on.
        from: Ticks,
        /// Up to before here.
        until: Ticks,
    },
    /// 500 whenever a list would hold more rows.
    TooLarge {
        /// The most rows that pass.
        max_rows: usize,
    },
    /// The answer comes later.
    Latency(Duration),
    /// No `Date` header.
    NoDateHeader,
    /// The service's clock is off: its `Date` header, and a `Retry-After` that is a date.
    SkewDate {
        /// By so many seconds.
        seconds: i64,
    },
}

/// The moment in a request's life at which a fault is looked for. Each rule's `skip_first` and `times` count only
/// requests at which its fault could have its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// As soon as the request was read.
    Arrival,
    /// When a token is about to be issued.
    Token,
    /// When the query is understood.
    Query,
    /// When the rows are known.
    Rows,
    /// When there is a good answer.
    Answer,
    /// When any answer leaves.
    Departure,
}

impl Fault {
    /// A next link as it was reported from another route of the API: the options' names are lost, so whoever follows
    /// it reads everything, for ever.
    pub fn corrupt_next_link() -> Self {
        let url = "https://api.securitycenter.microsoft.com/api/alerts?=lastUpdateTime ge 2019-11-22T00:00:00Z&=10000&$skip=10000";
        Self::NextLink { url: url.to_owned() }
    }

    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::Status { .. }
            | Self::Unauthorized401
            | Self::MissingRole403
            | Self::LicenceInactive(_)
            | Self::Throttle { .. }
            | Self::Hang
            | Self::ResetBeforeHeaders
            | Self::Redirect { .. }
            | Self::Latency(_) => Stage::Arrival,
            Self::ForeignTenantToken { .. } => Stage::Token,
            Self::RefuseOrderBy | Self::IgnoreOrderBy { .. } | Self::RefuseIdRange | Self::UnsortedIds => Stage::Query,
            Self::PoisonAlert { .. } | Self::PoisonWindow { .. } | Self::TooLarge { .. } => Stage::Rows,
            Self::CutBody(_)
            | Self::StallBody(_)
            | Self::SlowBody { .. }
            | Self::ResetAfterHeaders
            | Self::MalformedJson
            | Self::WrongShape(_)
            | Self::DeepJson { .. }
            | Self::HugeAlert { .. }
            | Self::HugeBody { .. }
            | Self::GzipBomb { .. }
            | Self::NextLink { .. }
            | Self::ForeignAlert { .. } => Stage::Answer,
            Self::NoDateHeader | Self::SkewDate { .. } => Stage::Departure,
        }
    }
}
