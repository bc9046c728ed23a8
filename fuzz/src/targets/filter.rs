//! Filters and words that are sought, over a real store: no text becomes SQL or an expression, and what is listed is what
//! a look at every alert finds.
//!
//! Input: lines of words between commas (tenants, labels, severities, statuses, categories, devices), a line of words that
//! are sought, and numbers (times, order, limit).

use std::io;
use std::time::Duration;

use alertferry::clock::Clock;
use alertferry::domain::{Alert, Region, Tenant, TenantId, Ticks};
use alertferry::store::{
    AlertFilter, AlertSort, Batch, CoverageMove, Reading, Sent, Sink, Sought, Store, TenantFilter, Value,
};

use super::input::Input;

/// What is in the store: severity, status, category and device of each alert; the third tenant's are the same again.
const ALERTS: [(&str, &str, &str, &str); 8] = [
    ("High", "New", "Malware", "desk-1.contoso.example"),
    ("High", "Resolved", "Execution", "desk-2"),
    ("Medium", "InProgress", "Malware", "desk-1.contoso.example"),
    ("Low", "New", "' OR 1=1 --", "desk-3"),
    ("Informational", "Resolved", "Ransomware", "x\"y"),
    ("UnSpecified", "Unknown", "?1", "desk-2"),
    ("Odd", "Odd", "a;b", "'"),
    ("'", "\"", "%", "*"),
];
const LABELS: [&[&str]; 2] = [&["gold", "it's"], &["Silver"]];

/// A store and what is known of its alerts.
struct Shelf {
    reading: Reading,
    _place: tempfile::TempDir,
}

thread_local! {
    static SHELF: Shelf = Shelf::fill();
}

fn tenant_id(number: usize) -> TenantId {
    TenantId::parse(&format!("00000000-0000-0000-0000-{number:012}")).expect("a GUID")
}

/// When an alert of this place was updated.
fn updated(place: usize) -> Ticks {
    Ticks::from_unix_seconds(1_800_000_000).plus(Duration::from_secs(60) * u32::try_from(place).expect("few"))
}

impl Shelf {
    fn fill() -> Self {
        let place = tempfile::tempdir().expect("a directory");
        let path = place.path().join("alerts.db");
        let (store, thread) = Store::open(&path, Clock::System).expect("a store");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            for (number, labels) in LABELS.iter().enumerate() {
                store.enrol((0..=number).map(tenant).collect()).await.expect("enrolled");
                let key = store.standing(tenant_id(number)).await.expect("readable").expect("enrolled").key;
                assert!(!labels.is_empty());
                let alerts = (0..ALERTS.len()).map(alert).collect();
                let batch = Batch { alerts, ..Batch::default() };
                store.land(key, batch, CoverageMove::default()).await.expect("landed");
            }
        });
        drop(store);
        thread.join().expect("the writer ended well");
        Self { reading: Reading::open(&path).expect("readable"), _place: place }
    }
}

fn tenant(number: usize) -> Tenant {
    Tenant {
        id: tenant_id(number),
        name: format!("Customer {number}"),
        app: "main".to_owned(),
        region: Region::Eu,
        login_url: "http://127.0.0.1:1".to_owned(),
        api_url: "http://127.0.0.1:1".to_owned(),
        tags: LABELS[number].iter().map(|label| (*label).to_owned()).collect(),
        enabled: true,
    }
}

fn alert(place: usize) -> Alert {
    let (severity, status, category, device) = ALERTS[place];
    let raw = serde_json::json!({
        "id": format!("da{place}"), "lastUpdateTime": updated(place).to_string(), "severity": severity, "status": status,
        "category": category, "computerDnsName": device, "title": "Something odd", "alertCreationTime": updated(0).to_string(),
    });
    Alert::scan(raw.to_string().into_bytes(), false).expect("an alert")
}

