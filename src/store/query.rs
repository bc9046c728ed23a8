//! Owns running SQL that somebody typed: it can read, and nothing else, whatever it is.
//!
//! Several walls stand behind each other: the file is opened for reading only, the connection refuses writes, an
//! authorizer lets nothing through but reading, and the statement itself must say that it only reads.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, Error};

use super::rows::{ReadError, Sent, Sink, Value, send};
use super::{StoreError, connection, migrate};

/// How much a query may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueryLimits {
    /// Rows; 0 means any number.
    pub rows: u64,
    /// Time in the database, writing the rows out not counted; zero means any.
    pub time: Duration,
}

/// So many steps of the database's machine lie between two looks at the clock: some microseconds.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;
/// The longest text or blob that a query can make: one function call on a longer one could outlast any time limit.
const MOST_VALUE_BYTES: i32 = 256 * 1024 * 1024;
/// The longest query.
pub const MOST_QUERY_BYTES: usize = 1024 * 1024;
/// Pragmas that only tell, whatever their argument is.
const TELLING: [&str; 10] = [
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "foreign_key_list",
    "foreign_key_check",
    "integrity_check",
    "quick_check",
];
/// Pragmas that only tell as long as they have no argument.
const TELLING_ALONE: [&str; 12] = [
    "application_id",
    "collation_list",
    "compile_options",
    "data_version",
    "database_list",
    "encoding",
    "freelist_count",
    "function_list",
    "page_count",
    "page_size",
    "schema_version",
    "user_version",
];
/// Functions that reach beyond the database, in this build of it or another.
const REACHING_OUT: [&str; 5] = ["load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"];

/// Runs one statement that only reads.
///
/// # Errors
/// When it is no such statement, takes too long, or the store or the sink fails.
pub fn query(path: &Path, sql: &str, limits: QueryLimits, sink: &mut dyn Sink) -> Result<Sent, ReadError> {
    let mut conn = connection::reader(path)?;
    migrate::check(&conn, path)?;
    if sql.contains('\0') {
        return Err(ReadError::Refused("it holds a NUL character".to_owned()));
    }
    if sql.len() > MOST_QUERY_BYTES {
        return Err(ReadError::Refused(format!("it is longer than {MOST_QUERY_BYTES} bytes")));
    }
    let denied = fence(&mut conn)?;
    let watch = Watch::start(&mut conn, limits.time)?;
    let ended = run(&conn, sql, limits.rows, &mut Paused { sink, watch: &watch });
    let denied = denied.lock().unwrap_or_else(PoisonError::into_inner).take();
    ended.map_err(|error| match &error {
        ReadError::Store(StoreError::Sql(_)) if watch.rang.load(Ordering::Relaxed) => ReadError::TooLong(limits.time),
        ReadError::Store(StoreError::Sql(text)) => ReadError::Refused(denied.unwrap_or_else(|| text.clone())),
        ReadError::Store(_) | ReadError::Output(_) | ReadError::Refused(_) | ReadError::TooLong(_) => error,
    })
}

fn run(conn: &Connection, sql: &str, limit: u64, sink: &mut dyn Sink) -> Result<Sent, ReadError> {
    let refused = |why: &str| Err(ReadError::Refused(why.to_owned()));
    let mut statement = match conn.prepare(sql) {
        Err(Error::MultipleStatement) => return refused("it holds more than one statement"),
        prepared => prepared?,
    };
    if !statement.readonly() {
        return refused("it does more than read");
    }
    if statement.column_count() == 0 {
        return refused("it answers with no rows");
    }
    send(&mut statement, [], limit, sink)
}

/// Closes every way out of reading; what is refused is told in the returned place.
fn fence(conn: &mut Connection) -> Result<Arc<Mutex<Option<String>>>, StoreError> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    conn.set_limit(Limit::SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)?;
    let denied = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&denied);
    conn.authorizer(Some(move |context: AuthContext<'_>| match objection(&context.action) {
        None => Authorization::Allow,
        Some(why) => {
            tell.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
            Authorization::Deny
        }
    }))?;
    Ok(denied)
}

/// Why a statement may not do this; `None` when it may.
fn objection(action: &AuthAction<'_>) -> Option<String> {
    if matches!(action, AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive) {
        return None;
    }
    if let AuthAction::Function { function_name } = action {
        let reaches = REACHING_OUT.iter().any(|name| name.eq_ignore_ascii_case(function_name));
        return reaches.then(|| format!("the function {function_name} is not allowed"));
    }
    if let AuthAction::Pragma { pragma_name, pragma_value } = action {
        let named = |list: &[&str]| list.iter().any(|name| name.eq_ignore_ascii_case(pragma_name));
        let tells = named(&TELLING) || pragma_value.is_none() && named(&TELLING_ALONE);
        return (!tells).then(|| format!("PRAGMA {pragma_name} is not allowed"));
    }
    if matches!(action, AuthAction::Attach { .. } | AuthAction::Detach { .. }) {
        return Some("attaching other databases is not allowed".to_owned());
    }
    if matches!(action, AuthAction::Transaction { .. } | AuthAction::Savepoint { .. }) {
        return Some("transactions are not allowed".to_owned());
    }
    Some("it would write, and only reading is allowed".to_owned())
}

/// The clock of a query, which stands still while rows are written out.
struct Watch {
    paused: Arc<AtomicU64>,
    rang: Arc<AtomicBool>,
}

impl Watch {
    fn start(conn: &mut Connection, time: Duration) -> Result<Self, StoreError> {
        let watch = Self { paused: Arc::default(), rang: Arc::default() };
        if !time.is_zero() {
            let (paused, rang, begun) = (Arc::clone(&watch.paused), Arc::clone(&watch.rang), Instant::now());
            let late = move || {
                let elsewhere = Duration::from_micros(paused.load(Ordering::Relaxed));
                let late = begun.elapsed().saturating_sub(elsewhere) > time;
                rang.fetch_or(late, Ordering::Relaxed);
                late
            };
            conn.progress_handler(STEPS_BETWEEN_LOOKS, Some(late))?;
        }
        Ok(watch)
    }
}

/// A sink whose time is not the query's: somebody may be reading the rows page by page.
struct Paused<'a> {
    sink: &'a mut dyn Sink,
    watch: &'a Watch,
}

impl Paused<'_> {
    fn aside<T>(&mut self, work: impl FnOnce(&mut dyn Sink) -> T) -> T {
        let begun = Instant::now();
        let done = work(self.sink);
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.watch.paused.fetch_add(took, Ordering::Relaxed);
        done
    }
}

impl Sink for Paused<'_> {
    fn columns(&mut self, names: &[String]) -> io::Result<()> {
        self.aside(|sink| sink.columns(names))
    }

    fn row(&mut self, values: Vec<Value>) -> io::Result<()> {
        self.aside(|sink| sink.row(values))
    }
}
