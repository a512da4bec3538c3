//! The `AWS_*` variables, as the AWS tools read them, and what is wrong with each: `object_store` takes any text, and
//! panics at the first request where it can be no address and no header.

use std::ffi::OsString;
use std::fmt;

use object_store::ClientConfigKey;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};

use crate::endpoint::{Endpoint, is_header};
use crate::error::StoreError;

/// What the environment says of S3.
#[derive(Clone, Default)]
pub(crate) struct Settings(Vec<Setting>);

#[derive(Clone)]
struct Setting {
    variable: String,
    key: AmazonS3ConfigKey,
    value: String,
}

// === impl Settings ===

impl Settings {
    /// # Errors
    /// The first variable that cannot be what it says.
    pub(crate) fn from_environment() -> Result<Self, StoreError> {
        Self::read(std::env::vars_os())
    }

    /// Reads these variables as [`Self::from_environment`] reads those of the process.
    pub(crate) fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Result<Self, StoreError> {
        let mut settings = Vec::new();
        for (variable, value) in variables {
            let Some(variable) = variable.to_str().filter(|name| name.starts_with("AWS_")) else { continue };
            let Ok(key) = variable.to_ascii_lowercase().parse() else { continue };
            let wrong =
                |reason: &str| StoreError::S3Variable { variable: variable.to_owned(), reason: reason.to_owned() };
            let value = value.into_string().map_err(|_| wrong("it is no text in UTF-8"))?;
            check(&key, &value).map_err(|reason| wrong(&reason))?;
            settings.push(Setting { variable: variable.to_owned(), key, value });
        }
        // Two names may set one key: the same one wins each time.
        settings.sort_by(|a, b| a.variable.cmp(&b.variable));
        Ok(Self(settings))
    }

    pub(super) fn get(&self, key: AmazonS3ConfigKey) -> Option<&str> {
        self.named(key).map(|(_, value)| value)
    }

    /// The variable that sets this key, and its value.
    pub(super) fn named(&self, key: AmazonS3ConfigKey) -> Option<(&str, &str)> {
        let last = self.0.iter().rev().find(|setting| setting.key == key);
        last.map(|setting| (setting.variable.as_str(), setting.value.as_str()))
    }

    pub(super) fn is_true(&self, key: AmazonS3ConfigKey) -> bool {
        self.get(key).is_some_and(|value| matches!(value, "true" | "1" | "yes" | "on"))
    }

    /// Whether the settings name credentials, or say that none are to be used. Where they do neither, the client asks
    /// the machine that it runs on, which only a machine in AWS can answer.
    pub(super) fn have_credentials(&self) -> bool {
        use AmazonS3ConfigKey::{
            AccessKeyId, ContainerCredentialsFullUri, ContainerCredentialsRelativeUri, SecretAccessKey, SkipSignature,
            WebIdentityTokenFile,
        };
        let named = [
            AccessKeyId,
            SecretAccessKey,
            WebIdentityTokenFile,
            ContainerCredentialsRelativeUri,
            ContainerCredentialsFullUri,
        ];
        named.into_iter().any(|key| self.get(key).is_some()) || self.is_true(SkipSignature)
    }

    /// The address of an S3-compatible store, and the variable that says it; `None` for AWS.
    pub(super) fn endpoint(&self) -> Option<Endpoint> {
        let text = self.get(AmazonS3ConfigKey::S3Endpoint).or_else(|| self.get(AmazonS3ConfigKey::Endpoint));
        text.and_then(|text| text.parse().ok())
    }

    pub(super) fn builder(&self) -> AmazonS3Builder {
        self.0.iter().fold(AmazonS3Builder::new(), |builder, setting| builder.with_config(setting.key, &setting.value))
    }

    /// The error that names the variable which keeps a client from being made, where one variable alone does.
    pub(super) fn at_fault(&self, error: &object_store::Error) -> StoreError {
        let alone = |setting: &&Setting| {
            let other = AmazonS3Builder::new().with_bucket_name("bucket").with_skip_signature(true);
            other.with_config(setting.key, &setting.value).build().is_err()
        };
        let reason = error.to_string();
        match self.0.iter().find(alone) {
            Some(setting) if !is_half_a_pair(&setting.key) => {
                StoreError::S3Variable { variable: setting.variable.clone(), reason }
            }
            _ => StoreError::S3Settings { reason },
        }
    }
}

impl fmt::Debug for Settings {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|setting| &setting.variable)).finish()
    }
}

