//! The names right under a prefix, for whoever wants to know what kind of dataset it is.

use super::Bucket;
use super::pages::Pages;
use crate::error::StoreError;
use crate::level::Level;

impl Bucket {
    /// What stands right under a folder, given with a slash at its end, or under the prefix itself.
    pub(crate) async fn level(&self, folder: &str) -> Result<Level, StoreError> {
        let prefix = format!("{}{folder}", self.prefix);
        let mut level = Level::default();
        let mut pages = Pages::shallow(&self.link, &self.options.found, &prefix);
        while let Some(page) = pages.next().await.map_err(|fault| self.access.error(&fault))? {
            let beneath = |key: &'_ str| key.strip_prefix(&prefix).unwrap_or(key).trim_end_matches('/').to_owned();
            page.folders.iter().for_each(|folder| level.folder(&beneath(folder)));
            let objects = page.objects.iter().filter(|object| !object.key.ends_with('/'));
            objects.for_each(|object| level.file(&beneath(&object.key)));
            if level.is_settled() {
                break;
            }
        }
        Ok(level)
    }
}
