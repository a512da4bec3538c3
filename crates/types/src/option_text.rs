//! Where the options of a setting such as `NAME=URI,option=value` begin in its text.
//!
//! An option begins at a comma that a word of small letters and `=` follow, so that the commas in braces and paths do
//! no harm. A comma of a path at which an option would begin is written `\,`.

/// The commas at which an option begins, or would begin if they were not marked, as places in the text.
pub fn starts(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices(',').map(|(at, _)| at).filter(|&at| {
        let word = text[at + 1..].split_once('=').map(|(word, _)| word);
        word.is_some_and(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()))
    })
}

/// The commas at which an option begins.
pub fn unmarked(text: &str) -> Vec<usize> {
    starts(text).filter(|&at| !text[..at].ends_with('\\')).collect()
}

/// A value in which no option begins: with a mark before each comma at which one would.
pub fn marked(text: &str) -> String {
    let (mut marked, mut last) = (String::with_capacity(text.len()), 0);
    for at in starts(text) {
        marked = marked + &text[last..at] + "\\";
        last = at;
    }
    marked + &text[last..]
}

/// The value without its marks.
pub fn plain(text: &str) -> String {
    let marks: Vec<usize> = starts(text).filter_map(|at| at.checked_sub(1)).collect();
    let is_mark = |at: usize| text.as_bytes()[at] == b'\\' && marks.binary_search(&at).is_ok();
    text.char_indices().filter(|&(at, _)| !is_mark(at)).map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_begin_behind_a_word_and_a_value_is_marked_and_read_back() {
        assert_eq!(unmarked("/srv/{a,b},x.jpg,labels=l.csv,classes=a+b"), [16, 29]);
        assert_eq!(unmarked("/srv/a\\,b=c,d=e"), [11]);
        for text in ["/srv/a,b=c,d", "a,b", "", ",x=", "\u{e9},word=1,Word=2", "a\\,b=c"] {
            assert_eq!(plain(&marked(text)), text);
            assert!(unmarked(&marked(text)).is_empty(), "{text}");
        }
    }
}
