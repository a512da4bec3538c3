//! The subcommands that every program has beside its own: shell completions and man pages, from the program's clap
//! command.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::builder::EnumValueParser;
use clap::{Arg, ArgMatches, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use crate::exit::UsageError;
use crate::output::stdout;

/// Subcommands that do nothing but speak of the program: they have no settings.
pub(super) const NAMES: [&str; 2] = [COMPLETIONS, MAN];
const COMPLETIONS: &str = "completions";
const MAN: &str = "man";

/// The program's command with these subcommands.
pub(super) fn add(command: Command) -> Command {
    let shell = Arg::new("shell").value_name("SHELL").required(true).value_parser(EnumValueParser::<Shell>::new());
    let completions = Command::new(COMPLETIONS)
        .about("Print completions for a shell")
        .after_help(
            "Example:\n  PROGRAM completions bash \\\n      > ~/.local/share/bash-completion/completions/PROGRAM"
                .replace("PROGRAM", command.get_name()),
        )
        .arg(shell.help("The shell"));
    let out = Arg::new("out").long("out").value_name("DIR").value_parser(clap::value_parser!(PathBuf));
    let man = Command::new(MAN)
        .about("Print the man page, or write it and those of all subcommands to a folder")
        .after_help("Example:\n  PROGRAM man --out ~/.local/share/man/man1".replace("PROGRAM", command.get_name()))
        .arg(out.help("Write a page for the program and each subcommand to this folder"));
    command.subcommand(completions).subcommand(man)
}

/// Does what they say. `pages` is the program's command as its help shows it.
pub(super) fn run(pages: Command, matches: &ArgMatches) -> anyhow::Result<()> {
    match matches.subcommand() {
        Some((COMPLETIONS, matches)) => {
            let Some(shell) = matches.get_one::<Shell>("shell") else {
                return Err(UsageError("completions for which shell?".to_owned()).into());
            };
            Ok(print(&completions(pages, *shell))?)
        }
        Some((_, matches)) => match matches.get_one::<PathBuf>("out") {
            Some(folder) => write_pages(pages, folder).map_err(|error| {
                let to_whom = anyhow::Error::new(error);
                to_whom.context(format!("cannot write man pages to --out {}", folder.display()))
            }),
            None => Ok(print(&page(pages)?)?),
        },
        None => Ok(()),
    }
}

fn completions(mut command: Command, shell: Shell) -> Vec<u8> {
    let name = command.get_name().to_owned();
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut text);
    text
}

fn page(command: Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command).render(&mut text)?;
    Ok(text)
}

fn write_pages(command: Command, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    clap_mangen::generate_to(command, folder)
}

fn print(text: &[u8]) -> io::Result<()> {
    let mut out = stdout();
    out.write_all(text)?;
    out.flush()
}
