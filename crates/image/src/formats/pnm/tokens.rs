//! The words of a PNM's header and of its plain pixels, split as Pillow splits them.

/// The longest word that there may be.
const LONGEST: usize = 10;

/// A place in a PNM.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a> {
    bytes: &'a [u8],
    /// Offset of the next byte.
    pub(super) at: usize,
}

// === impl Tokens ===

impl<'a> Tokens<'a> {
    /// The words from `at` on.
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The next word, and one space behind it is passed over. A comment is passed over as if it were not there, also
    /// inside a word. `None` where the file ends before a word, or the word is too long to be a number.
    pub(super) fn word(&mut self) -> Option<Word> {
        let mut word = Word::default();
        while let Some(byte) = self.next() {
            if is_space(byte) {
                if word.length > 0 {
                    break;
                }
            } else {
                *word.bytes.get_mut(word.length)? = byte;
                word.length += 1;
            }
        }
        (word.length > 0).then_some(word)
    }

    /// The next byte that is no space and in no comment.
    pub(super) fn solid(&mut self) -> Option<u8> {
        loop {
            match self.next()? {
                byte if is_space(byte) => {}
                byte => return Some(byte),
            }
        }
    }

    /// The next byte that is in no comment. A comment ends with its line.
    fn next(&mut self) -> Option<u8> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if byte != b'#' {
                return Some(byte);
            }
            let rest = &self.bytes[self.at..];
            self.at += memchr::memchr2(b'\n', b'\r', rest).map_or(rest.len(), |end| end + 1);
        }
    }
}

/// A word of a PNM.
#[derive(Default)]
pub(super) struct Word {
    bytes: [u8; LONGEST],
    length: usize,
}

// === impl Word ===

impl Word {
    /// The word as a number, if it is one.
    pub(super) fn number<T: std::str::FromStr>(&self) -> Option<T> {
        std::str::from_utf8(&self.bytes[..self.length]).ok()?.parse().ok()
    }
}

/// Whether a byte is a space to Pillow.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_as_if_they_were_not_there() {
        let mut tokens = Tokens::new(b"# one\n 1#two\r2 \x0b34\n5", 0);
        assert_eq!(tokens.word().and_then(|word| word.number()), Some(12_u32));
        assert_eq!(tokens.word().and_then(|word| word.number()), Some(34_u32));
        assert_eq!(tokens.at, 19, "one space behind a word is passed over");
        assert_eq!(tokens.word().and_then(|word| word.number()), Some(5_u32));
        assert!(tokens.word().is_none());
        assert!(Tokens::new(b"12345678901", 0).word().is_none(), "too long");
        assert!(Tokens::new(b"1_0", 0).word().unwrap().number::<u32>().is_none());
    }
}
