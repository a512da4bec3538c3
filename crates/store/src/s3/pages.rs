//! The pages of a bucket's listing, past keys that no path can have.
//!
//! `object_store` fails a whole page for one key with an empty part, `.`, `..` or a control character, and a bucket may hold
//! such keys: anyone who may upload can make one. So a page that fails is asked for again at half its size, until it is that
//! key alone; then the listing goes on after it. That costs about ten requests for the first bad key, one for each that
//! follows it, and none where there are none.

use std::borrow::Cow;

use headwater_types::caps::S3_PAGE_KEYS;
use object_store::aws::AmazonS3;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::{Error, ListResult, path};

/// Goes through a listing page by page.
pub(super) struct Pages<'a> {
    client: &'a AmazonS3,
    prefix: &'a str,
    /// Whether what lies in a folder is shown as that folder only.
    folders_only: bool,
    position: Position,
    /// Keys to ask for.
    window: usize,
}

/// What is next.
pub(super) enum Page {
    /// Objects, and folders where those were asked for.
    Found(ListResult),
    /// One key, or one folder, that no sample can be below.
    Refused(String),
}

#[derive(Clone)]
enum Position {
    After(String),
    Token(String),
    End,
}

// === impl Pages ===

impl<'a> Pages<'a> {
    /// Everything below `prefix`.
    pub(super) fn deep(client: &'a AmazonS3, prefix: &'a str) -> Self {
        Self { client, prefix, folders_only: false, position: Position::After(String::new()), window: S3_PAGE_KEYS }
    }

    /// What lies right under `prefix`.
    pub(super) fn shallow(client: &'a AmazonS3, prefix: &'a str) -> Self {
        Self { folders_only: true, ..Self::deep(client, prefix) }
    }

    /// The next page; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, Error> {
        loop {
            let (offset, page_token) = match self.position.clone() {
                Position::After(key) => (Some(key).filter(|key| !key.is_empty()), None),
                Position::Token(token) => (None, Some(token)),
                Position::End => return Ok(None),
            };
            let options = PaginatedListOptions {
                offset: offset.clone(),
                page_token,
                delimiter: self.folders_only.then_some(Cow::Borrowed("/")),
                max_keys: Some(self.window),
                ..PaginatedListOptions::default()
            };
            let prefix = Some(self.prefix).filter(|prefix| !prefix.is_empty());
            match self.client.list_paginated(prefix, options).await {
                Ok(page) => {
                    self.position = page.page_token.map_or(Position::End, Position::Token);
                    self.window = S3_PAGE_KEYS.min(self.window * 2);
                    return Ok(Some(Page::Found(page.result)));
                }
                Err(Error::InvalidPath { .. }) if self.window > 1 => self.window /= 2,
                Err(Error::InvalidPath { source }) => {
                    let next =
                        self.after(&source).filter(|next| offset.as_deref().is_none_or(|last| last < next.as_str()));
                    // Without progress this would never end.
                    let next = next.ok_or(Error::InvalidPath { source })?;
                    let refused = next.trim_end_matches(char::MAX).to_owned();
                    self.position = Position::After(next);
                    return Ok(Some(Page::Refused(refused)));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where to go on after the key, or the folder and all in it, that could not be read.
    fn after(&self, error: &path::Error) -> Option<String> {
        let (path::Error::EmptySegment { path } | path::Error::BadSegment { path, .. }) = error else { return None };
        let is_folder = self.folders_only && path.ends_with('/');
        Some(if is_folder { format!("{path}{}", char::MAX) } else { path.clone() })
    }
}
