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

/// The text as code; an empty text stays empty.
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

/// Columns of a page's lines, but for rows of tables.
const COLUMNS: usize = 120;

/// Breaks the lines of a page that are wider than a screen. A row of a table stays one line.
pub(crate) fn wrap(page: &str) -> String {
    let mut lines = Vec::new();
    for line in page.lines() {
        if line.starts_with('|') { lines.push(line.to_owned()) } else { lines.extend(broken(line)) }
    }
    lines.join("\n") + "\n"
}

/// A line broken between its words; an item of a list goes on below its text.
fn broken(line: &str) -> Vec<String> {
    let indent = if line.starts_with("- ") { "  " } else { "" };
    let mut lines = vec![String::new()];
    for (at, word) in line.split(' ').enumerate() {
        let last = lines.last_mut().unwrap();
        if at > 0 && last.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(format!("{indent}{word}"));
        } else {
            let space = if at > 0 { " " } else { "" };
            last.push_str(space);
            last.push_str(word);
        }
    }
    lines
}

#[test]
fn lines_are_broken_between_words_and_rows_are_not() {
    let words = "word ".repeat(30);
    let page = format!("- {words}end\n| {words}|\n");
    let wrapped = wrap(&page);
    let lines: Vec<_> = wrapped.lines().collect();
    assert_eq!(lines.len(), 3, "{wrapped}");
    assert!(lines[0].chars().count() <= COLUMNS && lines[1].starts_with("  word") && lines[2].starts_with("| word"));
}
