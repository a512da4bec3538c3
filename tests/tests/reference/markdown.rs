//! Markdown, as far as the reference needs it.

use std::fmt::Write as _;

/// Begins a page.
pub(crate) fn head(title: &str, text: &str) -> String {
    format!("# {title}\n\n{text}\n\nThis page is generated from the code: see `tests/tests/reference`.\n")
}

/// Adds a table.
pub(crate) fn table<const N: usize>(
    page: &mut String,
    columns: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    writeln!(page, "\n{}", line(&columns.map(str::to_owned))).unwrap();
    writeln!(page, "|{}", "---|".repeat(N)).unwrap();
    for row in rows {
        writeln!(page, "{}", line(&row.map(|cell| cell.replace('|', "\\|").replace('\n', " ")))).unwrap();
    }
}

/// As code; nothing stays nothing.
pub(crate) fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{text}`") }
}

/// With a full stop, as sentences of a table have it.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().collect::<String>() + letters.as_str(),
        None => text,
    }
}
