//! What a handshake that failed means, and the setting that mends it.

use std::error::Error as StdError;
use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// Why a server is not trusted, or does not trust this client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// Its certificate was issued by another.
    #[error(
        "its certificate was issued by none of those in --tls-ca (in Python tls={{\"ca\": ...}}): give the certificate \
         of the authority that issued it"
    )]
    UnknownIssuer,
    /// Its certificate is over.
    #[error("its certificate has expired: renew the one of its --tls-cert")]
    Expired,
    /// Its certificate has not begun.
    #[error("its certificate is not valid yet: look at the clocks of both machines")]
    NotYetValid,
    /// Its certificate is for others.
    #[error(
        "its certificate is for {presented} and not for {expected}: name the server as its certificate does \
         (--servers), or have one issued for that name too (its --tls-cert)"
    )]
    WrongName {
        /// The name by which it was asked for.
        expected: String,
        /// The names of the certificate.
        presented: String,
    },
    /// Its certificate cannot be used.
    #[error("its certificate (--tls-cert there) cannot be used: {0}")]
    BadCertificate(String),
    /// It wants a certificate.
    #[error(
        "it wants a certificate of its clients (--tls-client-ca there): give --tls-cert and --tls-key (in Python \
         tls={{\"cert\": ..., \"key\": ...}})"
    )]
    CertificateRequired,
    /// It does not accept this client's certificate.
    #[error(
        "it does not accept the certificate of --tls-cert ({0}): give one that was issued by an authority in its \
         --tls-client-ca, and that has not expired"
    )]
    CertificateRefused(String),
    /// It speaks something else.
    #[error(
        "it does not speak TLS, or hung up at its handshake: start it with --tls-cert and --tls-key, or leave \
         --tls-ca out (in Python tls=) where \
         the network is trusted"
    )]
    NotTls,
}

// === impl TlsFault ===

impl TlsFault {
    /// What an error of a handshake means; `None` where it is one of the network.
    pub(crate) fn of_handshake(error: &io::Error) -> Option<Self> {
        // Whoever speaks something else hangs up at the first byte, and has the rest unread.
        if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) {
            return Some(Self::NotTls);
        }
        error.get_ref().and_then(|within| within.downcast_ref::<Error>()).and_then(Self::of)
    }

    /// What lies behind an error: a fault that was found, or an alert that came after the handshake, as servers send it
    /// where a client's certificate is missing.
    pub fn behind(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(fault) = error.downcast_ref::<Self>() {
                return Some(fault.clone());
            }
            if let Some(found) = error.downcast_ref::<Error>() {
                return Self::of(found);
            }
            // An error within an `io::Error` is not among its sources.
            let within = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            if let Some(fault) = within.and_then(|within| Self::behind(within)) {
                return Some(fault);
            }
            next = error.source();
        }
        None
    }

    fn of(error: &Error) -> Option<Self> {
        match error {
            Error::InvalidCertificate(why) => Some(Self::of_certificate(why)),
            Error::AlertReceived(alert) => Self::of_alert(*alert),
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => Some(Self::NotTls),
            _ => None,
        }
    }

    fn of_certificate(why: &CertificateError) -> Self {
        match why {
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Self::UnknownIssuer,
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => Self::NotYetValid,
            CertificateError::NotValidForNameContext { expected, presented } => Self::WrongName {
                expected: expected.to_str().into_owned(),
                presented: if presented.is_empty() { "no name".to_owned() } else { presented.join(", ") },
            },
            why => Self::BadCertificate(why.to_string()),
        }
    }

    fn of_alert(alert: AlertDescription) -> Option<Self> {
        match alert {
            AlertDescription::CertificateRequired => Some(Self::CertificateRequired),
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied => Some(Self::CertificateRefused(format!("{alert:?}"))),
            _ => None,
        }
    }

    pub(crate) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::PermissionDenied, self)
    }
}
