//! From settings to a client: credentials, endpoint, and when plain HTTP may be spoken.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use headwater_types::patience::{S3_CONNECT, S3_REQUEST};
use object_store::aws::{AmazonS3ConfigKey, AwsCredentialProvider};
use object_store::{ClientConfigKey, RetryConfig};

use super::credentials::Checked;
use super::http::Connector;
use super::link::Link;
use super::settings::Settings;
use crate::endpoint::Endpoint;
use crate::error::StoreError;
use crate::fetched::Fetched;
use crate::options::S3Options;

/// The address of an S3-compatible store; `None` for AWS.
pub(super) fn endpoint(options: &S3Options, settings: &Settings) -> Option<Endpoint> {
    options.endpoint.clone().or_else(|| settings.endpoint())
}

/// A link to a bucket's store, that counts what comes of objects there.
pub(super) fn connect(
    bucket: &str,
    options: &S3Options,
    settings: &Settings,
    fetched: Fetched,
) -> Result<Link, StoreError> {
    // Every try is ours to make: `http` and `tries` say why.
    let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    let connector = Connector::default();
    let answers = Arc::clone(&connector.answers);
    let client_key = AmazonS3ConfigKey::Client;
    let mut builder = settings
        .builder()
        .with_bucket_name(bucket)
        .with_retry(retry)
        // Ours ends a request before: this is for those that ask for credentials.
        .with_config(client_key(ClientConfigKey::Timeout), format!("{}s", (S3_REQUEST * 2).as_secs()))
        .with_config(client_key(ClientConfigKey::ConnectTimeout), format!("{}s", S3_CONNECT.as_secs()))
        .with_http_connector(connector);
    if let Some(endpoint) = endpoint(options, settings) {
        if endpoint.is_plain() {
            let wanted = options.allow_http || settings.is_true(client_key(ClientConfigKey::AllowHttp));
            if !wanted && !endpoint.is_loopback() {
                return Err(StoreError::PlainHttp { endpoint: endpoint.to_string() });
            }
            builder = builder.with_allow_http(true);
        }
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint.to_string());
    } else {
        check_host(bucket, settings)?;
    }
    let client = builder.clone().build().map_err(|error| settings.at_fault(&error))?;
    let sent_file = settings.get(AmazonS3ConfigKey::ContainerAuthorizationTokenFile).map(Into::into);
    let checked: AwsCredentialProvider = Arc::new(Checked { inner: Arc::clone(client.credentials()), sent_file });
    let client = builder.with_credentials(checked).build().map_err(|error| settings.at_fault(&error))?;
    Ok(Link::new(client, answers, fetched, RandomState::new().hash_one("pauses")))
}

/// A bucket's name is part of the machine's where the address is made of it: not every name can be.
fn check_host(bucket: &str, settings: &Settings) -> Result<(), StoreError> {
    let virtual_hosted = AmazonS3ConfigKey::VirtualHostedStyleRequest;
    let url = format!("https://{bucket}.s3.us-east-1.amazonaws.com");
    match (settings.named(virtual_hosted), url.parse::<Endpoint>()) {
        (Some((variable, _)), Err(error)) if settings.is_true(virtual_hosted) => {
            let reason = format!("with it, the bucket's name is part of an address: {error}");
            Err(StoreError::S3Variable { variable: variable.to_owned(), reason })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&str, &str)]) -> Settings {
        Settings::read(variables.iter().map(|&(name, value)| (name.into(), value.into()))).unwrap()
    }

    fn with_endpoint(endpoint: &str, allow_http: bool) -> Result<Link, StoreError> {
        let settings = settings(&[("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")]);
        connect(
            "photos",
            &S3Options { endpoint: Some(endpoint.parse().unwrap()), allow_http },
            &settings,
            Fetched::default(),
        )
    }

    #[tokio::test]
    async fn plain_http_leaves_the_machine_only_when_asked_to() {
        for near in ["http://127.0.0.1:9000", "http://localhost", "HTTP://[::1]:9000/", "https://store.example"] {
            assert!(with_endpoint(near, false).is_ok(), "{near}");
        }
        for far in
            ["http://store.example:9000", "http://10.0.0.1", "http://127.0.0.1.example", "HTTP://localhost.example"]
        {
            assert!(matches!(with_endpoint(far, false), Err(StoreError::PlainHttp { .. })), "{far}");
            assert!(with_endpoint(far, true).is_ok(), "{far}");
        }
    }

    #[tokio::test]
    async fn half_a_pair_of_credentials_is_an_error_at_once() {
        let settings = settings(&[("AWS_ACCESS_KEY_ID", "id")]);
        assert!(settings.have_credentials());
        let error = connect("photos", &S3Options::default(), &settings, Fetched::default()).unwrap_err();
        assert!(error.to_string().contains("AWS_*"), "{error}");
    }
}
