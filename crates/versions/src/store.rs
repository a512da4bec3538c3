//! The store: takes transfers, keeps versions, and notes which one serves.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use headwater_delta::{DeltaError, HEADER_BYTES};
use headwater_types::caps::{MAX_MODEL_BYTES, MAX_PARTIAL_MODELS, MODEL_TRANSFER_IDLE};
use headwater_types::{ByteCount, Digest, ModelName};

use crate::error::VersionError;
use crate::folder::Folder;
use crate::record::{Named, Record, Version};
use crate::transfer::Transfer;

/// The models of a storage node in their versions.
#[derive(Debug)]
pub struct VersionStore {
    folder: Folder,
    limits: StoreLimits,
    record: Mutex<Record>,
    /// Held while a difference is made for somebody: one at a time.
    offering: Mutex<()>,
    /// Held while bytes are taken: pieces of one transfer come one after the other, and one model is put together at a
    /// time.
    taking: Mutex<()>,
}

/// Limits of a store.
#[derive(Clone, Copy, Debug)]
pub struct StoreLimits {
    /// Most bytes of a model.
    pub max_model: ByteCount,
    /// Most bytes of all transfers that have come in part.
    pub max_partials: ByteCount,
    /// Time after which a transfer of which nothing more came is dropped.
    pub idle: Duration,
    /// Most versions of a name, beside those that serve or would after a rollback.
    pub keep: usize,
}

/// A store that is open.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: VersionStore,
    /// Where a broken record was moved, and why it was broken.
    pub moved_aside: Option<(PathBuf, String)>,
}

// === impl StoreLimits ===

impl Default for StoreLimits {
    fn default() -> Self {
        Self { max_model: MAX_MODEL_BYTES, max_partials: MAX_PARTIAL_MODELS, idle: MODEL_TRANSFER_IDLE, keep: 8 }
    }
}

// === impl VersionStore ===

impl VersionStore {
    /// Opens the store of a folder, or makes both. Files that no version has are removed. Blocks.
    ///
    /// # Errors
    /// A folder that cannot be written, or that another program has.
    pub fn open(folder: &Path, limits: StoreLimits) -> Result<Opened, VersionError> {
        let folder = Folder::open(folder)?;
        let (record, moved_aside) = match folder.record()?.map(|bytes| Record::parse(&bytes)) {
            None => (Record::default(), None),
            Some(Ok(record)) => (record, None),
            Some(Err(why)) => (Record::default(), Some((folder.move_record_aside()?, why))),
        };
        // The files of a record that was broken are left for whoever mends it.
        if moved_aside.is_none() {
            for stray in folder.files()?.into_iter().filter(|digest| !record.keeps(*digest)) {
                folder.remove_file(stray)?;
            }
        }
        folder.partials(limits.idle)?;
        let store =
            Self { folder, limits, record: Mutex::new(record), offering: Mutex::default(), taking: Mutex::default() };
        Ok(Opened { store, moved_aside })
    }

    /// What is known of a name.
    pub fn named(&self, name: &ModelName) -> Named {
        self.record().get(name).cloned().unwrap_or_default()
    }

    /// What is known of every name.
    pub fn all(&self) -> Vec<(ModelName, Named)> {
        self.record().names().map(|(name, named)| (name, named.clone())).collect()
    }

    /// Where the model of this digest is, or would be.
    pub fn file(&self, digest: Digest) -> PathBuf {
        self.folder.file(digest)
    }

    /// Whether the model of this digest is here.
    pub fn has(&self, digest: Digest) -> bool {
        self.folder.file(digest).is_file()
    }

    /// The model of this digest, if it is as it was kept. Blocks.
    ///
    /// # Errors
    /// A file that cannot be read, or is damaged.
    pub fn read(&self, digest: Digest) -> Result<Vec<u8>, VersionError> {
        let path = self.folder.file(digest);
        let bytes = fs::read(&path).map_err(VersionError::disk("read", &path))?;
        match Digest::of(&bytes) {
            actual if actual == digest => Ok(bytes),
            actual => Err(VersionError::Tampered { expected: digest, actual }),
        }
    }

