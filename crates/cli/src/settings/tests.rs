use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand};
use headwater_types::ByteCount;
use proptest::prelude::*;

use super::*;
use crate::common::Common;

#[derive(Debug, Parser)]
#[command(name = "program", version)]
struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Serve(Serve),
    Index {
        #[arg(long)]
        data: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Serve {
    /// Folder of photos
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    #[arg(long, default_value_t = 2)]
    cpu_workers: usize,
    #[arg(long)]
    model: Vec<String>,
    #[arg(long, value_delimiter = ',')]
    tags: Vec<String>,
    #[arg(long, default_value = "1GiB")]
    memory: ByteCount,
    #[arg(long)]
    fraction: Option<f64>,
    #[arg(long, env = "STORE_SECRET", hide_env_values = true)]
    token: Option<String>,
    #[arg(long, value_parser = ["cpu", "cuda"], default_value = "cpu")]
    device: String,
}

fn layered(arguments: &[&str], variables: &[(&str, &str)], file: &str) -> Result<Resolved<Args>, SettingsError> {
    let variables: HashMap<&str, &str> = variables.iter().copied().collect();
    let variable = |name: &str| variables.get(name).map(OsString::from);
    let file = ConfigFile::parse("site.toml", file.as_bytes())?;
    let arguments: Vec<OsString> = ["program"].iter().chain(arguments).map(OsString::from).collect();
    resolve_command(&schema::prepare(Args::command()), &arguments, &variable, Some(&file))
}

fn serve(resolved: Result<Resolved<Args>, SettingsError>) -> Serve {
    match resolved.unwrap().args.action {
        Action::Serve(serve) => serve,
        Action::Index { .. } => panic!("another subcommand"),
    }
}

fn message(resolved: Result<Resolved<Args>, SettingsError>) -> String {
    let error = resolved.unwrap_err();
    assert!(!matches!(error, SettingsError::Usage(_)), "{error}");
    error.to_string()
}

#[test]
fn a_flag_wins_over_a_variable_over_the_table_over_the_top_over_the_default() {
    let workers = |arguments: &[&str], variables: &[(&str, &str)], file: &str| {
        let arguments: Vec<&str> = ["serve", "--data", "d"].iter().chain(arguments).copied().collect();
        let resolved = layered(&arguments, variables, file).unwrap();
        let source = resolved.report.get("cpu-workers").unwrap().source.clone();
        (serve(Ok(resolved)).cpu_workers, source)
    };
    let variable = [("HEADWATER_CPU_WORKERS", "6")];
    let both = "cpu-workers = 4\n[serve]\ncpu-workers = 5";
    assert_eq!(workers(&[], &[], ""), (2, Source::Default));
    assert_eq!(workers(&[], &[], "cpu-workers = 4"), (4, Source::File { line: 1 }));
    assert_eq!(workers(&[], &[], both), (5, Source::File { line: 3 }));
    assert_eq!(workers(&[], &variable, both), (6, Source::Variable("HEADWATER_CPU_WORKERS".to_owned())));
    assert_eq!(workers(&["--cpu-workers", "7"], &variable, both), (7, Source::Flag));
}

#[test]
fn a_required_flag_may_be_given_by_any_layer() {
    assert_eq!(serve(layered(&["serve"], &[], "data = 'a'")).data, PathBuf::from("a"));
    assert_eq!(serve(layered(&["serve"], &[("HEADWATER_DATA", "b")], "")).data, PathBuf::from("b"));
    // An empty variable is no value.
    let error = layered(&["serve"], &[("HEADWATER_DATA", "")], "").unwrap_err();
    assert!(error.to_string().contains("--data <DIR>"), "{error}");
}

#[test]
fn a_layer_replaces_a_whole_list() {
    let models = |arguments: &[&str], variables: &[(&str, &str)], file: &str| {
        let arguments: Vec<&str> = ["serve", "--data", "d"].iter().chain(arguments).copied().collect();
        serve(layered(&arguments, variables, file)).model
    };
    let file = "[serve]\nmodel = ['a=a.onnx,recipe=r', 'b=b.onnx']";
    assert_eq!(models(&[], &[], file), ["a=a.onnx,recipe=r", "b=b.onnx"]);
    assert_eq!(models(&[], &[], "model = 'a=a.onnx'"), ["a=a.onnx"]);
    assert_eq!(models(&[], &[], "model = []"), Vec::<String>::new());
    assert_eq!(
        models(&[], &[("HEADWATER_MODEL", "c=c.onnx,recipe=r; d=d.onnx")], file),
        ["c=c.onnx,recipe=r", "d=d.onnx"]
    );
    assert_eq!(models(&["--model", "e=e.onnx"], &[("HEADWATER_MODEL", "c=c.onnx")], file), ["e=e.onnx"]);
    let tags = |variables: &[_], file| serve(layered(&["serve", "--data", "d"], variables, file)).tags;
    assert_eq!(tags(&[], "tags = ['x', 'y']"), ["x", "y"]);
    assert_eq!(tags(&[("HEADWATER_TAGS", "x,y;z")], ""), ["x", "y", "z"]);
}

#[test]
fn a_switch_can_be_taken_back_by_every_higher_layer() {
    let json = |arguments: &[&str], variables: &[(&str, &str)], file: &str| {
        let arguments: Vec<&str> = ["serve", "--data", "d"].iter().chain(arguments).copied().collect();
        layered(&arguments, variables, file).unwrap().args.common.json
    };
    assert!(!json(&[], &[], ""));
    assert!(json(&["--json"], &[], ""));
    assert!(json(&[], &[], "json = true"));
    assert!(!json(&[], &[("HEADWATER_JSON", "0")], "json = true"));
    assert!(json(&[], &[("HEADWATER_JSON", "yes")], "json = false"));
    assert!(!json(&["--json=false"], &[("HEADWATER_JSON", "true")], "json = true"));
    let wrong = message(layered(&["serve"], &[("HEADWATER_JSON", "maybe")], ""));
    assert_eq!(wrong, "variable HEADWATER_JSON must be one of true, false, not \"maybe\"");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    for (file, expected) in [
        ("\ncpu-worker = 2", "site.toml:2: unknown key `cpu-worker`; did you mean `serve.cpu-workers`?"),
        ("cpu_workers = 2", "site.toml:1: unknown key `cpu_workers`; did you mean `serve.cpu-workers`?"),
        ("[serve]\nlog = 'info'", "site.toml:2: unknown key `serve.log`; did you mean `log`?"),
        ("[index]\ndatta = 'a'", "site.toml:2: unknown key `index.datta`; did you mean `index.data`?"),
        ("[serv]\nlisten = ''", "site.toml:2: unknown key `serv.listen`; did you mean `serve.listen`?"),
        ("zebra = 1", "site.toml:1: unknown key `zebra`"),
        ("config = 'other.toml'", "site.toml:1: unknown key `config`"),
        ("[zebra]", "site.toml:1: unknown key `zebra`"),
    ] {
        assert_eq!(message(layered(&["serve", "--data", "d"], &[], file)), expected);
    }
    assert!(layered(&["serve", "--data", "d"], &[], "[serve]\n[index]").is_ok());
}

#[test]
fn a_value_of_the_wrong_type_is_refused_with_its_line() {
    for (file, expected) in [
        ("cpu-workers = true", "site.toml:1: key `cpu-workers` takes an integer, not a boolean"),
        ("cpu-workers = 2.0", "site.toml:1: key `cpu-workers` takes an integer, not a float"),
        ("[serve]\ndata = 7", "site.toml:2: key `serve.data` takes a string, not an integer"),
        ("json = 'true'", "site.toml:1: key `json` takes a boolean, not a string"),
        ("listen = ['a']", "site.toml:1: key `listen` takes a string or a number, not a list"),
        ("model = [['a']]", "site.toml:1: key `model` takes a string, not a list of lists, tables or dates"),
        ("[serve.data]\nx = 1", "site.toml:2: unknown key `serve.data.x`"),
        ("[serve.data]", "site.toml:1: key `serve.data` takes a string, not a table"),
        ("log = 2026-11-21", "site.toml:1: key `log` takes a string, not a date"),
    ] {
        assert_eq!(message(layered(&["serve", "--data", "d"], &[], file)), expected);
    }
}

#[test]
fn a_value_that_its_parser_refuses_is_traced_to_its_layer() {
    let refused = |variables: &[_], file| message(layered(&["serve", "--data", "d"], variables, file));
    let number = refused(&[("HEADWATER_CPU_WORKERS", "four")], "");
    assert_eq!(number, "variable HEADWATER_CPU_WORKERS must be a whole number, 0 or more, not \"four\"");
    let device = refused(&[], "\n[serve]\ndevice = 'gpu'");
    assert_eq!(device, "site.toml:3: key `serve.device` must be one of cpu, cuda, not \"gpu\"");
    let size = refused(&[], "memory = '4 mib'");
    assert!(size.starts_with("site.toml:1: key `memory`: \"4 mib\" is not a size such as "), "{size}");
    // The same mistakes as flags.
    let flag = |further: &[&str]| message(layered(&[&["serve", "--data", "d"], further].concat(), &[], ""));
    assert_eq!(flag(&["--device", "gpu"]), "--device must be one of cpu, cuda, not \"gpu\"");
    assert_eq!(flag(&["--cpu-workers", "-5"]), "--cpu-workers must be 0 or more, not -5");
    assert_eq!(flag(&["--fraction", "x"]), "--fraction must be a number, not \"x\"");
    assert_eq!(flag(&["--memory", "-1GiB"]).split(": ").next(), Some("--memory"));
    assert_eq!(flag(&["--listen", "-1"]).split(": ").next(), Some("--listen"));
}

#[test]
fn numbers_are_read_as_toml_writes_them() {
    let file = "cpu-workers = 0x1_0\nfraction = 1_0.5e-1\nmemory = 1_048_576";
    let serve = serve(layered(&["serve", "--data", "d"], &[], file));
    assert_eq!((serve.cpu_workers, serve.fraction, serve.memory), (16, Some(1.05), ByteCount::mebibytes(1)));
    assert_eq!(
        message(layered(&["serve", "--data", "d"], &[], "cpu-workers = -1")),
        "site.toml:1: key `cpu-workers` must be 0 or more, not -1"
    );
}

#[test]
fn every_mistake_is_told_and_not_only_the_first() {
    let file = "cpu-wrokers = 2\nlisten = 'nowhere'\n[serve]\ndevice = 'gpu'\nfraction = true";
    let error = layered(&["serve", "--data", "d"], &[("HEADWATER_CPU_WORKERS", "-1")], file).unwrap_err();
    let mistakes = error.each();
    for part in [
        "unknown key `cpu-wrokers`; did you mean",
        "key `listen`: ",
        "key `serve.device` must be one of",
        "key `serve.fraction` takes a number, not a boolean",
        "variable HEADWATER_CPU_WORKERS must be 0 or more, not -1",
    ] {
        assert!(mistakes.iter().any(|words| words.contains(part)), "{part}: {mistakes:?}");
    }
    assert_eq!(mistakes.len(), 5, "{mistakes:?}");
    // What is misspelt is not said to be missing too.
    let error = layered(&["serve"], &[], "[serve]\ndatta = 'd'").unwrap_err();
    assert_eq!(error.each(), ["site.toml:2: unknown key `serve.datta`; did you mean `serve.data`?"]);
}

#[test]
fn a_file_may_serve_other_programs_too() {
    let file = "runs = 7\n[fine-tune]\nruns = 5\n[fetch]\ncut = 'tensor'\n[extract]\n[serve]\ndata = 'd'";
    assert!(layered(&["serve"], &[], file).is_ok());
    let error = message(layered(&["serve"], &[], &file.replace("cut", "cutt")));
    assert_eq!(error, "site.toml:5: unknown key `fetch.cutt`; did you mean `fetch.cut`?");
}

#[test]
fn paths_of_a_file_are_relative_to_it() {
    let file = ConfigFile::parse("/etc/headwater/site.toml", b"data = 'photos'").unwrap();
    let arguments = ["program", "serve"].map(OsString::from);
    let resolved = resolve_command::<Args>(&schema::prepare(Args::command()), &arguments, &|_| None, Some(&file));
    assert_eq!(serve(resolved).data, PathBuf::from("/etc/headwater/photos"));
    // As flags they are the shell's.
    assert_eq!(serve(layered(&["serve", "--data", "photos"], &[], "")).data, PathBuf::from("photos"));
}

#[test]
fn json_is_asked_for_by_any_layer_and_behind_any_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("site.toml");
    std::fs::write(&file, "json = true\nzebra = 1").unwrap();
    let config = format!("--config={}", file.display());
    let wants = |arguments: &[&str], json: &str| {
        let arguments: Vec<OsString> = ["program"].iter().chain(arguments).map(OsString::from).collect();
        wants_json(&arguments, &|name| (name == "HEADWATER_JSON").then(|| OsString::from(json)))
    };
    assert!(wants(&["serve", "--zebra", "--json"], ""));
    assert!(wants(&["serve", "--zebra", "--json=true"], "false"));
    assert!(wants(&["serve"], "yes") && !wants(&["serve", "--json=false"], "yes"));
    assert!(wants(&["serve", &config], "") && !wants(&["serve", &config], "0"));
    assert!(!wants(&["serve", "--", "--json"], ""));
}

