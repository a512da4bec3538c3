//! Files are about one noun and functions about one thought, however much there is of them.

use super::sources::files;

/// Lines of files, at the median and at nine of ten.
const FILE_LINES: [(usize, usize); 2] = [(50, 100), (90, 220)];

/// Lines of functions, at the median, nine of ten and 99 of a hundred.
const FUNCTION_LINES: [(usize, usize); 3] = [(50, 6), (90, 24), (99, 60)];

#[test]
fn files_are_short() {
    let sizes = files().into_iter().map(|(path, lines)| (lines.len(), path.display().to_string()));
    check("files", sizes.collect(), &FILE_LINES);
}

#[test]
fn functions_are_short() {
    let sizes = files().into_iter().flat_map(|(path, lines)| {
        let named = move |(name, length): (String, usize)| (length, format!("{name} in {}", path.display()));
        functions(&lines).into_iter().map(named).collect::<Vec<_>>()
    });
    check("functions", sizes.collect(), &FUNCTION_LINES);
}

#[test]
fn a_function_ends_where_its_braces_do() {
    let head = "impl A {\n    pub(crate) async fn b(\n        c: u8,\n    ) -> u8 {\n";
    let text = format!("{head}        c\n    }}\n\n    fn d();\n    fn e() {{}}\n}}");
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    assert_eq!(functions(&lines), [("b".to_owned(), 5), ("d".to_owned(), 1), ("e".to_owned(), 1)]);
}

fn check(what: &str, mut sizes: Vec<(usize, String)>, limits: &[(usize, usize)]) {
    sizes.sort();
    let longest: Vec<_> =
        sizes.iter().rev().take(sizes.len() / 50 + 5).map(|(lines, name)| format!("  {lines} {name}")).collect();
    for (percent, limit) in limits {
        let (lines, _) = sizes[sizes.len() * percent / 100];
        println!("{what}: {lines} lines at {percent} of 100, of {limit}");
        assert!(
            lines <= *limit,
            "{what}: {lines} lines at {percent} of 100, and not {limit}; the longest:\n{}",
            longest.join("\n")
        );
    }
}

/// Names of functions and their lines. The code is formatted, so a body ends at its function's indentation.
fn functions(lines: &[String]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let Some(name) = name(line.trim_start()) else { continue };
        let closes = |line: &String| {
            line.len() > indent
                && line.is_char_boundary(indent)
                && line[..indent].trim().is_empty()
                && line[indent..].starts_with('}')
        };
        let length = if line.ends_with('}') || line.ends_with(';') {
            1
        } else {
            lines[start..].iter().position(closes).map_or(1, |end| end + 1)
        };
        found.push((name, length));
    }
    found
}

/// The function's name, where the line begins one.
fn name(line: &str) -> Option<String> {
    let (before, after) = line.split_once("fn ")?;
    let words = ["pub", "const", "async", "unsafe", "pub(crate)", "pub(super)"];
    let is_head = before.split_whitespace().all(|word| words.contains(&word) || word.starts_with("pub(in"));
    let name: String = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (is_head && !name.is_empty()).then_some(name)
}
