//! The pages of a bucket's listing, one after the other.

use std::borrow::Cow;
use std::collections::HashSet;

use headwater_types::caps::S3_PAGE_KEYS;
use headwater_types::patience::S3_REQUEST;
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use tokio::time::timeout;

use super::document::Page;
use super::fault::Fault;
use super::http::Asked;
use super::link::{Link, asking};
use super::tries::Tries;
use crate::found::Found;

/// Goes through a listing page by page.
pub(super) struct Pages<'a> {
    link: &'a Link,
    /// The progress of the listing, which hears what keeps a page from coming.
    found: &'a Found,
    prefix: &'a str,
    /// Whether what lies in a folder is shown as that folder only.
    folders_only: bool,
    next: Option<String>,
    /// Tokens that were used: a store that gives one twice would be listed for ever.
    used: HashSet<String>,
    is_over: bool,
}

// === impl Pages ===

impl<'a> Pages<'a> {
    /// Everything below `prefix`.
    pub(super) fn deep(link: &'a Link, found: &'a Found, prefix: &'a str) -> Self {
        Self { link, found, prefix, folders_only: false, next: None, used: HashSet::new(), is_over: false }
    }

    /// What lies right under `prefix`.
    pub(super) fn shallow(link: &'a Link, found: &'a Found, prefix: &'a str) -> Self {
        Self { folders_only: true, ..Self::deep(link, found, prefix) }
    }

    /// The next page, however often it takes; `None` after the last.
    pub(super) async fn next(&mut self) -> Result<Option<Page>, Fault> {
        if self.is_over {
            return Ok(None);
        }
        let mut tries = Tries::of_page(self.link);
        let mut last = Fault::Slow(S3_REQUEST);
        let mut end = tries.first().await;
        while end.is_ok() {
            match self.page().await {
                Ok(page) => {
                    self.link.quota.answered();
                    self.found.goes_on();
                    self.turn_to(page.next.clone())?;
                    return Ok(Some(page));
                }
                Err(fault) => {
                    self.found.hangs(&fault);
                    end = tries.again("a listing", &fault).await;
                    last = fault;
                }
            }
        }
        Err(last)
    }

    async fn page(&self) -> Result<Page, Fault> {
        let asked = Asked::page(self.prefix);
        let options = PaginatedListOptions {
            page_token: self.next.clone(),
            delimiter: self.folders_only.then_some(Cow::Borrowed("/")),
            max_keys: Some(S3_PAGE_KEYS),
            extensions: asking(&asked),
            ..PaginatedListOptions::default()
        };
        let prefix = Some(self.prefix).filter(|prefix| !prefix.is_empty());
        let answer = timeout(S3_REQUEST, self.link.client.list_paginated(prefix, options)).await;
        let answer = answer.map_err(|_elapsed| Fault::Slow(S3_REQUEST))?;
        let mut answer = answer.map_err(|error| Fault::of(&error, asked.was_sent()))?;
        let page = answer.result.extensions.remove::<Page>();
        page.ok_or_else(|| Fault::Garbled("a listing that was lost on its way through the client".to_owned()))
    }

    fn turn_to(&mut self, next: Option<String>) -> Result<(), Fault> {
        match next {
            None => self.is_over = true,
            Some(token) if self.used.insert(token.clone()) => self.next = Some(token),
            Some(token) => {
                let words =
                    format!("a page that follows upon itself: its NextContinuationToken {token:?} was given before");
                return Err(Fault::Garbled(words));
            }
        }
        Ok(())
    }
}
