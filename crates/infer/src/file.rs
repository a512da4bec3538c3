//! The model's file, held against what the servers announce.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use headwater_client::ModelInfo;
use headwater_types::caps::MAX_MODEL_BYTES;
use headwater_types::digest::Digester;
use headwater_types::{ByteCount, Digest};

use crate::error::LocalError;

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// Whether the file is the one that the servers have registered.
pub(crate) fn check(path: &Path, model: &ModelInfo) -> Result<(), LocalError> {
    let limit = MAX_MODEL_BYTES;
    let read = digest(path, limit).map_err(|source| LocalError::Read { path: path.to_owned(), source })?;
    let actual = read.ok_or_else(|| LocalError::TooLarge { path: path.to_owned(), limit })?;
    if actual != model.digest {
        let (path, model, expected) = (path.to_owned(), model.name.clone(), model.digest);
        return Err(LocalError::OtherFile { path, actual, model, expected });
    }
    Ok(())
}

/// BLAKE3 of a file; `None` past the limit.
fn digest(path: &Path, limit: ByteCount) -> io::Result<Option<Digest>> {
    let mut file = File::open(path)?;
    let (mut digester, mut piece, mut bytes) = (Digester::default(), vec![0; PIECE], 0_u64);
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(Some(digester.finish()));
        }
        bytes += read as u64;
        if bytes > limit.get() {
            return Ok(None);
        }
        digester.update(&piece[..read]);
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Recipe;

    use super::*;

    fn model(digest: Digest) -> ModelInfo {
        ModelInfo {
            name: "net".parse().unwrap(),
            digest,
            recipe: Recipe::builtin("mobilenet-eval").unwrap(),
            output: "features".into(),
            feature_len: 4,
            device: "cpu".into(),
        }
    }

    #[test]
    fn only_the_file_that_servers_have_registered_will_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.onnx");
        let content = vec![7; PIECE + 3];
        std::fs::write(&path, &content).unwrap();
        check(&path, &model(Digest::of(&content))).unwrap();
        let error = check(&path, &model(Digest::of(b"another"))).unwrap_err();
        assert!(matches!(error, LocalError::OtherFile { .. }));
        assert!(error.to_string().contains("--extractor") && error.to_string().contains("net"), "{error}");
        assert!(matches!(check(folder.path(), &model(Digest::of(b""))), Err(LocalError::Read { .. })));
        assert_eq!(digest(&path, ByteCount::from(PIECE)).unwrap(), None);
    }
}
