//! Words of others, as they may stand in a log and in a message.

use std::fmt::Write as _;

/// The text without anything but printable ASCII, at most so long: other bytes, blanks, commas and percent signs are
/// `%XX`, and what is cut off is `...`.
pub(crate) fn escaped(text: &str, most: usize) -> String {
    let mut shown = String::new();
    for byte in text.bytes() {
        if shown.len() + 3 > most {
            shown.push_str("...");
            break;
        }
        match byte {
            b'%' | b',' => drop(write!(shown, "%{byte:02X}")),
            byte if byte.is_ascii_graphic() => shown.push(byte.into()),
            byte => drop(write!(shown, "%{byte:02X}")),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_makes_no_line_and_has_an_end() {
        assert_eq!(escaped("system:serviceaccount:ml:trainer", 64), "system:serviceaccount:ml:trainer");
        assert_eq!(escaped("a\nb c,d%\u{e9}\u{1b}[31m", 64), "a%0Ab%20c%2Cd%25%C3%A9%1B[31m");
        assert_eq!(escaped(&"x".repeat(100), 10), "xxxxxxxx...");
        assert!(escaped(&"\n".repeat(1000), 64).len() <= 67);
    }
}
