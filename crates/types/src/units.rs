//! Quantities with their unit in the type: bytes, bits per second, CPU seconds.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number of bytes. Reads binary units (`64MiB`, `64Mi`) and decimal ones (`64MB`, `64M`), with a point where that
/// comes to whole bytes (`1.5Gi`), and prints the binary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteCount(u64);

/// A bandwidth, in bits per second. Reads and prints decimal units (`430Mbps`), as networks are sold.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct BitsPerSecond(f64);

/// Time that a core was busy, in seconds: never wall time.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct CpuSeconds(pub f64);

/// A quantity that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct UnitError {
    text: String,
    expected: &'static str,
}

// === impl ByteCount ===

/// Printed are the first five, and read all: `2Gi` and `2G` are what Kubernetes and shells write. A unit stands behind
/// those that end with it.
const BYTE_UNITS: [(&str, u64); 23] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("k", 1_000),
    ("K", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("B", 1),
];

impl ByteCount {
    /// So many bytes.
    pub const fn new(bytes: u64) -> Self {
        Self(bytes)
    }

    /// So many times 2^20 bytes.
    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }

    /// The number of bytes.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number of bytes as a length in memory; saturates where an address is shorter than 64 bits.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl From<usize> for ByteCount {
    fn from(bytes: usize) -> Self {
        Self(bytes as u64)
    }
}

impl FromStr for ByteCount {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError {
            text: text.to_owned(),
            expected: "a size such as 2GiB, 2Gi, 1.5Gi, 500MB, 64M or 1048576, a whole number of bytes",
        };
        let trimmed = text.trim();
        let (number, scale) = BYTE_UNITS
            .iter()
            .find_map(|(unit, scale)| trimmed.strip_suffix(unit).map(|number| (number, *scale)))
            .unwrap_or((trimmed, 1));
        scaled(number.trim_end(), scale).map(Self).ok_or_else(error)
    }
}

/// A decimal number times a scale, where that is whole.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let parts = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let of_parts = u128::from(fraction.parse::<u64>().ok()?) * u128::from(scale);
    let of_whole = u128::from(whole.parse::<u64>().ok()?) * u128::from(scale);
    let rest = of_parts.is_multiple_of(u128::from(parts)).then_some(of_parts / u128::from(parts))?;
    u64::try_from(of_whole.checked_add(rest)?).ok()
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = BYTE_UNITS[..5].iter().rev().find(|(_, scale)| self.0 > 0 && self.0.is_multiple_of(*scale));
        match exact {
            Some((unit, scale)) => write!(f, "{}{unit}", self.0 / scale),
            None => write!(f, "{}B", self.0),
        }
    }
}

impl Serialize for ByteCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ByteCount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

// === impl CpuSeconds ===

impl CpuSeconds {
    /// So many nanoseconds.
    pub fn from_nanoseconds(nanoseconds: u64) -> Self {
        Self(nanoseconds as f64 / 1e9)
    }

    /// The nearest number of nanoseconds; 0 for what is negative or no number.
    pub fn nanoseconds(self) -> u64 {
        (self.0 * 1e9).round() as u64
    }
}

impl From<Duration> for CpuSeconds {
    fn from(busy: Duration) -> Self {
        Self(busy.as_secs_f64())
    }
}

// === impl BitsPerSecond ===

const BIT_UNITS: [(&str, f64); 4] = [("Gbps", 1e9), ("Mbps", 1e6), ("kbps", 1e3), ("bps", 1.0)];

impl BitsPerSecond {
    /// So many bits per second; `None` unless finite and positive.
    pub fn new(bits: f64) -> Option<Self> {
        (bits.is_finite() && bits > 0.0).then_some(Self(bits))
    }

    /// The number of bits per second.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for BitsPerSecond {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let error = || UnitError { text: text.to_owned(), expected: "a bandwidth such as 430Mbps or 10Gbps" };
        let trimmed = text.trim();
        let (number, scale) = BIT_UNITS
            .iter()
            .find_map(|(unit, scale)| trimmed.strip_suffix(unit).map(|number| (number, *scale)))
            .ok_or_else(error)?;
        let number: f64 = number.trim().parse().map_err(|_| error())?;
        Self::new(number * scale).ok_or_else(error)
    }
}

impl fmt::Display for BitsPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, scale) = BIT_UNITS.iter().find(|(_, scale)| self.0 >= *scale).copied().unwrap_or(("bps", 1.0));
        write!(f, "{}{unit}", self.0 / scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_what_they_print() {
        for (text, bytes) in [("0B", 0), ("17B", 17), ("4MiB", 4 << 20), ("3GiB", 3 << 30), ("1KiB", 1024)] {
            let size: ByteCount = text.parse().unwrap();
            assert_eq!((size.get(), size.to_string().as_str()), (bytes, text));
        }
    }

    #[test]
    fn sizes_are_those_of_kubernetes_of_disks_and_of_shells() {
        let binary = [("K", 10), ("M", 20), ("G", 30), ("T", 40), ("P", 50)];
        let decimal = [("k", 3), ("K", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15)];
        let sizes = binary
            .iter()
            .flat_map(|(unit, power)| [format!("{unit}i"), format!("{unit}iB")].map(|unit| (unit, 1_u64 << power)));
        let decimals = decimal
            .iter()
            .flat_map(|(unit, power)| [(*unit).to_owned(), format!("{unit}B")].map(|unit| (unit, 10_u64.pow(*power))));
        for (unit, scale) in sizes.chain(decimals).chain([("B".to_owned(), 1), (String::new(), 1)]) {
            for text in [format!("2{unit}"), format!("2 {unit}"), format!(" 2{unit} ")] {
                assert_eq!(text.parse::<ByteCount>().map(ByteCount::get), Ok(2 * scale), "{text:?}");
            }
        }
        for (text, bytes) in
            [("1.5Gi", 3 << 29), ("0.5k", 500), ("4.5MiB", 9 << 19), ("1.0", 1), ("2.50GB", 2_500_000_000)]
        {
            assert_eq!(text.parse::<ByteCount>().map(ByteCount::get), Ok(bytes), "{text}");
        }
        for bad in [
            "",
            "-1",
            "+1",
            "MiB",
            "Gi",
            "4 mib",
            "2gb",
            "2 G iB",
            "2Gib",
            "1.5",
            "0.1B",
            "1.0001k",
            ".5G",
            "5.G",
            "1e3",
            "1,5G",
            "1_000",
            "0x10",
            "2Gi2",
            "inf",
            "NaN",
            "20000000TiB",
            "20000000P",
            "1.00000000000000000000G",
        ] {
            let refused = bad.parse::<ByteCount>().unwrap_err().to_string();
            assert!(refused.contains("2GiB, 2Gi, 1.5Gi, 500MB"), "{refused}");
        }
    }

    #[test]
    fn bandwidths_are_decimal() {
        assert_eq!("430Mbps".parse::<BitsPerSecond>().unwrap().get(), 430e6);
        assert_eq!("430Mbps".parse::<BitsPerSecond>().unwrap().to_string(), "430Mbps");
        for bad in ["430", "0Mbps", "-1Mbps", "infGbps", "NaNbps"] {
            assert!(bad.parse::<BitsPerSecond>().is_err(), "{bad}");
        }
    }
}
