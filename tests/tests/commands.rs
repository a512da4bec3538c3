//! What holds for every argument of every program: one variable means one thing, odd values are refused in words of the
//! flag, and examples can be pasted.

#[path = "common/commands.rs"]
mod commands;

use std::collections::BTreeMap;
use std::path::Path;

use headwater_tests::check_generated;

use commands::{Program, programs, takes_a_value};

#[test]
fn every_program_knows_the_settings_of_the_others() {
    let mut lines: Vec<String> = programs().into_iter().flat_map(|program| program.settings).collect();
    lines.sort();
    check_generated("crates/cli/src/settings/known.txt", &(lines.join("\n") + "\n")).unwrap();
}

/// A variable is set for a whole session: it must mean the same to whichever command reads it.
#[test]
fn a_variable_means_one_thing_wherever_it_is_read() {
    let mut meanings: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for program in programs() {
        for (path, command) in program.commands() {
            for arg in command.get_arguments() {
                let Some(variable) = arg.get_env().and_then(|name| name.to_str()) else { continue };
                let many = arg.get_value_delimiter().is_some() || matches!(arg.get_action(), clap::ArgAction::Append);
                let meaning = format!(
                    "{} {:?}{}",
                    arg.get_value_names().unwrap_or_default().join(" ").replace(",...", ""),
                    arg.get_value_parser().type_id(),
                    if many { " list" } else { "" }
                );
                let place = format!("{} {} --{}", program.name, path.join(" "), arg.get_long().unwrap_or_default());
                meanings.entry(variable.to_owned()).or_default().push((meaning, place));
            }
        }
    }
    // A server may be given a place behind a dataset's name. The name alone means the same to it as to the others.
    let widened = "storage-server serve --dataset";
    for means in meanings.values_mut() {
        means.retain(|(meaning, place)| place != widened || !meaning.starts_with("NAME|NAME=URI"));
    }
    let unlike: Vec<_> =
        meanings.iter().filter(|(_, means)| means.iter().any(|(meaning, _)| *meaning != means[0].0)).collect();
    assert!(unlike.is_empty(), "{unlike:#?}");
}

/// Words of Rust's types and functions, which say nothing to somebody at a shell.
const RUSTS_WORDS: [&str; 12] = [
    "non-zero type",
    "untagged",
    "invalid digit",
    "invalid float",
    "cannot parse",
    "target type",
    "Duration",
    "IntError",
    "FloatError",
    "Some(",
    "Err(",
    "panicked",
];

const ODD: [&str; 16] = [
    "-1",
    "-0.5",
    "0",
    "",
    " ",
    "NaN",
    "inf",
    "-inf",
    "1e400",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "-5Mbps",
    "10 parsecs",
    "4Gig",
    "=",
    "\u{1f422},,",
];

/// A command line that nothing is wrong with, but that files may be missing.
fn good(program: &str, path: &[String], folder: &Path) -> Vec<String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let servers = ["--servers", "a:1", "--dataset", "d"];
    let own: Vec<String> = match path.join(" ").as_str() {
        "serve" => ["--data", &at(""), "--dataset", "d", "--listen", "127.0.0.1:0"].map(str::to_owned).into(),
        "index" => ["--data", &at("")].map(str::to_owned).into(),
        "extract" => {
            [&servers[..], &["--model", "m", "--out", &at("o")]].concat().into_iter().map(str::to_owned).collect()
        }
        "relabel" => [&servers[..], &["--model", "m"]].concat().into_iter().map(str::to_owned).collect(),
        "ingest" => [&servers[..], &["1.jpg"]].concat().into_iter().map(str::to_owned).collect(),
        "labels" => servers.map(str::to_owned).into(),
        "push" => ["--servers", "a:1", "--model", "m=m.onnx"].map(str::to_owned).into(),
        "rollback" => ["--servers", "a:1", "--model", "m"].map(str::to_owned).into(),
        "models" | "status" => servers[..2].iter().map(|&argument| argument.to_owned()).collect(),
        "fine-tune" => [&servers[..], &["--model", "m"]].concat().into_iter().map(str::to_owned).collect(),
        "fetch" => [&servers[..], &["--cut", "tensor", "--recipe", "imagenet-train", "--out", &at("o")]]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect(),
        "import sophon" => ["--sizes", &at("s"), "--times", &at("t"), "--out", &at("o")].map(str::to_owned).into(),
        "explain" => ["--profile", &at("p"), "--plan", &at("q"), "--sample", "1"].map(str::to_owned).into(),
        "report" => ["--profile", &at("p"), "--out", &at("o")].map(str::to_owned).into(),
        "dataset" => [&servers[..], &["--out", &at("o")]].concat().into_iter().map(str::to_owned).collect(),
        "model" => ["--model", &at("m"), "--recipe", "imagenet-eval"].map(str::to_owned).into(),
        "plan" if program == "tuner" => {
            ["--model", &at("m"), "--profile", &at("p"), "--servers-up-to", "3"].map(str::to_owned).into()
        }
        "network" | "epoch" => servers.map(str::to_owned).into(),
        "datasets" | "cache" => servers[..2].iter().map(|&argument| argument.to_owned()).collect(),
        "plan export" | "compare" => vec![at("p")],
        "report sync" => [&at("r"), "--out", &at("o")].map(str::to_owned).into(),
        "simulate sync" => ["--workers", &at("w"), "--mode", "esync", "--rounds", "1"].map(str::to_owned).into(),
        "simulate cache" => ["--trace", &at("t"), "--policy", "lru"].map(str::to_owned).into(),
        "token" => ["--holder", "a", "--role", "read"].map(str::to_owned).into(),
        "completions" => vec!["bash".to_owned()],
        _ => Vec::new(),
    };
    [program.to_owned()].into_iter().chain(path.iter().cloned()).chain(own).collect()
}

