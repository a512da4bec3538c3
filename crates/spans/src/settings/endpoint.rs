//! Where a collector is, and how it is spoken to.

use std::fmt;
use std::time::Duration;

use tonic::codegen::http::Uri;

use crate::error::SettingError;
use crate::settings::variables::Variables;

/// How a collector is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// OTLP over gRPC.
    Grpc,
    /// OTLP over HTTP, in Protobuf.
    Http,
}

/// Where a collector is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) protocol: Protocol,
    /// In plain text, also where TLS is meant: that is the connection's.
    pub(crate) uri: Uri,
    pub(crate) host: String,
    pub(crate) is_secure: bool,
}

/// An endpoint as its variable has it.
pub(super) struct Named {
    variable: &'static str,
    text: String,
}

/// How long a collector is waited for, unless it is said.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) const OF_TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
pub(super) const OF_ALL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
/// Where a collector takes traces over HTTP.
const PATH: &str = "/v1/traces";

// === impl Endpoint ===

impl Endpoint {
    /// The endpoint as a variable names it.
    pub(super) fn named(variables: &Variables<'_>) -> Result<Option<Named>, SettingError> {
        Ok(variables.either([OF_TRACES, OF_ALL])?.map(|(variable, text)| Named { variable, text }))
    }

    /// Where it is, by what was named.
    pub(super) fn read(named: Option<Named>, variables: &Variables<'_>) -> Result<Self, SettingError> {
        let protocol = protocol(variables)?;
        let here = || Named {
            variable: OF_ALL,
            text: match protocol {
                Protocol::Grpc => "http://localhost:4317",
                Protocol::Http => "http://localhost:4318",
            }
            .to_owned(),
        };
        named.unwrap_or_else(here).endpoint(protocol)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        let (authority, path) = (self.uri.authority().map_or("", |authority| authority.as_str()), self.uri.path());
        write!(f, "{scheme}://{authority}{}", path.trim_end_matches('/'))
    }
}

// === impl Named ===

impl Named {
    fn endpoint(self, protocol: Protocol) -> Result<Endpoint, SettingError> {
        const WANTED: &str = "write http://HOST:PORT or https://HOST:PORT";
        let wrong = |reason: String| SettingError::new(self.variable, reason);
        // What is wrong may be a secret in the wrong place, and is not said.
        let uri: Uri = self.text.parse().map_err(|_| wrong(format!("it is no URL: {WANTED}")))?;
        let is_secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong(format!("it has neither http:// nor https:// before the host: {WANTED}"))),
        };
        let authority = uri.authority().ok_or_else(|| wrong(format!("it names no host: {WANTED}")))?;
        if authority.as_str().contains('@') {
            return Err(wrong(
                "it has a user in it: what a collector asks for goes into OTEL_EXPORTER_OTLP_HEADERS".into(),
            ));
        }
        if uri.query().is_some() {
            return Err(wrong(format!("a collector's URL has no question mark: {WANTED}")));
        }
        let path = self.path(protocol, uri.path()).map_err(wrong)?;
        let port = uri.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        let plain = format!("http://{}:{port}{path}", authority.host());
        let host = authority.host().to_owned();
        let uri = plain.parse().map_err(|_| SettingError::new(self.variable, format!("it is no URL: {WANTED}")))?;
        Ok(Endpoint { protocol, uri, host, is_secure })
    }

    /// The path of calls. That of the variable for traces is taken as it is.
    fn path(&self, protocol: Protocol, path: &str) -> Result<String, String> {
        let path = path.trim_end_matches('/');
        match protocol {
            Protocol::Grpc if path.is_empty() => Ok(String::new()),
            Protocol::Grpc => Err(format!(
                "the path {path} has no meaning for gRPC: leave it out, or say http/protobuf in \
                 OTEL_EXPORTER_OTLP_PROTOCOL"
            )),
            Protocol::Http if self.variable == OF_ALL => Ok(format!("{path}{PATH}")),
            Protocol::Http if path.is_empty() => Ok("/".to_owned()),
            Protocol::Http => Ok(path.to_owned()),
        }
    }
}

fn protocol(variables: &Variables<'_>) -> Result<Protocol, SettingError> {
    match variables.either(PROTOCOLS)? {
        None => Ok(Protocol::Grpc),
        Some((_, text)) if text == "grpc" => Ok(Protocol::Grpc),
        Some((_, text)) if text == "http/protobuf" => Ok(Protocol::Http),
        Some((variable, text)) => {
            Err(SettingError::new(variable, format!("{text:?} is not spoken here: write grpc or http/protobuf")))
        }
    }
}
