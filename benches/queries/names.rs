//! Owns the names in made-up alerts: each kind is a list by rank, of which low ranks are met often and high ones once.

use alertferry_simulator::numbered_guid;

use crate::dice::Dice;

/// So many titles there are.
pub(crate) const TITLES: u64 = 240;
/// So many files are met at more than one tenant.
pub(crate) const FILES: u64 = 20_000;
/// So many families of malware have a name.
pub(crate) const FAMILIES: u64 = 20_000;
/// So many addresses and hosts are met at more than one tenant.
pub(crate) const PLACES: u64 = 30_000;

const SUBJECTS: [&str; 16] = [
    "PowerShell command line",
    "scheduled task",
    "credential access",
    "service registration",
    "process injection",
    "network connection",
    "registry change",
    "remote session",
    "file download",
    "archive with password",
    "script from a mail",
    "driver load",
    "token use",
    "shadow copy deletion",
    "browser extension",
    "sign-in",
];
const ACTIONS: [&str; 15] = [
    "Suspicious %",
    "Unusual %",
    "A % was blocked",
    "Possible attack by %",
    "% by an unknown file",
    "Rare % on this device",
    "% followed by discovery",
    "Known bad % was prevented",
    "Repeated %",
    "% outside of office hours",
    "Hidden %",
    "% with high privileges",
    "First % of this account",
    "Malformed %",
    "% seen by a custom rule",
];
const SENTENCES: [&str; 12] = [
    "A process was started in a way that administrators seldom use.",
    "Attackers do this to stay on a device after it has been restarted.",
    "Look at the process tree and find out where the first file came from.",
    "The action was stopped; what came before it may still be on the disk.",
    "Every account that was logged on should be treated as known to somebody else.",
    "An encoded PowerShell command fetched content from the network.",
    "Check other devices that ran the same file or spoke to the same address.",
    "The memory of the local security authority was opened for reading.",
    "A rule of your organisation has matched \u{2014} decide whether it still should.",
    "Shadow copies were removed, as ransomware does before it encrypts.",
    "The behaviour is typical of tools for lateral movement.",
    "If a script of your own explains it, resolve this alert and tune the rule.",
];
const PROGRAMS: [&str; 12] = [
    "powershell.exe",
    "cmd.exe",
    "rundll32.exe",
    "wscript.exe",
    "mshta.exe",
    "regsvr32.exe",
    "psexec.exe",
    "invoice.pdf.exe",
    "vssadmin.exe",
    "procdump64.exe",
    "curl.exe",
    "msbuild.exe",
];
const SYLLABLES: [&str; 16] =
    ["ba", "ke", "di", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we", "xi", "yo", "zu", "gra"];

/// The title of a rank.
pub(crate) fn title(rank: u64) -> String {
    let (subject, action) = (place(rank, SUBJECTS.len()), place(rank / 16, ACTIONS.len()));
    ACTIONS[action].replace('%', SUBJECTS[subject])
}

/// Some sentences that belong to a title, and one that names a family.
pub(crate) fn description(title: u64, family: u64) -> String {
    let mut dice = Dice::of(&[11, title]);
    let sentences: Vec<&str> = (0..4).map(|_| dice.one(&SENTENCES)).collect();
    format!(
        "{} {}\n\nWhat was found belongs to the family {}.\n\n{} {}",
        sentences[0],
        sentences[1],
        family_name(family),
        sentences[2],
        sentences[3]
    )
}

/// The name of a family, a word that no other text has.
pub(crate) fn family_name(rank: u64) -> String {
    let mut rest = rank + 4_096;
    let mut name = String::new();
    while rest > 0 {
        name.push_str(SYLLABLES[place(rest, SYLLABLES.len())]);
        rest /= 16;
    }
    name
}

/// A file by rank: name, SHA-1, SHA-256.
pub(crate) fn file(rank: u64) -> (String, String, String) {
    let mut dice = Dice::of(&[12, rank]);
    let name = match rank {
        0..200 => PROGRAMS[place(rank, PROGRAMS.len())].to_owned(),
        _ => format!("{}{}.exe", family_name(rank), rank % 7),
    };
    (name, dice.hex(40), dice.hex(64))
}

/// A public address by rank.
pub(crate) fn address(rank: u64) -> String {
    let mut dice = Dice::of(&[13, rank]);
    format!("{}.{}.{}.{}", 11 + dice.below(160), dice.below(256), dice.below(256), 1 + dice.below(254))
}

/// A host by rank.
pub(crate) fn host(rank: u64) -> String {
    format!("cdn{}.{}.example", rank % 5, family_name(rank))
}

/// A tenant's id.
pub(crate) fn tenant(number: u64) -> String {
    numbered_guid(0xbe_0000 + u128::from(number))
}

fn place(number: u64, length: usize) -> usize {
    usize::try_from(number).expect("a small number") % length
}
