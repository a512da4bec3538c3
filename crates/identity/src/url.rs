//! Where a provider is asked.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

/// The URL of an identity provider, or of one of its documents. It is kept to the letter too, since the tokens' issuer
/// is compared so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUrl {
    text: String,
    url: Url,
}

/// Most characters of a URL.
const MOST: usize = 2048;

// === impl ProviderUrl ===

impl ProviderUrl {
    /// To the letter, as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether nobody else can read or change what comes from there: it is reached by TLS, or on this machine.
    pub fn is_safe(&self) -> bool {
        self.url.scheme() == "https" || self.is_this_machine()
    }

    fn is_this_machine(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    }

    /// Where the provider's configuration lies.
    pub(crate) fn configuration(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.text.trim_end_matches('/'))
    }

    /// Whether both are one server's.
    pub(crate) fn has_origin_of(&self, other: &Self) -> bool {
        self.url.origin() == other.url.origin()
    }

    pub(crate) fn url(&self) -> Url {
        self.url.clone()
    }
}

impl FromStr for ProviderUrl {
    type Err = String;

    /// Reads a URL. What is wrong is said without the URL, which may have a password.
    fn from_str(text: &str) -> Result<Self, String> {
        const FORM: &str = "give a URL such as https://id.example.com/realms/ml";
        let wrong = |reason: &str| Err(format!("this is no URL of an identity provider ({reason}): {FORM}"));
        if text.len() > MOST {
            return wrong("it is too long");
        }
        let Ok(url) = Url::parse(text) else { return wrong("it cannot be read") };
        match () {
            () if text.contains(|c: char| c.is_whitespace() || c.is_control()) => wrong("it has blanks"),
            () if !matches!(url.scheme(), "https" | "http") => wrong("it is neither https nor http"),
            () if url.host_str().is_none_or(str::is_empty) => wrong("it has no host"),
            () if !url.username().is_empty() || url.password().is_some() => {
                wrong("it has a name or a password, which it would show to others")
            }
            () if url.query().is_some() || url.fragment().is_some() => wrong("it has a ? or a #"),
            () => Ok(Self { text: text.to_owned(), url }),
        }
    }
}

impl fmt::Display for ProviderUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> ProviderUrl {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_is_kept_to_the_letter_and_safe_by_tls_or_on_this_machine() {
        let realm = url("https://id.example.com/realms/ml");
        assert_eq!(realm.as_str(), "https://id.example.com/realms/ml");
        assert_eq!(realm.configuration(), "https://id.example.com/realms/ml/.well-known/openid-configuration");
        assert_eq!(url("https://x/").configuration(), "https://x/.well-known/openid-configuration");
        for safe in ["https://x", "http://127.0.0.1:8080/a", "http://localhost", "http://[::1]:1"] {
            assert!(url(safe).is_safe(), "{safe}");
        }
        for open in ["http://id.example.com", "http://10.0.0.1", "http://localhost.example.com"] {
            assert!(!url(open).is_safe(), "{open}");
        }
        assert!(url("https://x/a").has_origin_of(&url("https://x:443/b")));
        assert!(!url("https://x/a").has_origin_of(&url("https://y/a")));
        assert!(!url("https://x/a").has_origin_of(&url("http://x/a")));
    }

    #[test]
    fn what_is_no_url_of_a_provider_is_refused_without_its_words() {
        for bad in [
            "",
            "id.example.com",
            "ftp://x",
            "https://",
            "https://me:hunter2@x",
            "https://x?hunter2",
            "https://x#hunter2",
            "https://x/ hunter2",
            &format!("https://{}", "x".repeat(3000)),
        ] {
            let refused = bad.parse::<ProviderUrl>().unwrap_err();
            assert!(refused.contains("https://id.example.com") && !refused.contains("hunter2"), "{bad}: {refused}");
        }
    }
}
