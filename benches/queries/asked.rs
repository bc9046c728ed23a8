//! Owns the questions that are timed: what people ask of the views, and what the commands ask.

use rusqlite::Connection;

use crate::names;

/// A question.
pub(crate) struct Asked {
    /// What it is about.
    pub name: String,
    /// The SQL, as somebody would type it.
    pub sql: String,
    /// Whether it is held to [`crate::timing::BAR`].
    pub bar: bool,
}

/// What the questions name: things that are in the store, found by looking.
pub(crate) struct Subjects {
    /// A SHA-1 that some hundred alerts of many tenants have.
    shared: String,
    /// The SHA-1 that most alerts have.
    common: String,
    /// The name of a family that a few alerts have.
    word: String,
    /// The alert with the longest history: tenant, id.
    changed: (String, String),
    /// An alert with an ordinary history.
    usual: (String, String),
    /// A tenant of middling size.
    tenant: String,
}

impl Subjects {
    /// Finds them in any store that was built here.
    pub(crate) fn of(conn: &Connection) -> Self {
        let hits = |sha1: &str| {
            let sql = format!("SELECT count(*) FROM hunt WHERE value MATCH 'sha1:\"{sha1}\"'");
            conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect(&sql)
        };
        let shared = (1..names::FILES).map(|rank| names::file(rank).1).find(|sha1| hits(sha1) < 300);
        let tenant =
            text(conn, "SELECT tenant_id FROM tenants ORDER BY 1 LIMIT 1 OFFSET (SELECT count(*) / 2 FROM tenants)");
        let usual = text(
            conn,
            &format!("SELECT alert_id FROM alerts WHERE tenant_id = '{tenant}' ORDER BY last_update_time LIMIT 1"),
        );
        let longest = "SELECT alert_key FROM alert_change GROUP BY 1 ORDER BY count(*) DESC LIMIT 1";
        let of_longest = |column: &str| {
            format!("SELECT {column} FROM alert JOIN tenant USING (tenant_key) WHERE alert_key = ({longest})")
        };
        Self {
            shared: shared.expect("a rare file"),
            common: names::file(0).1,
            word: names::family_name(names::FAMILIES / 2),
            changed: (text(conn, &of_longest("tenant_id")), text(conn, &of_longest("alert_id"))),
            usual: (tenant.clone(), usual),
            tenant,
        }
    }
}

fn text(conn: &Connection, sql: &str) -> String {
    conn.query_row(sql, [], |row| row.get(0)).expect(sql)
}

/// All questions in the order of the table.
pub(crate) fn questions(of: &Subjects) -> Vec<Asked> {
    let mut asked = daily(of);
    asked.extend(named(of));
    asked
}

/// What is asked all day, and must be quick.
pub(crate) fn daily(of: &Subjects) -> Vec<Asked> {
    let newest = "SELECT tenant_name, alert_id, title, computer_dns_name, last_update_time FROM alerts";
    let history = |(tenant, alert): &(String, String)| {
        format!(
            "SELECT seq, kind, observed_at, last_update_time, fields FROM alert_changes
             WHERE tenant_id = '{tenant}' AND alert_id = '{alert}' ORDER BY seq"
        )
    };
    let hunt =
        |sha1: &str| format!("SELECT tenant_name, alert_id, title FROM hunt WHERE value MATCH 'sha1:\"{sha1}\"'");
    let words = "SELECT tenant_name, alert_id, severity, title FROM search WHERE words MATCH";
    let Subjects { shared, common, word, .. } = of;
    [
        (
            "newest 50 of high severity",
            format!("{newest} WHERE severity = 'High' ORDER BY last_update_time DESC LIMIT 50"),
        ),
        (
            "newest 50 open ones of high severity",
            format!(
                "{newest} WHERE severity = 'High' AND status <> 'Resolved' ORDER BY last_update_time DESC LIMIT 50"
            ),
        ),
        ("a hash at many tenants", hunt(shared)),
        (
            "a hash at many tenants, with its evidence",
            format!(
                "SELECT h.tenant_name, h.alert_id, h.title, e.entity_type, e.file_name, e.file_path
                 FROM hunt AS h JOIN evidence AS e USING (tenant_id, alert_id)
                 WHERE h.value MATCH 'sha1:\"{shared}\"' AND e.sha1 = '{shared}'"
            ),
        ),
        ("the commonest hash, 50 of its alerts", format!("{} LIMIT 50", hunt(common))),
        ("an alert's history", history(&of.usual)),
        ("the longest history", history(&of.changed)),
        ("a rare word", format!("{words} '{word}'")),
        ("a frequent word, 50 of its alerts", format!("{words} 'powershell' LIMIT 50")),
        ("two frequent words, 50 of their alerts", format!("{words} 'powershell AND memory' LIMIT 50")),
        ("open alerts by tenant and severity", "SELECT * FROM open_alerts".to_owned()),
    ]
    .into_iter()
    .map(|(name, sql)| Asked { name: name.to_owned(), sql, bar: true })
    .collect()
}

/// The other views.
fn named(of: &Subjects) -> Vec<Asked> {
    let Subjects { tenant, usual: (_, alert), .. } = of;
    [
        ("`newest_alerts`", "SELECT * FROM newest_alerts".to_owned()),
        ("`stale_alerts`, 100 of them", "SELECT * FROM stale_alerts LIMIT 100".to_owned()),
        ("`stale_alerts`, the 100 oldest", "SELECT * FROM stale_alerts ORDER BY last_update_time LIMIT 100".to_owned()),
        ("`shared_titles`", "SELECT * FROM shared_titles".to_owned()),
        ("`repeat_devices`", "SELECT * FROM repeat_devices".to_owned()),
        ("`repeat_devices` of one tenant", format!("SELECT * FROM repeat_devices WHERE tenant_id = '{tenant}'")),
        ("`repeat_accounts`", "SELECT * FROM repeat_accounts".to_owned()),
        ("`repeat_accounts` of one tenant", format!("SELECT * FROM repeat_accounts WHERE tenant_id = '{tenant}'")),
        ("`alert_times` of one tenant", format!("SELECT * FROM alert_times WHERE tenant_id = '{tenant}'")),
        (
            "`evidence` of one alert",
            format!("SELECT * FROM evidence WHERE tenant_id = '{tenant}' AND alert_id = '{alert}'"),
        ),
        ("`tenants`", "SELECT * FROM tenants".to_owned()),
    ]
    .into_iter()
    .map(|(name, sql)| Asked { name: name.to_owned(), sql, bar: false })
    .collect()
}

/// The queries on the page for users that look at all they can look at, each with the sentence before it.
pub(crate) fn page(of: &Subjects) -> Vec<Asked> {
    let page = include_str!("../../docs/SCHEMA.md");
    let (_, queries) = page.split_once("\n## Queries\n").expect("the page's last part");
    let parts: Vec<&str> = queries.split("```").collect();
    let pairs = parts.chunks_exact(2).filter_map(|pair| Some((pair[0], pair[1].strip_prefix("sql\n")?)));
    let asked = pairs.map(|(sentence, sql)| Asked {
        name: sentence.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect(),
        sql: sql
            .trim_end_matches([';', '\n'])
            .replace("a839b112-1253-6432-9bf6-94542403f21c", &of.tenant)
            .replace("da637308392288907382_-880718168", &of.usual.1)
            .replace("aed4031677cc32fa6437d4a5b3b5ec1f3a3a6bd5", &of.shared),
        bar: false,
    });
    asked.collect()
}
