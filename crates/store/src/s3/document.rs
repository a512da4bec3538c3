//! What an answer to ListObjectsV2 says, if it is whole.
//!
//! Invariant: an answer that is not from its first byte to its last a listing of what was asked for is an error.
//! `object_store` takes any XML for a listing, and what it does not find in it for empty: a page of XHTML is a bucket
//! without photos there, and a page that says that there is more, but not how to ask for it, is the last.

use std::sync::Arc;

use chrono::DateTime;
use object_store::HeaderMap;
use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, Event};

use super::answer::{Answer, shown};
use crate::version::Version;

/// A page of a bucket.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Document {
    pub(super) objects: Vec<Object>,
    /// The folders right under the prefix, each with a slash at its end, where only what lies right under it was asked
    /// for.
    pub(super) folders: Vec<String>,
    /// The token that asks for the next page; `None` for the last page.
    pub(super) next: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Object {
    /// The whole key as the store has it, which may be no path.
    pub(super) key: String,
    pub(super) version: Version,
}

/// Why an answer is no listing.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum NoListing {
    /// The answer is an error that came with a status which says that all is well.
    #[error("{0}")]
    Error(Box<Answer>),
    /// The answer is something else, or not all of a listing.
    #[error("no whole listing, but {why}: it begins {first}")]
    Garbled { why: String, first: String },
}

/// A page while it is read, element by element.
#[derive(Default)]
struct Draft {
    page: Document,
    path: Vec<String>,
    text: String,
    is_closed: bool,
    truncated: Option<bool>,
    count: Option<usize>,
    entry: Entry,
}

#[derive(Default)]
struct Entry {
    key: Option<String>,
    size: Option<u64>,
    tag: Option<String>,
    modified: Option<String>,
}

const ROOT: &str = "ListBucketResult";