#[test]
fn every_subcommand_knows_version_and_the_program_its_pages() {
    for arguments in [&["program", "--version"][..], &["program", "serve", "--version"], &["program", "man", "-V"]] {
        let error = resolve::<Args>(arguments.iter().map(OsString::from), &|_| None).unwrap_err();
        let SettingsError::Usage(usage) = error else { panic!("{error}") };
        assert_eq!(usage.to_string(), format!("program {} (unknown)\n", crate::VERSION), "{arguments:?}");
    }
    let arguments = ["program", "completions", "bash"].map(OsString::from);
    assert!(matches!(ask::<Args>(&arguments, &|_| None), Ok(Asked::Extra(_))));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1");
    let arguments = ["program", "man", "--out"].iter().map(OsString::from).chain([out.clone().into()]);
    let arguments: Vec<OsString> = arguments.collect();
    let Ok(Asked::Extra(matches)) = ask::<Args>(&arguments, &|_| None) else { panic!() };
    extras::run(documented::<Args>(), &matches).unwrap();
    let page = std::fs::read_to_string(out.join("program-serve.1")).unwrap();
    assert!(page.contains("HEADWATER_DATA"), "{page}");
    assert!(out.join("program.1").exists() && out.join("program-index.1").exists());
}

#[test]
fn a_broken_file_is_named_with_its_line() {
    let broken = |content: &[u8]| ConfigFile::parse("site.toml", content).unwrap_err().to_string();
    assert!(broken(b"a = 1\nb = = 2").starts_with("site.toml:2: "));
    assert!(broken(b"a = 1\n\xff = 2").starts_with("site.toml:2: this is not UTF-8"));
    assert!(broken(&vec![b'#'; 2 << 20]).contains("is longer than 1MiB"));
    assert!(broken("a = ".bytes().chain([b'['; 9000]).collect::<Vec<_>>().as_slice()).starts_with("site.toml:1: "));
}

