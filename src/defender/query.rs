//! Owns how a window becomes the URL of a request.

use std::fmt::Write;

use url::form_urlencoded::byte_serialize;

use crate::domain::{AlertId, Ticks};

/// The most rows the service answers to one request (Microsoft's documentation of the alerts list).
pub const MOST_ROWS: u32 = 10_000;

/// How the rows are to be sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// By last update time. Not documented for alerts, but it works; the rows are checked, not trusted.
    Time,
    /// By id, asked for.
    Id,
    /// As the service likes: by id, as far as recordings show.
    Unasked,
}

/// One request for a list of alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// `lastUpdateTime ge` this.
    pub from: Ticks,
    /// `lastUpdateTime lt` this.
    pub until: Option<Ticks>,
    /// `id gt` this.
    pub after_id: Option<AlertId>,
    /// `id lt` this.
    pub before_id: Option<AlertId>,
    /// How to sort.
    pub order: Order,
    /// `$top`: the most rows in the whole answer, not a page size.
    pub top: u32,
    /// `$skip`.
    pub skip: u64,
    /// Whether evidence is asked for; without it the rows are thin.
    pub evidence: bool,
    /// Whether a row whose text is broken is set aside instead of failing the answer.
    pub lenient: bool,
}

impl Query {
    /// A request for all that was updated from `from` on.
    #[must_use]
    pub const fn since(from: Ticks, top: u32) -> Self {
        Self {
            from,
            until: None,
            after_id: None,
            before_id: None,
            order: Order::Time,
            top,
            skip: 0,
            evidence: true,
            lenient: false,
        }
    }

    /// The URL of the request. Option names stay literal; values are form-encoded, as the service's own samples are.
    #[must_use]
    pub fn url(&self, api_url: &str) -> String {
        let mut filter = format!("lastUpdateTime ge {}", self.from);
        if let Some(until) = self.until {
            let _infallible = write!(filter, " and lastUpdateTime lt {until}");
        }
        for (operator, bound) in [("gt", &self.after_id), ("lt", &self.before_id)] {
            if let Some(id) = bound {
                let _infallible = write!(filter, " and id {operator} '{}'", id.as_str().replace('\'', "''"));
            }
        }
        let encoded: String = byte_serialize(filter.as_bytes()).collect();
        let mut url = format!("{api_url}/api/alerts?$filter={encoded}");
        if self.evidence {
            url.push_str("&$expand=evidence");
        }
        match self.order {
            Order::Time => url.push_str("&$orderby=lastUpdateTime"),
            Order::Id => url.push_str("&$orderby=id"),
            Order::Unasked => {}
        }
        let _infallible = write!(url, "&$top={}", self.top);
        if self.skip > 0 {
            let _infallible = write!(url, "&$skip={}", self.skip);
        }
        url
    }
}

/// The URL of one alert. It comes with its evidence, without being asked (seen in recordings).
#[must_use]
pub(super) fn alert_url(api_url: &str, id: &AlertId) -> String {
    // Form encoding writes a space as `+`, which only queries decode.
    let id: String = byte_serialize(id.as_str().as_bytes()).collect::<String>().replace('+', "%20");
    format!("{api_url}/api/alerts/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_becomes_a_url() {
        let at = |text| Ticks::parse(text).expect("a time");
        let mut query = Query::since(at("2026-01-02T03:04:05.6Z"), 10_000);
        assert_eq!(
            query.url("http://h"),
            "http://h/api/alerts?$filter=lastUpdateTime+ge+2026-01-02T03%3A04%3A05.6000000Z\
             &$expand=evidence&$orderby=lastUpdateTime&$top=10000"
        );
        query.until = Some(at("2026-01-03T00:00:00Z"));
        query.after_id = AlertId::new("da'1_-2");
        query.before_id = AlertId::new("db");
        query.order = Order::Unasked;
        query.evidence = false;
        query.skip = 7;
        assert_eq!(
            query.url("http://h"),
            "http://h/api/alerts?$filter=lastUpdateTime+ge+2026-01-02T03%3A04%3A05.6000000Z\
             +and+lastUpdateTime+lt+2026-01-03T00%3A00%3A00.0000000Z+and+id+gt+%27da%27%271_-2%27+and+id+lt+%27db%27&$top=10000&$skip=7"
        );
    }

    #[test]
    fn an_id_cannot_leave_its_place_in_the_path() {
        let id = AlertId::new("../x?y z").expect("an id");
        assert_eq!(alert_url("http://h", &id), "http://h/api/alerts/..%2Fx%3Fy%20z");
    }
}