pub fn run(data: &[u8]) {
    let mut input = Input::new(data);
    let tenants = TenantFilter { ids: input.words(), tags: input.words() };
    let mut filter = AlertFilter {
        tenants,
        severities: input.words(),
        statuses: input.words(),
        categories: input.words(),
        devices: input.words(),
        ..AlertFilter::default()
    };
    let sought = input.line();
    let (times, order, limit) = (input.byte(), input.byte(), u64::from(input.byte() % 20));
    filter.since = (times & 1 != 0).then(|| updated(usize::from(times >> 5)));
    filter.until = (times & 2 != 0).then(|| updated(usize::from(times >> 2 & 7)));
    let sort = [AlertSort::Updated, AlertSort::Created, AlertSort::Severity][usize::from(order % 3)];
    SHELF.with(|shelf| {
        let mut listed = Ids::default();
        let sent = shelf.reading.alerts(&filter, sort, limit, &mut listed).expect("no filter is an error");
        compare(&filter, limit, &sent, listed);
        let mut found = Ids::default();
        match shelf.reading.search(&Sought::Words(sought.clone()), &filter, 0, &mut found) {
            Ok(sent) => assert!(sent.rows <= fitting(&filter).len() as u64, "a search finds no more than fits"),
            Err(error) => assert!(!sought.contains(|c: char| c.is_ascii_alphanumeric()), "{sought:?}: {error}"),
        }
    });
}

fn compare(filter: &AlertFilter, limit: u64, sent: &Sent, listed: Ids) {
    let mut wanted = fitting(filter);
    let all = wanted.len() as u64;
    let most = if limit == 0 { all } else { limit.min(all) };
    assert_eq!((sent.rows, sent.cut), (most, most < all), "{filter:?}");
    let mut seen = listed.0;
    seen.sort();
    wanted.sort();
    if most == all {
        assert_eq!(seen, wanted, "{filter:?}");
    } else {
        assert!(seen.iter().all(|id| wanted.contains(id)), "{filter:?}");
    }
}

/// Tenant and alert of everything that fits, by a look at each alert.
fn fitting(filter: &AlertFilter) -> Vec<(String, String)> {
    let tenants = (0..LABELS.len()).filter(|number| {
        let ids = &filter.tenants.ids;
        let tags = &filter.tenants.tags;
        let has = |label: &&str| tags.iter().any(|tag| tag.eq_ignore_ascii_case(label));
        (ids.is_empty() || ids.contains(&tenant_id(*number).to_string()))
            && (tags.is_empty() || LABELS[*number].iter().any(has))
    });
    let alerts: Vec<usize> = (0..ALERTS.len()).filter(|place| fits(filter, *place)).collect();
    tenants
        .flat_map(|number| alerts.iter().map(move |place| (tenant_id(number).to_string(), format!("da{place}"))))
        .collect()
}

fn fits(filter: &AlertFilter, place: usize) -> bool {
    let (severity, status, category, device) = ALERTS[place];
    let one_of = |words: &[String], value: &str, known: &[&str]| {
        let equal = |word: &String| word == value || (known.contains(&value) && word.eq_ignore_ascii_case(value));
        words.is_empty() || words.iter().any(equal)
    };
    // What the index holds of a device is compared without blanks around, in lower case, control characters replaced.
    let names = [Some(device), device.split_once('.').map(|(label, _)| label)];
    let named = |word: &String| {
        let word = word.trim().to_lowercase();
        names.iter().flatten().any(|name| *name == word)
    };
    one_of(&filter.severities, severity, &alertferry::domain::SEVERITIES)
        && one_of(&filter.statuses, status, &alertferry::domain::STATUSES)
        && one_of(&filter.categories, category, &[category])
        && (filter.devices.is_empty() || filter.devices.iter().any(named))
        && filter.since.is_none_or(|since| since <= updated(place))
        && filter.until.is_none_or(|until| updated(place) < until)
}

/// Tenant and alert of each row.
#[derive(Default)]
struct Ids(Vec<(String, String)>, [usize; 2]);

impl Sink for Ids {
    fn columns(&mut self, names: &[String]) -> io::Result<()> {
        let place = |name: &str| names.iter().position(|known| known == name).unwrap_or_default();
        self.1 = [place("tenant_id"), place("alert_id")];
        Ok(())
    }

    fn row(&mut self, values: Vec<Value>) -> io::Result<()> {
        let text = |place: usize| match &values[place] {
            Value::Text(text) => text.clone(),
            other @ (Value::Null | Value::Integer(_) | Value::Real(_) | Value::Blob(_)) => format!("{other:?}"),
        };
        self.0.push((text(self.1[0]), text(self.1[1])));
        Ok(())
    }
}
