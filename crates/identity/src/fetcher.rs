//! Asks a provider: its configuration, then its keys. Each answer is bounded in time and bytes, and leads nowhere else.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use headwater_access::{AccessError, Secret, Token, Watched, read_file};
use headwater_types::caps::{OIDC_ANSWER, OIDC_DOCUMENT};
use reqwest::{Certificate, Client, Response, StatusCode, redirect};

use crate::discovery::keys_of;
use crate::error::{IdentityError, Trouble};
use crate::key_set::KeySet;
use crate::settings::OidcSettings;
use crate::url::ProviderUrl;

/// Asks one provider.
#[derive(Debug)]
pub(crate) struct Fetcher {
    roots: Roots,
    /// Shown to the provider alone.
    token: Option<Token>,
}

/// Whose certificates a provider may have.
#[derive(Debug)]
enum Roots {
    /// Those that the system trusts.
    System(Client),
    /// Those of `--oidc-ca`, which is looked at with each question.
    File(PathBuf, Watched<Client>),
}

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

// === impl Fetcher ===

impl Fetcher {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// A file that cannot be used, and a system without certificates.
    pub(crate) fn new(settings: &OidcSettings) -> Result<Self, IdentityError> {
        let roots = match &settings.ca {
            None => Roots::System(client(None).map_err(|error| IdentityError::Client(words(&error)))?),
            Some(path) => Roots::File(path.clone(), Watched::new(vec![path.clone()], || trusting(path))?),
        };
        let token = settings.token_file.clone().map(|file| Token::open("--oidc-token-file", file)).transpose()?;
        Ok(Self { roots, token })
    }

    /// The provider's keys, as it has them now.
    ///
    /// # Errors
    /// Why they could not be had.
    pub(crate) async fn keys(&self, settings: &OidcSettings) -> Result<KeySet, Trouble> {
        let issuer = &settings.expected.issuer;
        let place = match &settings.jwks {
            Some(place) => place.clone(),
            None => keys_of(issuer, &self.document(settings, &issuer.configuration()).await?)?,
        };
        let document = self.document(settings, place.as_str()).await?;
        KeySet::read(&document).map_err(|fault| Trouble::Document { url: place.to_string(), fault })
    }

    async fn document(&self, settings: &OidcSettings, place: &str) -> Result<Vec<u8>, Trouble> {
        let failed = |reason: String| Trouble::Answer { url: place.to_owned(), reason };
        let url: ProviderUrl = place.parse().map_err(failed)?;
        if !url.is_safe() && !settings.insecure {
            return Err(failed("keys would come in plain text (http), and anybody could change them".to_owned()));
        }
        let (client, token) = self.now();
        let mut request = client.get(url.url()).header("accept", "application/json, application/jwk-set+json");
        let may_see = url.has_origin_of(&settings.expected.issuer) || settings.jwks.as_ref() == Some(&url);
        if let Some(token) = token.filter(|_| may_see) {
            request = request.bearer_auth(token.expose());
        }
        let response = request.send().await.map_err(|error| failed(words(&error)))?;
        match response.status() {
            StatusCode::OK => whole(response).await.map_err(failed),
            status => Err(failed(refusal(status, self.token.is_some() && !may_see))),
        }
    }

    /// What sends, and what is shown, as the files have them now.
    fn now(&self) -> (Client, Option<Secret>) {
        let client = match &self.roots {
            Roots::System(client) => client.clone(),
            Roots::File(path, client) => Client::clone(&client.now(|| trusting(path))),
        };
        (client, self.token.as_ref().map(Token::now))
    }
}

/// Sends requests to whoever has a certificate of the authorities in this file.
fn trusting(path: &Path) -> Result<Client, AccessError> {
    const SETTING: &str = "--oidc-ca";
    let broken = |error: &reqwest::Error| {
        let reason = format!("it holds no certificates in PEM ({})", words(error));
        AccessError::Broken { setting: SETTING, path: path.to_owned(), reason }
    };
    let trusted = Certificate::from_pem_bundle(&read_file(SETTING, path)?).map_err(|error| broken(&error))?;
    match trusted.is_empty() {
        true => Err(AccessError::Empty { setting: SETTING, path: path.to_owned(), wanted: "certificate" }),
        false => client(Some(trusted)).map_err(|error| broken(&error)),
    }
}

/// Sends requests; through a proxy where the standard variables name one. A redirect would take the question, and whom
/// keys are trusted from, to somebody else: none is followed.
fn client(trusted: Option<Vec<Certificate>>) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(OIDC_ANSWER)
        .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")));
    match trusted {
        None => builder.build(),
        Some(trusted) => builder.tls_certs_only(trusted).build(),
    }
}

/// The body, as far as it may be long.
async fn whole(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| words(&error))? {
        if body.len() + piece.len() > OIDC_DOCUMENT {
            return Err(format!("its answer is longer than {OIDC_DOCUMENT} bytes"));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// What an answer that is no document means.
fn refusal(status: StatusCode, kept_token: bool) -> String {
    let mend = match status {
        status if status.is_redirection() => "redirects are not followed: name the place that it leads to",
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if kept_token => {
            "the token of --oidc-token-file is shown to the issuer's own server alone: name this place by --oidc-jwks \
             to show it there"
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "it shows its keys to some alone: give --oidc-token-file, or let everybody read them"
        }
        StatusCode::NOT_FOUND => "there is no document: see --oidc-issuer, or name the keys by --oidc-jwks",
        _ => "see the provider's own log",
    };
    format!("it answers {}; {mend}", status.as_u16())
}

/// What went wrong at bottom, without the URL, which stands before it.
fn words(error: &reqwest::Error) -> String {
    let cause = std::iter::successors(error.source(), |&cause| cause.source()).last();
    let words = match cause {
        _ if error.is_timeout() => format!("no answer within {} s", OIDC_ANSWER.as_secs()),
        Some(cause) => cause.to_string(),
        None => "the request failed".to_owned(),
    };
    match words.contains("certificate") {
        true => format!("{words}; give --oidc-ca the certificate of the authority that issued the provider's"),
        false => words,
    }
}
