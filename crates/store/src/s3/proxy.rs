//! The proxy through which a store is reached, where the environment names one. Failures name it, since nothing else
//! does.

use hyper_util::client::proxy::matcher::Matcher;
use object_store::ClientConfigKey;
use object_store::aws::AmazonS3ConfigKey;

use super::settings::Settings;
use crate::endpoint::Endpoint;

/// Variables that name a proxy, for plain HTTP and for TLS.
const PLAIN: [&str; 4] = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
const TLS: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

/// What to say of the proxy that requests to this store go through; `None` where they go straight.
pub(super) fn in_the_way(endpoint: Option<&Endpoint>, settings: &Settings) -> Option<String> {
    if let Some((variable, _)) = settings.named(AmazonS3ConfigKey::Client(ClientConfigKey::ProxyUrl)) {
        return Some(format!("requests went through the proxy that {variable} names"));
    }
    let aws = http::Uri::from_static("https://s3.amazonaws.com");
    let uri = endpoint.map_or(&aws, Endpoint::uri);
    let proxy = Matcher::from_env().intercept(uri)?;
    let variables = if uri.scheme_str() == Some("http") { PLAIN } else { TLS };
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let variable = variables.into_iter().find(is_set).unwrap_or("the system");
    let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    // Without what a proxy's address may have of a password.
    let authority = proxy.uri().authority().map(|authority| authority.as_str()).unwrap_or_default();
    let shown = authority.rsplit('@').next().unwrap_or_default();
    Some(format!(
        "requests went through the proxy {shown} that {variable} names: add {host} to NO_PROXY if it is to be reached \
         without one"
    ))
}