    /// Bytes of a transfer that are here.
    pub fn received(&self, transfer: Digest) -> ByteCount {
        self.folder.received(transfer)
    }

    /// Sees whether a transfer can be taken, and how much of it is here. Where that is all of it, the model is put
    /// together, and `true` says that it is here. Blocks.
    ///
    /// # Errors
    /// One of [`VersionError`]: it is too large, there is no room, its base is not here, or it is not as announced.
    pub fn begin(&self, transfer: &Transfer) -> Result<(ByteCount, bool), VersionError> {
        let _taking = self.taking();
        if self.has(transfer.target) {
            return Ok((transfer.bytes, true));
        }
        self.check(transfer)?;
        let received = self.folder.received(transfer.digest);
        if received < transfer.bytes {
            return Ok((received, false));
        }
        self.finish(transfer).map(|()| (transfer.bytes, true))
    }

    /// Takes a piece of a transfer that was begun, and says how much is here then. With the last piece the model is put
    /// together, and `true` says that it is here. A piece that would leave a gap is not taken. Blocks.
    ///
    /// # Errors
    /// One of [`VersionError`]: the disk, or a transfer that is not as announced, of which nothing is kept.
    pub fn take(&self, transfer: &Transfer, place: u64, piece: &[u8]) -> Result<(ByteCount, bool), VersionError> {
        let _taking = self.taking();
        let received = self.folder.received(transfer.digest).get();
        let end = place.saturating_add(piece.len() as u64);
        if end > transfer.bytes.get() {
            return Err(VersionError::Contradiction("a piece reaches behind the end that was announced"));
        }
        if place > received || end <= received {
            return Ok((ByteCount::new(received), false));
        }
        let new = &piece[ByteCount::new(received - place).as_usize()..];
        self.folder.write_piece(transfer.digest, received, new)?;
        if transfer.base.is_some() && received < HEADER_BYTES as u64 && end >= HEADER_BYTES as u64 {
            self.check_facts(transfer)?;
        }
        if end < transfer.bytes.get() {
            return Ok((ByteCount::new(end), false));
        }
        self.finish(transfer).map(|()| (transfer.bytes, true))
    }

    /// Keeps a model that is at hand, whole. Blocks.
    ///
    /// # Errors
    /// The disk's.
    pub fn keep(&self, model: &[u8]) -> Result<Digest, VersionError> {
        let _taking = self.taking();
        let digest = Digest::of(model);
        if !self.has(digest) {
            self.room(ByteCount::from(model.len()))?;
            self.folder.write_file(digest, model)?;
        }
        Ok(digest)
    }

    /// Notes that a model that is here is a version of a name. Blocks.
    ///
    /// # Errors
    /// A model that is not here; the disk's.
    pub fn add(&self, name: &ModelName, version: Version) -> Result<(), VersionError> {
        let _taking = self.taking();
        if !self.has(version.digest) {
            return Err(VersionError::UnknownVersion { name: name.clone(), digest: version.digest });
        }
        self.change(|record| {
            let named = record.named(name);
            named.add(version);
            named.keep(self.limits.keep);
            Ok(())
        })
    }

    /// Whether an activation by this revision counts.
    ///
    /// # Errors
    /// A version that is not here, and a revision that is not newer.
    pub fn check_revision(&self, name: &ModelName, digest: Digest, revision: u64) -> Result<(), VersionError> {
        newer(&self.named(name), (name, digest), revision)
    }

    /// Notes that a version serves from now on, over the file that the settings name. The same call twice is one.
    /// Blocks.
    ///
    /// # Errors
    /// A version that is not here, a revision that is not newer; the disk's.
    pub fn activate(
        &self,
        name: &ModelName,
        digest: Digest,
        revision: u64,
        over: Option<Digest>,
    ) -> Result<Named, VersionError> {
        self.serve(name, (digest, revision, over), |named| {
            if let Some(before) = named.active.filter(|before| *before != digest) {
                named.earlier.push(before);
            }
        })
    }

