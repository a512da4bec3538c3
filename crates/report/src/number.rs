//! Numbers as people read them: three digits, and one unit for all that stand in a column or along an axis.

/// A unit that several numbers share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    pub(crate) size: f64,
}

/// Decimal units, as networks count.
const BYTES: [Unit; 4] = units(["GB", "MB", "kB", "bytes"]);
const BANDWIDTHS: [Unit; 4] = units(["Gbps", "Mbps", "kbps", "bps"]);
/// Numbers of more digits are written in the next unit.
const LONG: f64 = 1e5;

/// What stands where there is no number.
pub(crate) const NONE: &str = "\u{2013}";

const fn units(names: [&'static str; 4]) -> [Unit; 4] {
    let [giga, mega, kilo, one] = names;
    [
        Unit { name: giga, size: 1e9 },
        Unit { name: mega, size: 1e6 },
        Unit { name: kilo, size: 1e3 },
        Unit { name: one, size: 1.0 },
    ]
}

// === impl Unit ===

impl Unit {
    /// For bytes about as many as these.
    pub(crate) fn bytes(typical: f64) -> Self {
        BYTES.into_iter().find(|unit| typical >= unit.size).unwrap_or(BYTES[3])
    }

    /// For all of these bits per second: none below 1, where that leaves none too long.
    pub(crate) fn bandwidth(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values.fold((f64::INFINITY, 0.0), |(low, high), value| (value.min(low), value.max(high)));
        let fits = |unit: &Unit| low >= unit.size || high / unit.size * 1e3 >= LONG * 10.0;
        BANDWIDTHS.into_iter().find(fits).unwrap_or(BANDWIDTHS[3])
    }

    /// A number in this unit, without its name.
    pub(crate) fn of(self, value: f64) -> String {
        number(value / self.size)
    }

    /// A number with its unit.
    pub(crate) fn with(self, value: f64) -> String {
        format!("{} {}", self.of(value), self.name)
    }
}

/// Three digits.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 999_500.0 => format!("{value:.1e}"),
        size if size >= 99.95 || value.fract() == 0.0 => format!("{value:.0}"),
        size if size >= 9.995 => format!("{value:.1}"),
        size if size >= 0.995 => format!("{value:.2}"),
        size if size >= 0.01 => format!("{value:.3}"),
        _ => format!("{value:.1e}"),
    }
}

/// A bandwidth with the unit that suits it.
pub(crate) fn bandwidth(value: f64) -> String {
    Unit::bandwidth(std::iter::once(value)).with(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        assert_eq!(
            [0.0, 2.0, 0.123_4, 12.34, 1234.5, 0.001, 1.234, 2.5e8].map(number),
            ["0", "2", "0.123", "12.3", "1234", "1.0e-3", "1.23", "2.5e8"]
        );
    }

    #[test]
    fn numbers_beside_each_other_have_one_unit() {
        let kilo = Unit::bytes(150_528.0);
        assert_eq!([150_528.0, 999.0, 2e6].map(|bytes| kilo.of(bytes)), ["151", "1.00", "2000"]);
        assert_eq!((kilo.name, Unit::bytes(10.0).with(999.0)), ("kB", "999 bytes".to_owned()));
        let mega = Unit::bandwidth([6.7e6, 1.4e10].into_iter());
        assert_eq!([6.7e6, 1.4e10].map(|bits| mega.with(bits)), ["6.70 Mbps", "14000 Mbps"]);
        assert_eq!([bandwidth(430e6), bandwidth(1.25e9), bandwidth(64e3)], ["430 Mbps", "1.25 Gbps", "64 kbps"]);
    }
}