#[test]
fn the_file_is_found_by_flag_then_variable() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("flag.toml"), "cpu-workers = 8").unwrap();
    std::fs::write(path("variable.toml"), "cpu-workers = 9").unwrap();
    let workers = |arguments: &[&str], variable: &str| {
        let arguments = ["program", "serve", "--data", "d"].iter().chain(arguments).map(OsString::from);
        let variable = |name: &str| (name == "HEADWATER_CONFIG").then(|| OsString::from(variable));
        serve(resolve::<Args>(arguments, &variable)).cpu_workers
    };
    assert_eq!(workers(&["--config", &path("flag.toml")], &path("variable.toml")), 8);
    assert_eq!(workers(&[&format!("--config={}", path("flag.toml"))], ""), 8);
    assert_eq!(workers(&[], &path("variable.toml")), 9);
    let missing = resolve::<Args>(["program", "--config", &path("none")].map(OsString::from), &|_| None);
    assert!(missing.unwrap_err().to_string().contains("cannot read the configuration file"));
}

#[test]
fn help_names_every_variable_and_needs_no_configuration() {
    let arguments = ["program", "serve", "--config", "missing.toml", "--help"].map(OsString::from);
    let secret = |name: &str| (name == "STORE_SECRET").then(|| OsString::from("hunter2"));
    let help = match resolve::<Args>(arguments, &secret).unwrap_err() {
        SettingsError::Usage(error) => error.to_string(),
        error => panic!("{error}"),
    };
    for expected in
        ["[env: HEADWATER_CPU_WORKERS]", "[env: HEADWATER_DATA]", "[env: STORE_SECRET]", "[env: HEADWATER_CONFIG]"]
    {
        assert!(help.contains(expected), "{expected} in {help}");
    }
    assert!(!help.contains("hunter2"));
}

