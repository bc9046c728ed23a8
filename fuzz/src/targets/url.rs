//! The URL of a request: whatever an id holds, the service is asked what was meant, and nobody else is asked.
//!
//! Input: two numbers of eight bytes (times), four bytes of switches, and two lines (ids).

use alertferry::defender::{Order, Query};
use alertferry::domain::{AlertId, Ticks};
use url::Url;

use super::input::Input;

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let mut query = Query::since(Ticks::from_ticks(input.number()), 10_000);
    let until = Ticks::from_ticks(input.number());
    let (switches, order, top, skip) = (input.byte(), input.byte(), input.byte(), input.byte());
    query.until = (switches & 1 != 0).then_some(until);
    query.evidence = switches & 2 != 0;
    query.order = [Order::Time, Order::Id, Order::Unasked][usize::from(order % 3)];
    query.top = u32::from(top) + 1;
    query.skip = u64::from(skip);
    query.after_id = AlertId::new(input.line());
    query.before_id = AlertId::new(input.line());
    let text = query.url("https://api.example:8443");
    assert!(text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
    let url = Url::parse(&text).expect("a URL");
    assert_eq!((url.host_str(), url.port(), url.path()), (Some("api.example"), Some(8443), "/api/alerts"));
    assert_eq!((url.fragment(), url.username()), (None, ""));
    let asked: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    assert_eq!(asked, wanted(&query), "{text}");
}

/// The options that must be asked for, the filter's words read back out of its text.
fn wanted(query: &Query) -> Vec<(String, String)> {
    let mut filter = format!("lastUpdateTime ge {}", query.from);
    if let Some(until) = query.until {
        filter += &format!(" and lastUpdateTime lt {until}");
    }
    for (operator, id) in [("gt", &query.after_id), ("lt", &query.before_id)] {
        if let Some(id) = id {
            let literal = literal(id.as_str());
            assert_eq!(text_of(&literal).as_deref(), Some(id.as_str()), "a literal ends where it should");
            filter += &format!(" and id {operator} {literal}");
        }
    }
    let order = match query.order {
        Order::Time => Some("lastUpdateTime"),
        Order::Id => Some("id"),
        Order::Unasked => None,
    };
    let options = [
        ("$filter", Some(filter)),
        ("$expand", query.evidence.then(|| "evidence".to_owned())),
        ("$orderby", order.map(str::to_owned)),
        ("$top", Some(query.top.to_string())),
        ("$skip", (query.skip > 0).then(|| query.skip.to_string())),
    ];
    options.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// A text as OData writes it: quotes inside are doubled.
fn literal(text: &str) -> String {
    let inside: String = text.chars().flat_map(|c| std::iter::repeat_n(c, if c == '\'' { 2 } else { 1 })).collect();
    format!("'{inside}'")
}

/// Reads such a text as a service does: from the first quote to the first that is alone.
fn text_of(literal: &str) -> Option<String> {
    let (mut text, mut letters) = (String::new(), literal.strip_prefix('\'')?.chars().peekable());
    while let Some(letter) = letters.next() {
        match (letter, letters.peek()) {
            ('\'', Some('\'')) => drop(letters.next()),
            ('\'', None) => return Some(text),
            ('\'', Some(_)) => return None,
            _ => {}
        }
        text.push(letter);
    }
    None
}
