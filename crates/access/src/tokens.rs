//! Who a server knows: a file with a line for each, read anew where it changes. A line is for whoever shows a token, or
//! for a subject of the identity provider.
//!
//! ```text
//! # name    role   datasets      hash of the token, or subject
//! trainer   read   photos,cars   sha256:71c480df93d6ae2f1efad1447c66c9525e316218cf51fc8d9ed832f2daf18b73
//! operator  admin  *             sha256:...
//! nightly   write  photos        sub:system:serviceaccount:ml:nightly
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use headwater_types::DatasetName;

use crate::error::AccessError;
use crate::grant::Grant;
use crate::held::Held;
use crate::secret::SecretHash;
use crate::stamp::read;
use crate::watched::Watched;

/// Who a server knows.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    /// Whether lines may name subjects: without an identity provider nobody could be one.
    subjects: bool,
    known: Watched<Vec<Known>>,
}

/// Whoever a line is for, and what they may do.
#[derive(Clone, Debug)]
struct Known {
    by: By,
    grant: Grant,
}

/// By what somebody is known.
#[derive(Clone, Debug)]
enum By {
    /// The hash of a token.
    Hash(SecretHash),
    /// The claim `sub` of a token of the identity provider.
    Subject(String),
}

/// Why somebody may do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.as_str())]
pub enum NoGrant {
    /// No token was shown.
    Missing,
    /// What was shown is none, or none that is known.
    Unknown,
}

/// What a line for a subject has in place of a hash.
const SUBJECT: &str = "sub:";
/// Most tokens of one file: each call is compared with all.
const MOST: usize = 4096;
/// Most characters of a name.
const MOST_NAME: usize = 64;

// === impl NoGrant ===

impl NoGrant {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "this server asks for a token: give --token-file (in Python token=)",
            Self::Unknown => {
                "this server does not know this token: see that --token-file (in Python token=) holds one of its \
                 --tokens"
            }
        }
    }
}

// === impl Tokens ===

impl Tokens {
    /// Reads the file (`--tokens`). `subjects` says whether lines may be for subjects of an identity provider.
    ///
    /// # Errors
    /// A file that cannot be read, and the first line of it that is wrong.
    pub fn open(path: PathBuf, subjects: bool) -> Result<Self, AccessError> {
        let known = Watched::new(vec![path.clone()], || parse(&path, subjects))?;
        Ok(Self { path, subjects, known })
    }

    fn now(&self) -> std::sync::Arc<Vec<Known>> {
        self.known.now(|| parse(&self.path, self.subjects))
    }

    /// The roles that lines for this subject give.
    pub fn of_subject(&self, subject: &str) -> Vec<Held> {
        let known = self.now();
        let lines = known.iter().filter(|known| matches!(&known.by, By::Subject(named) if named == subject));
        lines.map(|known| Held::from(&known.grant)).collect()
    }

    /// What the holder of a token may do: `shown` is the value of the header `authorization`. Every known token is
    /// compared with it, in a time that says nothing of them.
    ///
    /// # Errors
    /// No token, or one that is not known.
    pub fn grant(&self, shown: Option<&[u8]>) -> Result<Grant, NoGrant> {
        let shown = shown.ok_or(NoGrant::Missing)?;
        let token =
            shown.strip_prefix(b"Bearer ").or_else(|| shown.strip_prefix(b"bearer ")).ok_or(NoGrant::Unknown)?;
        let (hash, known) = (SecretHash::of(token), self.now());
        let found = known.iter().fold(None, |found, known| if known.by.is(&hash) { Some(known) } else { found });
        found.map(|known| known.grant.clone()).ok_or(NoGrant::Unknown)
    }
}

// === impl By ===

impl By {
    /// Whether it is the token of this hash.
    fn is(&self, hash: &SecretHash) -> bool {
        matches!(self, Self::Hash(known) if known.is(hash))
    }
}

fn parse(path: &Path, subjects: bool) -> Result<Vec<Known>, AccessError> {
    parse_bytes(path, &read("--tokens", path)?, subjects)
}

/// How many lines a file of these bytes has that are for somebody.
///
/// # Errors
/// The first line that is wrong.
pub fn count_tokens(bytes: &[u8]) -> Result<usize, AccessError> {
    parse_bytes(Path::new("tokens"), bytes, true).map(|known| known.len())
}

fn parse_bytes(path: &Path, bytes: &[u8], subjects: bool) -> Result<Vec<Known>, AccessError> {
    let wrong = |line: usize, reason: String| AccessError::Token { path: path.to_owned(), line, reason };
    let text = str::from_utf8(bytes).map_err(|_| wrong(1, "the file is no text".to_owned()))?;
    let mut known = Vec::<Known>::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let token = of_line(line, subjects).map_err(|reason| wrong(number, reason))?;
        if matches!(&token.by, By::Hash(hash) if known.iter().any(|before| before.by.is(hash))) {
            return Err(wrong(number, "this token stands in an earlier line: give each its own".to_owned()));
        }
        known.push(token);
    }
    match known.len() {
        0 => Err(wrong(text.lines().count().max(1), "there is no token: nobody could do anything".to_owned())),
        many if many > MOST => Err(wrong(many, format!("more than {MOST} tokens"))),
        _ => Ok(known),
    }
}

