//! What kind of dataset lies in a folder or prefix of which nobody has said it.
//!
//! Photos win: shards count only where the place has no photo, neither by itself nor in the folders in it. Nothing is
//! opened but folders, and at most a few of those.

use std::sync::Arc;

use tracing::{info, warn};

use crate::blocking::blocking;
use crate::error::StoreError;
use crate::folder;
use crate::kind::Kind;
use crate::level::Level;
use crate::local::Root;
use crate::location::Location;
use crate::options::StoreOptions;
use crate::repack;
use crate::s3::{Bucket, Settings};
use crate::site::Site;

/// A folder or a prefix whose names are looked at.
enum Place {
    Folder(Arc<Root>),
    Bucket(Box<Bucket>),
}

/// The location with its kind, which is looked for where the location does not say it.
///
/// # Errors
/// The errors of a bucket's listing; compressed tar files and nothing else that could be served. A folder that is not
/// there or cannot be read is left to whoever opens it.
pub(crate) async fn detect(location: &Location, options: &StoreOptions) -> Result<Location, StoreError> {
    let Some(place) = place(location, options).await? else { return Ok(location.clone()) };
    let Some(level) = whole(&place).await? else { return Ok(location.found_to_be(Kind::Folder)) };
    let mut kinds = level.kinds();
    let Some((kind, shards)) = kinds.next() else {
        return match &level.compressed {
            Some((count, name)) => Err(compressed(location, *count, name)),
            None => Ok(location.found_to_be(Kind::Folder)),
        };
    };
    let location = location.found_to_be(kind);
    info!(%location, %kind, shards, "no photos but shards are here, and are served");
    for (kind, shards) in kinds {
        let other = format!("{kind}:{}", location.pattern());
        warn!(%location, %kind, shards, "files of another kind are left out: give {other} to serve those instead");
    }
    Ok(location)
}

/// The place whose kind is to be looked for; `None` where it is known, or where there is no folder to look into.
async fn place(location: &Location, options: &StoreOptions) -> Result<Option<Place>, StoreError> {
    let is_open = !location.is_sure() || location.is_by_name() && location.sites().len() == 1;
    match location.pattern() {
        Site::Local(path) if is_open => {
            let path = path.clone();
            let root = blocking(move || Root::open(&path).ok()).await?;
            Ok(root.map(|(root, _)| Place::Folder(Arc::new(root))))
        }
        Site::S3 { bucket, prefix } if !location.is_sure() => {
            let bucket = Bucket::open(bucket, prefix, options, &Settings::from_environment()?)?;
            Ok(Some(Place::Bucket(Box::new(bucket))))
        }
        _ => Ok(None),
    }
}

/// What lies right in the place, and the Parquet files in the folders there, as Hugging Face keeps them; `None` where
/// photos were found.
async fn whole(place: &Place) -> Result<Option<Level>, StoreError> {
    let mut whole = place.level("").await?;
    for folder in std::mem::take(&mut whole.folders) {
        if whole.has_photos {
            break;
        }
        let below = place.level(&folder).await?;
        whole.has_photos = below.has_photos;
        whole.shards[Kind::Parquet as usize] += below.shards[Kind::Parquet as usize];
    }
    Ok((!whole.has_photos).then_some(whole))
}

// === impl Place ===

impl Place {
    async fn level(&self, below: &str) -> Result<Level, StoreError> {
        match self {
            Self::Folder(root) => {
                let (root, below) = (Arc::clone(root), below.to_owned());
                let level = blocking(move || folder::level(&root, &below)).await?;
                // The listing says what cannot be read.
                Ok(level.unwrap_or_default())
            }
            Self::Bucket(bucket) if below.is_empty() => bucket.level("").await,
            // Policies may deny a folder: the listing says it.
            Self::Bucket(bucket) => match bucket.level(&format!("{below}/")).await {
                Err(StoreError::Refused { .. }) => Ok(Level::default()),
                level => level,
            },
        }
    }
}