/// What is wrong with a value, as a sentence that says what to do.
fn check(key: &AmazonS3ConfigKey, value: &str) -> Result<(), String> {
    use AmazonS3ConfigKey as Key;
    // A certificate has many lines.
    if matches!(key, Key::Client(ClientConfigKey::ProxyCaCertificate)) {
        return Ok(());
    }
    if value.is_empty() {
        return Err("it is empty: give it a value, or unset it".to_owned());
    }
    if value.trim() != value {
        return Err("it begins or ends with a blank or a line break, as where a file was read into it: take that off"
            .to_owned());
    }
    if value.chars().any(char::is_control) {
        return Err("it holds a line break or another control character: take that out".to_owned());
    }
    match key {
        Key::Endpoint
        | Key::S3Endpoint
        | Key::StsEndpoint
        | Key::MetadataEndpoint
        | Key::ContainerCredentialsFullUri => value.parse::<Endpoint>().map(drop).map_err(|error| error.to_string()),
        Key::ContainerCredentialsRelativeUri => {
            let full = format!("http://169.254.170.2{value}");
            let is_path = value.starts_with('/') && full.parse::<http::Uri>().is_ok() && url::Url::parse(&full).is_ok();
            if is_path { Ok(()) } else { Err(format!("{value:?} is no path: it must begin with a slash")) }
        }
        Key::Region | Key::DefaultRegion => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let is_name =
                value.len() <= 63 && value.bytes().all(plain) && !value.starts_with('-') && !value.ends_with('-');
            if is_name { Ok(()) } else { Err(format!("{value:?} is no region: write one such as eu-central-1")) }
        }
        // Paths and secrets are not sent as they are.
        Key::WebIdentityTokenFile | Key::ContainerAuthorizationTokenFile | Key::SecretAccessKey => Ok(()),
        Key::AccessKeyId | Key::Token if !is_header(value) => {
            Err("it holds a blank or a letter that no credential has: copy it again".to_owned())
        }
        _ if value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') => Ok(()),
        _ => Err("it holds letters other than ASCII: take them out".to_owned()),
    }
}

/// Of credentials each is nothing without the other.
fn is_half_a_pair(key: &AmazonS3ConfigKey) -> bool {
    matches!(key, AmazonS3ConfigKey::AccessKeyId | AmazonS3ConfigKey::SecretAccessKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Settings, StoreError> {
        Settings::read(variables.iter().map(|&(name, value)| (name.into(), value.into())))
    }

    #[test]
    fn a_variable_that_cannot_be_what_it_says_is_refused_by_its_name() {
        for (variable, value) in [
            ("AWS_ENDPOINT_URL", ""),
            ("AWS_ENDPOINT_URL", "127.0.0.1:9000"),
            ("AWS_ENDPOINT_URL_S3", "http://a b"),
            ("AWS_ENDPOINT_URL_STS", "sts"),
            ("AWS_ACCESS_KEY_ID", "id\n"),
            ("AWS_ACCESS_KEY_ID", "schlüssel"),
            ("AWS_SECRET_ACCESS_KEY", "secret\n"),
            ("AWS_SESSION_TOKEN", "a\nb"),
            ("AWS_SESSION_TOKEN", ""),
            ("AWS_REGION", "eu central"),
            ("AWS_REGION", "eu\u{7f}"),
            ("AWS_METADATA_ENDPOINT", "169.254.169.254"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "x y"),
            ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "no/slash"),
        ] {
            let error = read(&[(variable, value)]).unwrap_err().to_string();
            assert!(error.starts_with(variable), "{variable}={value:?}: {error}");
        }
        let others = read(&[("AWS_PROFILE", ""), ("AWSOME", "\n"), ("AWS_REGION", "eu-central-1")]).unwrap();
        assert_eq!(others.get(AmazonS3ConfigKey::Region), Some("eu-central-1"));
    }

    #[test]
    fn what_only_a_client_can_judge_is_refused_by_its_name_too() {
        for (variable, value) in [
            ("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "perhaps"),
            ("AWS_PROXY_URL", "::"),
            ("AWS_POOL_IDLE_TIMEOUT", "soon"),
        ] {
            let settings = read(&[(variable, value), ("AWS_SKIP_SIGNATURE", "true")]).unwrap();
            let error = settings.builder().with_bucket_name("photos").build().unwrap_err();
            let error = settings.at_fault(&error).to_string();
            assert!(error.starts_with(variable), "{variable}={value:?}: {error}");
        }
    }

    #[test]
    fn no_credentials_are_told_from_a_public_bucket() {
        assert!(!read(&[]).unwrap().have_credentials());
        assert!(read(&[("AWS_SKIP_SIGNATURE", "true")]).unwrap().have_credentials());
        assert!(read(&[("AWS_ACCESS_KEY_ID", "id")]).unwrap().have_credentials());
    }

    #[test]
    fn values_are_not_printed() {
        let settings = read(&[("AWS_SECRET_ACCESS_KEY", "hush")]).unwrap();
        assert!(!format!("{settings:?}").contains("hush"));
    }
}
