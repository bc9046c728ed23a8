//! Owns the choice of a fault at random.

use std::time::Duration;

use alertferry_simulator::{Cut, Fault, FaultBody, LicenceFault, RetryAfter, Route, Shape};
use rand::RngExt;
use rand::rngs::StdRng;

use crate::rig::guid;

/// Any fault, with what it needs; but none that changes a single alert, which would rightly be set aside
/// for good, and none that is a proper empty list, which is believed.
pub fn any(dice: &mut StdRng) -> (Fault, Route) {
    let wait = [RetryAfter::Absent, RetryAfter::Seconds(1), RetryAfter::HttpDate(2), RetryAfter::Raw("never")];
    let retry_after = wait[dice.random_range(0..wait.len())];
    let status = [408, 500, 502, 503, 504][dice.random_range(0..5)];
    let faults = [
        Fault::Status { status, body: FaultBody::Html, retry_after },
        Fault::Throttle { retry_after },
        Fault::Unauthorized401,
        Fault::MissingRole403,
        Fault::LicenceInactive(LicenceFault::Inactive403),
        Fault::CutBody(Cut::Fraction(dice.random_range(0.0..1.0))),
        Fault::StallBody(Cut::Fraction(dice.random_range(0.0..1.0))),
        Fault::SlowBody { bytes: 64, every: Duration::from_millis(100) },
        Fault::Hang,
        Fault::ResetBeforeHeaders,
        Fault::ResetAfterHeaders,
        Fault::MalformedJson,
        Fault::WrongShape(Shape::NoValue),
        Fault::HugeBody { bytes: 8 << 20 },
        Fault::Redirect { status: 307, location: "http://127.0.0.1:9/".to_owned() },
        Fault::NextLink { url: "http://127.0.0.1:9/".to_owned() },
        Fault::ForeignAlert { aad_tenant_id: guid(999) },
        Fault::ForeignTenantToken { tid: guid(999) },
        Fault::RefuseOrderBy,
        Fault::IgnoreOrderBy { shuffled: true },
        Fault::RefuseIdRange,
        Fault::UnsortedIds,
        Fault::TooLarge { max_rows: 20 },
        Fault::Latency(Duration::from_millis(dice.random_range(0..1_500))),
        Fault::NoDateHeader,
        Fault::SkewDate { seconds: dice.random_range(-7_200..7_200) },
    ];
    let fault = faults[dice.random_range(0..faults.len())].clone();
    let of_login = matches!(fault, Fault::ForeignTenantToken { .. });
    let for_both = matches!(
        fault,
        Fault::Status { .. } | Fault::Throttle { .. } | Fault::Hang | Fault::ResetBeforeHeaders | Fault::MalformedJson
    );
    let login = of_login || (for_both && dice.random_bool(0.3));
    (fault, if login { Route::Login } else { Route::Alerts })
}
