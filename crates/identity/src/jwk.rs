//! One key of a provider (RFC 7517), and what it checks.

use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;

use crate::algorithm::{Algorithm, Curve, Family};
use crate::base64url::decoded;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// By what tokens name it.
    pub(crate) id: String,
    /// The one algorithm that it is for, where it says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point, as `04 x y`.
    Point(Curve, Vec<u8>),
    Ed25519(Vec<u8>),
}

/// The members of a key that are read. Others, such as certificates, are nothing to us.
#[derive(Deserialize)]
struct Members {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Most characters of a key's name.
pub(crate) const MOST_ID: usize = 256;
/// Bytes of the modulus of an RSA key: 2,048 to 8,192 bits.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;
/// Most bytes of the exponent of an RSA key; longer ones make checking slow.
const EXPONENT: usize = 4;

// === impl Key ===

impl Key {
    /// Reads a key.
    ///
    /// # Errors
    /// Why it can check no signatures of tokens.
    pub(crate) fn read(value: &serde_json::Value) -> Result<Self, &'static str> {
        let members = Members::deserialize(value).map_err(|_| "it is no JSON Web Key")?;
        if members.purpose.as_ref().is_some_and(|purpose| purpose != "sig") {
            return Err("it is not for signatures (use)");
        }
        if members.key_ops.as_ref().is_some_and(|uses| !uses.iter().any(|each| each == "verify")) {
            return Err("it is not to verify by (key_ops)");
        }
        let algorithm = match &members.alg {
            None => None,
            Some(name) => Some(Algorithm::named(name).ok_or("it is for an algorithm that is not taken (alg)")?),
        };
        let id = members.kid.clone().filter(|id| (1..=MOST_ID).contains(&id.len())).ok_or("it has no name (kid)")?;
        let key = Self { id, algorithm, material: Material::of(&members)? };
        match algorithm.is_none_or(|algorithm| key.material.fits(algorithm)) {
            true => Ok(key),
            false => Err("it is for an algorithm of other keys (alg)"),
        }
    }

    /// Whether it is for tokens that are signed so.
    pub(crate) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.material.fits(algorithm)
    }

    /// Whether the key's holder has signed this, with an algorithm that the key is for.
    pub(crate) fn has_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let checked = match (&self.material, algorithm.family()) {
            (Material::Rsa { n, e }, Family::Rsa(parameters)) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (Material::Point(own, point), Family::Curve(curve)) if *own == curve => {
                UnparsedPublicKey::new(curve.verification(), point).verify(message, signature)
            }
            (Material::Ed25519(key), Family::Ed25519) => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature)
            }
            _ => return false,
        };
        checked.is_ok()
    }
}

// === impl Material ===

impl Material {
    fn of(members: &Members) -> Result<Self, &'static str> {
        match (members.kty.as_str(), members.crv.as_deref()) {
            ("RSA", _) => Self::rsa(&bytes(members.n.as_ref())?, &bytes(members.e.as_ref())?),
            ("EC", Some(curve)) => {
                let curve = Curve::named(curve).ok_or("its curve is not taken (crv)")?;
                Self::point(curve, &bytes(members.x.as_ref())?, &bytes(members.y.as_ref())?)
            }
            ("OKP", Some("Ed25519")) => match bytes(members.x.as_ref())? {
                key if key.len() == 32 => Ok(Self::Ed25519(key)),
                _ => Err("it is no key of Ed25519 (x)"),
            },
            _ => Err("its kind is not taken (kty): RSA, EC and OKP with Ed25519 are"),
        }
    }

    fn rsa(n: &[u8], e: &[u8]) -> Result<Self, &'static str> {
        let without_zeros = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
        let (n, e) = (without_zeros(n), without_zeros(e));
        let is_odd = |number: &[u8]| number.last().is_some_and(|byte| byte % 2 == 1);
        match () {
            () if !MODULUS.contains(&n.len()) || n[0] < 0x80 && n.len() == *MODULUS.start() => {
                Err("it has less than 2,048 or more than 8,192 bits (n)")
            }
            () if !is_odd(&n) || !is_odd(&e) || e.len() > EXPONENT || e == [1] => Err("it is no key of RSA (n, e)"),
            () => Ok(Self::Rsa { n, e }),
        }
    }

    fn point(curve: Curve, x: &[u8], y: &[u8]) -> Result<Self, &'static str> {
        if x.len() != curve.width() || y.len() != curve.width() {
            return Err("its point has another length than its curve's (x, y)");
        }
        let point = [&[4], x, y].concat();
        match ParsedPublicKey::new(curve.verification(), &point) {
            Ok(_) => Ok(Self::Point(curve, point)),
            Err(_) => Err("its point is not on its curve (x, y)"),
        }
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        match (self, algorithm.family()) {
            (Self::Rsa { .. }, Family::Rsa(_)) | (Self::Ed25519(_), Family::Ed25519) => true,
            (Self::Point(own, _), Family::Curve(curve)) => *own == curve,
            _ => false,
        }
    }
}

fn bytes(text: Option<&String>) -> Result<Vec<u8>, &'static str> {
    text.and_then(|text| decoded(text)).ok_or("a number of it is missing, or is no Base64 (n, e, x, y)")
}
