//! Owns finding alerts by the words of their texts.

use rusqlite::params_from_iter;
use rusqlite::types::Value;

use super::filter::{AlertFilter, Conditions};
use super::list::COLUMNS;
use super::reading::Reading;
use super::rows::{ReadError, Sent, Sink, send};
use super::{StoreError, matching};

/// What is sought in titles, descriptions, command lines and file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// All of these words, in any order; one with a `*` at its end means all that begin so.
    Words(String),
    /// What an FTS5 expression says.
    Expression(String),
}

impl Sought {
    /// The expression that is handed to the index.
    fn expression(&self) -> Result<String, ReadError> {
        let none = || ReadError::Refused("there is no letter or digit to look for".to_owned());
        match self {
            Self::Words(words) => matching::all_words(words).ok_or_else(none),
            Self::Expression(text) if text.trim().is_empty() => Err(none()),
            Self::Expression(text) => Ok(text.clone()),
        }
    }
}

impl Reading {
    /// Alerts that have what is sought and fit, at most `limit` of them, 0 means all; what was stored last comes first.
    /// A last column shows a piece of the text with what was found in brackets.
    ///
    /// # Errors
    /// When there is nothing to look for, the expression is wrong, or the store or the sink fails.
    pub fn search(
        &self,
        sought: &Sought,
        filter: &AlertFilter,
        limit: u64,
        sink: &mut dyn Sink,
    ) -> Result<Sent, ReadError> {
        let expression = sought.expression()?;
        let snapshot = self.snapshot()?;
        let tenants = filter.tenants.stored(&snapshot)?;
        let mut conditions = Conditions::after(vec![Value::Text(expression)]);
        filter.add_to(&mut conditions, tenants.as_ref());
        let mut statement = snapshot.prepare(&search(&conditions))?;
        let sent = send(&mut statement, params_from_iter(conditions.values()), limit, sink);
        sent.map_err(|error| match (sought, error) {
            (Sought::Expression(_), ReadError::Store(StoreError::Sql(text))) => ReadError::Refused(text),
            (_, error) => error,
        })
    }
}

/// The statement that searches. The index hands alerts out from the last one stored, so the first rows come at once.
pub(super) fn search(conditions: &Conditions) -> String {
    format!(
        "-- finding::search\n\
         SELECT {COLUMNS}, snippet(text_index, -1, '[', ']', '…', 12) AS \"match\"
         FROM text_index AS w CROSS JOIN alert AS a ON a.alert_key = w.rowid JOIN tenant AS t USING (tenant_key)
         WHERE w.text_index MATCH ?1 AND {} ORDER BY w.rowid DESC",
        conditions.text()
    )
}
