//! The address of an S3-compatible store. It is taken apart where it is given, since `object_store` panics on what is
//! no address.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use object_store::HeaderValue;

/// An address such as `http://127.0.0.1:9000` or `https://store.example/path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    text: String,
    uri: http::Uri,
}

/// Why text is no address of a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{shown} is no address of a store: {reason}")]
pub struct EndpointError {
    /// The text as it was given, between quotes and with its control characters written out.
    shown: String,
    /// What is wrong with the text, and what to give instead.
    reason: String,
}

// === impl Endpoint ===

impl Endpoint {
    /// Whether the store is spoken to without TLS.
    pub(crate) fn is_plain(&self) -> bool {
        self.uri.scheme_str() == Some("http")
    }

    /// Whether the store is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Where requests go.
    pub(crate) fn uri(&self) -> &http::Uri {
        &self.uri
    }

    /// The address as it was given, but for slashes at its end: two that differ in those are one place.
    pub(crate) fn as_str(&self) -> &str {
        self.text.trim_end_matches('/')
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let refused = |reason: String| Err(EndpointError { shown: format!("{text:?}"), reason });
        if text.is_empty() {
            return refused("it is empty: give one such as http://127.0.0.1:9000, or leave the setting out".to_owned());
        }
        if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return refused("it holds a blank or a line break: take that out".to_owned());
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return refused(format!("it has no scheme: write https://{text}, or http://{text} where it has no TLS"));
        };
        if !scheme.eq_ignore_ascii_case("http") && !scheme.eq_ignore_ascii_case("https") {
            return refused("it must begin with https:// or http://".to_owned());
        }
        if let Some(extra) = ['?', '#', '@'].into_iter().find(|&extra| rest.contains(extra)) {
            return refused(format!(
                "it may have no {extra:?}: credentials come from AWS_ACCESS_KEY_ID and its fellows"
            ));
        }
        match (url::Url::parse(text), text.parse::<http::Uri>()) {
            (Ok(url), Ok(uri)) if url.has_host() && uri.host().is_some_and(is_header) => {
                Ok(Self { text: text.to_owned(), uri })
            }
            (Err(error), _) => refused(error.to_string()),
            (_, Err(error)) => refused(error.to_string()),
            (Ok(_), Ok(_)) => refused("it names no machine".to_owned()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether a text can stand in an HTTP header: one line of visible ASCII.
pub(super) fn is_header(text: &str) -> bool {
    !text.is_empty() && HeaderValue::from_str(text).is_ok() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_as_given() {
        for text in ["http://127.0.0.1:9000", "https://store.example", "HTTP://[::1]:9000/", "https://a.example/b/c"] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), text);
        }
        let near = |text: &str| text.parse::<Endpoint>().unwrap().is_loopback();
        assert!(near("http://localhost") && near("http://127.9.9.9:1") && near("HTTP://[::1]:9000/"));
        assert!(!near("http://127.0.0.1.example") && !near("https://localhost.example"));
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_write() {
        for (text, words) in [
            ("", "it is empty"),
            ("127.0.0.1:9000", "write https://127.0.0.1:9000"),
            ("minio.example", "no scheme"),
            ("ftp://a", "must begin with https://"),
            ("http://", "no address"),
            ("http:// a", "a blank"),
            ("http://a\n", "a line break"),
            ("http://a:b", "no address"),
            ("http://a:99999", "no address"),
            ("http://1.2.3.4.5", "no address"),
            ("http://user:secret@a", "may have no '@'"),
            ("http://a?b", "may have no '?'"),
            ("http://[::1", "no address"),
            ("http://ü.example", "no address"),
        ] {
            let error = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }
}
