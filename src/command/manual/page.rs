//! Owns what stands on the page of a command, in the order in which manuals have it.

use std::io;

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

/// What the first page says beside the list of commands.
const ABOUT: &str = "It signs in to each customer tenant that the configuration names, reads its alerts on a schedule, \
    and keeps them with the whole history of their changes. The other commands ask, copy or tend that database, also \
    while the daemon runs.";

/// What a newcomer types first, and what it is for.
const EXAMPLES: [(&str, &str); 6] = [
    ("alertferry check", "Find out whether the configuration is right and every tenant can be read."),
    ("systemctl reload alertferry", "Let the daemon take over a changed configuration."),
    ("alertferry status", "See what is read of each tenant, and why another one is not."),
    ("alertferry alerts list --severity High --since 24h", "See what came up in the last day."),
    ("alertferry hunt evil.example", "Find out who has met that name."),
    ("alertferry query 'SELECT tenant_name, count(*) FROM alerts GROUP BY 1'", "Ask whatever SQL can say."),
];

/// Files of a packaged daemon, and what they are.
const FILES: [(&str, &str); 4] = [
    ("/etc/alertferry/alertferry.toml", "The configuration; alertferry.toml.example beside it has every key."),
    ("/etc/credstore/alertferry.client-secret", "The client secret, which systemd hands to the daemon."),
    ("/var/lib/alertferry/alerts.db", "The store. Members of the group alertferry may read it."),
    ("/usr/share/doc/alertferry/", "Operations, onboarding, every view, event and metric, and recipes."),
];

/// The page of a command.
///
/// # Errors
///
/// Those of the writer, which is memory and has none.
pub(super) fn text(command: &Command, man: &Man) -> io::Result<String> {
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    synopsis(command).to_writer(&mut page)?;
    man.render_description_section(&mut page)?;
    let first = !name(command).contains('-');
    if first {
        paragraph(ABOUT).to_writer(&mut page)?;
    }
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    notes(command).to_writer(&mut page)?;
    if first {
        list("FILES", &FILES).to_writer(&mut page)?;
        list("EXAMPLES", &EXAMPLES).to_writer(&mut page)?;
    }
    see_also(command).to_writer(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn name(command: &Command) -> &str {
    command.get_display_name().unwrap_or("alertferry")
}

/// How it is called: options with their values, then what has no name, then commands below.
fn synopsis(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SYNOPSIS"]);
    // Neither hyphens nor even margins inside what is to be typed.
    roff.control("nh", []);
    roff.control("ad", ["l"]);
    let mut line = vec![bold(name(command).replace('-', " "))];
    let shown = |argument: &&Arg| !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version");
    let (last, options): (Vec<_>, Vec<_>) = command.get_arguments().filter(shown).partition(|it| it.is_positional());
    for argument in options.into_iter().chain(last) {
        line.extend(called(argument));
    }
    if command.has_subcommands() {
        line.extend([roman(" "), italic("COMMAND")]);
    }
    roff.text(line);
    roff.control("ad", []);
    roff.control("hy", []);
    roff
}

/// `[--limit ROWS]`, `[VALUE]...` or `FILE`; blanks inside do not break.
fn called(argument: &Arg) -> Vec<Inline> {
    let (open, close) = if argument.is_required_set() { (" ", "") } else { (" [", "]") };
    let mut shown = vec![roman(open)];
    if let Some(long) = argument.get_long() {
        shown.push(bold(format!("--{long}")));
    }
    if argument.get_action().takes_values() {
        let names = argument.get_value_names().unwrap_or_default();
        if !argument.is_positional() {
            shown.push(roman("\u{a0}"));
        }
        shown.push(italic(names.join("\u{a0}")));
    }
    shown.push(roman(close));
    if argument.is_positional() && argument.get_num_args().is_some_and(|count| count.max_values() > 1) {
        shown.push(roman("..."));
    }
    shown
}

/// What the help says at its end: the exit codes, on the first page; else notes.
fn notes(command: &Command) -> Roff {
    let Some(after) = command.get_after_help().map(ToString::to_string) else { return Roff::new() };
    let Some(codes) = after.strip_prefix("Exit codes:\n") else { return section("NOTES", &after) };
    let mut roff = Roff::new();
    roff.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in codes.lines().filter_map(|line| line.trim_start().split_once("  ")) {
        roff.control("TP", ["4"]);
        roff.text([bold(code)]);
        roff.text([roman(meaning.trim_start())]);
    }
    roff
}

fn section(heading: &str, text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    roff.text([roman(text)]);
    roff
}

fn paragraph(text: &str) -> Roff {
    let mut roff = Roff::new();
    roff.control("PP", []);
    roff.text([roman(text)]);
    roff
}

fn list(heading: &str, entries: &[(&str, &str)]) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", [heading]);
    for (what, meaning) in entries {
        roff.control("TP", []);
        roff.text([bold(*what)]);
        roff.text([roman(*meaning)]);
    }
    roff
}

/// Where else to look: the command above, or the pages beside the first one.
fn see_also(command: &Command) -> Roff {
    let mut roff = Roff::new();
    roff.control("SH", ["SEE ALSO"]);
    let above = name(command).rsplit_once('-').map(|(above, _)| [bold(above), roman("(1), ")]);
    let mut line: Vec<_> = above.into_iter().flatten().collect();
    line.extend([bold("alertferry.toml"), roman("(5), /usr/share/doc/alertferry/")]);
    roff.text(line);
    roff
}