    /// Whether a rollback to this version, by this revision, counts.
    ///
    /// # Errors
    /// There is no version before, or it is another; a revision that is not newer.
    pub fn check_rollback(&self, name: &ModelName, digest: Digest, revision: u64) -> Result<(), VersionError> {
        let named = self.named(name);
        newer(&named, (name, digest), revision)?;
        match named.revision == revision || named.before() == Some(digest) {
            true => Ok(()),
            false => Err(VersionError::NotBefore { name: name.clone(), asked: digest, before: named.before() }),
        }
    }

    /// Notes that the version before serves again. The same call twice is one. Blocks.
    ///
    /// # Errors
    /// Those of [`VersionStore::check_rollback`]; the disk's.
    pub fn roll_back(
        &self,
        name: &ModelName,
        digest: Digest,
        revision: u64,
        over: Option<Digest>,
    ) -> Result<Named, VersionError> {
        self.check_rollback(name, digest, revision)?;
        self.serve(name, (digest, revision, over), |named| {
            named.earlier.pop();
        })
    }

    /// A file with these names of classes, one on each line; `None` where there are none. Blocks.
    ///
    /// # Errors
    /// The disk's.
    pub fn classes(&self, names: &[String]) -> Result<Option<PathBuf>, VersionError> {
        let _taking = self.taking();
        (!names.is_empty()).then(|| self.folder.write_classes(&names.join("\n"))).transpose()
    }

    fn serve(
        &self,
        name: &ModelName,
        (digest, revision, over): (Digest, u64, Option<Digest>),
        change: impl FnOnce(&mut Named),
    ) -> Result<Named, VersionError> {
        let _taking = self.taking();
        self.change(|record| {
            let named = record.named(name);
            newer(named, (name, digest), revision)?;
            if named.revision == revision {
                return Ok(());
            }
            change(named);
            (named.active, named.revision, named.over) = (Some(digest), revision, over);
            named.keep(self.limits.keep);
            Ok(())
        })?;
        Ok(self.named(name))
    }

    /// Notes what the settings say now, where that counts more than what was activated before.
    ///
    /// # Errors
    /// The disk's.
    pub fn overrule(&self, name: &ModelName, version: Version) -> Result<(), VersionError> {
        let _taking = self.taking();
        self.change(|record| {
            let (named, digest) = (record.named(name), version.digest);
            named.add(version);
            named.earlier.extend(named.active.replace(digest));
            named.over = Some(digest);
            named.keep(self.limits.keep);
            Ok(())
        })
    }

    /// Changes the record, durably, and removes what no version has any more.
    fn change(&self, change: impl FnOnce(&mut Record) -> Result<(), VersionError>) -> Result<(), VersionError> {
        let mut record = self.record();
        let mut next = record.clone();
        change(&mut next)?;
        if next == *record {
            return Ok(());
        }
        self.folder.write_record(&next.to_bytes()?)?;
        let before = std::mem::replace(&mut *record, next);
        let all = before.names.values().flat_map(|named| &named.versions).map(|version| version.digest);
        all.filter(|digest| !record.keeps(*digest)).try_for_each(|digest| self.folder.remove_file(digest))
    }

    /// What can be known of a transfer before it comes.
    fn check(&self, transfer: &Transfer) -> Result<(), VersionError> {
        let Transfer { digest, bytes, target, target_bytes, base } = *transfer;
        let limit = self.limits.max_model;
        // A delta may be a thousandth larger than its model.
        let most = ByteCount::new(limit.get() + limit.get() / 512);
        for (what, actual, limit) in [("the model", target_bytes, limit), ("the transfer", bytes, most)] {
            if actual > limit {
                return Err(VersionError::TooLarge { what, actual, limit });
            }
        }
        match base {
            None if (digest, bytes) != (target, target_bytes) => {
                return Err(VersionError::Contradiction("a whole model is what travels"));
            }
            Some(base) if !self.has(base) => return Err(VersionError::NoBase { base }),
            _ if bytes.get() == 0 => return Err(VersionError::Contradiction("nothing travels")),
            _ => {}
        }
        let there = self.folder.partials(self.limits.idle)?;
        let (received, limit) = (self.folder.received(digest), self.limits.max_partials);
        let rest = bytes.get().saturating_sub(received.get());
        if there.get().saturating_add(rest) > limit.get() {
            return Err(VersionError::PartialsFull { there, limit });
        }
        self.room(ByteCount::new(rest.saturating_add(target_bytes.get())))
    }

