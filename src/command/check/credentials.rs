//! Owns the step of `check` that looks at the credentials of an app: whether each can be used, and when it ends.

use super::finding::Finding;
use crate::command::Exit;
use crate::domain::Ticks;
use crate::entra::{App, CredentialKind, Expiry, Look, look};

pub(super) fn findings(app: &App, now: Ticks) -> Vec<Finding> {
    look(app).into_iter().enumerate().map(|(at, look)| finding(&look, at + 1, now)).collect()
}

fn finding(look: &Look, number: usize, now: Ticks) -> Finding {
    let (subject, step) = (format!("app {}", look.app), look.kind.name());
    match &look.found {
        Err(why) => {
            let exit = if why.unread { Exit::Permission } else { Exit::Config };
            Finding::bad(&subject, step, exit, &why.reason, format!("{}; see docs/ONBOARDING.md", why.remedy))
        }
        Ok(_) => {
            let good = match look.expiry() {
                Some(expiry) => ending(&subject, &expiry, number, now),
                None => Finding::good(&subject, step, readable(look.kind, number)),
            };
            if look.of_environment && good.ok { in_environment(&subject, step, &good.detail) } else { good }
        }
    }
}

/// It works, and whoever may look at what started the program may see it.
fn in_environment(subject: &str, step: &'static str, detail: &str) -> Finding {
    let detail = format!("{detail}; it stands in the environment, which tools that start and watch programs may show");
    Finding::warned(subject, step, detail, "put it into a file for the daemon's user alone, or a systemd credential")
}

fn ending(subject: &str, expiry: &Expiry, number: usize, now: Ticks) -> Finding {
    let (step, words) = (expiry.kind.name(), expiry.kind.words());
    let (days, day) = (expiry.days_left(now), expiry.ends_at.to_string());
    let day = day.split('T').next().unwrap_or_default();
    if days < 0 {
        let detail = format!("{words} {number}, in {}, has ended on {day}", expiry.place);
        let remedy = match expiry.kind {
            CredentialKind::Certificate => {
                "make a new certificate, upload it to the app registration, and put it there"
            }
            CredentialKind::Secret | CredentialKind::FederatedToken => {
                "create a new client secret and put it there, or correct its `expires_at`"
            }
        };
        return Finding::bad(subject, step, Exit::Unavailable, detail, remedy);
    }
    Finding::good(subject, step, format!("{}; ends on {day}, in {days} days", readable(expiry.kind, number)))
}

fn readable(kind: CredentialKind, number: usize) -> String {
    format!("{} {number} can be read", kind.words())
}
