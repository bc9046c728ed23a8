//! Owns `alertferry completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::output::print;
use super::{Exit, Problem};

/// The command line of `completions`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: For,
}

/// A shell that completions are made for.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum For {
    /// For /usr/share/bash-completion/completions/alertferry.
    Bash,
    /// For /usr/share/zsh/vendor-completions/_alertferry.
    Zsh,
    /// For /usr/share/fish/vendor_completions.d/alertferry.fish.
    Fish,
}

pub(super) fn run(arguments: &Arguments) -> Result<Exit, Problem> {
    let shell = match arguments.shell {
        For::Bash => Shell::Bash,
        For::Zsh => Shell::Zsh,
        For::Fish => Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut super::Arguments::command(), "alertferry", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