/// The line with this flag and value, and not twice.
fn with(mut line: Vec<String>, flag: &str, value: &str) -> Vec<String> {
    if let Some(at) = line.iter().position(|argument| argument == flag) {
        line.drain(at..at + 2);
    }
    // What excludes it.
    if matches!(flag, "--plan" | "--key") {
        let other = if flag == "--key" { "--sample" } else { "--cut" };
        if let Some(at) = line.iter().position(|argument| argument == other) {
            line.drain(at..at + 2);
        }
    }
    line.extend([flag.to_owned(), value.to_owned()]);
    line
}

#[test]
fn odd_values_are_accepted_or_refused_in_words_of_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for program in programs() {
        for (path, command) in program.commands() {
            let is_an_extra = path.first().is_some_and(|name| matches!(name.as_str(), "completions" | "man" | "help"));
            if path.is_empty()
                || is_an_extra
                || (command.has_subcommands() && !["plan", "report"].contains(&path.join(" ").as_str()))
            {
                continue;
            }
            let line = good(program.name, &path, folder.path());
            assert!(program.parse(&line).is_ok(), "{line:?}: {:?}", program.parse(&line));
            for arg in command.get_arguments().filter(|arg| takes_a_value(arg)) {
                let Some(flag) = arg.get_long().map(|long| format!("--{long}")) else { continue };
                for odd in ODD {
                    tried += 1;
                    wrong.extend(unclear(&program, &with(line.clone(), &flag, odd), &flag));
                }
            }
        }
    }
    assert!(tried > 1000, "{tried}");
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is unclear about how a line is refused, if it is.
fn unclear(program: &Program, line: &[String], flag: &str) -> Option<String> {
    let words = match program.parse(line) {
        Ok(problems) => problems.join("\n"),
        Err(error) => error.each().join("\n"),
    };
    let rusts = RUSTS_WORDS.iter().find(|word| words.contains(**word));
    let unnamed = program.parse(line).is_err() && !words.contains(flag);
    (rusts.is_some() || unnamed).then(|| format!("{}: {words}", line.join(" ")))
}

/// The commands among a help's examples, continued lines joined, as a shell would take them apart.
fn examples(help: &str, program: &str) -> Vec<Vec<String>> {
    let joined = help.replace("\\\n", " ");
    let mine = |line: &&str| line.split_whitespace().next() == Some(program) && line.starts_with("  ");
    joined
        .lines()
        .filter(mine)
        .map(|line| {
            let words = line.split_whitespace().take_while(|word| !matches!(*word, ">" | "|" | "#"));
            words.map(|word| word.trim_matches('\'').to_owned()).collect()
        })
        .collect()
}

#[test]
fn examples_fit_a_terminal_and_can_be_pasted() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for program in programs() {
        for (path, command) in program.commands() {
            let Some(help) = command.get_after_help().map(ToString::to_string) else { continue };
            let place = format!("{} {}", program.name, path.join(" "));
            for line in help.lines().filter(|line| line.chars().count() > 80) {
                wrong.push(format!("{place}: over 80 columns: {line}"));
            }
            if help.contains(":7000") {
                wrong.push(format!("{place}: the port is 7440"));
            }
            for line in examples(&help, program.name) {
                seen += 1;
                let refused = match line.get(1).map(String::as_str) {
                    Some("completions" | "man") => {
                        program.command.clone().try_get_matches_from(&line).err().map(|e| e.to_string())
                    }
                    _ => program.parse(&line).err().map(|error| error.each().join("; ")),
                };
                wrong.extend(refused.map(|words| format!("{place}: {}: {words}", line.join(" "))));
            }
        }
    }
    assert!(seen > 30, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A path in a configuration file is relative to the file: its setting must say that it is one.
#[test]
fn settings_that_are_paths_say_so() {
    for program in programs() {
        for (path, command) in program.commands() {
            for arg in command.get_arguments().filter(|arg| takes_a_value(arg) && arg.get_long().is_some()) {
                let is_path = arg.get_value_parser().type_id() == std::any::TypeId::of::<std::path::PathBuf>();
                let shape = arg.get_value_names().unwrap_or_default().join(" ");
                assert!(
                    !is_path || shape.contains("FILE") || shape.contains("DIR"),
                    "{} {path:?} {}",
                    program.name,
                    arg.get_id()
                );
            }
        }
    }
}
