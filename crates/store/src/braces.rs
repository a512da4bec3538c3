//! Many names in one text, as the shell and WebDataset write them: `shard-{000..099}.tar`, `{train,test}.tar`.

use headwater_types::caps::MAX_BRACE_NAMES;

/// Why a text with braces names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BraceError {
    /// The text stands for more names than are taken.
    #[error("the braces stand for more than {MAX_BRACE_NAMES} names: give the folder of the shards")]
    TooMany,
    /// A range whose end is before its begin.
    #[error("the range {{{0}}} ends before it begins")]
    Backwards(String),
}

/// The names that a text stands for, in the order of the text: first by its last braces, as the shell does. Braces
/// without a comma or two dots between numbers stand for themselves.
pub(crate) fn expand(text: &str) -> Result<Vec<String>, BraceError> {
    let mut names = vec![String::new()];
    let mut rest = text;
    while let Some((before, inner, after)) = braces(rest) {
        let choices = choices(inner)?;
        if names.len().saturating_mul(choices.len()) > MAX_BRACE_NAMES {
            return Err(BraceError::TooMany);
        }
        let with = |name: &String| choices.iter().map(|choice| format!("{name}{before}{choice}")).collect::<Vec<_>>();
        names = names.iter().flat_map(with).collect();
        rest = after;
    }
    names.iter_mut().for_each(|name| name.push_str(rest));
    Ok(names)
}

/// The first braces that stand for several names: what is before, within and after them.
fn braces(text: &str) -> Option<(&str, &str, &str)> {
    let pairs = text.match_indices('{').filter_map(|(open, _)| {
        let (inner, after) = text[open + 1..].split_once('}')?;
        Some((&text[..open], inner, after))
    });
    pairs.into_iter().find(|(_, inner, _)| !inner.contains('{') && (inner.contains(',') || range(inner).is_some()))
}

fn choices(inner: &str) -> Result<Vec<String>, BraceError> {
    let Some((first, last, width)) = range(inner) else { return Ok(inner.split(',').map(str::to_owned).collect()) };
    if last < first {
        return Err(BraceError::Backwards(inner.to_owned()));
    }
    if last - first >= MAX_BRACE_NAMES as u64 {
        return Err(BraceError::TooMany);
    }
    Ok((first..=last).map(|number| format!("{number:0width$}")).collect())
}

/// The ends of a range and the digits that each number has at least: those of the ends, where either begins with zeros.
fn range(inner: &str) -> Option<(u64, u64, usize)> {
    let (first, last) = inner.split_once("..")?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let padded = |text: &str| text.len() > 1 && text.starts_with('0');
    let width = if padded(first) || padded(last) { first.len().max(last.len()) } else { 0 };
    Some((number(first)?, number(last)?, width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_lists_expand_as_in_the_shell() {
        for (text, names) in [
            ("a.tar", vec!["a.tar"]),
            ("s-{000..002}.tar", vec!["s-000.tar", "s-001.tar", "s-002.tar"]),
            ("s-{8..10}", vec!["s-8", "s-9", "s-10"]),
            ("s-{08..10}", vec!["s-08", "s-09", "s-10"]),
            ("{a,b}/{0..1}", vec!["a/0", "a/1", "b/0", "b/1"]),
            ("x{,.b}", vec!["x", "x.b"]),
            ("{a}{b", vec!["{a}{b"]),
            ("{a..b}", vec!["{a..b}"]),
            ("{}{1..1}", vec!["{}1"]),
        ] {
            assert_eq!(expand(text).unwrap(), names, "{text}");
        }
    }

    #[test]
    fn what_stands_for_too_much_takes_no_memory() {
        for text in ["{0..18446744073709551615}", "{0..999999}{0..9}", &"{0..999}".repeat(9)] {
            assert_eq!(expand(text), Err(BraceError::TooMany), "{text}");
        }
        assert_eq!(expand("{3..1}"), Err(BraceError::Backwards("3..1".into())));
    }
}