fn of_line(line: &str, subjects: bool) -> Result<Known, String> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let [name, role, datasets, by] = fields[..] else {
        return Err(format!("{} fields, and not four: NAME ROLE DATASETS|* sha256:HASH|sub:SUBJECT", fields.len()));
    };
    if name.chars().count() > MOST_NAME {
        return Err(format!("a name has at most {MOST_NAME} characters"));
    }
    let datasets = match datasets {
        "*" => None,
        named => Some(named.split(',').map(dataset).collect::<Result<BTreeSet<_>, _>>()?),
    };
    let grant = Grant { name: name.to_owned(), role: role.parse()?, datasets };
    Ok(Known { by: whose(by, subjects)?, grant })
}

fn whose(text: &str, subjects: bool) -> Result<By, String> {
    match text.strip_prefix(SUBJECT) {
        None => Ok(By::Hash(text.parse()?)),
        Some("") => Err("sub: without a subject: give the claim sub of its tokens".to_owned()),
        Some(_) if !subjects => {
            Err("sub: is for subjects of an identity provider: give --oidc-issuer, or take the line out".to_owned())
        }
        Some(subject) => Ok(By::Subject(subject.to_owned())),
    }
}

fn dataset(name: &str) -> Result<DatasetName, String> {
    name.parse().map_err(|error| format!("{error}"))
}

// === impl Grant ===

impl Grant {
    /// The line of a token with this hash.
    pub fn line(&self, hash: SecretHash) -> String {
        let datasets = match &self.datasets {
            None => "*".to_owned(),
            Some(named) => named.iter().map(DatasetName::as_str).collect::<Vec<_>>().join(","),
        };
        format!("{} {} {datasets} {hash}", self.name, self.role)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::grant::Role;
    use crate::secret::Secret;

    fn shown(secret: &Secret) -> Vec<u8> {
        format!("Bearer {}", secret.expose()).into_bytes()
    }

    #[test]
    fn a_token_is_good_for_what_its_line_says_until_the_file_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let [reader, operator, stranger] = [(); 3].map(|()| Secret::generate().unwrap());
        let names = ["photos", "cars"].map(|name| name.parse().unwrap());
        let reads = Grant { name: "trainer".into(), role: Role::Read, datasets: Some(names.into()) };
        let runs = Grant { name: "operator".into(), role: Role::Admin, datasets: None };
        let lines = [reads.line(reader.hash()), "# a comment".into(), runs.line(operator.hash())];
        fs::write(&path, lines.join("\n")).unwrap();
        let tokens = Tokens::open(path.clone(), false).unwrap();
        assert_eq!(tokens.grant(Some(&shown(&reader))), Ok(reads.clone()));
        assert_eq!(tokens.grant(Some(&shown(&operator))), Ok(runs.clone()));
        assert_eq!(tokens.grant(None), Err(NoGrant::Missing));
        for wrong in [shown(&stranger), reader.expose().into(), b"Basic abc".to_vec(), Vec::new()] {
            assert_eq!(tokens.grant(Some(&wrong)), Err(NoGrant::Unknown));
        }
        assert!(reads.allows(Role::Read) && !reads.allows(Role::Write) && runs.allows(Role::Admin));
        assert!(reads.covers("photos") && !reads.covers("photo") && runs.covers("anything"));

        fs::write(&path, runs.line(operator.hash())).unwrap();
        assert_eq!(tokens.grant(Some(&shown(&reader))), Err(NoGrant::Unknown));
        fs::write(&path, "half a line").unwrap();
        assert_eq!(tokens.grant(Some(&shown(&operator))), Ok(runs));
    }

    #[test]
    fn lines_for_a_subject_count_together_and_are_no_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let pod = "system:serviceaccount:ml:trainer";
        fs::write(&path, format!("a read * sub:{pod}\nb write photos sub:{pod}\nc admin * sub:other")).unwrap();
        let refused = Tokens::open(path.clone(), false).unwrap_err().to_string();
        assert!(refused.contains("line 1") && refused.contains("--oidc-issuer"), "{refused}");
        let tokens = Tokens::open(path.clone(), true).unwrap();
        let held = tokens.of_subject(pod);
        assert_eq!(held.iter().map(|held| held.role).collect::<Vec<_>>(), [Role::Read, Role::Write]);
        assert!(tokens.of_subject("nobody").is_empty());
        let shown = format!("Bearer sub:{pod}");
        assert_eq!(tokens.grant(Some(shown.as_bytes())), Err(NoGrant::Unknown));
        fs::write(&path, "c admin * sub:other").unwrap();
        assert!(tokens.of_subject(pod).is_empty());
        fs::write(&path, "c admin * sub:").unwrap();
        assert!(Tokens::open(path, true).unwrap_err().to_string().contains("without a subject"));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        let hash = Secret::new("0123456789abcdef").unwrap().hash();
        let good = format!("a read * {hash}");
        for (text, line, words) in [
            (String::new(), 1, "no token"),
            (format!("{good}\n\nb read {hash}"), 3, "3 fields"),
            (format!("b owner * {hash}"), 1, "read, write or admin"),
            (format!("b read ../x {hash}"), 1, "dataset name"),
            ("b read * 0123456789abcdef".to_owned(), 1, "sha256sum"),
            (format!("{good}\n{good}"), 2, "earlier line"),
        ] {
            fs::write(&path, &text).unwrap();
            let error = Tokens::open(path.clone(), false).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line}:")) && error.contains(words), "{text}: {error}");
            assert!(!error.contains("0123456789abcdef"), "{error}");
        }
    }
}
