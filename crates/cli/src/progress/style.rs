//! How a bar looks: what is done, how fast, and how long it will take.

use std::fmt::Write;
use std::time::Duration;

use indicatif::style::TemplateError;
use indicatif::{ProgressState, ProgressStyle};

use super::counted::Counted;

const KNOWN: &str = "{prefix:14!} [{wide_bar}] {done}/{all} {rate} {left}";
const SOME: &str = "{prefix:14!} {spinner} {done} {rate} {elapsed}";
/// Words such as a loss stand behind a bar where a terminal has room for them.
pub(super) const ROOM_FOR_WORDS: u16 = 100;
const WORDS: &str = "  {msg:40!}";

/// The style of a bar of a known or an unknown length, on a terminal of so many columns.
pub(super) fn style(counted: Counted, is_known: bool, columns: u16) -> Result<ProgressStyle, TemplateError> {
    let words = if columns >= ROOM_FOR_WORDS { WORDS } else { "" };
    let template = format!("{}{words}", if is_known { KNOWN } else { SOME });
    let style = ProgressStyle::with_template(&template)?.progress_chars("=> ");
    let keyed = |show: fn(&ProgressState, Counted) -> String| {
        move |state: &ProgressState, line: &mut dyn Write| {
            let _ = line.write_str(&show(state, counted));
        }
    };
    Ok(style
        .with_key("done", keyed(|state, counted| counted.amount(state.pos())))
        .with_key("all", keyed(|state, counted| counted.amount(state.len().unwrap_or_default())))
        .with_key("rate", keyed(|state, counted| counted.rate(state.per_sec())))
        .with_key("left", keyed(|state, _| format!("{} left", duration(state.eta()))))
        .with_key("elapsed", keyed(|state, _| duration(state.elapsed()))))
}

/// `45 s`, `12 min`, `3.5 h`: what matters of how long something takes.
fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6000 => format!("{} min", seconds / 60),
        seconds => format!("{:.1} h", seconds as f64 / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_it_takes_has_one_unit() {
        let shown = [7, 119, 7200].map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(shown, ["7 s", "1 min", "2.0 h"]);
    }
}
