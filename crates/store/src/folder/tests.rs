use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;
use crate::conformance::{Photos, Source, store_behaves};

/// A folder, what lies in it, and the number of writes, which is each file's time in seconds.
struct FilledFolder {
    folder: TempDir,
    files: BTreeMap<String, Vec<u8>>,
    writes: u64,
}

impl Source for FilledFolder {
    const IS_FILE_BY_FILE: bool = true;

    async fn hold(&mut self, photos: &Photos) {
        for key in self.files.keys().filter(|key| !photos.contains_key(key.as_str())) {
            fs::remove_file(self.folder.path().join(key)).unwrap();
        }
        self.files.retain(|key, _| photos.contains_key(key.as_str()));
        for (key, content) in photos {
            if self.files.insert((*key).to_owned(), content.to_vec()).as_deref() != Some(*content) {
                let path = self.folder.path().join(key);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, content).unwrap();
                self.writes += 1;
                let file = fs::File::options().write(true).open(path).unwrap();
                file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(self.writes)).unwrap();
            }
        }
    }

    async fn open(&self, options: StoreOptions) -> Arc<dyn Store> {
        Arc::new(Folder::open(self.folder.path(), &options).await.unwrap())
    }
}

#[tokio::test]
async fn a_folder_behaves_as_a_store() {
    let folder = TempDir::new().unwrap();
    store_behaves(FilledFolder { folder, files: BTreeMap::new(), writes: 0 }).await;
}