    fn room(&self, needed: ByteCount) -> Result<(), VersionError> {
        match self.folder.free()? {
            free if free < needed => Err(VersionError::NoSpace { free, needed }),
            _ => Ok(()),
        }
    }

    /// Holds the first bytes of a delta against what was announced of it: more of it need not come where they differ.
    fn check_facts(&self, transfer: &Transfer) -> Result<(), VersionError> {
        let facts = headwater_delta::facts(&self.folder.read_partial(transfer.digest)?);
        let told = match facts {
            Ok(facts) if transfer.is_of(&facts) => return Ok(()),
            Ok(_) => VersionError::Contradiction("the delta is another one than was announced"),
            Err(error) => error.into(),
        };
        self.folder.remove_partial(transfer.digest)?;
        Err(told)
    }

    /// Puts a model together of which everything has come. Nothing is kept of one that is not as announced.
    fn finish(&self, transfer: &Transfer) -> Result<(), VersionError> {
        let made = self.put_together(transfer);
        let kept = made.and_then(|model| self.folder.write_file(transfer.target, &model));
        match kept {
            // What has come is whole: the next try needs no byte of it.
            Err(error @ VersionError::Disk { .. }) => Err(error),
            kept => self.folder.remove_partial(transfer.digest).and(kept),
        }
    }

    fn put_together(&self, transfer: &Transfer) -> Result<Vec<u8>, VersionError> {
        let came = self.folder.read_partial(transfer.digest)?;
        let actual = Digest::of(&came);
        if actual != transfer.digest {
            return Err(VersionError::Tampered { expected: transfer.digest, actual });
        }
        let model = match transfer.base {
            None => came,
            Some(base) => {
                let limits = headwater_delta::Limits { max_target: transfer.target_bytes, ..Default::default() };
                headwater_delta::apply(&self.read(base)?, &came, &limits)?
            }
        };
        let actual = Digest::of(&model);
        if actual != transfer.target {
            return Err(DeltaError::WrongResult { expected: transfer.target, actual }.into());
        }
        let limits = headwater_onnx::Limits { max_bytes: self.limits.max_model, ..Default::default() };
        headwater_onnx::check(&model, &limits)?;
        Ok(model)
    }

    pub(crate) fn offering(&self) -> MutexGuard<'_, ()> {
        self.offering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn keep_offer(&self, delta: Digest, bytes: &[u8]) -> Result<(), VersionError> {
        let _taking = self.taking();
        self.room(ByteCount::from(bytes.len()))?;
        self.folder.write_offer(delta, bytes)
    }

    pub(crate) fn read_piece(
        &self,
        transfer: Digest,
        place: ByteCount,
        most: usize,
    ) -> Result<Option<Vec<u8>>, VersionError> {
        self.folder.read_piece(transfer, place, most)
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn taking(&self) -> MutexGuard<'_, ()> {
        self.taking.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an activation by this revision counts.
fn newer(named: &Named, (name, digest): (&ModelName, Digest), revision: u64) -> Result<(), VersionError> {
    if named.version(digest).is_none() {
        return Err(VersionError::UnknownVersion { name: name.clone(), digest });
    }
    let is_the_same = named.revision == revision && named.active == Some(digest);
    match revision > named.revision || is_the_same {
        true => Ok(()),
        false => Err(VersionError::Replayed { name: name.clone(), asked: revision, active: named.revision }),
    }
}
