//! Owns the bytes of a list answer: the rows' prepared texts between the recorded brackets, plain and compressed.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::alert::Version;
use crate::odata::Query;

/// One list answer.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) rows: Arc<[Arc<Version>]>,
    pub(crate) plain: Bytes,
    gzip: OnceLock<Bytes>,
}

impl Page {
    /// Writes the rows out.
    pub(crate) fn assemble(context_host: &str, query: &Query, rows: Arc<[Arc<Version>]>) -> Self {
        let size: usize = rows.iter().map(|row| row.text.len() + 1).sum();
        let mut out = Vec::with_capacity(if query.expand { size + 256 } else { size / 2 + 256 });
        out.extend_from_slice(opening(context_host, &query.select).as_bytes());
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            if !query.select.is_empty() {
                row.write_selected(&query.select, query.expand, &mut out);
            } else if query.expand {
                out.extend_from_slice(&row.text);
            } else {
                row.write_thin(&mut out);
            }
        }
        out.extend_from_slice(b"]}");
        Self { rows, plain: Bytes::from(out), gzip: OnceLock::new() }
    }

    /// The compressed form, made once.
    pub(crate) fn gzip(&self) -> Bytes {
        self.gzip.get_or_init(|| gzip(&self.plain)).clone()
    }

    /// Bytes held.
    pub(crate) fn size(&self) -> usize {
        self.plain.len() + self.gzip.get().map_or(0, Bytes::len)
    }
}

/// A list's beginning; with `$select` the context names the fields, as recorded.
pub(crate) fn opening(context_host: &str, select: &[String]) -> String {
    let fields = if select.is_empty() { String::new() } else { format!("({})", select.join(",")) };
    format!("{{\"@odata.context\":\"https://{context_host}/api/$metadata#Alerts{fields}\",\"value\":[")
}

/// One alert by id: its members behind a context of their own, evidence always included (recorded).
pub(crate) fn entity(context_host: &str, row: &Version) -> Bytes {
    let mut out = format!("{{\"@odata.context\":\"https://{context_host}/api/$metadata#Alerts/$entity\",").into_bytes();
    let open = row.text.iter().position(|byte| *byte == b'{').map_or(0, |at| at + 1);
    out.extend_from_slice(row.text.get(open..).unwrap_or_default());
    Bytes::from(out)
}

/// Compresses at the quickest level.
pub(crate) fn gzip(plain: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4 + 64), Compression::fast());
    // Writing into memory cannot fail; an empty body would show in the first test.
    match encoder.write_all(plain).and_then(|()| encoder.finish()) {
        Ok(bytes) => Bytes::from(bytes),
        Err(_) => Bytes::new(),
    }
}
