//! What clap says of a whole command line, on one line.

use super::redact::redact;

/// The mistake that clap found and its tips, without its usage and its pointer to help.
pub(super) fn in_one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let mut parts: Vec<String> = Vec::new();
    for paragraph in text.split("\n\n") {
        let words: Vec<&str> = paragraph.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match words.as_slice() {
            [first, ..] if first.starts_with("Usage:") || first.starts_with("For more information") => {}
            [] => {}
            [first, rest @ ..] => {
                let first = first.strip_prefix("error: ").or_else(|| first.strip_prefix("tip: ")).unwrap_or(first);
                let space = if rest.is_empty() { "" } else { " " };
                parts.push(format!("{first}{space}{}", rest.join(", ")));
            }
        }
    }
    redact(&parts.join("; "))
}
