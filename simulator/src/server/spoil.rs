//! Owns spoiling good answers: other JSON, too much JSON, and bodies that do not arrive whole.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::page::{self, Page};
use super::reply::{Content, Delivery, Ending, Reply};
use crate::fault::{Cut, Fault, Shape};
use crate::json::quoted;

/// Spoils a token answer.
pub(super) fn login(mut reply: Reply, faults: &[Fault]) -> Reply {
    let Content::Sized(plain) = reply.content.clone() else { return reply };
    let mut text = plain.to_vec();
    for fault in faults {
        if *fault == Fault::MalformedJson {
            text = malformed(text);
        }
        if let Fault::DeepJson { depth } = fault {
            text = nested(b"{\"access_token\":", *depth, b"}");
        }
        if let Fault::WrongShape(shape) = fault {
            text = match shape {
                Shape::NoValue => b"{\"token_type\":\"Bearer\",\"expires_in\":3599}".to_vec(),
                Shape::ValueIsObject => b"{\"token_type\":\"Bearer\",\"access_token\":{}}".to_vec(),
                Shape::TopLevelArray => b"[]".to_vec(),
            };
        }
    }
    reply.content = inflated(&text, faults).unwrap_or_else(|| Content::Sized(text.into()));
    if let Some(bomb) = bomb(faults) {
        reply.content = Content::Chunked(bomb);
        reply.headers.push(("content-encoding", "gzip".to_owned()));
    }
    reply.delivery = delivery(faults, reply.content.len());
    reply
}

/// Spoils an answer of the API and encodes it as the client likes. `page` holds the prepared compressed form.
pub(super) fn api(mut reply: Reply, faults: &[Fault], plain: Bytes, page: Option<&Page>, gzip: bool) -> Reply {
    let spoilt = faults
        .iter()
        .fold(None, |so_far: Option<Vec<u8>>, fault| respell(fault, so_far.as_deref().unwrap_or(&plain)).or(so_far));
    let touched = spoilt.is_some();
    let plain = spoilt.map_or(plain, Bytes::from);
    if let Some(bomb) = bomb(faults) {
        reply.content = Content::Chunked(bomb);
        reply.headers.push(("content-encoding", "gzip".to_owned()));
    } else if let Some(huge) = inflated(&plain, faults) {
        reply.content = huge;
    } else if gzip {
        let packed = match page.filter(|_| !touched) {
            Some(page) => page.gzip(),
            None => page::gzip(&plain),
        };
        reply.content = Content::Chunked(packed);
        reply.headers.push(("content-encoding", "gzip".to_owned()));
    } else {
        reply.content = Content::Chunked(plain);
    }
    reply.delivery = delivery(faults, reply.content.len());
    reply
}

/// The text after one fault that rewrites it; `None` when the fault is of another kind.
fn respell(fault: &Fault, plain: &[u8]) -> Option<Vec<u8>> {
    if let Fault::NextLink { url } = fault {
        let body = plain.strip_suffix(b"}")?;
        return Some([body, b",\"@odata.nextLink\":", quoted(url).as_bytes(), b"}"].concat());
    }
    if let Fault::ForeignAlert { aad_tenant_id } = fault {
        return foreign(plain, aad_tenant_id);
    }
    if let Fault::DeepJson { depth } = fault {
        let (before, after, glue) = first_alert(plain);
        let (open, close): (&[u8], &[u8]) = if glue.is_empty() { (b"{", b"}") } else { (b"", b"") };
        return Some([before, open, &nested(b"\"deep\":", *depth, close), glue, after].concat());
    }
    if let Fault::WrongShape(shape) = fault {
        return Some(match shape {
            Shape::NoValue => b"{\"@odata.context\":\"https://localhost/api/$metadata#Alerts\"}".to_vec(),
            Shape::ValueIsObject => b"{\"value\":{}}".to_vec(),
            Shape::TopLevelArray => b"[]".to_vec(),
        });
    }
    (*fault == Fault::MalformedJson).then(|| malformed(plain.to_vec()))
}

/// Valid to the last bracket, which is missing, and a stray one follows.
fn malformed(mut text: Vec<u8>) -> Vec<u8> {
    text.pop();
    text.extend_from_slice(b",,]");
    text
}

