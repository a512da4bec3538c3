//! Numbers and lists for people. A number has three digits and a unit. Programs get the number itself, with its unit in
//! the field's name.

use std::fmt;

/// Three digits: `743`, `74.3`, `7.43`, `0.0743`; whole numbers below 1,000 as they are.
pub fn three_digits(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    if value == value.trunc() && value.abs() < 1000.0 {
        return format!("{value:.0}");
    }
    let magnitude = |value: f64| value.abs().log10().floor() as i32;
    // 9.996 is 10.0, and not 10.00.
    let decimals = |value: f64| usize::try_from(2 - magnitude(value)).unwrap_or(0).min(9);
    let rounded: f64 = format!("{value:.*}", decimals(value)).parse().unwrap_or(value);
    if rounded == 0.0 { "0".to_owned() } else { format!("{rounded:.*}", decimals(rounded)) }
}

/// `4.16 MB`: decimal, since wires and disks are sold so.
pub fn bytes(count: u64) -> String {
    scaled(count as f64, &[("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3), ("B", 1.0)])
}

/// `743 kbps`, of bits per second.
pub fn bandwidth(bits: f64) -> String {
    scaled(bits, &[("Gbps", 1e9), ("Mbps", 1e6), ("kbps", 1e3), ("bps", 1.0)])
}

/// `1.34 s`, `12.3 ms`, `45 us`.
pub fn seconds(seconds: f64) -> String {
    scaled(seconds, &[("s", 1.0), ("ms", 1e-3), ("us", 1e-6)])
}

/// `335`, `12.3k`, `1.28M`: a count or a rate where space is scarce.
pub fn count(count: f64) -> String {
    scaled(count, &[("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0)]).replace(' ', "")
}

/// How one count compares to another that it took the place of: `6.2 times fewer`, `1.1 times more`, `as many`.
pub fn times_fewer(before: f64, after: f64) -> String {
    compared(before, after, ["fewer", "more", "as many"])
}

/// How one amount compares to another that it took the place of: `6.2 times less`, `1.1 times more`, `as much`.
pub fn times_less(before: f64, after: f64) -> String {
    compared(before, after, ["less", "more", "as much"])
}

/// `a, b and c` for a sentence, where `last` is the word before the last one.
pub fn listed(items: impl IntoIterator<Item = impl fmt::Display>, last: &str) -> String {
    let items: Vec<_> = items.into_iter().map(|item| item.to_string()).collect();
    match items.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

fn compared(before: f64, after: f64, [less, more, same]: [&str; 3]) -> String {
    match before / after {
        ratio if !ratio.is_finite() || ratio <= 0.0 => "nothing to compare with".to_owned(),
        ratio if (0.995..1.005).contains(&ratio) => same.to_owned(),
        ratio if ratio > 1.0 => format!("{} times {less}", three_digits(ratio)),
        ratio => format!("{} times {more}", three_digits(1.0 / ratio)),
    }
}

fn scaled(value: f64, units: &[(&'static str, f64)]) -> String {
    // What rounds up to the next unit is shown in it: 999.9 kB is 1 MB.
    let fits = |scale: f64| value.abs() >= scale * 0.9995;
    let smallest = units.last().copied().unwrap_or(("", 1.0));
    let shown = |scale: f64| if value == 0.0 { scale == 1.0 } else { fits(scale) };
    let (unit, scale) = units.iter().find(|(_, scale)| shown(*scale)).copied().unwrap_or(smallest);
    format!("{} {unit}", three_digits(value / scale))
}

/// A value of a log's field as people read it: the unit is in the field's name, and a program gets the number.
///
/// `bytes` and `..._bytes` are sizes, `..._bps` bandwidths, `..._seconds` times; `None` for other names and values.
pub fn by_name(field: &str, value: &dyn fmt::Debug) -> Option<String> {
    let suffix = field.rsplit('_').next().unwrap_or(field);
    let number = || format!("{value:?}").parse::<f64>().ok();
    match suffix {
        "bytes" => number().map(|count| bytes(count as u64)),
        "bps" => number().map(bandwidth),
        "seconds" => number().map(seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_three_digits() {
        for (value, shown) in [
            (0.0, "0"),
            (7.0, "7"),
            (743.135, "743"),
            (74.3135, "74.3"),
            (9.996, "10.0"),
            (999.7, "1000"),
            (0.074_31, "0.0743"),
            (-1.5, "-1.50"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(three_digits(value), shown);
        }
        assert_eq!(bytes(4_157_272), "4.16 MB");
        assert_eq!([bytes(0), bytes(999), bytes(999_900)], ["0 B", "999 B", "1.00 MB"].map(str::to_owned));
        assert_eq!(bandwidth(743_135.500_992_165_4), "743 kbps");
        assert_eq!([seconds(0.0), seconds(0.0123), seconds(75.0)], ["0 s", "12.3 ms", "75 s"].map(str::to_owned));
        assert_eq!([count(335.2042), count(1_281_167.0)], ["335", "1.28M"].map(str::to_owned));
    }

    #[test]
    fn more_is_never_called_fewer() {
        assert_eq!(times_fewer(620.0, 100.0), "6.20 times fewer");
        assert_eq!(times_fewer(90.0, 100.0), "1.11 times more");
        assert_eq!(times_less(100.0, 100.0), "as much");
        assert_eq!(times_less(0.0, 100.0), "nothing to compare with");
    }

    #[test]
    fn the_unit_of_a_field_is_in_its_name() {
        assert_eq!(by_name("limit_bytes", &4_157_272_u64).as_deref(), Some("4.16 MB"));
        assert_eq!(by_name("bandwidth_bps", &743_135.5).as_deref(), Some("743 kbps"));
        assert_eq!(by_name("grace_seconds", &10.0).as_deref(), Some("10 s"));
        assert_eq!((by_name("samples", &399), by_name("bytes", &"many")), (None, None));
    }
}
