//! Golden lines, hostile texts, and writers that fail.

use std::sync::Mutex;

use tracing::{debug, error, info, trace, warn};

use super::*;
use crate::clock::ManualClock;
use crate::domain::{TenantId, Ticks};
use crate::event::{Event, Json};

/// A place to write to that can be read, and that can be told how the next writes end.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Page>>);

#[derive(Default)]
struct Page {
    text: Vec<u8>,
    writes: usize,
    /// Bytes that are still taken before an error.
    room: Option<usize>,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut page = self.0.lock().expect("not poisoned");
        page.writes += 1;
        let taken = match &mut page.room {
            None => bytes.len(),
            Some(0) => return Err(io::ErrorKind::StorageFull.into()),
            Some(room) => {
                let taken = bytes.len().min(*room);
                *room -= taken;
                taken
            }
        };
        page.text.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("not poisoned").text.clone()).expect("UTF-8")
    }

    fn set_room(&self, room: Option<usize>) {
        self.0.lock().expect("not poisoned").room = room;
    }
}

fn written(format: Format, level: &str, work: impl FnOnce(&LogHandle, &Paper)) -> String {
    written_with(Options { format, level, ..Options::default() }, work)
}

fn written_with(options: Options<'_>, work: impl FnOnce(&LogHandle, &Paper)) -> String {
    let at = Ticks::parse("2026-11-23T10:15:30.1234567Z").expect("a time");
    let paper = Paper::default();
    let options = Options { clock: Clock::Manual(ManualClock::at(at)), ..options };
    let (log, handle) = build(&options, Box::new(paper.clone())).expect("a log");
    tracing::subscriber::with_default(log, || work(&handle, &paper));
    paper.text()
}

fn tenant() -> TenantId {
    TenantId::parse("11111111-2222-3333-4444-555555555555").expect("a GUID")
}

fn updated<'a>(title: &'a str, fields: &'a str) -> Event<'a> {
    Event::AlertUpdated {
        seq: 7,
        tenant: tenant(),
        name: "Contoso",
        alert: "da1_1",
        severity: Some("High"),
        status: None,
        category: None,
        detection_source: None,
        title: Some(title),
        device: None,
        incident: Some(4),
        last_update_time: Ticks::from_unix_seconds(0),
        fields: Json(fields),
    }
}