fn nested(before: &[u8], depth: usize, after: &[u8]) -> Vec<u8> {
    [before, &vec![b'['; depth], &vec![b']'; depth], after].concat()
}

/// Splits the text just inside its first alert. The glue goes between a new member and the rest; an empty list gets
/// an alert made for the purpose.
fn first_alert(plain: &[u8]) -> (&[u8], &[u8], &'static [u8]) {
    const LIST: &[u8] = b"\"value\":[";
    let list = plain.windows(LIST.len()).position(|window| window == LIST);
    let at = list.map_or(0, |at| at + LIST.len());
    let (before, after) = plain.split_at(at);
    match after.first() {
        Some(b'{') => {
            let (before, after) = plain.split_at(at + 1);
            (before, after, b",")
        }
        _ => (before, after, b""),
    }
}

fn foreign(plain: &[u8], tenant: &str) -> Option<Vec<u8>> {
    const KEY: &[u8] = b"\"aadTenantId\":";
    let Some(at) = plain.windows(KEY.len()).position(|window| window == KEY) else {
        let (before, after, glue) = first_alert(plain);
        return (!glue.is_empty()).then(|| [before, KEY, quoted(tenant).as_bytes(), glue, after].concat());
    };
    let (before, rest) = plain.split_at(at + KEY.len());
    let end = rest.iter().position(|byte| matches!(byte, b',' | b'}'))?;
    Some([before, quoted(tenant).as_bytes(), rest.get(end..)?].concat())
}

/// A body that is much larger than what it tells.
fn inflated(plain: &[u8], faults: &[Fault]) -> Option<Content> {
    for fault in faults {
        if let Fault::HugeAlert { bytes } = fault {
            let (before, after, glue) = first_alert(plain);
            let (open, close): (&[u8], &[u8]) = if glue.is_empty() { (b"{", b"\"}") } else { (b"", b"\"") };
            let head = Bytes::from([before, open, b"\"padding\":\""].concat());
            let tail = Bytes::from([close, glue, after].concat());
            return Some(Content::Inflated { head, filler: b'a', count: *bytes, tail });
        }
        if let Fault::HugeBody { bytes } = fault {
            let (head, tail) = plain.split_at(plain.len().saturating_sub(1));
            let count = bytes.saturating_sub(u64::try_from(plain.len()).unwrap_or(0));
            let (head, tail) = (Bytes::copy_from_slice(head), Bytes::copy_from_slice(tail));
            return Some(Content::Inflated { head, filler: b' ', count, tail });
        }
    }
    None
}

/// A compressed list of nothing but white space.
fn bomb(faults: &[Fault]) -> Option<Bytes> {
    let decoded = faults.iter().find_map(|fault| {
        let Fault::GzipBomb { decoded_bytes } = fault else { return None };
        Some(*decoded_bytes)
    })?;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let blanks = vec![b' '; 1 << 20];
    encoder.write_all(b"{\"value\":[").ok()?;
    let mut left = decoded;
    while left > 0 {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(blanks.len());
        encoder.write_all(blanks.get(..take)?).ok()?;
        left -= u64::try_from(take).unwrap_or(left);
    }
    encoder.write_all(b"]}").ok()?;
    encoder.finish().ok().map(Bytes::from)
}

fn delivery(faults: &[Fault], length: u64) -> Delivery {
    let mut delivery = Delivery::default();
    for fault in faults {
        if let Fault::CutBody(cut) = fault {
            delivery.stop_at = Some((position(*cut, length), Ending::Cut));
        }
        if let Fault::StallBody(cut) = fault {
            delivery.stop_at = Some((position(*cut, length), Ending::Stall));
        }
        if *fault == Fault::ResetAfterHeaders {
            delivery.stop_at = Some((0, Ending::Reset));
        }
        if let Fault::SlowBody { bytes, every } = fault {
            delivery.drip = Some((*bytes, *every));
        }
    }
    delivery
}

/// Where the body stops; always before its last byte, or nothing would be missing.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a part of a length, clamped to it; exactness does not matter"
)]
fn position(cut: Cut, length: u64) -> u64 {
    let wanted = match cut {
        Cut::Bytes(bytes) => u64::try_from(bytes).unwrap_or(u64::MAX),
        Cut::Fraction(part) => (length as f64 * part.clamp(0.0, 1.0)) as u64,
    };
    wanted.min(length.saturating_sub(1))
}