fn compressed(location: &Location, count: u64, name: &str) -> StoreError {
    let site = match location.pattern() {
        Site::Local(path) => Site::Local(path.join(name)),
        Site::S3 { bucket, prefix } if prefix.is_empty() => {
            Site::S3 { bucket: bucket.clone(), prefix: name.to_owned() }
        }
        Site::S3 { bucket, prefix } => Site::S3 { bucket: bucket.clone(), prefix: format!("{prefix}/{name}") },
    };
    let command = repack::command(&site).unwrap_or_default();
    StoreError::Compressed { location: location.to_string(), count, command }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    async fn detected(names: &[&str]) -> Result<(Kind, String), String> {
        let root = TempDir::new().unwrap();
        for name in names {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"x").unwrap();
        }
        let text = root.path().to_str().unwrap().to_owned();
        let found = detect(&text.parse().unwrap(), &StoreOptions::default()).await;
        let found = found.map_err(|error| error.to_string().replace(&text, "ROOT"))?;
        Ok((found.kind(), found.to_string().replace(&text, "ROOT")))
    }

    #[tokio::test]
    async fn shards_are_served_where_there_is_no_photo() {
        for (names, kind) in [
            (&["0.tar", "1.tar", "README"][..], Kind::Tar),
            // As img2dataset writes them.
            (&["0.tar", "0.parquet", "0_stats.json"], Kind::Tar),
            (&["0.parquet", "README.md"], Kind::Parquet),
            (&["data/train-0.parquet", "README.md"], Kind::Parquet),
            (&["plain_text/train-0.parquet"], Kind::Parquet),
            (&["train-images-idx3-ubyte", "train-labels-idx1-ubyte"], Kind::Idx),
            (&["x.npy", "y.txt"], Kind::Npy),
            (&["train/0.tar"], Kind::Folder),
            (&["0.tar", "1.jpg"], Kind::Folder),
            (&["0.tar", "cat/1.jpg"], Kind::Folder),
            (&["0.tar", ".cat/1.jpg"], Kind::Tar),
            (&["cat/1.jpg", "dog/2.jpg"], Kind::Folder),
            (&["notes.txt"], Kind::Folder),
            (&[], Kind::Folder),
        ] {
            assert_eq!(detected(names).await.map(|(kind, _)| kind), Ok(kind), "{names:?}");
        }
        assert_eq!(detected(&["0.tar"]).await.unwrap().1, "tar:ROOT");
    }

    #[tokio::test]
    async fn compressed_tar_files_alone_are_refused_with_the_command_that_repacks_them() {
        let error = detected(&["0.tar.gz", "1.tar.gz"]).await.unwrap_err();
        assert!(error.contains("2 compressed tar files") && error.contains("`gunzip --keep ROOT/"), "{error}");
        assert_eq!(detected(&["0.tar.gz", "1.tar"]).await.unwrap().0, Kind::Tar);
    }

    #[tokio::test]
    async fn a_folder_that_is_named_like_a_shard_is_looked_into() {
        let root = TempDir::new().unwrap();
        let folder = root.path().join("photos.tar");
        fs::create_dir_all(folder.join("cat")).unwrap();
        fs::write(folder.join("cat/1.jpg"), b"x").unwrap();
        let kind = async |text: &str| detect(&text.parse().unwrap(), &StoreOptions::default()).await.unwrap().kind();
        assert_eq!(kind(folder.to_str().unwrap()).await, Kind::Folder);
        assert_eq!(kind(&format!("tar:{}", folder.display())).await, Kind::Tar);
        let file = root.path().join("1.tar");
        fs::write(&file, b"x").unwrap();
        assert_eq!(kind(file.to_str().unwrap()).await, Kind::Tar);
        assert_eq!(kind("/nowhere/at/all").await, Kind::Folder);
    }
}
