//! Owns the query options of the alerts route: what is understood, what is refused and in which words.

pub(crate) mod filter;
pub(crate) mod lexer;
pub(crate) mod parser;
pub(crate) mod select;

use filter::{Expr, Field};

/// The keys `$select` knows: the documented resource plus what recordings show beyond it.
const ALERT_KEYS: [&str; 33] = [
    "id",
    "incidentId",
    "investigationId",
    "assignedTo",
    "severity",
    "status",
    "classification",
    "determination",
    "investigationState",
    "detectionSource",
    "detectorId",
    "category",
    "threatFamilyName",
    "title",
    "description",
    "alertCreationTime",
    "firstEventTime",
    "lastEventTime",
    "lastUpdateTime",
    "resolvedTime",
    "machineId",
    "computerDnsName",
    "rbacGroupName",
    "aadTenantId",
    "threatName",
    "mitreTechniques",
    "relatedUser",
    "loggedOnUsers",
    "comments",
    "evidence",
    "domains",
    "alertUser",
    "alertFiles",
];

/// Longest query string that is parsed; the service's web server refuses longer ones, too.
const MAX_QUERY_BYTES: usize = 16 * 1024;

/// A refused query: the message of the 400 envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadQuery(pub(crate) String);

impl BadQuery {
    pub(crate) fn new(detail: &str) -> Self {
        // The lead-in is the OData framework's; what the service itself says is not recorded.
        Self(format!("The query specified in the URI is not valid. {detail}"))
    }
}

/// One `$orderby` field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) field: Field,
    pub(crate) descending: bool,
}

/// An understood query.
#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    pub(crate) filter: Option<Expr>,
    /// Caps the whole answer.
    pub(crate) top: Option<usize>,
    pub(crate) skip: usize,
    pub(crate) order: Vec<Order>,
    pub(crate) expand: bool,
    pub(crate) select: Vec<String>,
}

impl Query {
    /// Understands a raw query string (percent-encoding and `+` undone here) under a `$top` limit.
    pub(crate) fn parse(raw: &str, page_limit: usize) -> Result<Self, BadQuery> {
        if raw.len() > MAX_QUERY_BYTES {
            return Err(BadQuery::new("The query is too long."));
        }
        let mut query = Self::default();
        let mut seen: Vec<String> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(raw.as_bytes()) {
            if !name.starts_with('$') {
                continue;
            }
            if seen.iter().any(|before| *before == name) {
                return Err(BadQuery::new(&format!("Query option '{name}' was specified more than once.")));
            }
            query.option(&name, value.trim(), page_limit)?;
            seen.push(name.into_owned());
        }
        Ok(query)
    }

    fn option(&mut self, name: &str, value: &str, page_limit: usize) -> Result<(), BadQuery> {
        match name {
            "$filter" => self.filter = Some(parser::parse(value)?),
            "$top" => {
                let top = count(name, value)?;
                if top > page_limit {
                    return Err(BadQuery::new(&format!(
                        "The limit of '{page_limit}' for Top query has been exceeded. The value from the incoming \
                         request is '{top}'."
                    )));
                }
                self.top = Some(top);
            }
            "$skip" => self.skip = count(name, value)?,
            "$orderby" => self.order = value.split(',').map(order).collect::<Result<_, _>>()?,
            "$expand" if value == "evidence" => self.expand = true,
            "$expand" => return Err(unknown_property(value)),
            "$select" => self.select = value.split(',').map(selected).collect::<Result<_, _>>()?,
            _ => {
                return Err(BadQuery::new(&format!(
                    "The query parameter '{name}' is not supported. The valid query parameters are $filter, \
                     $orderby, $top, $skip, $expand and $select."
                )));
            }
        }
        Ok(())
    }

    /// Whether the filter has a range of ids, which some faults refuse.
    pub(crate) fn has_id_range(&self) -> bool {
        self.filter.as_ref().is_some_and(Expr::has_id_range)
    }
}

