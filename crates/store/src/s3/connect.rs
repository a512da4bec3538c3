//! From settings to a client: credentials, endpoint, and when plain HTTP may be spoken.

use headwater_types::caps::{S3_REQUEST_TIMEOUT, S3_RETRIES, S3_RETRY_TIMEOUT};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{ClientConfigKey, RetryConfig};

use crate::error::StoreError;
use crate::options::S3Options;

/// The `AWS_*` variables, as the AWS tools read them.
pub(crate) fn settings_from_environment() -> AmazonS3Builder {
    AmazonS3Builder::from_env()
}

/// Whether the settings name credentials, or say that none are to be used. Where they do not, the client asks the machine
/// that it runs on, which only a machine in AWS can answer.
pub(super) fn has_credentials(settings: &AmazonS3Builder) -> bool {
    use AmazonS3ConfigKey::{
        AccessKeyId, ContainerCredentialsFullUri, ContainerCredentialsRelativeUri, SecretAccessKey,
        WebIdentityTokenFile,
    };
    let named = [
        AccessKeyId,
        SecretAccessKey,
        WebIdentityTokenFile,
        ContainerCredentialsRelativeUri,
        ContainerCredentialsFullUri,
    ]
    .iter()
    .any(|key| settings.get_config_value(key).is_some());
    named || is_true(settings, &AmazonS3ConfigKey::SkipSignature)
}

/// The address of an S3-compatible store; `None` for AWS.
pub(super) fn endpoint(options: &S3Options, settings: &AmazonS3Builder) -> Option<String> {
    let named = |key| settings.get_config_value(&key);
    let endpoint = options.endpoint.clone();
    endpoint.or_else(|| named(AmazonS3ConfigKey::S3Endpoint)).or_else(|| named(AmazonS3ConfigKey::Endpoint))
}

pub(super) fn connect(bucket: &str, options: &S3Options, settings: AmazonS3Builder) -> Result<AmazonS3, StoreError> {
    let endpoint = endpoint(options, &settings);
    let retry = RetryConfig { max_retries: S3_RETRIES, retry_timeout: S3_RETRY_TIMEOUT, ..RetryConfig::default() };
    let mut settings = settings
        .with_bucket_name(bucket)
        .with_retry(retry)
        .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), format!("{}s", S3_REQUEST_TIMEOUT.as_secs()));
    if let Some(endpoint) = endpoint {
        if let Some(rest) = strip_scheme(&endpoint, "http://") {
            let wanted =
                options.allow_http || is_true(&settings, &AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp));
            if !wanted && !is_loopback(rest) {
                return Err(StoreError::PlainHttp { endpoint });
            }
            settings = settings.with_allow_http(true);
        }
        settings = settings.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
    }
    settings.build().map_err(|source| StoreError::S3Settings { source })
}

fn is_true(settings: &AmazonS3Builder, key: &AmazonS3ConfigKey) -> bool {
    settings.get_config_value(key).is_some_and(|value| matches!(value.as_str(), "true" | "1" | "yes" | "on"))
}

fn strip_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let (head, rest) = url.split_at_checked(scheme.len())?;
    head.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// Whether `host[:port][/path]` is this machine.
fn is_loopback(authority: &str) -> bool {
    let authority = authority.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_endpoint(endpoint: &str, allow_http: bool) -> Result<AmazonS3, StoreError> {
        let settings = AmazonS3Builder::new().with_access_key_id("id").with_secret_access_key("secret");
        connect("photos", &S3Options { endpoint: Some(endpoint.to_owned()), allow_http }, settings)
    }

    #[test]
    fn plain_http_leaves_the_machine_only_when_asked_to() {
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

    #[test]
    fn half_a_pair_of_credentials_is_an_error_at_once() {
        let settings = AmazonS3Builder::new().with_access_key_id("id");
        assert!(has_credentials(&settings));
        let error = connect("photos", &S3Options::default(), settings).unwrap_err();
        assert!(error.to_string().contains("AWS_*"), "{error}");
    }

    #[test]
    fn no_credentials_are_told_from_a_public_bucket() {
        assert!(!has_credentials(&AmazonS3Builder::new()));
        assert!(has_credentials(&AmazonS3Builder::new().with_skip_signature(true)));
    }
}