/// Reads the answer to a question for keys that begin with `prefix`.
pub(super) fn read(body: &[u8], prefix: &str) -> Result<Document, NoListing> {
    let garbled = |why: String| NoListing::Garbled { why, first: shown(body) };
    let text = std::str::from_utf8(body).map_err(|error| garbled(format!("no text ({error})")))?;
    let mut reader = Reader::from_str(text);
    let mut draft = Draft::default();
    loop {
        let event = reader.read_event().map_err(|error| garbled(format!("no whole XML ({error})")))?;
        match event {
            Event::Eof => break,
            Event::Start(tag) => draft.open(tag.local_name().as_ref()),
            Event::Empty(tag) => {
                draft.open(tag.local_name().as_ref());
                draft.close(prefix).map_err(garbled)?;
            }
            Event::End(_) => draft.close(prefix).map_err(garbled)?,
            Event::Text(text) => draft.text.push_str(&text.decode().map_err(|error| garbled(error.to_string()))?),
            Event::CData(text) => draft.text.push_str(&text.decode().map_err(|error| garbled(error.to_string()))?),
            Event::GeneralRef(reference) => draft.text.push_str(&resolved(&reference).map_err(garbled)?),
            Event::DocType(_) => return Err(garbled("a document of another type".to_owned())),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
        match draft.path.first().map(String::as_str) {
            Some("Error") => return Err(NoListing::Error(Box::new(Answer::new(200, &HeaderMap::new(), body)))),
            Some(ROOT) | None => {}
            Some(other) => return Err(garbled(format!("a document <{other}>"))),
        }
    }
    draft.finish().map_err(garbled)
}

// === impl Draft ===

impl Draft {
    fn open(&mut self, name: &[u8]) {
        self.text.clear();
        self.path.push(String::from_utf8_lossy(name).into_owned());
    }

    /// An element has ended: takes what it says.
    fn close(&mut self, prefix: &str) -> Result<(), String> {
        let text = std::mem::take(&mut self.text);
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match path[..] {
            [ROOT] => self.is_closed = true,
            [ROOT, "IsTruncated"] => {
                self.truncated = Some(text.parse().map_err(|_| format!("IsTruncated is {text:?}"))?);
            }
            [ROOT, "KeyCount"] => self.count = Some(text.parse().map_err(|_| format!("KeyCount is {text:?}"))?),
            [ROOT, "NextContinuationToken"] => self.page.next = Some(text).filter(|token| !token.is_empty()),
            [ROOT, "Prefix"] if text != prefix => {
                return Err(format!("that of the prefix {text:?}, and not of {prefix:?}"));
            }
            [ROOT, "EncodingType"] if !text.is_empty() => return Err(format!("one whose keys are written as {text}")),
            [ROOT, "CommonPrefixes", "Prefix"] => {
                let folder = beneath(prefix, text)?;
                self.page.folders.push(folder);
            }
            [ROOT, "Contents", "Key"] => self.entry.key = Some(beneath(prefix, text)?),
            [ROOT, "Contents", "Size"] => {
                self.entry.size = Some(text.parse().map_err(|_| format!("an object's Size is {text:?}"))?);
            }
            [ROOT, "Contents", "ETag"] => self.entry.tag = Some(text),
            [ROOT, "Contents", "LastModified"] => self.entry.modified = Some(text),
            [ROOT, "Contents"] => {
                let object = std::mem::take(&mut self.entry).finish()?;
                self.page.objects.push(object);
            }
            _ => {}
        }
        self.path.pop();
        Ok(())
    }

    fn finish(self) -> Result<Document, String> {
        if !self.is_closed || !self.path.is_empty() {
            return Err("one that ends in the middle".to_owned());
        }
        let (objects, folders) = (self.page.objects.len(), self.page.folders.len());
        // Some stores count the folders, and some do not.
        if let Some(count) = self.count.filter(|&count| count != objects + folders && count != objects) {
            return Err(format!("one that says {count} keys and has {}", objects + folders));
        }
        match (self.truncated, &self.page.next) {
            (None, _) => Err("one that does not say whether it is all (IsTruncated)".to_owned()),
            (Some(true), None) => {
                Err("one that says that there is more, and not how to ask for it (NextContinuationToken)".to_owned())
            }
            (Some(true), Some(_)) => Ok(self.page),
            // What comes after the last page would be the first.
            (Some(false), _) => Ok(Document { next: None, ..self.page }),
        }
    }
}

// === impl Entry ===

impl Entry {
    fn finish(self) -> Result<Object, String> {
        let key = self.key.ok_or("one with an object that has no Key")?;
        let size = self.size.ok_or_else(|| format!("one with no Size of {key:?}"))?;
        let version = match (self.tag, self.modified) {
            (Some(tag), _) => Version::of_object(size, plain_tag(&tag)),
            (None, Some(modified)) => {
                let date =
                    DateTime::parse_from_rfc3339(&modified).map_err(|_| format!("LastModified is {modified:?}"))?;
                // HTTP dates have whole seconds, listings have more.
                Version::of_object(size, &date.timestamp().to_string())
            }
            (None, None) => return Err(format!("one with neither ETag nor LastModified of {key:?}")),
        };
        Ok(Object { key, version })
    }
}

/// An ETag without what stores and proxies put around it: they differ in whether a listing has the quotes, and in
/// whether it is marked as weak.
pub(super) fn plain_tag(tag: &str) -> &str {
    tag.trim_start_matches("W/").trim_matches('"')
}

fn beneath(prefix: &str, key: String) -> Result<String, String> {
    if key.starts_with(prefix) {
        Ok(key)
    } else {
        Err(format!("one with {key:?}, which does not begin with {prefix:?}"))
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<String, String> {
    let unknown = || format!("one with an entity &{};", String::from_utf8_lossy(reference));
    if let Some(letter) = reference.resolve_char_ref().map_err(|_| unknown())? {
        return Ok(letter.to_string());
    }
    let name = reference.decode().map_err(|_| unknown())?;
    resolve_xml_entity(&name).map(str::to_owned).ok_or_else(unknown)
}

/// A page as it travels beside the answer that it came in.
pub(super) type Page = Arc<Document>;

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult \
        xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
        <Name>photos</Name><Prefix>a/</Prefix>";
    const CAT: &str = "<Contents><Key>a/cat &amp; &#x64;og.jpg</Key>\
        <LastModified>2026-01-01T00:00:00.000Z</LastModified>\
        <ETag>&quot;1&quot;</ETag><Size>9</Size></Contents>";
    const DOG: &str = "<CommonPrefixes><Prefix>a/dog/</Prefix></CommonPrefixes>";

    fn of(tail: &str) -> Result<Document, NoListing> {
        read(format!("{HEAD}{tail}</ListBucketResult>").as_bytes(), "a/")
    }

    #[test]
    fn a_whole_listing_is_taken_as_it_is() {
        let more =
            "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken><KeyCount>2</KeyCount>";
        let page = of(&format!("{more}{CAT}{DOG}")).unwrap();
        let cat = Object { key: "a/cat & dog.jpg".to_owned(), version: Version::of_object(9, "1") };
        assert_eq!(
            page,
            Document { objects: vec![cat], folders: vec!["a/dog/".to_owned()], next: Some("t".to_owned()) }
        );
        assert_eq!(of("<IsTruncated>false</IsTruncated>").unwrap(), Document::default());
    }

    #[test]
    fn what_is_no_whole_listing_of_what_was_asked_is_an_error_that_shows_it() {
        let all = "<IsTruncated>false</IsTruncated>";
        for (tail, words) in [
            ("<IsTruncated>true</IsTruncated>".to_owned(), "NextContinuationToken"),
            ("<IsTruncated>true</IsTruncated><NextContinuationToken/>".to_owned(), "NextContinuationToken"),
            (CAT.to_owned(), "IsTruncated"),
            (format!("{all}<KeyCount>7</KeyCount>{CAT}"), "says 7 keys and has 1"),
            (format!("{all}<EncodingType>url</EncodingType>"), "written as url"),
            (format!("{all}<Contents><Size>1</Size></Contents>"), "no Key"),
            (format!("{all}<Contents><Key>a/b</Key><ETag>1</ETag></Contents>"), "no Size"),
            (format!("{all}<Contents><Key>a/b</Key><Size>1</Size></Contents>"), "neither ETag nor"),
            (format!("{all}<Contents><Key>b</Key></Contents>"), "does not begin with"),
            (format!("{all}<Prefix>b/</Prefix>"), "prefix \"b/\""),
            (format!("{all}<Contents><Key>a/&bomb;</Key></Contents>"), "entity &bomb;"),
        ] {
            let error = of(&tail).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("it begins \"<?xml"), "{tail}: {error}");
        }
    }

    #[test]
    fn a_listing_that_is_cut_anywhere_is_an_error() {
        let whole = format!("{HEAD}<IsTruncated>false</IsTruncated>{CAT}{DOG}</ListBucketResult>");
        assert!(read(whole.as_bytes(), "a/").is_ok());
        for end in 0..whole.len() {
            assert!(read(&whole.as_bytes()[..end], "a/").is_err(), "{}", &whole[..end]);
        }
    }

    #[test]
    fn other_documents_are_no_empty_buckets() {
        for body in [
            "",
            "<!DOCTYPE html><html><body>Log in</body></html>",
            "<html xmlns=\"http://www.w3.org/1999/xhtml\"><head/><body/></html>",
            "{\"a\": 1}",
            "\u{0}\u{1}",
            "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>",
        ] {
            assert!(matches!(read(body.as_bytes(), ""), Err(NoListing::Garbled { .. })), "{body}");
        }
        let error = read(b"<Error><Code>SlowDown</Code></Error>", "").unwrap_err();
        assert!(matches!(&error, NoListing::Error(answer) if answer.code() == "SlowDown"), "{error}");
    }
}
