//! Owns the usual ways of reading, as simply as they are usually written.

use std::collections::BTreeMap;
use std::time::Duration;

use alertferry::http::{Http, Limits, Options};
use alertferry::secret::Secret;
use alertferry_simulator::Simulator;
use serde::Deserialize;
use serde_json::value::RawValue;

/// How the next request follows from the last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Sorted by time; goes on strictly after the last row's time.
    AfterLast,
    /// Pages through what was updated since the last poll with `$skip`.
    Skipping,
    /// Takes the last row's time as how far it has come, in whatever order the rows came.
    LastRow,
}

/// A naive reader of one tenant.
pub struct Naive {
    pub stored: BTreeMap<String, String>,
    way: Way,
    page_size: u32,
    http: Http,
    cursor: String,
}

#[derive(Deserialize)]
struct Answer {
    value: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    last_update_time: String,
}

impl Naive {
    pub fn new(way: Way, page_size: u32) -> Self {
        let http = Http::new(&Options { loopback_only: true }).expect("a client");
        Self { stored: BTreeMap::new(), way, page_size, http, cursor: "2026-06-01T00:00:00Z".to_owned() }
    }

    /// Reads what seems to be new.
    pub async fn poll(&mut self, sim: &Simulator, tenant: &str) {
        let now = sim.world().with(|world| world.now().to_string());
        let mut skip = 0;
        loop {
            let cursor = &self.cursor;
            let options = match self.way {
                Way::AfterLast => format!("$filter=lastUpdateTime+gt+{cursor}&$orderby=lastUpdateTime+asc"),
                Way::Skipping => {
                    format!("$filter=lastUpdateTime+ge+{cursor}+and+lastUpdateTime+lt+{now}&$skip={skip}")
                }
                Way::LastRow => format!("$filter=lastUpdateTime+ge+{cursor}"),
            };
            let rows = self.get(sim, tenant, &options).await;
            let full = rows.len() == self.page_size as usize;
            skip += rows.len();
            let last = rows.last().map(|(row, _)| row.last_update_time.clone());
            self.stored.extend(rows.into_iter().map(|(row, text)| (row.id, text)));
            if self.way != Way::Skipping {
                self.cursor = last.unwrap_or_else(|| self.cursor.clone());
            }
            if !full || self.way == Way::LastRow {
                break;
            }
        }
        if self.way == Way::Skipping {
            self.cursor = now;
        }
    }

    async fn get(&self, sim: &Simulator, tenant: &str, options: &str) -> Vec<(Row, String)> {
        let token = Secret::new(sim.token(tenant).expect("a token"));
        let url = format!("{}/api/alerts?{options}&$expand=evidence&$top={}", sim.api_url(), self.page_size);
        let wait = Duration::from_secs(10);
        let limits = Limits { head: wait, idle: wait, total: wait, body_bytes: 1 << 28 };
        let mut answer = self.http.get(&url, &token, limits).await.expect("an answer");
        assert_eq!(answer.status(), 200, "{url}");
        let answer: Answer = serde_json::from_str(&answer.text().await.expect("a body")).expect("a list");
        let row = |raw: Box<RawValue>| (serde_json::from_str(raw.get()).expect("an alert"), raw.get().to_owned());
        answer.value.into_iter().map(row).collect()
    }
}