fn parsed(text: &str) -> serde_json::Value {
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_golden_json_line() {
    let text = written(Format::Json, "info", |_, _| updated("A \"b\"", r#"{"status":["New", null]}"#).emit());
    assert_eq!(
        text,
        "{\"ts\":\"2026-11-23T10:15:30.123456Z\",\"level\":\"info\",\"event\":\"alert.updated\",\
         \"msg\":\"alert updated for Contoso: A \\\"b\\\"\",\"seq\":7,\
         \"tenant\":\"11111111-2222-3333-4444-555555555555\",\"name\":\"Contoso\",\"alert\":\"da1_1\",\
         \"severity\":\"High\",\"title\":\"A \\\"b\\\"\",\"incident\":4,\
         \"last_update_time\":\"1970-01-01T00:00:00.0000000Z\",\"fields\":{\"status\":[\"New\",null]}}\n"
    );
}

#[test]
fn the_golden_text_line() {
    let event = Event::StoreOpened { path: "/var/my store", schema_version: 3 };
    let text = written(Format::Text, "info", |_, _| event.emit());
    assert_eq!(
        text,
        "2026-11-23 10:15:30.123Z INFO  store.opened store /var/my store opened, schema 3 \
         path=\"/var/my store\" schema_version=3\n"
    );
}

#[test]
fn colour_needs_a_terminal_and_leave() {
    let has_colour = |format, terminal, colour| {
        let options = Options { format, level: "info", terminal, colour, ..Options::default() };
        written_with(options, |_, _| Event::DaemonReady {}.emit()).contains('\u{1b}')
    };
    assert!(has_colour(Format::Auto, true, true));
    assert!(!has_colour(Format::Auto, true, false));
    assert!(!has_colour(Format::Text, false, true));
    assert!(!has_colour(Format::Json, true, true));
}

#[test]
fn auto_is_text_on_a_terminal_only() {
    let is_json = |terminal| {
        let options = Options { level: "info", terminal, ..Options::default() };
        written_with(options, |_, _| Event::DaemonReady {}.emit()).starts_with('{')
    };
    assert!(is_json(false) && !is_json(true));
}

const HOSTILE: &str = "a\u{1b}[31m\nb\rc\td\u{7}\u{9b}31m\u{202e}e\u{2028}\u{0}\u{200b}\u{ad}\u{e0069}\"\\";

#[test]
fn hostile_text_cannot_reach_a_terminal_and_survives_in_json() {
    let fields = serde_json::json!({HOSTILE: [HOSTILE, null]}).to_string();
    for format in [Format::Json, Format::Text] {
        let text = written(format, "info", |_, _| updated(HOSTILE, &fields).emit());
        let body = text.strip_suffix('\n').expect("a whole line");
        assert!(!body.contains(visible::is_hostile), "{body:?}");
    }
    let line = parsed(&written(Format::Json, "info", |_, _| updated(HOSTILE, &fields).emit()));
    assert_eq!(line["title"], HOSTILE);
    assert_eq!(line["fields"][HOSTILE][0], HOSTILE);
}

#[test]
fn long_text_is_cut_between_letters() {
    let title = "ä".repeat(4_000);
    let line = parsed(&written(Format::Json, "info", |_, _| updated(&title, "{}").emit()));
    let shown = line["title"].as_str().expect("text");
    assert!(shown.ends_with('…') && shown.len() == 1024 + '…'.len_utf8(), "{}", shown.len());
    assert!(line["msg"].as_str().expect("text").len() <= 4096 + '…'.len_utf8());
}

#[test]
fn large_changes_are_cut_and_stay_an_object() {
    let large = "x".repeat(5_000);
    let fields = serde_json::json!({"evidence": [[], [large]], "status": ["New", "Resolved"]}).to_string();
    let line = parsed(&written(Format::Json, "info", |_, _| updated("t", &fields).emit()));
    assert_eq!(line["fields"], serde_json::json!({"evidence": "…", "status": ["New", "Resolved"]}));
    let many: serde_json::Map<_, _> = (0..500).map(|n| (format!("f{n}"), n.into())).collect();
    let fields = serde_json::Value::Object(many).to_string();
    let line = parsed(&written(Format::Json, "info", |_, _| updated("t", &fields).emit()));
    assert_eq!(line["fields"].as_object().map(serde_json::Map::len), Some(65));
    let line = parsed(&written(Format::Json, "info", |_, _| updated("t", "no json").emit()));
    assert_eq!(line["fields"], "no json");
}

#[test]
fn what_libraries_say_is_named_log() {
    let text = written(Format::Json, "info", |_, _| {
        warn!(target: "hyper::proto", event = "e", level = 3, ratio = 0.5, odd = f64::NAN, ok = true, "closing {}", 1);
    });
    assert_eq!(
        text,
        "{\"ts\":\"2026-11-23T10:15:30.123456Z\",\"level\":\"warn\",\"event\":\"log\",\"msg\":\"closing 1\",\
         \"target\":\"hyper::proto\",\"event_\":\"e\",\"level_\":3,\"ratio\":0.5,\"odd\":\"NaN\",\"ok\":true}\n"
    );
}

#[test]
fn who_is_heard_at_which_level() {
    fn speak() {
        error!(target: "hyper", "1");
        warn!(target: "hyper", "2");
        info!(target: "hyper", "3");
        debug!(target: "hyper", "4");
        warn!(target: "tokio_cron_scheduler::job", "5");
        info!(target: "tokio_cron_scheduler::job", "6");
        info!(target: "alertferry", "7");
        debug!(target: "alertferry::pass", "8");
        trace!(target: "alertferry", "9");
        info!(target: "alertferry_other", "0");
    }
    for (level, heard) in
        [("off", ""), ("error", "1"), ("WARN", "125"), ("info", "1257"), ("debug", "12345780"), ("trace", "123457890")]
    {
        let text = written(Format::Json, level, |_, _| speak());
        let said: String = text.lines().filter_map(|line| parsed(line)["msg"].as_str().map(str::to_owned)).collect();
        assert_eq!(said, heard, "{level}");
    }
}

#[test]
fn the_level_changes_while_running() {
    let text = written(Format::Json, "warn", |handle, _| {
        let speak = || Event::DaemonReady {}.emit();
        speak();
        handle.set_level("info").expect("a level");
        speak();
        handle.set_level("error").expect("a level");
        speak();
        assert_eq!(handle.set_level("loud"), Err(LogError::Level("loud".to_owned())));
    });
    assert_eq!(text.lines().count(), 1);
    assert!(matches!(build(&Options::default(), Box::new(io::sink())), Err(LogError::Level(_))));
}

#[test]
fn a_line_is_one_write() {
    written(Format::Json, "info", |_, paper| {
        Event::DaemonReady {}.emit();
        Event::StoreRecovered {}.emit();
        assert_eq!(paper.0.lock().expect("not poisoned").writes, 2);
    });
}

#[test]
fn a_failed_write_is_told_once_to_who_asks() {
    let text = written(Format::Json, "info", |handle, paper| {
        paper.set_room(Some(0));
        Event::DaemonReady {}.emit();
        Event::DaemonReady {}.emit();
        assert_eq!(handle.flush().expect_err("two lost lines").kind(), io::ErrorKind::StorageFull);
        assert!(handle.flush().is_ok());
        paper.set_room(None);
        Event::StoreRecovered {}.emit();
        assert!(handle.flush().is_ok());
        assert_eq!(handle.lost(), 2);
    });
    assert_eq!(parsed(&text)["event"], "store.recovered");
}

#[test]
fn after_a_torn_line_the_next_begins_on_its_own() {
    let text = written(Format::Json, "info", |handle, paper| {
        paper.set_room(Some(10));
        Event::DaemonReady {}.emit();
        paper.set_room(Some(0));
        Event::DaemonReady {}.emit();
        assert!(handle.flush().is_err());
        paper.set_room(None);
        Event::StoreRecovered {}.emit();
        Event::DaemonReady {}.emit();
    });
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0].len()), (3, 10), "{text}");
    assert_eq!(parsed(lines[1])["event"], "store.recovered");
    assert_eq!(parsed(lines[2])["event"], "daemon.ready");
}
