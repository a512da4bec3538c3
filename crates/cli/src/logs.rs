//! Logs: to standard error, never to standard output, as text or as one JSON object per line.
//!
//! What is logged is `--log`, else `RUST_LOG`, else `info`. Colours appear only on a terminal, and not where `NO_COLOR`
//! is set. Lines are written above a running progress bar, never through it. A line that cannot be written is lost and
//! counted, and nothing else happens: see [`crate::stderr`].
//!
//! A quantity is logged as a number with its unit in the field's name (`limit_bytes = limit.get()`, `bandwidth_bps`,
//! `grace_seconds`): that is what a program gets. As text it is shown with three digits and a unit, by that name
//! ([`shown::by_name`]).

use std::fmt;
use std::io::{self, IsTerminal as _, Write};

use anyhow::Context as _;
use headwater_types::{key, shown};
use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Writer, debug_fn};

use crate::common::{Common, LogFormat};
use crate::progress::Progress;
use crate::settings::known::unknown_variables;
use crate::stderr;

pub use crate::stderr::lost;

/// Sends the process's `tracing` events to standard error, from now on.
///
/// # Errors
/// The filter cannot be read, or logs were installed before.
pub fn install(common: &Common, progress: &Progress) -> anyhow::Result<()> {
    let rust_log = std::env::var("RUST_LOG").ok();
    let filter = filter(common.log.as_deref(), rust_log.as_deref())?;
    let terminal = io::stderr().is_terminal();
    let coloured = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(coloured)
        .with_writer(BesideBars { progress: progress.clone() })
        // To standard error too, by a macro that panics where that cannot be written.
        .log_internal_errors(false);
    let installed = if is_json(common.log_format, terminal) {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.fmt_fields(debug_fn(show).delimited(" ")).try_init()
    };
    installed.map_err(anyhow::Error::from_boxed).context("cannot install the logs")?;
    for unknown in unknown_variables(std::env::vars_os()) {
        tracing::warn!("{unknown}");
    }
    Ok(())
}

/// A field as text, without line breaks and what else would act on a terminal.
fn show(line: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match (field.name(), shown::by_name(field.name(), value)) {
        ("message", _) => line.write_str(&key::shown(&format!("{value:?}"))),
        (name, Some(quantity)) => write!(line, "{name}=\"{quantity}\""),
        (name, None) => write!(line, "{name}={}", key::shown(&format!("{value:?}"))),
    }
}

fn filter(setting: Option<&str>, rust_log: Option<&str>) -> anyhow::Result<EnvFilter> {
    let given = [(setting, "--log"), (rust_log, "RUST_LOG")]
        .into_iter()
        .find_map(|(text, name)| text.filter(|text| !text.trim().is_empty()).map(|text| (text, name)));
    let (text, name) = given.unwrap_or(("info", "the default"));
    EnvFilter::try_new(text).with_context(|| {
        format!("{name} is {text:?}; write a level (error, warn, info, debug, trace) or target=level,...")
    })
}

fn is_json(format: LogFormat, terminal: bool) -> bool {
    match format {
        LogFormat::Auto => !terminal,
        LogFormat::Text => false,
        LogFormat::Json => true,
    }
}

/// Standard error, with bars put aside while an event is written.
struct BesideBars {
    progress: Progress,
}

struct Line<'a> {
    progress: &'a Progress,
}

// === impl BesideBars ===

impl<'a> MakeWriter<'a> for BesideBars {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { progress: &self.progress }
    }
}

// === impl Line ===

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    // tracing hands over each event in one piece: written under one suspension, it cannot be torn.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Some(lines) = self.progress.suspend(|| stderr::say(bytes)) {
            tracing::warn!(lines, "lines of this log were lost before the last: standard error took none");
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_wins_over_rust_log_and_both_over_info() {
        assert_eq!(filter(Some("debug"), Some("warn")).unwrap().to_string(), "debug");
        assert_eq!(filter(None, Some("warn")).unwrap().to_string(), "warn");
        assert_eq!(filter(Some(" "), None).unwrap().to_string(), "info");
        let error = filter(Some("headwater=loud"), None).unwrap_err().to_string();
        assert!(error.contains("--log"), "{error}");
    }

    #[test]
    fn auto_is_text_for_people_and_json_for_programs() {
        assert!(is_json(LogFormat::Auto, false) && !is_json(LogFormat::Auto, true));
        assert!(is_json(LogFormat::Json, true) && !is_json(LogFormat::Text, false));
    }

    /// What a subscriber writes of one event with a size, a bandwidth and a time.
    fn written(json: bool) -> String {
        #[derive(Clone, Default)]
        struct Page(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
        impl Write for Page {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().unwrap().write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let page = Page::default();
        let writer = page.clone();
        let builder = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
        let event = || {
            tracing::info!(
                bytes = 4_157_272_u64,
                bandwidth_bps = 743_135.500_992_165_4,
                grace_seconds = 10.0,
                samples = 7,
                "met"
            );
        };
        match json {
            true => tracing::subscriber::with_default(builder.json().flatten_event(true).finish(), event),
            false => {
                let text = builder.fmt_fields(debug_fn(show).delimited(" ")).finish();
                tracing::subscriber::with_default(text, event);
            }
        }
        let text = page.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn quantities_are_numbers_for_programs_and_three_digits_for_people() {
        let line: serde_json::Value = serde_json::from_str(&written(true)).unwrap();
        assert_eq!((&line["bytes"], &line["samples"]), (&4_157_272.into(), &7.into()));
        assert_eq!(line["bandwidth_bps"].as_f64(), Some(743_135.500_992_165_4));
        let text = written(false);
        assert!(
            text.trim_end()
                .ends_with("met bytes=\"4.16 MB\" bandwidth_bps=\"743 kbps\" grace_seconds=\"10 s\" samples=7"),
            "{text}"
        );
    }
}