#[test]
fn secrets_are_printed_by_no_one() {
    let file = "data = 's3://key:pa55word@host/bucket'\ntoken = 'hunter2'";
    let resolved = layered(&["serve"], &[], file).unwrap();
    for text in [resolved.report.to_string(), resolved.report.to_json().to_string(), format!("{:?}", resolved.report)] {
        assert!(!text.contains("hunter2") && !text.contains("pa55word"), "{text}");
        assert!(text.contains("s3://***@host/bucket"), "{text}");
    }
    let arguments = ["serve", "--data", "d", "--token", "hunter2"];
    assert!(!layered(&arguments, &[], "").unwrap().report.to_string().contains("hunter2"));
}

#[test]
fn check_config_prints_a_file_that_says_the_same() {
    let file = "log = 'warn'\n[serve]\ndata = \"it's\\n\\\"é\\\"\"\nmodel = ['a', 'b']\nfraction = 0.25";
    let first = layered(&["serve", "--listen", "127.0.0.1:9", "--check-config"], &[("HEADWATER_MEMORY", "2MiB")], file);
    let first = first.unwrap();
    assert!(first.check_config);
    let printed = first.report.to_string();
    for line in [
        "log = \"warn\" # file, line 1",
        "listen = \"127.0.0.1:9\" # flag",
        "cpu-workers = 2 # default",
        "memory = \"2MiB\" # variable HEADWATER_MEMORY",
        "# token is not set",
        "[serve]",
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line} in {printed}");
    }
    let second = layered(&["serve"], &[], &printed).unwrap();
    assert_eq!(format!("{:?}", second.args.action), format!("{:?}", first.args.action));
    assert_eq!(second.args.common.log, first.args.common.log);
    let json = layered(&["serve", "--json"], &[], file).unwrap().report.to_string();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["serve.model"], serde_json::json!({ "value": ["a", "b"], "source": "file, line 4" }));
    assert_eq!(json["serve.cpu-workers"]["value"], 2);
}

