//! What a bar counts, and how amounts and rates of it are written.

use headwater_types::shown;

/// What a bar counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Items,
    Bytes,
}

// === impl Counted ===

impl Counted {
    pub(super) fn amount(self, count: u64) -> String {
        match self {
            // Samples are counted one by one while they fit.
            Self::Items if count < 1_000_000 => count.to_string(),
            Self::Items => shown::count(count as f64),
            Self::Bytes => shown::bytes(count),
        }
    }

    pub(super) fn rate(self, rate: f64) -> String {
        match self {
            Self::Items => format!("{}/s", shown::count(rate)),
            Self::Bytes => format!("{}/s", shown::bytes(rate as u64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_three_digits() {
        assert_eq!(Counted::Items.rate(335.2042), "335/s");
        assert_eq!(Counted::Items.rate(0.034_21), "0.0342/s");
        assert_eq!(Counted::Bytes.rate(92_891_250.0), "92.9 MB/s");
        assert_eq!(Counted::Items.amount(999_999), "999999");
    }
}
