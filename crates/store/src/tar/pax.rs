//! Extended headers of pax: `LENGTH KEY=VALUE\n`, one record after the other, which overrule a member's header.

use super::damage::Damage;

/// What an extended header says that matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Whether the member is a file with holes, as GNU tar writes it. Its content begins with a map of them.
    pub(super) is_sparse: bool,
}

// === impl Pax ===

impl Pax {
    /// Reads the records over what was known before: a record without a value takes back what was.
    ///
    /// # Errors
    /// What is no sequence of records; a size that is no number.
    pub(super) fn read(mut self, mut bytes: &[u8]) -> Result<Self, Damage> {
        // Some programs pad with NUL.
        while bytes.first().is_some_and(|byte| *byte != 0) {
            let Record { key, value, rest } = record(bytes)?;
            self.set(key, value)?;
            bytes = rest;
        }
        Ok(self)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), Damage> {
        let text = || (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" => self.path = text(),
            b"linkpath" => self.link = text(),
            b"size" if value.is_empty() => self.size = None,
            b"size" => self.size = Some(decimal(value).ok_or(Damage::Number)?),
            // The name in the header is then one that GNU tar made up.
            b"GNU.sparse.name" => (self.path, self.is_sparse) = (text(), true),
            _ if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
            _ => {}
        }
        Ok(())
    }
}

/// A record, and what follows it.
struct Record<'a> {
    key: &'a [u8],
    value: &'a [u8],
    rest: &'a [u8],
}

/// The first record.
fn record(bytes: &[u8]) -> Result<Record<'_>, Damage> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let length = decimal(&bytes[..digits]).and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or(Damage::Extended("a record does not begin with its length"))?;
    let outside = Damage::Extended("a record is longer or shorter than it says");
    if length <= digits || length > bytes.len() || bytes[digits] != b' ' {
        return Err(outside);
    }
    let (own, rest) = bytes.split_at(length);
    let own = own.get(digits + 1..).and_then(|own| own.strip_suffix(b"\n")).ok_or(outside)?;
    let equals = own.iter().position(|byte| *byte == b'=').ok_or(Damage::Extended("a record has no value"))?;
    Ok(Record { key: &own[..equals], value: &own[equals + 1..], rest })
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if is_number { std::str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::written::record as written;

    fn read(text: &str) -> Result<Pax, Damage> {
        Pax::default().read(text.as_bytes())
    }

    #[test]
    fn records_overrule_and_take_back() {
        let text = [written("path", "a=b\nc"), written("mtime", "1.5"), written("size", "12")].concat();
        let pax = read(&text).unwrap();
        assert_eq!((pax.path.as_deref(), pax.size, pax.is_sparse), (Some(&b"a=b\nc"[..]), Some(12), false));
        let later = pax.read(written("path", "").as_bytes()).unwrap();
        assert_eq!((later.path, later.size), (None, Some(12)));
        let sparse = read(&[written("GNU.sparse.major", "1"), written("GNU.sparse.name", "x")].concat()).unwrap();
        assert_eq!((sparse.path.as_deref(), sparse.is_sparse), (Some(&b"x"[..]), true));
    }

    #[test]
    fn what_is_no_record_is_damage() {
        for bad in [
            "path=a\n",
            "9 path=a\n\n",
            "99 path=a\n",
            "0 path=a\n",
            "1",
            "2 ",
            "3 \n",
            "8 path=a\n",
            "18446744073709551616 a=b\n",
            "8 patha\n",
            "12 size=-10\n",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
