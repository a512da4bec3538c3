//! Readers of values that several programs take, for clap's `value_parser`: each refuses what cannot be meant, and says
//! what can.

use std::num::NonZeroUsize;
use std::time::Duration;

use headwater_types::ByteCount;
use headwater_types::caps::MAX_THREADS;
use headwater_types::units::UnitError;

/// The longest time that a setting takes: ten years, far from where clocks overflow.
const LONGEST: f64 = 315_360_000.0;

/// Seconds, whole or not, 0 or more.
///
/// # Errors
/// What else it is, in words.
pub fn seconds(text: &str) -> Result<Duration, String> {
    time(text, 1.0, "seconds")
}

/// Seconds, whole or not, above 0.
///
/// # Errors
/// What else it is, in words.
pub fn some_seconds(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err(format!("{text:?} is no time: give a number of seconds above 0")),
        time => Ok(time),
    }
}

/// A time above 0 with its unit, such as `30s`, `10m` or `2h`; seconds where it has none.
///
/// # Errors
/// What else it is, in words.
pub fn period(text: &str) -> Result<Duration, String> {
    let units = [("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];
    let found = units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)));
    let (number, unit) = found.unwrap_or((text, 1.0));
    match time(number, unit, "seconds, or a number with s, m, h or d behind it") {
        Ok(Duration::ZERO) => Err(format!("{text:?} is no time: give one above 0, such as 10m")),
        result => result,
    }
}

/// Milliseconds, whole or not, 0 or more.
///
/// # Errors
/// What else it is, in words.
pub fn milliseconds(text: &str) -> Result<Duration, String> {
    time(text, 1e-3, "milliseconds")
}

/// A number of threads, 1 or more.
///
/// # Errors
/// What else it is, in words.
pub fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let threads = threads_or_none(text)?;
    NonZeroUsize::new(threads).ok_or_else(|| format!("{text:?} is no thread: give a number from 1 to {MAX_THREADS}"))
}

/// A number of threads, which may be none.
///
/// # Errors
/// What else it is, in words.
pub fn threads_or_none(text: &str) -> Result<usize, String> {
    let parsed = text.trim().parse().ok().filter(|&threads: &usize| threads <= MAX_THREADS);
    parsed.ok_or_else(|| format!("{text:?} is not a number of threads up to {MAX_THREADS}"))
}

/// A number of pixels, 1 or more.
///
/// # Errors
/// What else it is, in words.
pub fn pixels(text: &str) -> Result<u64, String> {
    let parsed = text.trim().parse().ok().filter(|&pixels: &u64| pixels > 0);
    parsed.ok_or_else(|| format!("{text:?} is not a number of pixels, 1 or more"))
}

/// The length of an image's side in pixels, 1 or more.
///
/// # Errors
/// What else it is, in words.
pub fn side(text: &str) -> Result<u32, String> {
    let parsed = pixels(text)?;
    u32::try_from(parsed)
        .map_err(|_| format!("{text:?} is more pixels than a side can have: give at most {}", u32::MAX))
}

/// A number of scans, 1 or more.
///
/// # Errors
/// What else it is, in words.
pub fn scans(text: &str) -> Result<u32, String> {
    let parsed = text.trim().parse().ok().filter(|&scans: &u32| scans > 0);
    parsed.ok_or_else(|| format!("{text:?} is not a number of scans, 1 or more"))
}

/// A number of bytes with its unit, 1 or more.
///
/// # Errors
/// What else it is, in words.
pub fn some_bytes(text: &str) -> Result<ByteCount, String> {
    let parsed: ByteCount = text.parse().map_err(|error: UnitError| error.to_string())?;
    match parsed.get() {
        0 => Err(format!("{text:?} is no size: give 1 byte or more")),
        _ => Ok(parsed),
    }
}

/// A finite number, which the predicate must like.
fn number(text: &str, may: impl Fn(f64) -> bool, expected: &str) -> Result<f64, String> {
    let parsed = text.trim().parse().ok().filter(|number: &f64| number.is_finite() && may(*number));
    parsed.ok_or_else(|| format!("{text:?} is not {expected}"))
}

fn time(text: &str, scale: f64, unit: &str) -> Result<Duration, String> {
    let most = LONGEST / scale;
    let seconds = number(text, |time| (0.0..=most).contains(&time), &format!("a number of {unit} from 0 to {most}"))?;
    Duration::try_from_secs_f64(seconds * scale).map_err(|_| format!("{text:?} is not a number of {unit}"))
}

/// A part of a whole, above 0 and below 1.
///
/// # Errors
/// What else it is, in words.
pub fn part(text: &str) -> Result<f64, String> {
    number(text, |part| part > 0.0 && part < 1.0, "a part of a whole, above 0 and below 1, such as 0.02")
}

/// A part of a whole that may be nothing: 0 or more, and below 1.
///
/// # Errors
/// What else it is, in words.
pub fn part_or_none(text: &str) -> Result<f64, String> {
    number(text, |part| (0.0..1.0).contains(&part), "a part of a whole, 0 or more and below 1, such as 0.2")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_meant_is_refused_in_words() {
        assert_eq!(seconds("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(milliseconds("0"), Ok(Duration::ZERO));
        assert_eq!((part("0.02"), part_or_none("0")), (Ok(0.02), Ok(0.0)));
        for bad in ["-1", "nan", "inf", "1e400", "1e300", "", " ", "10s"] {
            let error = seconds(bad).unwrap_err();
            assert!(error.contains("a number of seconds from 0 to 315360000"), "{error}");
            assert!(milliseconds(bad).is_err() && some_seconds(bad).is_err() && part(bad).is_err());
        }
        assert!(some_seconds("0").unwrap_err().contains("above 0"));
        assert_eq!((threads("8").map(NonZeroUsize::get), threads_or_none("0")), (Ok(8), Ok(0)));
        for bad in ["-1", "1025", "99999999999999999999", "1.5", "", "x"] {
            assert!(threads(bad).is_err_and(|error| error.contains("1024")), "{bad:?}");
        }
        assert!(threads("0").unwrap_err().contains("1 to 1024"));
        assert_eq!((pixels("1"), side("65535")), (Ok(1), Ok(65535)));
        assert_eq!((scans("64"), some_bytes("1KiB")), (Ok(64), Ok(ByteCount::new(1024))));
        assert!(scans("0").is_err() && scans("1.5").is_err() && some_bytes("0").is_err());
        assert!(pixels("0").is_err() && side("0").is_err() && side("4294967296").is_err());
        assert!(part("0").is_err() && part("1").is_err() && part_or_none("1").is_err());
    }
}