/// The decoded query, for logs and fault conditions: `+` and percent-encoding undone, options in sent order.
pub(crate) fn decoded(raw: &str) -> String {
    let pairs = url::form_urlencoded::parse(raw.as_bytes());
    pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// One spelling for all encodings and orders of the same options; the name of a remembered page.
pub(crate) fn canonical(raw: &str) -> String {
    let mut pairs: Vec<_> = url::form_urlencoded::parse(raw.as_bytes()).collect();
    pairs.sort();
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(crate) fn unknown_property(name: &str) -> BadQuery {
    BadQuery::new(&format!(
        "Could not find a property named '{name}' on type 'microsoft.windowsDefenderATP.api.Alert'."
    ))
}

fn count(name: &str, value: &str) -> Result<usize, BadQuery> {
    value.parse().map_err(|_| {
        BadQuery::new(&format!(
            "Invalid value '{value}' for {name} query option found. It must be a non-negative integer."
        ))
    })
}

fn order(text: &str) -> Result<Order, BadQuery> {
    let mut words = text.split_whitespace();
    let name = words.next().unwrap_or_default();
    let field = Field::named(name).ok_or_else(|| unknown_property(name))?;
    let descending = match words.next() {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(other) => return Err(BadQuery::new(&format!("Syntax error at '{other}' in '$orderby'."))),
    };
    match words.next() {
        Some(extra) => Err(BadQuery::new(&format!("Syntax error at '{extra}' in '$orderby'."))),
        None => Ok(Order { field, descending }),
    }
}

fn selected(text: &str) -> Result<String, BadQuery> {
    let name = text.trim();
    ALERT_KEYS.contains(&name).then(|| name.to_owned()).ok_or_else(|| unknown_property(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(raw: &str) -> String {
        Query::parse(raw, 10_000).expect_err(raw).0
    }

    #[test]
    fn understands_the_documented_sample_with_plus_or_percent() {
        for raw in [
            "$filter=lastUpdateTime+ge+2019-11-22T00:00:00Z&$top=5",
            "%24filter=lastUpdateTime%20ge%202019-11-22T00%3A00%3A00Z&%24top=5",
        ] {
            let query = Query::parse(raw, 10_000).expect(raw);
            assert!(query.filter.is_some());
            assert_eq!((query.top, query.skip, query.expand), (Some(5), 0, false));
        }
    }

    #[test]
    fn the_top_limit_has_the_frameworks_words() {
        assert_eq!(
            refused("$top=10001"),
            "The query specified in the URI is not valid. The limit of '10000' for Top query has been exceeded. The value from the incoming request is '10001'."
        );
        assert!(Query::parse("$top=10000", 10_000).is_ok());
        assert!(Query::parse("$top=0", 10_000).is_ok());
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for raw in [
            "$count=true",
            "$search=x",
            "$top=-1",
            "$top=x",
            "$skip=",
            "$orderby=nothing",
            "$orderby=id up",
            "$orderby=id asc now",
            "$expand=machine",
            "$select=nope",
            "$top=1&$top=2",
            "$filter=",
        ] {
            assert!(refused(raw).starts_with("The query specified in the URI is not valid."), "{raw}");
        }
        assert!(Query::parse("api-version=1&x=y", 10).is_ok(), "options without a dollar sign are the caller's own");
    }

    #[test]
    fn encodings_and_order_do_not_matter_to_the_canonical_form() {
        let plain = canonical("$top=5&$filter=id gt 'a%26b'");
        assert_eq!(plain, canonical("%24filter=id+gt+'a%26b'&%24top=5"));
        assert_ne!(canonical("$filter=a&b=1"), canonical("$filter=a%26b%3D1"));
    }

    #[test]
    fn several_order_fields() {
        let query = Query::parse("$orderby=lastUpdateTime desc,id", 10).expect("valid");
        assert_eq!(query.order.len(), 2);
        assert!(query.order[0].descending && !query.order[1].descending);
    }
}
