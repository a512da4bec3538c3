//! The identity provider whose tokens the server takes.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use headwater_cli::values::period;
use headwater_identity::{ClaimPath, Expected, OidcSettings, ProviderUrl};
use headwater_types::caps::{OIDC_KEEP_KEYS, OIDC_REFRESH};

/// The identity provider whose tokens the server takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct OidcArgs {
    /// Take JSON Web Tokens of this OpenID provider too: the URL that stands in them as iss, to the letter
    #[arg(long, value_name = "URL", help_heading = "Access")]
    oidc_issuer: Option<ProviderUrl>,
    /// For whom tokens of --oidc-issuer must be made (aud); others are refused
    #[arg(long, value_name = "AUDIENCE", value_parser = audience, help_heading = "Access")]
    oidc_audience: Option<String>,
    /// Where the keys of --oidc-issuer are; where its configuration says if not given
    #[arg(long, value_name = "URL", help_heading = "Access")]
    oidc_jwks: Option<ProviderUrl>,
    /// Trust an identity provider whose certificate was issued by one of these (PEM); read anew when it changes
    /// [default: those that the system trusts]
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    oidc_ca: Option<PathBuf>,
    /// Show the identity provider the token in this file's first line, where it shows its keys to some alone, as
    /// Kubernetes does; read anew when it changes
    #[arg(long, value_name = "FILE", help_heading = "Access")]
    oidc_token_file: Option<PathBuf>,
    /// The claim of a token that has roles: headwater:read, headwater:write:DATASET,…, headwater:admin; a.b is claim b
    /// within claim a. Lines of --tokens may give roles too: NAME ROLE DATASETS sub:SUBJECT
    #[arg(long, value_name = "CLAIM", default_value = "roles", help_heading = "Access")]
    oidc_roles_claim: ClaimPath,
    /// Ask the identity provider for its keys every so often (1s, 30s): one that is rotated out is refused within this
    /// time and ten seconds
    #[arg(
        long,
        value_name = "TIME",
        default_value = whole_seconds(OIDC_REFRESH),
        value_parser = period,
        help_heading = "Access"
    )]
    oidc_refresh: Duration,
    /// Trust its keys for so long while it cannot be reached
    #[arg(
        long,
        value_name = "TIME",
        default_value = whole_seconds(OIDC_KEEP_KEYS),
        value_parser = period,
        help_heading = "Access"
    )]
    oidc_keep_keys: Duration,
}

/// The times between two questions that a setting may ask for. After longer ones an alert would tell of a provider that
/// is away.
const REFRESH: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(600);
/// Most characters of an audience.
const MOST: usize = 2048;

// === impl OidcArgs ===

impl OidcArgs {
    /// Whether there is a provider.
    pub(crate) fn is_on(&self) -> bool {
        self.oidc_issuer.is_some()
    }

    /// Settings that do not go together, each with the fix.
    pub(crate) fn conflicts(&self, insecure: bool) -> Vec<String> {
        let mut found = Vec::new();
        let further = [
            ("--oidc-audience", self.oidc_audience.is_some()),
            ("--oidc-jwks", self.oidc_jwks.is_some()),
            ("--oidc-ca", self.oidc_ca.is_some()),
            ("--oidc-token-file", self.oidc_token_file.is_some()),
        ];
        for (flag, _) in further.into_iter().filter(|(_, given)| *given && !self.is_on()) {
            found.push(format!("{flag} without --oidc-issuer: no provider's tokens are taken; give --oidc-issuer too"));
        }
        if self.is_on() && self.oidc_audience.is_none() {
            found.push(
                "--oidc-issuer without --oidc-audience: tokens that the provider made for others would be taken; give \
                 the audience that yours are for"
                    .to_owned(),
            );
        }
        let urls = [("--oidc-issuer", &self.oidc_issuer), ("--oidc-jwks", &self.oidc_jwks)];
        let open = urls.into_iter().filter_map(|(flag, url)| Some((flag, url.as_ref()?)));
        for (flag, url) in open.filter(|(_, url)| !url.is_safe() && !insecure) {
            found.push(format!(
                "{flag} {url} is plain http: whoever is in between could give keys of their own; give an https URL, \
                 or --insecure where nobody else is on that network"
            ));
        }
        if !REFRESH.contains(&self.oidc_refresh) || self.oidc_refresh > self.oidc_keep_keys {
            found.push(
                "--oidc-refresh is from 1s to 10m, and no longer than --oidc-keep-keys: give such a time".to_owned(),
            );
        }
        found
    }

    /// The provider; `None` where there is none.
    pub(crate) fn settings(&self, insecure: bool) -> Option<OidcSettings> {
        let (issuer, audience) = self.oidc_issuer.clone().zip(self.oidc_audience.clone())?;
        Some(OidcSettings {
            expected: Expected { issuer, audience, roles: self.oidc_roles_claim.clone() },
            jwks: self.oidc_jwks.clone(),
            ca: self.oidc_ca.clone(),
            token_file: self.oidc_token_file.clone(),
            insecure,
            refresh: self.oidc_refresh,
            keep: self.oidc_keep_keys,
        })
    }
}

fn whole_seconds(time: Duration) -> String {
    format!("{}s", time.as_secs())
}

fn audience(text: &str) -> Result<String, String> {
    match (1..=MOST).contains(&text.len()) && !text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        true => Ok(text.to_owned()),
        false => Err("give the audience of the tokens, without blanks, such as headwater".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Settings {
        #[command(flatten)]
        oidc: OidcArgs,
    }

    fn conflicts(arguments: &[&str], insecure: bool) -> String {
        let read = Settings::try_parse_from(["serve"].iter().chain(arguments));
        read.map(|settings| settings.oidc.conflicts(insecure).join("\n")).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn a_provider_has_an_audience_and_is_reached_safely() {
        let good = ["--oidc-issuer", "https://id.example.com", "--oidc-audience", "headwater"];
        assert_eq!(conflicts(&[], false), "");
        assert_eq!(conflicts(&good, false), "");
        let plain = ["--oidc-issuer", "http://id.example.com", "--oidc-audience", "headwater"];
        assert_eq!(conflicts(&plain, true), "");
        for (arguments, words) in [
            (&good[..2], "--oidc-audience"),
            (&good[2..], "without --oidc-issuer"),
            (&["--oidc-ca", "ca.pem"], "--oidc-ca without"),
            (&["--oidc-token-file", "t"], "--oidc-token-file without"),
            (&plain, "--oidc-issuer http://id.example.com is plain http"),
            (&[&good[..], &["--oidc-jwks", "http://10.0.0.1/keys"]].concat(), "--oidc-jwks http://10.0.0.1/keys"),
            (&[&good[..], &["--oidc-refresh", "0.1s"]].concat(), "--oidc-refresh"),
            (&[&good[..], &["--oidc-refresh", "1h"]].concat(), "--oidc-refresh"),
            (&[&good[..], &["--oidc-keep-keys", "10s"]].concat(), "--oidc-refresh"),
            (&["--oidc-issuer", "id.example.com"], "give a URL"),
            (&["--oidc-roles-claim", "a..b"], "claim"),
            (&["--oidc-audience", "two words"], "audience"),
        ] {
            let found = conflicts(arguments, false);
            assert!(found.contains(words), "{arguments:?}: {found}");
        }
    }
}
