//! A step of starting, in words such as `listing /srv/photos, 12,000 files so far`.

use std::fmt;

use headwater_store::Found;

/// What is being done, and how far it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doing {
    what: String,
    found: Option<Found>,
}

// === impl Doing ===

impl Doing {
    /// A step without a count.
    pub(crate) fn step(what: impl Into<String>) -> Self {
        Self { what: what.into(), found: None }
    }

    /// A step that counts the files that it has found.
    pub(crate) fn listing(what: impl Into<String>, found: Found) -> Self {
        Self { what: what.into(), found: Some(found) }
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        match &self.found {
            Some(found) => {
                write!(f, ", {} files so far", grouped(found.get()))?;
                found.trouble().map_or(Ok(()), |trouble| write!(f, "; {trouble}"))
            }
            None => Ok(()),
        }
    }
}

/// A number with a comma at every third digit.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |place: usize| if place > 0 && (digits.len() - place).is_multiple_of(3) { "," } else { "" };
    digits.char_indices().map(|(place, digit)| format!("{}{digit}", comma(place))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_listing_says_how_far_it_is() {
        let found = Found::default();
        let doing = Doing::listing("listing /srv/photos", found.clone());
        found.add(12_000);
        assert_eq!(doing.to_string(), "listing /srv/photos, 12,000 files so far");
        assert_eq!(Doing::step("opening /srv/photos").to_string(), "opening /srv/photos");
    }
}