proptest! {
    /// Each layer says something or nothing about each of three settings: the highest that speaks is heard.
    #[test]
    fn the_highest_layer_that_speaks_is_heard(
        workers in prop::array::uniform4(prop::option::of(0_usize..1000)),
        device in prop::array::uniform4(prop::option::of(prop::sample::select(vec!["cpu", "cuda"]))),
        model in prop::array::uniform4(prop::option::of(prop::collection::vec("[a-z]{1,4}=[a-z,./]{1,6}", 1..4))),
    ) {
        let mut arguments = vec!["serve".to_owned(), "--data=d".to_owned()];
        let mut variables = Vec::new();
        let (mut table, mut top) = ("[serve]\n".to_owned(), String::new());
        if let Some(n) = workers[3] { arguments.push(format!("--cpu-workers={n}")); }
        if let Some(n) = workers[2] { variables.push(("HEADWATER_CPU_WORKERS", n.to_string())); }
        if let Some(n) = workers[1] { table += &format!("cpu-workers = {n}\n"); }
        if let Some(n) = workers[0] { top += &format!("cpu-workers = {n}\n"); }
        if let Some(d) = device[3] { arguments.push(format!("--device={d}")); }
        if let Some(d) = device[2] { variables.push(("HEADWATER_DEVICE", d.to_owned())); }
        if let Some(d) = device[1] { table += &format!("device = '{d}'\n"); }
        if let Some(d) = device[0] { top += &format!("device = '{d}'\n"); }
        if let Some(m) = &model[3] { arguments.extend(m.iter().map(|m| format!("--model={m}"))); }
        if let Some(m) = &model[2] { variables.push(("HEADWATER_MODEL", m.join(";"))); }
        if let Some(m) = &model[1] { table += &format!("model = {m:?}\n"); }
        if let Some(m) = &model[0] { top += &format!("model = {m:?}\n"); }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();

        let serve = serve(layered(&arguments, &variables, &(top + &table)));

        prop_assert_eq!(serve.cpu_workers, workers.into_iter().rev().flatten().next().unwrap_or(2));
        prop_assert_eq!(serve.device, device.into_iter().rev().flatten().next().unwrap_or("cpu"));
        prop_assert_eq!(serve.model, model.into_iter().rev().flatten().next().unwrap_or_default());
    }

    /// The parser of configuration files meets outside bytes: it may refuse them, and nothing else.
    #[test]
    fn no_content_breaks_the_parser(
        content in prop::collection::vec(any::<u8>(), 0..300),
        text in "[\\[\\]a-z.='\"\n#{},0-9]{0,200}",
    ) {
        let _ = ConfigFile::parse("site.toml", &content);
        if let Ok(file) = ConfigFile::parse("site.toml", text.as_bytes()) {
            prop_assert!(file.items().iter().all(|item| item.line <= text.lines().count()));
        }
    }
}
