//! What must not be printed: credentials inside URLs. (Whole settings are hidden by their mark, see the parent module.)

/// What stands in place of a secret.
pub(super) const HIDDEN: &str = "***";

/// The text with the user part of every URL in it hidden: `s3://key:secret@host` becomes `s3://***@host`.
pub fn redact(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("://") {
        let (before, after) = rest.split_at(start + 3);
        safe.push_str(before);
        // A password may itself hold an `@`: the last one before the path ends it.
        let authority = after.find(|c: char| c.is_whitespace() || "/?#,;\"'".contains(c)).unwrap_or(after.len());
        match after[..authority].rfind('@') {
            Some(end) => {
                safe.push_str(HIDDEN);
                rest = &after[end..];
            }
            None => rest = after,
        }
    }
    safe + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_urls_are_hidden_wherever_they_stand() {
        for (text, safe) in [
            ("http://user:pass@host:9000/bucket", "http://***@host:9000/bucket"),
            ("http://user:p@ss@host", "http://***@host"),
            ("http://token@a,https://u:p@b/c", "http://***@a,https://***@b/c"),
            ("cannot reach \"http://u:p@h\": refused", "cannot reach \"http://***@h\": refused"),
            ("s3://bucket/a@b", "s3://bucket/a@b"),
            ("user@host", "user@host"),
            ("://", "://"),
        ] {
            assert_eq!(redact(text), safe);
        }
    }
}
