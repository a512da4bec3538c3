//! What an S3 store answers where it does not give what was asked for: a status, a code, and for how long it wants to
//! be left alone.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use headwater_types::caps::S3_SHOWN_BYTES;
use headwater_types::patience::S3_LONGEST_RETRY_AFTER;
use object_store::HeaderMap;

/// An answer that is a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// S3's own word for it, such as `SlowDown`.
    pub(super) code: Option<String>,
    /// The store's words.
    pub(super) message: Option<String>,
    /// The time for which the store wants to be left alone: `Retry-After`.
    pub(super) retry_after: Option<Duration>,
    /// The time by the store's clock.
    pub(super) date: Option<String>,
    /// The region that the bucket is in, where the store says so.
    pub(super) region: Option<String>,
    /// The first bytes of the answer, where it is none of S3's.
    pub(super) first: String,
}

// === impl Answer ===

impl Answer {
    pub(super) fn new(status: u16, headers: &HeaderMap, body: &[u8]) -> Self {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let text = String::from_utf8_lossy(body);
        let code = element(&text, "Code");
        let date = header("date");
        Self {
            status,
            message: element(&text, "Message"),
            retry_after: header("retry-after").and_then(|value| retry_after(&value, date.as_deref())),
            date,
            region: header("x-amz-bucket-region").or_else(|| element(&text, "Region")),
            first: if code.is_none() && !body.is_empty() { shown(body) } else { String::new() },
            code,
        }
    }

    /// S3's own word for the refusal; empty where there is none.
    pub(super) fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_default()
    }

    /// Whether the store wants to be asked less.
    pub(super) fn is_throttling(&self) -> bool {
        matches!(self.status, 429 | 503)
            || matches!(self.code(), "SlowDown" | "ServiceUnavailable" | "TooManyRequests" | "RequestLimitExceeded")
            || self.code().starts_with("Throttl")
    }

    /// Whether the same request may be answered later.
    pub(super) fn may_pass(&self) -> bool {
        // 501 and 505: it never will.
        let of_status = matches!(self.status, 408 | 425 | 429 | 500 | 502..=504 | 506..=599);
        of_status
            || self.is_throttling()
            || matches!(self.code(), "InternalError" | "RequestTimeout" | "OperationAborted")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}", self.status)?;
        if let Some(code) = &self.code {
            write!(f, " {code}")?;
        }
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        if !self.first.is_empty() {
            write!(f, ", beginning {}", self.first)?;
        }
        match self.retry_after {
            Some(time) => write!(f, " (Retry-After: {} s)", time.as_secs()),
            None => Ok(()),
        }
    }
}

/// How an answer begins, in quotes and with what cannot be printed written out.
pub(super) fn shown(body: &[u8]) -> String {
    let first = &body[..body.len().min(S3_SHOWN_BYTES)];
    let more = if body.len() > first.len() { " ..." } else { "" };
    format!("{:?}{more}", String::from_utf8_lossy(first))
}

/// The text of the first element of this name: enough for the two levels that errors of S3 have.
fn element(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    let clean = inner.trim().chars().filter(|letter| !letter.is_control()).take(S3_SHOWN_BYTES);
    Some(clean.collect::<String>()).filter(|text| !text.is_empty())
}

/// The time that a `Retry-After` means: seconds, or a date by the store's own clock.
fn retry_after(value: &str, now: Option<&str>) -> Option<Duration> {
    let wanted = match value.trim().parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = |text: &str| DateTime::parse_from_rfc2822(text).ok().map(|date| date.with_timezone(&Utc));
            let now = now.and_then(date).unwrap_or_else(Utc::now);
            (date(value)? - now).to_std().unwrap_or_default()
        }
    };
    Some(wanted.min(S3_LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_by_its_status_and_its_code() {
        let of = |status, body: &str| Answer::new(status, &HeaderMap::new(), body.as_bytes());
        let slow = of(503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>");
        assert!(slow.may_pass() && slow.is_throttling());
        assert_eq!(slow.to_string(), "status 503 SlowDown: Please reduce your request rate.");
        assert!(of(500, "").may_pass() && !of(500, "").is_throttling() && of(429, "").is_throttling());
        assert!(of(200, "<Error><Code>InternalError</Code></Error>").may_pass());
        assert!(!of(403, "<Error><Code>AccessDenied</Code></Error>").may_pass() && !of(404, "").may_pass());
        assert_eq!(of(502, "<html>\nbad").to_string(), "status 502, beginning \"<html>\\nbad\"");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_the_stores_clock() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after("7", None), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:57 GMT", now), Some(Duration::from_secs(20)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("999999", None), Some(S3_LONGEST_RETRY_AFTER));
        assert_eq!(retry_after("soon", now), None);
    }
}
