//! A collector: where it is, what it is shown, and whom it must be.

use std::path::PathBuf;
use std::time::Duration;

use headwater_access::{AccessError, ClientAccess, ClientTls, ClientTlsFiles};
use tonic::codegen::http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::SettingError;
use crate::settings::endpoint::{DEFAULT_TIMEOUT, Endpoint, Named};
use crate::settings::list::pairs;
use crate::settings::variables::Variables;

/// A collector.
#[derive(Clone, Debug)]
pub(crate) struct Destination {
    pub(crate) endpoint: Endpoint,
    /// What it is shown with each call. Each is marked as a secret.
    pub(crate) headers: HeaderMap,
    /// How long one call may take.
    pub(crate) timeout: Duration,
    pub(crate) access: ClientAccess,
}

const HEADERS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
const TIMEOUTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const CERTIFICATES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
const CLIENT_CERTIFICATES: [&str; 2] =
    ["OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"];
const CLIENT_KEYS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"];
const COMPRESSIONS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];

// === impl Destination ===

impl Destination {
    pub(super) fn read(named: Option<Named>, variables: &Variables<'_>) -> Result<Self, SettingError> {
        let endpoint = Endpoint::read(named, variables)?;
        if let Some((variable, text)) = variables.either(COMPRESSIONS)?.filter(|(_, text)| text != "none") {
            return Err(SettingError::new(variable, format!("{text:?} is not spoken here: write none, or unset it")));
        }
        Ok(Self {
            headers: headers(variables)?,
            timeout: variables.milliseconds(&TIMEOUTS, DEFAULT_TIMEOUT)?,
            access: ClientAccess { tls: tls(&endpoint, variables)?, token: None },
            endpoint,
        })
    }
}

fn headers(variables: &Variables<'_>) -> Result<HeaderMap, SettingError> {
    let mut headers = HeaderMap::new();
    let Some((variable, text)) = variables.either(HEADERS)? else { return Ok(headers) };
    for (place, (key, value)) in (1..).zip(pairs(variable, &text)?) {
        let wrong = |what| SettingError::new(variable, format!("the {what} of pair {place} can be in no header"));
        let name = HeaderName::try_from(key.to_ascii_lowercase()).map_err(|_| wrong("key"))?;
        if name.as_str().ends_with("-bin") {
            return Err(wrong("key, which gRPC keeps for bytes,"));
        }
        let mut value = HeaderValue::try_from(value).map_err(|_| wrong("value"))?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// TLS, where the endpoint asks for it.
fn tls(endpoint: &Endpoint, variables: &Variables<'_>) -> Result<Option<ClientTls>, SettingError> {
    let ca = variables.either(CERTIFICATES)?;
    let own = (variables.either(CLIENT_CERTIFICATES)?, variables.either(CLIENT_KEYS)?);
    if !endpoint.is_secure {
        let given = [&ca, &own.0, &own.1].into_iter().flatten().next();
        return match given {
            None => Ok(None),
            Some((variable, _)) => {
                Err(SettingError::new(variable, format!("it is for https, and {endpoint} is plain text: unset either")))
            }
        };
    }
    let Some((of_ca, ca)) = ca else {
        return Err(SettingError::new(
            CERTIFICATES[1],
            format!("{endpoint} is reached by TLS: name the file of those who issue its certificate, in PEM"),
        ));
    };
    let own = match own {
        (None, None) => None,
        (Some((_, cert)), Some((_, key))) => Some((PathBuf::from(cert), PathBuf::from(key))),
        (Some(_), None) => {
            return Err(SettingError::new(CLIENT_KEYS[1], "a client's certificate is named, and no key"));
        }
        (None, Some(_)) => {
            return Err(SettingError::new(CLIENT_CERTIFICATES[1], "a client's key is named, and no certificate"));
        }
    };
    let opened = ClientTls::open(ClientTlsFiles { ca: ca.into(), own });
    opened.map(Some).map_err(|error| unusable(of_ca, &error))
}

/// What is wrong with a file, by the variable's name and not by that of the flag which names such files elsewhere.
fn unusable(of_ca: &'static str, error: &AccessError) -> SettingError {
    let setting = |flag: &str| match flag {
        "--tls-cert" => CLIENT_CERTIFICATES[1],
        "--tls-key" => CLIENT_KEYS[1],
        _ => of_ca,
    };
    match error {
        AccessError::Unread { setting: flag, path, source } => {
            SettingError::new(setting(flag), format!("{} cannot be read: {source}", path.display()))
        }
        AccessError::TooLong { setting: flag, path, most } => {
            SettingError::new(setting(flag), format!("{} has more than {most} bytes", path.display()))
        }
        AccessError::Empty { setting: flag, path, wanted } => {
            SettingError::new(setting(flag), format!("{} holds no {wanted} in PEM (-----BEGIN ...)", path.display()))
        }
        AccessError::Broken { setting: flag, path, reason } => {
            SettingError::new(setting(flag), format!("{}: {reason}", path.display()))
        }
        AccessError::Unpaired { cert, key } => SettingError::new(
            CLIENT_KEYS[1],
            format!("{} is not the key of the certificate {}", key.display(), cert.display()),
        ),
        other => SettingError::new(of_ca, other.to_string()),
    }
}
