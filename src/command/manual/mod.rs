//! Owns `alertferry man`: the pages of the manual, made from the command line itself and from the sample configuration.

mod page;
mod sample;

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_mangen::Man;

use super::output::print;
use super::{Exit, Problem};

/// The command line of `man`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Write every page into this directory, which is made if it is not there: alertferry.1, one for each command, and
    /// alertferry.toml.5. Without it, alertferry.1 is printed.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// A page: its file's name and its text.
struct Page {
    file: String,
    text: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Problem> {
    let mut root = super::Arguments::command().disable_help_subcommand(true);
    root.build();
    let mut pages = vec![Page { file: "alertferry.toml.5".to_owned(), text: sample::page() }];
    command_pages(&root, &mut pages)?;
    match &arguments.dir {
        Some(directory) => write(directory, &pages)?,
        None => print(pages.iter().find(|page| page.file == "alertferry.1").map_or("", |page| &page.text))?,
    }
    Ok(Exit::Done)
}

/// The pages of a command and of those below it.
fn command_pages(command: &Command, pages: &mut Vec<Page>) -> Result<(), Problem> {
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        command_pages(below, pages)?;
    }
    let man = Man::new(command.clone()).source(source()).manual("alertferry");
    let text = page::text(command, &man)
        .map_err(|error| Problem::new(Exit::Internal, format!("cannot make a page of the manual: {error}")))?;
    pages.push(Page { file: man.get_filename(), text });
    Ok(())
}

/// What the foot of a page says.
fn source() -> String {
    format!("alertferry {}", env!("CARGO_PKG_VERSION"))
}

fn write(directory: &Path, pages: &[Page]) -> Result<(), Problem> {
    std::fs::create_dir_all(directory).map_err(|error| unwritten(directory, &error))?;
    for page in pages {
        let file = directory.join(&page.file);
        std::fs::write(&file, &page.text).map_err(|error| unwritten(&file, &error))?;
    }
    Ok(())
}

fn unwritten(path: &Path, error: &std::io::Error) -> Problem {
    let exit = if error.kind() == std::io::ErrorKind::PermissionDenied { Exit::Permission } else { Exit::Io };
    Problem::new(exit, format!("cannot write {}: {error}; name another directory with --dir", path.display()))
}
