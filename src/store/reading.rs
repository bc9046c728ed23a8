//! Owns what people look up in the store, beside a daemon that may be writing it.

use std::path::Path;

use rusqlite::{Connection, Transaction};

use super::rows::{ReadError, Sent, Sink, send};
use super::{StoreError, connection, migrate};

/// A connection for looking things up.
#[derive(Debug)]
pub struct Reading {
    pub(super) conn: Connection,
}

impl Reading {
    /// Opens the store at `path`.
    ///
    /// # Errors
    /// When the file cannot be read, is not ours, or has another schema than this program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let conn = connection::reader(path)?;
        migrate::check(&conn, path)?;
        Ok(Self { conn })
    }

    /// One moment of the store, for what takes several statements.
    pub(super) fn snapshot(&self) -> Result<Transaction<'_>, StoreError> {
        Ok(self.conn.unchecked_transaction()?)
    }

    /// The ids of tenants of this id or name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn tenants_called(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let mut statement = self.conn.prepare(
            "-- reading::tenants_called\n\
             SELECT tenant_id FROM tenant WHERE tenant_id = lower(?1) OR lower(name) = lower(?1) ORDER BY tenant_id",
        )?;
        let found = statement.query_map([name], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// The tenants that have an alert of this id, each with its id and name.
    ///
    /// # Errors
    /// When the store fails.
    pub fn holders(&self, alert: &str) -> Result<Vec<(String, String)>, StoreError> {
        let mut statement = self.conn.prepare(
            "-- reading::holders\n\
             SELECT t.tenant_id, t.name FROM tenant AS t CROSS JOIN alert AS a USING (tenant_key)
             WHERE a.alert_id = ?1 ORDER BY t.name, t.tenant_id",
        )?;
        let found = statement.query_map([alert], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// One alert as the view has it.
    ///
    /// # Errors
    /// When the store or the sink fails.
    pub fn alert(&self, tenant: &str, alert: &str, sink: &mut dyn Sink) -> Result<Sent, ReadError> {
        let mut statement =
            self.conn.prepare("-- reading::alert\nSELECT * FROM alerts WHERE tenant_id = ?1 AND alert_id = ?2")?;
        send(&mut statement, [tenant, alert], 0, sink)
    }

    /// The changes of one alert, oldest first.
    ///
    /// # Errors
    /// When the store or the sink fails.
    pub fn history(&self, tenant: &str, alert: &str, sink: &mut dyn Sink) -> Result<Sent, ReadError> {
        let mut statement = self.conn.prepare(
            "-- reading::history\n\
             SELECT seq, observed_at, kind, last_update_time, fields FROM alert_changes
             WHERE tenant_id = ?1 AND alert_id = ?2 ORDER BY seq",
        )?;
        send(&mut statement, [tenant, alert], 0, sink)
    }
}

/// The store as a whole.
impl Reading {
    /// The tenants as the view has them, those that need somebody first.
    ///
    /// # Errors
    /// When the store or the sink fails.
    pub fn tenants(&self, sink: &mut dyn Sink) -> Result<Sent, ReadError> {
        let mut statement = self.conn.prepare(
            "-- reading::tenants\nSELECT * FROM tenants ORDER BY state IN ('ok', 'disabled'), name, tenant_id",
        )?;
        send(&mut statement, [], 0, sink)
    }

    /// The statements that made the views and then the tables, as `.schema` of the sqlite3 shell has them.
    ///
    /// # Errors
    /// When the store fails.
    pub fn schema(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.conn.prepare(
            "-- reading::schema\n\
             SELECT sql FROM sqlite_schema
             WHERE sql IS NOT NULL AND type IN ('view', 'table', 'index')
               AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> 'refinery_schema_history'
               AND name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')
             ORDER BY type <> 'view', tbl_name, type <> 'table', name",
        )?;
        let found = statement.query_map([], |row| row.get(0))?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

/// Following the changes.
impl Reading {
    /// Changes after `seq` with what is known of their alerts now, oldest first; at most `limit`, 0 means all.
    ///
    /// # Errors
    /// When the store or the sink fails.
    pub fn changes(&self, seq: i64, limit: u64, sink: &mut dyn Sink) -> Result<Sent, ReadError> {
        let mut statement = self.conn.prepare_cached(
            "-- reading::changes\n\
             SELECT c.seq, c.observed_at, c.kind, t.name AS tenant_name, a.severity, a.status, a.computer_dns_name,
                    a.title, c.fields, c.last_update_time, c.history, t.tenant_id, a.alert_id
             FROM alert_change AS c JOIN alert AS a USING (alert_key) JOIN tenant AS t USING (tenant_key)
             WHERE c.seq > ?1 ORDER BY c.seq",
        )?;
        send(&mut statement, [seq], limit, sink)
    }

    /// The number after which the newest `count` changes come.
    ///
    /// # Errors
    /// When the store fails.
    pub fn before_newest(&self, count: u32) -> Result<i64, StoreError> {
        let mut statement = self.conn.prepare(
            "-- reading::before_newest\n\
             SELECT coalesce((SELECT seq FROM alert_change ORDER BY seq DESC LIMIT 1 OFFSET ?1), 0)",
        )?;
        Ok(statement.query_row([count], |row| row.get(0))?)
    }

    /// A number that is another one after somebody else has written the store.
    ///
    /// # Errors
    /// When the store fails.
    pub fn data_version(&self) -> Result<i64, StoreError> {
        Ok(self.conn.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }
}
